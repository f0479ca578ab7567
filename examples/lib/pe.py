"""Stand-ins for system files: real PE images that hold a version resource and nothing else.

The numbers in VS_FIXEDFILEINFO are what proves a patch; the text beside them is written
as Microsoft wrote it (5.00.2195.2100), which is why nobody should read that one.
"""
import concurrent.futures
import hashlib

from .run import run

STUB = "int __stdcall start(void *a, unsigned b, void *c) { return a && b && c ? 1 : 0; }\n"

RC = """1 VERSIONINFO
FILEVERSION {commas}
PRODUCTVERSION {commas}
FILEFLAGSMASK 0x3fL
FILEOS 0x40004L
FILETYPE {kind}
{{
  BLOCK "StringFileInfo" {{
    BLOCK "040904B0" {{
      VALUE "CompanyName", "yagura examples"
      VALUE "FileDescription", "stand-in for {name}"
      VALUE "FileVersion", "{text}"
      VALUE "OriginalFilename", "{name}"
    }}
  }}
  BLOCK "VarFileInfo" {{
    VALUE "Translation", 0x0409, 1200
  }}
}}
"""


def numbers(version):
    parts = [int(p) for p in version.split(".")]
    if len(parts) != 4 or max(parts) > 0xFFFF:
        raise ValueError(f"not a file version: {version}")
    return parts


class Maker:
    """Makes each (name, version) once and keeps it in the cache folder."""

    def __init__(self, cache):
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        self.stub = cache / "stub.o"
        if not self.stub.exists():
            source = cache / "stub.c"
            source.write_text(STUB)
            run(["i686-w64-mingw32-gcc", "-Os", "-c", "-o", self.stub, source])

    def path(self, name, version):
        return self.cache / f"{name.lower()}-{version}"

    def make(self, name, version):
        name = name.lower()              # hosts spell it in their own way, the cache does not
        path = self.path(name, version)
        if path.exists():
            return
        a, b, c, d = numbers(version)
        dll = not name.lower().endswith((".exe", ".sys"))
        base = path.with_name(path.name + ".rc")
        base.write_text(RC.format(commas=f"{a},{b},{c},{d}", text=f"{a}.{b:02}.{c}.{d}",
                                  name=name, kind=2 if dll else 1))
        res = path.with_name(path.name + ".res.o")
        # A preprocessor would only cost time here; cat leaves the text as it is.
        run(["i686-w64-mingw32-windres", "--preprocessor=cat", "-O", "coff", base, res])
        fresh = path.with_name(path.name + ".new")
        run(["i686-w64-mingw32-ld", "-s", "--no-insert-timestamp", "--subsystem", "windows",
             "-e", "_start@12", *(["-shared"] if dll else []), "-o", fresh, self.stub, res])
        fresh.rename(path)
        base.unlink()
        res.unlink()

    def make_all(self, wanted):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(self.make, n, v) for n, v in sorted(set(wanted))]:
                done.result()


def noise(seed, size):
    """Bytes that look like a file nobody can read, the same every time."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(f"{seed}/{len(out)}".encode()).digest()
    return out[:size]
