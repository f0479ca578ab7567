#include "libexec/image/volume.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the disk, as libtsk wants to see it --- */

struct disk {
    TSK_IMG_INFO image;
    struct source *source;
};

static ssize_t disk_read(TSK_IMG_INFO *image, TSK_OFF_T offset, char *buffer, size_t count)
{
    struct source *s = ((struct disk *)image)->source;
    if (offset >= 0 && source_read(s, (uint64_t)offset, buffer, count))
        return (ssize_t)count;
    tsk_error_set_errno(TSK_ERR_IMG_READ);
    tsk_error_set_errstr(_("the disk cannot be read at byte %lld"), (long long)offset);
    return -1;
}

static void disk_close(TSK_IMG_INFO *image)
{
}

static void disk_describe(TSK_IMG_INFO *image, FILE *file)
{
}

/* tsk_img_open_external() would do the same, but its object file pulls in the libraries of
 * every image format, and with them ten milliseconds of linking. */
static TSK_IMG_INFO *disk_new(struct source *s)
{
    struct disk *d = mem_alloc(sizeof *d);
    d->source = s;
    d->image.tag = TSK_IMG_INFO_TAG;
    d->image.itype = TSK_IMG_TYPE_EXTERNAL;
    d->image.size = (TSK_OFF_T)source_size(s);
    d->image.sector_size = SOURCE_SECTOR;
    d->image.page_size = 2048;
    d->image.spare_size = 64;
    d->image.read = disk_read;
    d->image.close = disk_close;
    d->image.imgstat = disk_describe;
#ifdef TSK_MULTITHREAD_LIB
    pthread_mutex_init(&d->image.cache_lock.mutex, NULL);
#endif
    return &d->image;
}

bool volume_failed(struct error *e, const char *doing)
{
    const char *said = tsk_error_get_errno() ? tsk_error_get() : NULL;
    CLEANUP_STR struct str why = {0};
    if (said)
        str_add_printable(&why, said, strcspn(said, "\n"));
    if (said)
        error_set(e, ERR_UNREADABLE, "%s (%.200s)", doing, str_text(&why));
    else
        error_set(e, ERR_UNREADABLE, "%s", doing);
    tsk_error_reset();
    return false;
}

/* --- recognising --- */

enum {
    UFS_SUPERBLOCK = 8192,
    UFS_ID = 144,
    UFS_INODE_FORMAT = 1324,
    UFS_MAGIC_AT = 1372,
    UFS_MAGIC = 0x00011954,
    UFS_FORMAT_44BSD = 2, /* directory entries with a byte of type */
    EXT_SUPERBLOCK = 1024,
    EXT_MAGIC_AT = 56,
    EXT_MAGIC = 0xef53,
    EXT_UUID = 104,
    HEAD_BYTES = 16 * 1024,
};

static void hex(char *out, size_t size, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && 2 * i + 2 < size; i++)
        snprintf(out + 2 * i, size - 2 * i, "%02x", bytes[i]);
}

static bool is_ntfs(struct bytes *head, struct volume *v)
{
    struct bytes in = *head;
    bytes_seek(&in, 3);
    const uint8_t *oem = bytes_take(&in, 8);
    if (!oem || memcmp(oem, "NTFS    ", 8) != 0)
        return false;
    bytes_seek(&in, 0x48);
    snprintf(v->serial, sizeof v->serial, "%016llx", (unsigned long long)bytes_u64le(&in));
    v->name = "ntfs";
    return true;
}

/* fatgen103, the checks of "FAT volume initialization" */
static bool is_fat(struct bytes *head, struct volume *v)
{
    struct bytes in = *head;
    bytes_seek(&in, 3);
    const uint8_t *oem = bytes_take(&in, 8);
    uint16_t sector = bytes_u16le(&in);
    uint8_t cluster = bytes_u8(&in);
    uint16_t reserved = bytes_u16le(&in);
    uint8_t fats = bytes_u8(&in);
    uint16_t root_entries = bytes_u16le(&in);
    bytes_skip(&in, 2);
    uint8_t media = bytes_u8(&in);
    uint16_t fat_size = bytes_u16le(&in);
    bytes_seek(&in, 510);
    uint16_t signature = bytes_u16le(&in);
    if (in.failed || signature != 0xaa55 || memcmp(oem, "NTFS", 4) == 0 ||
        memcmp(oem, "EXFAT", 5) == 0 || sector < 512 || sector > 4096 || (sector & (sector - 1)) ||
        !cluster || (cluster & (cluster - 1)) || !reserved || !fats || fats > 8 || media < 0xf0)
        return false;
    size_t boot = fat_size || root_entries ? 38 : 66; /* BS_BootSig; FAT32's lies further on */
    bytes_seek(&in, boot);
    if (bytes_u8(&in) == 0x29)
        snprintf(v->serial, sizeof v->serial, "%08x", bytes_u32le(&in));
    v->name = "fat";
    return true;
}

