#include "judge/rules_kinds.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>

/* The collectors' words for what they could not read stand in the last column. */
static const struct rules_kind kinds[] = {
    {"host", "name", true, true, "", ""}, /* and every wanted key */
    {"product", "name", false, false, " name version likely title package ", ""},
    {"package", "name", true, false,
     " manager name version arch status source_package source_version hold ", "installed packages"},
    {"hotfix", "id", false, false,
     " id installed place service_pack_key obsoletes requires packages date ", "hotfixes"},
    {"hotfix-leavings", "id", false, false, " id path ", "uninstall folders"},
    {"file", "path", false, false, " path actual exists version size ", ""},
    {"registry", "hive", false, false, " hive state format ", ""},
    {"service", "name", true, false, " name display start image account running ", "services"},
    {"site", "name instance", true, true, "", "sites"},
    {"vdir", "path", true, false,
     " server instance path directory access_flags readable writable executable script "
     "source_access dir_browse parent_paths on_system_volume site match directory_exists handler "
     "allowoverride internal inside open_methods ",
     "virtual directories"},
    {"web-server", "server", false, false,
     " server instance program user group listens modules files ", ""},
    {"log", "path", true, false, " server instance site role path format format_text ", ""},
    {"script-map", "extension", true, false, " server instance extension handler flags verbs from ",
     "script maps"},
    {"directory", "path", true, false, " server instance path options allowoverride dav ", ""},
    {"object", "fn", true, true, "", ""},
    {"trust", "path", false, false, " path account host user ", ""},
    {"share", "name", false, false, " name path ", "shares"},
    {"listener", "{port}/{proto}", false, false,
     " proto address port family scope process pid executable package user service from "
     "published_by v6only inside rpc rpc_versions reached_through ",
     "listening sockets"},
    {"process", "name", false, false,
     " pid name executable user package service restart_needed replaced replaced_packages "
     "serves packages workers ",
     "running processes"},
    {"upstream", "address", false, false,
     " server address process pid executable user workers service ", "running processes"},
    {"php-pool", "name", true, false, " name path user group listen ", ""},
    {"kernel", "running", false, false,
     " running installed package installed_version running_version running_from ", ""},
    {"update", "name", false, false,
     " name arch installed candidate security security_version source_list held upgradable "
     "phased ",
     "updates"},
    {"update-source", "uri", false, false,
     " uri suite component arch origin label archive codename security state reason valid_until "
     "refreshed refreshed_from configured ",
     "updates"},
    {"os-support", "series", false, false,
     " distribution series released eol eol_lts eol_paid from ", ""},
    {"firewall", "tool", false, false, " tool path family state policy allows note ", ""},
    {"leaving", "path", false, false, " of path what claim ", ""},
    {"yara-hit", "path", false, false,
     " path path_hex rule what class severity by rules found size inode device owner sha256 ", ""},
    {"clamav-hit", "path", false, false, " path path_hex signature size inode device owner sha256 ",
     ""},
    {"running", "{pid} ({path})", false, false,
     " pid path how proof by name command user since start_ticks parent program deleted device "
     "inode ",
     "running processes"},
    {"stray-program", "path", false, false,
     " pid path place name command user since start_ticks parent container deleted device inode ",
     "running processes"},
    {"site-content", "site", false, false, " site path count names ", ""},
    {"rc", "path", true, false, " path level name runs ", ""},
    {"inetd", "service", true, false,
     " service state socket proto wait user server args line rpc port ", ""},
    {"policy", "of", false, false, " of state ", ""},
    {"persistence", "path", false, false,
     " way path runs user uid when origin package leads_to modified changed age_days owner "
     "key_type fingerprint comment ",
     "persistence"},
    {"privileged-file", "path", false, false,
     " path mode capabilities grants interpreter origin package modified changed age_days owner ",
     "privileged-file"},
    {"packaged-file", "path", false, false,
     " path package what_it_is state modified changed age_days owner ", "packaged-file"},
    {"account", "name", true, false,
     " name uid gid home shell login kind_of groups in_former_copy password password_changed "
     "age_days days_after_install expired ",
     "account"},
    {"session", "user", false, false, " user tty host since from pid uid id service ", "session"},
    {"name-service", "database", false, false, " database others ", "name-service"},
    {"secret", "path", false, false,
     " reach name path what place since modified changed age_days owner ", "secret"},
    {"unread", "what", false, false, " what reason kinds ", ""},
    {"complete", "of", false, false, " of found ", ""},
};

const struct rules_kind *rules_kinds_at(unsigned index)
{
    return index < ARRAY_COUNT(kinds) ? &kinds[index] : NULL;
}

const struct rules_kind *rules_kinds_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (str_equal(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

bool rules_kinds_has(const struct rules_kind *kind, const char *key)
{
    char wanted[128];
    if (kind->open)
        return true;
    int length = snprintf(wanted, sizeof wanted, " %s ", key);
    return length > 2 && (size_t)length < sizeof wanted && !strchr(key, ' ') &&
           strstr(kind->keys, wanted) != NULL;
}
