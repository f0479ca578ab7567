#include "tests/target/disks.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zlib.h>

#define UNIX_TREE "/etc/hello", "\\ETC\\Hello", true

const struct disk disks[] = {
    {"ext.img", "ext4", UNIX_TREE, "mke2fs -q -F -t ext4 -d tree ext.img 4m", false},
    {"ext2.img", "ext2", UNIX_TREE, "mke2fs -q -F -t ext2 -d tree ext2.img 4m", false},
    {"ufs-be.img", "ufs", UNIX_TREE, "makefs -t ffs -B be -o version=1 -s 4m ufs-be.img tree",
     false},
    {"ufs-le.img", "ufs", UNIX_TREE, "makefs -t ffs -B le -o version=1 -s 4m ufs-le.img tree",
     false},
    {"ufs-sparc.img", "ufs", UNIX_TREE, "makefs -t ffs -B be -o version=1 -s 4m ufs-sparc.img tree",
     true},
    {"ufs-x86.img", "ufs", UNIX_TREE, "makefs -t ffs -B le -o version=1 -s 4m ufs-x86.img tree",
     true},
    {"fat12.img", "fat", "/Readme.txt", "readme.TXT", false,
     "mkfs.fat -C -F 12 -n LABEL fat12.img 1440 && mcopy -i fat12.img hello ::/Readme.txt", false},
    {"fat16.img", "fat", "/Readme.txt", "README.txt", false,
     "mkfs.fat -C -F 16 -n LABEL fat16.img 16384 && mcopy -i fat16.img hello ::/Readme.txt", false},
    {"fat32.img", "fat", "/Readme.txt", "README.txt", false,
     "mkfs.fat -C -F 32 -n LABEL fat32.img 40000 && mcopy -i fat32.img hello ::/Readme.txt", false},
    {"ntfs.img", "ntfs", "/Readme.txt", "\\README.txt", false,
     "truncate -s 8m ntfs.img && mkntfs -q -F -H 1 -S 63 -p 0 ntfs.img && "
     "ntfscp -f ntfs.img hello Readme.txt",
     false},
};
const size_t disks_count = ARRAY_COUNT(disks);

const struct layout layouts[] = {
    {"mbr.img", 3, 2}, /* primary, logical, and an LVM */
    {"gpt.img", 2, 2},     {"sun.img", 2, 2},     {"vtoc.img", 1, 1},   {"sparse.vmdk", 1, 1},
    {"renamed.bin", 1, 1}, {"stream.vmdk", 1, 1}, {"split.vmdk", 1, 1},
};
const size_t layouts_count = ARRAY_COUNT(layouts);

enum { SECTOR = 512, GRAIN = 128 };

struct image {
    char *data;
    size_t size;
};

static struct image load(const char *dir, const char *name)
{
    CLEANUP_STR struct str path = {0};
    struct image i = {0};
    struct error e = ERROR_INIT;
    str_printf(&path, "%s/%s", dir, name);
    if (!file_read(&i.data, &i.size, str_text(&path), 256 << 20, &e))
        fail_msg("%s", e.message);
    return i;
}

static void run(const char *dir, const char *command)
{
    CLEANUP_STR struct str line = {0};
    str_printf(&line, "PATH=$PATH:/usr/sbin:/sbin; cd '%s' && { %s; } >/dev/null 2>&1", dir,
               command);
    if (system(str_text(&line)) != 0)
        fprintf(stderr, "failed: %s\n", command);
}

/* --- Solaris: 16 bits for the length of a name, and no type --- */

static bool is_dir_block(const uint8_t *p, bool big)
{
    static const uint8_t be[] = {0, 12, 4, 1, '.', 0}, le[] = {12, 0, 4, 1, '.', 0};
    static const uint8_t up_be[] = {4, 2, '.', '.', 0}, up_le[] = {4, 2, '.', '.', 0};
    return memcmp(p + 4, big ? be : le, 6) == 0 && memcmp(p + 18, big ? up_be : up_le, 5) == 0;
}

