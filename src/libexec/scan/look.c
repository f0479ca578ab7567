#include "libexec/scan/program.h"

#include "base/language.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEEP_MAPPED = 1 << 20, MOST_SHOWN = 48, MOST_STRINGS = 4 };

struct look {
    YR_SCANNER *scanner;
    const struct rules_text *texts;
    struct scan_progress *progress;
    uint8_t *buffer; /* of a piece and one byte */
    /* the file in hand */
    uint32_t number;
    int fd;
    uint64_t size;
    size_t loaded; /* bytes in the buffer, if all of the file are */
    unsigned hits;
    bool cut;   /* there is more than we look at */
    int failed; /* errno of a read */
    YR_MEMORY_BLOCK block;
    YR_MEMORY_BLOCK_ITERATOR pieces;
    uint64_t looked_at; /* bytes of pieces so far */
};

/* --- hits --- */

static const char *meta(const YR_RULE *rule, const char *name)
{
    const YR_META *m;
    yr_rule_metas_foreach(rule, m) if (m->type == META_TYPE_STRING &&
                                       str_equal_nocase(m->identifier, name)) return m->string;
    return "";
}

/* Text of a rule, for a field of a reply: cut between characters. */
static void copy(char *out, size_t size, const char *text)
{
    CLEANUP_STR struct str shown = {0};
    str_add_printable(&shown, text, strlen(text));
    size_t length = shown.length < size ? shown.length : size - 1;
    length = str_utf8_valid_prefix(str_text(&shown), length);
    memcpy(out, str_text(&shown), length);
    out[length] = '\0';
}

/* The line of an offset of a text that is in the buffer as a whole; 0 of what is no text. */
static uint32_t line_of(const struct look *l, uint64_t offset)
{
    uint32_t line = 1;
    size_t probe = l->loaded < 1024 ? l->loaded : 1024;
    if (offset >= l->loaded || memchr(l->buffer, '\0', probe))
        return 0;
    for (const uint8_t *p = l->buffer; (p = memchr(p, '\n', offset - (size_t)(p - l->buffer)));)
        line++, p++;
    return line;
}

/* As yr_string_matches_foreach(), which reads them where they lie: libyara does not align them. */
static bool first_match(YR_SCAN_CONTEXT *context, const YR_STRING *string, YR_MATCH *out)
{
    for (const void *at = context->matches[string->idx].head; at; at = out->next) {
        memcpy(out, at, sizeof *out);
        if (!out->is_private)
            return true;
    }
    return false;
}

/* "$tag = <?php ..." of the first few patterns; and where the first of them is. */
static void describe(struct look *l, YR_SCAN_CONTEXT *context, const YR_RULE *rule,
                     struct scan_reply *reply)
{
    const YR_STRING *string;
    YR_MATCH match;
    CLEANUP_STR struct str out = {0};
    size_t shown = 0;
    bool any = false;
    yr_rule_strings_foreach(rule, string)
    {
        if (!first_match(context, string, &match))
            continue;
        uint64_t offset = (uint64_t)(match.base + match.offset);
        if (!any || offset < reply->offset)
            reply->offset = offset;
        any = true;
        if (shown++ < MOST_STRINGS) {
            int length = match.data_length < MOST_SHOWN ? match.data_length : MOST_SHOWN;
            str_printf(&out, "%s%s = ", out.length ? "; " : "", string->identifier);
            str_add_printable(&out, match.data, length > 0 ? (size_t)length : 0);
        }
    }
    copy(reply->found, sizeof reply->found, str_text(&out));
    reply->line = any ? line_of(l, reply->offset) : 0;
    if (!any)
        reply->offset = UINT64_MAX;
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    struct look *l = user;
    if (message != CALLBACK_MSG_RULE_MATCHING)
        return CALLBACK_CONTINUE;
    const YR_RULE *rule = data;
    struct scan_reply reply = {.answer = SCAN_HIT, .number = l->number, .engine = SCAN_YARA};
    if (l->hits++ >= SCAN_MOST_HITS)
        return CALLBACK_ABORT;
    const char *what = meta(rule, "what");
    reply.ours = rules_text_ours(l->texts, rule->ns->name);
    copy(reply.rule, sizeof reply.rule, rule->identifier);
    copy(reply.path, sizeof reply.path, rule->ns->name);
    copy(reply.what, sizeof reply.what, *what ? what : meta(rule, "description"));
    copy(reply.class, sizeof reply.class, meta(rule, "class"));
    copy(reply.severity, sizeof reply.severity, meta(rule, "severity"));
    copy(reply.confidence, sizeof reply.confidence, meta(rule, "confidence"));
    describe(l, context, rule, &reply);
    program_reply(&reply);
    return CALLBACK_CONTINUE;
}

/* --- files in pieces --- */

static uint64_t file_size(YR_MEMORY_BLOCK_ITERATOR *pieces)
{
    return ((struct look *)pieces->context)->size;
}

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
    struct look *l = block->context;
    atomic_fetch_add(&l->progress->steps, 1);
    ssize_t n = pread(l->fd, l->buffer, block->size, (off_t)block->base);
    if (n < 0)
        l->failed = errno;
    else if ((size_t)n < block->size) /* it became shorter */
        memset(l->buffer + n, 0, block->size - (size_t)n);
    return n < 0 ? NULL : l->buffer;
}

