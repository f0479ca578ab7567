/* placing.h - how the mender (mend.h) makes an entry ready and puts it into place.
 *
 * Everything is done on descriptors and single names in them, links are never followed. An entry
 * is made ready in the folder aside (or was before: mender.take_ready), or in its own directory
 * where that is on another file system, and comes into place by one exchange; what was there
 * becomes evidence. */
#ifndef YAGURA_CONTENT_PLACING_H
#define YAGURA_CONTENT_PLACING_H

#include "content/mend.h"

bool placing_set_times(int fd, const struct manifest_entry *entry);
/* Owner, mode, attributes, time: all that can be set is, and the last error is told. */
bool placing_set_attributes(int fd, const struct manifest_entry *entry, struct error *e);
bool placing_set_link_attributes(int dirfd, const char *name, const struct manifest_entry *entry,
                                 struct error *e);
/* chattr +i and +a, off again. */
void placing_clear_flags(int dirfd, const char *name);
/* As renameat2(), and once more without such flags if they refuse it. */
int placing_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);

/* The entry as it was published, under a name that must be free. `partly`: what could not be set
 * on it. What was begun when it fails is left to the caller. */
bool placing_make(struct mender *m, uint32_t index, int dirfd, const char *name,
                  struct error *partly, struct error *e);
/* The name becomes evidence: event->evidence says under which name. */
bool placing_move_aside(struct mender *m, int dirfd, const char *name, struct mend_event *event,
                        struct error *e);
/* The entry as it was published takes the name; what was there becomes evidence. `partly`: what
 * could not be set on it. */
bool placing_replace(struct mender *m, uint32_t index, int dirfd, const char *name,
                     struct mend_event *event, struct error *partly, struct error *e);

#endif
