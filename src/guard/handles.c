#include "guard/handles.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xxhash.h>

/* Open addressing; hash 0 is a free slot, 1 one that was freed. */
struct slot {
    uint64_t hash;
    uint32_t value;
};

struct handles {
    struct slot *slots;
    size_t mask, used; /* used: those that were freed included */
};

enum { FREE = 0, REMOVED = 1 };

static uint64_t usable(uint64_t hash)
{
    return hash <= REMOVED ? hash + 2 : hash;
}

struct handles *handles_new(size_t expected)
{
    struct handles *h = mem_alloc(sizeof *h);
    size_t size = 64;
    while (size < expected * 2)
        size *= 2;
    h->slots = mem_alloc(size * sizeof *h->slots);
    h->mask = size - 1;
    return h;
}

void handles_free(struct handles *h)
{
    if (!h)
        return;
    free(h->slots);
    free(h);
}

void handles_cleanup(struct handles **h)
{
    handles_free(*h);
}

/* A larger table; where most of it was freed, one of the same size without those: pages that are
 * put back over and over have a new inode each time. */
static void make_room(struct handles *h)
{
    struct slot *old = h->slots;
    size_t size = h->mask + 1, live = 0;
    for (size_t i = 0; i < size; i++)
        live += old[i].hash > REMOVED;
    size_t fresh = live * 2 > size ? size * 2 : size;
    h->slots = mem_alloc(fresh * sizeof *h->slots);
    h->mask = fresh - 1;
    h->used = 0;
    for (size_t i = 0; i < size; i++)
        if (old[i].hash > REMOVED)
            handles_set(h, old[i].hash, old[i].value);
    free(old);
}

void handles_set(struct handles *h, uint64_t hash, uint32_t value)
{
    hash = usable(hash);
    if ((h->used + 1) * 4 > (h->mask + 1) * 3)
        make_room(h);
    size_t i = hash & h->mask;
    while (h->slots[i].hash != FREE && h->slots[i].hash != hash)
        i = (i + 1) & h->mask;
    h->used += h->slots[i].hash == FREE;
    h->slots[i] = (struct slot){hash, value};
}

static struct slot *find(const struct handles *h, uint64_t hash)
{
    hash = usable(hash);
    for (size_t i = hash & h->mask; h->slots[i].hash != FREE; i = (i + 1) & h->mask)
        if (h->slots[i].hash == hash)
            return &h->slots[i];
    return NULL;
}

void handles_remove(struct handles *h, uint64_t hash)
{
    struct slot *slot = find(h, hash);
    if (slot)
        slot->hash = REMOVED;
}

uint32_t handles_find(const struct handles *h, uint64_t hash)
{
    const struct slot *slot = find(h, hash);
    return slot ? slot->value : HANDLE_NONE;
}

uint64_t handle_hash(uint64_t fsid, int type, const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(bytes, size, fsid ^ (uint64_t)(unsigned)type << 56);
}

union any_handle {
    struct file_handle handle;
    char space[sizeof(struct file_handle) + HANDLE_BYTES];
};

bool handle_bytes_of(uint8_t *out, size_t most, size_t *size, int *type, int fd)
{
    union any_handle at = {.handle = {.handle_bytes = HANDLE_BYTES}};
    int mount;
    if (name_to_handle_at(fd, "", &at.handle, &mount, AT_EMPTY_PATH) != 0 ||
        at.handle.handle_bytes > most)
        return false;
    memcpy(out, at.handle.f_handle, at.handle.handle_bytes);
    *size = at.handle.handle_bytes;
    *type = at.handle.handle_type;
    return true;
}

bool handle_open_dir(int *fd, int mount, int type, const uint8_t *bytes, size_t size)
{
    union any_handle at = {.handle = {.handle_bytes = (unsigned)size, .handle_type = type}};
    memcpy(at.handle.f_handle, bytes, size);
    *fd = open_by_handle_at(mount, &at.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return errno == ESTALE || errno == ENOENT;
    struct stat st;
    if (fstat(*fd, &st) == 0 && st.st_nlink == 0) { /* removed, and still open somewhere */
        close(*fd);
        *fd = -1;
    }
    return true;
}

bool handle_of(uint64_t *hash, uint64_t fsid, int dirfd, const char *name, struct error *e)
{
    union any_handle at = {.handle = {.handle_bytes = HANDLE_BYTES}};
    int mount;
    if (name_to_handle_at(dirfd, name, &at.handle, &mount, name[0] ? 0 : AT_EMPTY_PATH) != 0) {
        error_set_errno(e, errno, "asking for the handle of it");
        return false;
    }
    *hash = handle_hash(fsid, at.handle.handle_type, at.handle.f_handle, at.handle.handle_bytes);
    return true;
}

bool handle_fsid(uint64_t *out, int fd, struct error *e)
{
    struct statfs st;
    if (fstatfs(fd, &st) != 0) {
        error_set_errno(e, errno, "asking for the file system's number");
        return false;
    }
    memcpy(out, &st.f_fsid, sizeof *out);
    return true;
}
