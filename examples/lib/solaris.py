"""A Solaris host: UFS in a disk with a Sun label (SPARC) or in an x86 Solaris partition."""
import fnmatch
import os
import stat

from . import disk, solufs
from .run import run

MIB = 1024 * 1024
HEADS, SECTORS = 4, 32                    # a cylinder is 64 KiB
CYLINDER = HEADS * SECTORS


def owners(host, state):
    """modes.tsv, then that of the state: pattern, mode, uid, gid; the last that fits wins."""
    rows = []
    for name in ("modes.tsv", f"modes-{state}.tsv"):
        for line in (host / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                rows.append(line.split("\t"))
    return rows


def mtree(tree, rows, spec):
    """An mtree specification gives owners and modes without being root."""
    lines = ["#mtree\n"]
    paths = ["."]
    for folder, folders, names in os.walk(tree.root):
        for name in folders + names:
            paths.append("./" + os.path.relpath(os.path.join(folder, name), tree.root))
    for path in sorted(paths):
        info = os.lstat(tree.root / path)
        kind, mode, uid, gid = "file", "0644", "0", "3"
        if stat.S_ISDIR(info.st_mode):
            kind, mode = "dir", "0755"
        elif stat.S_ISLNK(info.st_mode):
            kind, mode, gid = "link", "0777", "0"
        if kind != "link":
            for pattern, its_mode, its_uid, its_gid in rows:
                if fnmatch.fnmatchcase("/" + path.removeprefix(".").lstrip("/"), pattern):
                    uid, gid = its_uid, its_gid
                    mode = its_mode if its_mode != "-" else mode
        lines.append(f"{path} type={kind} mode={mode} uid={uid} gid={gid}\n")
    spec.write_text("".join(lines))


def build(out, tree, ini, state, host, work, when, tools):
    tree.set_times(ini["installed"])
    spec, part = work / "spec", work / "part"
    mtree(tree, owners(host, state), spec)
    sparc = ini["host"]["disk"] == "sun"
    size = int(ini["host"]["size_mib"]) * MIB
    run(["makefs", "-t", "ffs", "-B", "be" if sparc else "le", "-o", "version=1", "-s", size,
         "-F", spec, "-T", when, part, tree.root], when, tools["steady.so"])
    fs_id = [int(word, 16) for word in ini["host"]["fs_id"].split()]
    solufs.to_solaris(part, ">" if sparc else "<", fs_id)
    root_cylinders = size // disk.SECTOR // CYLINDER
    swap_cylinders = 16
    if sparc:
        cylinders = root_cylinders + swap_cylinders
        label = disk.sun_label(f"SUN2.1G cyl {cylinders} alt 2 hd {HEADS} sec {SECTORS}",
                               cylinders, HEADS, SECTORS, {
            0: (disk.TAG_ROOT, 0, root_cylinders * CYLINDER),
            1: (disk.TAG_SWAP, root_cylinders, swap_cylinders * CYLINDER),
            2: (disk.TAG_WHOLE, 0, cylinders * CYLINDER)})
        # The label and the file system share slice 0: UFS leaves its first 8 KiB alone.
        disk.assemble(out, cylinders * CYLINDER * disk.SECTOR, [(0, part), (0, label)])
        return
    # x86: MBR, one partition of type 0x82, in it the VTOC (sector 1) and cylinder 0 for boot.
    first = CYLINDER
    cylinders = 1 + root_cylinders + swap_cylinders
    vtoc = disk.x86_vtoc(f"DEFAULT cyl {cylinders} alt 2 hd {HEADS} sec {SECTORS}",
                         cylinders, HEADS, SECTORS, {
        0: (disk.TAG_ROOT, CYLINDER, root_cylinders * CYLINDER),
        1: (disk.TAG_SWAP, (1 + root_cylinders) * CYLINDER, swap_cylinders * CYLINDER),
        2: (disk.TAG_WHOLE, 0, cylinders * CYLINDER),
        8: (disk.TAG_BOOT, 0, CYLINDER)})
    count = cylinders * CYLINDER
    head = disk.mbr(0x82, first, count, int(ini["host"]["signature"], 16), HEADS, SECTORS)
    at = first * disk.SECTOR
    disk.assemble(out, at + count * disk.SECTOR,
                  [(0, head), (at + disk.SECTOR, vtoc), (at + CYLINDER * disk.SECTOR, part)])
