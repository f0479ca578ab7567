#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

struct arena {
    struct arena_block *blocks; /* the one in front is being filled */
    size_t used;
};

int mem_exit_code = 3;

void mem_gone(void)
{
    static const char text[] = "yagura: out of memory\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(mem_exit_code);
}

static void *or_die(void *p)
{
    if (!p)
        mem_gone();
    return p;
}

void *mem_alloc(size_t size)
{
    return or_die(calloc(1, size ? size : 1));
}

void *mem_resize(void *old, size_t size)
{
    return or_die(realloc(old, size ? size : 1));
}

char *mem_strdup(const char *s)
{
    return or_die(strdup(s));
}

void *mem_dup(const void *bytes, size_t size)
{
    void *copy = or_die(malloc(size ? size : 1));
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

void mem_cleanup_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void mem_cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void *mem_grow(void *items, size_t *capacity, size_t item_size)
{
    size_t wanted = *capacity ? *capacity * 2 : 8;
    items = or_die(reallocarray(items, wanted, item_size));
    *capacity = wanted;
    return items;
}

struct arena *arena_new(void)
{
    return mem_alloc(sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

void arena_cleanup(struct arena **a)
{
    arena_free(*a);
}

/* Memory that is not zeroed: callers below fill it at once. */
static void *arena_take(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        or_die(NULL);
    size_t rounded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    a->used += rounded;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->used < rounded) {
        size_t block_size = rounded > ARENA_BLOCK_BYTES / 4 ? rounded : ARENA_BLOCK_BYTES;
        b = or_die(malloc(sizeof *b + block_size));
        b->used = 0;
        b->size = block_size;
        if (block_size == rounded && a->blocks) { /* a big one of its own goes behind */
            b->next = a->blocks->next;
            a->blocks->next = b;
        } else {
            b->next = a->blocks;
            a->blocks = b;
        }
    }
    void *p = b->data + b->used;
    b->used += rounded;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_take(a, size), 0, size);
}

void *arena_dup(struct arena *a, const void *bytes, size_t size)
{
    void *p = arena_take(a, size);
    if (size)
        memcpy(p, bytes, size);
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t length)
{
    char *p = arena_take(a, length + 1);
    if (length)
        memcpy(p, s, length);
    p[length] = '\0';
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        length = 0;
    char *p = arena_take(a, (size_t)length + 1);
    vsnprintf(p, (size_t)length + 1, format, again);
    va_end(again);
    return p;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
