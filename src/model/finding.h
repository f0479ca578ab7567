/* finding.h - what a rule concluded about a target.
 *
 * Texts that a person reads are messages: an id (the English text with {named} places) and
 * arguments; show/ translates the id and puts the arguments in. What stands in an argument as a
 * sentence of its own (why something could not be read) is in the language of the process already.
 * Strings live in the findings' arena or outlive it (tables, the advisory file). */
#ifndef YAGURA_MODEL_FINDING_H
#define YAGURA_MODEL_FINDING_H

#include "base/language.h"
#include "base/mem.h"
#include "model/scale.h"

#include <jansson.h>
#include <stdint.h>

struct message_argument {
    const char *name;
    const char *value;
    bool translate; /* the value is itself a message id: a title out of an advisory, a `what` */
};
struct message {
    const char *id; /* NULL = no message */
    struct message_argument arguments[6];
    size_t argument_count;
};
struct message message_of(const char *id);
/* Adds an argument; more than six are dropped (and caught by a test). */
void message_put(struct message *m, const char *name, const char *value);
void message_put_translated(struct message *m, const char *name, const char *value);
/* The same text with the same arguments. */
bool message_equal(const struct message *a, const struct message *b);
/* English text, places filled in. */
char *message_text(struct arena *arena, const struct message *m);

struct evidence {
    const char *path;
    uint64_t line;
    int64_t offset;   /* -1 = none */
    const char *fact; /* "hotfix Q295534 installed=1" */
};

struct reference {
    const char *title, *url;
};

struct finding {
    const char *id;          /* 16 hex digits: hash of target identity, rule and subject */
    const char *rule_id;     /* "MS01-026", "iis-printer-mapped", "debian-security-update" */
    const char *rule_title;  /* message id */
    const char *rule_source; /* "MS01-026", "KB Q184375", the list an update came from */
    enum {
        RULE_ADVISORY,
        RULE_CHECKLIST,
        RULE_UPDATE,
        RULE_SUPPORT,
        RULE_RESTART,
        RULE_TARGET,
        RULE_LEAVING
    } rule_kind;
    const char *checklist; /* set of a checklist rule, else NULL */
    enum severity severity;
    const char *subject_kind, *subject_name;
    enum verdict verdict;
    enum confidence confidence;
    struct message summary, why;
    struct message remedy;
    VEC(struct message) steps; /* each a line to follow or to paste */
    VEC(struct message) notes; /* further lines: "a filter in front does not help: ..." */
    VEC(struct evidence) evidence;
    VEC(struct reference) references;
    VEC(const char *) cves;
    VEC(const char *) patches; /* ids that close it, best first; of a checklist: any of them */
    bool exploited;            /* known to be used by attackers at that date */
    bool reachable;            /* from the network without login */
    bool unreachable;          /* nothing can reach it (shown below the others) */
    bool repeated;             /* a checklist's row: an advisory asks for the same */
    const char *port;          /* "80/tcp" or NULL */
    const char *revision;      /* of the advisory: its number on the day of the judgement */
    const char *contact;       /* whom to ask about the advisory, or NULL */
    /* merged in afterwards from the state, DATE_NONE where unknown */
    int64_t first_seen, last_seen, fixed_at;
    bool revised; /* the advisory changed since the last audit */
};

struct findings {
    struct arena *arena;
    VEC(struct finding *) list;
};
struct findings *findings_new(void);
void findings_free(struct findings *f);
void findings_cleanup(struct findings **f);
struct finding *findings_add(struct findings *f); /* zeroed, dates DATE_NONE, offset -1 */
typedef bool findings_test(void *context, const struct finding *item);
/* Takes out what the test is true of; the others keep their order. */
void findings_drop(struct findings *f, findings_test *is_dropped, void *context);

/* What ranks a finding before its severity does: what attackers left behind, what they use now,
 * what the network reaches without a login; then the rest that is open; then what nothing leads
 * to, what could not be judged, and what is settled. */
enum finding_group {
    GROUP_INTRUSION,
    GROUP_EXPLOITED_OPEN, /* and reached without a login */
    GROUP_EXPLOITED,
    GROUP_REACHABLE,
    GROUP_OTHER,
    GROUP_UNREACHABLE,
    GROUP_UNKNOWN,
    GROUP_SETTLED
};
enum finding_group finding_group(const struct finding *f);

/* Worst first: by group, then by severity; ties by id. */
void findings_sort(struct findings *f);
bool finding_is_open(const struct finding *f); /* affected or broken */

/* 16 hex digits. */
void finding_make_id(char out[17], const char *target, const char *rule, const char *subject);

json_t *finding_to_json(const struct finding *f, const char *target); /* new reference */

#endif
