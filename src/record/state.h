/* state.h - what is remembered between two runs: one SQLite file and a folder of caches.
 *
 *   DIR/state.db   targets, findings, patches once seen, the ledger (ledger.h); WAL
 *   DIR/cache/     parsed forms of big files, one file a slot; may be deleted at any time
 *   DIR/keys/      see keys.h
 *
 * The folder is made with mode 0700. Everything here may fail without harm to a judgement:
 * callers say so and go on without memory. Times are seconds since 1970, UTC.
 *
 * No sentence is kept: of a finding its ids, verdict and dates, so that `explain` judges anew and
 * speaks the language of its own run, whichever audit wrote the state. */
#ifndef YAGURA_RECORD_STATE_H
#define YAGURA_RECORD_STATE_H

#include "base/cache.h"
#include "base/error.h"
#include "model/fact.h"
#include "model/finding.h"

struct state;
struct sqlite3;

/* Makes what is not there. */
bool state_open(struct state **out, const char *dir, struct error *e);

/* For commands that only show, and for evidence: makes nothing, writes nothing, works on a folder
 * that cannot be written. ERR_ABSENT where there is no state. What is to be remembered is not,
 * without an error: state_is_read_only() says so beforehand. Where nobody can be writing, because
 * the folder cannot be written, the file is opened as one that does not change. */
bool state_open_to_read(struct state **out, const char *dir, struct error *e);
bool state_is_read_only(const struct state *s);
/* False: an older version wrote it, before there were sites, and it is only read here. */
bool state_knows_sites(const struct state *s);
void state_close(struct state *s);
void state_cleanup(struct state **s);

/* --state, YAGURA_STATE, /var/lib/yagura for root, else $XDG_STATE_HOME/yagura. In `out`. */
bool state_default_dir(char *out, size_t size, const char *flag, struct error *e);

const struct cache *state_cache(struct state *s);
int state_dirfd(const struct state *s);
/* For ledger.c only: the database, what it said last and why, and the name of its file, which is
 * put into `where` (may be NULL; after error_set()). */
enum { STATE_REASON = 256 };
struct sqlite3 *state_db(struct state *s);
void state_sql_reason(struct state *s, char out[STATE_REASON], struct error *where);

/* Sets first_seen, last_seen, fixed_at and revised of each finding from what is remembered,
 * and remembers what these say. A finding that was open and is fixed now gets its fixed_at;
 * one that is no longer mentioned is fixed if `complete` says that everything was judged and
 * looked at, else it is left as it was. */
bool state_merge_findings(struct state *s, const char *target, struct findings *findings,
                          bool complete, int64_t now, struct error *e);

/* Only that these findings exist, so that their ids lead back to the target; what is
 * remembered of them otherwise stays as it is. For judgements as of another day. */
bool state_remember_ids(struct state *s, const char *target, const struct findings *findings,
                        int64_t now, struct error *e);

/* How a target was named, so that `explain ID` can look again: kind is "live", "root",
 * "image" or "text"; `given` is what --name said, or "". */
bool state_remember_target(struct state *s, const char *target, const char *name, const char *kind,
                           const char *argument, const char *given, int64_t now, struct error *e);

/* The target that has a finding with this id, or with an id that begins so (at least four
 * digits). ERR_ABSENT if none, ERR_USAGE if several. */
struct state_target {
    char finding[17];
    char kind[16];
    char argument[4096];
    char given[256];
};
bool state_target_of_finding(struct state *s, const char *id, struct state_target *out,
                             struct error *e);

/* Patches that were seen installed on this target by an earlier audit, as facts of kind
 * "patch-before" (id, last_seen) added to the set; then remembers those of today if asked to. */
bool state_merge_patches(struct state *s, const char *target, struct facts *facts, bool remember,
                         int64_t now, struct error *e);

/* Counts for the status screen. */
struct state_summary {
    size_t targets, open_findings, ledger_entries;
    int64_t last_audit; /* DATE_NONE: never */
};
bool state_summarise(struct state *s, struct state_summary *out, struct error *e);

#endif
