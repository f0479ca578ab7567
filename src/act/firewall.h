/* firewall.h - shuts this host off, on trial and then for good, and opens it again; by nftables,
 * beside whatever rules others have.
 *
 * Two tables of ours, each on its own, `inet yagura` for the first three and `inet yagura_ports`:
 *
 *   FIREWALL_WEB      visitors get a notice page (act/notice.h, to be started before); else as
 *                     contain
 *   FIREWALL_CONTAIN  nothing in, out or through but the operator's way in
 *   FIREWALL_FULL     nothing but connections that he has now, and the addresses named
 *   FIREWALL_PORTS    nothing new comes in but to the ports that stay open; nothing that goes out
 *                     is touched
 *
 * Standing connections are ended, too: by the kernel's own SOCK_DESTROY where they end here, by the
 * rules where they are passed on (containers). Traffic within this host stays.
 *
 * On trial the kernel holds the time (firewall_rules.h), so that the host is open again when
 * nobody confirms, also if this program, or the machine's administrator, is gone. It is confirmed
 * over a connection that was made since, which is the proof that there is a way in: then the
 * rules lie in the state (firewall.nft, ports.nft), a unit loads them before the network at every
 * start, and no timer undoes them. When a confirmed isolation changes its mode, it stays
 * confirmed, with the ways and addresses it had.
 *
 * In the state: firewall.json and ports.json say what is in force, since when, by which
 * connections, and digests of all tables, ours and others', to notice who else changes them. */
#ifndef YAGURA_ACT_FIREWALL_H
#define YAGURA_ACT_FIREWALL_H

#include "act/operator.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include <time.h>

enum firewall_mode { FIREWALL_WEB, FIREWALL_CONTAIN, FIREWALL_FULL, FIREWALL_PORTS };
const char *firewall_mode_name(enum firewall_mode mode); /* "web", ... "ports" */
bool firewall_mode_parse(enum firewall_mode *out, const char *name);

/* Which of the two tables. */
enum firewall_scope { FIREWALL_ISOLATION, FIREWALL_CLOSED_PORTS };
enum firewall_scope firewall_scope_of(enum firewall_mode mode);

struct firewall_network {
    struct address address;
    uint8_t bits; /* 32 or 128: one address */
};
/* "192.0.2.1", "2001:db8::/48"; host bits are cleared. */
bool firewall_network_parse(struct firewall_network *out, const char *text, struct error *e);
bool firewall_network_has(const struct firewall_network *n, const struct address *a);

struct firewall_ports {
    uint16_t first, last;
    bool udp;
};
/* "25", "53/udp", "8000-8010/tcp" */
bool firewall_ports_parse(struct firewall_ports *out, const char *text, struct error *e);

/* A way in: from where to which port here; or (out) from here to which port there. */
struct firewall_way {
    struct address address;
    uint16_t port;
    bool out;
};

enum { FIREWALL_MOST = 64, FIREWALL_SHORTEST = 5, FIREWALL_LONGEST = 24 * 3600 };

struct firewall_plan {
    enum firewall_mode mode;
    unsigned trial_seconds; /* FIREWALL_SHORTEST ... FIREWALL_LONGEST */
    struct operator operator;
    struct firewall_way ways[FIREWALL_MOST]; /* firewall_plan_ways() fills the operator's in */
    size_t way_count;
    struct firewall_network named[FIREWALL_MOST]; /* everything from and to them stays */
    size_t named_count;
    struct firewall_ports open[FIREWALL_MOST]; /* FIREWALL_PORTS: these stay open */
    size_t open_count;
    uint16_t web[FIREWALL_MOST]; /* FIREWALL_WEB: ports of the sites over HTTP */
    size_t web_count;
    uint16_t web_tls[FIREWALL_MOST]; /* and over TLS */
    size_t web_tls_count;
    uint16_t notice_port, notice_tls_port; /* where notice.h answers; 0: nobody does, and these
                                              connections are refused */
    /* What is wanted in the rules and takes too long before the cut (which ports sites have, and
     * who answers there): called once the host is cut off, with a copy of the plan to add it to,
     * which then takes the first one's place. Meanwhile whoever comes anew hears nothing and asks
     * again after a second; what is in force by then is written down as if it were all. May be
     * NULL. */
    void (*once_cut)(struct firewall_plan *p, void *context);
    void *context;
};

/* The ways in that the operator of the plan has. */
void firewall_plan_ways(struct firewall_plan *p);

