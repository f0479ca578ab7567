/* scan_protocol.h - what the program that looks for patterns in bytes (libexec/yagura-scan) and
 * its client (scan_workers.c) say to each other.
 *
 * A SOCK_SEQPACKET pair; descriptors travel beside the packets (SCM_RIGHTS). Integers are
 * little-endian, strings as bytes_put_string() writes them. Neither side trusts the other: sizes,
 * kinds and counts are checked here, on reading.
 *
 *   to the program
 *     RULES    u8 kind, u8 ours, string path; one descriptor: a file of YARA rules
 *     COMPILE  u8 kind: there are no more rules
 *     CLAMD, CLAMD_STREAM  u8 kind; one descriptor: a connected socket of clamd, which takes files
 *              as descriptors, or their bytes
 *     FILES    u8 kind, u32 number of the first, u8 count, for each: u64 size, string path; as
 *              many descriptors
 *   from it
 *     PROBLEM  u8 kind, string path, u32 line, string sentence: a rule that does not compile
 *     READY    u8 kind, u32 rules
 *     HIT      u8 kind, u32 number, u8 engine, u8 ours, u64 offset, u32 line, strings rule, path of
 *              the rule's file, what, class, severity, confidence, strings found
 *     NOTE     u8 kind, u32 number, u8 what, string sentence: not, or not wholly, looked at
 *     DONE     u8 kind, u32 number of the last file of a batch, u32 of them are archives
 *
 * Before a file is begun its number is written to the shared page (struct scan_progress): so the
 * client knows which file a program died or hangs of. */
#ifndef YAGURA_COLLECT_SCAN_PROTOCOL_H
#define YAGURA_COLLECT_SCAN_PROTOCOL_H

#include "base/bytes.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SCAN_SOCKET_FD = 3, /* in the program: its descriptors (base/helper.h) */
    SCAN_PROGRESS_FD = 4,
};

enum {
    SCAN_MOST_PACKET = 128 * 1024,
    SCAN_MOST_PATH = 4096,
    SCAN_MOST_TEXT = 1024,
    SCAN_BATCH = 16,         /* files of a packet */
    SCAN_MOST_HITS = 32,     /* told of one file */
    SCAN_FILE_SECONDS = 20,  /* for the patterns of one file; the program stops by itself */
    SCAN_CLAMD_SECONDS = 30, /* for clamd's answer about one file */
    SCAN_WALL_SECONDS = 60,  /* without a sign: the client ends the program */
    SCAN_COMPILE_SECONDS = 120,
    SCAN_MEMORY_MB = 1024,
    SCAN_MOST_RULES_BYTES = 64 * 1024 * 1024, /* of one file of rules */
};

/* Of a file that is larger than the first, pieces are looked at one after the other that overlap
 * by the second; behind the third nothing is. Holes cost nothing and are not counted. */
#define SCAN_PIECE_BYTES   (32ull << 20)
#define SCAN_OVERLAP_BYTES (64ull << 10)
#define SCAN_MOST_BYTES    (1ull << 30)

struct scan_progress {
    atomic_uint_least32_t file;  /* number of the file in hand */
    atomic_uint_least32_t steps; /* grows with every file and every piece */
};

enum scan_order { SCAN_RULES = 1, SCAN_COMPILE, SCAN_CLAMD, SCAN_FILES, SCAN_CLAMD_STREAM };
enum scan_answer { SCAN_PROBLEM = 1, SCAN_READY, SCAN_HIT, SCAN_NOTE, SCAN_DONE };
enum scan_engine { SCAN_YARA, SCAN_CLAMAV };
enum scan_note {
    SCAN_UNREAD,    /* nothing, or not all of it, was looked at */
    SCAN_CLAMD_GONE /* clamd does not answer any more */
};

struct scan_packet { /* of FILES: only the names; of RULES: the first one */
    enum scan_order order;
    bool ours;
    uint32_t first;
    size_t count;
    struct {
        uint64_t size;
        char path[SCAN_MOST_PATH];
    } files[SCAN_BATCH];
};

struct scan_reply {
    enum scan_answer answer;
    uint32_t number; /* of the file; of PROBLEM: the line; of READY: rules; of DONE: the last */
    uint32_t archives;
    enum scan_engine engine;
    enum scan_note note;
    bool ours;
    uint64_t offset;
    uint32_t line;
    char path[SCAN_MOST_PATH]; /* of the rules */
    char rule[256], class[64], severity[16], confidence[16];
    char what[SCAN_MOST_TEXT]; /* what is hit, or the sentence */
    char found[SCAN_MOST_TEXT];
};

void scan_put_packet(struct str *out, const struct scan_packet *request);
bool scan_get_packet(struct scan_packet *out, const void *packet, size_t size);
void scan_put_reply(struct str *out, const struct scan_reply *reply);
bool scan_get_reply(struct scan_reply *out, const void *packet, size_t size);

/* A packet and its descriptors (at most SCAN_BATCH). Of receive: the packet's size, 0 at the end,
 * -1 with errno; the descriptors are the caller's (O_CLOEXEC), also where the packet makes no
 * sense. */
bool scan_send(int socket, const struct str *packet, const int *fds, size_t fd_count, int flags);
ssize_t scan_receive(int socket, void *packet, size_t size, int fds[SCAN_BATCH], size_t *fd_count,
                     int flags);

#endif
