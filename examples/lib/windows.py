"""A Windows host: hives, files, NTFS in an MBR disk or a bare FAT16 volume."""
import struct

from . import disk
from .hive import build_hive
from .run import run

MIB = 1024 * 1024
FIRST_SECTOR = 63


def hives(tree, ini, state, host, when, preload):
    """Both hives, under the names and in the folder that this host spells its own way."""
    for hive in ("software", "system"):
        texts = [(host / name).resolve().read_text(encoding="utf-8")
                 for name in ini[state][hive].split()]
        path = tree.place(ini["host"]["config"] + "/" + ini["host"][hive], when)
        build_hive(path, "emRoot\\System32\\Config\\" + hive.upper(),
                   "HKEY_LOCAL_MACHINE\\" + hive.upper(), texts, when, preload)


def acls(host, state, work):
    """acl.tsv has a path and a preset for each state; ntfs-populate wants the one in force."""
    lines = []
    source = host / "acl.tsv"
    if source.exists():
        for line in source.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                path, found, mended = line.split("\t")
                lines.append(f"{found if state == 'found' else mended}\t{path}\n")
    out = work / "acls"
    out.write_text("".join(lines))
    return out


def ntfs(part, tree, ini, state, host, work, when, tools):
    size = int(ini["host"]["size_mib"]) * MIB
    with open(part, "wb") as f:
        f.truncate(size)
    run(["mkntfs", "-q", "-Q", "-F", "-s", "512", "-c", "1024", "-p", FIRST_SECTOR, "-H", "16",
         "-S", "63", "-L", ini["host"]["label"], part], when, tools["steady.so"])
    run([tools["ntfs-populate"], part, tree.root, acls(host, state, work)],
        when, tools["steady.so"])
    # mkntfs has no option for the serial number; it stands in the boot sector, at 0x48,
    # and in its copy in the last sector.
    serial = struct.pack("<Q", int(ini["host"]["serial"], 16))
    with open(part, "r+b") as f:
        for sector in (0, size - 512):
            f.seek(sector)
            if f.read(8)[3:7] == b"NTFS":
                f.seek(sector + 0x48)
                f.write(serial)


def fat(part, tree, ini, when, tools):
    with open(part, "wb") as f:
        f.truncate(int(ini["host"]["size_mib"]) * MIB)
    run(["mkfs.fat", "--invariant", "-F", "16", "-s", "4", "-i", ini["host"]["serial"],
         "-n", ini["host"]["label"], part], when, tools["steady.so"])
    tops = sorted(p.name for p in tree.root.iterdir())
    run(["mcopy", "-s", "-p", "-m", "-Q", "-i", part, *[tree.root / t for t in tops], "::"],
        when, tools["steady.so"])


def build(out, tree, ini, state, host, work, when, tools):
    hives(tree, ini, state, host, when, tools["steady.so"])
    tree.set_times(ini["installed"])
    part = work / "part"
    if ini["host"]["disk"] == "fat":
        fat(part, tree, ini, when, tools)
        disk.assemble(out, part.stat().st_size, [(0, part)])
        return
    ntfs(part, tree, ini, state, host, work, when, tools)
    count = part.stat().st_size // disk.SECTOR
    head = disk.mbr(0x07, FIRST_SECTOR, count, int(ini["host"]["signature"], 16))
    disk.assemble(out, (FIRST_SECTOR + count) * disk.SECTOR,
                  [(0, head), (FIRST_SECTOR * disk.SECTOR, part)])
