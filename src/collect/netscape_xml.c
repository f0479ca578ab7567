#include "collect/netscape_xml.h"

#include "base/language.h"
#include "base/str.h"
#include "collect/xml_tags.h"

#include <stdlib.h>

/* What holds at the place that is being read. */
struct scope {
    const char *server_root, *class_root, *class_objects;
    bool in_class, in_server;
};

static const char *get(const struct xml_tags *x, const char *name)
{
    const char *value = xml_tags_get(x, name);
    return value ? value : "";
}

static void add_socket(struct netscape_xml *out, const struct xml_tags *x)
{
    const char *ip = get(x, "ip");
    bool any = str_equal(ip, "0.0.0.0") || str_equal_nocase(ip, "any") || str_equal(ip, "::");
    struct netscape_socket s = {any ? "" : ip, get(x, "port"), get(x, "security"), x->line};
    if (out->sockets.count < NETSCAPE_XML_MOST)
        VEC_PUSH(&out->sockets, s);
    else
        out->problem = _("more than 1000 listen sockets: the rest was not read");
}

static void add_server(struct netscape_xml *out, const struct xml_tags *x,
                       const struct scope *scope)
{
    struct netscape_virtual v = {
        .id = get(x, "id"),
        .hosts = get(x, "urlhosts"),
        .root = *scope->class_root ? scope->class_root : scope->server_root,
        .objects = *get(x, "objectfile") ? get(x, "objectfile") : scope->class_objects,
        .state = get(x, "state"),
        .line = x->line};
    if (out->servers.count < NETSCAPE_XML_MOST)
        VEC_PUSH(&out->servers, v);
    else
        out->problem = _("more than 1000 virtual servers: the rest was not read");
}

static void take_variable(struct netscape_xml *out, const struct xml_tags *x, struct scope *scope)
{
    const char *root = str_equal(x->name, "VARS")             ? get(x, "docroot")
                       : str_equal(get(x, "name"), "docroot") ? get(x, "value")
                                                              : "";
    if (!*root)
        return;
    if (scope->in_server && out->servers.count)
        out->servers.items[out->servers.count - 1].root = root;
    else if (scope->in_class)
        scope->class_root = root;
    else
        scope->server_root = root;
}

void netscape_xml_parse(struct netscape_xml *out, struct arena *arena, const char *text,
                        size_t size)
{
    struct xml_tags x = xml_tags_of(arena, text, size);
    struct scope scope = {.server_root = "", .class_root = "", .class_objects = ""};
    *out = (struct netscape_xml){0};
    while (xml_tags_next(&x)) {
        bool opens = !x.closes;
        if (str_equal(x.name, "LS") && opens) {
            add_socket(out, &x);
        } else if (str_equal(x.name, "VSCLASS")) {
            scope.in_class = opens && !x.empty;
            scope.class_root = "";
            scope.class_objects = opens ? get(&x, "objectfile") : "";
        } else if (str_equal(x.name, "VS")) {
            scope.in_server = opens && !x.empty;
            if (opens)
                add_server(out, &x, &scope);
        } else if ((str_equal(x.name, "VARS") || str_equal(x.name, "PROPERTY")) && opens) {
            take_variable(out, &x, &scope);
        }
    }
    if (x.damaged)
        out->problem =
            arena_printf(arena, _("it is no XML from line %llu on"), (unsigned long long)x.line);
    else if (x.entities)
        out->problem = _("it defines entities of its own, which are not followed");
}

void netscape_xml_free(struct netscape_xml *xml)
{
    VEC_FREE(&xml->sockets);
    VEC_FREE(&xml->servers);
}
