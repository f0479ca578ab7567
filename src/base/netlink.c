#include "base/netlink.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

enum { RECEIVE_BYTES = 64 << 10, MOST_ANSWERS = 1 << 16 };

size_t netlink_aligned(size_t size)
{
    return (size + 3) & ~(size_t)3; /* NLMSG_ALIGNTO, NLA_ALIGNTO, RTA_ALIGNTO */
}

bool netlink_parse(const void *data, size_t size, netlink_visit *visit, void *context, bool *done,
                   struct error *e)
{
    struct bytes b = bytes_of(data, size);
    struct nlmsghdr head;
    for (size_t start = 0; bytes_left(&b) >= sizeof head; start = b.position) {
        bytes_copy(&b, &head, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > size - start) {
            error_set(e, ERR_FORMAT, "the kernel's answer is cut short");
            return false;
        }
        struct bytes body = bytes_slice(&b, start + sizeof head, head.nlmsg_len - sizeof head);
        if (head.nlmsg_type == NLMSG_DONE) {
            *done = true;
            return true;
        }
        if (head.nlmsg_type == NLMSG_ERROR) {
            int32_t number = 0;
            bytes_copy(&body, &number, sizeof number);
            error_set_errno(e, number < 0 && number > -4096 ? -number : EIO,
                            "the kernel does not tell it");
            return false;
        }
        if (!visit(context, head.nlmsg_type, body, e))
            return false;
        size_t next = start + netlink_aligned(head.nlmsg_len);
        bytes_seek(&b, next < size ? next : size);
    }
    return true;
}

bool netlink_dump(int fd, const void *request, size_t size, netlink_visit *visit, void *context,
                  struct error *e)
{
    if (send(fd, request, size, 0) != (ssize_t)size) {
        error_set_errno(e, errno, "asking the kernel failed");
        return false;
    }
    CLEANUP_FREE uint8_t *buffer = mem_alloc(RECEIVE_BYTES);
    bool done = false;
    for (size_t i = 0; !done && i < MOST_ANSWERS; i++) {
        ssize_t got = recv(fd, buffer, RECEIVE_BYTES, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            error_set_errno(e, got ? errno : EIO, "reading the kernel's answer failed");
            return false;
        }
        if (!netlink_parse(buffer, (size_t)got, visit, context, &done, e))
            return false;
    }
    if (!done)
        error_set(e, ERR_LIMIT, "the kernel's answer does not end");
    return done;
}
