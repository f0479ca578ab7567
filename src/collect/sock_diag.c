#include "collect/sock_diag.h"

#include "base/mem.h"
#include "base/netlink.h"
#include "base/str.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The value of an attribute behind a message; NULL where there is none. */
static const uint8_t *find_attribute(struct bytes b, uint16_t type, size_t *length)
{
    struct nlattr attribute = {0};
    while (bytes_left(&b) >= sizeof attribute && bytes_copy(&b, &attribute, sizeof attribute)) {
        if (attribute.nla_len < sizeof attribute)
            break;
        *length = attribute.nla_len - sizeof attribute;
        const uint8_t *value = bytes_take(&b, *length);
        if (value && (attribute.nla_type & NLA_TYPE_MASK) == type && *length)
            return value;
        size_t padding = netlink_aligned(*length) - *length;
        bytes_skip(&b, padding < bytes_left(&b) ? padding : bytes_left(&b));
    }
    return NULL;
}

static int find_v6only(struct bytes b)
{
    size_t length;
    const uint8_t *value = find_attribute(b, INET_DIAG_SKV6ONLY, &length);
    return value ? value[0] != 0 : -1;
}

/* Who looks, and what for. */
struct looking {
    bool udp;
    sock_diag_visit *visit;
    void *context;
};

static bool parse_socket(void *context, uint16_t type, struct bytes b, struct error *e)
{
    const struct looking *look = context;
    struct inet_diag_msg m;
    if (type != SOCK_DIAG_BY_FAMILY)
        return true;
    if (!bytes_copy(&b, &m, sizeof m)) {
        error_set(e, ERR_FORMAT, "the kernel's answer is cut short");
        return false;
    }
    struct sock_diag_socket s = {.ipv6 = m.idiag_family == AF_INET6,
                                 .udp = look->udp,
                                 .state = m.idiag_state,
                                 .port = ntohs(m.id.idiag_sport),
                                 .uid = m.idiag_uid,
                                 .inode = m.idiag_inode,
                                 .v6only = -1,
                                 .family = m.idiag_family,
                                 .id = m.id};
    memcpy(s.address, m.id.idiag_src, s.ipv6 ? 16 : 4);
    if (s.ipv6)
        s.v6only = find_v6only(b);
    look->visit(look->context, &s);
    return true;
}

bool sock_diag_parse(const void *data, size_t size, bool udp, sock_diag_visit *visit, void *context,
                     bool *done, struct error *e)
{
    struct looking look = {udp, visit, context};
    if (netlink_parse(data, size, parse_socket, &look, done, e))
        return true;
    error_prefix(e, "sockets");
    return false;
}

bool sock_diag_dump(int fd, bool ipv6, bool udp, uint32_t states, sock_diag_visit *visit,
                    void *context, struct error *e)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {.head = {.nlmsg_len = sizeof request,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .body = {.sdiag_family = ipv6 ? AF_INET6 : AF_INET,
                          .sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP,
                          .idiag_states = states}};
    struct looking look = {udp, visit, context};
    if (netlink_dump(fd, &request, sizeof request, parse_socket, &look, e))
        return true;
    error_prefix(e, "sockets");
    return false;
}

struct looking_for_unix {
    void (*visit)(void *context, const struct sock_diag_unix *socket);
    void *context;
};

static bool parse_unix(void *context, uint16_t type, struct bytes b, struct error *e)
{
    const struct looking_for_unix *look = context;
    struct unix_diag_msg m;
    if (type != SOCK_DIAG_BY_FAMILY)
        return true;
    if (!bytes_copy(&b, &m, sizeof m)) {
        error_set(e, ERR_FORMAT, "the kernel's answer is cut short");
        return false;
    }
    struct sock_diag_unix socket = {.inode = m.udiag_ino};
    struct unix_diag_vfs vfs;
    size_t length;
    const uint8_t *value = find_attribute(b, UNIX_DIAG_VFS, &length);
    if (value && length >= sizeof vfs) {
        memcpy(&vfs, value, sizeof vfs);
        socket.file = vfs.udiag_vfs_ino;
    }
    value = find_attribute(b, UNIX_DIAG_NAME, &length);
    if (value && length < sizeof socket.name)
        memcpy(socket.name, value, length);
    look->visit(look->context, &socket);
    return true;
}

bool sock_diag_dump_unix(int fd, uint32_t states,
                         void (*visit)(void *context, const struct sock_diag_unix *socket),
                         void *context, struct error *e)
{
    struct {
        struct nlmsghdr head;
        struct unix_diag_req body;
    } request = {.head = {.nlmsg_len = sizeof request,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .body = {.sdiag_family = AF_UNIX,
                          .udiag_states = states,
                          .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS}};
    struct looking_for_unix look = {visit, context};
    if (netlink_dump(fd, &request, sizeof request, parse_unix, &look, e))
        return true;
    error_prefix(e, "sockets");
    return false;
}

/* "0100007F:0016" in words of the machine's byte order, "sl local remote st ... uid x inode". */
static bool parse_line(struct sock_diag_socket *s, const char *line)
{
    char address[40];
    unsigned port, state, uid;
    unsigned long inode;
    if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*4x %2x %*s %*s %*s %u %*s %lu",
               address, &port, &state, &uid, &inode) != 5 ||
        strlen(address) != (s->ipv6 ? 32u : 8u))
        return false;
    for (size_t word = 0; word < strlen(address) / 8; word++) {
        char text[9] = "";
        uint64_t value;
        memcpy(text, address + 8 * word, 8);
        if (!str_hex_to_u64(text, &value))
            return false;
        uint32_t native = (uint32_t)value;
        memcpy(s->address + 4 * word, &native, 4);
    }
    s->port = (uint16_t)port;
    s->state = (uint8_t)state;
    s->uid = uid;
    s->inode = (uint32_t)inode;
    s->v6only = -1;
    return true;
}

uint64_t sock_diag_parse_proc(const char *text, size_t size, bool ipv6, bool udp,
                              sock_diag_visit *visit, void *context)
{
    size_t position = 0, length;
    const char *line;
    uint64_t bad = 0;
    bool heading = true;
    while (str_next_line(text, size, &position, &line, &length)) {
        char copy[512];
        struct sock_diag_socket s = {.ipv6 = ipv6, .udp = udp};
        if (heading || !length) {
            heading = false;
            continue;
        }
        size_t n = length < sizeof copy - 1 ? length : sizeof copy - 1;
        memcpy(copy, line, n);
        copy[n] = '\0';
        if (!parse_line(&s, copy))
            bad++;
        else if (s.state == (udp ? SOCK_DIAG_CLOSE : SOCK_DIAG_LISTEN))
            visit(context, &s);
    }
    return bad;
}
