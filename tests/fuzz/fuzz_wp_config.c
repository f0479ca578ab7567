/* Any bytes as a wp-config.php: what is found lies within it. */
#include "act/wp_config.h"
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[WP_KEY_BYTES];
    struct wp_marks marks;
    struct wp_tables tables;
    size_t count;
    fuzz_root_write("wp-config.php", data, size);
    CLEANUP_CLOSE int dir = open(fuzz_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (wp_config_look(&marks, dir, "wp-config.php", key, NULL))
        (void)!wp_config_rotate(&count, dir, "wp-config.php", false, NULL);
    (void)!wp_config_tables(&tables, dir, "wp-config.php", NULL);
    return 0;
}
