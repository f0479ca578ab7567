#include "record/cache_files.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

enum { MOST_KEY = 8192, MOST_VALUE = 256 * 1024 * 1024, MOST_FILES = 256, NAME_LENGTH = 32 };

struct mapping {
    void *data;
    size_t size;
};

struct cache_files {
    int fd; /* the folder; -1: there is none, every get misses */
    bool write;
    VEC(struct mapping) maps;
};

static void map_file(struct cache_files *c, const char *name)
{
    CLEANUP_CLOSE int fd = openat(c->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
        st.st_size > MOST_VALUE)
        return;
    struct mapping m = {.size = (size_t)st.st_size};
    m.data = mmap(NULL, m.size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m.data != MAP_FAILED)
        VEC_PUSH(&c->maps, m);
}

struct cache_files *cache_files_open(int dirfd, const char *name, bool write)
{
    struct cache_files *c = mem_alloc(sizeof *c);
    c->write = write;
    if (write && mkdirat(dirfd, name, 0700) == 0)
        file_give_to_owner(dirfd, name);
    c->fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int again = c->fd >= 0 ? fcntl(c->fd, F_DUPFD_CLOEXEC, 0) : -1;
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    const struct dirent *entry;
    while (dir && c->maps.count < MOST_FILES && (entry = readdir(dir)))
        if (strlen(entry->d_name) == NAME_LENGTH)
            map_file(c, entry->d_name);
    if (dir)
        closedir(dir);
    return c;
}

void cache_files_close(struct cache_files *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->maps.count; i++)
        munmap(c->maps.items[i].data, c->maps.items[i].size);
    VEC_FREE(&c->maps);
    mem_cleanup_close(&c->fd);
    free(c);
}

/* A slot may be any text: its file is named by a hash of it. */
static void file_name(char out[NAME_LENGTH + 1], const char *slot)
{
    unsigned char digest[NAME_LENGTH / 2];
    crypto_generichash(digest, sizeof digest, (const unsigned char *)slot, strlen(slot), NULL, 0);
    sodium_bin2hex(out, NAME_LENGTH + 1, digest, sizeof digest);
}

static bool get(void *self, const char *key, const void **data, size_t *size)
{
    const struct cache_files *c = self;
    for (size_t i = 0; i < c->maps.count; i++) {
        struct bytes b = bytes_of(c->maps.items[i].data, c->maps.items[i].size);
        size_t length = 0;
        const char *stored = bytes_string(&b, MOST_KEY, &length);
        if (!stored || length != strlen(key) || memcmp(stored, key, length) != 0)
            continue;
        /* A page of the disk that went bad must not change answers. */
        uint64_t sum = bytes_u64le(&b);
        if (b.failed || XXH3_64bits(b.data + b.position, bytes_left(&b)) != sum)
            return false;
        *data = b.data + b.position;
        *size = bytes_left(&b);
        return true;
    }
    return false;
}

/* As many files as are mapped; the one that was written longest ago goes for a new one. */
static void make_room(const struct cache_files *c)
{
    CLEANUP_CLOSE int again = openat(c->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    char oldest[NAME_LENGTH + 1] = "";
    struct timespec time = {0};
    size_t count = 0;
    if (!dir)
        return;
    again = -1; /* belongs to dir */
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;
        if (strlen(entry->d_name) != NAME_LENGTH ||
            fstatat(c->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bool older = st.st_mtim.tv_sec < time.tv_sec ||
                     (st.st_mtim.tv_sec == time.tv_sec && st.st_mtim.tv_nsec < time.tv_nsec);
        if (count++ == 0 || older) {
            memcpy(oldest, entry->d_name, sizeof oldest);
            time = st.st_mtim;
        }
    }
    closedir(dir);
    if (count >= MOST_FILES)
        unlinkat(c->fd, oldest, 0);
}

static void put(void *self, const char *slot, const char *key, const void *data, size_t size)
{
    struct cache_files *c = self;
    if (c->fd < 0 || !c->write || strlen(key) > MOST_KEY || size > MOST_VALUE - MOST_KEY)
        return;
    char name[NAME_LENGTH + 1];
    file_name(name, slot);
    if (faccessat(c->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        make_room(c);
    CLEANUP_STR struct str head = {0};
    bytes_put_string(&head, key);
    bytes_put_u64le(&head, XXH3_64bits(data, size));
    const struct iovec parts[] = {{head.data, head.length}, {(void *)data, size}};
    (void)!file_replace_parts(c->fd, name, parts, ARRAY_COUNT(parts), 0600, NULL);
}

void cache_files_interface(struct cache_files *c, struct cache *out)
{
    *out = (struct cache){.get = get, .put = put, .self = c};
}
