/* pages.h - asks a site for a page, over loopback, as a visitor would.
 *
 * A GET of HTTP/1.1 (RFC 9112) to 127.0.0.1, else to ::1, whatever host stands in the URL: that
 * goes into Host: and, with https, into the server name of TLS (RFC 6066, 3). Certificates are not
 * judged: whether a server still answers is the question. Of the answer the status line is read,
 * in a cage. At most ten seconds a page. */
#ifndef YAGURA_ACT_PAGES_H
#define YAGURA_ACT_PAGES_H

#include "base/error.h"

/* "http://www.example.com:8080/health?x". ERR_USAGE for what is no such URL. */
struct page_url {
    bool tls;
    char host[256]; /* with the brackets of an IPv6 address */
    uint16_t port;
    const char *path; /* within the text that was parsed */
};
bool pages_parse(struct page_url *out, const char *url, struct error *e);

/* The status, 100 to 599. False: there was no answer, and why. */
bool pages_ask(int *status, const char *url, struct error *e);
/* The same of a server that listens at one address of this host only: "192.0.2.1", "2001:db8::1".
 * NULL: loopback. */
bool pages_ask_at(int *status, const char *url, const char *address, struct error *e);

#endif
