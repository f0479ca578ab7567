/* site.h - how sites and their differences look. Names on disk are an attacker's: every byte that
 * is not printable UTF-8 is shown as \xNN. */
#ifndef YAGURA_SHOW_SITE_H
#define YAGURA_SHOW_SITE_H

#include "content/capture.h"
#include "content/mend.h"
#include "content/site.h"
#include "content/verify.h"
#include "show/show.h"

/* One line a difference, what lies in an added or removed folder counted with it; JSON has every
 * one. Without `all` at most a screen. */
void show_differences(struct show *s, const struct site *site, const struct differences *found);
/* One difference as a line, for a list that the caller makes. */
void show_difference(struct show *s, const struct site *site, const struct difference *d,
                     size_t beneath);

/* "index.html is back", "x.php is removed": what became of a name that was wrong; in the arena.
 * The one place for these words. */
const char *show_undone(struct arena *arena, enum difference_kind kind, const char *path);
/* The same while nothing is put back: "index.html was changed". */
const char *show_tampered(struct arena *arena, enum difference_kind kind, const char *path);

/* "content, mode": what differs, in the person's language; in the arena. */
const char *show_what(struct arena *arena, unsigned what);

/* The same of a deployment: the document root against what it is to be. */
void show_deployment(struct show *s, const struct site *site, const struct differences *found);

void show_left_out(struct show *s, const struct capture *taken);
void show_mend_event(struct show *s, const char *site, const struct mend_event *event,
                     bool dry_run);

/* A path, printable; in the arena. */
const char *show_path(struct arena *arena, const char *path);

#endif
