/* Whatever a visitor sends, over HTTP and over TLS, in pieces: he gets the notice or nothing, and
 * the next one is answered. */
#include "base/mem.h"
#include "libexec/notice/visitors.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listen_at(struct sockaddr_un *address, const char *what)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "yagura-fuzz-%s-%d", what,
             (int)getpid());
    if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 8) != 0)
        abort();
    return fd;
}

static SSL_CTX *make_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    if (!key || !X509_set_pubkey(x, key) || !X509_sign(x, key, EVP_sha256()) ||
        SSL_CTX_use_certificate(tls, x) != 1 || SSL_CTX_use_PrivateKey(tls, key) != 1)
        abort();
    X509_free(x);
    EVP_PKEY_free(key);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

static int come(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        abort();
    return fd;
}

/* The first byte: over TLS or not, and how large the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sockaddr_un plain, secure;
    static struct visitors *v;
    char said[4096];
    if (!v) {
        signal(SIGPIPE, SIG_IGN); /* as its main() does: OpenSSL writes without MSG_NOSIGNAL */
        v = visitors_new(listen_at(&plain, "plain"), listen_at(&secure, "tls"), make_tls(), "busy",
                         4);
    }
    if (!size)
        return 0;
    bool tls = data[0] & 1;
    size_t piece = (size_t)(data[0] >> 1) * 16 + 1;
    int fd = come(tls ? &secure : &plain);
    visitors_serve(v, 0);
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (send(fd, data + at, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
        visitors_serve(v, 0);
    }
    ssize_t n = recv(fd, said, sizeof said, MSG_DONTWAIT);
    if (!tls && n > 0 && (n < 12 || memcmp(said, "HTTP/1.1 503", 12) != 0))
        abort();
    close(fd);
    visitors_serve(v, 0);
    int next = come(&plain);
    if (send(next, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL) != 18)
        abort();
    for (int i = 0; i < 4; i++)
        visitors_serve(v, 0);
    n = recv(next, said, sizeof said, MSG_DONTWAIT);
    if (n < 12 || memcmp(said, "HTTP/1.1 503", 12) != 0 || memcmp(said + n - 4, "busy", 4) != 0)
        abort();
    close(next);
    return 0;
}
