/* Whole Windows systems, made here as folders: what is found, and what is said to be unread. */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "collect/windows_hotfixes.h"
#include "tests/collect/collect_harness.h"
#include "tests/collect/hive_builder.h"
#include "tests/collect/pe_builder.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

static collect_source_function *const sources[] = {collect_registry, collect_windows, collect_iis,
                                                   collect_windows_files, collect_persist_windows};

#define NT     "[Microsoft\\Windows NT\\CurrentVersion]\n"
#define W2K    NT "CurrentVersion=5.0\nCurrentBuildNumber=2195\nProductName=Microsoft Windows 2000\n"
#define NT4    NT "CurrentVersion=4.0\nCurrentBuildNumber=1381\n"
#define SELECT "[Select]\nCurrent=#1\n"
#define SET    "ControlSet001\\"
#define SERVER SELECT "[" SET "Control\\ProductOptions]\nProductType=ServerNT\n"

struct system {
    const char *folder;            /* that of the hives; NULL = WINNT/system32/config */
    const char *software, *system; /* NULL: not there */
    const char *files[12];         /* name, text, name, text */
    const char *wants[12];
    bool partial;        /* without its kernel */
    const char *program; /* a name, and its version */
    uint16_t version[4];
};

static struct harness run_bytes(const struct system *s, const struct str *software,
                                const struct str *system)
{
    struct harness h = {0};
    CLEANUP_FREE char *dir = support_temp_dir();
    const char *folder = s->folder ? s->folder : "WINNT/system32/config", *wants[16] = {0};
    char name[512];
    struct error e = ERROR_INIT;
    if (software) {
        snprintf(name, sizeof name, "%s/software", folder);
        support_write(dir, name, software->data, software->length);
    }
    if (system) {
        snprintf(name, sizeof name, "%s/SYSTEM", folder);
        support_write(dir, name, system->data, system->length);
    }
    const char *end = strrchr(folder, '/');
    if (!s->partial && end && str_equal_nocase(end, "/config")) {
        snprintf(name, sizeof name, "%.*s/ntoskrnl.exe", (int)(end - folder), folder);
        support_write(dir, name, "", 0);
    }
    for (size_t i = 0; i + 1 < ARRAY_COUNT(s->files) && s->files[i]; i += 2)
        support_write(dir, s->files[i], s->files[i + 1], strlen(s->files[i + 1]));
    if (s->program) {
        CLEANUP_STR struct str program = pe_builder_make(false, s->version);
        support_write(dir, s->program, program.data, program.length);
    }
    for (size_t i = 0; i < ARRAY_COUNT(s->wants); i++)
        wants[i] = s->wants[i];
    if (!target_open_root(&h.target, dir, &e))
        fail_msg("%s", e.message);
    harness_run(&h, wants, sources, ARRAY_COUNT(sources));
    support_remove_tree(dir);
    return h;
}

static struct harness run_system(const struct system *s)
{
    CLEANUP_STR struct str software = {0};
    CLEANUP_STR struct str system = {0};
    if (s->software)
        software = hive_builder_make(s->software);
    if (s->system)
        system = hive_builder_make(s->system);
    return run_bytes(s, s->software ? &software : NULL, s->system ? &system : NULL);
}

static const struct fact *host_of(const struct harness *h)
{
    const struct fact *host = facts_first(h->facts, "host");
    assert_non_null(host);
    return host;
}

