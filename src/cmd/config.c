#include "cmd/config.h"
#include "cmd/config_parse.h"

#include "base/file.h"
#include "base/language.h"
#include "base/str.h"
#include "base/yaml.h"
#include "content/dpkg_owned.h"
#include "content/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1024 * 1024, MOST_MB = 1 << 30 };
static const char default_path[] = "/etc/yagura/yagura.yaml";

bool config_wrong(struct config_parse *p, const struct yaml_node *at, const char *what)
{
    yaml_error(p->e, at, p->path, "%s", what);
    return false;
}

bool config_unknown_key(struct config_parse *p, const struct yaml_node *key)
{
    yaml_error(p->e, key, p->path, _("there is no key \"%.64s\" here"), key->text);
    return false;
}

bool config_number(struct config_parse *p, const struct yaml_node *node, uint64_t least,
                   uint64_t *out)
{
    if (node->kind == YAML_SCALAR && str_to_u64(node->text, out) && *out >= least)
        return true;
    return config_wrong(p, node, _("this wants a whole number"));
}

bool config_truth(struct config_parse *p, const struct yaml_node *node, bool *out)
{
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    bool yes = str_equal(text, "yes") || str_equal(text, "true");
    if (!yes && !str_equal(text, "no") && !str_equal(text, "false"))
        return config_wrong(p, node, _("this is yes or no"));
    *out = yes;
    return true;
}

static bool read_guard(struct config_parse *p, const struct yaml_node *map)
{
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i], *value = map->items[i];
        bool good;
        if (str_equal(key->text, "detect_only"))
            good = config_truth(p, value, &p->config->detect_only);
        else if (str_equal(key->text, "bounded_queue"))
            good = config_truth(p, value, &p->config->bounded_queue);
        else if (str_equal(key->text, "ready_mb"))
            good = config_number(p, value, 0, &p->config->ready_mb);
        else if (str_equal(key->text, "sweep_seconds"))
            good = config_number(p, value, 0, &p->config->sweep_seconds);
        else if (str_equal(key->text, "selftest_seconds"))
            good = config_number(p, value, 0, &p->config->selftest_seconds);
        else
            good = config_unknown_key(p, key);
        if (!good)
            return false;
    }
    return true;
}

static bool read_site(struct config_parse *p, const struct yaml_node *map, struct config_site *site)
{
    site->policies = policies_new();
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++) {
        if (!str_equal(map->keys[i]->text, "policies"))
            return config_unknown_key(p, map->keys[i]);
        if (!profile_read_policies(site->policies, map->items[i], p->path, p->e))
            return false;
    }
    return true;
}

static bool read_ports(struct config_parse *p, const struct yaml_node *map)
{
    struct config *c = p->config;
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *list = map->items[i];
        if (!str_equal(map->keys[i]->text, "allow"))
            return config_unknown_key(p, map->keys[i]);
        if (list->kind != YAML_SEQUENCE || list->count > FIREWALL_MOST / 2)
            return config_wrong(p, list, _("this wants a list of ports, like [25, 53/udp]"));
        c->allow = arena_alloc(c->arena, (list->count + 1) * sizeof *c->allow);
        for (size_t k = 0; k < list->count; k++) {
            struct error problem = ERROR_INIT;
            if (list->items[k]->kind != YAML_SCALAR ||
                !firewall_ports_parse(&c->allow[c->allow_count++], list->items[k]->text, &problem))
                return config_wrong(p, list->items[k],
                                    problem.message[0] ? problem.message
                                                       : _("this wants a list of ports, like [25, "
                                                           "53/udp]"));
        }
    }
    return true;
}

static bool read_sites(struct config_parse *p, const struct yaml_node *map)
{
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    struct config *c = p->config;
    c->sites = arena_alloc(c->arena, (map->count + 1) * sizeof *c->sites);
    for (size_t i = 0; i < map->count; i++) {
        struct config_site *site = &c->sites[c->site_count++];
        site->name = map->keys[i]->text;
        if (!read_site(p, map->items[i], site))
            return false;
    }
    return true;
}

