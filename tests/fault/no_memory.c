/* no_memory.c - to be preloaded: the NO_MEMORY_AT-th allocation of the process fails, once, in
 * whichever library it is asked for. With NO_MEMORY_REPORT the number of allocations is written to
 * that file at the end. Only the process that was started counts, not its children. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own names for the allocator beneath. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_ulong seen;
static unsigned long at;
static pid_t self;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("NO_MEMORY_AT");
    at = text ? strtoul(text, NULL, 10) : 0;
    self = getpid();
    unsetenv("NO_MEMORY_AT"); /* not for the programs that it runs */
    atomic_store(&seen, 0);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("NO_MEMORY_REPORT");
    FILE *report = path && getpid() == self ? fopen(path, "w") : NULL;
    if (report) {
        fprintf(report, "%lu\n", atomic_load(&seen));
        fclose(report);
    }
}

static int refused(void)
{
    if (!self || atomic_fetch_add(&seen, 1) + 1 != at || getpid() != self)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return refused() ? NULL : __libc_realloc(old, size);
}
