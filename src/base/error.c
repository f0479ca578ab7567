#include "base/error.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_set(struct error *e, enum error_code code, const char *format, ...)
{
    if (!e)
        return;
    va_list args;
    va_start(args, format);
    char message[sizeof e->message];
    vsnprintf(message, sizeof message, gettext(format), args);
    va_end(args);
    memset(e, 0, sizeof *e);
    e->code = code;
    memcpy(e->message, message, sizeof message);
}

void error_set_errno(struct error *e, int sys_errno, const char *format, ...)
{
    if (!e)
        return;
    va_list args;
    va_start(args, format);
    char message[sizeof e->message];
    vsnprintf(message, sizeof message, gettext(format), args);
    va_end(args);

    enum error_code code = ERR_SYSTEM;
    if (sys_errno == ENOENT || sys_errno == ENOTDIR)
        code = ERR_ABSENT;
    else if (sys_errno == EACCES || sys_errno == EPERM || sys_errno == ELOOP || sys_errno == EXDEV)
        code = ERR_UNREADABLE;
    error_set(e, code, "%s: %s", message, strerror(sys_errno));
    e->sys_errno = sys_errno;
}

void error_at(struct error *e, const char *path, uint64_t line, uint64_t column)
{
    if (!e)
        return;
    if (path)
        snprintf(e->path, sizeof e->path, "%s", path);
    e->line = line;
    e->column = column;
}

void error_prefix(struct error *e, const char *format, ...)
{
    if (!e)
        return;
    va_list args;
    va_start(args, format);
    char prefix[sizeof e->message];
    vsnprintf(prefix, sizeof prefix, gettext(format), args);
    va_end(args);
    char message[sizeof e->message + sizeof prefix + 3];
    snprintf(message, sizeof message, "%s: %s", prefix, e->message);
    snprintf(e->message, sizeof e->message, "%.*s", (int)sizeof e->message - 1, message);
}

/* In a name a newline, too, would only pass for another line of ours. */
static void add_name(struct str *text, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, "\n");
        str_add_printable(text, name, n);
        name += n;
        if (*name) {
            str_add(text, "\\x0a");
            name++;
        }
    }
}

const char *error_text(const struct error *e, char *out, unsigned long size)
{
    CLEANUP_STR struct str text = {0};
    add_name(&text, e->path);
    if (e->path[0] && e->line)
        str_printf(&text, ":%lu", (unsigned long)e->line);
    if (e->path[0] && e->line && e->column)
        str_printf(&text, ":%lu", (unsigned long)e->column);
    if (e->path[0])
        str_add(&text, ": ");
    str_add_printable(&text, e->message, strlen(e->message));
    snprintf(out, size, "%s", str_text(&text));
    return out;
}
