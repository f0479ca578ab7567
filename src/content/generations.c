#include "content/generations.h"

#include "base/file.h"
#include "base/str.h"
#include "model/date.h"
#include "record/keys.h"
#include "record/minisign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char key_name[] = "baseline";

void generation_close(struct generation *g)
{
    manifest_free(g->manifest);
    g->manifest = NULL;
}

static int open_folder(struct state *s, const char *site, bool make, struct error *e)
{
    if (!site_name_valid(site)) {
        error_set(e, ERR_USAGE, "\"%.80s\" cannot be the name of a site", site);
        return -1;
    }
    char path[96];
    snprintf(path, sizeof path, "manifests/%s", site);
    if (make && ((mkdirat(state_dirfd(s), "manifests", 0700) != 0 && errno != EEXIST) ||
                 (mkdirat(state_dirfd(s), path, 0700) != 0 && errno != EEXIST))) {
        error_set_errno(e, errno, "making the folder %s of the state", path);
        return -1;
    }
    int fd = openat(state_dirfd(s), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        error_set_errno(e, errno, "opening the folder %s of the state", path);
    return fd;
}

static void name_of(char out[40], uint64_t number, const char *suffix)
{
    snprintf(out, 40, "%llu%s", (unsigned long long)number, suffix);
}

static void comment_of(char out[256], const char *site, uint64_t number, int64_t made_ns)
{
    char time[32];
    date_format(made_ns / 1000000000, time);
    snprintf(out, 256, "yagura manifest %s %llu made %s", site, (unsigned long long)number, time);
}

/* What was published and is not there is damage, not absence. */
static bool gone(struct error *e)
{
    if (e && e->code == ERR_ABSENT)
        e->code = ERR_CORRUPT;
    return false;
}

/* The manifest is the one that was signed, of this site and number. */
static bool prove(struct generation *g, struct state *s, const char *site, int folder,
                  struct error *e)
{
    char name[40], said[MINISIGN_COMMENT_SIZE], expected[256];
    name_of(name, g->number, ".minisig");
    CLEANUP_CLOSE int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        error_set_errno(e, errno, "opening its signature");
        return gone(e);
    }
    CLEANUP_FREE char *signature = NULL;
    size_t length;
    if (!file_read_fd(&signature, &length, fd, 8192, e))
        return false;
    struct keypair k = {0};
    if (!keys_open(&k, state_dirfd(s), key_name, false, e))
        return false;
    const void *bytes;
    size_t size;
    manifest_bytes(g->manifest, &bytes, &size);
    bool good = minisign_verify(&k, signature, bytes, size, said, e);
    keys_wipe(&k);
    if (!good)
        return false;
    comment_of(expected, site, g->number, manifest_made_ns(g->manifest));
    if (strcmp(said, expected) != 0 || strcmp(manifest_site(g->manifest), site) != 0 ||
        manifest_generation(g->manifest) != g->number) {
        error_set(e, ERR_CORRUPT,
                  "it is a manifest of %.64s, generation %llu: an old or foreign "
                  "one was put in its place",
                  manifest_site(g->manifest), (unsigned long long)manifest_generation(g->manifest));
        return false;
    }
    crypto_hash_sha256(g->sha256, bytes, size);
    return true;
}

bool generation_open(struct generation *out, struct state *s, const struct site_row *site,
                     uint64_t number, struct error *e)
{
    CLEANUP_GENERATION struct generation g = {.number = number ? number : site->generation};
    if (!g.number) {
        error_set(e, ERR_ABSENT, "nothing of %s has been published yet", site->name);
        return false;
    }
    CLEANUP_CLOSE int folder = open_folder(s, site->name, false, e);
    if (folder < 0)
        return false;
    char name[40];
    name_of(name, g.number, "");
    CLEANUP_CLOSE int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0;
    if (!good)
        error_set_errno(e, errno, "opening the manifest");
    if (!good && g.number == site->generation)
        gone(e);
    good = good && manifest_open(&g.manifest, fd, e) && prove(&g, s, site->name, folder, e);
    if (good && g.number == site->generation &&
        memcmp(g.sha256, site->manifest_sha256, sizeof g.sha256) != 0) {
        error_set(e, ERR_CORRUPT, "it is not the one that was accepted");
        good = false;
    }
    if (!good) {
        error_prefix(e, "generation %llu of %s", (unsigned long long)g.number, site->name);
        return false;
    }
    *out = g;
    g.manifest = NULL;
    return true;
}

