#include "act/firewall_record.h"

#include "act/nft.h"
#include "base/file.h"
#include "base/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RECORD_BYTES = 4 << 20 };

const struct firewall_names *firewall_names_of(enum firewall_scope scope)
{
    static const struct firewall_names names[] = {
        [FIREWALL_ISOLATION] = {"yagura", "firewall.json", "firewall.nft"},
        [FIREWALL_CLOSED_PORTS] = {"yagura_ports", "ports.json", "ports.nft"},
    };
    return &names[scope];
}

uint64_t firewall_boot_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void firewall_boot_id(char out[40])
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    out[0] = '\0';
    if (file_read(&text, &size, "/proc/sys/kernel/random/boot_id", 64, NULL))
        snprintf(out, 40, "%.*s", (int)strcspn(text, "\n"), text);
}

json_t *firewall_record_read(int dirfd, enum firewall_scope scope, struct error *e)
{
    const char *name = firewall_names_of(scope)->record;
    json_t *record = json_file_read(dirfd, name, MOST_RECORD_BYTES, e);
    if (!record || json_is_object(record))
        return record;
    json_decref(record);
    error_set(e, ERR_CORRUPT, "what the state keeps of the firewall makes no sense");
    error_at(e, name, 0, 0);
    return NULL;
}

bool firewall_record_write(int dirfd, enum firewall_scope scope, const json_t *record,
                           struct error *e)
{
    return json_file_replace(dirfd, firewall_names_of(scope)->record, record, e);
}

static void digest(const char *text, size_t length, char out[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, length);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

static bool is_ours(const char *name)
{
    return str_equal(name, "inet yagura") || str_equal(name, "inet yagura_ports");
}

/* nft begins a table with "table FAMILY NAME {" at the start of a line, and indents all below. */
static void add_table(json_t *tables, const char *text, size_t length)
{
    char name[128], hash[65];
    size_t end = strcspn(text, "\n{");
    snprintf(name, sizeof name, "%.*s", (int)(end > 6 ? end - 6 : 0), text + 6);
    const char *trimmed = str_trim(name);
    digest(text, length, hash);
    if (!is_ours(trimmed))
        json_put_string(tables, trimmed, hash);
}

/* Ours with what is in its sets, as an address more in one of them is a way in more; without the
 * time that is left of a trial. */
static void digest_own(enum firewall_scope scope, char own[65])
{
    const char *const words[] = {"list", "table", "inet", firewall_names_of(scope)->table};
    CLEANUP_STR struct str text = {0};
    own[0] = '\0';
    if (nft_ask(&text, words, ARRAY_COUNT(words), NULL))
        digest(str_text(&text), text.length, own);
}

json_t *firewall_tables_of(const char *listed)
{
    json_t *tables = json_object();
    const char *start = NULL;
    for (const char *p = listed; *p;) {
        const char *next = strchr(p, '\n');
        next = next ? next + 1 : p + strlen(p);
        if (str_starts(p, "table ")) {
            if (start)
                add_table(tables, start, (size_t)(p - start));
            start = p;
        }
        p = next;
    }
    if (start)
        add_table(tables, start, strlen(start));
    return tables;
}

json_t *firewall_tables(enum firewall_scope scope, char own[65], struct error *e)
{
    static const char *const words[] = {"-t", "list", "ruleset"};
    CLEANUP_STR struct str text = {0};
    if (!nft_ask(&text, words, ARRAY_COUNT(words), e))
        return NULL;
    digest_own(scope, own);
    return firewall_tables_of(str_text(&text));
}

static void add_name(char *out, size_t size, const char *name)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s", n ? ", " : "", name);
}

void firewall_tables_differ(char *out, size_t size, const json_t *before, const json_t *now)
{
    const char *name;
    json_t *value;
    out[0] = '\0';
    json_object_foreach((json_t *)before, name,
                        value) if (!json_equal(value, json_object_get(now, name)))
        add_name(out, size, name);
    json_object_foreach((json_t *)now, name, value) if (!json_object_get(before, name))
        add_name(out, size, name);
}

bool firewall_is_live(enum firewall_scope scope)
{
    const char *const words[] = {"get",  "element", "inet", firewall_names_of(scope)->table,
                                 "live", "{ ipv4 }"};
    CLEANUP_STR struct str said = {0};
    return nft_ask(&said, words, ARRAY_COUNT(words), NULL);
}
