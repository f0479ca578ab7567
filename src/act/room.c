#include "act/room.h"

#include <sys/statvfs.h>

enum { ASK_BYTES = 16 << 20, ASK_FILES = 1024, LEAST_FREE_FILES = 4096 };
#define LEAST_FREE_BYTES (256ull << 20)

bool room_is_left(struct room *r, struct error *e)
{
    struct statvfs disk;
    r->bytes = r->files = 0;
    if (fstatvfs(r->folder, &disk) != 0)
        return true;
    if ((uint64_t)disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES)
        error_set(e, ERR_LIMIT, "there is no room for it: less than 256 MiB would be left");
    else if (disk.f_files && disk.f_favail < LEAST_FREE_FILES) /* 0: there is no such limit */
        error_set(e, ERR_LIMIT,
                  "there is no room for it: fewer than 4,096 free inodes would be left (df -i)");
    else
        return true;
    return false;
}

bool room_take(struct room *r, uint64_t bytes, uint64_t files, struct error *e)
{
    r->all += bytes;
    r->bytes += bytes;
    r->files += files;
    if (r->all > ROOM_MOST_BYTES) {
        error_set(e, ERR_LIMIT, "it unfolds to more than 16 GiB");
        return false;
    }
    return (r->bytes < ASK_BYTES && r->files < ASK_FILES) || room_is_left(r, e);
}
