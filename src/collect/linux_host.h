/* linux_host.h - which Linux system it is: the "host" and "os-support" facts.
 *
 * os-release(5): /etc/os-release, else /usr/lib/os-release, else /etc/debian_version. Family
 * `debian` is ID=debian, ubuntu or one that names debian in ID_LIKE. The identity is the
 * machine-id (machine-id(5)); without one it is the host name, said in identity_source. The
 * architecture is dpkg's on Debian, else that of the machine code in /bin/sh (ELF, e_machine). */
#ifndef YAGURA_COLLECT_LINUX_HOST_H
#define YAGURA_COLLECT_LINUX_HOST_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct linux_os {
    const char *path;
    uint64_t line;                                                               /* of ID= */
    const char *id, *id_like, *pretty, *version_id, *version, *codename, *build; /* "" = none */
};

/* The text of os-release; strings in the arena. The codename of the time before
 * VERSION_CODENAME is taken out of VERSION: "9 (stretch)". */
void linux_os_parse(struct linux_os *os, struct arena *arena, const char *text, size_t size);

#endif
