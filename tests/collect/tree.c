#include "tests/collect/tree.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void tree_begin(struct tree *t)
{
    *t = (struct tree){.dir = support_temp_dir()};
}

void tree_file(struct tree *t, const char *path, const char *text)
{
    support_write(t->dir, path, text, strlen(text));
}

void tree_link(struct tree *t, const char *path, const char *to)
{
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", t->dir, path);
    assert_int_equal(symlink(to, str_text(&full)), 0);
}

void tree_fifo(struct tree *t, const char *path)
{
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", t->dir, path);
    assert_int_equal(mkfifo(str_text(&full), 0600), 0);
}

void tree_solaris7(struct tree *t)
{
    tree_file(t, "var/sadm/system/admin/INST_RELEASE", "OS=Solaris\nVERSION=7\nREV=0\n");
    tree_file(t, "var/sadm/pkg/SUNWcsr/pkginfo",
              "PKG=SUNWcsr\nNAME=Core Solaris, (Root)\nARCH=sparc\n"
              "VERSION=11.7.0,REV=1998.09.01.04.16\nPATCHLIST=106541-08\n"
              "PATCH_INFO_106541-08=Installed: Tue Jan 11 10:21:04 PST 2000 From: mum "
              "Obsoletes: 106832-03 106976-01 Requires: 107544-02 Incompatibles: \n");
    tree_file(t, "var/sadm/pkg/SUNWadmfw/pkginfo",
              "PKG=SUNWadmfw\nARCH=sparc\nVERSION=11.7,REV=1998.09.10.19.57\n");
    tree_file(t, "etc/nodename", "kaede\n");
}

void tree_run(struct tree *t, collect_source_function *const *sources, size_t count)
{
    struct error e = ERROR_INIT;
    if (t->h.target)
        harness_close(&t->h);
    if (!target_open_root(&t->h.target, t->dir, &e))
        fail_msg("%s", e.message);
    harness_run(&t->h, NULL, sources, count);
}

void tree_end(struct tree *t)
{
    if (t->h.target)
        harness_close(&t->h);
    support_remove_tree(t->dir);
    free(t->dir);
}

size_t tree_count(const struct tree *t, const char *kind)
{
    size_t count = 0;
    for (const struct fact *f = NULL; (f = facts_next(t->h.facts, kind, f));)
        count++;
    return count;
}

const struct fact *tree_fact(const struct tree *t, const char *kind, const char *key,
                             const char *value)
{
    const struct fact *f = harness_find(&t->h, kind, key, value);
    if (!f)
        fail_msg("there is no %s with %s = %s", kind, key, value);
    return f;
}

bool tree_unread(const struct tree *t, const char *what)
{
    for (const struct fact *f = NULL; (f = facts_next(t->h.facts, "unread", f));)
        if (str_starts(fact_text(f, "what"), what))
            return true;
    return false;
}
