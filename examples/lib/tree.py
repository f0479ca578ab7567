"""The files of one image, put together in a staging folder: overlays and files.tsv.

Overlay folders hold texts as UTF-8 with Unix line ends. What the host would have had is
made on the way: a name that ends in .sjis or .eucjp loses that and is converted, and
Windows hosts get CR LF. files.tsv has three columns: path, found, mended. A cell says what
stands there:

    -                     nothing
    pe VERSION            a PE image with that file version
    pe VERSION cut        the same, cut off inside its section table
    noise N               N bytes that are no PE image
    szdd N                a compressed file as in the repair folder (SZDD header)
    metabase NAME         random-looking bytes with the lines of NAME as UTF-16 runs
    elf sparc|i386 TEXT   an ELF header with TEXT among its strings
    text TEXT             one line of text
    copy PATH             the same bytes as another file of the image
    link TARGET           a symbolic link (Solaris)
    dir                   an empty folder
"""
import os
import shutil
import struct

from . import pe

ENCODINGS = {".sjis": "cp932", ".eucjp": "euc_jp"}


def elf(machine, text):
    """Only what file(1) and a strings search look at."""
    big = machine == "sparc"
    order, number, data = (">", 2, 2) if big else ("<", 3, 1)
    ident = b"\x7fELF" + bytes([1, data, 1]) + bytes(9)
    head = struct.pack(order + "HHIIIIIHHHHHH", 2, number, 1, 0x10000, 0, 0, 0, 52, 32, 0, 40, 0, 0)
    return ident + head + b"\0" + text.encode("ascii") + b"\0" + pe.noise(text, 512)


def metabase(lines, seed):
    """Not the format of MetaBase.bin, which is not public: only its strings are like it."""
    out = bytearray(pe.noise(seed, 256))
    for line in lines:
        out += line.encode("utf-16-le") + b"\0\0" + pe.noise(seed + line, 24)
    return bytes(out)


class Tree:
    def __init__(self, root, host, windows, maker):
        self.root, self.host, self.windows, self.maker = root, host, windows, maker
        self.seen = {}
        self.later = []
        root.mkdir(parents=True)

    def place(self, path, when):
        """The staging path for path; the folders above it are made."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            known = self.seen.setdefault(part.lower() if self.windows else part, part)
            if known != part:
                raise ValueError(f"{self.host.name}: {part} and {known} differ in case only")
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self.later.append((target, when))
        return target

    def write(self, path, data, when):
        target = self.place(path, when)
        if target.is_symlink():
            target.unlink()
        target.write_bytes(data)

    def overlay(self, folder, when):
        if not folder.is_dir():
            return
        for source in sorted(folder.rglob("*")):
            if source.is_dir():
                continue
            path = source.relative_to(folder).as_posix()
            data = source.read_bytes()
            encoding = ENCODINGS.get(source.suffix)
            if encoding:
                path = path[:-len(source.suffix)]
                data = data.decode("utf-8").encode(encoding)
            if self.windows:
                data = data.replace(b"\n", b"\r\n")
            self.write(path, data, when)

    def cells(self, table, state):
        column = {"found": 1, "mended": 2}[state]
        for line in table.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                cell = line.split("\t")
                if len(cell) != 3:
                    raise ValueError(f"{table}: three columns wanted: {line}")
                # the same in both states: as old as the installation
                yield cell[0], cell[column], cell[1] == cell[2]

    def wanted_pe(self, table, state):
        return [(path.rsplit("/", 1)[-1], cell.split()[1])
                for path, cell, _ in self.cells(table, state) if cell.startswith("pe ")]

    def fill(self, table, state, installed, changed):
        for path, cell, old in self.cells(table, state):
            when = installed if old else changed
            word, _, rest = cell.partition(" ")
            if word == "-":
                continue
            if word == "dir":
                self.place(path, when).mkdir(parents=True, exist_ok=True)
            elif word == "link":
                target = self.place(path, None)
                target.unlink(missing_ok=True)
                target.symlink_to(rest)
            else:
                self.write(path, self.content(word, rest, path), when)

    def content(self, word, rest, path):
        if word == "pe":
            version, _, how = rest.partition(" ")
            data = self.maker.path(path.rsplit("/", 1)[-1], version).read_bytes()
            return data[:400] if how == "cut" else data
        if word == "noise":
            return pe.noise(path, int(rest))
        if word == "szdd":
            return b"SZDD\x88\xf0\x27\x33A\0" + pe.noise(path, int(rest))
        if word == "metabase":
            lines = (self.host / rest).read_text(encoding="utf-8").splitlines()
            return metabase([x for x in lines if x and not x.startswith("#")], rest)
        if word == "elf":
            machine, _, text = rest.partition(" ")
            return elf(machine, text)
        if word == "text":
            return rest.encode("utf-8") + (b"\r\n" if self.windows else b"\n")
        if word == "copy":
            return (self.root / rest).read_bytes()
        raise ValueError(f"{path}: no such cell: {word}")

    def set_times(self, installed):
        """Folders last, or writing into them would change them again."""
        for target, when in self.later:
            if when is not None and not target.is_symlink():
                os.utime(target, (when, when))
        for folder, folders, names in os.walk(self.root, topdown=False):
            os.utime(folder, (installed, installed))
            for name in folders + names:
                full = os.path.join(folder, name)
                if os.path.islink(full):
                    os.utime(full, (installed, installed), follow_symlinks=False)

    def remove(self):
        shutil.rmtree(self.root)