static bool is_ufs(struct bytes *head, struct volume *v)
{
    struct bytes super = bytes_slice(head, UFS_SUPERBLOCK, 2048);
    bytes_seek(&super, UFS_MAGIC_AT);
    uint32_t magic = bytes_u32le(&super);
    bool little = magic == UFS_MAGIC, big = magic == __builtin_bswap32(UFS_MAGIC);
    if (super.failed || !(little || big))
        return false;
    bytes_seek(&super, UFS_ID);
    uint32_t id[2];
    for (int i = 0; i < 2; i++)
        id[i] = little ? bytes_u32le(&super) : bytes_u32be(&super);
    snprintf(v->serial, sizeof v->serial, "%08x%08x", id[0], id[1]);
    v->name = "ufs";
    return true;
}

static bool is_ext(struct bytes *head, struct volume *v)
{
    struct bytes super = bytes_slice(head, EXT_SUPERBLOCK, 1024);
    bytes_seek(&super, EXT_MAGIC_AT);
    if (bytes_u16le(&super) != EXT_MAGIC)
        return false;
    bytes_seek(&super, EXT_UUID);
    const uint8_t *uuid = bytes_take(&super, 16);
    if (uuid)
        hex(v->serial, sizeof v->serial, uuid, 16);
    v->name = "ext4";
    return !super.failed;
}

static const struct {
    enum volume_family family;
    const char *title;
    TSK_FS_TYPE_ENUM type; /* _DETECT within one family tries that family only */
    bool (*is)(struct bytes *head, struct volume *v);
} families[] = {
    {VOLUME_NTFS, "NTFS", TSK_FS_TYPE_NTFS, is_ntfs},
    {VOLUME_EXT, "ext", TSK_FS_TYPE_EXT_DETECT, is_ext},
    {VOLUME_UFS, "UFS", TSK_FS_TYPE_FFS_DETECT, is_ufs},
    {VOLUME_FAT, "FAT", TSK_FS_TYPE_FAT_DETECT, is_fat},
};

/* Known by sight, not read. `files` is false for what holds none. */
static const struct {
    size_t offset;
    const char *magic, *title;
    bool files;
} others[] = {
    {4086, "SWAPSPACE2", N_("swap space"), false},
    {0, "XFSB", "XFS", true},
    {3, "-FVE-FS-", "BitLocker", true},
    {3, "EXFAT   ", "exFAT", true},
    {3, "ReFS", "ReFS", true},
    {512, "LABELONE", "LVM", true},
    {0, "LUKS\xba\xbe", "LUKS", true},
    {0, "hsqs", "squashfs", true},
    {8192 + 1372, "\x19\x01\x54\x19", "UFS2", true},
};

/* --- opening --- */

/* Solaris and 4.3BSD write the length of a name in 16 bits, 4.4BSD a type before it in 8;
 * libtsk guesses by byte order, and then a Solaris disk of a PC looks empty. */
static void settle_ufs(struct volume *v, struct bytes *head)
{
    struct bytes super = bytes_slice(head, UFS_SUPERBLOCK, 2048);
    bytes_seek(&super, UFS_INODE_FORMAT);
    bool little = v->fs->endian == TSK_LIT_ENDIAN;
    uint32_t format = little ? bytes_u32le(&super) : bytes_u32be(&super);
    v->solaris = !super.failed && format != UFS_FORMAT_44BSD;
    v->fs->ftype = TSK_FS_TYPE_FFS1;
}

/* libtsk 4.11.1 writes the text of a short link through a NULL pointer where the type is that
 * of Solaris (ffs_dinode_copy), so an inode is looked at as BSD's first: they differ in where
 * the owner stands only. */
TSK_FS_FILE *volume_inode(struct volume *v, uint64_t inode)
{
    TSK_FS_FILE *file = tsk_fs_file_open_meta(v->fs, NULL, inode);
    if (!v->solaris || !file || !file->meta || file->meta->type == TSK_FS_META_TYPE_LNK)
        return file;
    tsk_fs_file_close(file);
    v->fs->ftype = TSK_FS_TYPE_FFS1B;
    file = tsk_fs_file_open_meta(v->fs, NULL, inode);
    v->fs->ftype = TSK_FS_TYPE_FFS1;
    return file;
}

