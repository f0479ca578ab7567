/* profile.h - policies that suit a kind of site: data/profiles/NAME.yaml.
 *
 *   title: in English (translated in po/), one line
 *   fits: [wp-config.php, wp-includes/version.php]   all of these are there: init proposes it
 *   policies:
 *     - {path: /wp-content/uploads/, policy: upload}
 *   keeps: [wp-config.php]   made here and in no release: stays where a site is put back from one
 *
 * "static" is the fallback and fits everything: it has no policies of its own. */
#ifndef YAGURA_CONTENT_PROFILE_H
#define YAGURA_CONTENT_PROFILE_H

#include "base/mem.h"
#include "base/yaml.h"
#include "content/policy.h"

/* Adds the policies of a profile. ERR_ABSENT if there is none of this name. */
bool profile_add(struct policies *to, const char *name, struct error *e);

/* Adds a list as above; `path` is for errors. NULL is no list. */
bool profile_read_policies(struct policies *to, const struct yaml_node *list, const char *path,
                           struct error *e);

/* The profile that fits best what lies in this document root, or in the tree that is to come into
 * it (-1: none): that with the most files in `fits`, all of them there. In the arena; "static" if
 * none. */
const char *profile_propose(int rootfd, int treefd, struct arena *arena, struct error *e);

/* Its `keeps`, in the arena. */
bool profile_keeps(const char *name, struct arena *arena, const char ***out, size_t *count,
                   struct error *e);

/* Its title (a msgid) and the files by which it is told, "a, b" ("" if it fits everything); in the
 * arena. False if there is none of this name. */
bool profile_describe(const char *name, struct arena *arena, const char **title, const char **fits,
                      struct error *e);

/* Their names, sorted, with titles; in the arena. */
struct profile_name {
    const char *name, *title;
};
bool profiles_list(struct arena *arena, struct profile_name **out, size_t *count, struct error *e);

#endif