static bool sign(struct state *s, int folder, const char *site, uint64_t number,
                 const struct manifest *m, struct error *e)
{
    struct keypair k = {0};
    if (!keys_open(&k, state_dirfd(s), key_name, true, e))
        return false;
    if (!k.has_secret) {
        error_set(e, ERR_ABSENT,
                  "the secret key of the baseline (keys/%s.key in the state) is not "
                  "here: nothing can be published",
                  key_name);
        return false;
    }
    const void *bytes;
    size_t size;
    char comment[256], name[40];
    CLEANUP_STR struct str text = {0};
    manifest_bytes(m, &bytes, &size);
    comment_of(comment, site, number, manifest_made_ns(m));
    minisign_sign(&text, &k, bytes, size, comment);
    keys_wipe(&k);
    name_of(name, number, ".minisig");
    return file_replace(folder, name, text.data, text.length, 0600, e);
}

/* Writes the manifest under a temporary name, signs it, gives it its name. */
static bool write_generation(struct generation *g, struct state *s, int folder,
                             const struct site_row *row, struct build *b, int64_t now_ns,
                             struct error *e)
{
    char temporary[40], name[40];
    name_of(name, g->number, "");
    snprintf(temporary, sizeof temporary, "tmp-%d", (int)getpid());
    CLEANUP_CLOSE int fd =
        openat(folder, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set_errno(e, errno, "making the manifest");
        return false;
    }
    bool good = build_write(b, fd, row->name, g->number, now_ns,
                            row->generation ? row->manifest_sha256 : NULL, e);
    if (good && fsync(fd) != 0) {
        error_set_errno(e, errno, "making the manifest durable");
        good = false;
    }
    good = good && manifest_open(&g->manifest, fd, e) &&
           sign(s, folder, row->name, g->number, g->manifest, e);
    if (good && (renameat(folder, temporary, folder, name) != 0 || fsync(folder) != 0)) {
        error_set_errno(e, errno, "giving the manifest its name");
        good = false;
    }
    if (!good)
        unlinkat(folder, temporary, 0);
    return good && prove(g, s, row->name, folder, e);
}

static bool hold(int folder, struct error *e)
{
    while (flock(folder, LOCK_EX) != 0)
        if (errno != EINTR) {
            error_set_errno(e, errno, "waiting for who else publishes");
            return false;
        }
    return true;
}

