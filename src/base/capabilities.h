/* capabilities.h - what of root's power this thread has (capabilities(7)).
 *
 * Capabilities belong to a thread: drop them before others are started. */
#ifndef YAGURA_BASE_CAPABILITIES_H
#define YAGURA_BASE_CAPABILITIES_H

#include "base/error.h"

#include <linux/capability.h>
#include <stdint.h>

#define CAPABILITY(number) (1ull << (number)) /* of CAP_... */

bool capabilities_have(uint64_t wanted);

/* Gives up all but these, for good; those of them that are not held are not gained. */
bool capabilities_keep(uint64_t keep, struct error *e);

#endif
