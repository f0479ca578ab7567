#include "respond/forms.h"

#include "base/file.h"
#include "base/where.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_FORM_BYTES = 1 << 20, MOST_PLACE = 63, MOST_FORMS = 64 };

/* The length of the place that begins here, braces included; 0: it is none. `size` is what is left
 * of the line. */
static size_t read_place(const char *text, size_t size, char name[MOST_PLACE + 1],
                         const char **otherwise, size_t *otherwise_length)
{
    size_t n = 1;
    while (n < size && n <= MOST_PLACE &&
           ((text[n] >= 'a' && text[n] <= 'z') || str_is_digit(text[n]) || text[n] == '_'))
        n++;
    if (n == 1 || n >= size || (text[n] != '}' && text[n] != '|'))
        return 0;
    const char *end = memchr(text + n, '}', size - n);
    if (!end)
        return 0;
    snprintf(name, MOST_PLACE + 1, "%.*s", (int)n - 1, text + 1);
    *otherwise = text + n + (text[n] == '|');
    *otherwise_length = (size_t)(end - *otherwise);
    return (size_t)(end - text) + 1;
}

/* The lines of a value stand below each other, as far in as the line of its place. */
static void add_value(struct str *out, const char *value, size_t indent)
{
    for (const char *end; (end = strchr(value, '\n')); value = end + 1) {
        str_add_printable(out, value, (size_t)(end - value) + 1);
        for (size_t i = 0; i < indent; i++)
            str_add_char(out, ' ');
    }
    str_add_printable(out, value, strlen(value));
}

static void fill_line(struct str *out, const char *line, size_t size, const json_t *facts)
{
    size_t indent = 0;
    while (indent < size && line[indent] == ' ')
        indent++;
    for (size_t i = 0; i < size;) {
        char name[MOST_PLACE + 1];
        const char *otherwise;
        size_t otherwise_length;
        size_t place = line[i] == '{'
                           ? read_place(line + i, size - i, name, &otherwise, &otherwise_length)
                           : 0;
        if (!place) {
            str_add_char(out, line[i++]);
            continue;
        }
        const char *value = json_get_string(facts, name);
        if (value && *value)
            add_value(out, value, indent);
        else
            str_add_bytes(out, otherwise, otherwise_length);
        i += place;
    }
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0'; /* of a place that nothing fills */
    str_add_char(out, '\n');
}

void forms_fill(struct str *out, const char *template, size_t size, const json_t *facts)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(template, size, &position, &line, &length))
        if (length < 2 || memcmp(line, "#:", 2) != 0)
            fill_line(out, line, length, facts);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_form(const struct dirent *d)
{
    return d->d_name[0] != '.' && str_ends(d->d_name, ".txt") && strlen(d->d_name) < 60;
}

bool forms_each(const char *folder,
                bool (*each)(void *context, const char *name, const char *template, size_t size,
                             struct error *e),
                void *context, struct error *e)
{
    char shipped[4096], path[4352];
    if (!folder && !where_is(WHERE_DATA, "forms", shipped, sizeof shipped)) {
        error_set(e, ERR_ABSENT, "the forms are not installed (data/forms)");
        return false;
    }
    folder = folder ? folder : shipped;
    struct dirent **list;
    int count = scandir(folder, &list, is_form, by_name);
    if (count < 0) {
        error_set_errno(e, errno, "opening the folder of forms");
        error_at(e, folder, 0, 0);
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        CLEANUP_FREE char *text = NULL;
        size_t size;
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        good = good && i < MOST_FORMS && file_read(&text, &size, path, MOST_FORM_BYTES, e) &&
               each(context, list[i]->d_name, text, size, e);
        free(list[i]);
    }
    free(list);
    return good;
}
