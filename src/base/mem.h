/* mem.h - memory: allocation that cannot fail, arenas, growable arrays, clean-up.
 *
 * The program gives up (one line on standard error, exit code mem_exit_code) when the system has
 * no memory left: in a cage that is an `unknown`, in a command it is the end of the command.
 * The guard allocates everything before it goes live.
 *
 * The one clean-up idiom of the tree is CLEANUP(function): the function is called with a
 * pointer to the variable when it goes out of scope. */
#ifndef YAGURA_BASE_MEM_H
#define YAGURA_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *mem_alloc(size_t size);                  /* zeroed; free() it */
void *mem_resize(void *old, size_t size);      /* not zeroed; free() it; `old` may be NULL */
char *mem_strdup(const char *s);               /* free() it */
void *mem_dup(const void *bytes, size_t size); /* free() it */

/* For what libraries allocate: ends the program as above. */
_Noreturn void mem_gone(void);
extern int mem_exit_code; /* 3: what was asked for could not be done */

#define CLEANUP(function) __attribute__((cleanup(function)))
void mem_cleanup_free(void *pointer_to_pointer);
#define CLEANUP_FREE CLEANUP(mem_cleanup_free)
void mem_cleanup_close(int *fd); /* closes if >= 0 */
#define CLEANUP_CLOSE CLEANUP(mem_cleanup_close)

/* An arena: many small allocations that are freed as a whole. Never fails. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is allowed */
void arena_cleanup(struct arena **a);
#define CLEANUP_ARENA CLEANUP(arena_cleanup)
void *arena_alloc(struct arena *a, size_t size);                  /* zeroed, aligned to 16 */
void *arena_dup(struct arena *a, const void *bytes, size_t size); /* of any alignment up to 16 */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t length); /* always terminated */
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
size_t arena_used(const struct arena *a); /* bytes handed out */

/* A growable array of any type: `VEC(struct fact *) facts = {0};`
 * The items are one malloc block; VEC_FREE() when done. */
#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }
#define VEC_PUSH(vec, item)                                                                        \
    do {                                                                                           \
        if ((vec)->count == (vec)->capacity)                                                       \
            (vec)->items = mem_grow((vec)->items, &(vec)->capacity, sizeof *(vec)->items);         \
        (vec)->items[(vec)->count++] = (item);                                                     \
    } while (0)
#define VEC_FREE(vec)                                                                              \
    do {                                                                                           \
        free((vec)->items);                                                                        \
        (vec)->items = NULL;                                                                       \
        (vec)->count = (vec)->capacity = 0;                                                        \
    } while (0)
void *mem_grow(void *items, size_t *capacity, size_t item_size);

#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
