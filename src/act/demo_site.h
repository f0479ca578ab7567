/* demo_site.h - a small site under a temporary folder, served by nginx on loopback, for a first
 * look at a host that serves nothing.
 *
 *   DIR/www/            index.html, about.html, style.css, a/page.html, b/page.html
 *   DIR/nginx.conf      what nginx reads: one server on 127.0.0.1 at a free port, no log
 *
 * The server ends with demo_site_end(), and by itself when this process dies. */
#ifndef YAGURA_ACT_DEMO_SITE_H
#define YAGURA_ACT_DEMO_SITE_H

#include "base/error.h"

#include <sys/types.h>

struct demo_site {
    char dir[64];  /* "/tmp/yagura-demo-XXXXXX" */
    char root[80]; /* DIR/www */
    char url[40];  /* "http://127.0.0.1:PORT/" */
    pid_t server;  /* 0: none, as there is no nginx here; `why` says so */
    struct error why;
};

bool demo_site_make(struct demo_site *out, struct error *e);
/* Ends the server and takes the folder away. */
void demo_site_end(struct demo_site *d);

#endif
