/* image_protocol.h - what the program that reads disk images (libexec/yagura-image) and its
 * client (image.c) say to each other.
 *
 * A SOCK_SEQPACKET pair. The client sends one request, a packet; the answer is any number of
 * DATA packets and one END, or a FAIL. All carry the request's id, so that what a dead client
 * left in the socket is told from the answer that one waits for. Integers little-endian,
 * strings as bytes_put_string() writes them. Neither side trusts the other: sizes, codes and
 * types are checked here, on reading.
 *
 *   request  u64 id, u8 op, u8 follow, u32 volume, u64 offset, u64 count, string path
 *   DATA     u64 id, u8 kind, bytes
 *   END      u64 id, u8 kind
 *   FAIL     u64 id, u8 kind, u8 error code, string message
 *
 * The bytes of all DATA packets together are:
 *   VOLUMES   for each: u8 readable, strings description, fs, serial, u64 start, u8 cut
 *   STAT      u8 type, u64 size, u32 mode, u32 uid, u32 gid, u64 mtime, u64 ctime, u64 inode,
 *             u8 has_owner
 *   READ      `count` bytes from `offset`, or fewer at the end of the file
 *   READ_ALL  the whole file, ERR_LIMIT if it has more than `count` bytes
 *   LIST      for each: u8 type (255 = not told), string name
 *   READLINK  the link's text
 *   SECURITY  a self-relative security descriptor */
#ifndef YAGURA_TARGET_IMAGE_PROTOCOL_H
#define YAGURA_TARGET_IMAGE_PROTOCOL_H

#include "base/bytes.h"
#include "target/target.h"

enum {
    IMAGE_SOCKET_FD = 3, /* in the reader: its descriptors (base/helper.h) */
    IMAGE_FILE_FD = 4,
    IMAGE_DIR_FD = 5, /* the folder of the image, for the further files of a VMDK */
};

enum {
    IMAGE_MOST_PATH = 4096,
    IMAGE_MOST_PACKET = 64 * 1024,
    IMAGE_MOST_VOLUMES = 64,
    IMAGE_MOST_SECURITY = 64 * 1024,
    IMAGE_MOST_LIST = 64 * 1024 * 1024, /* bytes of a listing */
    IMAGE_CPU_SECONDS = 10,
    IMAGE_WALL_MS = 15 * 1000, /* for one request */
    IMAGE_MEMORY_MB = 1024,
    IMAGE_EXIT_HUNG = 75, /* of the reader: its processor time was used up */
};

enum image_op {
    IMAGE_VOLUMES = 1,
    IMAGE_STAT,
    IMAGE_READ,
    IMAGE_READ_ALL,
    IMAGE_LIST,
    IMAGE_READLINK,
    IMAGE_SECURITY,
    IMAGE_OP_END
};

struct image_request {
    uint64_t id;
    enum image_op op;
    bool follow;
    uint32_t volume;
    uint64_t offset, count;
    char path[IMAGE_MOST_PATH];
};

enum image_kind { IMAGE_DATA = 1, IMAGE_END, IMAGE_FAIL };

struct image_packet {
    uint64_t id;
    enum image_kind kind;
    const uint8_t *data; /* DATA: a view into the packet */
    size_t size;
    struct error error; /* FAIL */
};

/* false where `path` is too long or has no place in a request */
bool image_protocol_put_request(struct str *out, const struct image_request *request,
                                const char *path);
bool image_protocol_get_request(struct image_request *out, const void *packet, size_t size);

void image_protocol_put_data(struct str *out, uint64_t id, const void *data, size_t size);
void image_protocol_put_end(struct str *out, uint64_t id);
void image_protocol_put_fail(struct str *out, uint64_t id, const struct error *e);
bool image_protocol_get_packet(struct image_packet *out, const void *packet, size_t size);

void image_protocol_put_stat(struct str *out, const struct target_stat *st);
bool image_protocol_get_stat(struct target_stat *out, const void *data, size_t size);

void image_protocol_put_entry(struct str *out, const struct target_entry *entry);
/* Names that are empty, ".", ".." or have a '/' in them make it false. */
bool image_protocol_get_entries(struct target_entry **out, size_t *count, struct arena *arena,
                                const void *data, size_t size);

void image_protocol_put_volume(struct str *out, const struct target_volume *volume, bool readable);
bool image_protocol_get_volumes(struct target_volume **out, size_t *count, size_t *readable,
                                struct arena *arena, const void *data, size_t size);

#endif
