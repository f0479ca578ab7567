/* site_root.h - the folders that web servers show to visitors, read off the facts.
 *
 * A pure function over the `site` and `vdir` facts of nginx, Apache 2 and lighttpd. Each folder
 * of a server stands in the list once, under the first site and URL path that show it. Left
 * out are: the folder of a path that lies just where the site's root has it, what a program
 * answers, and a main server that no request reaches. A folder that depends on the request is
 * in the list, too: it has no root but a pattern, so that nobody takes it for guarded. */
#ifndef YAGURA_MODEL_SITE_ROOT_H
#define YAGURA_MODEL_SITE_ROOT_H

#include "model/fact.h"

struct site_root {
    const char *server;     /* "nginx", "apache2", "lighttpd" */
    const char *name;       /* of the site: "example.com:80" */
    const char *root;       /* an absolute folder (or, for an alias of one file, that file), not
                               ending in a slash; "" = not known */
    const char *pattern;    /* what the configuration says, where the root is not known; else "" */
    const char *url_prefix; /* "/" for the whole site; a pattern of URLs as configured, else */
    const char *user, *group; /* whom the server runs as for this site */
    const char *source;       /* "PATH:LINE" */
};

struct site_roots {
    struct site_root *items;
    size_t count;
};

/* The list lives in `arena`, its strings there or in the facts; in the order of the facts. */
struct site_roots site_roots_of(const struct facts *facts, struct arena *arena);

#endif
