/* feed-compile - compiles the advisories of data/ while the program is being built.
 *
 *   feed-compile [--name FEED] [--copy FILE] [--depfile FILE] OUT.db PATH...
 *
 * PATHs are CSAF documents, or folders that are searched for *.json. The documents are our
 * own, so nothing is caged; one that is broken ends the build. The same documents make the
 * same bytes. --copy writes the result a second time (where the build tree is looked for at
 * run time); --depfile names for ninja what was read. */
#include "base/file.h"
#include "base/str.h"
#include "feed/compile.h"
#include "feed/csaf.h"
#include "model/date.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    const char *feed;
    struct compile *compile;
    VEC(char *) files;
    VEC(char *) folders;
};

static bool fail(const struct error *e)
{
    char text[1024];
    fprintf(stderr, "feed-compile: %s\n", error_text(e, text, sizeof text));
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void search(struct job *job, const char *path, unsigned depth)
{
    DIR *dir = depth < 16 ? opendir(path) : NULL;
    if (!dir) {
        VEC_PUSH(&job->files, mem_strdup(path));
        return;
    }
    VEC_PUSH(&job->folders, mem_strdup(path));
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        CLEANUP_STR struct str name = {0};
        str_printf(&name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR || str_ends(entry->d_name, ".json"))
            search(job, str_text(&name), depth + 1);
    }
    closedir(dir);
}

static bool add_file(struct job *job, const char *path)
{
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *text = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str block = {0};
    size_t size;
    const char *base = strrchr(path, '/');
    struct csaf_source source = {base ? base + 1 : path, job->feed};
    struct document document;
    enum compile_outcome outcome;
    if (!file_read(&text, &size, path, DOCUMENT_MOST_BYTES, &e) ||
        !csaf_read(&document, arena, text, size, &source, &e) ||
        !document_pack(&block, &document, &e) ||
        !compile_add(job->compile, block.data, block.length, &outcome, &e))
        return fail(&e);
    if (outcome != COMPILE_ADDED) {
        error_set(&e, ERR_FORMAT, "the id %s is there twice", document.head.id);
        error_at(&e, path, 0, 0);
        return fail(&e);
    }
    return true;
}

static bool compile_to(struct job *job, const char *path)
{
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *copy = mem_strdup(path);
    char *slash = strrchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (!file_make_dirs(slash ? copy : ".", 0755, &e))
        return fail(&e);
    CLEANUP_CLOSE int dirfd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!compile_new(&job->compile, dirfd, &e))
        return fail(&e);
    compile_feed(job->compile, job->feed, DATE_NONE, 0);
    bool good = true;
    for (size_t i = 0; i < job->files.count; i++)
        good = add_file(job, job->files.items[i]) && good;
    if (good && !compile_write(job->compile, slash ? slash + 1 : path, &e))
        good = fail(&e);
    compile_free(job->compile);
    return good;
}

static bool write_depfile(const struct job *job, const char *path, const char *out)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fprintf(f, "%s:", out);
    for (size_t i = 0; i < job->files.count; i++)
        fprintf(f, " %s", job->files.items[i]);
    for (size_t i = 0; i < job->folders.count; i++)
        fprintf(f, " %s", job->folders.items[i]);
    fprintf(f, "\n");
    return fclose(f) == 0;
}

int main(int argc, char **argv)
{
    struct job job = {.feed = "shipped"};
    const char *copy = NULL, *depfile = NULL, *out;
    int i = 1;
    for (; i + 1 < argc && str_starts(argv[i], "--"); i += 2) {
        if (str_equal(argv[i], "--name"))
            job.feed = argv[i + 1];
        else if (str_equal(argv[i], "--copy"))
            copy = argv[i + 1];
        else if (str_equal(argv[i], "--depfile"))
            depfile = argv[i + 1];
        else
            break;
    }
    if (argc - i < 2 || str_starts(argv[i], "--")) {
        fprintf(stderr, "usage: feed-compile [--name FEED] [--copy FILE] [--depfile FILE] OUT.db "
                        "PATH...\n");
        return 2;
    }
    out = argv[i++];
    for (; i < argc; i++)
        search(&job, argv[i], 0);
    if (job.files.count)
        qsort(job.files.items, job.files.count, sizeof *job.files.items, by_name);
    bool good = compile_to(&job, out) && (!copy || compile_to(&job, copy)) &&
                (!depfile || write_depfile(&job, depfile, out));
    for (size_t f = 0; f < job.files.count; f++)
        free(job.files.items[f]);
    for (size_t f = 0; f < job.folders.count; f++)
        free(job.folders.items[f]);
    VEC_FREE(&job.files);
    VEC_FREE(&job.folders);
    return good ? 0 : 2;
}
