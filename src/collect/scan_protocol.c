#include "collect/scan_protocol.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

void scan_put_packet(struct str *out, const struct scan_packet *r)
{
    bytes_put_u8(out, (uint8_t)r->order);
    if (r->order == SCAN_RULES) {
        bytes_put_u8(out, r->ours);
        bytes_put_string(out, r->files[0].path);
    }
    if (r->order != SCAN_FILES)
        return;
    bytes_put_u32le(out, r->first);
    bytes_put_u8(out, (uint8_t)r->count);
    for (size_t i = 0; i < r->count; i++) {
        bytes_put_u64le(out, r->files[i].size);
        bytes_put_string(out, r->files[i].path);
    }
}

/* A string of at most size - 1 bytes; what is longer makes the packet a wrong one. */
static void take(struct bytes *in, char *out, size_t size)
{
    size_t length;
    const char *text = bytes_string(in, size - 1, &length);
    if (text)
        memcpy(out, text, length);
    out[text ? length : 0] = '\0';
}

bool scan_get_packet(struct scan_packet *out, const void *packet, size_t size)
{
    struct bytes in = bytes_of(packet, size);
    out->order = bytes_u8(&in);
    out->ours = false;
    out->count = 0;
    switch (out->order) {
    case SCAN_RULES:
        out->ours = bytes_u8(&in) == 1;
        out->count = 1;
        take(&in, out->files[0].path, sizeof out->files[0].path);
        break;
    case SCAN_COMPILE:
    case SCAN_CLAMD:
    case SCAN_CLAMD_STREAM:
        break;
    case SCAN_FILES:
        out->first = bytes_u32le(&in);
        out->count = bytes_u8(&in);
        if (out->count == 0 || out->count > SCAN_BATCH)
            return false;
        for (size_t i = 0; i < out->count; i++) {
            out->files[i].size = bytes_u64le(&in);
            take(&in, out->files[i].path, sizeof out->files[i].path);
        }
        break;
    default:
        return false;
    }
    return !in.failed && !bytes_left(&in);
}

void scan_put_reply(struct str *out, const struct scan_reply *r)
{
    bytes_put_u8(out, (uint8_t)r->answer);
    if (r->answer == SCAN_PROBLEM)
        bytes_put_string(out, r->path);
    bytes_put_u32le(out, r->number);
    switch (r->answer) {
    case SCAN_PROBLEM:
        bytes_put_string(out, r->what);
        break;
    case SCAN_READY:
        break;
    case SCAN_HIT:
        bytes_put_u8(out, (uint8_t)r->engine);
        bytes_put_u8(out, r->ours);
        bytes_put_u64le(out, r->offset);
        bytes_put_u32le(out, r->line);
        bytes_put_string(out, r->rule);
        bytes_put_string(out, r->path);
        bytes_put_string(out, r->what);
        bytes_put_string(out, r->class);
        bytes_put_string(out, r->severity);
        bytes_put_string(out, r->confidence);
        bytes_put_string(out, r->found);
        break;
    case SCAN_NOTE:
        bytes_put_u8(out, (uint8_t)r->note);
        bytes_put_string(out, r->what);
        break;
    case SCAN_DONE:
        bytes_put_u32le(out, r->archives);
        break;
    }
}

static void get_hit(struct scan_reply *out, struct bytes *in)
{
    out->engine = bytes_u8(in) == SCAN_CLAMAV ? SCAN_CLAMAV : SCAN_YARA;
    out->ours = bytes_u8(in) == 1;
    out->offset = bytes_u64le(in);
    out->line = bytes_u32le(in);
    take(in, out->rule, sizeof out->rule);
    take(in, out->path, sizeof out->path);
    take(in, out->what, sizeof out->what);
    take(in, out->class, sizeof out->class);
    take(in, out->severity, sizeof out->severity);
    take(in, out->confidence, sizeof out->confidence);
    take(in, out->found, sizeof out->found);
}

bool scan_get_reply(struct scan_reply *out, const void *packet, size_t size)
{
    struct bytes in = bytes_of(packet, size);
    out->answer = bytes_u8(&in);
    if (out->answer == SCAN_PROBLEM)
        take(&in, out->path, sizeof out->path);
    out->number = bytes_u32le(&in);
    switch (out->answer) {
    case SCAN_PROBLEM:
        take(&in, out->what, sizeof out->what);
        break;
    case SCAN_READY:
        break;
    case SCAN_HIT:
        get_hit(out, &in);
        break;
    case SCAN_NOTE:
        out->note = bytes_u8(&in) == SCAN_CLAMD_GONE ? SCAN_CLAMD_GONE : SCAN_UNREAD;
        take(&in, out->what, sizeof out->what);
        break;
    case SCAN_DONE:
        out->archives = bytes_u32le(&in);
        break;
    default:
        return false;
    }
    return !in.failed && !bytes_left(&in);
}

/* --- packets with descriptors --- */

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(SCAN_BATCH * sizeof(int))];
};

bool scan_send(int socket, const struct str *packet, const int *fds, size_t fd_count, int flags)
{
    union control control = {0};
    struct iovec part = {packet->data, packet->length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL | flags);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

ssize_t scan_receive(int socket, void *packet, size_t size, int fds[SCAN_BATCH], size_t *fd_count,
                     int flags)
{
    union control control;
    struct iovec part = {packet, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;
    *fd_count = 0;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    while (n < 0 && errno == EINTR);
    for (struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&message); h;
         h = CMSG_NXTHDR(&message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count && *fd_count < SCAN_BATCH; i++)
            memcpy(&fds[(*fd_count)++], CMSG_DATA(h) + i * sizeof(int), sizeof(int));
    }
    if (n >= 0 && (message.msg_flags & MSG_TRUNC)) {
        errno = EMSGSIZE;
        n = -1;
    }
    return n;
}
