/* The files of a disk image, for scan_walk.h: read through target.h, and handed on as copies. */
#include "base/monotonic.h"
#include "collect/scan_walk.h"

#include "base/language.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_DEPTH = 64, PIECE = 1 << 20 };
static const uint64_t most_bytes = 64ull << 20;

struct walking {
    struct scan_walk *w;
    struct target *target;
    const char *volume; /* stands before the paths: "" or "volume 2:" */
    unsigned depth;
    char *buffer;
};

static void note(const struct walking *k, const char *path, const char *sentence)
{
    CLEANUP_STR struct str shown = {0};
    str_printf(&shown, "%s%s", k->volume, path);
    k->w->note(k->w->context, str_text(&shown), sentence);
}

/* A copy of the file's beginning; false with a note. */
static bool copy(struct walking *k, const char *path, uint64_t size, int fd)
{
    struct error e = ERROR_INIT;
    for (uint64_t at = 0; at < size && at < most_bytes;) {
        size_t got = 0, wanted = size - at < PIECE ? (size_t)(size - at) : PIECE;
        if (!target_read_at(k->target, path, at, k->buffer, wanted, &got, &e)) {
            note(k, path, e.message);
            return at > 0;
        }
        if (!got)
            break;
        if (pwrite(fd, k->buffer, got, (off_t)at) != (ssize_t)got) {
            note(k, path, strerror(errno));
            return false;
        }
        at += got;
    }
    if (size > most_bytes)
        note(k, path, _("only its first 64 MiB were looked at"));
    return true;
}

static void take(struct walking *k, const char *path, const struct target_stat *of)
{
    CLEANUP_STR struct str shown = {0};
    int fd = memfd_create("yagura-scan", MFD_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        note(k, path, strerror(errno));
        return;
    }
    if (!copy(k, path, of->size, fd) || fstat(fd, &st) != 0) {
        close(fd);
        return;
    }
    /* what a person is told of the file is the image's, not the copy's */
    st.st_mode = (st.st_mode & ~07777u) | of->mode;
    st.st_uid = of->uid;
    st.st_gid = of->gid;
    st.st_ino = of->inode;
    st.st_dev = 0;
    st.st_mtim = (struct timespec){.tv_sec = of->mtime};
    str_printf(&shown, "%s%s", k->volume, path);
    k->w->file(k->w->context, fd, str_text(&shown), &st);
}

static void look_at(struct walking *k, const char *path);

static void look_into(struct walking *k, const char *path)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct error e = ERROR_INIT;
    struct target_entry *entries;
    size_t count;
    if (k->depth == MOST_DEPTH) {
        note(k, path, _("it lies deeper than 64 folders"));
        return;
    }
    if (!target_list(k->target, path, arena, &entries, &count, &e)) {
        note(k, path, e.message);
        return;
    }
    k->depth++;
    for (size_t i = 0; i < count; i++)
        look_at(k, arena_printf(arena, "%s%s%s", path, str_ends(path, "/") ? "" : "/",
                                entries[i].name));
    k->depth--;
}

static void look_at(struct walking *k, const char *path)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    k->w->late = k->w->until_ms && monotonic_ms() >= k->w->until_ms;
    if (k->w->late)
        return;
    if (!target_stat(k->target, path, false, &st, &e)) {
        k->w->absent |= e.code == ERR_ABSENT && !k->depth;
        note(k, path, e.message);
    } else if (st.type == TARGET_DIR) {
        look_into(k, path);
    } else if (st.type == TARGET_FILE) {
        take(k, path, &st);
    } else if (st.type == TARGET_LINK) {
        k->w->links++;
    } else {
        k->w->others++;
    }
}

void scan_walk_image(struct scan_walk *w, struct target *target, const char *path)
{
    CLEANUP_FREE char *buffer = mem_resize(NULL, PIECE);
    struct walking k = {.w = w, .target = target, .volume = "", .buffer = buffer};
    if (*path) {
        look_at(&k, path);
        return;
    }
    for (size_t i = 0; i < target_volume_count(target); i++) {
        char volume[32];
        struct target_volume v;
        snprintf(volume, sizeof volume, "volume %zu:", i);
        k.volume = i ? volume : "";
        target_select_volume(target, i);
        if (target_volume(target, i, &v) && *v.fs)
            look_into(&k, "/");
    }
    target_select_volume(target, 0);
}
