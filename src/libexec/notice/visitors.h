/* visitors.h - answers whoever comes, over HTTP/1.1 and TLS, with one page and 503 (RFC 9110,
 * 15.6.4), whatever was asked for.
 *
 * Of a request only its method is looked at (HEAD gets no page), and that it has ended. Each
 * visitor has 8 KiB and ten seconds; the one who came first of too many goes. */
#ifndef YAGURA_LIBEXEC_NOTICE_VISITORS_H
#define YAGURA_LIBEXEC_NOTICE_VISITORS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct visitors;

struct visitors *visitors_new(int plain_fd, int tls_fd, SSL_CTX *tls, const char *page,
                              size_t page_size);
/* Once around: waits at most `wait_ms` for something to do. */
void visitors_serve(struct visitors *v, int wait_ms);

#endif
