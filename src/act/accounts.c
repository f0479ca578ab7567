#include "act/accounts.h"

#include "act/host_program.h"
#include "base/cage.h"
#include "base/file.h"
#include "base/str.h"
#include "collect/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_FILE = 16 << 20,
    MOST_NAME = 256,
    TOOL_SECONDS = 30,
    MOST_PROCESSES = 100000,
    ROUNDS = 20,
    ROUND_MS = 50,
    MOST_ABOVE = 64
};

void account_key(uint8_t out[ACCOUNT_KEY_BYTES])
{
    randombytes_buf(out, ACCOUNT_KEY_BYTES);
}

/* --- reading, in a cage --- */

struct question {
    const char *passwd, *shadow; /* the files' bytes */
    size_t passwd_size, shadow_size;
    const char *user;
    const uint8_t *key;
};

enum { FRAME_ANSWER = 1 };

/* The field of that number in the line of that user; NULL if there is no such line. */
static bool find_field(const char *text, size_t size, const char *user, unsigned number,
                       const char **out, size_t *out_length)
{
    size_t position = 0, length, n = strlen(user);
    const char *line;
    while (str_next_line(text, size, &position, &line, &length)) {
        if (length <= n || memcmp(line, user, n) != 0 || line[n] != ':')
            continue;
        const char *end = line + length;
        for (unsigned i = 0; i < number && line; i++) {
            line = memchr(line, ':', (size_t)(end - line));
            line = line ? line + 1 : NULL;
        }
        if (!line)
            return false;
        const char *colon = memchr(line, ':', (size_t)(end - line));
        *out = line;
        *out_length = (size_t)((colon ? colon : end) - line);
        return true;
    }
    return false;
}

static void put_field(char *out, size_t room, const struct question *q, unsigned number)
{
    const char *field;
    size_t length;
    *out = '\0';
    if (find_field(q->shadow, q->shadow_size, q->user, number, &field, &length) && length < room)
        snprintf(out, room, "%.*s", (int)length, field);
}

static void read_account(struct cage *cage, void *context)
{
    const struct question *q = context;
    struct account_state state = {0};
    const char *field;
    size_t length;
    uint64_t uid = 0;
    if (!find_field(q->passwd, q->passwd_size, q->user, 2, &field, &length))
        return; /* no answer: there is none */
    char number[24];
    snprintf(number, sizeof number, "%.*s", (int)(length < 23 ? length : 23), field);
    if (!str_to_u64(number, &uid) || uid > UINT32_MAX)
        return;
    state.uid = (uint32_t)uid;
    bool in_shadow = find_field(q->shadow, q->shadow_size, q->user, 1, &field, &length);
    if (!in_shadow && !find_field(q->passwd, q->passwd_size, q->user, 1, &field, &length))
        return;
    for (; length && *field == '!'; field++, length--)
        state.locked = true;
    if (q->key)
        crypto_generichash(state.mark, sizeof state.mark, (const uint8_t *)field, length, q->key,
                           ACCOUNT_KEY_BYTES);
    put_field(state.changed, sizeof state.changed, q, 2);
    put_field(state.expires, sizeof state.expires, q, 7);
    cage_send(cage, FRAME_ANSWER, &state, sizeof state);
}

struct answer {
    struct account_state state;
    bool given;
};

static bool take_answer(void *context, uint32_t type, const void *bytes, size_t size,
                        struct error *e)
{
    struct answer *a = context;
    if (type != FRAME_ANSWER || size != sizeof a->state) {
        error_set(e, ERR_CAGE, "the reader of accounts answered strangely");
        return false;
    }
    memcpy(&a->state, bytes, size);
    a->state.expires[sizeof a->state.expires - 1] = '\0';
    a->state.changed[sizeof a->state.changed - 1] = '\0';
    a->given = true;
    return true;
}

static void forget(char *text, size_t size)
{
    if (text)
        sodium_memzero(text, size);
    free(text);
}

static bool is_name(const char *user)
{
    size_t length = strlen(user);
    return length && length < MOST_NAME && *user != '-' && !strpbrk(user, ":\n/");
}

static bool read_file(char **out, size_t *size, int root, const char *path, struct error *e)
{
    CLEANUP_CLOSE int fd = file_open_beneath(root, path, NULL, e);
    if (fd < 0 || !file_read_fd(out, size, fd, MOST_FILE, e)) {
        error_at(e, path, 0, 0);
        return false;
    }
    return true;
}

