/* Disk images of every kind we read, made with the real tools, and what damage does. */
#include "base/cage.h"
#include "base/str.h"
#include "target/target.h"
#include "tests/support.h"
#include "tests/target/disks.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir; /* of the whole group: images are made once */

static char *in_dir(const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", dir, name);
    return path.data;
}

static struct target *open_disk(const char *name)
{
    CLEANUP_FREE char *path = in_dir(name);
    struct target *t = NULL;
    struct error e = ERROR_INIT;
    if (!target_open_image(&t, path, &e))
        fail_msg("%s: %s", name, e.message);
    return t;
}

static void reads_as(struct target *t, const char *path, const char *wanted)
{
    char *data = NULL;
    size_t size;
    struct error e = ERROR_INIT;
    if (!target_read(t, path, 1 << 20, &data, &size, &e))
        fail_msg("%s of %s: %s", path, target_name(t), e.message);
    assert_string_equal(data, wanted);
    free(data);
}

static void is_refused(struct target *t, const char *path, enum error_code code, const char *says)
{
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    if (target_read(t, path, 1 << 20, &data, &size, &e) || e.code != code ||
        !strstr(e.message, says))
        fail_msg("%s: %d %s", path, (int)e.code, e.message);
    assert_true(e.path[0]);
}

static void every_file_system_is_read(void **state)
{
    for (size_t i = 0; i < disks_count; i++) {
        const struct disk *d = &disks[i];
        CLEANUP_FREE char *path = in_dir(d->name);
        if (access(path, F_OK) != 0) {
            fprintf(stderr, "skipped: %s could not be made\n", d->name);
            continue;
        }
        CLEANUP(target_cleanup) struct target *t = open_disk(d->name);
        struct target_volume v;
        struct target_stat st;
        struct error e = ERROR_INIT;
        assert_true(target_volume_count(t) >= 1);
        assert_true(target_volume(t, 0, &v));
        if (!str_equal(v.fs, d->fs) || !*v.serial)
            fail_msg("%s: %s, serial %s", d->name, v.fs, v.serial);
        assert_false(target_volume(t, 99, &v));
        reads_as(t, d->deep, "hello\n");
        assert_true(target_stat(t, d->deep, true, &st, &e));
        assert_int_equal(st.type, TARGET_FILE);
        assert_int_equal(st.size, 6);
        assert_int_equal(st.has_owner, d->has_links);
        is_refused(t, "/none", ERR_ABSENT, "not there");
        is_refused(t, "/", ERR_UNREADABLE, "folder");
        if (!d->has_links)
            continue;
        assert_int_equal(st.mode, 0640);
        reads_as(t, "/absolute", "hello\n");
        reads_as(t, "/etc/climbing", "hello\n");
        reads_as(t, "/new\nline", "1");
        is_refused(t, "/loop", ERR_UNREADABLE, "links");
        is_refused(t, "/to-host", ERR_UNREADABLE, "is a link to");
        assert_true(target_stat(t, "/absolute", false, &st, &e));
        assert_int_equal(st.type, TARGET_LINK);
        assert_true(target_stat(t, "/fifo", false, &st, &e));
        assert_int_equal(st.type, TARGET_OTHER);
        is_refused(t, "/fifo", ERR_UNREADABLE, "FIFO");
    }
}

static void listings_are_sorted_and_hold_no_inventions(void **state)
{
    for (size_t i = 0; i < disks_count; i++) {
        CLEANUP_FREE char *path = in_dir(disks[i].name);
        if (access(path, F_OK) != 0)
            continue;
        CLEANUP(target_cleanup) struct target *t = open_disk(disks[i].name);
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct target_entry *entries;
        size_t count;
        struct error e = ERROR_INIT;
        assert_true(target_list(t, "/", arena, &entries, &count, &e));
        assert_true(count >= 1);
        for (size_t k = 0; k < count; k++) {
            assert_null(strstr(entries[k].name, "OrphanFiles"));
            assert_null(strstr(entries[k].name, "$FAT"));
            assert_null(strstr(entries[k].name, "Volume Label"));
            assert_true(k == 0 || strcmp(entries[k - 1].name, entries[k].name) < 0);
        }
        const char *found;
        assert_true(target_resolve_nocase(t, disks[i].shouted, arena, &found, &e));
        assert_string_equal(found, disks[i].deep);
    }
}

