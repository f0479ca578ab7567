/* floor hash|stat DIR [THREADS]: the least that looking at a tree can cost. Walks it with a thread
 * a core and hashes every file with OpenSSL's SHA-256, fetched once (hash), or only stats every
 * name (stat). Prints files and bytes. What verify is measured against. */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 128 * 1024, MOST_THREADS = 64 };

struct folder {
    struct folder *next;
    char path[];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct folder *waiting;
    size_t unfinished;
    uint64_t files, bytes;
    bool hashes;
    const EVP_MD *sha256;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void push(const char *above, const char *name)
{
    size_t size = strlen(above) + strlen(name) + 2;
    struct folder *f = malloc(sizeof *f + size);
    if (!f)
        abort();
    snprintf(f->path, size, "%s%s%s", above, above[0] ? "/" : "", name);
    pthread_mutex_lock(&all.lock);
    f->next = all.waiting;
    all.waiting = f;
    all.unfinished++;
    pthread_cond_signal(&all.changed);
    pthread_mutex_unlock(&all.lock);
}

static struct folder *take(void)
{
    pthread_mutex_lock(&all.lock);
    while (!all.waiting && all.unfinished)
        pthread_cond_wait(&all.changed, &all.lock);
    struct folder *f = all.waiting;
    if (f)
        all.waiting = f->next;
    pthread_mutex_unlock(&all.lock);
    return f;
}

static void hash(int dir, const char *name, EVP_MD_CTX *digest, uint8_t *buffer, uint64_t *bytes)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    uint8_t out[32];
    ssize_t n;
    EVP_DigestInit_ex2(digest, all.sha256, NULL);
    while ((n = read(fd, buffer, BUFFER)) > 0) {
        EVP_DigestUpdate(digest, buffer, (size_t)n);
        *bytes += (uint64_t)n;
    }
    EVP_DigestFinal_ex(digest, out, NULL);
    close(fd);
}

static void *work(void *unused)
{
    (void)unused;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t *buffer = malloc(BUFFER);
    uint64_t files = 0, bytes = 0;
    for (struct folder *f; (f = take());) {
        DIR *dir = opendir(f->path);
        for (struct dirent *d; dir && (d = readdir(dir));) {
            struct stat st;
            if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") ||
                fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
                continue;
            files++;
            if (S_ISDIR(st.st_mode))
                push(f->path, d->d_name);
            else if (all.hashes && S_ISREG(st.st_mode))
                hash(dirfd(dir), d->d_name, digest, buffer, &bytes);
        }
        if (dir)
            closedir(dir);
        free(f);
        pthread_mutex_lock(&all.lock);
        if (--all.unfinished == 0)
            pthread_cond_broadcast(&all.changed);
        pthread_mutex_unlock(&all.lock);
    }
    pthread_mutex_lock(&all.lock);
    all.files += files;
    all.bytes += bytes;
    pthread_mutex_unlock(&all.lock);
    EVP_MD_CTX_free(digest);
    free(buffer);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    long cores = argc > 3 ? atol(argv[3]) : sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[MOST_THREADS];
    all.hashes = strcmp(argv[1], "hash") == 0;
    all.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    push("", argv[2]);
    if (cores > MOST_THREADS)
        cores = MOST_THREADS;
    for (long i = 1; i < cores; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    work(NULL);
    for (long i = 1; i < cores; i++)
        pthread_join(threads[i], NULL);
    printf("%llu names, %llu bytes\n", (unsigned long long)all.files,
           (unsigned long long)all.bytes);
    return 0;
}
