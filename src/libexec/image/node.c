#include "libexec/image/node.h"

#include "libexec/image/secure.h"

#include <stdlib.h>

enum {
    NTFS_STANDARD_INFORMATION = 16,
    NTFS_SECURITY_DESCRIPTOR = 80,
    NTFS_REPARSE_POINT = 192,
    SECURITY_ID_AT = 52, /* in $STANDARD_INFORMATION of NTFS 3.x; 1.2 ends before it, at 48 */
    STANDARD_INFORMATION_3 = 72,
    SECURE_INODE = 9,
    MOST_DESCRIPTOR = 64 * 1024,
};

/* [MS-FSCC] 2.1.2.1 */
static const struct reparse {
    uint32_t tag;
    const char *what;
} reparses[] = {
    {0x80000017, N_("compressed by WOF")},
    {0xa0000003, N_("a junction, which is not followed")},
    {0xa000000c, N_("a symbolic link of NTFS, which is not followed")},
    {0x80000013, N_("deduplicated")},
    {0x80000005, N_("held in another store")},
};

static const TSK_FS_ATTR *attribute(TSK_FS_FILE *file, int type)
{
    const TSK_FS_ATTR *a = tsk_fs_file_attr_get_type(file, (TSK_FS_ATTR_TYPE_ENUM)type, 0, 0);
    if (!a)
        tsk_error_reset();
    return a;
}

/* What a reparse point stands for, NULL where the file is none. */
static const char *reparse_of(struct volume *v, TSK_FS_FILE *file, uint32_t *tag)
{
    char head[4];
    const TSK_FS_ATTR *a = v->family == VOLUME_NTFS ? attribute(file, NTFS_REPARSE_POINT) : NULL;
    *tag = 0;
    if (!a)
        return NULL;
    if (tsk_fs_attr_read(a, 0, head, sizeof head, TSK_FS_FILE_READ_FLAG_NONE) == sizeof head) {
        struct bytes in = bytes_of(head, sizeof head);
        *tag = bytes_u32le(&in);
    }
    for (size_t i = 0; i < sizeof reparses / sizeof *reparses; i++)
        if (reparses[i].tag == *tag)
            return _(reparses[i].what);
    return _("a reparse point of a kind we do not know");
}

int node_type(struct volume *v, TSK_FS_FILE *file)
{
    switch (file->meta->type) {
    case TSK_FS_META_TYPE_REG:
        return TARGET_FILE;
    case TSK_FS_META_TYPE_DIR:
        return TARGET_DIR;
    case TSK_FS_META_TYPE_LNK:
        return TARGET_LINK;
    default:
        return TARGET_OTHER;
    }
}

void node_stat(struct volume *v, TSK_FS_FILE *file, struct target_stat *out)
{
    const TSK_FS_META *m = file->meta;
    bool unix_like = v->family == VOLUME_UFS || v->family == VOLUME_EXT;
    *out = (struct target_stat){
        .type = (unsigned)node_type(v, file),
        .size = m->size > 0 ? (uint64_t)m->size : 0,
        .mtime = m->mtime,
        .ctime = m->ctime,
        .inode = m->addr,
        .has_owner = unix_like,
    };
    if (unix_like) {
        out->mode = (uint32_t)m->mode & 07777;
        out->uid = (uint32_t)m->uid;
        out->gid = (uint32_t)m->gid;
        if (v->solaris && out->type == TARGET_LINK) { /* see volume_inode(): BSD's gid is here */
            out->uid = (uint32_t)m->gid;
            out->gid = 0; /* not known; nothing is judged by the group of a link */
        }
    }
}

bool node_readlink(struct volume *v, TSK_FS_FILE *file, char *out, size_t size, struct error *e)
{
    if (node_type(v, file) != TARGET_LINK) {
        error_set(e, ERR_FORMAT, "is no link");
        return false;
    }
    const char *link = file->meta->link;
    if (!link || !*link)
        return volume_failed(e, _("the link could not be read"));
    size_t length = strlen(link);
    if (length >= size) {
        error_set(e, ERR_LIMIT, "the link leads to a name longer than we take");
        return false;
    }
    memcpy(out, link, length + 1);
    return true;
}

