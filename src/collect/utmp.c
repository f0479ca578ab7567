#include "collect/utmp.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <utmp.h>

/* Their fields need not be terminated. */
static void take(char *out, size_t size, const char *field, size_t length)
{
    snprintf(out, size, "%.*s", (int)strnlen(field, length), field);
}

static const char *type_name(const struct utmp *u)
{
    switch (u->ut_type) {
    case USER_PROCESS:
        return "login";
    case DEAD_PROCESS:
        return "logout";
    case BOOT_TIME:
        return "boot";
    case OLD_TIME:
    case NEW_TIME:
        return "clock";
    case RUN_LVL:
        return strncmp(u->ut_user, "shutdown", 8) == 0 ? "shutdown" : "other";
    default:
        return "other";
    }
}

size_t utmp_parse(const void *data, size_t size, utmp_visit *visit, void *context)
{
    struct bytes in = bytes_of(data, size);
    while (bytes_left(&in) >= sizeof(struct utmp)) {
        struct utmp u;
        struct utmp_entry entry = {0};
        memcpy(&u, bytes_take(&in, sizeof u), sizeof u);
        entry.type = type_name(&u);
        take(entry.user, sizeof entry.user, u.ut_user, sizeof u.ut_user);
        take(entry.line, sizeof entry.line, u.ut_line, sizeof u.ut_line);
        take(entry.host, sizeof entry.host, u.ut_host, sizeof u.ut_host);
        bool v6 = u.ut_addr_v6[1] || u.ut_addr_v6[2] || u.ut_addr_v6[3];
        if (v6 || u.ut_addr_v6[0])
            inet_ntop(v6 ? AF_INET6 : AF_INET, u.ut_addr_v6, entry.address, sizeof entry.address);
        entry.seconds = u.ut_tv.tv_sec;
        entry.pid = u.ut_pid;
        visit(context, &entry);
    }
    return bytes_left(&in);
}

size_t utmp_size(void)
{
    return sizeof(struct utmp);
}

size_t utmp_last_size(void)
{
    return sizeof(struct lastlog);
}

size_t utmp_parse_last(const void *data, size_t size, uint64_t first, utmp_last_visit *visit,
                       void *context)
{
    struct bytes in = bytes_of(data, size);
    for (uint64_t uid = first; bytes_left(&in) >= sizeof(struct lastlog); uid++) {
        struct lastlog l;
        struct utmp_entry entry = {.type = "login"};
        memcpy(&l, bytes_take(&in, sizeof l), sizeof l);
        if (!l.ll_time)
            continue;
        take(entry.line, sizeof entry.line, l.ll_line, sizeof l.ll_line);
        take(entry.host, sizeof entry.host, l.ll_host, sizeof l.ll_host);
        entry.seconds = l.ll_time;
        visit(context, uid, &entry);
    }
    return bytes_left(&in);
}
