/* Where this host sends what, and whom it has spoken to on its own networks lately. */
#include "collect/rtnetlink.h"
#include "collect/volatile_internal.h"

static void put(void *context, json_t *object)
{
    volatile_line(context, object);
}

void volatile_routing(struct volatile_reader *r)
{
    struct error e = ERROR_INIT;
    if (r->route_fd < 0)
        volatile_unread(r, "routing", _("the kernel gave no socket to ask with"));
    else if (!rtnetlink_dump(r->route_fd, put, r, &e))
        volatile_unread(r, "routing", e.message);
}
