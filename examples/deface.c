/* deface - changes a guarded site in one of many ways and waits until it is right again.
 *
 *   deface ROOT list
 *   deface ROOT WAY COUNT [SECONDS]     does it COUNT times; gives up waiting after SECONDS (20)
 *   deface ROOT WAY leave               does it once, and does not wait
 *   deface ROOT burst COUNT [SECONDS]   writes the first COUNT files beneath ROOT over, once each
 *                                       and whole, then waits until all are right
 *
 * ROOT has a regular file index.html, folders a and b with a file page.html each, and nothing
 * that ends with .deface beside it. Prints a line of JSON: way, done, back (how often it came
 * back), and p50_ms, p99_ms, max_ms from the return of the attacking call to the first look that
 * found all right. "Right" is: type, content, mode, owner, group, modification time and user
 * attributes of what was attacked are as they were; what was added is gone. Exit code 1 if
 * anything did not come back. Of a burst: write_ms (writing them all) and undone_ms (from the
 * first write until all were right). */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, MOST_COUNT = 100000 };

/* What a name is: enough to tell whether it is as it was. */
struct look {
    struct stat st;
    char *bytes; /* of a file: content; of a link: target */
    size_t size;
    char note[256]; /* of user.note */
    ssize_t note_size;
};

static const char *root;
static char outside[4096]; /* ROOT.deface: a folder beside the root, on its file system */

static char *path_of(const char *name)
{
    static char paths[8][4096];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static char *beside(const char *name)
{
    static char paths[4][4200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", outside, name);
    return path;
}

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "deface: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    close(fd);
}

static bool take_look(struct look *out, const char *path)
{
    memset(out, 0, sizeof *out);
    if (lstat(path, &out->st) != 0)
        return false;
    out->note_size = lgetxattr(path, "user.note", out->note, sizeof out->note);
    if (S_ISLNK(out->st.st_mode)) {
        out->bytes = calloc(1, 4097);
        ssize_t n = readlink(path, out->bytes, 4096);
        out->size = n > 0 ? (size_t)n : 0;
    } else if (S_ISREG(out->st.st_mode) && out->st.st_size <= MOST) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        out->bytes = malloc((size_t)out->st.st_size + 1);
        ssize_t n = fd < 0 ? -1 : read(fd, out->bytes, (size_t)out->st.st_size + 1);
        out->size = n > 0 ? (size_t)n : 0;
        if (fd >= 0)
            close(fd);
    }
    return true;
}