static void the_host_is_recognised_with_its_service_pack(void **state)
{
    static const struct {
        const char *software, *system, *os, *version, *pack;
    } rows[] = {
        {W2K "CSDVersion=Service Pack 2\n", SERVER, "Windows 2000 Server, Service Pack 2", "5.0",
         "2"},
        {W2K, SERVER, "Windows 2000 Server", "5.0", ""},
        {W2K, SERVER "[" SET "Control\\Windows]\nCSDVersion=#0x300\n",
         "Windows 2000 Server, Service Pack 3", "5.0", "3"},
        {W2K, SELECT "[" SET "Control\\ProductOptions]\nProductType=WinNT\n",
         "Windows 2000 Professional", "5.0", ""},
        {W2K, SERVER "ProductSuite=|Enterprise|Terminal Server\n", "Windows 2000 Advanced Server",
         "5.0", ""},
        {NT4 "CSDVersion=Service Pack 6\n", SERVER, "Windows NT 4.0 Server, Service Pack 6", "4.0",
         "6"},
        {NT4 "CSDVersion=Service Pack 6\n[Microsoft\\Windows NT\\CurrentVersion\\Hotfix\\Q246009]\n"
             "Installed=#1\n",
         SERVER, "Windows NT 4.0 Server, Service Pack 6a", "4.0", "6a"},
        {NT4 "CSDVersion=Service Pack 6\n[Microsoft\\Windows NT\\CurrentVersion\\Hotfix\\Q246009]\n"
             "Installed=#0\n",
         SERVER, "Windows NT 4.0 Server, Service Pack 6", "4.0", "6"},
        {NT4 "CSDVersion=Service Pack 5\n[Microsoft\\Windows NT\\CurrentVersion\\Hotfix\\Q246009]\n"
             "Installed=#1\n",
         SERVER, "Windows NT 4.0 Server, Service Pack 5", "4.0", "5"},
        {NT "CurrentVersion=6.3\nCurrentMajorVersionNumber=#10\nCurrentMinorVersionNumber=#0\n"
            "ProductName=Windows Server 2019 Standard\nUBR=#1\n",
         SERVER, "Windows Server 2019 Standard", "10.0", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct system s = {.software = rows[i].software, .system = rows[i].system};
        struct harness h = run_system(&s);
        const struct fact *host = host_of(&h);
        assert_string_equal(fact_text(host, "family"), "windows");
        assert_string_equal(fact_text(host, "os"), rows[i].os);
        assert_string_equal(fact_text(host, "version"), rows[i].version);
        assert_string_equal(harness_value(host, "service_pack"), rows[i].pack);
        assert_string_equal(
            harness_value(harness_find(&h, "product", "name", "windows"), "version"),
            rows[i].version);
        harness_close(&h);
    }
}

static void it_is_found_under_any_name_and_in_any_case(void **state)
{
    static const char *const folders[] = {"WINNT/system32/config", "winnt/System32/CONFIG",
                                          "NTSERVER/SYSTEM32/Config", "wINDOWS/system32/config"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        struct system s = {
            .folder = folders[i],
            .software = W2K "SystemRoot=D:\\WINNT\n",
            .system = SERVER,
            .wants = {"file:%SystemRoot%\\system32", "file:D:\\nothing", "file:C:\\boot.ini"}};
        struct harness h = run_system(&s);
        const struct fact *host = host_of(&h);
        assert_string_equal(harness_value(host, "file:%SystemRoot%\\system32"), "present");
        assert_string_equal(harness_value(host, "file:D:\\nothing"), "<absent>");
        assert_string_equal(harness_value(host, "file:C:\\boot.ini"), "<unreadable>");
        assert_true(str_starts(fact_text(host, "system_root"), "D:\\"));
        harness_close(&h);
    }
}

static void hotfixes_are_found_in_every_place(void **state)
{
    static const struct {
        const char *id, *installed, *place;
    } rows[] = {
        {"Q293826", "1", "SP2\\Q293826"},      {"Q291845", "1", "SP1\\291845"},
        {"Q285985", "1", "HotFix\\Q285985"},   {"Q300972", "0", "HotFix\\Q300972"},
        {"SP2SRP1", "1", "HotFix\\SP2SRP1"},   {"Q823980", "1", "SP5\\KB823980-v2"},
        {"Q319733", "1", "Internet Explorer"},
    };
    struct system s = {.software = W2K
                       "[Microsoft\\Windows NT\\CurrentVersion\\HotFix\\Q285985]\nInstalled=#1\n"
                       "[Microsoft\\Windows NT\\CurrentVersion\\HotFix\\Q300972]\nInstalled=#0\n"
                       "[Microsoft\\Windows NT\\CurrentVersion\\HotFix\\SP2SRP1]\nInstalled=#1\n"
                       "[Microsoft\\Updates\\Windows 2000\\SP2\\Q293826\\Filelist\\0]\nFileName=x\n"
                       "[Microsoft\\Updates\\Windows 2000\\SP1\\291845]\nInstalledDate=3/21/2001\n"
                       "[Microsoft\\Updates\\Windows 2000\\SP5\\KB823980-v2]\nType=Hotfix\n"
                       "[Microsoft\\Updates\\Internet Explorer 6\\q319733]\nType=Hotfix\n",
                       .system = SERVER,
                       .files = {"WINNT/$NtUninstallQ277873$/w3svc.dll", "",
                                 "WINNT/$NtServicePackUninstall$/x", ""}};
    struct harness h = run_system(&s);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct fact *f = harness_find(&h, "hotfix", "id", rows[i].id);
        if (!f)
            fail_msg("%s is missing", rows[i].id);
        assert_string_equal(fact_text(f, "installed"), rows[i].installed);
        if (!str_find_nocase(fact_text(f, "place"), rows[i].place))
            fail_msg("%s is from %s", rows[i].id, fact_text(f, "place"));
    }
    assert_string_equal(
        harness_value(harness_find(&h, "hotfix", "id", "Q291845"), "service_pack_key"), "SP1");
    assert_string_equal(harness_value(facts_first(h.facts, "hotfix-leavings"), "id"), "Q277873");
    assert_null(facts_next(h.facts, "hotfix-leavings", facts_first(h.facts, "hotfix-leavings")));
    harness_close(&h);
}

static void later_packages_count_by_their_state(void **state)
{
#define PACKAGES "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\"
    static const struct {
        const char *id, *installed;
    } rows[] = {{"KB2999226", "1"}, {"KB4012212", "pending"}, {"KB4012215", "superseded"}};
    struct system s = {.software = NT
                       "CurrentVersion=6.1\nCurrentBuildNumber=7601\n"
                       "[" PACKAGES "Package_for_KB2999226~31bf3856ad364e35~amd64~~6.1.1.7]\n"
                       "CurrentState=#112\n"
                       "[" PACKAGES "Package_for_KB4012212~31bf3856ad364e35~amd64~~6.1.1.0]\n"
                       "CurrentState=#96\n"
                       "[" PACKAGES "Package_for_KB4012215~31bf3856ad364e35~amd64~~6.1.1.0]\n"
                       "CurrentState=#80\n"
                       "[" PACKAGES "Package_for_KB5000000~31bf3856ad364e35~amd64~~6.1.1.0]\n"
                       "CurrentState=#64\n"
                       "[" PACKAGES "Package_1_for_KB5000001~31bf3856ad364e35~amd64~~6.1.1.0]\n"
                       "CurrentState=#112\n",
                       .system = SERVER};
    struct harness h = run_system(&s);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(
            harness_value(harness_find(&h, "hotfix", "id", rows[i].id), "installed"),
            rows[i].installed);
    assert_null(harness_find(&h, "hotfix", "id", "KB5000000"));
    assert_null(harness_find(&h, "hotfix", "id", "KB5000001"));
    harness_close(&h);
}

