#include "base/monotonic.h"
#include "libexec/scan/program.h"

#include "base/language.h"
#include "base/mem.h"
#include "collect/clamd_reply.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static bool send_all(int socket, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(socket, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

void clamd_begin(struct clamd *c, int socket, bool by_stream, struct scan_progress *progress)
{
    static const char session[] = "zIDSESSION";
    if (c->socket >= 0)
        close(c->socket);
    *c = (struct clamd){.socket = send_all(socket, session, sizeof session) ? socket : -1,
                        .by_stream = by_stream,
                        .progress = progress};
    if (c->socket < 0)
        close(socket);
}

/* One byte has to go with the descriptor. */
static bool hand_over(struct clamd *c, int fd)
{
    static const char command[] = "zFILDES";
    CLEANUP_STR struct str byte = {0};
    str_add_char(&byte, '\0');
    return send_all(c->socket, command, sizeof command) && scan_send(c->socket, &byte, &fd, 1, 0);
}

static bool send_piece(const struct clamd *c, const unsigned char *bytes, size_t size)
{
    CLEANUP_STR struct str length = {0};
    for (int shift = 24; shift >= 0; shift -= 8)
        str_add_char(&length, (char)(size >> shift & 0xff));
    return send_all(c->socket, length.data, length.length) &&
           send_all(c->socket, (const char *)bytes, size);
}

/* Pieces, each behind its length in network order; an empty one ends it. Where clamd takes no more
 * (StreamMaxLength) it says so and hangs up: the answer tells. False: it cannot be read. */
static bool send_stream(struct clamd *c, int fd)
{
    enum { PIECE = 256 * 1024 };
    static const char command[] = "zINSTREAM";
    CLEANUP_FREE unsigned char *buffer = mem_resize(NULL, PIECE);
    if (!send_all(c->socket, command, sizeof command))
        return false;
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, buffer, PIECE, at)) > 0; at += n) {
        atomic_fetch_add(&c->progress->steps, 1);
        if (!send_piece(c, buffer, (size_t)n))
            return errno == EPIPE || errno == ECONNRESET;
    }
    return n == 0 && (send_piece(c, buffer, 0) || errno == EPIPE || errno == ECONNRESET);
}

/* An answer ends with a NUL. */
static bool read_answer(struct clamd *c, char *out, size_t size, size_t *length)
{
    int64_t end = monotonic_ms() + SCAN_CLAMD_SECONDS * 1000LL;
    for (*length = 0; *length < size;) {
        int64_t left = end - monotonic_ms();
        struct pollfd fd = {.fd = c->socket, .events = POLLIN};
        if (left <= 0 || poll(&fd, 1, (int)left) == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        ssize_t n = recv(c->socket, out + *length, 1, MSG_DONTWAIT);
        if (n == 0)
            errno = ECONNRESET;
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return false;
        if (n > 0 && out[(*length)++] == '\0')
            return true;
    }
    errno = EMSGSIZE;
    return false;
}

static void tell_hit(uint32_t number, const char *name)
{
    struct scan_reply reply = {.answer = SCAN_HIT, .number = number, .engine = SCAN_CLAMAV};
    snprintf(reply.rule, sizeof reply.rule, "%s", name);
    program_reply(&reply);
}

/* False, with errno, where nothing came that makes sense. */
static bool ask(struct clamd *c, int fd, bool by_stream, struct clamd_reply *out)
{
    enum { MOST_ANSWER = 1024 };
    char answer[MOST_ANSWER];
    size_t length;
    c->asked++;
    if (!(by_stream ? send_stream(c, fd) : hand_over(c, fd)) ||
        !read_answer(c, answer, sizeof answer, &length))
        return false;
    errno = EBADMSG;
    return clamd_reply_parse(out, answer, length) && out->number == c->asked;
}

/* As it does after some errors, and not after others. */
static bool hung_up(const struct clamd *c)
{
    enum { MOMENT_MS = 100 };
    struct pollfd fd = {.fd = c->socket, .events = POLLIN};
    return poll(&fd, 1, MOMENT_MS) > 0;
}

static const char *why(int number)
{
    return number == EBADMSG     ? _("clamd answered something that makes no sense")
           : number == ETIMEDOUT ? _("clamd does not answer")
                                 : strerror(number);
}

void clamd_ask(struct clamd *c, uint32_t number, int fd)
{
    struct clamd_reply reply;
    if (c->socket < 0)
        return;
    bool told = ask(c, fd, c->by_stream, &reply);
    /* a security module may keep this one descriptor from it: then the bytes */
    if (told && reply.verdict == CLAMD_ERROR && !c->by_stream)
        told = ask(c, fd, true, &reply);
    bool gone = !told || (reply.verdict == CLAMD_ERROR && hung_up(c));
    if (!told)
        program_note(number, SCAN_CLAMD_GONE, "%s", why(errno));
    else if (reply.verdict == CLAMD_FOUND)
        tell_hit(number, reply.name);
    else if (reply.verdict == CLAMD_ERROR)
        program_note(number, gone ? SCAN_CLAMD_GONE : SCAN_UNREAD,
                     _("clamd could not look at it: %s"), reply.name);
    if (gone) {
        close(c->socket);
        c->socket = -1;
    }
}
