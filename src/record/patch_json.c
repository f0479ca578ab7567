#include "record/patch_json.h"

#include "base/cage.h"
#include "base/file.h"
#include "model/date.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char hexadecimal[] = "0123456789abcdef";

static bool only(const char *text, const char *set, const char *more)
{
    for (; *text; text++)
        if (!strchr(set, *text) && !strchr(more, *text))
            return false;
    return true;
}

static bool is_version(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (const char *p = text; *p; p++)
        if (!strchr(lower, *p) && !strchr(letters, *p) && !strchr(".+-:~", *p))
            return false;
    return !*text || str_is_digit(*text);
}

/* What is wrong with a text, or NULL. */
static const char *wrong_text(enum patch_text kind, const char *text)
{
    enum { MOST_NAME = 200 };
    int64_t when;
    size_t length = strlen(text);
    if (length > (kind == PATCH_ANY ? PATCH_MOST_TEXT : MOST_NAME))
        return N_("is too long");
    switch (kind) {
    case PATCH_NAME:
        return length >= 2 && strchr(lower, text[0]) && only(text, lower, "+-.")
                   ? NULL
                   : N_("is no name of a package");
    case PATCH_ARCH:
        return length && strchr(lower, text[0]) && only(text, lower, "-")
                   ? NULL
                   : N_("is no architecture");
    case PATCH_VERSION:
        return is_version(text) ? NULL : N_("is no version of a package");
    case PATCH_HASH:
        return length == 64 && only(text, hexadecimal, "")
                   ? NULL
                   : N_("is no SHA-256 in hexadecimal digits");
    case PATCH_TIME:
        return date_parse(text, &when) ? NULL : N_("is no time like 2026-01-31T10:00:00Z");
    default:
        return NULL;
    }
}

static bool wrong(struct patch_reader *r, const char *where, const char *key, const char *what)
{
    error_set(r->e, ERR_FORMAT, "%s%s%s %s", where, *where && *key ? "." : "", key,
              language_text(what));
    error_at(r->e, r->path, 0, 0);
    return false;
}

json_t *patch_read_object(struct patch_reader *r, const char *text, size_t size, size_t most,
                          const char *format, const char *stranger)
{
    json_t *o = json_parse(text, size, r->path, most, PATCH_MOST_TEXT, r->e);
    const char *found = o ? json_get_string(o, "format") : NULL;
    if (!o || str_equal(found, format))
        return o;
    bool other = found && strncmp(found, format, strlen(format) - 1) == 0;
    error_set(r->e, other ? ERR_UNSUPPORTED : ERR_FORMAT, stranger, format);
    error_at(r->e, r->path, 0, 0);
    json_decref(o);
    return NULL;
}

bool patch_read_row(struct patch_reader *r, const json_t *object, const char *kind,
                    const char *where, const struct patch_key *keys, size_t count)
{
    if (!json_is_object(object))
        return wrong(r, where, "", N_("is no object"));
    struct fact *f = facts_add(r->out, kind, r->path, 0, -1, CONFIDENCE_HIGH);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, keys[i].name);
        char number[24];
        if (!value || json_is_null(value)) {
            if (keys[i].needed)
                return wrong(r, where, keys[i].name, N_("is missing"));
            continue;
        }
        if (keys[i].kind == PATCH_TRUTH) {
            if (!json_is_boolean(value))
                return wrong(r, where, keys[i].name, N_("is neither true nor false"));
            fact_put(r->out, f, keys[i].name, json_is_true(value) ? "yes" : "no");
            continue;
        }
        if (keys[i].kind == PATCH_NUMBER) {
            if (!json_is_integer(value) || json_integer_value(value) < 0 ||
                json_integer_value(value) > INT32_MAX)
                return wrong(r, where, keys[i].name, N_("is no whole number from 0 on"));
            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
            fact_put(r->out, f, keys[i].name, number);
            continue;
        }
        const char *text = json_string_value(value), *problem;
        if (!text)
            return wrong(r, where, keys[i].name, N_("is no text"));
        if ((problem = wrong_text(keys[i].kind, text)))
            return wrong(r, where, keys[i].name, problem);
        fact_put(r->out, f, keys[i].name, text);
    }
    return true;
}

