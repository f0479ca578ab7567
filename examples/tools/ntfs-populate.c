/*
 * ntfs-populate IMAGE TREE ACLS: copy a directory tree into a fresh NTFS file system.
 *
 * ntfscp writes files but makes no folders, and mounting needs root. This goes through
 * libntfs-3g in one process instead. Times come from the files of TREE. Every object gets
 * "Everyone: full control" as NT did out of the box; ACLS changes that:
 *
 *     PRESET<TAB>PATH      PATH with forward slashes, as in TREE; "PATH/" = all below too
 *
 * A stand-alone helper of the examples: libntfs-3g is under the GPL, and nothing of yagura
 * itself is linked with it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/security.h>
#include <ntfs-3g/types.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>

enum { MAX_ACLS = 512, MAX_DEPTH = 32 };

static struct acl {
    char preset[32];
    char path[400];
} acls[MAX_ACLS];
static size_t acl_count;
static struct SECURITY_CONTEXT scx;

static void die(const char *what, const char *which)
{
    fprintf(stderr, "ntfs-populate: %s: %s: %s\n", what, which, strerror(errno));
    exit(1);
}

/* [MS-DTYP] 2.4: the four SIDs that the presets are made of. */
static const uint8_t administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
static const uint8_t system_account[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
static const uint8_t everyone[] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

enum { FULL = 0x1F01FF, READ_EXECUTE = 0x1200A9 };

struct ace {
    const uint8_t *sid;
    size_t sid_bytes;
    uint32_t mask;
};
static const struct preset {
    const char *name;
    size_t n;
    struct ace aces[3];
} presets[] = {
    {"everyone-full", 1, {{everyone, sizeof everyone, FULL}}},
    {"admins-only",
     2,
     {{administrators, sizeof administrators, FULL},
      {system_account, sizeof system_account, FULL}}},
    {"web-read",
     3,
     {{administrators, sizeof administrators, FULL},
      {system_account, sizeof system_account, FULL},
      {everyone, sizeof everyone, READ_EXECUTE}}},
};

static void put16(uint8_t *p, unsigned v)
{
    p[0] = v & 255;
    p[1] = v >> 8;
}
static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v & 0xFFFF);
    put16(p + 2, v >> 16);
}

/* A self-relative security descriptor; folders hand theirs down. */
static size_t descriptor(const struct preset *p, bool folder, uint8_t out[256])
{
    memset(out, 0, 256);
    out[0] = 1;
    put16(out + 2, 0x8004);
    size_t at = 20 + 8;
    for (size_t i = 0; i < p->n; i++) {
        const struct ace *a = &p->aces[i];
        out[at + 1] = folder ? 3 : 0;
        put16(out + at + 2, (unsigned)(8 + a->sid_bytes));
        put32(out + at + 4, a->mask);
        memcpy(out + at + 8, a->sid, a->sid_bytes);
        at += 8 + a->sid_bytes;
    }
    out[20] = 2;
    put16(out + 22, (unsigned)(at - 20));
    put16(out + 24, (unsigned)p->n);
    put32(out + 16, 20);
    for (size_t where = 4; where <= 8; where += 4) {
        put32(out + where, (uint32_t)at);
        memcpy(out + at, administrators, sizeof administrators);
        at += sizeof administrators;
    }
    return at;
}

static const struct preset *preset_of(const char *path)
{
    const char *name = "everyone-full";
    for (size_t i = 0; i < acl_count; i++) {
        size_t n = strlen(acls[i].path);
        bool below = n && acls[i].path[n - 1] == '/';
        if (strcasecmp(path, acls[i].path) == 0 ||
            (below && (strncasecmp(path, acls[i].path, n) == 0 ||
                       (strlen(path) == n - 1 && strncasecmp(path, acls[i].path, n - 1) == 0))))
            name = acls[i].preset; /* the last that fits wins */
    }
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    errno = EINVAL;
    die("no such preset", name);
    return NULL;
}

/* dir is open already: the library would open it a second time to note the new times. */
static void finish(ntfs_inode *ni, ntfs_inode *dir, const char *path, const struct stat *st)
{
    uint8_t sd[256];
    size_t n = descriptor(preset_of(path), S_ISDIR(st->st_mode), sd);
    if (ntfs_set_ntfs_acl(&scx, ni, (const char *)sd, n, 0) != 0)
        die("set security of", path);
    ntfs_time when = timespec2ntfs(st->st_mtim);
    ni->creation_time = ni->last_data_change_time = when;
    ni->last_mft_change_time = ni->last_access_time = when;
    NInoFileNameSetDirty(ni);
    NInoSetDirty(ni);
    if (ntfs_inode_close_in_dir(ni, dir) != 0)
        die("close", path);
}

static void copy_file(ntfs_inode *ni, int dirfd, const char *name, const char *path)
{
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("open", path);
    ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
    if (!na)
        die("open data of", path);
    char buf[65536];
    ssize_t got;
    s64 at = 0;
    while ((got = read(fd, buf, sizeof buf)) > 0) {
        if (ntfs_attr_pwrite(na, at, got, buf) != got)
            die("write", path);
        at += got;
    }
    ntfs_attr_close(na);
    close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void copy_tree(ntfs_volume *vol, u64 parent, int dirfd, const char *under, int depth)
{
    struct dirent **names;
    int n = scandirat(dirfd, ".", &names, NULL, by_name);
    if (n < 0 || depth > MAX_DEPTH)
        die("read folder", under);
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s%s%s", under, *under ? "/" : "", name);
        struct stat st;
        if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            die("stat", path);
        ntfschar *uname = NULL;
        int len = ntfs_mbstoucs(name, &uname);
        if (len <= 0)
            die("name", path);
        ntfs_inode *dir = ntfs_inode_open(vol, parent);
        if (!dir)
            die("open parent of", path);
        ntfs_inode *ni =
            ntfs_create(dir, 0, uname, (u8)len, S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG);
        if (!ni)
            die("create", path);
        free(uname);
        u64 number = ni->mft_no;
        if (!S_ISDIR(st.st_mode))
            copy_file(ni, dirfd, name, path);
        finish(ni, dir, path, &st);
        if (ntfs_inode_close(dir) != 0)
            die("close parent of", path);
        if (S_ISDIR(st.st_mode)) {
            int sub = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (sub < 0)
                die("open", path);
            copy_tree(vol, number, sub, path, depth + 1);
            close(sub);
        }
        free(names[i]);
    }
    free(names);
}

static void read_acls(const char *file)
{
    FILE *f = fopen(file, "re");
    if (!f)
        die("open", file);
    char line[512];
    while (fgets(line, sizeof line, f) && acl_count < MAX_ACLS) {
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        if (!tab || line[0] == '#')
            continue;
        *tab = 0;
        snprintf(acls[acl_count].preset, sizeof acls[0].preset, "%.31s", line);
        snprintf(acls[acl_count].path, sizeof acls[0].path, "%.399s", tab + 1);
        acl_count++;
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: ntfs-populate IMAGE TREE ACLS\n");
        return 2;
    }
    read_acls(argv[3]);
    int tree = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree < 0)
        die("open", argv[2]);
    ntfs_volume *vol = ntfs_mount(argv[1], 0);
    if (!vol)
        die("open file system", argv[1]);
    scx.vol = vol;
    if (ntfs_open_secure(vol) != 0)
        die("open $Secure of", argv[1]);
    copy_tree(vol, FILE_root, tree, "", 0);
    ntfs_close_secure(vol);
    if (ntfs_umount(vol, FALSE) != 0)
        die("close", argv[1]);
    return 0;
}
