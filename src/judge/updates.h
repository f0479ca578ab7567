/* updates.h - what a Debian system's own archives say of it: facts -> findings. Pure.
 *
 * The rules, all made from facts of docs/facts.md:
 *
 *   debian-security-update   one finding for each source package with security updates pending
 *     (facts "update" with security=yes), named by the source package, or by the binary package
 *     where only one waits. Severity:
 *       high    a package in it belongs to a process that listens beyond loopback, or is
 *               mapped by one; or it is the kernel (an image, not its headers); or it is one of
 *               the sources in the table of updates.c that stand in the path of every
 *               connection (openssl, glibc ...);
 *       medium  otherwise.
 *     An update that a hold, a pin or a phasing keeps back is said to be held, and how to let it
 *     through; its severity is the same. What is high and not the kernel counts as reached from
 *     the network without a login: apt does not say which holes an update closes. (In an
 *     incident step patch is not done while one of these waits.)
 *   debian-updates-pending   one finding (info) with the number of updates that are not security
 *     updates.
 *   updates-unknown          for each configured archive whose list is missing, unreadable,
 *     expired or stale; and for a Debian system about which no list speaks at all: unknown.
 *     As of another day than today that is all that is said of pending updates and restarts.
 *   security-archive-missing a released Debian or Ubuntu without a security archive among what is
 *     configured: unknown, because no security update would ever be seen.
 *   kernel-restart-needed    (medium) the newest kernel that is installed is not the one that
 *     runs; only where the running one is the distribution's own.
 *   kernel-unknown           a kernel package is installed and another kernel runs, which no
 *     package describes: unknown. (Where no kernel package is installed, as in containers and on
 *     hosted machines, the kernel is somebody else's and nothing is said.)
 *   service-restart-needed   (medium) one for each service, or process name, that still maps what
 *     was replaced on disk.
 *   os-support-ended         after the end of regular support: low while Debian's LTS goes on, high
 *     after that; the dates are in it. Ubuntu Pro and Extended LTS are told as such.
 *   os-support-unknown       a series without a date; and, for a system whose support has ended,
 *     that its pending updates say nothing any more: unknown. */
#ifndef YAGURA_JUDGE_UPDATES_H
#define YAGURA_JUDGE_UPDATES_H

#include "model/fact.h"
#include "model/finding.h"

/* All of the above, as of a day; `now` is when the facts were collected. */
void judge_updates(struct findings *out, const struct facts *facts, const char *target_identity,
                   int64_t now, int64_t as_of);

/* Its parts, each in a file of its own. */
struct updates_input {
    struct findings *out;
    const struct facts *facts;
    const char *identity;
    int64_t now;
};
void updates_judge_packages(const struct updates_input *in); /* updates_packages.c */
void updates_judge_sources(const struct updates_input *in);  /* updates_sources.c */
void updates_judge_restarts(const struct updates_input *in); /* updates_restarts.c */
void updates_judge_support(const struct updates_input *in);  /* updates_support.c */

/* A new finding with its id; texts that are not literals are copied into the findings' arena. */
struct finding *updates_finding(const struct updates_input *in, const char *rule, const char *title,
                                const char *subject_kind, const char *subject);
/* "why, on which line": a fact as evidence. */
void updates_evidence(const struct updates_input *in, struct finding *f, const struct fact *fact,
                      const char *text);
/* A message with one argument, whose value is copied. */
struct message updates_message(const struct updates_input *in, const char *id, const char *name,
                               const char *value);
void updates_argument(const struct updates_input *in, struct message *m, const char *name,
                      const char *value);

#endif
