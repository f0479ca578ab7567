#include "collect/unpack.h"

#include "base/mem.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_BYTES = 128 << 10, XZ_MOST_BYTES = 80 << 20, ZSTD_WINDOW_LOG_MOST = 25 };

/* One step of a format: takes from in, gives to out. `done` is set where a member ended. */
struct step {
    const uint8_t *in;
    size_t in_size, in_used;
    uint8_t *out;
    size_t out_size, out_used;
    bool at_end; /* nothing comes after `in` */
    bool done;
};

struct unpack {
    struct unpack_source source;
    const struct format *format;
    uint64_t offset, given, most;
    uint8_t *input;
    size_t input_size, input_used;
    bool input_ended, between; /* between two members */
    union {
        z_stream gzip;
        lzma_stream xz;
        bz_stream bzip2;
        LZ4F_dctx *lz4;
        ZSTD_DStream *zstd;
    } state;
};

struct format {
    const char *name;
    const char *magic;
    size_t magic_size;
    bool (*start)(struct unpack *u);
    const char *(*step)(struct unpack *u, struct step *s); /* NULL, or what is wrong */
    void (*stop)(struct unpack *u);
};

static const char *plain_step(struct unpack *u, struct step *s)
{
    size_t n = s->in_size < s->out_size ? s->in_size : s->out_size;
    if (n)
        memcpy(s->out, s->in, n);
    s->in_used = s->out_used = n;
    s->done = true; /* may end anywhere */
    return NULL;
}

static bool gzip_start(struct unpack *u)
{
    u->state.gzip = (z_stream){0};
    return inflateInit2(&u->state.gzip, 15 + 16) == Z_OK; /* 16: gzip wrapper only */
}

static const char *gzip_step(struct unpack *u, struct step *s)
{
    z_stream *z = &u->state.gzip;
    if (u->between && inflateReset(z) != Z_OK)
        return _("it could not be begun again");
    z->next_in = (Bytef *)s->in;
    z->avail_in = (uInt)s->in_size;
    z->next_out = s->out;
    z->avail_out = (uInt)s->out_size;
    int result = inflate(z, Z_NO_FLUSH);
    s->in_used = s->in_size - z->avail_in;
    s->out_used = s->out_size - z->avail_out;
    s->done = result == Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR
               ? NULL
               : _("the compressed data are damaged");
}

static void gzip_stop(struct unpack *u)
{
    inflateEnd(&u->state.gzip);
}

static bool xz_start(struct unpack *u)
{
    u->state.xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_stream_decoder(&u->state.xz, XZ_MOST_BYTES, LZMA_CONCATENATED) == LZMA_OK;
}

/* What stood before .xz: no magic number, and its first bytes are its usual settings. */
static bool lzma_start(struct unpack *u)
{
    u->state.xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_alone_decoder(&u->state.xz, XZ_MOST_BYTES) == LZMA_OK;
}

static const char *xz_step(struct unpack *u, struct step *s)
{
    lzma_stream *x = &u->state.xz;
    x->next_in = s->in;
    x->avail_in = s->in_size;
    x->next_out = s->out;
    x->avail_out = s->out_size;
    lzma_ret result = lzma_code(x, s->at_end ? LZMA_FINISH : LZMA_RUN);
    s->in_used = s->in_size - x->avail_in;
    s->out_used = s->out_size - x->avail_out;
    s->done = result == LZMA_STREAM_END;
    if (result == LZMA_MEMLIMIT_ERROR)
        return _("it needs more memory than is given to it");
    return result == LZMA_OK || result == LZMA_STREAM_END || result == LZMA_BUF_ERROR
               ? NULL
               : _("the compressed data are damaged");
}

/* It has one member, and a decoder that has ended says so for ever. */
static const char *lzma_step(struct unpack *u, struct step *s)
{
    return u->between ? _("there is something behind its end") : xz_step(u, s);
}

static void xz_stop(struct unpack *u)
{
    lzma_end(&u->state.xz);
}

static bool bzip2_start(struct unpack *u)
{
    u->state.bzip2 = (bz_stream){0};
    return BZ2_bzDecompressInit(&u->state.bzip2, 0, 0) == BZ_OK;
}

static void bzip2_stop(struct unpack *u)
{
    BZ2_bzDecompressEnd(&u->state.bzip2);
}

static const char *bzip2_step(struct unpack *u, struct step *s)
{
    bz_stream *b = &u->state.bzip2;
    if (u->between) {
        bzip2_stop(u);
        if (!bzip2_start(u))
            return _("it could not be begun again");
    }
    b->next_in = (char *)(uintptr_t)s->in; /* it only reads */
    b->avail_in = (unsigned)s->in_size;
    b->next_out = (char *)s->out;
    b->avail_out = (unsigned)s->out_size;
    int result = BZ2_bzDecompress(b);
    s->in_used = s->in_size - b->avail_in;
    s->out_used = s->out_size - b->avail_out;
    s->done = result == BZ_STREAM_END;
    return result == BZ_OK || result == BZ_STREAM_END ? NULL : _("the compressed data are damaged");
}

static bool lz4_start(struct unpack *u)
{
    u->state.lz4 = NULL;
    return !LZ4F_isError(LZ4F_createDecompressionContext(&u->state.lz4, LZ4F_VERSION));
}

