/* response.c - what actions and checks ask of the response that they are part of. */
#include "base/str.h"
#include "respond/respond.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

struct objects *respond_objects(struct response *r, struct error *e)
{
    if (!r->objects)
        objects_open(&r->objects, state_dirfd(r->state), e);
    return r->objects;
}

bool respond_open_site(struct site *out, struct response *r, const char *name, bool aside,
                       struct error *e)
{
    const struct respond_options *o = r->options;
    struct site_wants wants = {.aside = aside,
                               .generation = true,
                               .own = o->own_policies ? o->own_policies(o->context, name) : NULL};
    return site_open(out, r->state, name, &wants, e);
}

int respond_evidence(struct response *r, struct error *e)
{
    char name[96];
    snprintf(name, sizeof name, "evidence/%.64s", r->incident.id);
    int dir = state_dirfd(r->state);
    if ((mkdirat(dir, "evidence", 0700) != 0 && errno != EEXIST) ||
        (mkdirat(dir, name, 0700) != 0 && errno != EEXIST)) {
        error_set_errno(e, errno, "making the folder of evidence");
        return -1;
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        error_set_errno(e, errno, "opening the folder of evidence");
    return fd;
}

bool respond_is_live(const struct response *r)
{
    return str_equal(r->incident.target_kind, "live");
}

enum target_kind respond_target_kind(const struct response *r)
{
    return str_equal(r->incident.target_kind, "root")    ? TARGET_ROOT
           : str_equal(r->incident.target_kind, "image") ? TARGET_IMAGE
                                                         : TARGET_LIVE;
}

void respond_say(const struct response *r, const char *text)
{
    if (r->options->say)
        r->options->say(r->options->context, text);
}

void respond_tell(const struct response *r, const char *text)
{
    if (r->options->tell)
        r->options->tell(r->options->context, text);
}

/* A name may be of the attacker's: bytes in it that nobody sees or types would keep the host cut
 * off. */
const char *respond_id(struct response *r, const char *kind, const char *name)
{
    CLEANUP_STR struct str id = {0};
    str_printf(&id, "%s:", kind);
    for (size_t n; *name; name += n + (name[n] != '\0')) {
        n = strcspn(name, "\n\t");
        str_add_printable(&id, name, n);
        if (name[n])
            str_add(&id, name[n] == '\n' ? "\\x0a" : "\\x09");
    }
    return arena_strdup(r->arena, str_text(&id));
}

const char *respond_step_that(const struct response *r, const char *action)
{
    for (size_t i = 0; i < r->book->steps.count; i++)
        if (str_equal(r->book->steps.items[i].action.name, action))
            return r->book->steps.items[i].id;
    return NULL;
}

const char *respond_todo(struct response *r, const char *action, const char *more)
{
    const char *id = respond_step_that(r, action);
    return id ? arena_printf(r->arena, "yagura respond do %s%s", id, more) : NULL;
}

json_t *respond_finding(const struct finding *f)
{
    json_t *o = json_object();
    json_put_string(o, "id", f->id);
    json_put_string(o, "rule", f->rule_id);
    json_put_string(o, "severity", severity_name(f->severity));
    json_put_string(o, "verdict", verdict_name(f->verdict));
    json_put_string(o, "subject", f->subject_name);
    return o;
}