static void every_partition_table_leads_to_its_file_systems(void **state)
{
    for (size_t i = 0; i < layouts_count; i++) {
        CLEANUP(target_cleanup) struct target *t = open_disk(layouts[i].name);
        struct target_volume v;
        if (target_volume_count(t) != layouts[i].volumes)
            fail_msg("%s: %zu volumes", layouts[i].name, target_volume_count(t));
        for (size_t k = 0; k < layouts[i].readable; k++) {
            target_select_volume(t, k);
            reads_as(t, "/etc/hello", "hello\n");
        }
        for (size_t k = layouts[i].readable; k < layouts[i].volumes; k++) {
            target_select_volume(t, k);
            assert_true(target_volume(t, k, &v));
            is_refused(t, "/etc/hello", ERR_UNREADABLE, v.description);
        }
        target_select_volume(t, 50);
        is_refused(t, "/etc/hello", ERR_ABSENT, "no volume");
    }
}

static void what_we_do_not_read_is_named_with_its_remedy(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t size, offset; /* a text: as long as it is */
        const char *says;
        enum error_code code;
    } rows[] = {
        {"qcow2", "QFI\xfb", 4, 0, "qemu-img convert", ERR_UNSUPPORTED},
        {"vdi", "\x7f\x10\xda\xbe", 4, 64, "qemu-img convert", ERR_UNSUPPORTED},
        {"e01", "EVF\x09\x0d\x0a\xff", 8, 0, "ewfexport", ERR_UNSUPPORTED},
        {"xfs", "XFSB", 4, 0, "XFS", ERR_FORMAT},
        {"zeros", "", 1, 0, "no file system", ERR_FORMAT},
        {"sparse", "KDMV", 4, 0, "damaged VMDK", ERR_FORMAT},
        {"lost", "# Disk DescriptorFile\nRW 100 FLAT \"gone.vmdk\" 0\n", 0, 0, "gone.vmdk",
         ERR_ABSENT},
        {"away", "# Disk DescriptorFile\nRW 100 FLAT \"/etc/passwd\" 0\n", 0, 0, "another folder",
         ERR_FORMAT},
        {"snap", "# Disk DescriptorFile\nparentCID=12345678\nRW 9 ZERO\n", 0, 0, "snapshot",
         ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char image[4096] = "";
        struct error e = ERROR_INIT;
        struct target *t = NULL;
        bool text = rows[i].bytes[0] == '#';
        memcpy(image + rows[i].offset, rows[i].bytes, text ? strlen(rows[i].bytes) : rows[i].size);
        support_write(dir, rows[i].name, image, text ? strlen(image) : sizeof image);
        CLEANUP_FREE char *path = in_dir(rows[i].name);
        if (target_open_image(&t, path, &e) || !strstr(e.message, rows[i].says) ||
            e.code != rows[i].code)
            fail_msg("%s: %d %s", rows[i].name, (int)e.code, e.message);
    }
}