static void make_solaris(const char *dir, const char *name, bool big)
{
    struct image i = load(dir, name);
    for (size_t at = 0; at + SECTOR <= i.size; at += SECTOR) {
        uint8_t *block = (uint8_t *)i.data + at;
        if (!is_dir_block(block, big))
            continue;
        for (size_t k = 0; k + 8 <= SECTOR;) {
            size_t length = big ? (size_t)block[k + 4] << 8 | block[k + 5]
                                : (size_t)block[k + 5] << 8 | block[k + 4];
            if (!big)
                block[k + 6] = block[k + 7];
            block[k + (big ? 6 : 7)] = 0;
            if (!length)
                break;
            k += length;
        }
    }
    memset(i.data + 8192 + 1324, 0xff, 4);
    support_write(dir, name, i.data, i.size);
    free(i.data);
}

/* --- partition tables --- */

static void put32(char *at, uint32_t value, bool big)
{
    for (int k = 0; k < 4; k++)
        at[big ? 3 - k : k] = (char)(value >> (8 * k));
}

static void put16be(char *at, unsigned value)
{
    at[0] = (char)(value >> 8);
    at[1] = (char)value;
}

static void mbr_entry(char *sector, int row, int type, uint32_t start, size_t bytes)
{
    char *entry = sector + 446 + 16 * row;
    entry[4] = (char)type;
    put32(entry + 8, start, false);
    put32(entry + 12, (uint32_t)(bytes / SECTOR), false);
    sector[510] = 0x55;
    sector[511] = (char)0xaa;
}

static void place(struct image *disk, uint32_t sector, const struct image *part)
{
    memcpy(disk->data + (size_t)sector * SECTOR, part->data, part->size);
}

static struct image blank(size_t megabytes)
{
    return (struct image){mem_alloc(megabytes << 20), megabytes << 20};
}

static void finish(const char *dir, const char *name, struct image *disk)
{
    support_write(dir, name, disk->data, disk->size);
    free(disk->data);
}

static void make_mbr(const char *dir, const struct image *ext, const struct image *ufs)
{
    struct image disk = blank(12);
    mbr_entry(disk.data, 0, 0x83, 63, ext->size);
    mbr_entry(disk.data, 1, 0x05, 10000, 10 << 20);
    mbr_entry(disk.data, 2, 0x8e, 9000, 500 * SECTOR);
    memcpy(disk.data + 9001 * SECTOR, "LABELONE", 8);
    mbr_entry(disk.data + 10000 * SECTOR, 0, 0xa5, 63, ufs->size);
    place(&disk, 63, ext);
    place(&disk, 10063, ufs);
    finish(dir, "mbr.img", &disk);
}

static void make_gpt(const char *dir, const struct image *ext, const struct image *ufs)
{
    struct image disk = blank(12);
    mbr_entry(disk.data, 0, 0xee, 1, 12 << 20);
    memcpy(disk.data + SECTOR, "EFI PART", 8);
    put32(disk.data + SECTOR + 72, 2, false);
    put32(disk.data + SECTOR + 80, 128, false);
    put32(disk.data + SECTOR + 84, 128, false);
    const struct image *parts[] = {ext, ufs};
    for (int k = 0; k < 2; k++) {
        char *entry = disk.data + 2 * SECTOR + 128 * k;
        uint32_t start = 2048 + 10000 * (uint32_t)k;
        entry[0] = 1;
        put32(entry + 32, start, false);
        put32(entry + 40, start + (uint32_t)(parts[k]->size / SECTOR) - 1, false);
        place(&disk, start, parts[k]);
    }
    finish(dir, "gpt.img", &disk);
}

static void make_sun(const char *dir, const struct image *ufs)
{
    struct image disk = blank(12);
    put16be(disk.data + 436, 10); /* heads */
    put16be(disk.data + 438, 10); /* sectors */
    put32(disk.data + 187 + 1, 0x600ddeee, true);
    put32(disk.data + 444, 1, true); /* slice 0 from cylinder 1 */
    put32(disk.data + 448, (uint32_t)(ufs->size / SECTOR), true);
    put16be(disk.data + 142 + 8, 5); /* slice 2: the whole disk */
    put32(disk.data + 444 + 16 + 4, 24576, true);
    put32(disk.data + 444 + 48, 100, true); /* slice 6 */
    put32(disk.data + 448 + 48, (uint32_t)(ufs->size / SECTOR), true);
    put16be(disk.data + 508, 0xdabe);
    uint16_t sum = 0;
    for (int k = 0; k < 510; k += 2)
        sum ^= (uint16_t)((uint8_t)disk.data[k] << 8 | (uint8_t)disk.data[k + 1]);
    put16be(disk.data + 510, sum);
    place(&disk, 100, ufs);
    place(&disk, 10000, ufs);
    finish(dir, "sun.img", &disk);
}

