/* yagura-scan - looks for patterns in files, for collect/scan_workers.c; not for people.
 *
 * It is started with two descriptors (scan_protocol.h) and gets all others through the first one:
 * files of rules, a socket of clamd, the files to be looked at. It cages itself before it reads
 * any of them (base/cage.h, CAGE_BYTES: it cannot open anything). libyara is linked here alone.
 *
 * One thread: there are as many of these programs as there are cores, and a file that kills or
 * hangs libyara costs one of them. */
#include "libexec/scan/program.h"

#include "base/cage.h"
#include "base/error.h"
#include "base/language.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct program {
    struct rules_text *texts;
    struct look *look; /* NULL: there are no rules */
    struct clamd clamd;
    struct scan_progress *progress;
};

void program_reply(const struct scan_reply *reply)
{
    CLEANUP_STR struct str packet = {0};
    scan_put_reply(&packet, reply);
    if (!scan_send(SCAN_SOCKET_FD, &packet, NULL, 0, 0))
        exit(0); /* nobody listens any more */
}

void program_note(uint32_t number, enum scan_note note, const char *format, ...)
{
    struct scan_reply reply = {.answer = SCAN_NOTE, .number = number, .note = note};
    va_list args;
    va_start(args, format);
    vsnprintf(reply.what, sizeof reply.what, format, args);
    va_end(args);
    program_reply(&reply);
}

static void compile(struct program *p)
{
    struct scan_reply reply = {.answer = SCAN_READY};
    YR_RULES *rules = p->texts ? rules_text_compile(p->texts, &reply.number) : NULL;
    if (rules && reply.number)
        p->look = look_new(rules, p->texts, p->progress);
    program_reply(&reply);
}

static void look_at_files(struct program *p, const struct scan_packet *r, const int *fds)
{
    struct scan_reply reply = {.answer = SCAN_DONE};
    for (size_t i = 0; i < r->count; i++) {
        uint32_t number = r->first + (uint32_t)i;
        atomic_store(&p->progress->file, number);
        atomic_fetch_add(&p->progress->steps, 1);
        if (p->look)
            reply.archives += look_at(p->look, number, fds[i], r->files[i].size, r->files[i].path);
        clamd_ask(&p->clamd, number, fds[i]);
        reply.number = number;
    }
    program_reply(&reply);
}

/* False for an order that makes no sense: the client is not ours. */
static bool obey(struct program *p, const struct scan_packet *r, int *fds, size_t fd_count)
{
    switch (r->order) {
    case SCAN_RULES:
        if (fd_count == 1)
            rules_text_add(&p->texts, fds[0], r->files[0].path, r->ours);
        return fd_count == 1;
    case SCAN_COMPILE:
        compile(p);
        return fd_count == 0;
    case SCAN_CLAMD:
    case SCAN_CLAMD_STREAM:
        if (fd_count == 1)
            clamd_begin(&p->clamd, fcntl(fds[0], F_DUPFD_CLOEXEC, 0), r->order == SCAN_CLAMD_STREAM,
                        p->progress);
        return fd_count == 1;
    case SCAN_FILES:
        if (fd_count == r->count)
            look_at_files(p, r, fds);
        return fd_count == r->count;
    }
    return false;
}

int main(void)
{
    static const struct cage_limits limits = {
        .memory_bytes = (uint64_t)SCAN_MEMORY_MB << 20,
        .cpu_seconds = 7 * 24 * 3600, /* the client watches each file */
    };
    struct program p = {.clamd = {.socket = -1}};
    struct error e = ERROR_INIT;
    language_set(NULL);
    signal(SIGPIPE, SIG_IGN);
    p.progress =
        mmap(NULL, sizeof *p.progress, PROT_READ | PROT_WRITE, MAP_SHARED, SCAN_PROGRESS_FD, 0);
    if (p.progress == MAP_FAILED || yr_initialize() != ERROR_SUCCESS)
        return 2;
    close(SCAN_PROGRESS_FD);
    if (!cage_enter(CAGE_BYTES, -1, &limits, &e)) {
        struct scan_reply reply = {.answer = SCAN_PROBLEM};
        snprintf(reply.what, sizeof reply.what, "%s", e.message);
        program_reply(&reply);
        return 2;
    }
    CLEANUP_FREE char *packet = mem_alloc(SCAN_MOST_PACKET);
    CLEANUP_FREE struct scan_packet *request = mem_alloc(sizeof *request);
    for (;;) {
        int fds[SCAN_BATCH];
        size_t fd_count;
        ssize_t size = scan_receive(SCAN_SOCKET_FD, packet, SCAN_MOST_PACKET, fds, &fd_count, 0);
        if (size <= 0)
            return size < 0;
        bool good =
            scan_get_packet(request, packet, (size_t)size) && obey(&p, request, fds, fd_count);
        for (size_t i = 0; i < fd_count; i++)
            close(fds[i]);
        if (!good)
            return 2;
    }
}
