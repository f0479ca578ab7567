#include "act/nft.h"

#include "act/host_program.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_WORDS = 16, PATIENCE_SECONDS = 20 };

static const char *find_nft(void)
{
    static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft",
                                         "/usr/local/sbin/nft"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* argv[0] is filled in here. */
static bool run(struct str *out, const char *input, const char **argv, struct error *e)
{
    CLEANUP_CLOSE int in = memfd_create("rules", MFD_CLOEXEC);
    size_t length = strlen(input);
    int code;
    if (!(argv[0] = find_nft())) {
        error_set(e, ERR_ABSENT, "nft is not installed (package nftables): nothing was changed");
        return false;
    }
    if (in < 0 || write(in, input, length) != (ssize_t)length || lseek(in, 0, SEEK_SET) != 0) {
        error_set_errno(e, errno, "starting nft failed");
        return false;
    }
    struct host_program p = {.argv = argv, .seconds = PATIENCE_SECONDS, .input = in, .log = -1};
    if (!host_program_run(&p, &code, out, e))
        return false;
    if (code == 0)
        return true;
    CLEANUP_STR struct str line = {0};
    str_add_printable(&line, str_text(out), strcspn(str_text(out), "\n"));
    error_set(e, ERR_SYSTEM, "nft says: %.300s", line.length ? line.data : "?");
    return false;
}

bool nft_check(const char *rules, struct error *e)
{
    CLEANUP_STR struct str said = {0};
    const char *argv[] = {NULL, "-c", "-f", "-", NULL};
    return run(&said, rules, argv, e);
}

bool nft_load(const char *rules, struct error *e)
{
    CLEANUP_STR struct str said = {0};
    const char *argv[] = {NULL, "-f", "-", NULL};
    return run(&said, rules, argv, e);
}

bool nft_ask(struct str *out, const char *const *words, size_t count, struct error *e)
{
    const char *argv[MOST_WORDS + 3] = {NULL, "-s"};
    for (size_t i = 0; i < count && i < MOST_WORDS; i++)
        argv[i + 2] = words[i];
    return run(out, "", argv, e);
}
