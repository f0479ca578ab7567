#include "cmd/site.h"

#include "base/json.h"
#include "base/str.h"
#include "content/writable.h"
#include "model/site_root.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

/* As the server's user is called where nothing else is known. */
static const char debian_user[] = "www-data";
enum { MOST_GROUPS = 256 };

/* Does the server show this folder, one in it, or one that it lies in? */
static bool concerns(const char *served, const char *root)
{
    size_t a = strlen(served), b = strlen(root), least = a < b ? a : b;
    return a && strncmp(served, root, least) == 0 &&
           (a == b || (a < b ? root[a] : served[b]) == '/');
}

static const char *user_of(const struct facts *facts, const char *root, struct arena *arena)
{
    if (!facts)
        return debian_user;
    struct site_roots roots = site_roots_of(facts, arena);
    for (size_t i = 0; i < roots.count; i++)
        if (concerns(roots.items[i].root, root) && roots.items[i].user && roots.items[i].user[0])
            return roots.items[i].user;
    return debian_user;
}

/* For a shell, where it needs that. */
static const char *quoted(struct arena *arena, const char *text)
{
    CLEANUP_STR struct str out = {0};
    str_add_shell_word(&out, text);
    return arena_strdup(arena, out.data);
}

/* A line to paste, with the state and the rest of this call. One line, however wide: it must not be
 * broken by hand. */
static void say_command(const struct site *site, struct arena *arena, const char *command)
{
    char *publish = arena_strdup(
        arena, show_command_on(arena, arena_printf(arena, "publish %s", site->row.name), false));
    for (char *p = publish; *p; p++)
        if (*p == SHOW_COMMAND_BLANK || *p == SHOW_FIXED_BLANK)
            *p = ' ';
    printf("  %s -- %s\n", publish, command);
}

/* The folders in which the server is meant to write, given back to it. */
static void say_own_folders(const struct site *site, const char *user, struct arena *arena)
{
    const struct manifest *m = site->generation.manifest;
    CLEANUP_STR struct str path = {0};
    for (uint32_t i = 1; i < manifest_count(m); i++) {
        struct manifest_entry entry;
        manifest_entry(m, i, &entry);
        if (!S_ISDIR(entry.mode))
            continue;
        str_clear(&path);
        manifest_add_path(m, i, &path);
        enum policy policy = policy_of_path(site->policies, path.data, true);
        char *slash = strrchr(path.data, '/');
        const char *full = arena_printf(arena, "%s/%s", site->row.root, path.data);
        if (slash)
            *slash = '\0';
        enum policy above = policy_of_path(site->policies, slash ? path.data : "", true);
        if ((policy == POLICY_UPLOAD || policy == POLICY_FREE) && above == POLICY_FIXED)
            say_command(site, arena,
                        arena_printf(arena, "chown -R %s %s", user, quoted(arena, full)));
    }
}

static void say(struct cli *cli, const struct site *site, const struct passwd *user,
                const struct writable *found, struct arena *arena)
{
    const char *name = user->pw_name, *root = quoted(arena, site->row.root);
    const struct group *group = getgrgid(user->pw_gid);
    const char *group_name = group ? group->gr_name : name;
    const char *what =
        arena_printf(arena,
                     _("The web server's user %s may write here (folders: %zu, files: %zu), for "
                       "example %s. Whoever breaks into the server changes pages by that. The "
                       "guard undoes it; better that it cannot be done:"),
                     name, found->directories, found->files,
                     show_path(arena, arena_printf(arena, "%s%s%s", site->row.root,
                                                   found->first[0] ? "/" : "", found->first)));
    show_wrap(&cli->show, "! ", 2, what);
    if (user->pw_uid == 0) {
        printf("  %s\n", _("the server should not run as root"));
        return;
    }
    say_command(site, arena, arena_printf(arena, "chown -R root:%s %s", group_name, root));
    say_command(site, arena, arena_printf(arena, "chmod -R u=rwX,g=rX,o-w %s", root));
    if (found->by_list)
        say_command(site, arena, arena_printf(arena, "setfacl -R -b %s", root));
    say_own_folders(site, name, arena);
}

void cli_warn_writable(struct cli *cli, const struct site *site, const struct facts *facts)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    gid_t groups[MOST_GROUPS];
    int count = MOST_GROUPS;
    const struct passwd *user = getpwnam(user_of(facts, site->row.root, arena));
    if (!user)
        return;
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        count = MOST_GROUPS;
    struct writer writer = {user->pw_uid, groups, count};
    struct writable found = writable_in(site->generation.manifest, site->policies, &writer, arena);
    if (!found.first)
        return;
    if (!cli->json) {
        say(cli, site, user, &found, arena);
        return;
    }
    json_t *o = json_object();
    json_put_string(o, "type", "writable");
    json_put_string(o, "site", site->row.name);
    json_put_string(o, "user", user->pw_name);
    json_put_int(o, "directories", (int64_t)found.directories);
    json_put_int(o, "files", (int64_t)found.files);
    json_put_string(o, "example", show_path(arena, found.first));
    show_json_line(&cli->show, o);
}