/* "192.0.2.1,2001:db8::/48" into the named ones. */
bool firewall_plan_name(struct firewall_plan *p, const char *list, struct error *e);

/* ERR_USAGE, with what to do about it, where the plan would lock the operator out or makes no
 * sense. firewall_begin() does it, too. */
bool firewall_check(const struct firewall_plan *p, struct error *e);

/* What would be done: whether the kernel takes the rules, and which standing connections (of all)
 * would end. Nothing is changed. *rules may be NULL. */
bool firewall_preview(const struct firewall_plan *p, const struct connections *all,
                      struct str *rules, size_t *ending, struct error *e);

struct firewall_result {
    enum firewall_mode mode;
    bool confirmed;        /* it replaces one that was: no trial */
    size_t ended;          /* standing connections */
    size_t left;           /* that the kernel would not end: the rules cut them all the same, where
                              they can; `why` says so */
    uint64_t load_us;      /* from the call until the rules were in force */
    uint64_t all_us;       /* and until the connections had ended */
    struct timespec since; /* when they came into force, by this host's clock */
    struct error why;
    struct error later; /* what once_cut() added was not taken: visitors are refused, or hear
                           nothing, and nobody shows them a notice */
};

/* In force when it returns true; when false, nothing is changed (but where the state could not be
 * written of a change of mode of what was confirmed). */
bool firewall_begin(int state_dirfd, const struct firewall_plan *p, struct firewall_result *out,
                    struct error *e);

enum firewall_stand {
    FIREWALL_NONE,
    FIREWALL_TRIAL,
    FIREWALL_CONFIRMED,
    FIREWALL_LAPSED,  /* the time of the trial is over: the host is open */
    FIREWALL_REMOVED, /* it should be in force, and somebody else took it away: the host is open */
    FIREWALL_STRANGE  /* a table of ours is there, and the state knows nothing of it */
};

struct firewall_status {
    enum firewall_stand stand;
    enum firewall_mode mode;
    int64_t since;         /* seconds since 1970 */
    unsigned seconds_left; /* FIREWALL_TRIAL */
    bool altered;          /* somebody else changed rules, or what is in sets, in our table */
    char changed[400];     /* tables of others that are not as they were: "ip filter, inet x" */
    uint16_t notice_port, notice_tls_port;
};

/* Whether the state says anything of it; without asking anybody. */
bool firewall_is_known(int state_dirfd, enum firewall_scope scope);

/* ERR_ABSENT, ERR_SYSTEM: nft is not there or may not be asked. */
bool firewall_look(int state_dirfd, enum firewall_scope scope, struct firewall_status *out,
                   struct error *e);

/* Makes a trial permanent. ERR_USAGE where there is none (any more), where our table was changed,
 * or `op` does not come over a connection made since (nor sits at the console). */
bool firewall_confirm(int state_dirfd, enum firewall_scope scope, const struct operator* op,
                      struct error *e);

/* What was confirmed, and somebody else took away or changed since: as it was confirmed, and what
 * was connected meanwhile is ended. *mended: there was something to mend. ERR_USAGE, and nothing is
 * changed, where that would lock `op` out. Not for closed ports, whose record does not say which
 * stay open. */
bool firewall_mend(int state_dirfd, enum firewall_scope scope, const struct operator* op,
                   struct firewall_result *out, bool *mended, struct error *e);

/* Of an isolation that is in force and confirmed: {"mode", "ways", "named"}, the ways in that were
 * proved over a new connection, and the addresses named. NULL: none is. A new reference. */
json_t *firewall_proved(int state_dirfd);

/* The addresses that were named, of an isolation that is in force, on trial or confirmed: at most
 * FIREWALL_MOST. False: this host is not cut off, as far as can be seen. */
bool firewall_named(int state_dirfd, struct firewall_network out[FIREWALL_MOST], size_t *count);

/* Isolates again, for good and without a trial, where nobody may be there to confirm: through the
 * ways that were proved in the same incident, and those that the plan has besides. One without any
 * way was confirmed at the console, and that is his way again. FIREWALL_FULL, where ways were
 * proved and no address was named, would shut them: it is FIREWALL_CONTAIN then. */
bool firewall_again(int state_dirfd, const struct firewall_plan *p, const json_t *proved,
                    struct firewall_result *out, struct error *e);

/* Takes our table away and what the state keeps of it; fine if there is none. Where the kernel does
 * not let go of it, it is loaded at the next start as before. */
bool firewall_end(int state_dirfd, enum firewall_scope scope, struct error *e);

#endif
