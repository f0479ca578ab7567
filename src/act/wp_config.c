#include "act/wp_config.h"

#include "base/bytes.h"
#include "base/cage.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const wp_secret_names[WP_SECRETS] = {
    "AUTH_KEY",         "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY",  "AUTH_SALT",
    "SECURE_AUTH_SALT", "LOGGED_IN_SALT",  "NONCE_SALT",    "DB_PASSWORD"};

/* What else is looked for: never a secret, and never marked or changed. */
enum { DATABASE = WP_SECRETS, MULTISITE, PREFIX, VALUES };
enum { MOST_FILE = 1 << 20, SALT_LENGTH = 64, MOST_FOUND = 64, FRAME_PLACE = 1, PLACE_BYTES = 17 };

/* Where a value's text lies, without its quotes. */
struct place {
    uint32_t start, length;
    uint32_t value; /* of wp_secret_names, or DATABASE, MULTISITE, PREFIX */
    uint32_t doubt; /* one more than where that lies for which PHP may see another; 0: nothing */
    bool plain;     /* else it is no text in quotes, and start and length mean nothing */
};

struct places {
    struct place items[MOST_FOUND];
    size_t count;
    size_t size; /* of the file */
};

/* --- in the cage: a little of PHP's grammar --- */

/* What came last: where a statement may begin, where a call may, and where a "(" would call what no
 * name tells ($f(), 'f'()). */
enum last { LAST_BEGIN, LAST_BLOCK, LAST_SIGN, LAST_WORD, LAST_VALUE, LAST_MEMBER };

struct scan {
    const char *text;
    size_t size, at;
    size_t doubt; /* one more than where the first thing lies that is not understood; 0: none */
    enum last last;
    unsigned braces, parentheses, questions; /* that are open; "?" without their ":" */
};

static char here(const struct scan *s)
{
    return s->at < s->size ? s->text[s->at] : '\0';
}

static bool begins(const struct scan *s, const char *with)
{
    size_t n = strlen(with);
    return s->size - s->at >= n && memcmp(s->text + s->at, with, n) == 0;
}

static void doubt(struct scan *s)
{
    if (!s->doubt)
        s->doubt = s->at + 1;
}

static void skip_comment(struct scan *s)
{
    while (s->at < s->size && !begins(s, "*/"))
        s->at++;
    if (s->at == s->size)
        doubt(s);
    s->at += s->at < s->size ? 2 : 0;
}

/* To PHP either end of a line ends it, and so does the end of the script. */
static void skip_line(struct scan *s)
{
    for (; s->at < s->size && here(s) != '\n' && here(s) != '\r'; s->at++)
        if (begins(s, "?>"))
            doubt(s);
}

/* White space and comments. */
static void skip_space(struct scan *s)
{
    for (;;) {
        if (begins(s, "#["))
            doubt(s); /* since PHP 8 no comment */
        if (s->at < s->size && str_is_space(here(s)))
            s->at++;
        else if (begins(s, "/*"))
            skip_comment(s);
        else if (begins(s, "//") || here(s) == '#')
            skip_line(s);
        else
            return;
    }
}

/* At a quote: behind the closing one, with the text between. */
static bool take_string(struct scan *s, size_t *start, size_t *length)
{
    char quote = here(s);
    if (quote != '\'' && quote != '"')
        return false;
    *start = ++s->at;
    for (; s->at < s->size && here(s) != quote; s->at += here(s) == '\\' ? 2 : 1)
        if (quote == '"' && (begins(s, "{$") || begins(s, "${")))
            doubt(s); /* code, and quotes of its own */
    if (s->at >= s->size) {
        s->at = s->size;
        doubt(s);
        return false;
    }
    *length = s->at++ - *start;
    return true;
}

static bool is_word(char c)
{
    return c == '_' || c == '$' || str_is_digit(c) || (unsigned char)c >= 0x80 ||
           (str_lower(c) >= 'a' && str_lower(c) <= 'z');
}

static const char *name_of(int value)
{
    return value == DATABASE    ? "DB_NAME"
           : value == MULTISITE ? "MULTISITE"
                                : wp_secret_names[value];
}

static bool is_text(const struct scan *s, size_t start, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(text, s->text + start, length) == 0;
}

static bool is_text_nocase(const struct scan *s, size_t start, size_t length, const char *text)
{
    return strlen(text) == length && strncasecmp(text, s->text + start, length) == 0;
}

static int value_named(const struct scan *s, size_t start, size_t length)
{
    for (int i = 0; i < PREFIX; i++)
        if (is_text(s, start, length, name_of(i)))
            return i;
    return -1;
}

