#include "feed/import.h"

#include "base/bytes.h"
#include "base/cage.h"
#include "base/file.h"
#include "base/str.h"
#include "feed/compile.h"
#include "feed/csaf.h"
#include "feed/import_files.h"
#include "feed/members.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One cage parses that much, then the next one takes over: its limits are those of a process. */
enum { BATCH_BYTES = 256 * 1024 * 1024, BATCH_DOCUMENTS = 10000 };
/* jansson's tree of 64 MiB of small values, and the document made of it. */
#define CAGE_MEMORY_BYTES (3ull * 1024 * 1024 * 1024)

enum frame { FRAME_BEGIN, FRAME_DOCUMENT, FRAME_ERROR, FRAME_IGNORED, FRAME_STOP, FRAME_LAST };

/* --- in the cage --- */

struct parsing {
    int fd;
    const char *feed;
    const char *archive; /* label of the archive, NULL for plain files */
};

static void send_error(struct cage *cage, const struct error *problem)
{
    CLEANUP_STR struct str out = {0};
    bytes_put_u32le(&out, (uint32_t)problem->code);
    bytes_put_u64le(&out, problem->line);
    bytes_put_u64le(&out, problem->column);
    bytes_put_string(&out, problem->message);
    cage_send(cage, FRAME_ERROR, out.data, out.length);
}

static void parse_one(struct cage *cage, const struct parsing *p, const char *label,
                      const struct str *text)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str block = {0};
    struct error e = ERROR_INIT;
    struct document document;
    struct csaf_source source = {label, p->feed};
    if (csaf_read(&document, arena, str_text(text), text->length, &source, &e) &&
        document_pack(&block, &document, &e))
        cage_send(cage, FRAME_DOCUMENT, block.data, block.length);
    else
        send_error(cage, &e);
}

static void parse_members(struct cage *cage, void *context)
{
    const struct parsing *p = context;
    CLEANUP(member_frame_free) struct member_frame m = {0};
    size_t bytes = 0;
    for (size_t i = 0; i < BATCH_DOCUMENTS && bytes < BATCH_BYTES; i++) {
        member_read(p->fd, &m);
        CLEANUP_STR struct str label = {0};
        str_printf(&label, "%s%s%s", p->archive ? p->archive : "", p->archive ? ":" : "",
                   str_text(&m.name));
        struct error refused = {.code = ERR_LIMIT};
        switch (m.kind) {
        case MEMBER_IGNORED:
            cage_send(cage, FRAME_IGNORED, "", 0);
            break;
        case MEMBER_FILE:
            cage_send(cage, FRAME_BEGIN, label.data, label.length);
            parse_one(cage, p, str_text(&label), &m.body);
            bytes += m.body.length;
            break;
        case MEMBER_REFUSED:
            cage_send(cage, FRAME_BEGIN, label.data, label.length);
            error_set(&refused, ERR_LIMIT, "%s", str_text(&m.body));
            send_error(cage, &refused);
            break;
        case MEMBER_END:
            cage_send(cage, FRAME_LAST, "", 0);
            return;
        case MEMBER_STOP:
            cage_send(cage, FRAME_STOP, str_text(&m.body), m.body.length);
            return;
        case MEMBER_BROKEN:
            str_clear(&m.body);
            str_add(&m.body, _("the stream of files ended early"));
            cage_send(cage, FRAME_STOP, str_text(&m.body), m.body.length);
            return;
        }
    }
}

/* --- in the parent --- */

struct importing {
    const struct import_request *request;
    struct import_result *result;
    struct compile *compile;
    const char *feed;
    const char *source; /* the archive, or the feed */
    uint64_t memory_bytes;
    char *current; /* what the cage works on; NULL = nothing */
    bool ended;
    size_t done, feed_failed;
};

static void say_error(struct importing *in, const struct error *problem, const char *path)
{
    struct error said = *problem;
    error_at(&said, path, problem->line, problem->column);
    in->result->failed++;
    in->feed_failed++;
    if (in->result->errors.count < IMPORT_MOST_SAID)
        VEC_PUSH(&in->result->errors, said);
}

