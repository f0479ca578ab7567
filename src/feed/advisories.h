/* advisories.h - the compiled advisories: a flat, sorted, mmap-ed file.
 *
 * The compiler (compile.h) writes it; this reads it. The file is checked once at open: magic,
 * version, sizes, XXH3 checksum; every string and record that it hands out lies inside the
 * map and is terminated, so callers may keep pointers until advisories_close(). Several files
 * (the shipped one and the imported one) can be open as one set; a document that is in both
 * is taken from the later one.
 *
 * Look-ups cost by what the host has, not by how much the file holds: cases are found by the
 * product or package they speak of. */
#ifndef YAGURA_FEED_ADVISORIES_H
#define YAGURA_FEED_ADVISORIES_H

#include "base/error.h"
#include "model/scale.h"
#include "model/version.h"

#include <stddef.h>
#include <stdint.h>

struct advisories;

/* One CSAF document. */
struct advisory {
    const char *id;          /* tracking.id: "MS01-026" */
    const char *title;       /* message id */
    const char *publisher;
    const char *summary;     /* note of category summary, "" if none */
    const char *description; /* note of category description, "" */
    const char *version;     /* tracking.version */
    const char *url;         /* the first external reference, "" */
    const char *contact;     /* publisher.contact_details, "" */
    const char *source_file; /* as it was imported */
    const char *feed;        /* name of the feed it came with: "2001", or the import's path */
    int64_t released, revised; /* tracking.initial_release_date, current_release_date */
    enum severity severity;  /* aggregate_severity.text if it is one of ours, else from CVSS */
    bool distribution;       /* published by a distribution about its own packages */
    uint32_t index;          /* its place in its file */
};

struct advisory_revision { int64_t date; const char *number, *summary; };

/* One vulnerability of a document, on one server product or package: what is judged. */
enum case_kind { CASE_PRODUCT, CASE_PACKAGE };
struct advisory_case {
    const struct advisory *advisory;
    enum case_kind kind;
    const char *product;     /* CASE_PRODUCT: "iis"; CASE_PACKAGE: "deb", "rpm" ... (purl type) */
    const char *name;        /* CASE_PACKAGE: the package's name; else "" */
    const char *distro;      /* CASE_PACKAGE: purl qualifier distro, "" = any */
    const char *platform;    /* "windows:5.0", "" = any */
    const char *title;       /* the product as a person reads it */
    const char *affected;    /* version range, "" = every version */
    const char *fixed_range; /* a version range of the product itself that is fixed, "" */
    bool not_affected;       /* known_not_affected for `affected` */
    bool under_investigation;
    const char *rule;        /* "" = none */
    const char *exposed_by;  /* "" = none */
    const char *port;        /* "" = none */
    double cvss;             /* highest base score, 0 = none */
    bool network, no_login;  /* of that vector; both true if no vector is given but port is */
    size_t cve_count;        const char *const *cves;
    size_t patch_count;      const char *const *patches; /* patch keys that fix, as named */
    size_t file_count;       const struct advisory_file *files; /* tied in `fixed` */
    size_t remedy_count;     const struct advisory_remedy *remedies;
    size_t exploit_count;    const struct advisory_exploit *exploits;
};

struct advisory_file { const char *path; const char *range; }; /* same path again: either is enough */
enum remedy_kind { REMEDY_PATCH, REMEDY_WORKAROUND, REMEDY_MITIGATION, REMEDY_NONE_PLANNED,
                   REMEDY_NONE_YET };
struct advisory_remedy { enum remedy_kind kind; const char *text, *url; int64_t date; /* DATE_NONE */ };
struct advisory_exploit { const char *text; int64_t date; };

/* A patch or service pack of one server product, gathered from all documents. */
struct advisory_patch {
    const char *key;         /* "Q293826", "108662-01", "service-pack:windows:5.0:2" */
    const char *product;     /* server product: "iis", "windows", "solaris" */
    const char *platform;    /* "windows:5.0", "solaris:5.7:sparc" */
    const char *version;     /* of the server product, "5.0" */
    const char *title;       /* message id */
    const char *advisory_id; /* the document that brings it */
    int64_t released;        /* of that document */
    bool is_service_pack;
    int reboot;              /* 1 yes, 0 no, -1 not said */
    size_t supersedes_count;   const char *const *supersedes;   /* direct */
    size_t contained_count;    const char *const *contained_in; /* service-pack keys */
    size_t requires_count;     const char *const *requires;
    size_t touches_count;      const char *const *touches;
    size_t file_count;         const struct advisory_file *files; /* what it brings, of its document */
};

struct advisory_feed { const char *name; int64_t imported; int64_t newest; size_t documents, skipped; };

/* Opens a set of files, later ones winning. Absent files are skipped (`paths` may name files
 * that do not exist); a damaged one is an error unless `damaged` is given, which then names
 * the first and the rest is opened. The arena holds the views. */
bool advisories_open(struct advisories **out, const char *const *paths, size_t count,
                     struct error *damaged, struct error *e);
void advisories_close(struct advisories *set);
void advisories_cleanup(struct advisories **set);

size_t advisories_count(const struct advisories *set);
const struct advisory *advisories_at(const struct advisories *set, size_t index); /* by id */
const struct advisory *advisories_find(const struct advisories *set, const char *id); /* no case */
size_t advisories_revisions(const struct advisories *set, const struct advisory *a,
                            const struct advisory_revision **out);

/* All cases about a product, in order of advisory id; or about a package. */
size_t advisories_cases(const struct advisories *set, enum case_kind kind, const char *product,
                        const char *name, const struct advisory_case *const **out);
/* All cases of one document. */
size_t advisories_cases_of(const struct advisories *set, const struct advisory *a,
                           const struct advisory_case *const **out);
/* All patches of one server product and platform ("" = any). */
size_t advisories_patches(const struct advisories *set, const char *product,
                          const struct advisory_patch *const **out);
/* The wants: sorted, unique, without regard to case; in the map. Only those of products that
 * are not packages. */
size_t advisories_wants(const struct advisories *set, const char *const **out);
size_t advisories_feeds(const struct advisories *set, const struct advisory_feed **out);

#endif