static bool refuse_reparse(struct volume *v, TSK_FS_FILE *file, struct error *e)
{
    uint32_t tag;
    const char *what = reparse_of(v, file, &tag);
    if (!what)
        return false;
    error_set(e, ERR_UNREADABLE, "could not be read: %s (reparse tag 0x%08x)", what, tag);
    return true;
}

bool node_is_folder(struct volume *v, TSK_FS_FILE *file, struct error *e)
{
    if (node_type(v, file) != TARGET_DIR) {
        error_set(e, ERR_ABSENT, "is no folder");
        return false;
    }
    return !refuse_reparse(v, file, e);
}

/* Runs whose place libtsk does not know, because the part of the MFT that tells is damaged,
 * would be read as zeros. */
static bool has_gaps(const TSK_FS_ATTR *a)
{
    if (!(a->flags & TSK_FS_ATTR_NONRES))
        return false;
    for (const TSK_FS_ATTR_RUN *run = a->nrd.run; run; run = run->next)
        if (run->flags & TSK_FS_ATTR_RUN_FLAG_FILLER)
            return true;
    return false;
}

bool node_data(struct volume *v, TSK_FS_FILE *file, struct node_data *out, struct error *e)
{
    static const char *const kinds[] = {"", N_("a folder, not a regular file"),
                                        N_("a link, not a regular file"),
                                        N_("a device, FIFO or socket, not a regular file")};
    int type = node_type(v, file);
    if (type != TARGET_FILE) {
        error_set(e, ERR_UNREADABLE, "%s", _(kinds[type]));
        return false;
    }
    if (refuse_reparse(v, file, e))
        return false;
    if (!(file->meta->flags & TSK_FS_META_FLAG_ALLOC)) {
        error_set(e, ERR_UNREADABLE, "its name leads to an inode that is not in use");
        return false;
    }
    tsk_error_reset();
    const TSK_FS_ATTR *a = tsk_fs_file_attr_get(file);
    /* without an unnamed stream libtsk gives another: somebody else's bytes */
    if (a && v->family == VOLUME_NTFS && a->name && *a->name)
        a = NULL;
    if (!a && (file->meta->size > 0 || v->family == VOLUME_NTFS))
        return volume_failed(e, _("its data could not be found"));
    if (a && (a->flags & TSK_FS_ATTR_ENC)) {
        error_set(e, ERR_UNREADABLE, "could not be read: encrypted by EFS");
        return false;
    }
    if (a && has_gaps(a)) {
        error_set(e, ERR_UNREADABLE, "parts of it cannot be found on the damaged file system");
        return false;
    }
    *out = (struct node_data){.attribute = a, .size = a && a->size > 0 ? (uint64_t)a->size : 0};
    return true;
}

bool node_read(const struct node_data *d, uint64_t offset, void *buffer, size_t count,
               struct error *e)
{
    for (size_t done = 0; done < count;) {
        tsk_error_reset();
        ssize_t n =
            tsk_fs_attr_read(d->attribute, (TSK_OFF_T)(offset + done), (char *)buffer + done,
                             count - done, TSK_FS_FILE_READ_FLAG_NONE);
        if (n <= 0 || (size_t)n > count - done)
            return volume_failed(e, _("could not be read"));
        done += (size_t)n;
    }
    return true;
}

/* --- security descriptors --- */

struct secure {
    uint8_t *sds;
    size_t size;
    struct error error; /* why there is none */
};