static void say_note(struct importing *in, const struct error *note)
{
    if (in->result->notes.count < IMPORT_MOST_SAID)
        VEC_PUSH(&in->result->notes, *note);
}

static void finish_current(struct importing *in)
{
    free(in->current);
    in->current = NULL;
    in->done++;
    if (in->request->progress)
        in->request->progress(in->request->context, in->done);
}

static bool take_document(struct importing *in, const void *bytes, size_t size, struct error *e)
{
    enum compile_outcome outcome;
    struct error problem = ERROR_INIT, note = ERROR_INIT;
    if (!compile_add(in->compile, bytes, size, &outcome, &problem)) {
        if (problem.code == ERR_SYSTEM) {
            *e = problem;
            return false;
        }
        say_error(in, &problem, in->current);
        return true;
    }
    size_t *const counts[] = {
        [COMPILE_ADDED] = &in->result->added,         [COMPILE_REPLACED] = &in->result->replaced,
        [COMPILE_UNCHANGED] = &in->result->unchanged, [COMPILE_OLDER] = &in->result->older,
        [COMPILE_WITHDRAWN] = &in->result->withdrawn,
    };
    ++*counts[outcome];
    if (outcome == COMPILE_OLDER) {
        error_set(&note, ERR_NONE, "skipped: the same document is there in a newer version");
        error_at(&note, in->current, 0, 0);
        say_note(in, &note);
    }
    return true;
}

static void take_error(struct importing *in, const void *bytes, size_t size)
{
    struct bytes b = bytes_of(bytes, size);
    struct error problem = ERROR_INIT;
    uint32_t code = bytes_u32le(&b);
    uint64_t line = bytes_u64le(&b), column = bytes_u64le(&b);
    size_t length;
    const char *message = bytes_string(&b, sizeof problem.message, &length);
    error_set(&problem, code <= ERR_UNSUPPORTED ? (enum error_code)code : ERR_FORMAT, "%.*s",
              message ? (int)length : 0, message ? message : "");
    problem.line = line;
    problem.column = column;
    say_error(in, &problem, in->current);
}

static bool take_frame(void *context, uint32_t type, const void *bytes, size_t size,
                       struct error *e)
{
    struct importing *in = context;
    struct error problem = ERROR_INIT;
    switch (type) {
    case FRAME_BEGIN:
        free(in->current);
        in->current = mem_alloc(size + 1);
        if (size)
            memcpy(in->current, bytes, size);
        return true;
    case FRAME_DOCUMENT:
        if (!in->current || !take_document(in, bytes, size, e))
            return false;
        finish_current(in);
        return true;
    case FRAME_ERROR:
        if (!in->current)
            return false;
        take_error(in, bytes, size);
        finish_current(in);
        return true;
    case FRAME_IGNORED:
        in->result->ignored++;
        return true;
    case FRAME_STOP:
        error_set(&problem, ERR_LIMIT, "%.*s", size < 400 ? (int)size : 400, (const char *)bytes);
        say_error(in, &problem, in->source);
        in->ended = true;
        return true;
    case FRAME_LAST:
        in->ended = true;
        return true;
    default:
        error_set(e, ERR_CAGE, "the caged parser said what nobody asked it");
        return false;
    }
}

/* Cage after cage, until the stream is through. One that dies takes its document with it. */
static bool run_cages(struct importing *in, const struct import_source *source, bool archive,
                      struct error *e)
{
    struct parsing parsing = {source->fd, in->feed, archive ? in->source : NULL};
    const struct cage_limits limits = {.memory_bytes = in->memory_bytes,
                                       .cpu_seconds = 300,
                                       .wall_ms = 60000,
                                       .frame_bytes = DOCUMENT_MOST_BYTES + 4096};
    in->ended = false;
    while (!in->ended) {
        struct error problem = ERROR_INIT;
        size_t before = in->done;
        if (cage_run(CAGE_BYTES, -1, &source->fd, 1, &limits, parse_members, &parsing, take_frame,
                     in, &problem))
            continue;
        if (problem.code == ERR_SYSTEM) {
            *e = problem;
            return false;
        }
        if (!in->current && in->done == before) {
            say_error(in, &problem, in->source);
            return true;
        }
        if (in->current) {
            say_error(in, &problem, in->current);
            finish_current(in);
        }
    }
    return true;
}

