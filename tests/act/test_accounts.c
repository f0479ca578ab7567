/* Accounts of another root: shut, opened again, passwords seen to have changed. Sessions of a
 * process of our own. */
#include "act/accounts.h"
#include "base/file.h"
#include "base/str.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char user[] = "op";

static void put(const char *dir, const char *name, const char *text)
{
    support_write(dir, name, text, strlen(text));
}

static char *begin(void)
{
    char *dir = support_temp_dir();
    put(dir, "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nop:x:1000:1000:Operator:/home/op:/bin/bash\n"
        "opal:x:1001:1001::/home/opal:/bin/sh\n");
    put(dir, "etc/shadow",
        "root:*:19000:0:99999:7:::\nopal:$6$other:19000:0:99999:7:::\n"
        "op:$6$salt$hash:19000:0:99999:7::20000:\n");
    put(dir, "etc/group", "root:x:0:\nop:x:1000:\nopal:x:1001:\n");
    put(dir, "etc/gshadow", "root:*::\nop:!::\nopal:!::\n");
    put(dir, "etc/login.defs", "ENCRYPT_METHOD SHA512\n");
    return dir;
}

static void end(char *dir)
{
    support_remove_tree(dir);
    free(dir);
}

static void read_shadow(const char *dir, char *out, size_t room)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/etc/shadow", dir);
    CLEANUP_FREE char *text = NULL;
    size_t size;
    assert_true(file_read(&text, &size, str_text(&path), 1 << 20, NULL));
    snprintf(out, room, "%s", text);
}

static bool needs_root(void)
{
    return geteuid() == 0 && access("/usr/sbin/usermod", X_OK) == 0;
}

static void an_account_is_shut_and_opened_again(void **state)
{
    static const enum account_way ways[] = {ACCOUNT_LOCK, ACCOUNT_EXPIRE};
    if (!needs_root())
        skip();
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        char *dir = begin(), before_text[4096], text[4096];
        struct account_state before, now;
        struct error e = ERROR_INIT;
        read_shadow(dir, before_text, sizeof before_text);
        /* it says that it could, and does nothing */
        assert_true(account_shut(&before, dir, user, ways[i], true, &e));
        read_shadow(dir, text, sizeof text);
        assert_string_equal(text, before_text);
        if (!account_shut(&before, dir, user, ways[i], false, &e))
            fail_msg("%s", e.message);
        assert_string_equal(before.expires, "20000");
        assert_true(account_look(&now, dir, user, NULL, &e));
        assert_int_equal(now.locked, ways[i] == ACCOUNT_LOCK);
        assert_string_equal(now.expires, "1");
        /* once more is no error, and knows how it is */
        struct account_state shut;
        assert_true(account_shut(&shut, dir, user, ways[i], false, &e));
        assert_string_equal(shut.expires, "1");
        if (!account_reopen(&before, dir, user, false, &e))
            fail_msg("%s", e.message);
        read_shadow(dir, text, sizeof text);
        assert_string_equal(text, before_text);
        end(dir);
    }
}

static void root_and_strangers_are_refused(void **state)
{
    char *dir = begin();
    struct account_state before;
    struct error e = ERROR_INIT;
    assert_false(account_shut(&before, dir, "root", ACCOUNT_LOCK, false, &e));
    assert_int_equal(e.code, ERR_USAGE);
    e = ERROR_INIT;
    assert_false(account_shut(&before, dir, "ada", ACCOUNT_LOCK, false, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_non_null(strstr(e.message, "LDAP"));
    assert_false(account_reopen(&before, dir, "ada", true, NULL));
    static const char *const odd[] = {"", "-x", "a:b", "a\nb", "../etc"};
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        e = ERROR_INIT;
        assert_false(account_look(&before, dir, odd[i], NULL, &e));
        assert_int_equal(e.code, ERR_USAGE);
    }
    end(dir);
}

static void a_changed_password_is_told_from_a_locked_one(void **state)
{
    static const struct {
        const char *line;
        bool changed;
    } rows[] = {
        {"op:$6$salt$hash:19000:0:99999:7:::\n", false},
        {"op:!$6$salt$hash:19000:0:99999:7::1:\n", false},
        {"op:$6$salt$hash:20500:0:99999:7:::\n", false}, /* a date alone is no new password */
        {"op:$6$salt$other:20500:0:99999:7:::\n", true},
        {"op:!$6$salt$other:20500:0:99999:7:::\n", true},
        {"op:*:20500:0:99999:7:::\n", true},
    };
    char *dir = begin();
    uint8_t key[ACCOUNT_KEY_BYTES], other[ACCOUNT_KEY_BYTES];
    struct account_state before, elsewhere;
    struct error e = ERROR_INIT;
    account_key(key);
    account_key(other);
    assert_true(account_look(&before, dir, user, key, &e));
    assert_true(account_look(&elsewhere, dir, user, other, &e));
    /* without the key the digest says nothing */
    assert_memory_not_equal(before.mark, elsewhere.mark, sizeof before.mark);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct account_state now;
        put(dir, "etc/shadow", rows[i].line);
        assert_true(account_look(&now, dir, user, key, &e));
        assert_int_equal(memcmp(now.mark, before.mark, sizeof now.mark) != 0, rows[i].changed);
    }
    /* what cannot be read is no answer */
    put(dir, "etc/shadow", "");
    put(dir, "etc/passwd", "");
    assert_false(account_look(&elsewhere, dir, user, key, &e));
    end(dir);
}

/* A session: a leader of that uid with a child that ignores what can be ignored. */
static pid_t start_session(uid_t uid)
{
    pid_t leader = fork();
    assert_true(leader >= 0);
    if (leader)
        return leader;
    setsid();
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (uid && (setgid(uid) != 0 || setuid(uid) != 0))
        _exit(1);
    (void)!fork();
    for (;;)
        pause();
}

static void sessions_end_and_our_own_lives_on(void **state)
{
    enum { UID = 54321 };
    struct error e = ERROR_INIT;
    if (geteuid() != 0)
        skip();
    for (unsigned by_uid = 0; by_uid < 2; by_uid++) {
        size_t count = 0;
        int status;
        pid_t leader = start_session(by_uid ? UID : 0);
        usleep(200000); /* until it has its child */
        const pid_t leaders[] = {leader, getpid()};
        size_t known = by_uid ? 0 : ARRAY_COUNT(leaders);
        assert_true(account_end_sessions(&count, by_uid ? UID : 0, leaders, known, true, &e));
        assert_int_equal(count, 2);
        assert_int_equal(waitpid(leader, &status, WNOHANG), 0);
        /* the leader is ours: it is a zombie until it is asked for */
        pid_t reaper = fork();
        if (!reaper) {
            size_t ended;
            _exit(!account_end_sessions(&ended, by_uid ? UID : 0, leaders, 1 - by_uid, false, &e) ||
                  ended != 2);
        }
        assert_int_equal(waitpid(leader, &status, 0), leader);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(waitpid(reaper, &status, 0), reaper);
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_shut_and_opened_again),
        cmocka_unit_test(root_and_strangers_are_refused),
        cmocka_unit_test(a_changed_password_is_told_from_a_locked_one),
        cmocka_unit_test(sessions_end_and_our_own_lives_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
