/* persist_keys.c - the keys that let somebody in over ssh: one record a key.
 *
 * sshd(8), AUTHORIZED_KEYS FILE FORMAT: [options] type base64 [comment]. Where they lie is
 * AuthorizedKeysFile of sshd_config(5), by default .ssh/authorized_keys and authorized_keys2 of
 * each home. The fingerprint is that of ssh-keygen -lf and of sshd's log; "SHA256:?" of what we
 * cannot decode: that sshd takes it for no key, either, is not ours to promise. */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/conf_lines.h"

#include <openssl/evp.h>

enum { MOST_LINE = 32 << 10, MOST_BLOB = 16 << 10, MOST_PLACES = 16, SHA256_BYTES = 32 };

struct places {
    const char *items[MOST_PLACES]; /* with %h and %u; not absolute = below the home */
    size_t count;
};

static void take_places(struct collection *c, struct places *to, const char *path)
{
    size_t size = 0;
    const char *text =
        collect_text_of(c, N_("what starts by itself"), path, PERSIST_MOST_TEXT, &size, NULL);
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text ? text : "", text ? size : 0, CONF_PLAIN, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));) {
        char *rest = str_trim(line);
        const char *word = conf_lines_quoted(&rest);
        if (!word || !str_equal_nocase(word, "AuthorizedKeysFile"))
            continue;
        while (to->count < MOST_PLACES && (word = conf_lines_quoted(&rest)))
            if (!str_equal(word, "none"))
                to->items[to->count++] = arena_strdup(c->arena, word);
    }
}

static struct places read_places(struct collection *c)
{
    struct places found = {{".ssh/authorized_keys", ".ssh/authorized_keys2"}, 2};
    struct target_entry *entries;
    take_places(c, &found, "/etc/ssh/sshd_config");
    size_t count =
        collect_list(c, N_("what starts by itself"), "/etc/ssh/sshd_config.d", &entries, NULL);
    for (size_t i = 0; i < count; i++)
        if (str_ends(entries[i].name, ".conf"))
            take_places(c, &found,
                        arena_printf(c->arena, "/etc/ssh/sshd_config.d/%s", entries[i].name));
    return found;
}

static const char *expand(struct arena *arena, const char *place, const struct persist_home *home)
{
    CLEANUP_STR struct str out = {0};
    const char *folder = home->path[1] ? home->path : "";
    if (*place != '/' && !str_starts(place, "%h"))
        str_printf(&out, "%s/", folder);
    for (const char *p = place; *p; p++) {
        if (*p == '%' && p[1] == 'h')
            str_add(&out, folder), p++;
        else if (*p == '%' && p[1] == 'u')
            str_add(&out, home->user), p++;
        else if (*p == '%' && p[1] == '%')
            str_add_char(&out, '%'), p++;
        else
            str_add_char(&out, *p);
    }
    return arena_strdup(arena, str_text(&out));
}

static bool is_type(const char *word)
{
    return str_starts(word, "ssh-") || str_starts(word, "ecdsa-") || str_starts(word, "sk-ssh-") ||
           str_starts(word, "sk-ecdsa-");
}

static const char *fingerprint(struct arena *arena, const char *base64)
{
    static const char unknown[] = "SHA256:?";
    size_t length = strlen(base64), padding = 0;
    uint8_t digest[EVP_MAX_MD_SIZE], text[2 * SHA256_BYTES];
    if (!length || length % 4 || length > MOST_BLOB)
        return unknown;
    while (padding < 2 && base64[length - 1 - padding] == '=')
        padding++;
    uint8_t *blob = arena_alloc(arena, length);
    int got = EVP_DecodeBlock(blob, (const uint8_t *)base64, (int)length);
    if (got <= (int)padding ||
        !EVP_Digest(blob, (size_t)got - padding, digest, NULL, EVP_sha256(), NULL))
        return unknown;
    int written = EVP_EncodeBlock(text, digest, SHA256_BYTES);
    while (written && text[written - 1] == '=')
        written--;
    return arena_printf(arena, "SHA256:%.*s", written, (const char *)text);
}

/* The end of the options: the first white space outside of quotes (sshd(8)). */
static char *behind_options(char *line)
{
    bool quoted = false;
    for (; *line && (quoted || !str_is_space(*line)); line++) {
        if (*line == '\\' && line[1] == '"')
            line++;
        else if (*line == '"')
            quoted = !quoted;
    }
    return line;
}

static void add_key(struct persist *p, const struct persist_home *home, const char *path,
                    uint64_t number, const struct origin *origin, char *line)
{
    struct facts *facts = p->c->facts;
    const char *options = "";
    char *rest = line;
    if (!is_type(line)) {
        rest = behind_options(line);
        if (*rest)
            *rest++ = '\0';
        rest += strspn(rest, " \t");
        options = line;
    }
    const char *type = conf_lines_word(&rest), *blob = type ? conf_lines_word(&rest) : NULL;
    if (!type || !blob || !is_type(type))
        return; /* sshd takes it for no key either */
    struct fact *f = persist_add(p, "key", path, number, origin);
    fact_put(facts, f, "user", home->user);
    fact_put_number(facts, f, "uid", (int64_t)home->uid);
    fact_put(facts, f, "key_type", type);
    fact_put(facts, f, "fingerprint", fingerprint(p->c->arena, blob));
    fact_put(facts, f, "comment", str_trim(rest));
    fact_put(facts, f, "runs", options);
}

static void read_keys(struct persist *p, const struct persist_home *home, const char *path)
{
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "key", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text = persist_text(p, "key", path, &size);
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));) {
        line = str_trim(line);
        if (*line && *line != '#')
            add_key(p, home, path, lines.line, &origin, line);
    }
    conf_lines_state(&lines, p->c->facts, N_("what starts by itself"), path);
}

void collect_persist_keys(struct collection *c)
{
    struct persist p = persist_begin(c);
    struct places places = read_places(c);
    persist_homes(&p);
    for (size_t i = 0; i < p.homes.count; i++)
        for (size_t k = 0; k < places.count; k++)
            read_keys(&p, &p.homes.items[i], expand(c->arena, places.items[k], &p.homes.items[i]));
    persist_end(&p);
}
