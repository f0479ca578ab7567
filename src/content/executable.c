#include "content/executable.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/finding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 64 * 1024 };

/* What Debian's nginx, Apache, lighttpd and PHP, and the handlers their manuals name, hand to
 * an interpreter; for Windows' IIS the script mappings of versions 4 to 10. Wherever such a part
 * stands in the name. */
static const char *const handled[] = {
    "php",  "php3", "php4", "php5", "php7", "php8", "phtml", "pht", "phar", "cgi",
    "fcgi", "pl",   "py",   "rb",   "lua",  "sh",   "shtml", "jsp", "jspx", "cfm",
    "asp",  "aspx", "asa",  "ashx", "asmx", "cer",  "cdx",   "idc", "htr",  "printer",
};
/* These only at the end: "example.com.pdf" is no program. */
static const char *const programs[] = {
    "phps", "inc",  "pm",  "pyc", "stm", "shtm", "jspf", "jsw", "war", "cfc",
    "asax", "ascx", "exe", "dll", "so",  "com",  "bat",  "cmd", "ps1", "vbs",
};
static const char *const commanding[] = {".htaccess", ".htpasswd", ".user.ini", "web.config",
                                         "php.ini"};

static bool listed(const char *const *list, size_t count, const char *part, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == length && strncasecmp(part, list[i], length) == 0)
            return true;
    return false;
}

const char *executable_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(commanding); i++)
        if (str_equal_nocase(name, commanding[i]))
            return N_("its name commands the server");
    for (const char *dot = name; (dot = strchr(dot, '.')); dot++) {
        size_t length = strcspn(dot + 1, ".");
        bool last = !dot[1 + length];
        while (length && strchr(" ~\t", dot[length])) /* "x.php " and "x.php~" */
            length--;
        if (listed(handled, ARRAY_COUNT(handled), dot + 1, length) ||
            (last && listed(programs, ARRAY_COUNT(programs), dot + 1, length)))
            return N_("its name ends as a program's");
    }
    return NULL;
}

static bool has(const uint8_t *bytes, size_t size, const char *what)
{
    size_t length = strlen(what);
    for (size_t i = 0; i + length <= size; i++)
        if (bytes[i] == (uint8_t)what[0] && strncasecmp((const char *)bytes + i, what, length) == 0)
            return true;
    return false;
}

static bool has_script(const uint8_t *bytes, size_t size)
{
    return has(bytes, size, "<?php") || has(bytes, size, "<?=") || has(bytes, size, "<%@") ||
           has(bytes, size, "<%=") || has(bytes, size, "<script language=\"php\"") ||
           has(bytes, size, "<script runat=") || has(bytes, size, "<!--#exec");
}

const char *executable_content(const void *head, size_t head_size, const void *tail,
                               size_t tail_size)
{
    const uint8_t *h = head;
    if (head_size >= 4 && memcmp(h, "\177ELF", 4) == 0)
        return N_("it is a program of Linux (ELF)");
    if (head_size >= 64 && memcmp(h, "MZ", 2) == 0) {
        uint32_t at;
        memcpy(&at, h + 60, sizeof at);
        if (at > head_size - 4 || memcmp(h + at, "PE\0\0", 4) == 0)
            return N_("it is a program of Windows (PE)");
    }
    size_t bom = head_size >= 3 && memcmp(h, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (head_size >= bom + 2 && memcmp(h + bom, "#!", 2) == 0)
        return N_("it begins with #!");
    if (has_script(h, head_size) || has_script(tail, tail_size))
        return N_("it has a script in it");
    return NULL;
}

/* What can be read of it is looked at. */
static size_t read_at(int fd, uint8_t *buffer, uint64_t offset)
{
    size_t got;
    (void)!file_read_at(fd, offset, buffer, WINDOW, &got, NULL);
    return got;
}

const char *executable_file(int fd, const char *name)
{
    const char *reason = executable_name(name);
    struct stat st;
    if (reason)
        return reason;
    if (fstat(fd, &st) != 0)
        return N_("it could not be read");
    CLEANUP_FREE uint8_t *head = mem_alloc(WINDOW);
    CLEANUP_FREE uint8_t *tail = mem_alloc(WINDOW);
    size_t head_size = read_at(fd, head, 0), tail_size = 0;
    if (st.st_size > WINDOW)
        tail_size =
            read_at(fd, tail, st.st_size > 2L * WINDOW ? (uint64_t)st.st_size - WINDOW : WINDOW);
    if (st.st_size > 0 && head_size == 0)
        return N_("it could not be read");
    return executable_content(head, head_size, tail, tail_size);
}
