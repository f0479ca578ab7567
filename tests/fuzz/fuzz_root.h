/* fuzz_root.h - for parsers that read a file of a target: a root of one changing file. */
#ifndef YAGURA_TESTS_FUZZ_ROOT_H
#define YAGURA_TESTS_FUZZ_ROOT_H

#include "base/file.h"
#include "collect/collect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The directory lives as long as the fuzzer; libFuzzer keeps state between inputs anyway. */
static inline const char *fuzz_root(void)
{
    static char dir[] = "/dev/shm/yagura-fuzz-XXXXXX";
    static bool made;
    if (!made && !mkdtemp(dir))
        abort();
    made = true;
    return dir;
}

static inline void fuzz_root_write(const char *path, const void *data, size_t size)
{
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", fuzz_root(), path);
    CLEANUP_FREE char *parent = mem_strdup(str_text(&full));
    *strrchr(parent, '/') = '\0';
    if (!file_make_dirs(parent, 0700, NULL))
        abort();
    CLEANUP_CLOSE int fd = open(str_text(&full), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
}

/* Runs one source over the root, as on a Solaris host. */
static inline void fuzz_root_run(void (*collect)(struct collection *))
{
    CLEANUP(target_cleanup) struct target *target = NULL;
    if (!target_open_root(&target, fuzz_root(), NULL))
        abort();
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct collection c = {.target = target, .facts = facts, .arena = arena, .netlink_fd = -1};
    struct fact *host = facts_add(facts, "host", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(facts, host, "family", "solaris");
    collect(&c);
}

#endif
