/* nginx_write.h - who may write to a place of nginx by WebDAV (dav_methods).
 *
 * Read off what stands there: allow and deny, auth_basic, auth_request, certificates of clients,
 * satisfy and limit_except, as they are inherited. What another module or an `if` decides is not
 * known, and said so. Sources: nginx.org/en/docs/http/ngx_http_dav_module.html,
 * ngx_http_access_module.html and ngx_http_core_module.html. */
#ifndef YAGURA_COLLECT_NGINX_WRITE_H
#define YAGURA_COLLECT_NGINX_WRITE_H

#include "collect/nginx_conf.h"

struct nginx_writing {
    bool any;         /* methods that write are on */
    const char *open; /* those that anybody may use, space-separated; "" = none that is known of */
    const char *why;  /* why it is not known of others; "" where it is */
};

struct nginx_writing nginx_writing_of(struct arena *arena, const struct conf_node *block);

#endif
