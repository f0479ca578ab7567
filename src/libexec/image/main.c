/* yagura-image - reads disk images for target/image.c; not for people.
 *
 * It is started with three descriptors (image_protocol.h), cages itself before it looks at a
 * byte but the first few, and answers requests until the socket closes. libtsk lives here
 * alone: it is large, and a damaged image can make it run for ever. */
#include "base/cage.h"
#include "base/language.h"
#include "libexec/image/node.h"
#include "libexec/image/tree.h"
#include "target/image_protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* For the signal handler, which has no other way to know. */
static uint64_t current_request;
static char current_deed[240], out_of_time_text[200];

static void progress(const char *doing)
{
    snprintf(current_deed, sizeof current_deed, "%s", doing);
}

/* RLIMIT_CPU is used up: say so and go. On the way here libtsk may hold any lock, so nothing
 * is allocated: the packet is put together by hand. */
static void out_of_time(int signal_number)
{
    char message[sizeof out_of_time_text + sizeof current_deed];
    size_t used = strnlen(out_of_time_text, sizeof out_of_time_text);
    size_t length = strnlen(current_deed, sizeof current_deed);
    memcpy(message, out_of_time_text, used);
    memcpy(message + used, current_deed, length);
    length += used;
    uint8_t packet[8 + 1 + 1 + 4 + sizeof message];
    for (int i = 0; i < 8; i++)
        packet[i] = (uint8_t)(current_request >> (8 * i));
    packet[8] = IMAGE_FAIL;
    packet[9] = ERR_TIMEOUT;
    for (int i = 0; i < 4; i++)
        packet[10 + i] = (uint8_t)(length >> (8 * i));
    memcpy(packet + 14, message, length);
    (void)!send(IMAGE_SOCKET_FD, packet, 14 + length, MSG_NOSIGNAL | MSG_DONTWAIT);
    _exit(IMAGE_EXIT_HUNG);
}

/* --- answers --- */

