/* solaris.h - what the sources for Solaris 2.5 ... 9 share: pkginfo files, patch lists,
 * releases.
 *
 * A package is a directory /var/sadm/pkg/NAME with a file pkginfo of NAME=VALUE lines (see
 * pkginfo(4)). patchadd(1M) writes into the pkginfo of every package it touched:
 *
 *     PATCHLIST=106541-08 108662-01
 *     PATCH_INFO_108662-01=Installed: Tue Jan 11 10:21:04 PST 2000 From: mum Obsoletes: ...
 *         Requires: ... Incompatibles: ...
 *
 * and leaves a directory /var/sadm/patch/108662-01. installpatch of Solaris 2.5 and older
 * added patches as further package instances instead (SUNWcsr.2) with SUNW_PATCHID,
 * SUNW_OBSOLETES and SUNW_REQUIRES. `showrev -p` and `patchadd -p` print one line a patch:
 *
 *     Patch: 108662-01 Obsoletes: ... Requires: ... Incompatibles: ... Packages: SUNWadmfw */
#ifndef YAGURA_COLLECT_SOLARIS_H
#define YAGURA_COLLECT_SOLARIS_H

#include "collect/collect.h"

/* --- releases (solaris_release.c) --- */

/* "7" or "2.5.1" (what Sun sold) to "5.7" or "5.5.1" (what uname says); NULL if it is none. */
const char *solaris_release_from_name(struct arena *arena, const char *name);
/* "5.7" to "7", "5.5.1" to "2.5.1"; NULL if it is no release from 5.3 on. */
const char *solaris_release_name(struct arena *arena, const char *release);
/* The version of SUNWcsr ("11.7.0,REV=1998.09.01.04.16") to "5.7"; NULL if it is none. */
const char *solaris_release_from_csr(struct arena *arena, const char *version);
/* "sparc" or "x86" from "sparc", "sparc.sun4u", "i386", "INTEL", "i86pc"; NULL if neither. */
const char *solaris_arch(const char *text);
/* Which system a kernel or sadmind patch is for; NULL where the number does not tell. */
struct solaris_system {
    const char *base, *release, *arch;
};
const struct solaris_system *solaris_system_of_patch(const char *id);

/* --- patches (patch_set.c) --- */

enum patch_state {
    PATCH_CLAIMED,    /* only a directory in /var/sadm/patch */
    PATCH_BACKED_OUT, /* a package says that it was taken out again */
    PATCH_INSTALLED   /* listed by a package */
};

struct patch {
    const char *id; /* 108662-01 */
    enum patch_state state;
    const char *obsoletes, *requires, *incompatibles; /* ids, space-separated; "" if none */
    const char *date;                                 /* 2000-01-11, or as it stood */
    const char *path;                                 /* where it was found first */
    uint64_t line;
    const char *directory; /* /var/sadm/patch/ID, or "" */
    VEC(const char *) packages;
};

/* All patches of a host, each once, found by id in constant time. */
struct patch_set;
struct patch_set *patch_set_new(void);
void patch_set_free(struct patch_set *set);
void patch_set_cleanup(struct patch_set **set);
#define CLEANUP_PATCH_SET CLEANUP(patch_set_cleanup)
size_t patch_set_count(const struct patch_set *set);
const struct patch *patch_set_at(const struct patch_set *set, size_t index);
size_t patch_set_refused(const struct patch_set *set); /* over the bound of 50,000 */

bool patch_set_is_id(const char *text); /* nnnnnn-rr, perhaps with letters before: T106541-08 */
/* Puts the patch in if it is new; NULL if it is no patch number or the set is full. A higher
 * state replaces a lower one; the strings stay those of whoever said them first. */
struct patch *patch_set_add(struct patch_set *set, const char *id, enum patch_state state,
                            const char *path, uint64_t line);
void patch_set_package(struct patch_set *set, struct patch *patch, const char *package);
/* "Installed: DATE From: X Obsoletes: ... Requires: ... Incompatibles: ... Packages: ..."
 * where each part may be missing. Writes into `text`. */
void patch_set_describe(struct patch_set *set, struct patch *patch, char *text);
/* A whole line "Patch: 108662-01 Obsoletes: ..."; false if it is none. Writes into `line`. */
bool patch_set_add_line(struct patch_set *set, char *line, const char *path, uint64_t number);
/* One "hotfix" fact each, and "hotfix-leavings" where a directory outlived its patch. */
void patch_set_facts(const struct patch_set *set, struct facts *facts);

/* --- pkginfo (pkginfo.c) --- */

struct pkginfo {
    const char *name, *title, *version, *arch, *category, *base_dir, *installed, *patch_id;
    size_t bad_patches; /* words of PATCHLIST that are no patch numbers */
};

/* Reads a pkginfo file: keys into *out (arena), patches into `patches` (may be NULL). What
 * could not be read is said in `facts` (may be NULL). The fallback names a package whose file
 * does not. */
void pkginfo_parse(struct pkginfo *out, struct patch_set *patches, struct arena *arena,
                   struct facts *facts, const char *data, size_t size, const char *path,
                   const char *fallback);

/* --- for the sources --- */

/* Turns to the volume with the root file system of a Solaris host, as the host fact names it;
 * false if the target is none. */
bool solaris_begin(struct collection *c);

#endif