/* Behind the comma or the equals sign: up to what must follow a text that stands alone. */
static void take_value(struct cage *cage, struct scan *s, int value, char behind, size_t unsure)
{
    size_t start = 0, length = 0;
    skip_space(s);
    bool plain = take_string(s, &start, &length);
    skip_space(s);
    plain &= here(s) == behind;
    CLEANUP_STR struct str frame = {0};
    bytes_put_u32le(&frame, (uint32_t)start);
    bytes_put_u32le(&frame, (uint32_t)length);
    bytes_put_u32le(&frame, (uint32_t)value);
    bytes_put_u32le(&frame, (uint32_t)(s->doubt ? s->doubt : unsure));
    bytes_put_u8(&frame, plain);
    cage_send(cage, FRAME_PLACE, frame.data, frame.length);
}

/* A name that may be any, once PHP has made it: escapes, variables; old PHPs also know one that is
 * written in small letters. */
static bool is_plain_name(const struct scan *s, size_t start, size_t length, int value)
{
    for (int i = 0; value < 0 && i < PREFIX; i++)
        if (is_text_nocase(s, start, length, name_of(i)))
            return false;
    return !memchr(s->text + start, '\\', length) && !memchr(s->text + start, '$', length);
}

/* Behind the word "define". `unsure`: where it stands, if PHP may pass it by. */
static void take_define(struct cage *cage, struct scan *s, size_t unsure)
{
    size_t start = 0, length = 0;
    skip_space(s);
    if (here(s) != '(') {
        doubt(s);
        return;
    }
    s->at++;
    s->parentheses++;
    s->last = LAST_SIGN;
    skip_space(s);
    if (!take_string(s, &start, &length)) {
        doubt(s);
        return;
    }
    s->last = LAST_VALUE;
    int value = value_named(s, start, length);
    skip_space(s);
    if (here(s) != ',' || !is_plain_name(s, start, length, value))
        doubt(s);
    if (value < 0 || here(s) != ',')
        return;
    s->at++;
    take_value(cage, s, value, ')', unsure);
    s->last = LAST_VALUE;
}

/* Behind "$table_prefix"; what is added to it (.=) is a second value. */
static void take_prefix(struct cage *cage, struct scan *s, size_t unsure)
{
    skip_space(s);
    if (begins(s, ".="))
        s->at++;
    if (here(s) != '=' || begins(s, "=="))
        return;
    s->at++;
    take_value(cage, s, PREFIX, ';', unsure);
}