static bool read_attribute(const TSK_FS_ATTR *a, size_t most, struct str *out, struct error *e)
{
    if (a->size <= 0 || (uint64_t)a->size > most || has_gaps(a)) {
        error_set(e, ERR_FORMAT, "a security descriptor of an impossible size");
        return false;
    }
    struct node_data d = {.attribute = a, .size = (uint64_t)a->size};
    CLEANUP_FREE char *data = mem_resize(NULL, d.size);
    if (!node_read(&d, 0, data, d.size, e))
        return false;
    str_add_bytes(out, data, d.size);
    return true;
}

static void file_cleanup(TSK_FS_FILE **file)
{
    if (*file)
        tsk_fs_file_close(*file);
}

static const TSK_FS_ATTR *named(TSK_FS_FILE *file, const char *name)
{
    int count = tsk_fs_file_attr_getsize(file);
    for (int i = 0; i < count; i++) {
        const TSK_FS_ATTR *a = tsk_fs_file_attr_get_idx(file, i);
        if (a && a->type == TSK_FS_ATTR_TYPE_NTFS_DATA && str_equal(a->name, name))
            return a;
    }
    return NULL;
}

static bool load_sds(struct volume *v, struct secure *s, struct error *e)
{
    CLEANUP(file_cleanup) TSK_FS_FILE *file = volume_inode(v, SECURE_INODE);
    const TSK_FS_ATTR *a = file && file->meta ? named(file, "$SDS") : NULL;
    if (!a)
        return volume_failed(e,
                             _("the volume's security descriptors ($Secure) could not be found"));
    struct str data = {0};
    if (!read_attribute(a, SECURE_MOST_BYTES, &data, e)) {
        str_free(&data);
        return false;
    }
    s->sds = (uint8_t *)data.data;
    s->size = data.length;
    return true;
}

static bool from_sds(struct volume *v, uint32_t id, struct str *out, struct error *e)
{
    if (!v->secure) {
        v->secure = mem_alloc(sizeof *v->secure);
        load_sds(v, v->secure, &v->secure->error);
    }
    if (!v->secure->sds) {
        *e = v->secure->error;
        return false;
    }
    const uint8_t *found;
    size_t size;
    struct bytes sds = bytes_of(v->secure->sds, v->secure->size);
    if (!secure_find(&sds, id, &found, &size) || size > MOST_DESCRIPTOR) {
        error_set(e, ERR_UNREADABLE, "no security descriptor of number %u in $Secure", id);
        return false;
    }
    str_add_bytes(out, found, size);
    return true;
}

/* 0 where there is none: NTFS 1.2 (NT 4) has no such field. */
static uint32_t security_id(TSK_FS_FILE *file)
{
    char data[STANDARD_INFORMATION_3];
    const TSK_FS_ATTR *a = attribute(file, NTFS_STANDARD_INFORMATION);
    if (!a || a->size < STANDARD_INFORMATION_3 ||
        tsk_fs_attr_read(a, 0, data, sizeof data, TSK_FS_FILE_READ_FLAG_NONE) != sizeof data)
        return 0;
    struct bytes in = bytes_of(data, sizeof data);
    bytes_seek(&in, SECURITY_ID_AT);
    return bytes_u32le(&in);
}

bool node_security(struct volume *v, TSK_FS_FILE *file, struct str *out, struct error *e)
{
    if (v->family != VOLUME_NTFS) {
        error_set(e, ERR_UNSUPPORTED, "this file system has no security descriptors");
        return false;
    }
    uint32_t id = security_id(file);
    if (id)
        return from_sds(v, id, out, e);
    const TSK_FS_ATTR *a = attribute(file, NTFS_SECURITY_DESCRIPTOR);
    if (!a) {
        error_set(e, ERR_UNREADABLE, "has no security descriptor");
        return false;
    }
    if (!read_attribute(a, MOST_DESCRIPTOR, out, e))
        return false;
    if (!secure_is_descriptor(out->data, out->length)) {
        error_set(e, ERR_FORMAT, "its security descriptor is damaged");
        return false;
    }
    return true;
}
