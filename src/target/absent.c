/* absent.c - tells what is not there from what is named there and leads nowhere.
 *
 * To the system both are "no such file": a name that nobody has, and a link to a file that is
 * gone, that lies outside the root, or on a volume that was not given. Only the first may be
 * judged; behind the second there may have been anything. */
#include "target/ops.h"

#include "base/str.h"

#include <stdlib.h>

/* The way to the folder that holds the last part; false at the root. */
static bool go_up(char *path)
{
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    while (length && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    path[length] = '\0';
    return length > 1;
}

static void is_link_to_nothing(struct target *t, const char *link, struct error *e)
{
    char to[512];
    bool known = t->ops->readlink && t->ops->readlink(t, link, to, sizeof to, NULL);
    error_set(e, ERR_UNREADABLE, "%s is a link to %s, which is not there", link,
              known ? to : _("somewhere"));
}

void absent_explain(struct target *t, const char *path, bool folder, struct error *e)
{
    if (!e || e->code != ERR_ABSENT || !t->ops->stat)
        return;
    CLEANUP_FREE char *part = mem_strdup(path);
    bool whole = true;
    do {
        struct target_stat st;
        struct error why = ERROR_INIT;
        if (t->ops->stat(t, part, false, &st, &why)) {
            if (st.type == TARGET_LINK && !t->ops->stat(t, part, true, &st, &why)) {
                if (why.code == ERR_ABSENT)
                    is_link_to_nothing(t, part, e);
                else
                    *e = why;
            } else if (whole && folder && st.type != TARGET_DIR) {
                error_set(e, ERR_UNREADABLE, "is no folder");
            }
            return;
        }
        if (why.code != ERR_ABSENT) {
            *e = why;
            return;
        }
        whole = false;
    } while (go_up(part));
}
