/* saved_rules.h - packet filter rules as they are saved on disk: what iptables-save(8) writes
 * (/etc/iptables/rules.v4, rules.v6) and nftables' own language (/etc/nftables.conf, nft(8)).
 *
 * Only what can be said without running them is read: the policy of what comes in, how many
 * rules stand there, and which ports are passed on to another address (DNAT), which is how
 * containers and virtual machines are published. Includes and variables of nft are not
 * followed; that there are some is said. The rules that are loaded now may be others. */
#ifndef YAGURA_COLLECT_SAVED_RULES_H
#define YAGURA_COLLECT_SAVED_RULES_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct saved_forward {
    const char *proto;   /* "tcp", "udp" */
    const char *address; /* "" = any */
    const char *ports;   /* "8080", "8000-8010", "80,443" */
    const char *to;      /* "172.17.0.2:80" */
    uint64_t line;
};

struct saved_rules {
    bool filters_input; /* a table or chain that sees what comes in */
    const char *policy; /* of it: "accept", "drop", "reject"; "" where none */
    size_t input_rules; /* rules in it and in chains that are not fail2ban's */
    size_t ban_rules;   /* rules of fail2ban (chains f2b-*), which ban and never close */
    bool drops;         /* some rule drops or rejects without an address: a closing rule */
    bool partial;       /* includes or variables that were not followed */
    VEC(struct saved_forward) forwards;
};

void saved_rules_free(struct saved_rules *rules);
#define CLEANUP_SAVED_RULES CLEANUP(saved_rules_free)

void saved_rules_parse_iptables(struct saved_rules *out, struct arena *arena, const char *text,
                                size_t size);
void saved_rules_parse_nft(struct saved_rules *out, struct arena *arena, const char *text,
                           size_t size);

/* Calls `visit` for each port of "80,443,8000-8010"; at most 1,024. */
void saved_ports_each(const char *ports, void (*visit)(void *context, uint16_t port),
                      void *context);

#endif