static void other_things_than_images_are_refused(void **state)
{
    struct error e = ERROR_INIT;
    struct target *t = NULL;
    assert_false(target_open_image(&t, "/none/there", &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_false(target_open_image(&t, dir, &e));
    assert_int_equal(e.code, ERR_USAGE);
    assert_false(target_open_image(&t, "/dev/zero", &e));
    assert_int_equal(e.code, ERR_USAGE);
}

/* --- NTFS as Windows leaves it --- */

static struct target *open_windows(void)
{
    CLEANUP_FREE char *path = in_dir("windows.img");
    if (access(path, F_OK) != 0) {
        fprintf(stderr, "skipped: ntfs-3g could not mount here\n");
        return NULL;
    }
    return open_disk("windows.img");
}

static void compressed_files_are_read_and_others_never_taken_for_zeros(void **state)
{
    CLEANUP(target_cleanup) struct target *t = open_windows();
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    if (!t)
        skip();
    assert_true(target_read(t, "/WINNT/System32/comp/httpext.dll", 1 << 20, &data, &size, &e));
    assert_int_equal(size, DISKS_COMPRESSED_BYTES);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(data[i], disks_pattern(i));
    free(data);
    is_refused(t, "/WINNT/System32/wof.dll", ERR_UNREADABLE, "WOF");
    is_refused(t, "/WINNT/junction/a", ERR_ABSENT, "");
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct target_entry *entries;
    assert_false(target_list(t, "/WINNT/junction", arena, &entries, &size, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
}

static void security_descriptors_are_found_in_both_places(void **state)
{
    CLEANUP(target_cleanup) struct target *t = open_windows();
    static const char *const paths[] = {"/WINNT/System32/comp/httpext.dll", "/WINNT", "/$Boot"};
    if (!t)
        skip();
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        char *data;
        size_t size;
        struct error e = ERROR_INIT;
        if (!target_security_descriptor(t, paths[i], &data, &size, &e))
            fail_msg("%s: %s", paths[i], e.message);
        assert_true(size >= 20);
        assert_int_equal(data[0], 1);
        free(data);
    }
}

/* --- damage --- */

static void a_damaged_image_costs_an_error_and_no_more(void **state)
{
    static const struct {
        const char *name;
        double keep;     /* of its bytes */
        unsigned stride; /* a byte is flipped each so many, 0: none */
    } rows[] = {
        {"ext.img", 0.5, 0},       {"ext.img", 0.05, 0},      {"ext.img", 1, 997},
        {"ufs-sparc.img", 0.3, 0}, {"ufs-sparc.img", 1, 499}, {"ufs-x86.img", 1, 1501},
        {"fat16.img", 0.01, 0},    {"fat16.img", 1, 313},     {"ntfs.img", 0.2, 0},
        {"ntfs.img", 1, 701},      {"sparse.vmdk", 0.6, 0},   {"sparse.vmdk", 1, 1009},
        {"stream.vmdk", 0.9, 0},   {"stream.vmdk", 1, 307},   {"gpt.img", 1, 101},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_FREE char *from = in_dir(rows[i].name), *to = in_dir("damaged");
        if (access(from, F_OK) != 0)
            continue;
        disks_damage(from, to, rows[i].keep, rows[i].stride);
        struct target *t = NULL;
        struct error e = ERROR_INIT;
        if (!target_open_image(&t, to, &e)) {
            assert_true(e.message[0]);
            continue;
        }
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct target_entry *entries;
        size_t count;
        for (size_t k = 0; k < target_volume_count(t); k++) {
            char *data;
            target_select_volume(t, k);
            if (target_read(t, "/etc/hello", 1 << 20, &data, &count, &e))
                free(data);
            if (target_list(t, "/", arena, &entries, &count, &e))
                for (size_t n = 0; n < count; n++) {
                    CLEANUP_STR struct str path = {0};
                    str_printf(&path, "/%s", entries[n].name);
                    size_t size;
                    if (target_read(t, str_text(&path), 1 << 20, &data, &size, &e))
                        free(data);
                }
        }
        target_close(t);
    }
}

/* --- the reader dies, hangs, or is left in the middle of an answer --- */

static pid_t child_of_ours(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *d;
    pid_t found = 0;
    while (proc && (d = readdir(proc)) && !found) {
        char path[300], comm[64];
        int parent = 0, pid = atoi(d->d_name);
        snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
        FILE *f = pid ? fopen(path, "r") : NULL;
        if (f && fscanf(f, "%*d (%63[^)]) %*c %d", comm, &parent) == 2 && parent == getpid() &&
            str_equal(comm, "yagura-image"))
            found = pid;
        if (f)
            fclose(f);
    }
    closedir(proc);
    return found;
}

static void a_reader_that_dies_is_an_error_for_good(void **state)
{
    CLEANUP(target_cleanup) struct target *t = open_disk("ext.img");
    pid_t pid = child_of_ours();
    assert_true(pid > 0);
    kill(pid, SIGKILL);
    is_refused(t, "/etc/hello", ERR_CAGE, "SIGKILL");
    is_refused(t, "/etc/hello", ERR_CAGE, "SIGKILL");
}

static void a_reader_that_runs_for_ever_is_a_timeout(void **state)
{
    CLEANUP(target_cleanup) struct target *t = open_disk("ext.img");
    pid_t pid = child_of_ours();
    assert_true(pid > 0);
    kill(pid, SIGXCPU); /* as RLIMIT_CPU sends it */
    is_refused(t, "/etc/hello", ERR_TIMEOUT, "");
    is_refused(t, "/etc/hello", ERR_TIMEOUT, "");
}

static void a_reader_that_sleeps_is_given_up_and_ended(void **state)
{
    CLEANUP(target_cleanup) struct target *t = open_disk("ext.img");
    pid_t pid = child_of_ours();
    assert_true(pid > 0);
    kill(pid, SIGSTOP);
    is_refused(t, "/etc/hello", ERR_TIMEOUT, "no answer"); /* after IMAGE_WALL_MS */
    is_refused(t, "/etc/hello", ERR_TIMEOUT, "no answer"); /* at once */
    assert_int_equal(kill(pid, 0), -1);
}

static void read_in_cage(struct cage *cage, void *context)
{
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    if (target_read(context, "/etc/hello", 100, &data, &size, &e))
        cage_send(cage, 1, data, size);
    else
        cage_send(cage, 2, e.message, strlen(e.message));
}

static void die_within_answer(struct cage *cage, void *context)
{
    char *data;
    size_t size;
    struct error e = ERROR_INIT;
    target_read(context, "/etc/hello", 100, &data, &size, &e);
    cage_send(cage, 3, "", 0); /* here the parent kills; the reader may still be sending */
    target_read(context, "/big", 1 << 24, &data, &size, &e);
}

static bool take(void *context, uint32_t type, const void *bytes, size_t size, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    str_add_bytes(&text, bytes, size);
    if (type == 3)
        return false;
    if (type == 2)
        fail_msg("in the cage: %s", str_text(&text));
    assert_string_equal(str_text(&text), "hello\n");
    ++*(int *)context;
    return true;
}

static void a_caged_child_and_its_parent_share_the_reader(void **state)
{
    CLEANUP(target_cleanup) struct target *t = open_disk("ext.img");
    int keep = target_socket(t), count = 0;
    struct error e = ERROR_INIT;
    for (int i = 0; i < 5; i++) {
        assert_true(cage_run(CAGE_ROOT, -1, &keep, 1, NULL, read_in_cage, t, take, &count, &e));
        assert_false(
            cage_run(CAGE_ROOT, -1, &keep, 1, NULL, die_within_answer, t, take, &count, &e));
        reads_as(t, "/etc/hello", "hello\n");
    }
    assert_int_equal(count, 5);
}

static int make_all(void **state)
{
    dir = support_temp_dir();
    disks_make(dir);
    return 0;
}

static int drop_all(void **state)
{
    support_remove_tree(dir);
    free(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_system_is_read),
        cmocka_unit_test(listings_are_sorted_and_hold_no_inventions),
        cmocka_unit_test(every_partition_table_leads_to_its_file_systems),
        cmocka_unit_test(what_we_do_not_read_is_named_with_its_remedy),
        cmocka_unit_test(other_things_than_images_are_refused),
        cmocka_unit_test(compressed_files_are_read_and_others_never_taken_for_zeros),
        cmocka_unit_test(security_descriptors_are_found_in_both_places),
        cmocka_unit_test(a_damaged_image_costs_an_error_and_no_more),
        cmocka_unit_test(a_reader_that_dies_is_an_error_for_good),
        cmocka_unit_test(a_reader_that_runs_for_ever_is_a_timeout),
        cmocka_unit_test(a_caged_child_and_its_parent_share_the_reader),
        cmocka_unit_test(a_reader_that_sleeps_is_given_up_and_ended),
    };
    return cmocka_run_group_tests(tests, make_all, drop_all);
}
