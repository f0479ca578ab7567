/* image.c - a disk image, read by a program of its own (libexec/yagura-image) in a cage. */
#include "base/monotonic.h"
#include "target/image_protocol.h"
#include "target/ops.h"

#include "base/file.h"
#include "base/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct image {
    struct target target;
    struct arena *arena;
    pid_t reader;
    pid_t owner; /* who started the reader: a caged child may neither kill nor reap it */
    uint32_t requests;
    size_t readable;   /* the first volumes; the others are only named */
    struct error dead; /* once the reader is gone or hangs: why */
    char *packet;
};

static void stop_reader(struct image *image)
{
    if (image->owner != getpid()) {
        shutdown(image->target.socket, SHUT_RDWR); /* it sees the end once it looks */
        return;
    }
    if (image->reader > 0) {
        kill(image->reader, SIGKILL);
        while (waitpid(image->reader, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    image->reader = -1;
}

/* Every further request fails likewise. */
static bool give_up(struct image *image, enum error_code code, const char *why, struct error *e)
{
    stop_reader(image);
    error_set(&image->dead, code, "%s", why);
    if (e)
        *e = image->dead;
    return false;
}

/* A moment's patience: it closes its socket before it is a zombie. It may also live on, where a
 * caged child has shut the socket. */
static bool reap(pid_t pid, int *status)
{
    for (int i = 0; pid > 0 && i < 200; i++) {
        pid_t found = waitpid(pid, status, WNOHANG);
        if (found == pid)
            return true;
        if (found < 0)
            return false;
        poll(NULL, 0, 1);
    }
    return false;
}

static bool reader_gone(struct image *image, struct error *e)
{
    int status = 0;
    bool hung = false;
    char why[200];
    snprintf(why, sizeof why, "%s", _("the reader of disk images has ended"));
    if (image->owner == getpid() && reap(image->reader, &status)) {
        image->reader = -1;
        int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        hung = number == SIGXCPU || (WIFEXITED(status) && WEXITSTATUS(status) == IMAGE_EXIT_HUNG);
        if (hung)
            snprintf(why, sizeof why, _("the image hung its reader (%d s of processor time)"),
                     IMAGE_CPU_SECONDS);
        else if (number)
            snprintf(why, sizeof why, _("the image made its reader die (SIG%s)"),
                     sigabbrev_np(number) ? sigabbrev_np(number) : "?");
        else
            snprintf(why, sizeof why, _("the reader of disk images ended with exit code %d"),
                     WEXITSTATUS(status));
    }
    return give_up(image, hung ? ERR_TIMEOUT : ERR_CAGE, why, e);
}

enum received { RECEIVED, RECEIVED_NOTHING, RECEIVED_END };

static enum received receive(struct image *image, int64_t deadline, size_t *size)
{
    for (;;) {
        int64_t left = deadline - monotonic_ms();
        struct pollfd fd = {.fd = image->target.socket, .events = POLLIN};
        int ready = left > 0 ? poll(&fd, 1, (int)left) : 0;
        if (ready == 0)
            return RECEIVED_NOTHING;
        if (ready < 0)
            continue;
        ssize_t n = recv(fd.fd, image->packet, IMAGE_MOST_PACKET + 64, MSG_DONTWAIT | MSG_TRUNC);
        if (n > IMAGE_MOST_PACKET + 64 || n == 0)
            return RECEIVED_END;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return RECEIVED_END;
        *size = (size_t)n;
        return RECEIVED;
    }
}

static bool send_request(struct image *image, const struct image_request *request, const char *path,
                         int64_t deadline, struct error *e)
{
    CLEANUP_STR struct str packet = {0};
    if (!image_protocol_put_request(&packet, request, path)) {
        error_set(e, ERR_LIMIT, "a path longer than %d bytes", IMAGE_MOST_PATH);
        return false;
    }
    for (;;) {
        ssize_t n =
            send(image->target.socket, packet.data, packet.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            return true;
        if (errno == EAGAIN && monotonic_ms() < deadline) {
            struct pollfd fd = {.fd = image->target.socket, .events = POLLOUT};
            poll(&fd, 1, 100);
        } else if (errno != EINTR) {
            return reader_gone(image, e);
        }
    }
}

/* Sends a request and gathers its answer, of at most `most` bytes. */
static bool ask(struct image *image, struct image_request *request, const char *path, size_t most,
                struct str *answer, struct error *e)
{
    if (image->dead.code) {
        if (e)
            *e = image->dead;
        return false;
    }
    /* A caged child and its parent count on from the same number: the pid tells them apart. */
    request->id = (uint64_t)getpid() << 32 | ++image->requests;
    request->volume = (uint32_t)image->target.volume;
    int64_t deadline = monotonic_ms() + IMAGE_WALL_MS;
    if (!send_request(image, request, path, deadline, e))
        return false;
    for (;;) {
        size_t size;
        struct image_packet packet;
        enum received received = receive(image, deadline, &size);
        if (received == RECEIVED_NOTHING)
            return give_up(image, ERR_TIMEOUT,
                           _("the reader of disk images gave no answer in time"), e);
        if (received == RECEIVED_END)
            return reader_gone(image, e);
        if (!image_protocol_get_packet(&packet, image->packet, size))
            return give_up(image, ERR_CAGE, _("the reader of disk images sent nonsense"), e);
        if (packet.id != request->id)
            continue;
        if (packet.kind == IMAGE_END)
            return true;
        if (packet.kind == IMAGE_FAIL) {
            if (e)
                *e = packet.error;
            return packet.error.code == ERR_TIMEOUT
                       ? give_up(image, ERR_TIMEOUT, packet.error.message, e)
                       : false;
        }
        if (packet.size > most - answer->length)
            return give_up(image, ERR_CAGE, _("the reader of disk images sent more than was asked"),
                           e);
        str_add_bytes(answer, packet.data, packet.size);
    }
}

static bool nonsense(struct image *image, struct error *e)
{
    return give_up(image, ERR_CAGE, _("the reader of disk images sent nonsense"), e);
}

static bool image_stat(struct target *t, const char *path, bool follow, struct target_stat *out,
                       struct error *e)
{
    struct image *image = (struct image *)t;
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {.op = IMAGE_STAT, .follow = follow};
    if (!ask(image, &request, path, 256, &answer, e))
        return false;
    return image_protocol_get_stat(out, answer.data, answer.length) || nonsense(image, e);
}

static bool take_block(struct str *answer, char **out, size_t *size)
{
    str_add_bytes(answer, "", 0);
    *out = answer->data;
    *size = answer->length;
    *answer = (struct str){0};
    return true;
}

static bool image_read(struct target *t, const char *path, size_t most, char **out, size_t *size,
                       struct error *e)
{
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {.op = IMAGE_READ_ALL, .follow = true, .count = most};
    return ask((struct image *)t, &request, path, most, &answer, e) &&
           take_block(&answer, out, size);
}

static bool image_read_at(struct target *t, const char *path, uint64_t offset, void *buffer,
                          size_t count, size_t *got, struct error *e)
{
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {
        .op = IMAGE_READ, .follow = true, .offset = offset, .count = count};
    if (!ask((struct image *)t, &request, path, count, &answer, e))
        return false;
    if (answer.length)
        memcpy(buffer, answer.data, answer.length);
    *got = answer.length;
    return true;
}

static bool image_readlink(struct target *t, const char *path, char *out, size_t size,
                           struct error *e)
{
    struct image *image = (struct image *)t;
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {.op = IMAGE_READLINK};
    if (!ask(image, &request, path, IMAGE_MOST_PATH, &answer, e))
        return false;
    if (!answer.length || memchr(answer.data, 0, answer.length))
        return nonsense(image, e);
    if (answer.length >= size) {
        error_set(e, ERR_LIMIT, "the link leads to a name longer than we take");
        return false;
    }
    memcpy(out, answer.data, answer.length + 1);
    return true;
}

static bool image_list(struct target *t, const char *path, struct arena *arena,
                       struct target_entry **out, size_t *count, struct error *e)
{
    struct image *image = (struct image *)t;
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {.op = IMAGE_LIST, .follow = true};
    if (!ask(image, &request, path, IMAGE_MOST_LIST, &answer, e))
        return false;
    return image_protocol_get_entries(out, count, arena, answer.data, answer.length) ||
           nonsense(image, e);
}

static bool image_security(struct target *t, const char *path, char **out, size_t *size,
                           struct error *e)
{
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {.op = IMAGE_SECURITY, .follow = true};
    return ask((struct image *)t, &request, path, IMAGE_MOST_SECURITY, &answer, e) &&
           take_block(&answer, out, size);
}

static void image_close(struct target *t)
{
    struct image *image = (struct image *)t;
    if (t->socket >= 0)
        close(t->socket);
    if (image->owner == getpid())
        stop_reader(image);
    arena_free(image->arena);
    free(image->packet);
    free(image);
}

static const struct target_ops image_ops = {
    .kind = TARGET_IMAGE,
    .close = image_close,
    .stat = image_stat,
    .read = image_read,
    .read_at = image_read_at,
    .readlink = image_readlink,
    .list = image_list,
    .security = image_security,
};

/* --- starting the reader --- */

static int open_folder_of(const char *file)
{
    CLEANUP_FREE char *dir = mem_strdup(file);
    char *slash = strrchr(dir, '/');
    if (slash == dir)
        slash[1] = '\0';
    else if (slash)
        *slash = '\0';
    return open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A regular file or a block device: others hang or have no size. */
static int open_image(const char *file, struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "the disk image could not be opened");
        return -1;
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        error_set(e, ERR_USAGE,
                  S_ISDIR(st.st_mode)
                      ? N_("a disk image is a file or a block device; for a folder there is --root")
                      : N_("a disk image is a file or a block device"));
        return -1;
    }
    return helper_fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

static bool spawn(struct image *image, const char *file, struct error *e)
{
    int pair[2];
    CLEANUP_CLOSE int fd = open_image(file, e);
    if (fd < 0)
        return false;
    CLEANUP_CLOSE int dir = helper_fd(open_folder_of(file));
    if (dir < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        error_set_errno(e, errno, "the disk image's folder could not be opened");
        return false;
    }
    image->target.socket = pair[0];
    CLEANUP_CLOSE int theirs = helper_fd(pair[1]);
    const int fds[] = {theirs, fd, dir}; /* IMAGE_SOCKET_FD and on */
    return helper_start(&image->reader, "yagura-image", fds, ARRAY_COUNT(fds), e);
}

static bool ask_volumes(struct image *image, struct error *e)
{
    CLEANUP_STR struct str answer = {0};
    struct image_request request = {.op = IMAGE_VOLUMES};
    struct target_volume *volumes;
    if (!ask(image, &request, "", (size_t)128 * 1024, &answer, e))
        return false;
    if (!image_protocol_get_volumes(&volumes, &image->target.volume_count, &image->readable,
                                    image->arena, answer.data, answer.length))
        return nonsense(image, e);
    image->target.volumes = volumes;
    return true;
}

bool image_open(struct target **out, const char *file, struct error *e)
{
    struct image *image = mem_alloc(sizeof *image);
    image->arena = arena_new();
    image->packet = mem_resize(NULL, IMAGE_MOST_PACKET + 64);
    image->owner = getpid();
    image->reader = -1;
    image->target =
        (struct target){.ops = &image_ops, .name = mem_strdup(file), .rootfd = -1, .socket = -1};
    if (!spawn(image, file, e) || !ask_volumes(image, e)) {
        error_at(e, file, 0, 0);
        target_close(&image->target);
        return false;
    }
    *out = &image->target;
    return true;
}