static const char *lz4_step(struct unpack *u, struct step *s)
{
    s->in_used = s->in_size;
    s->out_used = s->out_size;
    size_t hint = LZ4F_decompress(u->state.lz4, s->out, &s->out_used, s->in, &s->in_used, NULL);
    s->done = hint == 0;
    return LZ4F_isError(hint) ? _("the compressed data are damaged") : NULL;
}

static void lz4_stop(struct unpack *u)
{
    LZ4F_freeDecompressionContext(u->state.lz4);
}

static bool zstd_start(struct unpack *u)
{
    u->state.zstd = ZSTD_createDStream();
    return u->state.zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->state.zstd, ZSTD_d_windowLogMax,
                                                                 ZSTD_WINDOW_LOG_MOST));
}

static const char *zstd_step(struct unpack *u, struct step *s)
{
    ZSTD_inBuffer in = {s->in, s->in_size, 0};
    ZSTD_outBuffer out = {s->out, s->out_size, 0};
    size_t hint = ZSTD_decompressStream(u->state.zstd, &out, &in);
    s->in_used = in.pos;
    s->out_used = out.pos;
    s->done = hint == 0;
    return ZSTD_isError(hint) ? _("the compressed data are damaged") : NULL;
}

static void zstd_stop(struct unpack *u)
{
    ZSTD_freeDStream(u->state.zstd);
}

static const struct format formats[] = {
    {"gzip", "\x1f\x8b", 2, gzip_start, gzip_step, gzip_stop},
    {"xz",
     "\xfd"
     "7zXZ\0",
     6, xz_start, xz_step, xz_stop},
    {"lz4", "\x04\x22\x4d\x18", 4, lz4_start, lz4_step, lz4_stop},
    {"zstd", "\x28\xb5\x2f\xfd", 4, zstd_start, zstd_step, zstd_stop},
    {"bzip2", "BZh", 3, bzip2_start, bzip2_step, bzip2_stop},
    {"lzma", "\x5d\0\0", 3, lzma_start, lzma_step, xz_stop},
};
static const struct format plain = {"plain", "", 0, NULL, plain_step, NULL};

static bool refill(struct unpack *u, struct error *e)
{
    if (u->input_used < u->input_size || u->input_ended)
        return true;
    size_t got = 0;
    if (!u->source.read(u->source.context, u->offset, u->input, INPUT_BYTES, &got, e))
        return false;
    u->offset += got;
    u->input_size = got;
    u->input_used = 0;
    u->input_ended = got == 0;
    return true;
}

bool unpack_open(struct unpack **out, const struct unpack_source *source, uint64_t most,
                 struct error *e)
{
    CLEANUP_UNPACK struct unpack *u = mem_alloc(sizeof *u);
    u->source = *source;
    u->most = most;
    u->input = mem_alloc(INPUT_BYTES);
    if (!refill(u, e))
        return false;
    const struct format *found = &plain;
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
        if (u->input_size >= formats[i].magic_size &&
            memcmp(u->input, formats[i].magic, formats[i].magic_size) == 0)
            found = &formats[i];
    if (found->start && !found->start(u)) {
        error_set(e, ERR_SYSTEM, "the %s reader could not be started", found->name);
        return false;
    }
    u->format = found;
    *out = u;
    u = NULL;
    return true;
}

void unpack_close(struct unpack *u)
{
    if (!u)
        return;
    if (u->format && u->format->stop)
        u->format->stop(u);
    free(u->input);
    free(u);
}

void unpack_cleanup(struct unpack **u)
{
    unpack_close(*u);
}

bool unpack_read(struct unpack *u, void *buffer, size_t count, size_t *got, struct error *e)
{
    size_t filled = 0;
    while (filled < count) {
        if (!refill(u, e))
            return false;
        bool at_end = u->input_ended;
        if (at_end && (u->between || u->format == &plain))
            break;
        struct step s = {.in = u->input + u->input_used,
                         .in_size = at_end ? 0 : u->input_size - u->input_used,
                         .out = (uint8_t *)buffer + filled,
                         .out_size = count - filled,
                         .at_end = at_end};
        const char *wrong = u->format->step(u, &s);
        if (!wrong && at_end && !s.out_used && !s.done)
            wrong = _("it ends in the middle");
        if (wrong) {
            error_set(e, ERR_FORMAT, "unpacking (%s): %s", u->format->name, wrong);
            return false;
        }
        u->input_used += s.in_used;
        filled += s.out_used;
        u->between = s.done;
        u->given += s.out_used;
        if (u->given > u->most) {
            error_set(e, ERR_LIMIT, "unpacked it has more than %llu bytes",
                      (unsigned long long)u->most);
            return false;
        }
    }
    *got = filled;
    return true;
}

static bool read_target(void *context, uint64_t offset, void *buffer, size_t count, size_t *got,
                        struct error *e)
{
    struct unpack_file *file = context;
    return target_read_at(file->target, file->path, offset, buffer, count, got, e);
}

struct unpack_source unpack_from_target(struct unpack_file *file)
{
    return (struct unpack_source){.read = read_target, .context = file};
}
