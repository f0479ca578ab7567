/* windows_hotfixes.h - the markers that installed hotfixes leave: in the registry, and folders.
 *
 * A marker is a claim, the version of a file is the proof: keys outlive a service pack that
 * put older files back (KB Q165709), a service pack plants a key that is not its own
 * (KB Q249907), and keys of Windows 2000 stand under SP1, SP2 or SP3 without much order, once
 * without their Q. So every place is looked at, and each fact says its `place`. */
#ifndef YAGURA_COLLECT_WINDOWS_HOTFIXES_H
#define YAGURA_COLLECT_WINDOWS_HOTFIXES_H

#include "collect/windows_system.h"

/* Whether every place was read whole: what is in none of them is not installed. */
bool windows_hotfixes_collect(struct collection *c, struct windows *w);

/* "q293826", "291845", "KB2999226-v2" -> "Q293826" before Windows XP, "KB2999226" from then
 * on; a name of another form stays as it is. In the arena. */
const char *windows_hotfixes_id(struct arena *arena, const char *name, bool before_xp);

#endif
