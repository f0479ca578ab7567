/* notice.h - the page that visitors get while this host is isolated: starts, keeps and ends
 * yagura-notice (libexec), which serves it with 503 over HTTP and, with the sites' own
 * certificates, over TLS.
 *
 * A browser that was ever told to use TLS (HSTS) shows nothing without a certificate of the
 * name it asked for. Keys are read by that program alone, which serves nothing else; they have to
 * be replaced after a break-in anyway. Without certificates visitors over TLS are refused.
 *
 * In the state: notice.conf (what to say; a unit starts it by that at boot), notice.lock (held by
 * the program that runs). */
#ifndef YAGURA_ACT_NOTICE_H
#define YAGURA_ACT_NOTICE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct notice_certificate {
    const char *chain, *key; /* files in PEM; absolute paths */
};

struct notice {
    const char *page; /* HTML, a file; NULL: the one that is shipped */
    struct notice_certificate certificates[64];
    size_t certificate_count;
    unsigned seconds; /* it ends by itself then; 0: stays */
};

/* Shows it, and takes the place of one that is shown. *tls_port is 0 where there is no certificate
 * that can be used. */
bool notice_start(uint16_t *port, uint16_t *tls_port, int state_dirfd, const struct notice *n,
                  struct error *e);
/* It no longer ends by itself. Nothing if none is shown. */
void notice_stay(int state_dirfd);
/* Ends it, and forgets what it said. Fine if none is shown. */
bool notice_stop(int state_dirfd, struct error *e);

#endif