/* They define nothing and call nothing that is handed to them. */
static bool is_harmless(const struct scan *s, size_t start, size_t length)
{
    static const char *const words[] = {
        "if",      "else",     "elseif",      "defined",         "isset",   "empty",
        "true",    "false",    "null",        "array",           "getenv",  "ini_set",
        "dirname", "in_array", "file_exists", "error_reporting", "strpos",  "stripos",
        "explode", "trim",     "str_replace", "set_time_limit",  "is_file", "strtolower"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (is_text_nocase(s, start, length, words[i]))
            return true;
    return false;
}

/* Another constant than one of ours, which is not called. */
static bool is_constant(const struct scan *s, size_t start, size_t length)
{
    for (size_t i = start; i < start + length; i++)
        if (s->text[i] != '_' && !str_is_digit(s->text[i]) &&
            (s->text[i] < 'A' || s->text[i] > 'Z'))
            return false;
    return value_named(s, start, length) < 0;
}

static void take_word(struct cage *cage, struct scan *s)
{
    size_t start = s->at;
    bool first = (s->last == LAST_BEGIN || s->last == LAST_BLOCK) && !s->braces && !s->parentheses;
    while (is_word(here(s)))
        s->at++;
    size_t length = s->at - start;
    enum last before = s->last;
    s->last = LAST_VALUE;
    if (s->text[start] == '$') {
        if (here(s) == '{')
            doubt(s);
        if (is_text(s, start, length, "$table_prefix"))
            take_prefix(cage, s, first ? 0 : start + 1);
    } else if (before != LAST_MEMBER && is_text_nocase(s, start, length, "define")) {
        take_define(cage, s, first ? 0 : start + 1);
    } else if (is_harmless(s, start, length)) {
        s->last = LAST_WORD;
    } else if (!str_is_digit(s->text[start]) && !is_constant(s, start, length)) {
        s->at = start;
        doubt(s);
        s->at += length;
    }
}

/* The rest is nothing: the end of the script, with no text for visitors behind it. */
static bool is_end(const struct scan *s)
{
    size_t at = s->at + 2;
    while (at < s->size && str_is_space(s->text[at]))
        at++;
    return at == s->size;
}

static void take_question(struct scan *s)
{
    if (begins(s, "?>") && !is_end(s))
        doubt(s);
    if (begins(s, "??"))
        s->at++;
    else
        s->questions++;
}

/* Without its "?" it begins what an "if" may pass by, or is a label. */
static void take_colon(struct scan *s)
{
    if (!s->questions)
        doubt(s);
    else
        s->questions--;
}

static void take_sign(struct scan *s)
{
    char c = here(s);
    enum last before = s->last;
    s->last = LAST_SIGN;
    if (begins(s, "->") || begins(s, "::")) {
        doubt(s);
        s->at++;
        s->last = LAST_MEMBER;
    } else if (c == '(') {
        if (before == LAST_VALUE || before == LAST_BLOCK)
            doubt(s);
        s->parentheses++;
    } else if (c == ')' || c == ']') {
        s->parentheses -= c == ')' && s->parentheses;
        s->last = LAST_VALUE;
    } else if (c == '{' || c == '}' || c == ';') {
        s->braces += c == '{';
        s->braces -= c == '}' && s->braces;
        s->questions = 0;
        s->last = c == '}' ? LAST_BLOCK : LAST_BEGIN;
    } else if (c == '?') {
        take_question(s);
    } else if (c == ':') {
        take_colon(s);
    } else if (begins(s, "<<<") || !c || !strchr("=,.!&|[+-*/%^~@<>", c)) {
        doubt(s);
    }
    s->at++;
}

/* Where it is not as we know it, what is found behind is found all the same, and said to be in
 * doubt. */
static void find_defines(struct cage *cage, void *context)
{
    struct scan *s = context;
    if (s->size < 6 || !is_text_nocase(s, 0, 5, "<?php") || !str_is_space(s->text[5]))
        doubt(s);
    else
        s->at = 5;
    while (s->at < s->size) {
        size_t start, length, before = s->at;
        skip_space(s);
        if (s->at != before)
            continue;
        if (here(s) == '\'' || here(s) == '"') {
            if (!take_string(s, &start, &length))
                return; /* it is cut: what follows means nothing */
            s->last = LAST_VALUE;
        } else if (is_word(here(s))) {
            take_word(cage, s);
        } else {
            take_sign(s);
        }
    }
}

/* --- outside --- */

/* Nothing of it is believed: a place has to lie within the file, between quotes. */
static bool take_place(void *context, uint32_t type, const void *data, size_t size, struct error *e)
{
    struct places *all = context;
    struct bytes b = bytes_of(data, size);
    struct place p = {.start = bytes_u32le(&b)};
    p.length = bytes_u32le(&b);
    p.value = bytes_u32le(&b);
    p.doubt = bytes_u32le(&b);
    p.plain = bytes_u8(&b) != 0;
    bool order = !all->count || !p.plain ||
                 p.start > all->items[all->count - 1].start + all->items[all->count - 1].length;
    if (type != FRAME_PLACE || size != PLACE_BYTES || p.value >= VALUES ||
        p.doubt > all->size + 1 || !order || all->count == MOST_FOUND ||
        (p.plain && ((size_t)p.start + p.length >= all->size || !p.start))) {
        error_set(e, ERR_FORMAT, "the secrets in it could not be told apart");
        return false;
    }
    if (!p.plain && all->count) /* keeps the order */
        p.start = all->items[all->count - 1].start + all->items[all->count - 1].length,
        p.length = 0;
    all->items[all->count++] = p;
    return true;
}

struct config {
    char *text;
    size_t size;
    struct stat st;
    struct places places;
};

static void config_cleanup(struct config *c)
{
    if (c->text)
        sodium_memzero(c->text, c->size);
    free(c->text);
}

static bool read_config(struct config *out, int dirfd, const char *name, struct error *e)
{
    CLEANUP_CLOSE int fd =
        openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &out->st) != 0) {
        error_set_errno(e, errno, "the settings of WordPress could not be opened");
        error_at(e, name, 0, 0);
        return false;
    }
    if (!S_ISREG(out->st.st_mode)) {
        error_set(e, ERR_UNREADABLE, "is no regular file");
        error_at(e, name, 0, 0);
        return false;
    }
    if (!file_read_fd(&out->text, &out->size, fd, MOST_FILE, e))
        return false;
    struct scan s = {.text = out->text, .size = out->size};
    out->places.size = out->size;
    return cage_run(CAGE_BYTES, -1, NULL, 0, NULL, find_defines, &s, take_place, &out->places, e);
}

