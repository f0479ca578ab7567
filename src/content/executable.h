/* executable.h - would the web server, or the system, execute this file?
 *
 * For folders into which strangers may upload. Judged by name: every part behind a dot counts,
 * as Apache's AddHandler takes shell.php.jpg for PHP; and by content: "<?php", "<?=" or "<%" in
 * the first or last 64 KiB, "#!", ELF, PE; and by what it says to the server: .htaccess,
 * .user.ini, web.config. Case does not matter. */
#ifndef YAGURA_CONTENT_EXECUTABLE_H
#define YAGURA_CONTENT_EXECUTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* A reason (an English constant, a msgid), or NULL. */
const char *executable_name(const char *name);
const char *executable_content(const void *head, size_t head_size, const void *tail,
                               size_t tail_size);
/* Both, reading what `fd` has; the reason, or NULL. What cannot be read counts. */
const char *executable_file(int fd, const char *name);

#endif
