#include "collect/nginx_write.h"

#include "base/language.h"
#include "base/str.h"
#include "collect/web_site.h"

enum address {
    ADDRESS_CLOSED,
    ADDRESS_LEFT_OPEN, /* nothing refuses an address that nobody thought of */
    ADDRESS_LET_IN     /* allow all: with `satisfy any` that suffices */
};

/* allow and deny count in their order, those of the nearest block that has one. */
static enum address address_of(const struct conf_node *block)
{
    while (block && !conf_find(block, "allow") && !conf_find(block, "deny"))
        block = block->parent;
    for (const struct conf_node *n = block ? block->first : NULL; n; n = n->next) {
        if (!str_equal(conf_arg(n, 0), "all"))
            continue;
        if (str_equal(n->name, "deny"))
            return ADDRESS_CLOSED;
        if (str_equal(n->name, "allow"))
            return ADDRESS_LET_IN;
    }
    return ADDRESS_LEFT_OPEN;
}

static bool is_set(const struct conf_node *block, const char *name)
{
    const struct conf_node *d = nginx_conf_in_force(block, name);
    return d && !str_equal(conf_arg(d, 0), "off");
}

/* Modules from elsewhere that may ask who comes. */
static const char *other_guard(const struct conf_node *block)
{
    static const char *const known[] = {"auth_basic", "auth_request", "auth_delay", "auth_http"},
                             *const guards[] = {"auth_", "access_by_", "rewrite_by_", "js_access",
                                                "modsecurity"};
    for (; block; block = block->parent)
        for (const struct conf_node *n = block->first; n; n = n->next) {
            bool may = false;
            for (size_t i = 0; i < ARRAY_COUNT(guards); i++)
                may |= str_starts(n->name, guards[i]);
            for (size_t i = 0; i < ARRAY_COUNT(known); i++)
                may &= !str_starts(n->name, known[i]);
            if (may)
                return n->name;
        }
    return NULL;
}

/* An `if` that answers by itself; one that only asks for the name or the scheme keeps nobody out
 * who knows them. */
static bool has_refusing_if(const struct conf_node *block)
{
    for (const struct conf_node *n = conf_find(block, "if"); n; n = conf_find_next(n)) {
        const char *asks = conf_arg(n, 0) + (conf_arg(n, 0)[0] == '(');
        if (conf_find(n, "return") && !str_equal(asks, "$host") && !str_equal(asks, "$http_host") &&
            !str_equal(asks, "$scheme"))
            return true;
    }
    return false;
}

/* Whether anybody may, by what stands in this block and around it. */
static bool is_open(const struct conf_node *block)
{
    const struct conf_node *satisfy = nginx_conf_in_force(block, "satisfy"),
                           *client = nginx_conf_in_force(block, "ssl_verify_client");
    enum address address = address_of(block);
    bool asked = is_set(block, "auth_basic") || is_set(block, "auth_request");
    if (client && str_equal(conf_arg(client, 0), "on"))
        return false;
    if (asked && satisfy && str_equal(conf_arg(satisfy, 0), "any"))
        return address == ADDRESS_LET_IN;
    return !asked && address != ADDRESS_CLOSED;
}

static const char *doubt_about(struct arena *arena, const struct conf_node *block)
{
    const struct conf_node *server = block;
    while (server->parent && !str_equal(server->name, "server"))
        server = server->parent;
    const char *guard = other_guard(block);
    if (guard)
        return arena_printf(arena, _("%s may ask who it is"), guard);
    return has_refusing_if(block) || has_refusing_if(server) ? _("an `if` may refuse it") : "";
}

/* What limit_except does not name is under its own rules; a location within does not inherit it. */
static const struct conf_node *block_for(const struct conf_node *block, const char *method)
{
    const struct conf_node *limit = conf_find_last(block, "limit_except");
    for (size_t i = 0; limit && i < limit->arg_count; i++)
        if (str_equal_nocase(limit->args[i], method))
            return block;
    return limit ? limit : block;
}

struct nginx_writing nginx_writing_of(struct arena *arena, const struct conf_node *block)
{
    const struct conf_node *methods = nginx_conf_in_force(block, "dav_methods");
    struct nginx_writing w = {
        .any = methods && !str_equal(conf_arg(methods, 0), "off"), .open = "", .why = ""};
    CLEANUP_STR struct str open = {0};
    for (size_t i = 0; w.any && i < methods->arg_count; i++) {
        const struct conf_node *own = block_for(block, methods->args[i]);
        if (!is_open(own))
            continue;
        const char *doubt = doubt_about(arena, block);
        if (*doubt)
            w.why = doubt;
        else
            web_list_add(&open, methods->args[i]);
    }
    w.open = arena_strdup(arena, str_text(&open));
    return w;
}