static bool same(const struct look *a, const struct look *b)
{
    bool dir = S_ISDIR(a->st.st_mode);
    return a->st.st_mode == b->st.st_mode && a->st.st_uid == b->st.st_uid &&
           a->st.st_gid == b->st.st_gid &&
           (dir ||
            (a->st.st_size == b->st.st_size && a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
             a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec)) &&
           a->note_size == b->note_size &&
           (a->note_size <= 0 || memcmp(a->note, b->note, (size_t)a->note_size) == 0) &&
           a->size == b->size && (!a->size || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* ---- the ways ------------------------------------------------------------------------------- */

/* prepare() is not measured; attack() is what is undone; clean() takes away what is left beside
 * the root. `names` are looked at: as before, or (with "!" in front) not there. */
struct way {
    const char *name;
    void (*prepare)(void);
    void (*attack)(void);
    void (*clean)(void);
    const char *names[6];
};

static int kept_fd = -1;
static char *kept_map;

static void nothing(void)
{
}

static void overwrite(void)
{
    int fd = open(path_of("index.html"), O_WRONLY | O_CLOEXEC);
    need(fd >= 0 && pwrite(fd, "DEFACED", 7, 0) == 7, "overwriting");
    close(fd);
}

static void truncate_it(void)
{
    need(truncate(path_of("index.html"), 0) == 0, "truncating");
}

static void append(void)
{
    int fd = open(path_of("index.html"), O_WRONLY | O_APPEND | O_CLOEXEC);
    need(fd >= 0 && write(fd, "more", 4) == 4, "appending");
    close(fd);
}

static void make_bad(void)
{
    write_file(beside("bad"), "DEFACED\n");
}

static void rename_over(void)
{
    need(rename(beside("bad"), path_of("index.html")) == 0, "renaming over");
}

static void exchange_file(void)
{
    need(renameat2(AT_FDCWD, beside("bad"), AT_FDCWD, path_of("index.html"), RENAME_EXCHANGE) == 0,
         "exchanging");
}

static void clean_bad(void)
{
    unlink(beside("bad"));
}

static void delete_it(void)
{
    need(unlink(path_of("index.html")) == 0, "deleting");
}

static void new_file(void)
{
    write_file(path_of("shell.php"), "<?php system($_GET[0]);\n");
}

static void make_tree(void)
{
    need(mkdir(beside("tree"), 0755) == 0, "making a tree");
    need(mkdir(beside("tree/deep"), 0755) == 0, "making a tree");
    write_file(beside("tree/deep/shell.php"), "<?php\n");
}

static void move_tree_in(void)
{
    need(rename(beside("tree"), path_of("tree")) == 0, "moving a tree in");
}

static void link_for_file(void)
{
    need(symlink("/etc/hostname", beside("bad")) == 0 || errno == EEXIST, "making a link");
    need(rename(beside("bad"), path_of("index.html")) == 0, "putting a link");
}

static void link_for_folder(void)
{
    need(symlink("/etc", beside("a")) == 0, "making a link");
    need(renameat2(AT_FDCWD, path_of("a"), AT_FDCWD, beside("a"), RENAME_EXCHANGE) == 0,
         "putting a link for a folder");
}

static void clean_a(void)
{
    unlink(beside("a"));
}

static void exchange_folders(void)
{
    need(renameat2(AT_FDCWD, path_of("a"), AT_FDCWD, path_of("b"), RENAME_EXCHANGE) == 0,
         "exchanging folders");
}

static void move_folder(void)
{
    need(rename(path_of("a"), beside("a")) == 0, "moving a folder away");
}

static void hard_link(void)
{
    need(link(beside("bad"), beside("bad2")) == 0, "linking");
    need(rename(beside("bad2"), path_of("index.html")) == 0, "putting a hard link");
}

static void change_mode(void)
{
    need(chmod(path_of("index.html"), 0777) == 0, "chmod");
}

static void change_owner(void)
{
    need(chown(path_of("index.html"), 4242, 4242) == 0, "chown");
}

static void change_xattr(void)
{
    need(setxattr(path_of("index.html"), "user.note", "evil", 4, 0) == 0, "setxattr");
}

static void change_time(void)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    need(utimensat(AT_FDCWD, path_of("index.html"), times, 0) == 0, "utimens");
}

static void open_writer(void)
{
    kept_fd = open(path_of("index.html"), O_WRONLY | O_CLOEXEC);
    need(kept_fd >= 0, "opening");
}

static void write_and_go_on(void)
{
    for (int i = 0; i < 5; i++)
        need(pwrite(kept_fd, "DEFACED", 7, 0) == 7, "writing on");
}

static void close_writer(void)
{
    close(kept_fd);
}

static void map_it(void)
{
    int fd = open(path_of("index.html"), O_RDWR | O_CLOEXEC);
    kept_map = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(kept_map != MAP_FAILED, "mapping");
    close(fd);
    usleep(50000); /* the guard looks at the closed file; the write comes later */
}

static void write_mapped(void)
{
    memcpy(kept_map, "DEFACED", 7);
}

static void unmap_it(void)
{
    munmap(kept_map, 4096);
}

static void link_outside(void)
{
    need(link(path_of("index.html"), beside("outside")) == 0, "linking outside");
    usleep(20000);
}

static void write_outside(void)
{
    int fd = open(beside("outside"), O_WRONLY | O_CLOEXEC);
    need(fd >= 0 && pwrite(fd, "DEFACED", 7, 0) == 7, "writing outside");
    close(fd);
}

static void clean_outside(void)
{
    unlink(beside("outside"));
}

static void fifo_for_file(void)
{
    need(mkfifo(beside("bad"), 0644) == 0, "mkfifo");
    need(rename(beside("bad"), path_of("index.html")) == 0, "putting a FIFO");
}

static void forge(void)
{
    struct stat st;
    char *path = path_of("index.html");
    need(stat(path, &st) == 0, "stat");
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    need(fd >= 0 && pwrite(fd, "DEFACED", 7, 0) == 7, "overwriting");
    need(futimens(fd, times) == 0, "forging the time");
    close(fd);
}

static void move_root(void)
{
    char away[4200];
    snprintf(away, sizeof away, "%s/root", outside);
    need(rename(root, away) == 0, "moving the root");
}

static void cover_root(void)
{
    need(mkdir(beside("cover"), 0755) == 0 || errno == EEXIST, "mkdir");
    write_file(beside("cover/index.html"), "DEFACED\n");
    need(mount(beside("cover"), root, NULL, MS_BIND, NULL) == 0, "mounting over the root");
}

static void clean_cover(void)
{
    unlink(beside("cover/index.html"));
    rmdir(beside("cover"));
}

static const struct way ways[] = {
    {"overwrite", nothing, overwrite, nothing, {"index.html"}},
    {"truncate", nothing, truncate_it, nothing, {"index.html"}},
    {"append", nothing, append, nothing, {"index.html"}},
    {"rename-over", make_bad, rename_over, nothing, {"index.html"}},
    {"exchange", make_bad, exchange_file, clean_bad, {"index.html"}},
    {"delete", nothing, delete_it, nothing, {"index.html"}},
    {"new-file", nothing, new_file, nothing, {"!shell.php"}},
    {"tree-moved-in", make_tree, move_tree_in, nothing, {"!tree"}},
    {"link-for-file", nothing, link_for_file, nothing, {"index.html"}},
    {"link-for-folder", nothing, link_for_folder, clean_a, {"a", "a/page.html"}},
    {"folders-exchanged",
     nothing,
     exchange_folders,
     nothing,
     {"a", "b", "a/page.html", "b/page.html"}},
    {"folder-moved", nothing, move_folder, nothing, {"a", "a/page.html"}},
    {"hard-link", make_bad, hard_link, clean_bad, {"index.html"}},
    {"chmod", nothing, change_mode, nothing, {"index.html"}},
    {"chown", nothing, change_owner, nothing, {"index.html"}},
    {"xattr", nothing, change_xattr, nothing, {"index.html"}},
    {"mtime", nothing, change_time, nothing, {"index.html"}},
    {"mtime-forged", nothing, forge, nothing, {"index.html"}},
    {"writer-goes-on", open_writer, write_and_go_on, close_writer, {"index.html"}},
    {"fifo-for-file", nothing, fifo_for_file, nothing, {"index.html"}},
    {"mapped-write", map_it, write_mapped, unmap_it, {"index.html"}},
    {"outside-link", link_outside, write_outside, clean_outside, {"index.html"}},
    {"root-moved", nothing, move_root, nothing, {"index.html", "a/page.html"}},
    {"root-covered", nothing, cover_root, clean_cover, {"index.html", "a/page.html"}},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* ---- measuring ------------------------------------------------------------------------------ */

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool all_right(const struct way *way, const struct look *before)
{
    for (size_t i = 0; i < 6 && way->names[i]; i++) {
        struct look now;
        if (way->names[i][0] == '!') {
            if (lstat(path_of(way->names[i] + 1), &now.st) == 0)
                return false;
            continue;
        }
        bool right = take_look(&now, path_of(way->names[i])) && same(&before[i], &now);
        free(now.bytes);
        if (!right)
            return false;
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The time until all was right, or -1. */
static double once(const struct way *way, const struct look *before, double seconds)
{
    way->prepare();
    way->attack();
    double start = now_ms(), end = start + seconds * 1e3, took = -1;
    while (took < 0 && now_ms() < end) {
        if (all_right(way, before))
            took = now_ms() - start;
        else
            usleep(20);
    }
    way->clean();
    usleep(2000);
    return took;
}

static int run(const struct way *way, int count, double seconds)
{
    struct look before[6] = {0};
    for (size_t i = 0; i < 6 && way->names[i]; i++)
        if (way->names[i][0] != '!')
            need(take_look(&before[i], path_of(way->names[i])), way->names[i]);
    double *times = calloc((size_t)count, sizeof *times);
    int back = 0, done = 0;
    while (done < count) {
        double took = once(way, before, seconds);
        done++;
        if (took < 0)
            break; /* it would only fail again */
        times[back++] = took;
    }
    qsort(times, (size_t)back, sizeof *times, by_value);
    printf("{\"way\":\"%s\",\"done\":%d,\"back\":%d", way->name, done, back);
    if (back)
        printf(",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", times[back / 2],
               times[(back * 99) / 100], times[back - 1]);
    printf("}\n");
    free(times);
    for (size_t i = 0; i < 6; i++)
        free(before[i].bytes);
    return back == count ? 0 : 1;
}

/* ---- a burst -------------------------------------------------------------------------------- */

static struct burst_file {
    char *path;
    struct look before;
} burst[MOST_COUNT];
static int burst_count, burst_wanted;

static int note_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
    if (type == FTW_F && burst_count < burst_wanted && st->st_size <= MOST) {
        burst[burst_count].path = strdup(path);
        need(take_look(&burst[burst_count].before, path), path);
        burst_count++;
    }
    return 0;
}

static void write_over(const struct burst_file *f)
{
    static char bad[MOST];
    int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    need(fd >= 0 && write(fd, bad, f->before.size) == (ssize_t)f->before.size, f->path);
    close(fd);
}

/* The last one is usually the last to come back: all are looked at from the end. */
static int run_burst(int count, double seconds)
{
    burst_wanted = count;
    need(nftw(root, note_file, 32, FTW_PHYS) == 0, root);
    double start = now_ms();
    for (int i = 0; i < burst_count; i++)
        write_over(&burst[i]);
    double written = now_ms(), end = start + seconds * 1e3;
    int wrong = burst_count - 1;
    while (wrong >= 0 && now_ms() < end) {
        struct look now;
        bool right = take_look(&now, burst[wrong].path) && same(&burst[wrong].before, &now);
        free(now.bytes);
        if (right)
            wrong--;
        else
            usleep(500);
    }
    printf("{\"way\":\"burst\",\"done\":%d,\"back\":%d,\"write_ms\":%.1f,\"undone_ms\":%.1f}\n",
           burst_count, burst_count - 1 - wrong, written - start, now_ms() - start);
    return wrong < 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr,
                "usage: deface ROOT list | WAY COUNT [SECONDS] | WAY leave | burst COUNT\n");
        return 2;
    }
    root = argv[1];
    snprintf(outside, sizeof outside, "%s.deface", root);
    if (strcmp(argv[2], "list") == 0) {
        for (size_t i = 0; i < WAYS; i++)
            puts(ways[i].name);
        return 0;
    }
    const struct way *way = NULL;
    for (size_t i = 0; i < WAYS; i++)
        if (strcmp(ways[i].name, argv[2]) == 0)
            way = &ways[i];
    bool is_burst = strcmp(argv[2], "burst") == 0;
    bool leave = argc > 3 && strcmp(argv[3], "leave") == 0;
    int count = argc > 3 && !leave ? atoi(argv[3]) : 1;
    if ((!way && !is_burst) || count < 1 || count > MOST_COUNT) {
        fprintf(stderr, "deface: no such way, or a count that makes no sense\n");
        return 2;
    }
    if (is_burst)
        return run_burst(count, argc > 4 ? atof(argv[4]) : 120);
    need(mkdir(outside, 0755) == 0 || errno == EEXIST, outside);
    if (leave) {
        way->prepare();
        way->attack();
        return 0;
    }
    int code = run(way, count, argc > 4 ? atof(argv[4]) : 20);
    rmdir(outside);
    return code;
}