/* The piece at or behind `from` that is no hole; NULL at the end. */
static YR_MEMORY_BLOCK *piece_from(struct look *l, uint64_t from)
{
    off_t data = from < l->size ? lseek(l->fd, (off_t)from, SEEK_DATA) : -1;
    if (data < 0 && from < l->size && errno != ENXIO)
        data = (off_t)from; /* a file system that knows no holes */
    if (data < 0 || (uint64_t)data >= l->size)
        return NULL;
    if (l->looked_at >= SCAN_MOST_BYTES) {
        l->cut = true;
        return NULL;
    }
    uint64_t left = l->size - (uint64_t)data;
    off_t hole = lseek(l->fd, data, SEEK_HOLE);
    if (hole > data && (uint64_t)(hole - data) < left)
        left = (uint64_t)(hole - data);
    l->block.base = (uint64_t)data;
    l->block.size = left < SCAN_PIECE_BYTES ? left : SCAN_PIECE_BYTES;
    l->looked_at += l->block.size;
    return &l->block;
}

static YR_MEMORY_BLOCK *first_piece(YR_MEMORY_BLOCK_ITERATOR *pieces)
{
    struct look *l = pieces->context;
    pieces->last_error = ERROR_SUCCESS;
    l->looked_at = 0;
    return piece_from(l, 0);
}

static YR_MEMORY_BLOCK *next_piece(YR_MEMORY_BLOCK_ITERATOR *pieces)
{
    struct look *l = pieces->context;
    uint64_t end = l->block.base + l->block.size;
    bool full = l->block.size == SCAN_PIECE_BYTES && end < l->size;
    pieces->last_error = ERROR_SUCCESS;
    return piece_from(l, full ? end - SCAN_OVERLAP_BYTES : end);
}

/* --- one file --- */

struct look *look_new(YR_RULES *rules, const struct rules_text *texts,
                      struct scan_progress *progress)
{
    struct look *l = mem_alloc(sizeof *l);
    *l = (struct look){.texts = texts, .progress = progress, .fd = -1};
    l->buffer = mmap(NULL, SCAN_PIECE_BYTES + 1, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (l->buffer == MAP_FAILED || yr_scanner_create(rules, &l->scanner) != ERROR_SUCCESS)
        mem_gone();
    /* A rule is true or not by the first match of most patterns: the others are not sought. What
     * libyara dies of shall end this program: nothing is mapped that could be cut short, which is
     * what its catching of signals is for. */
    yr_scanner_set_flags(l->scanner, SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH |
                                         SCAN_FLAGS_REPORT_RULES_MATCHING);
    yr_scanner_set_timeout(l->scanner, SCAN_FILE_SECONDS);
    yr_scanner_set_callback(l->scanner, on_message, l);
    l->block.context = l;
    l->block.fetch_data = fetch;
    l->pieces = (YR_MEMORY_BLOCK_ITERATOR){
        .context = l, .first = first_piece, .next = next_piece, .file_size = file_size};
    return l;
}

static void name_file(struct look *l, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    yr_scanner_define_string_variable(l->scanner, "filepath", path);
    yr_scanner_define_string_variable(l->scanner, "filename", name);
    yr_scanner_define_string_variable(l->scanner, "extension", dot ? dot : "");
}

/* What packs other files: gzip, zip, bzip2, xz, zstd, 7z, rar (their first bytes). */
static bool is_archive(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
    } kinds[] = {{"\x1f\x8b", 2},
                 {"PK\x03\x04", 4},
                 {"BZh", 3},
                 {"\xfd"
                  "7zXZ",
                  5},
                 {"\x28\xb5\x2f\xfd", 4},
                 {"7z\xbc\xaf\x27\x1c", 6},
                 {"Rar!\x1a\x07", 6}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (size >= kinds[i].size && memcmp(bytes, kinds[i].magic, kinds[i].size) == 0)
            return true;
    return false;
}

static void tell_end(const struct look *l, int code)
{
    if (l->failed)
        program_note(l->number, SCAN_UNREAD, "%s", strerror(l->failed));
    else if (code == ERROR_SCAN_TIMEOUT)
        program_note(l->number, SCAN_UNREAD, _("looking for the patterns was given up after %d s"),
                     SCAN_FILE_SECONDS);
    else if (code != ERROR_SUCCESS && l->hits <= SCAN_MOST_HITS)
        program_note(l->number, SCAN_UNREAD, _("libyara gave up (its error %d)"), code);
    else if (l->cut)
        program_note(l->number, SCAN_UNREAD,
                     _("only the first %llu MiB of what it holds were looked at"),
                     SCAN_MOST_BYTES >> 20);
}

bool look_at(struct look *l, uint32_t number, int fd, uint64_t size, const char *path)
{
    l->number = number;
    l->fd = fd;
    l->size = size;
    l->loaded = 0;
    l->hits = 0;
    l->cut = false;
    l->failed = 0;
    if (size > SCAN_PIECE_BYTES) {
        name_file(l, path);
        int code = yr_scanner_scan_mem_blocks(l->scanner, &l->pieces);
        uint8_t head[8] = {0};
        bool archive = pread(fd, head, sizeof head, 0) > 0 && is_archive(head, sizeof head);
        tell_end(l, code);
        madvise(l->buffer, SCAN_PIECE_BYTES + 1, MADV_DONTNEED);
        return archive;
    }
    ssize_t n = pread(fd, l->buffer, (size_t)size + 1, 0);
    if (n < 0) {
        program_note(number, SCAN_UNREAD, "%s", strerror(errno));
        return false;
    }
    l->loaded = (size_t)n;
    if (!n)
        return false;
    name_file(l, path);
    tell_end(l, yr_scanner_scan_mem(l->scanner, l->buffer, l->loaded));
    bool archive = is_archive(l->buffer, l->loaded);
    if (l->loaded > KEEP_MAPPED)
        madvise(l->buffer, l->loaded, MADV_DONTNEED);
    return archive;
}
