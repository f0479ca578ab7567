/* What comes over the guard's socket: lines within bounds, an answer a line, nothing that stays. */
#include "base/mem.h"
#include "guard/control.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[] = "/tmp/fuzz-control-XXXXXX";
static struct control *control;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(void *context, unsigned connection, const char *line, struct str *out)
{
    if (connection >= 16 || strlen(line) > 256 || strchr(line, '\n'))
        abort();
    str_add(out, "ok");
}

static void closed(void *context, unsigned connection)
{
    if (connection >= 16)
        abort();
}

static void end(void)
{
    control_close(control);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int dir = -1;
    struct error e = ERROR_INIT;
    struct control_client client;
    if (dir < 0) {
        dir = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        if (dir < 0 || !control_open(&control, dir, answer, closed, NULL, &e) || atexit(end) != 0)
            abort();
    }
    if (size > 4096 || !control_connect(&client, dir, &e))
        return 0;
    control_step(control);
    send(client.fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    for (int i = 0; i < 32; i++) {
        struct pollfd fd = {.fd = control_fd(control), .events = POLLIN};
        if (poll(&fd, 1, 0) <= 0)
            break;
        control_step(control);
    }
    control_disconnect(&client);
    control_step(control);
    return 0;
}
