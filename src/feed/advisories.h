/* advisories.h - the compiled advisories: a flat, sorted, mmap-ed file.
 *
 * The compiler (compile.h) writes it; this reads it (db_format.h is the layout). At open the
 * magic, version, sizes and the table of checksums are checked; of the body every page of
 * 16 KiB is checked (XXH3) before its first byte is used: all of them at open where the file
 * is small (ADVISORIES_CHECK_BYTES), else on first use. Damage found later makes the record
 * vanish from the answers and stays with the set: ask advisories_damage() after judging, and
 * take what was judged as incomplete if it says so. advisories_verify() reads everything.
 *
 * Every string and record that is handed out lies inside the map or in the set's arena and is
 * terminated, so callers may keep pointers until advisories_close(). Several files (the
 * shipped one and the imported one) can be open as one set; a document that is in both is
 * taken from the later one. A document is known by its id and its publisher's namespace: two
 * publishers may speak of one CVE under the same id.
 *
 * Look-ups cost by what the host has, not by how much the file holds: cases are found by the
 * product or package they speak of. A set is for one thread: answers are kept as they are
 * first asked for. */
#ifndef YAGURA_FEED_ADVISORIES_H
#define YAGURA_FEED_ADVISORIES_H

#include "base/error.h"
#include "base/mem.h"
#include "model/scale.h"
#include "model/version.h"

#include <stddef.h>
#include <stdint.h>

struct advisories;

enum { ADVISORIES_CHECK_BYTES = 1024 * 1024 };

/* One CSAF document. */
struct advisory {
    const char *id;    /* tracking.id: "MS01-026" */
    const char *title; /* message id */
    const char *publisher;
    const char *publisher_namespace; /* publisher.namespace, "" */
    const char *summary;             /* note of category summary, "" if none */
    const char *description;         /* note of category description, "" */
    const char *version;             /* tracking.version */
    const char *url;                 /* the first external reference, "" */
    const char *contact;             /* publisher.contact_details, "" */
    const char *source_file;         /* as it was imported */
    const char *feed;          /* name of the feed it came with: "2001", or the import's path */
    int64_t released, revised; /* tracking.initial_release_date, current_release_date */
    enum severity severity;    /* aggregate_severity.text if it is one of ours (Red Hat's important
                                * is high, moderate medium), else from the highest CVSS, else from
                                * threats[impact], else medium if something is affected */
    bool distribution;         /* published by a vendor about deb, rpm or apk packages */
    uint32_t index;            /* its place in its file */
};

struct advisory_revision {
    int64_t date;
    const char *number, *summary;
};

/* One vulnerability of a document, on one server product or package: what is judged. */
enum case_kind { CASE_PRODUCT, CASE_PACKAGE };
struct advisory_case {
    const struct advisory *advisory;
    enum case_kind kind;
    const char *product;  /* CASE_PRODUCT: "iis"; CASE_PACKAGE: "deb", "rpm" ... (purl type) */
    const char *name;     /* CASE_PACKAGE: the package's name; else "" */
    const char *vendor;   /* CASE_PACKAGE: purl namespace ("debian"); else the vendor branch, "" */
    const char *distro;   /* CASE_PACKAGE: purl qualifier distro, else vendor:product:version of
                           * the CPE of what the package is a component of, "" = any */
    const char *arch;     /* CASE_PACKAGE: purl qualifier arch, several with a space between, "" =
                           * any; "source" or "src": the name is that of the source package */
    const char *platform; /* "windows:5.0", "" = any */
    const char *title;    /* the product as a person reads it */
    const char *affected; /* version range, "" = every version */
    const char *fixed_range; /* a version range of the product itself that is fixed, "" */
    size_t fixed_count;
    const char *const *fixed_ranges; /* all of them; either is enough */
    bool unclear;      /* `affected` is a range that nobody can read for sure; as it stands */
    bool not_affected; /* known_not_affected for `affected` */
    bool under_investigation;
    const char *rule;       /* "" = none */
    const char *exposed_by; /* "" = none */
    const char *port;       /* "" = none; several with a space between */
    double cvss;            /* highest base score, 0 = none */
    bool network, no_login; /* of that vector; both true if no vector is given but port is */
    size_t cve_count;
    const char *const *cves;
    size_t patch_count;
    const char *const *patches; /* patch keys that fix, as named */
    size_t file_count;
    const struct advisory_file *files; /* tied in `fixed` */
    size_t remedy_count;
    const struct advisory_remedy *remedies;
    size_t exploit_count;
    const struct advisory_exploit *exploits;
};

