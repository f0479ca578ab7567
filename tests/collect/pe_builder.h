/* pe_builder.h - makes programs that hold a version and nothing else. */
#ifndef YAGURA_TESTS_PE_BUILDER_H
#define YAGURA_TESTS_PE_BUILDER_H

#include "base/str.h"

enum { PE_BUILDER_HEADER = 0x80, PE_BUILDER_RESOURCES = 0x400 }; /* where they lie */

/* PE32, or PE32+; str_free() it. */
struct str pe_builder_make(bool plus, const uint16_t version[4]);

#endif