bool account_look(struct account_state *out, const char *prefix, const char *user,
                  const uint8_t *key, struct error *e)
{
    CLEANUP_CLOSE int root = open(*prefix ? prefix : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!is_name(user)) {
        error_set(e, ERR_USAGE, "%s is no name of an account", user);
        return false;
    }
    if (root < 0) {
        error_set_errno(e, errno, "the folder of the accounts could not be opened");
        error_at(e, prefix, 0, 0);
        return false;
    }
    char *passwd = NULL, *shadow = NULL;
    struct question q = {.user = user, .key = key};
    struct answer answer = {0};
    bool good = read_file(&passwd, &q.passwd_size, root, "/etc/passwd", e) &&
                read_file(&shadow, &q.shadow_size, root, "/etc/shadow", e);
    q.passwd = passwd;
    q.shadow = shadow;
    good =
        good && cage_run(CAGE_BYTES, -1, NULL, 0, NULL, read_account, &q, take_answer, &answer, e);
    forget(passwd, q.passwd_size);
    forget(shadow, q.shadow_size);
    if (good && !answer.given) {
        error_set(e, ERR_ABSENT,
                  "%s is no local account: if a directory (LDAP, SSSD, AD) knows it, shut it there",
                  user);
        return false;
    }
    if (good)
        *out = answer.state;
    return good;
}

/* --- usermod --- */

/* Runs usermod with these arguments, ended by NULL; its own words go into the error. It finishes
 * what it has begun: half an entry, or a lock left behind, would be worse. */
static bool run_usermod(const char *prefix, const char *user, const char *const *arguments,
                        struct error *e)
{
    const char *argv[16] = {"/usr/sbin/usermod"};
    CLEANUP_STR struct str said = {0};
    size_t count = 1;
    int code;
    if (*prefix) {
        argv[count++] = "--prefix";
        argv[count++] = prefix;
    }
    while (*arguments && count + 3 < ARRAY_COUNT(argv))
        argv[count++] = *arguments++;
    argv[count++] = "--";
    argv[count] = user;
    struct host_program p = {.argv = argv, .seconds = TOOL_SECONDS, .finishes = true, .log = -1};
    if (!host_program_run(&p, &code, &said, e))
        return false;
    if (code == 0)
        return true;
    if (code == HOST_PROGRAM_NOT_THERE)
        error_set(e, ERR_UNSUPPORTED, "there is no %s on this host", argv[0]);
    else
        error_set(e, ERR_SYSTEM, "usermod failed: %.300s", said.length ? str_trim(said.data) : "?");
    return false;
}

static bool may_be_shut(const struct account_state *state, const char *user, struct error *e)
{
    if (!str_equal(user, "root"))
        return true;
    error_set(e, ERR_USAGE,
              "root (uid %u) is not locked: nobody could undo it. Give it a new password instead",
              state->uid);
    return false;
}

bool account_shut(struct account_state *before, const char *prefix, const char *user,
                  enum account_way way, bool dry_run, struct error *e)
{
    static const char *const lock[] = {"--lock", "--expiredate", "1", NULL};
    static const char *const expire[] = {"--expiredate", "1", NULL};
    struct account_state was, now;
    if (!account_look(&was, prefix, user, NULL, e) || !may_be_shut(&was, user, e))
        return false;
    if (!dry_run) {
        const char *const *how = way == ACCOUNT_LOCK && !was.locked ? lock : expire;
        if (!run_usermod(prefix, user, how, e) || !account_look(&now, prefix, user, NULL, e))
            return false;
        if (!str_equal(now.expires, "1") || (way == ACCOUNT_LOCK && !now.locked)) {
            error_set(e, ERR_SYSTEM, "usermod said yes, and %s is not shut", user);
            return false;
        }
    }
    *before = was;
    return true;
}

bool account_reopen(const struct account_state *before, const char *prefix, const char *user,
                    bool dry_run, struct error *e)
{
    struct account_state now;
    if (!account_look(&now, prefix, user, NULL, e))
        return false;
    if (dry_run)
        return true;
    const char *arguments[] = {"--expiredate", before->expires,
                               now.locked && !before->locked ? "--unlock" : NULL, NULL};
    if (!run_usermod(prefix, user, arguments, e) || !account_look(&now, prefix, user, NULL, e))
        return false;
    if (now.locked != before->locked || !str_equal(now.expires, before->expires)) {
        error_set(e, ERR_SYSTEM, "usermod said yes, and %s is not as it was", user);
        return false;
    }
    return true;
}

/* --- processes --- */

struct process {
    pid_t pid, parent;
    uint64_t started;          /* since boot, in ticks: tells a number that was given anew */
    bool of_uid, doomed, gone; /* gone: a zombie, of which only the number is left */
};

struct processes {
    VEC(struct process) list;
};

static bool read_stat(pid_t pid, struct process *out)
{
    struct proc_stat s;
    if (!proc_read_stat((uint32_t)pid, &s))
        return false;
    *out = (struct process){
        .pid = pid, .parent = s.parent, .started = s.start_ticks, .gone = proc_is_over(&s)};
    return true;
}

