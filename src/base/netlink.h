/* netlink.h - dumps of a netlink socket (netlink(7)): asked for, read to their end, walked.
 *
 * What comes from the kernel is read as bytes from outside all the same: it may be of a kernel
 * that nobody knew. Sentences of errors do not say what was asked for: the caller puts that in
 * front (error_prefix()). */
#ifndef YAGURA_BASE_NETLINK_H
#define YAGURA_BASE_NETLINK_H

#include "base/bytes.h"
#include "base/error.h"

/* A message of the answer; false with an error ends the reading. */
typedef bool netlink_visit(void *context, uint16_t type, struct bytes body, struct error *e);

/* What came in one recv(). *done is set at the end of the dump. ERR_SYSTEM with sys_errno where
 * the kernel says no, ERR_FORMAT where a message is cut. */
bool netlink_parse(const void *data, size_t size, netlink_visit *visit, void *context, bool *done,
                   struct error *e);

/* Sends the request (nlmsghdr and what follows it) and reads all of the answer, which may be some
 * gigabytes: ERR_LIMIT beyond. */
bool netlink_dump(int fd, const void *request, size_t size, netlink_visit *visit, void *context,
                  struct error *e);

/* Lengths are told without the padding behind them. */
size_t netlink_aligned(size_t size);

#endif