struct advisory_file {
    const char *path;
    const char *range;
    bool core; /* the server or system does not run without it */
};             /* same path again: either is enough */
enum remedy_kind {
    REMEDY_PATCH,
    REMEDY_WORKAROUND,
    REMEDY_MITIGATION,
    REMEDY_NONE_PLANNED,
    REMEDY_NONE_YET
};
struct advisory_remedy {
    enum remedy_kind kind;
    const char *text, *url;
    int64_t date; /* DATE_NONE */
};
struct advisory_exploit {
    const char *text;
    int64_t date;
};

/* A patch or service pack of one server product, gathered from all documents. */
struct advisory_patch {
    const char *key;         /* "Q293826", "108662-01", "service-pack:windows:5.0:2" */
    const char *product;     /* server product: "iis", "windows", "solaris" */
    const char *platform;    /* "windows:5.0", "solaris:5.7:sparc" */
    const char *version;     /* of the server product, "5.0"; "" if that is a range */
    const char *title;       /* message id */
    const char *advisory_id; /* the document that brings it: the first released that has it */
    int64_t released;        /* date of its vendor_fix, else of that document */
    bool is_service_pack;
    int reboot; /* 1 yes, 0 no, -1 not said */
    size_t supersedes_count;
    const char *const *supersedes; /* direct */
    size_t contained_count;
    const char *const *contained_in; /* service-pack keys */
    size_t requires_count;
    const char *const *requires;
    size_t touches_count;
    const char *const *touches;
    size_t file_count;
    const struct advisory_file *files; /* what it brings, of its document */
};

struct advisory_feed {
    const char *name;
    int64_t imported;
    int64_t newest;
    size_t documents, skipped;
    bool shipped; /* comes with the program: nobody imported it */
};

/* Opens a set of files, later ones winning: the set of none is empty, and fine. Absent files are
 * skipped (`paths` may name files that do not exist); a damaged one is an error unless `damaged` is
 * given, which then names the first and the rest is opened. The arena holds the views. */
bool advisories_open(struct advisories **out, const char *const *paths, size_t count,
                     struct error *damaged, struct error *e);
void advisories_close(struct advisories *set);
void advisories_cleanup(struct advisories **set);
#define CLEANUP_ADVISORIES CLEANUP(advisories_cleanup)

/* The first damage that was met since the set was opened; false if none. */
bool advisories_damage(const struct advisories *set, struct error *e);
/* Checks every page and every record. */
bool advisories_verify(struct advisories *set, struct error *e);

size_t advisories_count(const struct advisories *set);
const struct advisory *advisories_at(const struct advisories *set, size_t index);     /* by id */
const struct advisory *advisories_find(const struct advisories *set, const char *id); /* no case */
size_t advisories_revisions(const struct advisories *set, const struct advisory *a,
                            const struct advisory_revision **out);

/* The number of the last revision that was there on that day: tracking.version from
 * current_release_date on, and where the history tells nothing of it. */
const char *advisories_version_on(const struct advisories *set, const struct advisory *a,
                                  int64_t day);

/* The packed document (document.h), for whoever copies it into another file. */
bool advisories_block(const struct advisories *set, const struct advisory *a, const void **bytes,
                      size_t *size);

/* All cases about a product, in order of advisory id; or about a package. */
size_t advisories_cases(const struct advisories *set, enum case_kind kind, const char *product,
                        const char *name, const struct advisory_case *const **out);
/* All cases of one document. */
size_t advisories_cases_of(const struct advisories *set, const struct advisory *a,
                           const struct advisory_case *const **out);
/* All patches of one server product (NULL or "" = of all), by key; the same key for another
 * platform or version of the server is another patch. */
size_t advisories_patches(const struct advisories *set, const char *product,
                          const struct advisory_patch *const **out);
/* Keys of patches that supersede each other in a circle, per server product, platform and
 * version; sorted. Such an edge stays as the documents have it. */
size_t advisories_circles(const struct advisories *set, const char *product,
                          const char *const **out);
/* The wants ("file-version:PATH"): sorted, unique, without regard to case; in the map. Only those
 * of products that are not packages. */
size_t advisories_wants(const struct advisories *set, const char *const **out);
size_t advisories_feeds(const struct advisories *set, const struct advisory_feed **out);

#endif
