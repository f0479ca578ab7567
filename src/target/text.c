/* text.c - what another tool printed: one text, no files. */
#include "target/ops.h"

#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>

enum { MOST_BYTES = 4 * 1024 * 1024 };

struct text {
    struct target target;
    char *data;
    size_t size;
};

static void text_close(struct target *t)
{
    free(((struct text *)t)->data);
    free(t);
}

static const struct target_ops text_ops = {.kind = TARGET_TEXT, .close = text_close};

/* What cmd.exe's "systeminfo > x.txt" under PowerShell writes: UTF-16 with a byte order mark
 * (Unicode 15.0, 23.8). Text of single bytes stays as it is: its code page is not ours to
 * guess. Returns a malloc block, or NULL if it was no UTF-16. */
static char *from_utf16(const char *data, size_t *size)
{
    bool little = *size >= 2 && memcmp(data, "\xff\xfe", 2) == 0;
    bool big = *size >= 2 && memcmp(data, "\xfe\xff", 2) == 0;
    if (!little && !big)
        return NULL;
    size_t length = (*size - 2) & ~(size_t)1;
    CLEANUP_FREE char *units = mem_dup(data + 2, length);
    for (size_t i = 0; big && i + 1 < length; i += 2) {
        char swap = units[i];
        units[i] = units[i + 1];
        units[i + 1] = swap;
    }
    struct str out = {0};
    str_add_utf16le(&out, units, length);
    str_add_bytes(&out, "", 0); /* so that there is a terminated block even for no text */
    *size = out.length;
    return out.data;
}

bool text_open(struct target **out, const char *file, struct error *e)
{
    char *data;
    size_t size;
    struct stat st;
    if (stat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
        error_set(e, ERR_USAGE,
                  "is a folder, and --text wants a file; for a folder there is "
                  "--root");
        error_at(e, file, 0, 0);
        return false;
    }
    if (!file_read(&data, &size, file, MOST_BYTES, e))
        return false;
    char *converted = from_utf16(data, &size);
    if (converted) {
        free(data);
        data = converted;
    } else if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        memmove(data, data + 3, size - 3 + 1);
        size -= 3;
    }
    struct text *t = mem_alloc(sizeof *t);
    t->data = data;
    t->size = size;
    t->target =
        (struct target){.ops = &text_ops, .name = mem_strdup(file), .rootfd = -1, .socket = -1};
    *out = &t->target;
    return true;
}

const char *text_of(const struct target *t, size_t *size)
{
    if (t->ops != &text_ops) {
        *size = 0;
        return NULL;
    }
    const struct text *text = (const struct text *)t;
    *size = text->size;
    return text->data;
}
