"""Disks around file systems: MBR, Sun label (SPARC), Solaris x86 VTOC.

Labels as in the Solaris headers sys/dklabel.h and sys/vtoc.h (sizes 512, two layouts).
"""
import struct

SECTOR = 512


def chs(sector, heads, sectors):
    cylinder, rest = divmod(sector, heads * sectors)
    head, sec = divmod(rest, sectors)
    cylinder = min(cylinder, 1023)
    return bytes([head, (sec + 1) | ((cylinder >> 2) & 0xC0), cylinder & 0xFF])


def mbr(kind, start, count, signature, heads=16, sectors=63):
    """One active partition of that kind."""
    entry = (b"\x80" + chs(start, heads, sectors) + bytes([kind])
             + chs(start + count - 1, heads, sectors) + struct.pack("<II", start, count))
    code = b"\xeb\xfe"                                   # nobody boots this: jump to self
    return (code.ljust(440, b"\0") + struct.pack("<IH", signature, 0)
            + entry + bytes(48) + b"\x55\xaa")


def xor16(label, endian):
    total = 0
    for word in struct.unpack(endian + "255H", label[:510]):
        total ^= word
    return total


TAG_UNASSIGNED, TAG_BOOT, TAG_ROOT, TAG_SWAP, TAG_WHOLE = 0, 1, 2, 3, 5
SANITY = 0x600DDEEE
MAGIC = 0xDABE


def sun_label(name, cylinders, heads, sectors, slices):
    """Sector 0 of a SPARC disk, big endian. slices: {number: (tag, cylinder, sectors)}."""
    tags = b"".join(struct.pack(">HH", slices.get(n, (0, 0, 0))[0], 0) for n in range(8))
    label = name.encode("ascii").ljust(128, b"\0")
    label += struct.pack(">I8sH", 1, b"", 8) + tags + bytes(2)
    label += bytes(12) + struct.pack(">I", SANITY) + bytes(40) + bytes(32)
    label = label.ljust(420, b"\0")
    label += struct.pack(">HHHHHHHHHHHH", 7200, cylinders + 2, 0, 0, 0, 1, cylinders, 2,
                         heads, sectors, 0, 0)
    label += b"".join(struct.pack(">II", *slices.get(n, (0, 0, 0))[1:]) for n in range(8))
    label += struct.pack(">H", MAGIC)
    return label + struct.pack(">H", xor16(label + b"\0\0", ">"))


def x86_vtoc(name, cylinders, heads, sectors, slices):
    """Sector 1 of a Solaris x86 partition, little endian; starts count from that partition.
    slices: {number: (tag, start, sectors)}."""
    label = bytes(12) + struct.pack("<II8sHH", SANITY, 1, b"", SECTOR, 16) + bytes(40)
    for n in range(16):
        tag, start, count = slices.get(n, (0, 0, 0))
        label += struct.pack("<HHII", tag, 0, start, count)
    label += bytes(64) + name.encode("ascii").ljust(128, b"\0")
    label += struct.pack("<IIHHIIHHHHHH", cylinders + 2, cylinders, 2, 0, heads, sectors,
                         1, 0, 0, 3600, 0, 0)
    label = label.ljust(508, b"\0") + struct.pack("<H", MAGIC)
    return label + struct.pack("<H", xor16(label + b"\0\0", "<"))


def assemble(path, size, parts):
    """Write parts [(offset, bytes or a file's path)] into a sparse file of that size."""
    with open(path, "wb") as out:
        for offset, part in parts:
            if isinstance(part, bytes):
                out.seek(offset)
                out.write(part)
                continue
            with open(part, "rb") as source:
                at = offset
                while block := source.read(4096):
                    if block.strip(b"\0"):
                        out.seek(at)
                        out.write(block)
                    at += len(block)
        out.truncate(size)
