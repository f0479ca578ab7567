/* support.h - what every unit test includes: cmocka and a few helpers. */
#ifndef YAGURA_TESTS_SUPPORT_H
#define YAGURA_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

/* The path of a file of the test data beside the repository, or NULL (with the reason on
 * standard error) where it is not there. free() it. */
char *support_shared(const char *name);

/* A new empty temporary directory; support_remove_tree() it. */
char *support_temp_dir(void);
void support_remove_tree(const char *dir);
/* Writes a file, making the folders on its way. */
void support_write(const char *dir, const char *name, const void *bytes, size_t size);

#endif
