#include "collect/scan_clamd.h"

#include "base/language.h"
#include "base/mem.h"
#include "base/str.h"
#include "collect/scan_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 5, MOST_ANSWER = 128 };
static const char clean[] = "yagura\n";

/* With errno where it fails. It never waits for somebody who does not accept. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval answer = {.tv_sec = ANSWER_SECONDS}, taking = {.tv_sec = SCAN_CLAMD_SECONDS};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int failed = errno;
        close(fd);
        errno = failed;
        return -1;
    }
    if (fd >= 0) {
        fcntl(fd, F_SETFL, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &answer, sizeof answer);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &taking, sizeof taking);
    }
    return fd;
}

static bool give_descriptor(int socket)
{
    static const char command[] = "zFILDES";
    CLEANUP_STR struct str byte = {0};
    CLEANUP_CLOSE int file = memfd_create("yagura-scan", MFD_CLOEXEC);
    str_add_char(&byte, '\0');
    return file >= 0 && write(file, clean, sizeof clean - 1) == (ssize_t)sizeof clean - 1 &&
           send(socket, command, sizeof command, MSG_NOSIGNAL) == (ssize_t)sizeof command &&
           scan_send(socket, &byte, &file, 1, 0);
}

static bool give_stream(int socket)
{
    static const char command[] = "zINSTREAM";
    static const char end[4];
    CLEANUP_STR struct str all = {0};
    str_add_bytes(&all, command, sizeof command);
    str_add_bytes(&all, "\0\0\0", 3);
    str_add_char(&all, (char)(sizeof clean - 1));
    str_add(&all, clean);
    str_add_bytes(&all, end, sizeof end);
    return send(socket, all.data, all.length, MSG_NOSIGNAL) == (ssize_t)all.length;
}

/* What it says of the clean file, up to the NUL. */
static bool read_answer(int socket, char out[MOST_ANSWER])
{
    size_t length = 0;
    while (length < MOST_ANSWER) {
        ssize_t n = recv(socket, out + length, 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ECONNRESET;
        if (n <= 0)
            return false;
        if (out[length++] == '\0')
            return true;
    }
    errno = EBADMSG;
    return false;
}

static bool ask(const char *path, bool by_stream, char answer[MOST_ANSWER])
{
    CLEANUP_CLOSE int socket = connect_to(path);
    return socket >= 0 && (by_stream ? give_stream(socket) : give_descriptor(socket)) &&
           read_answer(socket, answer);
}

int scan_clamd_connect(const char *path, bool *by_stream, struct error *e)
{
    char answer[MOST_ANSWER] = "";
    *by_stream = false;
    bool told = ask(path, false, answer);
    if (told && str_ends(answer, " ERROR")) {
        *by_stream = true;
        told = ask(path, true, answer);
    }
    if (told && str_ends(answer, ": OK")) {
        int fd = connect_to(path);
        if (fd < 0)
            error_set(e, ERR_UNREADABLE, "%s", strerror(errno));
        return fd;
    }
    if (!told && errno == EAGAIN)
        error_set(e, ERR_UNREADABLE, "%s", _("clamd does not answer"));
    else if (!told && errno != EBADMSG)
        error_set(e, ERR_UNREADABLE, "%s", strerror(errno));
    else
        error_set(e, ERR_UNREADABLE, "%s", _("clamd answered something that makes no sense"));
    return -1;
}