static void ids_are_written_as_their_time_wrote_them(void **state)
{
    static const struct {
        const char *name;
        bool before_xp;
        const char *id;
    } rows[] = {
        {"Q293826", true, "Q293826"},
        {"q293826", true, "Q293826"},
        {"291845", true, "Q291845"},
        {"KB823980", true, "Q823980"},
        {"KB2999226", false, "KB2999226"},
        {"Q328310", false, "KB328310"},
        {"KB893803v2", false, "KB893803"},
        {"KB123456-v11", false, "KB123456"},
        {"KB834707-IE6SP1-20040929", false, "KB834707"},
        {"SP2SRP1", true, "SP2SRP1"},
        {"File 1", true, "File 1"},
        {"Q12", true, "Q12"},
        {"Q293826x", true, "Q293826x"},
        {"KB", false, "KB"},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(windows_hotfixes_id(arena, rows[i].name, rows[i].before_xp),
                            rows[i].id);
}

static void wanted_values_are_a_value_absent_or_unreadable(void **state)
{
    static const struct {
        const char *want, *value;
    } rows[] = {
        {"HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa!RestrictAnonymous", "1"},
        {"HKLM\\system\\currentcontrolset\\control\\lsa!restrictanonymous2", "<absent>"},
        {"HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nothing\\", "<absent>"},
        {"HKLM\\SYSTEM\\CurrentControlSet\\Control\\", "present"},
        {"HKLM\\SYSTEM\\Select!Current", "2"},
        {"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion!CurrentVersion", "<unreadable>"},
        {"HKLM\\SAM\\x!y", "<unreadable>"},
        {"HKCU\\Software!x", "<unreadable>"},
    };
    struct system s = {.system = "[Select]\nCurrent=#2\n"
                                 "[ControlSet001\\Control\\Lsa]\nRestrictAnonymous=#0\n"
                                 "[ControlSet002\\Control\\Lsa]\nRestrictAnonymous=#1\n"};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        s.wants[i] = rows[i].want;
    struct harness h = run_system(&s);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (strcmp(harness_value(host_of(&h), rows[i].want), rows[i].value) != 0)
            fail_msg("%s: %s", rows[i].want, harness_value(host_of(&h), rows[i].want));
    assert_non_null(harness_find(&h, "unread", "what", "registry hive SOFTWARE"));
    assert_string_equal(harness_value(host_of(&h), "version"), "<unreadable>");
    harness_close(&h);
}

static void hives_alone_say_what_they_prove_and_the_rest_is_unread(void **state)
{
    struct system s = {.folder = ".",
                       .software = W2K "CSDVersion=Service Pack 2\n[Microsoft\\InetStp]\n"
                                       "MajorVersion=#5\nMinorVersion=#0\n",
                       .wants = {"file-version:%SystemRoot%\\system32\\inetsrv\\w3svc.dll",
                                 "HKLM\\SOFTWARE\\Microsoft\\InetStp!MajorVersion",
                                 "HKLM\\SYSTEM\\Select!Current"}};
    struct harness h = run_system(&s);
    const struct fact *host = host_of(&h);
    assert_string_equal(fact_text(host, "os"), "Windows 2000, Service Pack 2");
    assert_string_equal(harness_value(host, s.wants[0]), "<unreadable>");
    assert_string_equal(harness_value(host, s.wants[1]), "5");
    assert_string_equal(harness_value(host, s.wants[2]), "<unreadable>");
    assert_string_equal(harness_value(harness_find(&h, "product", "name", "iis"), "version"),
                        "5.0");
    assert_non_null(harness_find(&h, "unread", "what", "listeners"));
    assert_non_null(harness_find(&h, "unread", "what", "services"));
    harness_close(&h);
}

static char *find_in(struct str *hive, const char *name)
{
    char *found = memmem(hive->data, hive->length, name, strlen(name));
    assert_non_null(found);
    return found;
}

static void put32(char *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(number >> 8 * i);
}

/* --- a disk of two FAT partitions: the system on the second --- */

enum { SECTOR = 512, PART_SECTORS = 32768, FIRST = 63, SECOND = FIRST + PART_SECTORS };

static void put_entry(char *at, uint32_t start)
{
    at[4] = 6; /* FAT16 */
    put32(at + 8, start);
    put32(at + 12, PART_SECTORS);
}

/* Makes a file system of a folder, and puts it into the disk. */
static bool add_partition(const char *dir, const char *folder, unsigned start)
{
    CLEANUP_STR struct str command = {0};
    str_printf(&command,
               "cd %s && mkfs.fat -C -F 16 %s.fat %d >/dev/null 2>&1 && "
               "mcopy -s -i %s.fat %s/* ::/ && dd if=%s.fat of=disk bs=512 seek=%u conv=notrunc "
               "status=none",
               dir, folder, PART_SECTORS / 2, folder, folder, folder, start);
    return system(str_text(&command)) == 0;
}

static bool make_disk(const char *dir)
{
    char sector[SECTOR] = {0};
    put32(sector + 440, 0x11223344);
    put_entry(sector + 446, FIRST);
    put_entry(sector + 462, SECOND);
    sector[510] = 0x55;
    sector[511] = (char)0xaa;
    support_write(dir, "disk", sector, sizeof sector);
    return add_partition(dir, "data", FIRST) && add_partition(dir, "system", SECOND);
}

static void all_volumes_of_a_disk_are_looked_at(void **state)
{
    static const char page[] = "<p>PoizonBOx</p>";
    static collect_source_function *const all[] = {collect_registry, collect_windows, collect_iis,
                                                   collect_windows_files, collect_leavings};
    const char *wants[] = {"file-acl:%SystemRoot%\\none.exe",
                           "file-acl:%SystemRoot%\\system32\\cmd.exe", NULL};
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_STR struct str system = {0}, disk = {0};
    CLEANUP_STR struct str software = hive_builder_make(W2K "SystemRoot=C:\\WINNT\n");
    str_printf(&system, SERVER "[MountedDevices]\n");
    const struct {
        char letter;
        unsigned sector;
    } drives[] = {{'C', SECOND}, {'E', FIRST}};
    for (size_t i = 0; i < ARRAY_COUNT(drives); i++) {
        str_printf(&system, "\\DosDevices\\%c:=$44332211", drives[i].letter);
        for (int k = 0; k < 8; k++) /* the offset in bytes, little-endian */
            str_printf(&system, "%02x",
                       (unsigned)((uint64_t)drives[i].sector * SECTOR >> 8 * k) & 0xff);
        str_add(&system, "\n");
    }
    CLEANUP_STR struct str hive = hive_builder_make(str_text(&system));
    support_write(dir, "system/WINNT/system32/config/software", software.data, software.length);
    support_write(dir, "system/WINNT/system32/config/SYSTEM", hive.data, hive.length);
    support_write(dir, "system/WINNT/system32/cmd.exe", "MZ the shell", 12);
    support_write(dir, "system/WINNT/system32/ntoskrnl.exe", "MZ", 2);
    support_write(dir, "data/Inetpub/scripts/root.exe", "MZ the shell", 12);
    support_write(dir, "data/Inetpub/wwwroot/index.htm", page, sizeof page - 1);
    struct error e = ERROR_INIT;
    struct harness h = {0};
    if (!make_disk(dir)) {
        support_remove_tree(dir);
        print_message("mkfs.fat and mtools are not there\n");
        skip();
    }
    str_printf(&disk, "%s/disk", dir);
    if (!target_open_image(&h.target, str_text(&disk), &e))
        fail_msg("%s", e.message);
    harness_run(&h, wants, all, ARRAY_COUNT(all));
    assert_int_equal(target_volume_count(h.target), 2);
    /* NT has no access lists on FAT: everybody may do everything */
    assert_string_equal(harness_value(host_of(&h), wants[1]), "Everyone:F");
    assert_string_equal(harness_value(host_of(&h), wants[0]), "<absent>");
    const struct fact *f = harness_find(&h, "leaving", "path", "E:/Inetpub/scripts/root.exe");
    assert_non_null(f);
    assert_string_equal(harness_value(f, "claim"), "high"); /* the same as the other's cmd.exe */
    assert_non_null(harness_find(&h, "leaving", "path", "E:/Inetpub/wwwroot/index.htm"));
    harness_close(&h);
    support_remove_tree(dir);
}

static void a_lone_hive_says_nothing_of_leavings(void **state)
{
    static collect_source_function *const all[] = {collect_registry, collect_leavings};
    struct harness h = {0};
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_STR struct str software = hive_builder_make(W2K);
    support_write(dir, "software", software.data, software.length);
    if (!target_open_root(&h.target, dir, &e))
        fail_msg("%s", e.message);
    harness_run(&h, NULL, all, ARRAY_COUNT(all));
    assert_null(harness_find(&h, "complete", "of", "leaving"));
    assert_non_null(harness_find(&h, "unread", "what", "leaving"));
    harness_close(&h);
    support_remove_tree(dir);
}

static void a_dirty_hive_is_called_stale(void **state)
{
    CLEANUP_STR struct str software = hive_builder_make(W2K);
    CLEANUP_STR struct str system = hive_builder_make(SERVER);
    struct system s = {0};
    software.data[4]++;
    hive_builder_seal(&software);
    struct harness h = run_bytes(&s, &software, &system);
    const struct fact *f = harness_find(&h, "registry", "hive", "SOFTWARE");
    assert_string_equal(harness_value(f, "state"), "dirty");
    assert_string_equal(harness_value(f, "format"), "1.3");
    assert_string_equal(harness_value(harness_find(&h, "registry", "hive", "SYSTEM"), "state"),
                        "clean");
    f = harness_find(&h, "unread", "what", "registry hive SOFTWARE");
    assert_non_null(f);
    assert_non_null(strstr(fact_text(f, "reason"), "stale"));
    assert_int_equal(host_of(&h)->confidence, CONFIDENCE_MEDIUM);
    harness_close(&h);
}

/* Its first block says 4 KiB more than there are, and a value lies in them: that one is unread,
 * what is there counts. */
static void a_hive_cut_short_is_called_truncated(void **state)
{
    CLEANUP_STR struct str software =
        hive_builder_make(W2K "CSDVersion=Service Pack 2\n[Microsoft\\Zzz]\nLast=beyond the end\n");
    CLEANUP_STR struct str system = hive_builder_make(SERVER);
    struct system s = {.wants = {"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion!CSDVersion",
                                 "HKLM\\SOFTWARE\\Microsoft\\Zzz!Last"}};
    uint32_t bins = (uint32_t)software.length - 4096;
    put32(software.data + 40, bins + 4096);
    put32(find_in(&software, "Last") - 12, bins + 64); /* vk: where its data lie */
    hive_builder_seal(&software);
    struct harness h = run_bytes(&s, &software, &system);
    const struct fact *f = harness_find(&h, "registry", "hive", "SOFTWARE");
    assert_string_equal(harness_value(f, "state"), "truncated");
    f = harness_find(&h, "registry", "hive", "SYSTEM");
    assert_string_equal(harness_value(f, "state"), "clean");
    f = harness_find(&h, "unread", "what", "registry hive SOFTWARE");
    assert_non_null(f);
    assert_non_null(strstr(fact_text(f, "reason"), "cut short"));
    assert_null(strstr(fact_text(f, "reason"), "stale"));
    assert_int_equal(host_of(&h)->confidence, CONFIDENCE_MEDIUM);
    assert_string_equal(harness_value(host_of(&h), "service_pack"), "2");
    assert_string_equal(harness_value(host_of(&h), s.wants[0]), "Service Pack 2");
    assert_string_equal(harness_value(host_of(&h), s.wants[1]), "<unreadable>");
    harness_close(&h);
}

/* The key of a hotfix is there, but not the value that says whether it is installed. */
static void a_hotfix_whose_marker_is_lost_is_neither_in_nor_out(void **state)
{
    CLEANUP_STR struct str software = hive_builder_make(
        W2K "[Microsoft\\Windows NT\\CurrentVersion\\Hotfix\\Q1]\nInstalled=#1\n");
    CLEANUP_STR struct str system = hive_builder_make(SERVER);
    struct system s = {0};
    find_in(&software, "Installed")[-20] = 'x'; /* the mark "vk" */
    struct harness h = run_bytes(&s, &software, &system);
    assert_null(harness_find(&h, "hotfix", "id", "Q1"));
    assert_non_null(harness_find(&h, "unread", "what", "hotfixes"));
    harness_close(&h);
}

static void a_damaged_hive_is_unreadable_and_never_absent(void **state)
{
    CLEANUP_STR struct str software = hive_builder_make(W2K);
    CLEANUP_STR struct str system = hive_builder_make(SERVER);
    struct system s = {.wants = {"HKLM\\SOFTWARE\\Microsoft\\DataFactory\\",
                                 "file:%ProgramFiles%\\nothing", "file:%SystemRoot%\\nothing"}};
    software.data[0] = 'X';
    struct harness h = run_bytes(&s, &software, &system);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(harness_value(host_of(&h), s.wants[i]), "<unreadable>");
    assert_string_equal(harness_value(host_of(&h), s.wants[2]), "<absent>");
    harness_close(&h);
}

static void files_are_present_absent_or_unreadable(void **state)
{
    static const struct {
        const char *want, *value;
    } rows[] = {
        {"file:%InetPub%\\iissamples", "present"},
        {"file:%inetpub%\\IISSAMPLES\\a.asp", "present"},
        {"file:%InetPub%\\other", "<absent>"},
        {"file:%CommonFiles%\\System\\msadc", "present"},
        {"file:C:\\PROGRA~1\\x", "<unreadable>"},
        {"file:%Nothing%\\x", "<unreadable>"},
        {"file-version:%SystemRoot%\\system32\\inetsrv\\w3svc.dll", "<unreadable>"},
        {"file-version:%SystemRoot%\\system32\\none.dll", "<absent>"},
        {"file-acl:%SystemRoot%\\system32\\cmd.exe", "<absent>"},
        {"file-acl:%SystemRoot%\\system32", "<unreadable>"},
        {"file:/etc/passwd", "<none>"},
    };
    struct system s = {
        .software = W2K "[Microsoft\\InetStp]\nPathWWWRoot=C:\\Web\\wwwroot\nMajorVersion=#5\n"
                        "[Microsoft\\Windows\\CurrentVersion]\nProgramFilesDir=C:\\Programme\n"
                        "CommonFilesDir=%ProgramFiles%\\Gemeinsame Dateien\n",
        .system = SERVER,
        .files = {"Web/iissamples/A.asp", "x", "Programme/Gemeinsame Dateien/System/MSADC/x", "",
                  "WINNT/system32/inetsrv/w3svc.dll", "MZ and nothing"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        s.wants[i] = rows[i].want;
    struct harness h = run_system(&s);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (strcmp(harness_value(host_of(&h), rows[i].want), rows[i].value) != 0)
            fail_msg("%s: %s", rows[i].want, harness_value(host_of(&h), rows[i].want));
    const struct fact *f = harness_find(&h, "file", "path", rows[6].want + 13);
    assert_string_equal(harness_value(f, "exists"), "yes");
    assert_string_equal(harness_value(f, "version"), "<unreadable>");
    assert_string_equal(harness_value(f, "size"), "14");
    f = harness_find(&h, "file", "path", rows[7].want + 13);
    assert_string_equal(harness_value(f, "exists"), "no");
    harness_close(&h);
}

/* "137/udp 80/tcp ..." in the order in which they were stated */
static const char *ports_of(const struct harness *h, struct str *out)
{
    for (const struct fact *f = NULL; (f = facts_next(h->facts, "listener", f));)
        str_printf(out, "%s%s/%s", out->length ? " " : "", fact_text(f, "port"),
                   fact_text(f, "proto"));
    return str_text(out);
}

#define SERVICE(name, start) "[" SET "Services\\" name "]\nStart=#" start "\nType=#0x20\n"
#define DRIVER(name, start)  "[" SET "Services\\" name "]\nStart=#" start "\nType=#1\n"

static void listeners_follow_from_services_and_bindings(void **state)
{
    static const struct {
        const char *software, *system, *file, *text, *ports;
    } rows[] = {
        {W2K, SERVER SERVICE("LanmanServer", "2") DRIVER("NetBT", "1"), NULL, NULL,
         "137/udp 138/udp 139/tcp 445/tcp 445/udp"},
        {NT4, SERVER SERVICE("LanmanServer", "2") DRIVER("NetBT", "2"), NULL, NULL,
         "137/udp 138/udp 139/tcp"},
        {W2K, SERVER SERVICE("LanmanServer", "4") DRIVER("NetBT", "1"), NULL, NULL, ""},
        {W2K,
         SERVER SERVICE("LanmanServer", "2")
             DRIVER("NetBT",
                    "1") "[" SET
                         "Services\\NetBT\\Parameters\\Interfaces\\Tcpip_{1}]\nNetbiosOptions=#2\n",
         NULL, NULL, "445/tcp 445/udp"},
        {W2K, SERVER SERVICE("W3SVC", "2") SERVICE("MSFTPSVC", "2") SERVICE("SMTPSVC", "3"), NULL,
         NULL, "80/tcp 21/tcp"},
        {W2K "[Microsoft\\InetStp]\nMajorVersion=#5\n", SERVER SERVICE("W3SVC", "2"),
         "WINNT/system32/inetsrv/metabase.txt",
         "[/W3SVC/1]\nServerBindings : (LIST) (2 Items)\n  \":80:\"\n  \"192.0.2.1:81:x\"\n"
         "SecureBindings : (LIST) (1 Items)\n  \":443:\"\n"
         "[/W3SVC/2]\nServerBindings : (LIST) (1 Items)\n  \"127.0.0.1:4711:\"\n"
         "[/W3SVC/3]\nServerBindings : (LIST) (1 Items)\n  \":99:\"\n"
         "ServerAutoStart : (BOOLEAN) False\n",
         "80/tcp 81/tcp 443/tcp 4711/tcp"},
        {W2K, SERVER SERVICE("TlntSvr", "2") SERVICE("RpcSs", "2") SERVICE("SNMP", "2"), NULL, NULL,
         "135/tcp 135/udp 23/tcp 161/udp"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct system s = {.software = rows[i].software,
                           .system = rows[i].system,
                           .files = {rows[i].file, rows[i].text}};
        struct harness h = run_system(&s);
        CLEANUP_STR struct str ports = {0};
        if (strcmp(ports_of(&h, &ports), rows[i].ports) != 0)
            fail_msg("row %zu: %s", i, str_text(&ports));
        if (rows[i].file) {
            assert_string_equal(harness_value(harness_find(&h, "listener", "port", "81"), "scope"),
                                "address");
            assert_string_equal(
                harness_value(harness_find(&h, "listener", "port", "4711"), "scope"), "loopback");
        }
        harness_close(&h);
    }
}

#define CARD(name) "[ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\" name "]\n"

/* KB Q179442: a card without a list, and 0, let everything in. */
static void the_filter_lets_in_what_its_lists_say(void **state)
{
    static const struct {
        const char *filter, *state, *note, *let_in;
    } rows[] = {
        {"", NULL, NULL, "0"},
        {"EnableSecurityFilters=#0\n" CARD("{1}") "TCPAllowedPorts=|80\n", "disabled", "tcp 80",
         "0"},
        {"EnableSecurityFilters=#1\n", "enabled", "", "0"},
        {"EnableSecurityFilters=#1\n" CARD("{1}") "DhcpServer=x\n", "enabled", "tcp 0", "0"},
        {"EnableSecurityFilters=#1\n" CARD("{1}") "TCPAllowedPorts=|80|443\n" CARD(
             "{2}") "DhcpServer=x\n",
         "enabled", "tcp 80 443; 0", "80 443; 0"},
        {"EnableSecurityFilters=#1\n[ControlSet001\\Services\\E100B1\\Parameters\\Tcpip]\n"
         "TCPAllowedPorts=|80|443\n",
         "enabled", "tcp 80 443", "80 443"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str text = {0};
        str_printf(&text, "%s[ControlSet001\\Services\\Tcpip\\Parameters]\nHostname=x\n%s", SERVER,
                   rows[i].filter);
        struct system s = {.software = W2K, .system = str_text(&text)};
        struct harness h = run_system(&s);
        const struct fact *f = harness_find(&h, "firewall", "tool", "tcpip-filter");
        assert_int_equal(f != NULL, rows[i].state != NULL);
        if (f) {
            assert_string_equal(harness_value(f, "state"), rows[i].state);
            assert_string_equal(harness_value(f, "note"), rows[i].note);
        }
        assert_string_equal(harness_value(host_of(&h), "tcp_let_in"), rows[i].let_in);
        harness_close(&h);
    }
}

#undef CARD

static void iis_tells_its_directories_by_source(void **state)
{
#define ROOTS "[" SET "Services\\W3SVC\\Parameters\\Virtual Roots]\n"
    static const struct {
        const char *software, *roots, *path, *flags, *writable, *script, *browse;
        enum confidence confidence;
    } rows[] = {
        {NT4, ROOTS "/Scripts,=C:\\InetPub\\scripts,,6\n", "/Scripts", "6", "yes", "yes", "yes",
         CONFIDENCE_HIGH},
        {NT4 "[Microsoft\\InetStp]\nMajorVersion=#4\n",
         ROOTS "/Scripts=C:\\InetPub\\scripts,user,204\n", "/Scripts", "516", "no", "yes",
         "<unreadable>", CONFIDENCE_MEDIUM},
        {W2K "[Microsoft\\InetStp]\nMajorVersion=#5\n", ROOTS "/a=C:\\x,,zz\n", "/a",
         "<unreadable>", "<none>", "<none>", "<unreadable>", CONFIDENCE_MEDIUM},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str system = {0};
        str_printf(&system, "%s%s[%sServices\\W3SVC\\Parameters]\nDir Browse Control=#0xc000001e\n",
                   SERVER, rows[i].roots, SET);
        /* IIS 3.0 is told by its program: there is no InetStp */
        struct system s = {.software = rows[i].software,
                           .system = str_text(&system),
                           .program = i ? NULL : "WINNT/system32/inetsrv/INETINFO.EXE",
                           .version = {3, 0, 1381, 85}};
        struct harness h = run_system(&s);
        const struct fact *f = harness_find(&h, "vdir", "path", rows[i].path);
        assert_non_null(f);
        assert_string_equal(harness_value(f, "access_flags"), rows[i].flags);
        assert_string_equal(harness_value(f, "writable"), rows[i].writable);
        assert_string_equal(harness_value(f, "script"), rows[i].script);
        assert_string_equal(harness_value(f, "dir_browse"), rows[i].browse);
        assert_string_equal(harness_value(f, "directory_exists"), "no");
        assert_int_equal(f->confidence, rows[i].confidence);
        if (i == 0)
            assert_string_equal(
                harness_value(harness_find(&h, "product", "name", "iis"), "version"), "3.0");
        assert_int_equal(harness_find(&h, "complete", "of", "vdir") != NULL, i == 0);
        harness_close(&h);
    }
}

/* Pages and logs lie where the sites say, not where setup would have put them. */
static void wants_of_sites_are_looked_for_in_each(void **state)
{
    static const char *const wants[] = {"file:%SiteRoot%\\_vti_pvt\\service.pwd",
                                        "file:%SiteRoot%\\_vti_pvt\\authors.pwd",
                                        "file:%LogFolder%\\ex010606.log", "file-acl:%LogFolder%"};
    static const struct {
        const char *export, *answers[4];
    } rows[] = {
        {"[/W3SVC]\nLogFileDirectory : (STRING) \"C:\\weblogs\\\"\n[/W3SVC/1/ROOT]\n"
         "Path : (STRING) \"C:\\empty\"\n[/W3SVC/1]\nServerComment : (STRING) \"x\"\n"
         "[/W3SVC/2]\nServerComment : (STRING) \"y\"\n[/W3SVC/2/ROOT]\nPath : (STRING) "
         "\"C:\\pages\"\n",
         {"present", "<absent>", "present", "<unreadable>"}},
        {"[/W3SVC/1]\nServerComment : (STRING) \"x\"\n[/W3SVC/1/ROOT]\n"
         "Path : (STRING) \"C:\\pages\\\"\n[/W3SVC/2]\nServerComment : (STRING) \"no root\"\n",
         {"present", "<unreadable>", "<absent>", "<absent>"}},
        {"", {"present", "<absent>", "<unreadable>", "<unreadable>"}}, /* registry only */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct system s = {.software =
                               W2K "[Microsoft\\InetStp]\nMajorVersion=#5\nMinorVersion=#0\n",
                           .system = SERVER ROOTS "/=C:\\pages,,1\n",
                           .files = {"pages/_vti_pvt/service.pwd", "x", "weblogs/ex010606.log", "x",
                                     *rows[i].export ? "WINNT/system32/inetsrv/metabase.txt" : NULL,
                                     rows[i].export}};
        memcpy(s.wants, wants, sizeof wants);
        struct harness h = run_system(&s);
        /* nobody reads the hive SAM: that is unknown wherever the site comes from */
        assert_string_equal(harness_value(facts_first(h.facts, "site"), "anonymous_groups"),
                            "<unreadable>");
        for (size_t k = 0; k < ARRAY_COUNT(wants); k++)
            if (!str_equal(harness_value(host_of(&h), wants[k]), rows[i].answers[k]))
                fail_msg("%zu %s: %s", i, wants[k], harness_value(host_of(&h), wants[k]));
        harness_close(&h);
    }
}

/* A server never vanishes because only its version is not known. */
static void an_iis_of_unknown_version_is_there_and_said(void **state)
{
#define WEB SERVER "[" SET "Services\\W3SVC]\nType=#16\nStart=#2\n"
    static const struct {
        const char *software, *system, *program;
        uint16_t major, minor;
        const char *version, *likely;
        bool said;
    } rows[] = {
        {W2K, WEB, "inetinfo.exe", 5, 0, "5.0", "<none>", true},
        {W2K "[Microsoft\\InetStp]\nMajorVersion=x\n", WEB, "inetinfo.exe", 5, 0, "5.0", "<none>",
         true},
        {W2K, WEB, NULL, 0, 0, "<unreadable>", "5.0", true},
        {W2K "[Microsoft\\InetStp]\nMajorVersion=x\n", WEB, NULL, 0, 0, "<unreadable>", "5.0",
         true},
        {NT4, WEB, "inetinfo.exe", 4, 2, "4.0", "<none>", true},
        {NT4, WEB, "inetinfo.exe", 3, 0, "3.0", "<none>", false},
        {NT4, WEB, NULL, 0, 0, "<unreadable>", "3.0", true},
        {NT4 "[Microsoft\\InetStp]\nMajorVersion=x\n", WEB, NULL, 0, 0, "<unreadable>", "4.0",
         true},
        {W2K, SERVER, NULL, 0, 0, "<none>", "<none>", false},
        {W2K, SERVER, "inetinfo.exe", 5, 0, "<none>", "<none>", false},
        {NULL, WEB, NULL, 0, 0, "<unreadable>", "4.0", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct system s = {.software = rows[i].software,
                           .system = rows[i].system,
                           .program =
                               rows[i].program ? "WINNT/system32/inetsrv/inetinfo.exe" : NULL,
                           .version = {rows[i].major, rows[i].minor, 1, 1}};
        struct harness h = run_system(&s);
        const struct fact *f = harness_find(&h, "product", "name", "iis");
        const char *version = f ? harness_value(f, "version") : "<none>";
        const char *likely = f ? harness_value(f, "likely") : "<none>";
        if (!str_equal(version, rows[i].version) || !str_equal(likely, rows[i].likely) ||
            (harness_find(&h, "unread", "what", "product: iis") != NULL) != rows[i].said)
            fail_msg("row %zu: %s, likely %s", i, version, likely);
        harness_close(&h);
    }
}

/* The registry of a Windows in its folders, without the rest of it. */
static void what_is_missing_from_a_part_is_not_absent(void **state)
{
    struct system s = {.software = W2K,
                       .system = SERVER,
                       .wants = {"file-version:%SystemRoot%\\system32\\idq.dll",
                                 "file:%ProgramFiles%\\Common Files\\x",
                                 "file:%SystemRoot%\\system32"}};
    for (int partial = 0; partial < 2; partial++) {
        s.partial = partial;
        struct harness h = run_system(&s);
        assert_string_equal(harness_value(host_of(&h), s.wants[0]),
                            partial ? "<unreadable>" : "<absent>");
        assert_string_equal(harness_value(host_of(&h), s.wants[1]), "<unreadable>");
        assert_string_equal(harness_value(host_of(&h), s.wants[2]), "present");
        assert_int_equal(harness_find(&h, "unread", "what", "product: index-server") != NULL,
                         partial);
        harness_close(&h);
    }
    s.files[0] = "Program Files/a";
    s.files[1] = "";
    struct harness h = run_system(&s);
    assert_string_equal(harness_value(host_of(&h), s.wants[1]), "<unreadable>");
    harness_close(&h);
    s.partial = false;
    h = run_system(&s);
    assert_string_equal(harness_value(host_of(&h), s.wants[1]), "<absent>");
    harness_close(&h);
}

static void registry_and_export_are_weighed_against_each_other(void **state)
{
    static const struct {
        const char *kind, *key, *value, *from;
        enum confidence confidence;
    } rows[] = {
        {"script-map", "extension", ".asp", "registry", CONFIDENCE_HIGH},
        {"script-map", "extension", ".htr", "registry", CONFIDENCE_LOW},
        {"script-map", "extension", ".ida", "text-export", CONFIDENCE_HIGH},
        {"vdir", "path", "/same", "registry", CONFIDENCE_HIGH},
        {"vdir", "path", "/more", "registry", CONFIDENCE_MEDIUM},
        {"vdir", "path", "/gone", "registry", CONFIDENCE_LOW},
        {"vdir", "path", "/new", "text-export", CONFIDENCE_HIGH},
    };
    struct system s = {
        .software = W2K "[Microsoft\\InetStp]\nMajorVersion=#5\n",
        .system = SERVER ROOTS "/same=C:\\a,,201\n/more=C:\\b,,205\n/gone=C:\\c,,201\n"
                               "[" SET "Services\\W3SVC\\Parameters\\Script Map]\n"
                               ".asp=C:\\asp.dll\n.htr=C:\\ism.dll\n",
        .files = {"WINNT/system32/inetsrv/metabase.txt",
                  "[/W3SVC]\nScriptMaps : (LIST) (2 Items)\n  \".asp,C:\\asp.dll,1,GET\"\n"
                  "  \".ida,C:\\idq.dll,7\"\n"
                  "[/W3SVC/1]\nServerComment : (STRING) \"x\"\nLogExtFileFlags : (INTEGER) 512\n"
                  "[/W3SVC/1/ROOT]\nPath : (STRING) \"D:\\web\"\n"
                  "DirBrowseFlags : (INTEGER) -1073741762\nAspEnableParentPaths : (BOOLEAN) False\n"
                  "[/W3SVC/1/ROOT/same]\nAccessFlags : (INTEGER) 513\n"
                  "[/W3SVC/1/ROOT/more]\nAccessFlags : (INTEGER) 513\n"
                  "[/W3SVC/1/ROOT/new]\nPath : (STRING) \"C:\\n\"\nAccessFlags : (INTEGER) 17\n"}};
    struct harness h = run_system(&s);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct fact *f = harness_find(&h, rows[i].kind, rows[i].key, rows[i].value);
        if (!f || !str_equal(fact_text(f, "from"), rows[i].from) ||
            f->confidence != rows[i].confidence)
            fail_msg("%s %s: %s", rows[i].kind, rows[i].value, harness_value(f, "from"));
    }
    const struct fact *site = harness_find(&h, "site", "name", "x");
    assert_string_equal(harness_value(site, "on_system_volume"), "no");
    assert_string_equal(harness_value(site, "logextfileuriquery"), "yes");
    assert_string_equal(harness_value(site, "logextfileuseragent"), "no");
    const struct fact *vdir = harness_find(&h, "vdir", "path", "/new");
    assert_string_equal(harness_value(vdir, "dir_browse"), "yes");
    assert_string_equal(harness_value(vdir, "parent_paths"), "no");
    assert_string_equal(harness_value(vdir, "source_access"), "yes");
    assert_string_equal(harness_value(harness_find(&h, "complete", "of", "script-map"), "found"),
                        "4");
    harness_close(&h);
}

static void a_metabase_that_is_not_read_is_said(void **state)
{
    static const struct {
        const char *roots, *file;
        bool site, maps, vdirs;
    } rows[] = {
        {ROOTS "/=C:\\x,,201\n", "WINNT/system32/inetsrv/MetaBase.bin", true, false, false},
        {ROOTS "/=C:\\x,,201\n", NULL, true, true, false},
        {"", NULL, true, true, true},
        {"", "WINNT/system32/inetsrv/metabase.txt", false, false, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str system = {0};
        str_printf(&system, "%s%s", SERVER, rows[i].roots);
        struct system s = {
            .software = W2K "[Microsoft\\InetStp]\nMajorVersion=#5\n",
            .system = str_text(&system),
            .files = {rows[i].file, "[/W3SVC]\nLogType : (INTEGER) 1\n\".htr,C:\\ism.dll,1\"\n"}};
        struct harness h = run_system(&s);
        assert_int_equal(harness_find(&h, "unread", "what", "site: MetaBase.bin") != NULL,
                         rows[i].site);
        assert_int_equal(harness_find(&h, "unread", "what", "script-map: MetaBase.bin") != NULL,
                         rows[i].maps);
        assert_int_equal(harness_find(&h, "unread", "what", "vdir: MetaBase.bin") != NULL,
                         rows[i].vdirs);
        if (i == 0)
            assert_int_equal(harness_find(&h, "script-map", "from", "strings")->confidence,
                             CONFIDENCE_LOW);
        harness_close(&h);
    }
}

static void a_hostile_registry_does_no_harm(void **state)
{
    CLEANUP_STR struct str software = hive_builder_make(
        W2K "[Microsoft\\Windows NT\\CurrentVersion\\HotFix\\Q285985]\nInstalled=$01\n"
            "[Microsoft\\Updates\\Windows 2000\\SP2\\Q293826]\nx=#1\n"
            "[Microsoft\\InetStp]\nMajorVersion=5\nPathWWWRoot=#7\n");
    CLEANUP_STR struct str system = hive_builder_make(SERVER SERVICE(
        "W3SVC", "2") "[" SET "Services\\W3SVC\\Parameters\\Virtual Roots]\n"
                      "/=C:\\x,,5\n/y=#1\n/z=,,,,,\n"
                      "[" SET "Services\\LanmanServer\\Shares]\nA=|Path=C:\\\nB=#1\n");
    struct system s = {
        .wants = {"HKLM\\SOFTWARE\\Microsoft\\InetStp!MajorVersion", "file:%InetPub%\\x"}};
    for (size_t i = 0; i < software.length; i += 67) {
        CLEANUP_STR struct str one = {0};
        CLEANUP_STR struct str two = {0};
        str_add_bytes(&one, software.data, software.length);
        str_add_bytes(&two, system.data, system.length);
        one.data[i] = (char)(one.data[i] ^ 0x81);
        two.data[i % two.length] = (char)(two.data[i % two.length] ^ 0x18);
        hive_builder_seal(&one);
        hive_builder_seal(&two);
        struct harness h = run_bytes(&s, &one, &two);
        assert_true(facts_count(h.facts) > 0);
        harness_close(&h);
    }
}

static void a_linux_root_is_not_windows(void **state)
{
    struct system s = {.folder = "windows/nothing/here",
                       .software = W2K,
                       .files = {"etc/passwd", "root:x:0:0:::", "software", "not a hive"}};
    struct harness h = run_system(&s);
    assert_int_equal(facts_count(h.facts), 0);
    harness_close(&h);
}

static const char *runs_of(const struct harness *h, const char *path)
{
    return harness_value(harness_find(h, "persistence", "path", path), "runs");
}

static void what_windows_starts_by_itself_is_stated(void **state)
{
    struct harness h = run_system(&(struct system){
        .software = W2K "[Microsoft\\Windows\\CurrentVersion\\Run]\n"
                        "tray=C:\\WINNT\\tray.exe\nworm=C:\\inetpub\\scripts\\root.exe\n"
                        "[Microsoft\\Windows NT\\CurrentVersion\\Winlogon]\n"
                        "Shell=Explorer.exe c:\\x.exe\n"
                        "[Microsoft\\Windows NT\\CurrentVersion\\Windows]\nAppInit_DLLs=x.dll\n",
        .system =
            SERVER "[" SET "Services\\evil]\nStart=#2\nType=#16\nImagePath=C:\\temp\\e.exe\n"
                   "[" SET "Services\\idle]\nStart=#3\nType=#16\nImagePath=C:\\temp\\i.exe\n"});
    assert_string_equal(runs_of(&h, "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run!worm"),
                        "C:\\inetpub\\scripts\\root.exe");
    assert_string_equal(
        runs_of(&h, "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon!Shell"),
        "Explorer.exe c:\\x.exe");
    assert_string_equal(
        runs_of(&h, "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Windows!AppInit_DLLs"),
        "x.dll");
    assert_string_equal(runs_of(&h, "HKLM\\SYSTEM\\CurrentControlSet\\Services!evil"),
                        "C:\\temp\\e.exe");
    assert_null(
        harness_find(&h, "persistence", "path", "HKLM\\SYSTEM\\CurrentControlSet\\Services!idle"));
    harness_close(&h);
    /* a hive that is not there is no clean one */
    h = run_system(&(struct system){.system = SERVER});
    assert_non_null(harness_find(&h, "unread", "what", "what starts by itself"));
    assert_non_null(harness_find(&h, "persistence", "path", "HKLM\\SOFTWARE"));
    harness_close(&h);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_is_recognised_with_its_service_pack),
        cmocka_unit_test(it_is_found_under_any_name_and_in_any_case),
        cmocka_unit_test(hotfixes_are_found_in_every_place),
        cmocka_unit_test(later_packages_count_by_their_state),
        cmocka_unit_test(ids_are_written_as_their_time_wrote_them),
        cmocka_unit_test(wanted_values_are_a_value_absent_or_unreadable),
        cmocka_unit_test(hives_alone_say_what_they_prove_and_the_rest_is_unread),
        cmocka_unit_test(all_volumes_of_a_disk_are_looked_at),
        cmocka_unit_test(a_lone_hive_says_nothing_of_leavings),
        cmocka_unit_test(a_dirty_hive_is_called_stale),
        cmocka_unit_test(a_hive_cut_short_is_called_truncated),
        cmocka_unit_test(a_hotfix_whose_marker_is_lost_is_neither_in_nor_out),
        cmocka_unit_test(a_damaged_hive_is_unreadable_and_never_absent),
        cmocka_unit_test(files_are_present_absent_or_unreadable),
        cmocka_unit_test(listeners_follow_from_services_and_bindings),
        cmocka_unit_test(wants_of_sites_are_looked_for_in_each),
        cmocka_unit_test(the_filter_lets_in_what_its_lists_say),
        cmocka_unit_test(iis_tells_its_directories_by_source),
        cmocka_unit_test(an_iis_of_unknown_version_is_there_and_said),
        cmocka_unit_test(what_is_missing_from_a_part_is_not_absent),
        cmocka_unit_test(registry_and_export_are_weighed_against_each_other),
        cmocka_unit_test(a_metabase_that_is_not_read_is_said),
        cmocka_unit_test(a_hostile_registry_does_no_harm),
        cmocka_unit_test(a_linux_root_is_not_windows),
        cmocka_unit_test(what_windows_starts_by_itself_is_stated),
    };
    return cmocka_run_group_tests_name("collect/windows", tests, NULL, NULL);
}