static bool still_as_read(struct state *s, const struct site_row *row, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct site_row *rows;
    size_t count;
    uint64_t now = 0;
    if (!sites_list(s, arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_equal(rows[i].name, row->name))
            now = rows[i].generation;
    if (now == row->generation)
        return true;
    error_set(e, ERR_SYSTEM,
              "generation %llu of %s was published by somebody else meanwhile: look "
              "again and publish again",
              (unsigned long long)now, row->name);
    return false;
}

bool generation_commit(struct state *s, struct objects *objects, struct site_row *row,
                       struct build *b, json_t *entry, int64_t now_ns, struct error *e)
{
    /* Held to the end: nobody else gives out the same number. */
    CLEANUP_CLOSE int folder = open_folder(s, row->name, true, e);
    if (folder < 0 || !hold(folder, e) || !still_as_read(s, row, e) || !objects_sync(objects, e))
        return false;
    CLEANUP_GENERATION struct generation g = {.number = row->generation + 1};
    if (!write_generation(&g, s, folder, row, b, now_ns, e)) {
        error_prefix(e, "generation %llu of %s", (unsigned long long)g.number, row->name);
        return false;
    }
    struct site_row accepted = *row;
    char hash[65];
    accepted.generation = g.number;
    memcpy(accepted.manifest_sha256, g.sha256, sizeof g.sha256);
    if (!accepted.since)
        accepted.since = now_ns / 1000000000;
    sodium_bin2hex(hash, sizeof hash, g.sha256, sizeof g.sha256);
    json_object_set_new(entry, "site", json_string(row->name));
    json_object_set_new(entry, "generation", json_integer((json_int_t)g.number));
    json_object_set_new(entry, "manifest", json_string(hash));
    if (!sites_accept(s, &accepted, entry, now_ns / 1000000000, e))
        return false;
    *row = accepted;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The number of the generation that a file belongs to, however it ends; 0: to none. */
static uint64_t number_of(const char *name)
{
    char digits[24];
    uint64_t number = 0;
    size_t length = strcspn(name, ".");
    snprintf(digits, sizeof digits, "%.*s", (int)(length < 23 ? length : 23), name);
    return length < 21 && str_to_u64(digits, &number) ? number : 0;
}

bool generations_sweep(struct state *s, const struct site_row *site, struct error *e)
{
    int fd = open_folder(s, site->name, false, e);
    if (fd < 0 || !hold(fd, e))
        return false;
    DIR *folder = fdopendir(fd);
    if (!folder) {
        error_set_errno(e, errno, "listing the generations of %s", site->name);
        close(fd);
        return false;
    }
    for (struct dirent *d; (d = readdir(folder));) {
        char name[40];
        uint64_t number = number_of(d->d_name);
        name_of(name, number, "");
        if (number && number <= site->generation && faccessat(fd, name, F_OK, 0) == 0)
            continue;
        if (!str_equal(d->d_name, ".") && !str_equal(d->d_name, ".."))
            unlinkat(fd, d->d_name, 0);
    }
    closedir(folder);
    return true;
}

bool generations_list(struct state *s, const struct site_row *site, struct arena *arena,
                      uint64_t **out, size_t *count, struct error *e)
{
    int fd = open_folder(s, site->name, false, e);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    VEC(uint64_t) numbers = {0};
    for (struct dirent *d; (d = readdir(folder));) {
        uint64_t number;
        if (str_to_u64(d->d_name, &number) && number && number <= site->generation)
            VEC_PUSH(&numbers, number);
    }
    closedir(folder);
    if (numbers.count)
        qsort(numbers.items, numbers.count, sizeof *numbers.items, by_number);
    *out = numbers.count ? arena_dup(arena, numbers.items, numbers.count * sizeof(uint64_t)) : NULL;
    *count = numbers.count;
    VEC_FREE(&numbers);
    return true;
}

struct stat_index *generation_stat_index(struct state *s, const struct site_row *site,
                                         const struct generation *g)
{
    char name[40];
    name_of(name, g->number, ".stat");
    CLEANUP_CLOSE int folder = open_folder(s, site->name, false, NULL);
    if (folder < 0)
        return stat_index_new(g->manifest, g->sha256);
    return stat_index_load(g->manifest, g->sha256, folder, name);
}

bool generation_save_stat_index(struct state *s, const struct site_row *site,
                                const struct generation *g, const struct stat_index *index,
                                struct error *e)
{
    char name[40];
    name_of(name, g->number, ".stat");
    CLEANUP_CLOSE int folder = open_folder(s, site->name, false, e);
    return folder >= 0 && stat_index_save(index, folder, name, e);
}

bool generation_drop(struct state *s, const struct site_row *site, uint64_t number, struct error *e)
{
    static const char *const suffixes[] = {"", ".minisig", ".stat"};
    if (number == site->generation) {
        error_set(e, ERR_USAGE, "generation %llu is the published one: it stays",
                  (unsigned long long)number);
        return false;
    }
    CLEANUP_CLOSE int folder = open_folder(s, site->name, false, e);
    if (folder < 0)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        char name[40];
        name_of(name, number, suffixes[i]);
        if (unlinkat(folder, name, 0) != 0 && errno != ENOENT) {
            error_set_errno(e, errno, "removing generation %llu", (unsigned long long)number);
            return false;
        }
    }
    /* Before its objects go: no manifest comes back that names what is no more. */
    if (fsync(folder) == 0)
        return true;
    error_set_errno(e, errno, "removing generation %llu", (unsigned long long)number);
    return false;
}
