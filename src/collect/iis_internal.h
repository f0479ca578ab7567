/* iis_internal.h - what the sources of facts about IIS share; of iis*.c only. */
#ifndef YAGURA_COLLECT_IIS_INTERNAL_H
#define YAGURA_COLLECT_IIS_INTERNAL_H

#include "collect/iis_metabase.h"
#include "collect/windows_system.h"

enum { IIS_MOST_VDIRS = 2048 };
#define IIS_DIR_BROWSE_ENABLED 0x80000000u /* MD_DIRBROW_ENABLED, IIScnfg.h */

struct iis {
    struct collection *c;
    struct windows *w;
    unsigned major, minor; /* 0: no IIS was found */
    const char *problem;   /* why the version is only the likely one; NULL where it is known */
    const struct windows_hive_file *from; /* that says so */
    enum confidence sure;
    struct metabase export; /* count 0: there is none */
    const char *export_path;
    enum confidence export_confidence;
    size_t sites, vdirs, maps; /* stated so far */
};

/* iis_registry.c: virtual directories, the one site and script maps. */
void iis_registry_collect(struct iis *s);
/* iis_export.c: the same from the text export, for every site. */
void iis_export_collect(struct iis *s);

/* --- iis_facts.c: facts of one form, whatever they come from --- */

/* A fact with server and instance; its source is the export or the hive SYSTEM. */
struct fact *iis_facts_begin(struct iis *s, const char *kind, const char *instance, size_t line,
                             bool from_export, enum confidence confidence);
void iis_facts_put(struct iis *s, struct fact *f, const char *key, const char *text);
void iis_facts_put_yes(struct iis *s, struct fact *f, const char *key, bool yes);
/* That it stands in MetaBase.bin, and what to do about it. */
void iis_facts_put_unreadable(struct iis *s, struct fact *f, const char *key);
/* anonymous_groups: whose members stand in the hive SAM, which no source reads. */
void iis_facts_put_groups(struct iis *s, struct fact *f);
/* on_system_volume of a folder as Windows names it. */
void iis_facts_put_volume(struct iis *s, struct fact *f, const char *directory);
/* directory, directory_exists, on_system_volume */
void iis_facts_put_place(struct iis *s, struct fact *f, const char *directory);
/* access_flags and what they mean */
void iis_facts_put_access(struct iis *s, struct fact *f, uint32_t flags);
/* ".ext,C:\x.dll,flags,VERB,...": IIS 4 names the verbs that are shut out, IIS 5 those that are
 * let in. */
void iis_facts_put_map(struct iis *s, struct fact *f, const char *text, const char *from);

#endif
