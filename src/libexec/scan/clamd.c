#include "libexec/scan/program.h"

#include "base/language.h"
#include "base/mem.h"
#include "collect/clamd_reply.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
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

void clamd_begin(struct clamd *c, int socket)
{
    static const char session[] = "zIDSESSION";
    if (c->socket >= 0)
        close(c->socket);
    *c = (struct clamd){.socket = send_all(socket, session, sizeof session) ? socket : -1};
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

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* An answer ends with a NUL. */
static bool read_answer(struct clamd *c, char *out, size_t size, size_t *length)
{
    int64_t end = now_ms() + SCAN_CLAMD_SECONDS * 1000LL;
    for (*length = 0; *length < size;) {
        int64_t left = end - now_ms();
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

void clamd_ask(struct clamd *c, uint32_t number, int fd)
{
    enum { MOST_ANSWER = 1024 };
    char answer[MOST_ANSWER];
    size_t length;
    struct clamd_reply reply;
    if (c->socket < 0)
        return;
    c->asked++;
    bool told = hand_over(c, fd) && read_answer(c, answer, sizeof answer, &length);
    if (!told || !clamd_reply_parse(&reply, answer, length) || reply.number != c->asked) {
        program_note(number, SCAN_CLAMD_GONE, "%s",
                     told ? _("clamd answered something that makes no sense") : strerror(errno));
        close(c->socket);
        c->socket = -1;
        return;
    }
    if (reply.verdict == CLAMD_FOUND)
        tell_hit(number, reply.name);
    else if (reply.verdict == CLAMD_ERROR)
        program_note(number, SCAN_UNREAD, _("clamd could not look at it: %s"), reply.name);
}
