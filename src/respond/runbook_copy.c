#include "respond/runbook_copy.h"

#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

static const char folder_name[] = "runbooks";

static const char *name_of(struct response *r, const char *id)
{
    return arena_printf(r->arena, "%s/%.64s.yaml", folder_name, id);
}

bool runbook_copy_keep(struct response *r, const char *id, struct error *e)
{
    int dir = state_dirfd(r->state);
    if (mkdirat(dir, folder_name, 0700) != 0 && errno != EEXIST) {
        error_set_errno(e, errno, "making the folder of runbooks");
        return false;
    }
    file_give_to_owner(dir, folder_name);
    CLEANUP_CLOSE int folder = file_open_dir_beneath(dir, folder_name, e);
    const char *name = arena_printf(r->arena, "%.64s.yaml", id);
    if (folder < 0 || !file_replace(folder, name, r->book->text, r->book->size, 0600, e))
        return false;
    file_give_to_owner(folder, name);
    return true;
}

static bool is_of_the_ledger(const struct response *r, const uint8_t sha256[32])
{
    char hash[65];
    sodium_bin2hex(hash, sizeof hash, sha256, 32);
    return str_equal(hash, r->incident.runbook_sha256);
}

/* How the file stands that the incident was begun with. */
enum original { ORIGINAL_SAME, ORIGINAL_CHANGED, ORIGINAL_UNREAD };
static enum original look_at_original(const struct response *r, struct error *e)
{
    uint8_t sha256[32];
    return !runbook_hash(sha256, r->incident.runbook, e) ? ORIGINAL_UNREAD
           : is_of_the_ledger(r, sha256)                 ? ORIGINAL_SAME
                                                         : ORIGINAL_CHANGED;
}

static bool changed_copy(const struct response *r, const char *path, struct error *e)
{
    error_set(
        e, ERR_CORRUPT,
        look_at_original(r, NULL) == ORIGINAL_SAME
            ? N_("somebody changed this copy of the runbook of incident %.64s: its SHA-256 is "
                 "not the one in the ledger. %.128s is unchanged: delete the copy, and the "
                 "incident goes on with that")
            : N_("somebody changed this copy of the runbook of incident %.64s: its SHA-256 is "
                 "not the one in the ledger. Put the right one back, or end the incident "
                 "(yagura respond close --because ...) and open another one"),
        r->incident.id, r->incident.runbook);
    error_at(e, path, 0, 0);
    return false;
}

static void say_original(struct response *r, const char *copy)
{
    struct error e = ERROR_INIT;
    enum original is = look_at_original(r, &e);
    if (is == ORIGINAL_CHANGED)
        respond_tell(r, arena_printf(r->arena,
                                     _("The runbook \"%s\" is another one by now. This incident "
                                       "goes on with the one it began with: %s"),
                                     r->incident.runbook, copy));
    else if (is == ORIGINAL_UNREAD)
        respond_tell(r, arena_printf(r->arena,
                                     _("The runbook \"%s\" cannot be read any more (%s). This "
                                       "incident goes on with its copy: %s"),
                                     r->incident.runbook, e.message, copy));
}

/* Of an incident whose copy could not be kept. */
static bool open_original(struct response *r, struct error *e)
{
    if (!runbook_load(&r->book, r->incident.runbook, r->arena, e))
        return false;
    if (is_of_the_ledger(r, r->book->sha256))
        return true;
    error_set(e, ERR_USAGE,
              "the runbook is not the one that incident %.64s began with: put it back, or end "
              "the incident (yagura respond close --because ...) and open another one",
              r->incident.id);
    error_at(e, r->book->path, 0, 0);
    return false;
}

bool runbook_copy_open(struct response *r, struct error *e)
{
    struct error problem = ERROR_INIT;
    uint8_t sha256[SHA256_DIGEST_LENGTH];
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    const char *name = name_of(r, r->incident.id);
    const char *path = file_path_in(r->arena, state_dirfd(r->state), name);
    CLEANUP_CLOSE int fd = file_open_beneath(state_dirfd(r->state), name, NULL, &problem);
    if (fd < 0 && problem.code == ERR_ABSENT)
        return open_original(r, e);
    if ((fd < 0 || !file_read_fd(&text, &size, fd, RUNBOOK_BYTES, &problem)) &&
        problem.code != ERR_LIMIT) {
        error_at(&problem, path, 0, 0);
        *e = problem;
        return false;
    }
    SHA256((const unsigned char *)text, size, sha256); /* 0 of one that is too large */
    if (!is_of_the_ledger(r, sha256))
        return changed_copy(r, path, e);
    if (!runbook_read(&r->book, text, size, path, r->arena, e))
        return false;
    say_original(r, path);
    return true;
}
