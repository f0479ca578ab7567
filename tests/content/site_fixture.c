#include "tests/content/site_fixture.h"

#include "base/str.h"
#include "record/state.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *output_of(const char *line)
{
    FILE *f = popen(line, "r");
    assert_non_null(f);
    struct str out = {0};
    for (int c; (c = fgetc(f)) != EOF;)
        str_add_char(&out, (char)c);
    assert_int_equal(pclose(f), 0);
    return out.data ? out.data : mem_strdup("");
}

void site_sh(struct site_fixture *f, const char *line)
{
    CLEANUP_STR struct str all = {0};
    str_printf(&all, "cd '%s' && { %s; }", f->root, line);
    if (system(all.data) != 0)
        fail_msg("sh: %s", all.data);
}

char *site_describe(const char *root)
{
    CLEANUP_STR struct str line = {0};
    str_printf(&line,
               "cd '%s' && find . -printf '%%p %%y %%m %%U %%G %%s %%T@ %%l\\n' | "
               "awk '$2==\"d\"{$6=\"-\"} $1==\"./uploads\"{$7=\"-\"} {print}' | sort; "
               "find . -type f -print0 | sort -z | xargs -0 sha256sum; "
               "getfattr -R -h -d -m - . 2>/dev/null | sort",
               root);
    return output_of(line.data);
}

static void count_event(void *context, const struct mend_event *event)
{
    struct site_fixture *f = context;
    if (event->error) {
        f->failed++;
        print_error("%s: %s\n", event->path, event->error->message);
    } else if (event->undone)
        f->undone++;
    else
        f->left++;
    snprintf(f->last_evidence, sizeof f->last_evidence, "%s", event->evidence);
}

static void set_mender(struct site_fixture *f)
{
    f->mender = (struct mender){.rootfd = f->rootfd,
                                .manifest = f->generation.manifest,
                                .policies = f->policies,
                                .objects = f->objects,
                                .aside = &f->aside,
                                .event = count_event,
                                .context = f};
}

void site_publish(struct site_fixture *f)
{
    struct error e = ERROR_INIT;
    CLEANUP(build_cleanup) struct build *b = build_new();
    CLEANUP(capture_cleanup) struct capture *taken = NULL;
    if (!capture_tree(&taken, b, f->rootfd, f->policies, f->objects, 2, NULL, &e))
        fail_msg("%s", e.message);
    CLEANUP_JSON json_t *entry = json_pack("{s:s}", "kind", "publish");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!generation_commit(f->state, f->objects, &f->row, b, entry,
                           (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, &e))
        fail_msg("%s", e.message);
    generation_close(&f->generation);
    if (!generation_open(&f->generation, f->state, &f->row, 0, &e))
        fail_msg("%s", e.message);
    set_mender(f);
}

void site_make(struct site_fixture *f)
{
    struct error e = ERROR_INIT;
    *f = (struct site_fixture){.dir = support_temp_dir()};
    char state[256];
    snprintf(f->root, sizeof f->root, "%s/www", f->dir);
    snprintf(state, sizeof state, "%s/state", f->dir);
    support_write(f->dir, "victim", "do not touch\n", 13);
    support_write(f->root, "index.html", "<h1>Hoshi</h1>\n", 15);
    support_write(f->root, "css/a.css", "body{}\n", 7);
    support_write(f->root, "css/print/b.css", "p{}\n", 4);
    support_write(f->root, "img/logo.png", "\x89PNG not really\n", 15);
    support_write(f->root, "logs/day.log", "first\n", 6);
    support_write(f->root, "uploads/cat.jpg", "cat\n", 4);
    support_write(f->root, "empty", "", 0);
    site_sh(f, "ln -s css/a.css style; mkdir void; chmod 751 css; chmod 640 empty;"
               "touch -h -d '2001-05-04 12:00:00.123456789 UTC' style index.html css/a.css css img;"
               "setfattr -n user.note -v hi index.html 2>/dev/null || true");
    f->rootfd = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->rootfd >= 0);
    if (!state_open(&f->state, state, &e) ||
        !objects_open(&f->objects, state_dirfd(f->state), &e) ||
        !aside_open(&f->aside, f->rootfd, f->root, "www", &e))
        fail_msg("%s", e.message);
    f->policies = policies_new();
    assert_true(policies_add(f->policies, "/logs/", POLICY_APPEND, &e));
    assert_true(policies_add(f->policies, "/uploads/", POLICY_UPLOAD, &e));
    assert_true(policies_add(f->policies, "/cache/", POLICY_IGNORE, &e));
    assert_true(policies_add(f->policies, "/notes/", POLICY_FREE, &e));
    f->row = (struct site_row){.name = "www", .root = f->root, .profile = "static"};
    site_publish(f);
}

void site_remove(struct site_fixture *f)
{
    generation_close(&f->generation);
    policies_free(f->policies);
    objects_free(f->objects);
    aside_close(&f->aside);
    state_close(f->state);
    close(f->rootfd);
    support_remove_tree(f->dir);
    free(f->dir);
}