static void send_packet(const struct str *packet)
{
    ssize_t n;
    do
        n = send(IMAGE_SOCKET_FD, packet->data, packet->length, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        _exit(0); /* nobody listens any more */
}

static void send_data(const struct image_request *r, const void *data, size_t size)
{
    enum { PIECE = IMAGE_MOST_PACKET - 64 };
    for (size_t done = 0; done < size;) {
        CLEANUP_STR struct str packet = {0};
        size_t piece = size - done < PIECE ? size - done : PIECE;
        image_protocol_put_data(&packet, r->id, (const char *)data + done, piece);
        send_packet(&packet);
        done += piece;
    }
}

static void file_cleanup(TSK_FS_FILE **file)
{
    if (*file)
        tsk_fs_file_close(*file);
}

static bool answer_stat(struct volume *v, const struct image_request *r, struct error *e)
{
    CLEANUP(file_cleanup) TSK_FS_FILE *file = NULL;
    CLEANUP_STR struct str body = {0};
    struct target_stat st;
    if (!tree_find(v, r->path, r->follow, &file, e))
        return false;
    node_stat(v, file, &st);
    image_protocol_put_stat(&body, &st);
    send_data(r, body.data, body.length);
    return true;
}

static bool answer_read(struct volume *v, const struct image_request *r, struct error *e)
{
    enum { PIECE = IMAGE_MOST_PACKET - 64 };
    CLEANUP(file_cleanup) TSK_FS_FILE *file = NULL;
    struct node_data data;
    if (!tree_find(v, r->path, true, &file, e) || !node_data(v, file, &data, e))
        return false;
    bool all = r->op == IMAGE_READ_ALL;
    if (all && data.size > r->count) {
        error_set(e, ERR_LIMIT, "%llu bytes, and we read at most %llu",
                  (unsigned long long)data.size, (unsigned long long)r->count);
        return false;
    }
    uint64_t at = all ? 0 : r->offset, left = 0;
    if (at < data.size)
        left = data.size - at < r->count ? data.size - at : r->count;
    CLEANUP_FREE char *buffer = mem_resize(NULL, PIECE);
    while (left) {
        size_t piece = left < PIECE ? (size_t)left : PIECE;
        if (!node_read(&data, at, buffer, piece, e))
            return false;
        send_data(r, buffer, piece);
        at += piece;
        left -= piece;
    }
    return true;
}

static bool answer_list(struct volume *v, const struct image_request *r, struct error *e)
{
    CLEANUP(file_cleanup) TSK_FS_FILE *file = NULL;
    CLEANUP_STR struct str body = {0};
    const struct tree_dir *dir;
    if (!tree_find(v, r->path, true, &file, e) || !node_is_folder(v, file, e) ||
        !tree_list(v, file->meta->addr, &dir, e))
        return false;
    for (size_t i = 0; i < dir->count; i++) {
        struct target_entry entry = {.name = dir->entries[i].name, .type = dir->entries[i].type};
        image_protocol_put_entry(&body, &entry);
    }
    send_data(r, body.data, body.length);
    return true;
}

static bool answer_readlink(struct volume *v, const struct image_request *r, struct error *e)
{
    CLEANUP(file_cleanup) TSK_FS_FILE *file = NULL;
    char link[IMAGE_MOST_PATH];
    if (!tree_find(v, r->path, false, &file, e) || !node_readlink(v, file, link, sizeof link, e))
        return false;
    send_data(r, link, strlen(link));
    return true;
}

static bool answer_security(struct volume *v, const struct image_request *r, struct error *e)
{
    CLEANUP(file_cleanup) TSK_FS_FILE *file = NULL;
    CLEANUP_STR struct str body = {0};
    if (!tree_find(v, r->path, true, &file, e) || !node_security(v, file, &body, e))
        return false;
    send_data(r, body.data, body.length);
    return true;
}

static bool (*const answers[])(struct volume *, const struct image_request *, struct error *) = {
    [IMAGE_STAT] = answer_stat,         [IMAGE_READ] = answer_read,
    [IMAGE_READ_ALL] = answer_read,     [IMAGE_LIST] = answer_list,
    [IMAGE_READLINK] = answer_readlink, [IMAGE_SECURITY] = answer_security,
};

static void answer_volumes(const struct volumes *volumes, const struct image_request *r)
{
    CLEANUP_STR struct str body = {0};
    for (size_t i = 0; i < volumes->count; i++) {
        const struct volume *v = &volumes->items[i];
        struct target_volume out = {v->description, v->name, v->serial, v->start, v->cut};
        image_protocol_put_volume(&body, &out, i < volumes->readable);
    }
    send_data(r, body.data, body.length);
}

static bool answer(struct volumes *volumes, const struct image_request *r, struct error *e)
{
    if (r->op == IMAGE_VOLUMES) {
        answer_volumes(volumes, r);
        return true;
    }
    if (r->volume >= volumes->count) {
        error_set(e, ERR_ABSENT, "the disk has no volume %u", r->volume);
        return false;
    }
    struct volume *v = &volumes->items[r->volume];
    if (!v->fs) {
        error_set(e, ERR_UNREADABLE, "%s", v->description);
        return false;
    }
    snprintf(current_deed, sizeof current_deed, "%.100s", r->path);
    return answers[r->op](v, r, e);
}

/* --- the start --- */

static bool cage(struct error *e)
{
    char first[64];
    struct cage_limits limits = {.cpu_seconds = IMAGE_CPU_SECONDS,
                                 .memory_bytes = (uint64_t)IMAGE_MEMORY_MB << 20};
    ssize_t n = pread(IMAGE_FILE_FD, first, sizeof first, 0);
    /* the only image that names other files: they lie in its folder */
    if (source_needs_folder(first, n > 0 ? (size_t)n : 0))
        return cage_enter(CAGE_ROOT, IMAGE_DIR_FD, &limits, e);
    close(IMAGE_DIR_FD);
    return cage_enter(CAGE_BYTES, -1, &limits, e);
}

static bool receive(struct image_request *r)
{
    CLEANUP_FREE char *packet = mem_resize(NULL, IMAGE_MOST_PACKET);
    ssize_t n;
    do
        n = recv(IMAGE_SOCKET_FD, packet, IMAGE_MOST_PACKET, 0);
    while (n < 0 && errno == EINTR);
    return n > 0 && image_protocol_get_request(r, packet, (size_t)n);
}

int main(void)
{
    struct error opening = ERROR_INIT;
    struct source *source;
    struct volumes *volumes = mem_alloc(sizeof *volumes);
    struct image_request r;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    language_set(NULL); /* before the cage, in which no catalogue can be opened */
    snprintf(out_of_time_text, sizeof out_of_time_text, "%s",
             _("the image kept its reader busy for too long: "));
    progress(_("looking at the disk"));
    signal(SIGXCPU, out_of_time);
    if (!receive(&r)) { /* first, so that the answer to it can say why nothing works */
        fprintf(stderr, _("yagura-image: started by yagura to read a disk image; "
                          "try: yagura audit --image FILE\n"));
        return 2;
    }
    current_request = r.id;
    bool good = cage(&opening) && source_open(&source, IMAGE_FILE_FD, IMAGE_DIR_FD, &opening) &&
                volumes_open(volumes, source, progress, &opening);
    do {
        struct error e = opening;
        CLEANUP_STR struct str packet = {0};
        current_request = r.id;
        if (good && answer(volumes, &r, &e))
            image_protocol_put_end(&packet, r.id);
        else
            image_protocol_put_fail(&packet, r.id, &e);
        send_packet(&packet);
    } while (receive(&r));
    return 0;
}
