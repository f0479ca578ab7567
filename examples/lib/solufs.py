"""Turn the UFS that makefs writes (4.4BSD's) into the one Solaris 2.6 and 7 wrote.

Three things differ, in both byte orders (Solaris headers sys/fs/ufs_fs.h, ufs_inode.h,
ufs_fsdir.h):

* a directory entry has no type: its name length is a 16-bit number;
* in an inode, bytes 112-123 are shadow inode (ACL), uid, gid; BSD has uid, gid there.
  The old 16-bit uid and gid stand in bytes 4-7;
* the superblock has no inode format: the field that BSD keeps there is -1.

And makefs puts a random number into the file system id: here it becomes the one asked for.
Everything read from the image is checked against its bounds before it is used.
"""
import struct

SUPER_OFFSET = 8192
MAGIC = 0x011954
INODE_BYTES = 128
DIRBLK = 512
IFMT, IFDIR = 0xF000, 0x4000


class Bad(Exception):
    """The image is not what makefs is known to write."""


class Ufs:
    def __init__(self, image, endian):
        self.image = image
        self.endian = endian
        self.super = SUPER_OFFSET
        if self.u32(self.super + 1372) != MAGIC:
            raise Bad("no UFS1 superblock")
        (self.sblkno, self.cblkno, self.iblkno) = (self.u32(self.super + o) for o in (8, 12, 16))
        self.cgoffset, self.cgmask = self.u32(self.super + 24), self.u32(self.super + 28)
        self.ncg, self.bsize, self.fsize = (self.u32(self.super + o) for o in (44, 48, 52))
        self.ipg, self.fpg = self.u32(self.super + 184), self.u32(self.super + 188)
        if not (0 < self.ncg < 4096 and self.fsize in (512, 1024, 2048, 4096)
                and self.bsize in (4096, 8192, 16384) and 0 < self.ipg < 1 << 20):
            raise Bad("unlikely numbers in the superblock")

    def u16(self, at):
        return struct.unpack_from(self.endian + "H", self.image, at)[0]

    def u32(self, at):
        return struct.unpack_from(self.endian + "I", self.image, at)[0]

    def put(self, form, at, *values):
        struct.pack_into(self.endian + form, self.image, at, *values)

    def group_start(self, cg):
        """In fragments; UFS1 shifts each group a little (cgoffset, cgmask)."""
        return cg * self.fpg + self.cgoffset * (cg & ~self.cgmask & 0xFFFFFFFF)

    def supers(self):
        yield self.super
        for cg in range(self.ncg):
            at = (self.group_start(cg) + self.sblkno) * self.fsize
            if at + 1376 <= len(self.image) and self.u32(at + 1372) == MAGIC:
                yield at

    def inodes(self):
        for cg in range(self.ncg):
            table = (self.group_start(cg) + self.iblkno) * self.fsize
            if table + self.ipg * INODE_BYTES > len(self.image):
                raise Bad(f"inode table of group {cg} lies outside the image")
            for n in range(self.ipg):
                at = table + n * INODE_BYTES
                if self.u16(at) & IFMT:
                    yield at

    def convert_inode(self, at):
        uid, gid = self.u32(at + 112), self.u32(at + 116)
        self.put("HH", at + 4, uid & 0xFFFF, gid & 0xFFFF)
        self.put("III", at + 112, 0, uid, gid)

    def convert_directory(self, at):
        size = self.u32(at + (12 if self.endian == ">" else 8))
        if size > 12 * self.bsize:
            raise Bad("a folder larger than its direct blocks")
        for block in range((size + self.bsize - 1) // self.bsize):
            fragment = self.u32(at + 40 + 4 * block)
            start = fragment * self.fsize
            length = min(self.bsize, size - block * self.bsize)
            if start + length > len(self.image):
                raise Bad("a folder's block lies outside the image")
            for base in range(start, start + length, DIRBLK):
                self.convert_dirblk(base)

    def convert_dirblk(self, base):
        at = base
        while at < base + DIRBLK:
            step = self.u16(at + 4)
            if step < 12 or step % 4 or at + step > base + DIRBLK:
                raise Bad("a directory entry of impossible length")
            # makefs wrote type, then length, one byte each
            self.put("H", at + 6, self.image[at + 7])
            at += step


def to_solaris(path, endian, fs_id):
    """endian is '>' (SPARC) or '<' (x86); fs_id two numbers."""
    image = bytearray(path.read_bytes())
    ufs = Ufs(image, endian)
    for at in ufs.inodes():
        if ufs.u16(at) & IFMT == IFDIR:
            ufs.convert_directory(at)
        ufs.convert_inode(at)
    for at in list(ufs.supers()):
        ufs.put("II", at + 144, *fs_id)
        # makefs leaves addresses of its own memory here (fs_ocsp to fs_active)
        image[at + 728:at + 856] = bytes(128)
        ufs.put("i", at + 1324, -1)
    path.write_bytes(image)