/* Any of the real, effective, saved and file system ids. */
static bool is_of_uid(pid_t pid, uint32_t uid)
{
    char path[40], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *line = strstr(text, "\nUid:");
    unsigned ids[4] = {0};
    if (!line || sscanf(line, "\nUid: %u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) != 4)
        return false;
    return ids[0] == uid || ids[1] == uid || ids[2] == uid || ids[3] == uid;
}

static bool read_processes(struct processes *out, uint32_t uid, struct error *e)
{
    DIR *dir = opendir("/proc");
    if (!dir) {
        error_set_errno(e, errno, "the processes could not be listed");
        return false;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) && out->list.count < MOST_PROCESSES) {
        uint64_t pid;
        struct process p;
        if (!str_to_u64(entry->d_name, &pid) || pid > INT32_MAX || !read_stat((pid_t)pid, &p))
            continue;
        p.of_uid = uid != 0 && is_of_uid(p.pid, uid);
        VEC_PUSH(&out->list, p);
    }
    closedir(dir);
    return true;
}

static struct process *find_process(struct processes *p, pid_t pid)
{
    for (size_t i = 0; i < p->list.count; i++)
        if (p->list.items[i].pid == pid)
            return &p->list.items[i];
    return NULL;
}

static bool is_above_us(struct processes *all, pid_t pid)
{
    const struct process *p = find_process(all, getpid());
    for (unsigned i = 0; p && i < MOST_ABOVE; i++) {
        if (p->pid == pid)
            return true;
        p = find_process(all, p->parent);
    }
    return pid == 1;
}

static bool descends(struct processes *all, const struct process *p, const pid_t *leaders,
                     size_t count)
{
    for (unsigned i = 0; p && i < MOST_ABOVE; i++) {
        for (size_t k = 0; k < count; k++)
            if (p->pid == leaders[k])
                return true;
        p = find_process(all, p->parent);
    }
    return false;
}

static void doom(struct processes *all, const pid_t *leaders, size_t count)
{
    for (size_t i = 0; i < all->list.count; i++) {
        struct process *p = &all->list.items[i];
        p->doomed = !p->gone && (p->of_uid || descends(all, p, leaders, count)) &&
                    !is_above_us(all, p->pid);
    }
}

/* By a descriptor, so that a number that was given anew in between is not hit. */
static void send_signal(const struct process *p, int number)
{
    struct process now;
    CLEANUP_CLOSE int fd = pidfd_open(p->pid, 0);
    if (fd >= 0 && read_stat(p->pid, &now) && now.started == p->started)
        pidfd_send_signal(fd, number, NULL, 0);
}

static bool is_among(const struct processes *all, const struct process *p)
{
    for (size_t i = 0; i < all->list.count; i++)
        if (all->list.items[i].pid == p->pid && all->list.items[i].started == p->started)
            return true;
    return false;
}

static void processes_cleanup(struct processes *p)
{
    VEC_FREE(&p->list);
}

/* What is stopped makes no more children: once a look finds nobody new, these are all. A child
 * whose parent was killed before it was seen would descend from nobody. */
static bool stop_all(struct processes *stopped, uint32_t uid, const pid_t *leaders, size_t count,
                     bool dry_run, struct error *e)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        CLEANUP(processes_cleanup) struct processes all = {0};
        size_t before = stopped->list.count;
        if (!read_processes(&all, uid, e))
            return false;
        doom(&all, leaders, count);
        for (size_t i = 0; i < all.list.count; i++) {
            const struct process *p = &all.list.items[i];
            if (!p->doomed || is_among(stopped, p))
                continue;
            VEC_PUSH(&stopped->list, *p);
            if (!dry_run)
                send_signal(p, SIGSTOP);
        }
        if (dry_run || stopped->list.count == before)
            return true;
    }
    return true; /* the rest makes children faster than we look; killing is all that is left */
}

static bool are_gone(const struct processes *ended)
{
    for (size_t i = 0; i < ended->list.count; i++) {
        struct process now;
        const struct process *p = &ended->list.items[i];
        if (read_stat(p->pid, &now) && now.started == p->started && !now.gone)
            return false;
    }
    return true;
}

bool account_end_sessions(size_t *count, uint32_t uid, const pid_t *leaders, size_t leader_count,
                          bool dry_run, struct error *e)
{
    CLEANUP(processes_cleanup) struct processes all = {0}, left = {0};
    if (!stop_all(&all, uid, leaders, leader_count, dry_run, e))
        return false;
    for (size_t i = 0; !dry_run && i < all.list.count; i++)
        send_signal(&all.list.items[i], SIGKILL);
    for (unsigned round = 0; !dry_run && round < ROUNDS && !are_gone(&all); round++)
        nanosleep(&(struct timespec){.tv_nsec = ROUND_MS * 1000000L}, NULL);
    if (!dry_run && (!stop_all(&left, uid, leaders, leader_count, true, e) || left.list.count)) {
        error_set(e, ERR_TIMEOUT, "%zu processes of the account run on", left.list.count);
        return false;
    }
    *count = all.list.count;
    return true;
}