static void mark(struct wp_marks *out, const struct config *c, const uint8_t key[WP_KEY_BYTES])
{
    *out = (struct wp_marks){0};
    for (size_t i = 0; i < c->places.count; i++) {
        const struct place *p = &c->places.items[i];
        if (p->value >= WP_SECRETS)
            continue;
        out->doubtful[p->value] |= p->doubt || out->there[p->value];
        out->there[p->value] = true;
        out->elsewhere[p->value] |= !p->plain;
        if (p->plain)
            crypto_generichash(out->digest[p->value], WP_MARK_BYTES,
                               (const uint8_t *)c->text + p->start, p->length, key, WP_KEY_BYTES);
    }
}

bool wp_config_look(struct wp_marks *out, int dirfd, const char *name,
                    const uint8_t key[WP_KEY_BYTES], struct error *e)
{
    CLEANUP(config_cleanup) struct config c = {0};
    if (!read_config(&c, dirfd, name, e))
        return false;
    mark(out, &c, key);
    return true;
}

/* The only one of that value, if PHP sees no other and it is a name that means nothing to a shell,
 * a client or SQL. */
static void take_name(char out[65], const struct config *c, uint32_t value, bool hyphens)
{
    const struct place *found = NULL;
    size_t count = 0;
    *out = '\0';
    for (size_t i = 0; i < c->places.count; i++)
        if (c->places.items[i].value == value) {
            found = &c->places.items[i];
            count++;
        }
    if (count != 1 || !found->plain || found->doubt || found->length > 64)
        return;
    for (size_t i = 0; i < found->length; i++) {
        char letter = c->text[found->start + i];
        bool good = letter == '_' || str_is_digit(letter) ||
                    (str_lower(letter) >= 'a' && str_lower(letter) <= 'z') ||
                    (hyphens && i && letter == '-');
        if (!good)
            return;
    }
    memcpy(out, c->text + found->start, found->length);
    out[found->length] = '\0';
}

bool wp_config_tables(struct wp_tables *out, int dirfd, const char *name, struct error *e)
{
    CLEANUP(config_cleanup) struct config c = {0};
    if (!read_config(&c, dirfd, name, e))
        return false;
    take_name(out->database, &c, DATABASE, true);
    take_name(out->prefix, &c, PREFIX, false);
    out->multisite = false;
    for (size_t i = 0; i < c.places.count; i++)
        out->multisite |= c.places.items[i].value == MULTISITE;
    return true;
}

bool wp_config_changed(const struct wp_marks *before, const struct wp_marks *now, size_t secret)
{
    return before->there[secret] && now->there[secret] && !now->elsewhere[secret] &&
           !now->doubtful[secret] &&
           sodium_memcmp(before->digest[secret], now->digest[secret], WP_MARK_BYTES) != 0;
}

/* Nothing that PHP reads as anything but itself, in either kind of quotes. */
static void add_salt(struct str *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "!@#%^&*()-_[]{}~+=,.;:/|";
    for (unsigned i = 0; i < SALT_LENGTH; i++)
        str_add_char(out, letters[randombytes_uniform(sizeof letters - 1)]);
}