static void make_vtoc(const char *dir, const struct image *ufs)
{
    struct image disk = blank(8);
    char *label = disk.data + (1000 + 1) * SECTOR;
    mbr_entry(disk.data, 0, 0x82, 1000, 6 << 20);
    put32(label + 12, 0x600ddeee, false);
    label[30] = 16;
    label[72] = 2; /* root */
    put32(label + 76, 3000, false);
    put32(label + 80, (uint32_t)(ufs->size / SECTOR), false);
    label[72 + 24] = 5; /* slice 2: the whole of it */
    put32(label + 72 + 24 + 8, 12288, false);
    place(&disk, 4000, ufs);
    finish(dir, "vtoc.img", &disk);
}

/* --- VMDK --- */

/* Header, directory at sector 1, tables after it, grains behind; or, streamed, the grains
 * packed with their markers and the directory named by a header at the end. */
static void make_sparse(const char *dir, const char *name, const struct image *disk, bool stream)
{
    size_t grain = GRAIN * SECTOR, grains = (disk->size + grain - 1) / grain;
    size_t tables = (grains + 511) / 512;
    struct str out = {0};
    CLEANUP_FREE char *head = mem_alloc((1 + 1 + 4 * tables) * SECTOR);
    char *dir_at = head + SECTOR, *table = head + 2 * SECTOR;
    memcpy(head, "KDMV", 4);
    put32(head + 4, stream ? 3 : 1, false);
    put32(head + 8, stream ? 1 << 16 : 3, false);
    put32(head + 12, (uint32_t)(disk->size / SECTOR), false);
    put32(head + 20, GRAIN, false);
    put32(head + 44, 512, false);
    put32(head + 56, 1, false);
    head[77] = stream;
    for (size_t k = 0; k < tables; k++)
        put32(dir_at + 4 * k, (uint32_t)(2 + 4 * k), false);
    str_add_bytes(&out, head, (2 + 4 * tables) * SECTOR);
    for (size_t k = 0; k < grains; k++) {
        CLEANUP_FREE char *body = mem_alloc(grain), *none = mem_alloc(grain);
        CLEANUP_FREE char *packed = mem_alloc(2 * grain);
        size_t part = disk->size - k * grain < grain ? disk->size - k * grain : grain;
        memcpy(body, disk->data + k * grain, part);
        if (memcmp(body, none, grain) == 0)
            continue;
        put32(table + 4 * k, (uint32_t)(out.length / SECTOR), false);
        if (!stream) {
            str_add_bytes(&out, body, grain);
            continue;
        }
        uLongf length = 2 * grain - 12;
        compress((Bytef *)packed + 12, &length, (const Bytef *)body, grain);
        put32(packed + 8, (uint32_t)length, false);
        str_add_bytes(&out, packed, (12 + length + SECTOR - 1) / SECTOR * SECTOR);
    }
    memcpy(out.data + 2 * SECTOR, table, 4 * tables * SECTOR);
    if (stream) {
        memset(out.data + 56, 0xff, 8);
        str_add_bytes(&out, head, SECTOR);
        str_add_bytes(&out, table + 4 * tables * SECTOR - SECTOR, 0);
        char end[SECTOR] = "";
        str_add_bytes(&out, end, SECTOR);
    }
    support_write(dir, name, out.data, out.length);
    str_free(&out);
}

static void make_split(const char *dir, const struct image *disk)
{
    static const char text[] = "# Disk DescriptorFile\nversion=1\nCID=12345678\n"
                               "parentCID=ffffffff\ncreateType=\"twoGbMaxExtentFlat\"\n"
                               "RW 2000 FLAT \"split-f001.vmdk\" 0\n"
                               "RW 6192 FLAT \"split-f002.vmdk\" 0\nRW 100 ZERO\n";
    support_write(dir, "split.vmdk", text, sizeof text - 1);
    support_write(dir, "split-f001.vmdk", disk->data, 2000 * SECTOR);
    support_write(dir, "split-f002.vmdk", disk->data + 2000 * SECTOR, disk->size - 2000 * SECTOR);
}

/* --- NTFS through ntfs-3g, for what no other tool makes --- */

char disks_pattern(size_t i)
{
    return "The quick brown fox jumps over the lazy dog. "[i % 45];
}

