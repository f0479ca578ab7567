/* config.h - /etc/yagura/yagura.yaml: one file, every key with a default that suits one ordinary
 * web server. What the command line says wins over the environment, and that over the file.
 *
 *   on_tamper: /usr/local/bin/alarm   run by sh -c, as nobody, a burst as JSON on its input
 *   keep: 10                          generations that gc keeps
 *   dpkg: /var/lib/dpkg               files that packages own follow their package ("": no)
 *   evidence_mb: 2048                 a site's evidence; what goes first: content/evidence.h
 *   ports:
 *     allow: [25, 53/udp]             `ports --close` leaves these open, too
 *   guard:
 *     detect_only: no                 tell, and put nothing back
 *     ready_mb: 256                   a site's copies kept ready: guard/spares.h (0: none)
 *     sweep_seconds: 3600             how often all content is read (0: never)
 *     selftest_seconds: 5             how often the guard proves that it sees (0: never)
 *     bounded_queue: no               the kernel keeps at most fs.fanotify.max_queued_events
 *                                     changes for the guard, not as many as memory holds
 *   health: [https://www.example.jp/]  pages that patch asks before and after, and reconnecting
 *                                     (act/pages.h)
 *   patch:
 *     policy:                         what `patch apply` asks for: judge/patch_policy.h
 *       staging: yes                  nothing without a receipt of `patch stage`
 *       approver: other               who answers for the receipt is not who applies (any)
 *       receipt_days: 14
 *       receipt_keys: [RW...]         whose receipts are believed
 *       window: {days: sat sun, from: "22:00", to: "04:00", zone: Asia/Tokyo}
 *       backup: {path: /var/backups/db, hours: 24}   or {command: ...}: it ends with 0
 *   respond:
 *     health: [/usr/local/bin/check, -q]   what reconnecting runs as well: a program and its
 *                                     arguments, no shell; 0 is good (respond/health.h)
 *     watch_hours: 72                 of the closer watch afterwards (0: none): respond/watch.h
 *     isolate_again: no               what the watch does with a find: web, contain or full
 *   sites:
 *     www:
 *       policies:                     behind those of its profile; the last that fits wins
 *         - {path: /cache/, policy: ignore}
 *
 * The file is --config FILE, YAGURA_CONFIG, or that of /etc, which may be missing; the two others
 * may not. An unknown key is an error with its line: a misspelt policy must not be no policy. A
 * file that names commands (on_tamper, backup, respond: health) and that others may write is
 * refused. */
#ifndef YAGURA_CMD_CONFIG_H
#define YAGURA_CMD_CONFIG_H

#include "act/firewall.h"
#include "base/mem.h"
#include "content/policy.h"
#include "judge/patch_policy.h"

enum { CONFIG_WATCH_HOURS = 72 };

struct config_site {
    const char *name;
    struct policies *policies;
};

struct config {
    const char *on_tamper; /* NULL: none */
    const char *dpkg;      /* NULL: packages are nothing special */
    uint64_t keep, evidence_mb, ready_mb, sweep_seconds, selftest_seconds;
    bool detect_only, bounded_queue;
    struct patch_policy patch;
    const char **health;
    size_t health_count;
    const char **respond_health; /* ends with NULL; or NULL */
    uint64_t watch_hours;
    const char *isolate_again; /* a mode of act/firewall.h; NULL: no */
    struct firewall_ports *allow;
    size_t allow_count;
    struct config_site *sites;
    size_t site_count;
    struct arena *arena;
};

bool config_load(struct config **out, const char *flag, struct error *e);
void config_free(struct config *c);
void config_cleanup(struct config **c);

uint64_t config_evidence_bytes(const struct config *c);
uint64_t config_ready_bytes(const struct config *c);

/* The further policies of a site, or NULL. */
const struct policies *config_policies(const struct config *c, const char *site);

#endif
