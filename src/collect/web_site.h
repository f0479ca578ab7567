/* web_site.h - the facts that the collectors of nginx, Apache 2 and lighttpd state alike.
 *
 * One `web-server` for a configuration, one `site` for each server block, virtual host or
 * condition on the host, one `vdir` for each URL path that has a folder or a handler of its
 * own, one `log` for each log of a site: docs/facts.md says what each key means. */
#ifndef YAGURA_COLLECT_WEB_SITE_H
#define YAGURA_COLLECT_WEB_SITE_H

#include "collect/conf_tree.h"

struct web_server {
    struct conf_reading *r;
    const char *server;   /* "nginx", "apache2", "lighttpd" */
    const char *instance; /* its main configuration file */
    const char *program;  /* stated as absent where it is not there */
    const char *user, *group;
    VEC(const char *) names; /* of the sites, each once */
    size_t records;
};

/* Folder known only when somebody asks: `why` is the reason, "" where the folder is known. */
struct web_folder {
    const char *path; /* as configured, absolute where that can be said */
    const char *why;
};

void web_server_free(struct web_server *w);

/* The fact about the server itself, once its configuration was read. `listens` and `modules`
 * are space-separated. */
void web_server_add(struct web_server *w, const char *listens, const char *modules);

/* `names` and `bindings` are space-separated lists; the first of each make the site's name
 * (`example.com:443`), which a number follows where it is taken. NULL, stated once, where there
 * are more records than are made. */
struct fact *web_site_add(struct web_server *w, const char *path, uint64_t line, const char *names,
                          const char *bindings);
/* The key as text with KEY_exists; or as unreadable, with the text in KEY_pattern. */
void web_put_folder(struct web_server *w, struct fact *f, const char *key,
                    struct web_folder folder);

/* The files with which it speaks TLS: `certificate` and `certificate_key`, where both are there;
 * nothing where one is none, or hangs on the request. */
void web_put_certificate(struct web_server *w, struct fact *site, struct web_folder chain,
                         struct web_folder key);

/* A URL path of a site; `match` says how it is compared. */
struct fact *web_path_add(struct web_server *w, const struct fact *site, const char *path,
                          uint64_t line, const char *url, const char *match);

/* It can be written by WebDAV: `open_methods` are those that anybody may use; where `why` says that
 * they are not known, unreadable. */
void web_put_writable(struct web_server *w, struct fact *f, const char *open, const char *why);
#define WEB_WRITING_METHODS "PUT DELETE MKCOL COPY MOVE"

/* A log of a site: role "access" or "error"; a format of NULL is left out. */
void web_log_add(struct web_server *w, const struct fact *site, const char *path, uint64_t line,
                 const char *role, struct web_folder log, const char *format,
                 const char *format_text);

/* Adds a word to a space-separated list, once. */
void web_list_add(struct str *list, const char *word);

#endif
