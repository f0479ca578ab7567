/* patch(1) turns the old text into the new one by what text_diff() says. */
#include "base/file.h"
#include "base/mem.h"
#include "content/text_diff.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 42;

static unsigned dice(unsigned sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % sides);
}

/* Lines of a small alphabet, so that much is alike; sometimes no newline at the end. */
static void random_text(struct str *out, const char *like)
{
    str_clear(out);
    str_add(out, "");
    for (const char *p = like; *p;) {
        size_t length = strcspn(p, "\n") + (strchr(p, '\n') != NULL);
        unsigned what = dice(12);
        if (what > 1)
            str_add_bytes(out, p, length);
        if (what == 2 || what == 1)
            str_printf(out, "line %u\n", dice(5));
        p += length;
    }
    for (unsigned i = dice(4); i; i--)
        str_printf(out, "line %u\n", dice(5));
    if (out->length && !dice(3))
        out->data[--out->length] = '\0';
}

static void patch_makes_the_new_text(void **state)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_STR struct str old = {0}, new = {0}, line = {0};
    random_text(&old, "a\nb\nc\n");
    for (int i = 0; i < 300; i++) {
        random_text(&new, old.data);
        CLEANUP_STR struct str diff = {0};
        str_add(&diff, "--- f\n+++ f\n");
        text_diff(&diff, old.data, old.length, new.data, new.length, i % 4);
        support_write(dir, "f", old.data, old.length);
        support_write(dir, "d", diff.data, diff.length);
        str_clear(&line);
        str_printf(&line, "cd '%s' && patch -s --posix -o out f d%s", dir,
                   old.length == new.length && !memcmp(old.data, new.data, old.length)
                       ? " >/dev/null 2>&1 || cp f out"
                       : "");
        if (system(line.data) != 0)
            fail_msg("patch refused:\n%s", diff.data);
        str_clear(&line);
        str_printf(&line, "%s/out", dir);
        CLEANUP_FREE char *text = NULL;
        size_t size;
        assert_true(file_read(&text, &size, line.data, 1 << 20, NULL));
        if (size != new.length || memcmp(text, new.data, size) != 0)
            fail_msg("old:\n%s\nnew:\n%s\ndiff:\n%s\nmade:\n%s", old.data, new.data, diff.data,
                     text);
        str_clear(&old);
        str_add(&old, new.data);
        if (old.length > 4000)
            random_text(&old, "a\n");
    }
    support_remove_tree(dir);
}

static void too_much_is_one_change(void **state)
{
    CLEANUP_STR struct str old = {0}, new = {0}, diff = {0};
    for (int i = 0; i < 5000; i++) {
        str_printf(&old, "old %d\n", i);
        str_printf(&new, "new %d\n", i);
    }
    text_diff(&diff, old.data, old.length, new.data, new.length, 3);
    assert_memory_equal(diff.data, "@@ -1,5000 +1,5000 @@\n", 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patch_makes_the_new_text),
        cmocka_unit_test(too_much_is_one_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
