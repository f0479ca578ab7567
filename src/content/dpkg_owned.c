#include "content/dpkg_owned.h"

#include "base/file.h"
#include "base/str.h"
#include "content/publish.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MD5_SIZE = 16, MOST_RECORD = 64 * 1024 * 1024 };

/* A name that the record lists, beneath the document root. */
struct owned {
    const char *path;
    uint32_t package;
    bool has_md5;
    uint8_t md5[MD5_SIZE];
};

struct package {
    const char *name;
    bool let_in; /* something of it was */
};

struct dpkg_owned {
    const struct site *site;
    struct arena *arena;
    VEC(struct owned) files; /* by path, those with an MD5 first */
    VEC(struct package) packages;
    VEC(const char *) touched; /* sorted */
    bool newer;
};

void dpkg_owned_free(struct dpkg_owned *d)
{
    if (!d)
        return;
    VEC_FREE(&d->files);
    VEC_FREE(&d->packages);
    VEC_FREE(&d->touched);
    arena_free(d->arena);
    free(d);
}

void dpkg_owned_cleanup(struct dpkg_owned **d)
{
    dpkg_owned_free(*d);
}

bool dpkg_owned_is_newer(const struct dpkg_owned *d)
{
    return d->newer;
}

size_t dpkg_owned_count(const struct dpkg_owned *d)
{
    return d->files.count;
}

/* ---- the record ----------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    const struct owned *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : y->has_md5 - x->has_md5;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "0123...ef  usr/share/x" of md5sums (deb-md5sums(5)), or "/usr/share/x" of a list. */
static const char *read_line(const char *line, size_t length, bool sums, struct owned *out,
                             size_t *path_length)
{
    size_t start = sums ? 2 * MD5_SIZE + 2 : 1;
    if (length <= start || (sums ? memcmp(line + 2L * MD5_SIZE, "  ", 2) != 0 : line[0] != '/'))
        return NULL;
    for (size_t i = 0; sums && i < MD5_SIZE; i++) {
        char digits[3] = {line[2 * i], line[2 * i + 1]};
        uint64_t byte;
        if (!str_hex_to_u64(digits, &byte))
            return NULL;
        out->md5[i] = (uint8_t)byte;
    }
    out->has_md5 = sums;
    *path_length = length - start;
    return line + start;
}

/* `prefix` is the document root as the record writes it, with "/" at its end. */
static bool take_lines(struct dpkg_owned *d, const char *text, size_t size, bool sums,
                       const char *prefix)
{
    size_t position = 0, length, path_length, prefix_length = strlen(prefix);
    const char *line;
    bool any = false;
    while (str_next_line(text, size, &position, &line, &length)) {
        struct owned one = {.package = (uint32_t)d->packages.count};
        const char *path = read_line(line, length, sums, &one, &path_length);
        if (!path || path_length <= prefix_length || memcmp(path, prefix, prefix_length) != 0)
            continue;
        one.path = arena_strndup(d->arena, path + prefix_length, path_length - prefix_length);
        VEC_PUSH(&d->files, one);
        any = true;
    }
    return any;
}

/* The lists of one package; only what root wrote counts. */
static bool take_file(struct dpkg_owned *d, int info, const char *name, const char *prefix,
                      bool *any, struct error *e)
{
    CLEANUP_CLOSE int fd = openat(info, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    CLEANUP_FREE char *text = NULL;
    struct stat st;
    size_t size;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
        (st.st_mode & 022))
        return true;
    if (!file_read_fd(&text, &size, fd, MOST_RECORD, e)) {
        error_prefix(e, "info/%s", name);
        return false;
    }
    if (!take_lines(d, text, size, str_ends(name, ".md5sums"), prefix))
        return true;
    *any = true;
    int64_t written = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    d->newer = d->newer || written > manifest_made_ns(d->site->generation.manifest);
    return true;
}

static bool take_package(struct dpkg_owned *d, int info, const char *list, const char *prefix,
                         struct error *e)
{
    char sums[300];
    int length = (int)(strlen(list) - strlen(".list"));
    bool any = false;
    snprintf(sums, sizeof sums, "%.*s.md5sums", length, list);
    if (!take_file(d, info, sums, prefix, &any, e) || !take_file(d, info, list, prefix, &any, e))
        return false;
    if (any)
        VEC_PUSH(&d->packages,
                 ((struct package){arena_strndup(d->arena, list, (size_t)length), false}));
    return true;
}

static bool take_all(struct dpkg_owned *d, const char *admindir, const char *prefix,
                     struct error *e)
{
    CLEANUP_STR struct str folder = {0};
    str_printf(&folder, "%s/info", admindir);
    DIR *info = opendir(folder.data);
    if (!info) {
        error_set(e, ERR_ABSENT, "%s: dpkg keeps no record there", admindir);
        return false;
    }
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(info));)
        if (str_ends(entry->d_name, ".list"))
            good = take_package(d, dirfd(info), entry->d_name, prefix, e);
    closedir(info);
    if (d->files.count)
        qsort(d->files.items, d->files.count, sizeof *d->files.items, by_path);
    return good;
}

static void take_touched(struct dpkg_owned *d, const char *touched, size_t size)
{
    for (size_t at = 0; touched && at < size;) {
        size_t length = strnlen(touched + at, size - at);
        VEC_PUSH(&d->touched, (const char *)arena_strndup(d->arena, touched + at, length));
        at += length + 1;
    }
    if (d->touched.count)
        qsort(d->touched.items, d->touched.count, sizeof *d->touched.items, by_text);
}