bool patch_read_rows(struct patch_reader *r, const json_t *object, const char *key,
                     const char *kind, const struct patch_key *keys, size_t count)
{
    const json_t *list = json_object_get(object, key);
    char where[96];
    if (!list)
        return true;
    if (!json_is_array(list))
        return wrong(r, "", key, N_("is no list"));
    if (json_array_size(list) > PATCH_MOST_ROWS)
        return wrong(r, "", key, N_("is too long"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        snprintf(where, sizeof where, "%.60s[%zu]", key, i);
        if (!patch_read_row(r, json_array_get(list, i), kind, where, keys, count))
            return false;
    }
    return true;
}

/* --- in a cage --- */

enum { MOST_FACTS = 4 * PATCH_MOST_ROWS };
enum frame { FRAME_FACT = 1, FRAME_ERROR };

struct reading {
    const char *text, *path;
    size_t size;
    patch_parse *parse;
    struct facts *facts;
};

static void read_in_cage(struct cage *cage, void *context)
{
    struct reading *in = context;
    struct error e = ERROR_INIT;
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    if (!in->parse(facts, in->text, in->size, in->path, &e)) {
        cage_send(cage, FRAME_ERROR, &e, sizeof e);
        return;
    }
    for (size_t i = 0; i < facts_count(facts); i++) {
        CLEANUP_STR struct str wire = {0};
        fact_encode(&wire, facts_at(facts, i));
        cage_send(cage, FRAME_FACT, wire.data, wire.length);
    }
}

static bool take_frame(void *context, uint32_t type, const void *bytes, size_t size,
                       struct error *e)
{
    struct reading *in = context;
    if (type == FRAME_FACT) {
        struct bytes wire = bytes_of(bytes, size);
        return facts_count(in->facts) < MOST_FACTS && facts_add_encoded(in->facts, &wire, e);
    }
    struct error got = ERROR_INIT;
    if (type != FRAME_ERROR || size != sizeof got)
        return false;
    memcpy(&got, bytes, sizeof got);
    got.path[sizeof got.path - 1] = got.message[sizeof got.message - 1] = '\0';
    if (e)
        *e = got;
    return false;
}

bool patch_read_file(char **text, size_t *size, const char *path, size_t most, struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    if (!good) {
        error_set_errno(e, errno, "could not be opened");
    } else if (!S_ISREG(st.st_mode)) {
        error_set(e, ERR_UNREADABLE, "it is no regular file");
        good = false;
    }
    good = good && file_read_fd(text, size, fd, most, e);
    if (!good)
        error_at(e, path, 0, 0);
    return good;
}

bool patch_read_caged(struct facts **out, char **text, size_t *size, const char *path, size_t most,
                      patch_parse *parse, struct error *e)
{
    CLEANUP_FREE char *bytes = NULL;
    size_t length;
    if (!patch_read_file(&bytes, &length, path, most, e))
        return false;
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct reading in = {bytes, path, length, parse, facts};
    struct error problem = ERROR_INIT;
    if (!cage_run(CAGE_BYTES, -1, NULL, 0, NULL, read_in_cage, &in, take_frame, &in, &problem)) {
        if (!problem.path[0])
            error_at(&problem, path, 0, 0);
        if (e)
            *e = problem;
        return false;
    }
    *out = facts;
    facts = NULL;
    *text = bytes;
    bytes = NULL;
    *size = length;
    return true;
}

bool patch_write_file(const char *path, const void *bytes, size_t size, struct error *e)
{
    CLEANUP_FREE char *folder = mem_strdup(path), *file = mem_strdup(path);
    CLEANUP_CLOSE int dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        error_set_errno(e, errno, "opening its folder");
    bool good = dir >= 0 && file_replace(dir, basename(file), bytes, size, 0644, e);
    if (!good)
        error_at(e, path, 0, 0);
    return good;
}
