#include "guard/alive.h"

#include <errno.h>
#include <sys/mman.h>

struct alive *alive_new(struct error *e)
{
    void *page =
        mmap(NULL, sizeof(struct alive), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        error_set_errno(e, errno, "sharing memory with the guard");
        return NULL;
    }
    return page;
}

void alive_beat(struct alive *a)
{
    atomic_fetch_add_explicit(&a->beats, 1, memory_order_relaxed);
}

uint64_t alive_sum(const struct alive *a)
{
    return atomic_load_explicit(&a->beats, memory_order_relaxed) +
           __atomic_load_n(&a->progress.files, __ATOMIC_RELAXED) +
           __atomic_load_n(&a->progress.bytes, __ATOMIC_RELAXED) +
           __atomic_load_n(&a->progress.names, __ATOMIC_RELAXED);
}
