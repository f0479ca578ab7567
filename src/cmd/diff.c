#include "cmd/site.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "content/text_diff.h"
#include "content/verify.h"

#include <stdlib.h>

enum { MOST_TEXT = 4 * 1024 * 1024, CONTEXT = 3 };

/* Where a link leads is a line. */
static bool link_text(char **out, size_t *size, const char *target, size_t length)
{
    *size = length ? length + 1 : 0;
    *out = mem_alloc(length + 2);
    memcpy(*out, target, length);
    (*out)[length] = length ? '\n' : '\0';
    return true;
}

/* What was published at a path, as text, of a link where it leads; false with a reason for people
 * if it cannot be shown. */
static bool published_text(const struct open_site *s, const struct generation *g, uint32_t index,
                           char **out, size_t *size, struct error *e)
{
    struct manifest_entry entry;
    manifest_entry(g->manifest, index, &entry);
    if (S_ISLNK(entry.mode))
        return link_text(out, size, entry.target, entry.target_size);
    if (!S_ISREG(entry.mode))
        return link_text(out, size, "", 0);
    return objects_get_bytes(s->objects, entry.sha256, MOST_TEXT, out, size, e);
}

static bool text_now(const struct open_site *s, const struct difference *d, char **out,
                     size_t *size, struct error *e)
{
    if (d->now_target)
        return link_text(out, size, d->now_target, strlen(d->now_target));
    struct stat st;
    CLEANUP_CLOSE int fd = file_open_beneath(s->site.rootfd, d->path, &st, e);
    return fd >= 0 && file_read_fd(out, size, fd, MOST_TEXT, e);
}

/* Each line printable, its end as it is. */
static void print_text(FILE *out, const char *text, size_t size)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(text, size, &position, &line, &length)) {
        CLEANUP_STR struct str printable = {0};
        str_add_printable(&printable, line, length);
        fprintf(out, "%s\n", str_text(&printable));
    }
}

static void show_one(struct cli *cli, const struct open_site *s, const struct generation *g,
                     const struct difference *d)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *was = mem_strdup(""), *is = mem_strdup("");
    size_t was_size = 0, is_size = 0;
    struct error e = ERROR_INIT;
    const char *path = show_path(arena, d->path);
    const char *from = d->from ? show_path(arena, d->from) : path;
    bool has_was = d->index != MANIFEST_NONE, has_is = S_ISREG(d->now.st_mode) || d->now_target;
    char *text = NULL;
    bool good = true;
    if (has_was && (good = published_text(s, g, d->index, &text, &was_size, &e))) {
        free(was);
        was = text;
    }
    if (good && has_is && (good = text_now(s, d, &text, &is_size, &e))) {
        free(is);
        is = text;
    }
    if (!good) {
        printf("%s: %s\n", path, e.message);
        return;
    }
    if (text_is_binary(was, was_size) || text_is_binary(is, is_size)) {
        printf(_("%s: binary, %zu bytes published, %zu bytes now\n"), path, was_size, is_size);
        return;
    }
    CLEANUP_STR struct str diff = {0};
    text_diff(&diff, was, was_size, is, is_size, CONTEXT);
    if (!diff.length)
        return;
    printf("--- %s%s\n+++ %s%s\n", has_was ? "a/" : "", has_was ? from : "/dev/null",
           has_is ? "b/" : "", has_is ? path : "/dev/null");
    print_text(stdout, diff.data, diff.length);
}

int cmd_diff(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    CLEANUP_GENERATION struct generation g = {0};
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct site_wants wants = {0};
    struct error e = ERROR_INIT;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct site_paths paths;
    int code;
    if (!cli_site(cli, &wants, &s, &code) || !cli_generation(cli, &s, &g, &code))
        return code;
    if (!cli_site_paths(cli, &s, &g, arena, &paths))
        return EXIT_USAGE;
    struct verify_options options = {.policies = s.site.policies};
    if (!verify(&found, s.site.rootfd, g.manifest, &options, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    size_t shown = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        if (!site_paths_have(&paths, d->path) && !(d->from && site_paths_have(&paths, d->from)))
            continue;
        shown++;
        show_difference(&cli->show, &s.site, d, 0);
        if (!cli->json && (d->what & (WHAT_CONTENT | WHAT_TARGET) || d->kind == DIFFERENCE_ADDED ||
                           d->kind == DIFFERENCE_REMOVED || d->kind == DIFFERENCE_TYPE))
            show_one(cli, &s, &g, d);
    }
    if (cli->json)
        cli_site_summary(cli, &s.site, shown, 0, found->files, found->bytes);
    else if (!shown)
        printf(_("nothing differs\n"));
    return shown ? EXIT_FOUND : EXIT_CLEAN;
}
