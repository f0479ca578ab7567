/* pe_version.h - the version that a program or library carries: the four numbers of
 * VS_FIXEDFILEINFO, which are what proves a patch. The text beside them is not looked at: it
 * may be translated, stale, or spelled 5.00.2195.2100.
 *
 * Formats: "PE Format" (Microsoft, rev. 12): DOS header, COFF header, optional header PE32 or
 * PE32+, section table, the .rsrc section's tree of three levels (type, name, language);
 * VS_VERSIONINFO and VS_FIXEDFILEINFO as documented for the Windows API.
 *
 * Two steps, so that of a large file only its head and its resources are fetched. Everything
 * that is no such file (16-bit NE, a damaged or cut one, one without a version) is an error:
 * "could not read", never "has none". */
#ifndef YAGURA_COLLECT_PE_VERSION_H
#define YAGURA_COLLECT_PE_VERSION_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct pe_version {
    uint16_t part[4];
};

/* Where the resources lie in the file. */
struct pe_resources {
    uint64_t offset;
    uint32_t size, rva;
};

enum { PE_HEAD_BYTES = 8192, PE_MOST_RESOURCES = 32 * 1024 * 1024 };

/* From the first bytes of the file: PE_HEAD_BYTES of them, or all there are. */
bool pe_version_locate(struct pe_resources *out, const void *head, size_t size, struct error *e);
/* From the resources themselves: `size` may be less than place->size where the file ends. */
bool pe_version_of_resources(struct pe_version *out, const struct pe_resources *place,
                             const void *bytes, size_t size, struct error *e);
/* Both, of a whole file in memory. */
bool pe_version_read(struct pe_version *out, const void *bytes, size_t size, struct error *e);

/* "5.0.2195.3407"; `text` is of at least 24 bytes. */
const char *pe_version_text(const struct pe_version *v, char text[24]);

#endif