TSK_FS_DIR *volume_folder(struct volume *v, uint64_t inode)
{
    TSK_FS_FILE *file = volume_inode(v, inode);
    bool folder = file && file->meta && file->meta->type == TSK_FS_META_TYPE_DIR;
    tsk_fs_file_close(file);
    if (!folder)
        return NULL;
    if (v->solaris)
        v->fs->ftype = TSK_FS_TYPE_FFS1B;
    TSK_FS_DIR *dir = tsk_fs_dir_open_meta(v->fs, inode);
    if (v->solaris)
        v->fs->ftype = TSK_FS_TYPE_FFS1;
    return dir;
}

static void describe(struct volume *v, const struct partition *p, const char *title)
{
    v->start = p->start;
    bool small = p->size < 8 << 20;
    snprintf(v->description, sizeof v->description, _("%s, %llu %s at sector %llu"), title,
             (unsigned long long)(p->size >> (small ? 10 : 20)), small ? "KiB" : "MiB",
             (unsigned long long)(p->start / SOURCE_SECTOR));
}

static void describe_other(struct volume *v, const struct partition *p, struct bytes *head,
                           bool *files)
{
    CLEANUP_STR struct str title = {0};
    str_add(&title, _("unknown file system"));
    if (p->type)
        str_printf(&title, _(" (partition type 0x%02x)"), p->type);
    *files = true;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        struct bytes magic = bytes_slice(head, others[i].offset, strlen(others[i].magic));
        if (magic.failed || memcmp(magic.data, others[i].magic, magic.size) != 0)
            continue;
        str_clear(&title);
        str_printf(&title, _("%s, not read by this version"), _(others[i].title));
        *files = others[i].files;
        break;
    }
    describe(v, p, str_text(&title));
    v->name = "";
}

static void open_as(struct volume *v, size_t family, const struct partition *p, struct bytes *head,
                    TSK_IMG_INFO *image)
{
    describe(v, p, families[family].title);
    tsk_error_reset();
    TSK_FS_INFO *fs = tsk_fs_open_img(image, (TSK_OFF_T)p->start, families[family].type);
    if (!fs) {
        struct error e = ERROR_INIT;
        size_t used = strlen(v->description);
        volume_failed(&e, _("it could not be opened"));
        snprintf(v->description + used, sizeof v->description - used, ": %s", e.message);
        return;
    }
    v->fs = fs;
    v->family = families[family].family;
    /* last_block_act is the last one that the image really has */
    if (p->cut || fs->last_block > fs->last_block_act) {
        size_t used = strlen(v->description);
        snprintf(v->description + used, sizeof v->description - used, "%s",
                 _(", cut short: the image ends before it"));
        v->cut = true;
    }
    if (v->family == VOLUME_UFS)
        settle_ufs(v, head);
    if (v->family == VOLUME_EXT)
        v->name = fs->ftype == TSK_FS_TYPE_EXT2   ? "ext2"
                  : fs->ftype == TSK_FS_TYPE_EXT3 ? "ext3"
                                                  : "ext4";
}

/* False for what holds no files at all. */
static bool volume_open(struct volume *v, const struct partition *p, struct source *s,
                        TSK_IMG_INFO *image, volume_progress *progress)
{
    CLEANUP_FREE uint8_t *first = mem_alloc(HEAD_BYTES);
    size_t size = p->size < HEAD_BYTES ? (size_t)p->size : HEAD_BYTES;
    bool files = true;
    if (!source_read(s, p->start, first, size)) {
        describe(v, p, _("a part of the disk that cannot be read"));
        v->name = "";
        return true;
    }
    struct bytes head = bytes_of(first, size);
    for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
        if (!families[i].is(&head, v))
            continue;
        char doing[160];
        snprintf(doing, sizeof doing, _("opening the %s file system at sector %llu"),
                 families[i].title, (unsigned long long)(p->start / SOURCE_SECTOR));
        progress(doing);
        open_as(v, i, p, &head, image);
        return true;
    }
    describe_other(v, p, &head, &files);
    return files;
}

bool volumes_open(struct volumes *out, struct source *s, volume_progress *progress, struct error *e)
{
    struct partition partitions[PARTITION_MOST];
    struct volume unreadable[PARTITION_MOST];
    size_t count = partition_find(s, partitions), bad = 0;
    out->image = disk_new(s);
    for (size_t i = 0; i < count; i++) {
        struct volume v = {0};
        if (!volume_open(&v, &partitions[i], s, out->image, progress))
            continue;
        if (v.fs)
            out->items[out->readable++] = v;
        else
            unreadable[bad++] = v;
    }
    if (!out->readable) {
        error_set(e, ERR_FORMAT, "no file system that we read was found on this disk (%s)%s%s",
                  source_format(s), bad ? ": " : "", bad ? unreadable[0].description : "");
        return false;
    }
    memcpy(out->items + out->readable, unreadable, bad * sizeof *unreadable);
    out->count = out->readable + bad;
    return true;
}