/* The new file has its owner and mode before it has its name. */
static bool put_in_place(int dirfd, const char *name, const struct str *text, const struct stat *st,
                         struct error *e)
{
    char temporary[64];
    uint8_t random[8];
    char digits[2 * sizeof random + 1];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(digits, sizeof digits, random, sizeof random);
    snprintf(temporary, sizeof temporary, ".yagura-%s.php", digits);
    CLEANUP_CLOSE int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    for (size_t at = 0; good && at < text->length;) {
        ssize_t n = write(fd, text->data + at, text->length - at);
        good = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    good = good && fchown(fd, st->st_uid, st->st_gid) == 0 &&
           fchmod(fd, st->st_mode & 07777) == 0 && fsync(fd) == 0 &&
           renameat(dirfd, temporary, dirfd, name) == 0 && fsync(dirfd) == 0;
    if (!good) {
        error_set_errno(e, errno, "the new keys and salts could not be written");
        error_at(e, name, 0, 0);
        unlinkat(dirfd, temporary, 0);
    }
    return good;
}

/* *elsewhere: those that are no plain text. */
static size_t salts(const struct places *all, size_t *elsewhere)
{
    size_t count = 0;
    *elsewhere = 0;
    for (size_t i = 0; i < all->count; i++) {
        bool salt = all->items[i].value < WP_SALTS;
        count += salt && all->items[i].plain;
        *elsewhere += salt && !all->items[i].plain;
    }
    return count;
}

static uint32_t line_at(const struct config *c, size_t offset)
{
    uint32_t line = 1;
    for (size_t i = 0; i < offset && i < c->size; i++)
        line += c->text[i] == '\n';
    return line;
}

/* Each kind of login is signed with a key and a salt: it ends if one of both is new, and not if
 * neither is here (WordPress then has them in its database). */
static const char *kind_left_out(const struct wp_marks *marks)
{
    enum { KINDS = 3, SALT_OF = 4 };
    for (size_t i = 0; i < KINDS; i++)
        if ((!marks->there[i] || marks->elsewhere[i]) &&
            (!marks->there[i + SALT_OF] || marks->elsewhere[i + SALT_OF]))
            return wp_secret_names[i];
    return NULL;
}

/* Whether PHP takes just what is found here: whoever was in may have put a copy where we look. */
static bool is_understood(const struct config *c, const struct wp_marks *marks, struct error *e)
{
    bool seen[WP_SALTS] = {false};
    for (size_t i = 0; i < c->places.count; i++) {
        const struct place *p = &c->places.items[i];
        if (p->value >= WP_SALTS)
            continue;
        if (p->doubt) {
            error_set(e, ERR_CORRUPT,
                      "line %u of it may make PHP take other keys and salts than those that stand "
                      "there: put the eight lines define('AUTH_KEY', '...') to NONCE_SALT right "
                      "below <?php, each once, publish that (yagura publish), and do this again",
                      (unsigned)line_at(c, p->doubt - 1));
            return false;
        }
        if (seen[p->value]) {
            error_set(e, ERR_CORRUPT,
                      "%s is defined more than once: leave one of its lines, publish that (yagura "
                      "publish), and do this again",
                      wp_secret_names[p->value]);
            return false;
        }
        seen[p->value] = true;
    }
    const char *missing = kind_left_out(marks);
    if (missing)
        error_set(e, ERR_ABSENT,
                  "%s and its salt are not in it as plain text, and logins that they sign would "
                  "go on: copy these lines of wp-config-sample.php into it, publish that (yagura "
                  "publish), and do this again",
                  missing);
    return !missing;
}

static void write_anew(struct str *out, const struct config *c)
{
    size_t at = 0;
    for (size_t i = 0; i < c->places.count; i++) {
        const struct place *p = &c->places.items[i];
        if (!p->plain || p->value >= WP_SALTS)
            continue;
        str_add_bytes(out, c->text + at, p->start - at);
        add_salt(out);
        at = (size_t)p->start + p->length;
    }
    str_add_bytes(out, c->text + at, c->size - at);
}

/* Every salt is another than it was, and nothing else is. */
static bool is_done(const struct wp_marks *before, const struct wp_marks *now)
{
    bool done = true;
    for (size_t i = 0; i < WP_SALTS; i++)
        done &= !before->there[i] || before->elsewhere[i] || wp_config_changed(before, now, i);
    return done && !wp_config_changed(before, now, WP_SECRETS - 1);
}

bool wp_config_rotate(size_t *count, int dirfd, const char *name, bool dry_run, struct error *e)
{
    CLEANUP(config_cleanup) struct config c = {0};
    uint8_t key[WP_KEY_BYTES];
    if (!read_config(&c, dirfd, name, e))
        return false;
    size_t elsewhere, found = salts(&c.places, &elsewhere);
    if (!found) {
        error_set(
            e, ERR_ABSENT,
            elsewhere
                ? N_("its keys and salts are no plain text, they come from elsewhere (getenv, "
                     "a constant): change them there")
                : N_("it has no keys and salts, and WordPress keeps others in its database: "
                     "copy the eight lines AUTH_KEY to NONCE_SALT of wp-config-sample.php "
                     "into it, publish that (yagura publish), and do this again"));
        error_at(e, name, 0, 0);
        return false;
    }
    struct wp_marks before, now;
    randombytes_buf(key, sizeof key);
    mark(&before, &c, key);
    if (!is_understood(&c, &before, e)) {
        error_at(e, name, 0, 0);
        return false;
    }
    if (dry_run) {
        *count = found;
        return true;
    }
    /* Room for all of it at once: what grows leaves copies behind. */
    size_t room = c.size + found * SALT_LENGTH + 1;
    struct str text = {mem_alloc(room), 0, room};
    write_anew(&text, &c);
    bool good =
        put_in_place(dirfd, name, &text, &c.st, e) && wp_config_look(&now, dirfd, name, key, e);
    sodium_memzero(text.data, text.length);
    str_free(&text);
    sodium_memzero(key, sizeof key);
    if (good && !is_done(&before, &now)) {
        error_set(e, ERR_SYSTEM, "the file was written, and its salts are not new");
        error_at(e, name, 0, 0);
        good = false;
    }
    if (good)
        *count = found;
    return good;
}