static void reparse(const char *path, uint32_t tag, size_t length)
{
    char data[32] = "";
    put32(data, tag, false);
    data[4] = (char)length;
    setxattr(path, "system.ntfs_reparse_data", data, 8 + length, 0);
}

static void fill_windows(const char *mount)
{
    CLEANUP_STR struct str path = {0};
    CLEANUP_FREE char *body = mem_alloc(DISKS_COMPRESSED_BYTES);
    for (size_t i = 0; i < DISKS_COMPRESSED_BYTES; i++)
        body[i] = disks_pattern(i);
    support_write(mount, "WINNT/System32/comp/first", "", 0);
    str_printf(&path, "%s/WINNT/System32/comp", mount);
    setxattr(str_text(&path), "system.ntfs_attrib_be", "\0\0\x08\x10", 4, 0); /* compressed */
    support_write(mount, "WINNT/System32/comp/httpext.dll", body, DISKS_COMPRESSED_BYTES);
    support_write(mount, "WINNT/System32/wof.dll", "", 0);
    str_clear(&path);
    str_printf(&path, "%s/WINNT/System32/wof.dll", mount);
    reparse(str_text(&path), 0x80000017, 16);
    str_clear(&path);
    str_printf(&path, "%s/WINNT/junction", mount);
    mkdir(str_text(&path), 0755);
    reparse(str_text(&path), 0xa0000003, 16);
}

static void make_windows(const char *dir)
{
    CLEANUP_STR struct str mount = {0}, image = {0};
    struct stat above, there;
    str_printf(&mount, "%s/mnt", dir);
    str_printf(&image, "%s/windows.img", dir);
    run(dir, "mkdir mnt && truncate -s 16m windows.img && mkntfs -q -F windows.img && "
             "ntfs-3g windows.img mnt");
    if (stat(dir, &above) != 0 || stat(str_text(&mount), &there) != 0 ||
        above.st_dev == there.st_dev) {
        unlink(str_text(&image));
        return;
    }
    fill_windows(str_text(&mount));
    /* ntfs-3g goes on writing for a moment after umount has returned */
    run(dir, "umount mnt || fusermount -u mnt; "
             "for i in 1 2 3 4 5 6 7 8 9 10; do "
             "fuser windows.img || pgrep -f \"ntfs-3g windows.img\" || break; sleep 0.2; done; "
             "sleep 0.3");
}

void disks_damage(const char *from, const char *to, double keep, unsigned stride)
{
    struct image i = {0};
    struct error e = ERROR_INIT;
    assert_true(file_read(&i.data, &i.size, from, 256 << 20, &e));
    size_t size = (size_t)((double)i.size * keep);
    for (size_t at = 40; stride && at < size; at += stride)
        i.data[at] ^= (char)(1 << at % 8);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, i.data, size), (ssize_t)size);
    close(fd);
    free(i.data);
}

void disks_make(const char *dir)
{
    CLEANUP_FREE char *big = mem_alloc(1 << 20);
    support_write(dir, "hello", "hello\n", 6);
    support_write(dir, "tree/etc/hello", "hello\n", 6);
    support_write(dir, "tree/new\nline", "1", 1);
    support_write(dir, "tree/big", big, 1 << 20);
    run(dir, "chmod 640 tree/etc/hello; cd tree; ln -s /etc/hello absolute; ln -s loop loop; "
             "ln -s /../../../etc/shadow to-host; ln -s ../../../etc/hello etc/climbing; "
             "mkfifo fifo");
    for (size_t i = 0; i < disks_count; i++) {
        run(dir, disks[i].command);
        if (disks[i].solaris)
            make_solaris(dir, disks[i].name, strstr(disks[i].command, "-B be") != NULL);
    }
    struct image ext = load(dir, "ext.img"), be = load(dir, "ufs-sparc.img");
    struct image le = load(dir, "ufs-x86.img");
    make_mbr(dir, &ext, &be);
    make_gpt(dir, &ext, &le);
    make_sun(dir, &be);
    make_vtoc(dir, &le);
    make_sparse(dir, "sparse.vmdk", &ext, false);
    make_sparse(dir, "renamed.bin", &ext, false);
    make_sparse(dir, "stream.vmdk", &ext, true);
    make_split(dir, &ext);
    make_windows(dir);
    free(ext.data);
    free(be.data);
    free(le.data);
}
