"""Registry hives: the empty one byte by byte, the rest by hivexregedit from .reg texts.

Layout: "Windows NT registry file (REGF) format" of libregf, and what hivex reads.
"""
import re
import struct

from .run import run

FILETIME_EPOCH = 11644473600


def filetime(when):
    return (when + FILETIME_EPOCH) * 10_000_000


def security_descriptor():
    """Self-relative: owner and group Administrators, everyone may read, two have all."""
    administrators = struct.pack("<BB6sII", 1, 2, b"\0\0\0\0\0\5", 32, 544)
    system = struct.pack("<BB6sI", 1, 1, b"\0\0\0\0\0\5", 18)
    everyone = struct.pack("<BB6sI", 1, 1, b"\0\0\0\0\0\1", 0)
    aces = b""
    for sid, mask in ((administrators, 0xF003F), (system, 0xF003F), (everyone, 0x20019)):
        aces += struct.pack("<BBHI", 0, 2, 8 + len(sid), mask) + sid
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(aces), 3, 0) + aces
    owner = 20 + len(acl)
    group = owner + len(administrators)
    return (struct.pack("<BBHIIII", 1, 0, 0x8004, owner, group, 0, 20)
            + acl + administrators + administrators)


def cell(body):
    """A cell in use: a negative size, a multiple of eight."""
    size = (4 + len(body) + 7) & ~7
    return struct.pack("<i", -size) + body + bytes(size - 4 - len(body))


def empty_hive(path, name, when):
    """One base block, one hbin: the root key, its security cell, and one free cell."""
    root_name = b"$$$PROTO.HIV"              # what NT itself calls the root of a hive
    nk_offset = 0x20
    nk_size = len(cell(bytes(76 + len(root_name))))
    sk_offset = nk_offset + nk_size
    nothing = 0xFFFFFFFF
    nk = struct.pack("<2sHQIIIIIIIIIIIIIIIHH", b"nk", 0x2C, filetime(when), 0, nothing,
                     0, 0, nothing, nothing, 0, nothing, sk_offset, nothing,
                     0, 0, 0, 0, 0, len(root_name), 0) + root_name
    sd = security_descriptor()
    sk = struct.pack("<2sHIIII", b"sk", 0, sk_offset, sk_offset, 1, len(sd)) + sd
    used = cell(nk) + cell(sk)
    room = 0x1000 - 0x20 - len(used)
    hbin = (struct.pack("<4sIIQQI", b"hbin", 0, 0x1000, 0, filetime(when), 0)
            + used + struct.pack("<i", room) + bytes(room - 4))
    base = struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, filetime(when), 1, 3, 0, 1,
                       nk_offset, 0x1000, 1)
    base += name.encode("utf-16-le").ljust(64, b"\0")
    base = base.ljust(508, b"\0")
    total = 0
    for word in struct.unpack("<127I", base):
        total ^= word
    base = (base + struct.pack("<I", total)).ljust(0x1000, b"\0")
    path.write_bytes(base + hbin)


def as_hex(kind, text):
    return f"hex({kind}):" + ",".join(f"{b:02x}" for b in text.encode("utf-16-le"))


STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def flat_reg(texts, prefix):
    """Join .reg texts into one that hivexregedit takes: it wants every parent key named,
    and a blank line between keys. Two spellings are ours, as hex(7) and hex(2) cannot be
    read by people: multi:"a","b" and expand:"%SystemRoot%\\x"."""
    keys, out = [], []
    known = set()

    def open_key(key):
        parts = key.split("\\")
        for depth in range(2, len(parts)):
            parent = "\\".join(parts[:depth])
            if parent.lower() not in known and parent.lower() != prefix.lower():
                if len(parent) > len(prefix):
                    known.add(parent.lower())
                    out.extend(["", f"[{parent}]"])
        known.add(key.lower())
        out.extend(["", f"[{key}]"])

    for text in texts:
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith(";") or line.startswith("Windows Registry"):
                continue
            if line.startswith("[-"):
                gone = line[2:-1].lower()
                known.difference_update([k for k in known if (k + "\\").startswith(gone + "\\")])
                out.extend(["", line])
            elif line.startswith("["):
                keys.append(line)
                open_key(line[1:-1])
            else:
                name, _, value = line.partition("=")
                if value.startswith(("multi:", "expand:")):
                    words = [re.sub(r"\\(.)", r"\1", w) for w in STRING.findall(value)]
                    if value.startswith("multi:"):
                        value = as_hex(7, "".join(w + "\0" for w in words) + "\0")
                    else:
                        value = as_hex(2, words[0] + "\0")
                out.append(f"{name}={value}")
    if not keys:
        raise ValueError(f"no keys for {prefix}")
    return "Windows Registry Editor Version 5.00\n" + "\n".join(out) + "\n"


def build_hive(path, name, prefix, texts, when, preload):
    """The hive at path, from .reg texts whose keys begin with prefix."""
    empty_hive(path, name, when)
    reg = path.with_suffix(".reg")
    reg.write_text(flat_reg(texts, prefix), encoding="utf-8")
    run(["hivexregedit", "--merge", "--prefix", prefix, path, reg], when, preload)
    reg.unlink()