bool dpkg_owned_load(struct dpkg_owned **out, const char *admindir, const struct site *site,
                     const char *touched, size_t touched_size, struct error *e)
{
    struct dpkg_owned *d = mem_alloc(sizeof *d);
    *d = (struct dpkg_owned){.site = site, .arena = arena_new()};
    /* dpkg --root=DIR: names in the record are beneath DIR */
    size_t above = strlen(admindir);
    above = str_ends(admindir, DPKG_ADMINDIR) ? above - strlen(DPKG_ADMINDIR) : 0;
    const char *root = site->row.root;
    bool good = true;
    if (strncmp(root, admindir, above) == 0 && root[above] == '/') {
        CLEANUP_STR struct str prefix = {0};
        str_printf(&prefix, "%s/", root + above + 1);
        good = take_all(d, admindir, prefix.data, e);
    }
    take_touched(d, touched, touched_size);
    if (!good) {
        dpkg_owned_free(d);
        return false;
    }
    *out = d;
    return true;
}

/* ---- what is let in ------------------------------------------------------------------------- */

static const struct owned *find(const struct dpkg_owned *d, const char *path)
{
    size_t low = 0, high = d->files.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(d->files.items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < d->files.count && str_equal(d->files.items[low].path, path) ? &d->files.items[low]
                                                                             : NULL;
}

static bool was_touched(const struct dpkg_owned *d, const char *path)
{
    return d->touched.count &&
           bsearch(&path, d->touched.items, d->touched.count, sizeof *d->touched.items, by_text);
}

/* Both digests of one reading: what has this MD5 is what was looked at before. */
static bool content_is(const struct dpkg_owned *d, const struct owned *file,
                       const struct difference *difference)
{
    struct stat st;
    uint8_t md5[EVP_MAX_MD_SIZE], sha256[EVP_MAX_MD_SIZE];
    CLEANUP_CLOSE int fd = file_open_beneath(d->site->rootfd, difference->path, &st, NULL);
    EVP_MD_CTX *one = EVP_MD_CTX_new(), *two = EVP_MD_CTX_new();
    bool good = fd >= 0 && difference->now_hashed && one && two &&
                EVP_DigestInit_ex(one, EVP_md5(), NULL) &&
                EVP_DigestInit_ex(two, EVP_sha256(), NULL);
    static const size_t piece = 65536;
    CLEANUP_FREE char *buffer = mem_alloc(piece);
    ssize_t n = 0;
    while (good && (n = read(fd, buffer, piece)) > 0)
        good = EVP_DigestUpdate(one, buffer, (size_t)n) && EVP_DigestUpdate(two, buffer, (size_t)n);
    good = good && n == 0 && EVP_DigestFinal_ex(one, md5, NULL) &&
           EVP_DigestFinal_ex(two, sha256, NULL) && memcmp(md5, file->md5, MD5_SIZE) == 0 &&
           memcmp(sha256, difference->now_sha256, SHA256_SIZE) == 0;
    EVP_MD_CTX_free(one);
    EVP_MD_CTX_free(two);
    return good;
}

static bool attributes_fit(const struct difference *difference)
{
    const unsigned same = WHAT_MODE | WHAT_OWNER | WHAT_GROUP | WHAT_XATTRS;
    if (difference->kind == DIFFERENCE_CHANGED)
        return !(difference->what & same);
    return difference->now.st_uid == 0 && difference->now.st_gid == 0 &&
           !(difference->now.st_mode & 06022) && !difference->now_xattrs_size;
}

static bool fits(struct dpkg_owned *d, const struct difference *difference)
{
    const struct owned *file = find(d, difference->path);
    bool touched = was_touched(d, difference->path);
    if (difference->kind == DIFFERENCE_REMOVED)
        return touched && !file;
    if (difference->kind == DIFFERENCE_UNREADABLE || !file ||
        !(touched || attributes_fit(difference)))
        return false;
    if (difference->from && !(was_touched(d, difference->from) && !find(d, difference->from)))
        return false;
    if (S_ISREG(difference->now.st_mode))
        return file->has_md5 && content_is(d, file, difference);
    return touched || (S_ISDIR(difference->now.st_mode) && difference->kind == DIFFERENCE_ADDED);
}

bool dpkg_owned_lets_in(void *dpkg_owned, const struct difference *difference)
{
    struct dpkg_owned *d = dpkg_owned;
    if (!fits(d, difference))
        return false;
    const struct owned *file = find(d, difference->path);
    if (file)
        d->packages.items[file->package].let_in = true;
    return true;
}

static void add_to(const struct dpkg_owned *d, json_t *entry)
{
    json_t *packages = json_array();
    for (size_t i = 0; i < d->packages.count; i++)
        if (d->packages.items[i].let_in)
            json_array_append_new(packages, json_string(d->packages.items[i].name));
    json_put_string(entry, "by", "dpkg");
    json_put_string(entry, "proof", "md5");
    json_object_set_new(entry, "packages", packages);
}

bool dpkg_owned_publish(struct dpkg_owned *d, struct state *s, struct objects *objects,
                        struct site *site, json_t *entry, size_t *count, struct error *e)
{
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct verify_options options = {.policies = site->policies};
    *count = 0;
    if (!verify(&found, site->rootfd, site->generation.manifest, &options, e))
        return false;
    bool any = false;
    for (size_t i = 0; i < found->count; i++)
        any = dpkg_owned_lets_in(d, &found->items[i]) || any;
    if (!any)
        return true;
    add_to(d, entry);
    return publish_accept(s, objects, site, found, dpkg_owned_lets_in, d, entry, count, e);
}
