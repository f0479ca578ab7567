/* netscape_xml.h - server.xml of iPlanet Web Server 6.0 and Sun ONE 6.1: listen sockets (LS) and
 * virtual servers (VS, within classes). A variable `docroot` holds for what it stands in: VARS
 * docroot="..." in 6.0, PROPERTY name="docroot" value="..." in 6.1. */
#ifndef YAGURA_COLLECT_NETSCAPE_XML_H
#define YAGURA_COLLECT_NETSCAPE_XML_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum { NETSCAPE_XML_MOST = 1000 }; /* sockets; virtual servers */

struct netscape_socket {
    const char *ip; /* "" is any */
    const char *port, *security;
    uint64_t line;
};

struct netscape_virtual {
    const char *id, *hosts, *root, *objects, *state; /* "" where it does not say */
    uint64_t line;
};

struct netscape_xml {
    VEC(struct netscape_socket) sockets;
    VEC(struct netscape_virtual) servers;
    const char *problem; /* why not all of it was read; NULL if it was */
};

/* Texts in the arena. */
void netscape_xml_parse(struct netscape_xml *out, struct arena *arena, const char *text,
                        size_t size);
void netscape_xml_free(struct netscape_xml *xml);

#endif