static bool read_top(struct config_parse *p, const struct yaml_node *top)
{
    if (top->kind != YAML_MAP)
        return yaml_is_null(top) || config_wrong(p, top, _("this wants keys below it"));
    for (size_t i = 0; i < top->count; i++) {
        const struct yaml_node *key = top->keys[i], *value = top->items[i];
        bool good;
        if (str_equal(key->text, "dpkg")) {
            good = value->kind == YAML_SCALAR || config_wrong(p, value, _("this wants a folder"));
            p->config->dpkg = good && value->text[0] ? value->text : NULL;
        } else if (str_equal(key->text, "on_tamper")) {
            good = value->kind == YAML_SCALAR || config_wrong(p, value, _("this wants a command"));
            p->config->on_tamper = good && value->text[0] ? value->text : NULL;
        } else if (str_equal(key->text, "keep"))
            good = config_number(p, value, 1, &p->config->keep);
        else if (str_equal(key->text, "evidence_mb"))
            good = config_number(p, value, 1, &p->config->evidence_mb);
        else if (str_equal(key->text, "ports"))
            good = read_ports(p, value);
        else if (str_equal(key->text, "guard"))
            good = read_guard(p, value);
        else if (str_equal(key->text, "health"))
            good = config_health(p, value);
        else if (str_equal(key->text, "patch"))
            good = config_patch(p, value);
        else if (str_equal(key->text, "respond"))
            good = config_respond(p, value);
        else if (str_equal(key->text, "sites"))
            good = read_sites(p, value);
        else
            good = config_unknown_key(p, key);
        if (!good)
            return false;
    }
    return true;
}

/* What names commands is as good as a program: nobody else may have written it. */
static bool is_trusted(const struct config *c, int fd, const char *path, struct error *e)
{
    struct stat st;
    bool commands = c->on_tamper || c->patch.backup_command || c->respond_health;
    if (!commands || (fstat(fd, &st) == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
                      (st.st_uid == 0 || st.st_uid == geteuid())))
        return true;
    error_set(e, ERR_USAGE,
              "it names commands to be run, and others may write it: chown root, chmod go-w");
    error_at(e, path, 0, 0);
    return false;
}

static int open_config(const char *path, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        error_set_errno(e, errno, "could not be opened");
        error_at(e, path, 0, 0);
    }
    return fd;
}

bool config_load(struct config **out, const char *flag, struct error *e)
{
    const char *env = getenv("YAGURA_CONFIG");
    bool named = flag || (env && *env);
    const char *path = flag ? flag : named ? env : default_path;
    CLEANUP(config_cleanup) struct config *c = mem_alloc(sizeof *c);
    *c = (struct config){
        .dpkg = DPKG_ADMINDIR,
        .keep = 10,
        .evidence_mb = 2048,
        .ready_mb = 256,
        .sweep_seconds = 3600,
        .selftest_seconds = 5,
        .watch_hours = CONFIG_WATCH_HOURS,
        .patch = {.receipt_days = PATCH_RECEIPT_DAYS, .backup_hours = PATCH_BACKUP_HOURS},
        .arena = arena_new()};
    CLEANUP_FREE char *text = NULL;
    size_t size, count;
    struct error problem = ERROR_INIT;
    struct yaml_node **documents;
    CLEANUP_CLOSE int fd = open_config(path, &problem);
    if (fd < 0 && !named && problem.code == ERR_ABSENT) {
        *out = c;
        c = NULL;
        return true;
    }
    if (fd < 0 || !file_read_fd(&text, &size, fd, MOST_BYTES, &problem)) {
        if (e)
            *e = problem;
        error_at(e, path, 0, 0);
        return false;
    }
    struct config_parse p = {.config = c, .path = arena_strdup(c->arena, path), .e = e};
    if (!yaml_parse(&documents, &count, c->arena, text, size, p.path, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_top(&p, documents[i]))
            return false;
    if (!is_trusted(c, fd, p.path, e))
        return false;
    *out = c;
    c = NULL;
    return true;
}

static uint64_t bytes_of_mb(uint64_t mb)
{
    return (mb < MOST_MB ? mb : MOST_MB) << 20;
}

uint64_t config_evidence_bytes(const struct config *c)
{
    return bytes_of_mb(c->evidence_mb);
}

uint64_t config_ready_bytes(const struct config *c)
{
    return bytes_of_mb(c->ready_mb);
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->site_count; i++)
        policies_free(c->sites[i].policies);
    arena_free(c->arena);
    free(c);
}

void config_cleanup(struct config **c)
{
    config_free(*c);
}

const struct policies *config_policies(const struct config *c, const char *site)
{
    for (size_t i = 0; i < c->site_count; i++)
        if (str_equal(c->sites[i].name, site))
            return c->sites[i].policies;
    return NULL;
}