/* Files of one feed, or one archive. */
static bool import_some(struct importing *in, const struct import_file *files, size_t count,
                        struct error *e)
{
    struct import_source source;
    struct error problem = ERROR_INIT;
    const struct import_result *r = in->result;
    bool archive = files[0].archive;
    in->feed = files[0].feed;
    in->source = archive ? files[0].path : in->feed;
    in->feed_failed = 0;
    size_t before = r->added + r->replaced + r->unchanged;
    bool started = archive ? import_source_archive(&source, files[0].path, &problem)
                           : import_source_files(&source, files, count, &problem);
    if (!started) {
        say_error(in, &problem, in->source);
        return true;
    }
    bool good = run_cages(in, &source, archive, e);
    import_source_close(&source);
    if (r->added + r->replaced + r->unchanged > before)
        compile_feed(in->compile, in->feed, in->request->now, in->feed_failed);
    return good;
}

static bool import_files(struct importing *in, const struct import_files *files, struct error *e)
{
    for (size_t i = 0, n; i < files->list.count; i += n) {
        const struct import_file *file = &files->list.items[i];
        for (n = 1; !file->archive && i + n < files->list.count && !file[n].archive &&
                    file[n].feed == file->feed;)
            n++;
        if (!import_some(in, file, n, e))
            return false;
    }
    return true;
}

/* The kept database is mapped in the cages too: it counts against their limit. */
static uint64_t memory_for(const struct import_request *request)
{
    struct stat st;
    bool there = fstatat(request->dirfd, request->name, &st, 0) == 0;
    return CAGE_MEMORY_BYTES + (there ? (uint64_t)st.st_size : 0);
}

static bool import_all(struct importing *in, struct error *e)
{
    const struct import_request *request = in->request;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct error lost = ERROR_INIT;
    if (!compile_keep(in->compile, file_path_in(arena, request->dirfd, request->name), NULL, NULL,
                      &lost)) {
        error_prefix(&lost, "what was imported before could not be kept");
        say_note(in, &lost);
    }
    CLEANUP(import_files_free) struct import_files files = {0};
    for (size_t i = 0; i < request->count; i++) {
        struct error problem = ERROR_INIT;
        if (!import_files_find(&files, request->paths[i], &problem))
            say_error(in, &problem, *problem.path ? problem.path : request->paths[i]);
    }
    in->result->ignored += files.ignored;
    if (!import_files(in, &files, e))
        return false;
    struct import_result *r = in->result;
    if (r->added + r->replaced + r->unchanged + r->withdrawn) {
        if (!compile_write(in->compile, request->name, e))
            return false;
        r->written = true;
    }
    r->documents = compile_count(in->compile);
    return true;
}

bool import_run(struct import_result *out, const struct import_request *request, struct error *e)
{
    struct import_result result = {0};
    struct importing in = {
        .request = request, .result = &result, .memory_bytes = memory_for(request)};
    if (!compile_new(&in.compile, request->dirfd, e))
        return false;
    bool good = import_all(&in, e);
    compile_free(in.compile);
    free(in.current);
    if (!good) {
        import_result_free(&result);
        return false;
    }
    *out = result;
    return true;
}

void import_result_free(struct import_result *r)
{
    VEC_FREE(&r->errors);
    VEC_FREE(&r->notes);
}

bool import_remove(size_t *documents, int dirfd, const char *name, const char *feed,
                   struct error *e)
{
    CLEANUP_COMPILE struct compile *c = NULL;
    CLEANUP_STR struct str old = {0};
    size_t removed = 0;
    str_printf(&old, "/proc/self/fd/%d/%s", dirfd, name);
    if (!compile_new(&c, dirfd, e) || !compile_keep(c, str_text(&old), feed, &removed, e) ||
        (removed && !compile_write(c, name, e)))
        return false;
    *documents = removed;
    return true;
}
