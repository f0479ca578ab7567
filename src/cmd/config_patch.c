/* patch: and health: of the configuration. */
#include "act/pages.h"
#include "audit/patching.h"
#include "base/str.h"
#include "cmd/config_parse.h"
#include "record/keys.h"

#include <string.h>

enum { MOST_DAYS = 36500, MOST_HOURS = MOST_DAYS * 24 };

/* "22:00"; "24:00" is the end of a day. */
static bool read_minute(struct config_parse *p, const struct yaml_node *node, unsigned *out)
{
    uint64_t hours, minutes;
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    char hour[3] = "";
    if (strlen(text) == 5 && text[2] == ':') {
        memcpy(hour, text, 2);
        if (str_to_u64(hour, &hours) && str_to_u64(text + 3, &minutes) && minutes < 60 &&
            hours * 60 + minutes <= PATCH_MINUTES_A_DAY) {
            *out = (unsigned)(hours * 60 + minutes);
            return true;
        }
    }
    return config_wrong(p, node, _("this wants a time like \"22:00\", in quotes"));
}

static bool read_days(struct config_parse *p, const struct yaml_node *node, unsigned *out)
{
    static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    const char *at = node->kind == YAML_SCALAR ? node->text : "";
    *out = 0;
    while (*at) {
        size_t n = strcspn(at, " ,"), day = 0;
        while (day < ARRAY_COUNT(names) && !(n == 3 && str_starts_nocase(at, names[day])))
            day++;
        if (n && day == ARRAY_COUNT(names))
            break;
        *out |= n ? 1U << day : 0;
        at += n + (at[n] != '\0');
    }
    if (!*at && *out)
        return true;
    return config_wrong(p, node, _("this wants days like \"sat sun\""));
}

static bool read_zone(struct config_parse *p, const struct yaml_node *node, const char **out)
{
    unsigned weekday, minute;
    *out = node->kind == YAML_SCALAR ? node->text : "";
    return patching_local_time(0, *out, &weekday, &minute) ||
           config_wrong(p, node, _("there is no such time zone in /usr/share/zoneinfo"));
}

static bool read_window(struct config_parse *p, const struct yaml_node *map)
{
    enum { ALL_DAYS = 0x7f };
    struct patch_window *w = &p->config->patch.window;
    *w = (struct patch_window){.set = true, .days = ALL_DAYS, .zone = "UTC"};
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    unsigned times = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i], *value = map->items[i];
        bool good;
        times += str_equal(key->text, "from") || str_equal(key->text, "to");
        if (str_equal(key->text, "days"))
            good = read_days(p, value, &w->days);
        else if (str_equal(key->text, "from"))
            good = read_minute(p, value, &w->from);
        else if (str_equal(key->text, "to"))
            good = read_minute(p, value, &w->to);
        else if (str_equal(key->text, "zone"))
            good = read_zone(p, value, &w->zone);
        else
            good = config_unknown_key(p, key);
        if (!good)
            return false;
    }
    return (times == 2 && w->from != w->to) ||
           config_wrong(p, map, _("a window wants from and to, and they differ"));
}

static bool read_backup(struct config_parse *p, const struct yaml_node *map)
{
    struct patch_policy *policy = &p->config->patch;
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i], *value = map->items[i];
        bool text = value->kind == YAML_SCALAR && value->text[0], good;
        if (str_equal(key->text, "path")) {
            good = (text && value->text[0] == '/') ||
                   config_wrong(p, value, _("this wants an absolute path"));
            policy->backup_path = value->text;
        } else if (str_equal(key->text, "command")) {
            good = text || config_wrong(p, value, _("this wants a command"));
            policy->backup_command = value->text;
        } else if (str_equal(key->text, "hours"))
            good = config_number(p, value, 1, &policy->backup_hours) &&
                   (policy->backup_hours <= MOST_HOURS ||
                    config_wrong(p, value, _("this wants a whole number")));
        else
            good = config_unknown_key(p, key);
        if (!good)
            return false;
    }
    return policy->backup_path || policy->backup_command ||
           config_wrong(p, map, _("a backup wants a path or a command"));
}

static bool read_keys(struct config_parse *p, const struct yaml_node *list)
{
    struct keypair key;
    struct patch_policy *policy = &p->config->patch;
    if (list->kind != YAML_SEQUENCE)
        return config_wrong(p, list, _("this wants a list"));
    const char **keys = arena_alloc(p->config->arena, (list->count + 1) * sizeof *keys);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind != YAML_SCALAR || !keys_of_public_text(&key, item->text, NULL))
            return config_wrong(p, item, _("this wants a public key as minisign -P takes it"));
        keys[i] = item->text;
    }
    policy->receipt_keys = keys;
    policy->receipt_key_count = list->count;
    return true;
}

static bool read_approver(struct config_parse *p, const struct yaml_node *node)
{
    const char *text = node->kind == YAML_SCALAR ? node->text : "";
    p->config->patch.other_approver = str_equal(text, "other");
    return str_equal(text, "other") || str_equal(text, "any") ||
           config_wrong(p, node, _("this is other or any"));
}

static bool read_policy(struct config_parse *p, const struct yaml_node *map)
{
    struct patch_policy *policy = &p->config->patch;
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i], *value = map->items[i];
        bool good;
        if (str_equal(key->text, "staging"))
            good = config_truth(p, value, &policy->staging);
        else if (str_equal(key->text, "approver"))
            good = read_approver(p, value);
        else if (str_equal(key->text, "receipt_days"))
            good = config_number(p, value, 1, &policy->receipt_days) &&
                   (policy->receipt_days <= MOST_DAYS ||
                    config_wrong(p, value, _("this wants a whole number")));
        else if (str_equal(key->text, "receipt_keys"))
            good = read_keys(p, value);
        else if (str_equal(key->text, "window"))
            good = read_window(p, value);
        else if (str_equal(key->text, "backup"))
            good = read_backup(p, value);
        else
            good = config_unknown_key(p, key);
        if (!good)
            return false;
    }
    policy->set = map->count > 0;
    return true;
}

bool config_patch(struct config_parse *p, const struct yaml_node *map)
{
    if (map->kind != YAML_MAP)
        return config_wrong(p, map, _("this wants keys below it"));
    for (size_t i = 0; i < map->count; i++)
        if (!str_equal(map->keys[i]->text, "policy"))
            return config_unknown_key(p, map->keys[i]);
        else if (!read_policy(p, map->items[i]))
            return false;
    return true;
}

bool config_health(struct config_parse *p, const struct yaml_node *list)
{
    struct page_url url;
    if (list->kind != YAML_SEQUENCE)
        return config_wrong(p, list, _("this wants a list"));
    p->config->health = arena_alloc(p->config->arena, (list->count + 1) * sizeof(char *));
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind != YAML_SCALAR || !pages_parse(&url, item->text, NULL))
            return config_wrong(p, item, _("this wants URLs like https://www.example.com/"));
        p->config->health[p->config->health_count++] = item->text;
    }
    return true;
}
