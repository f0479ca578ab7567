"""Programs are run with a stopped clock, so that the same sources give the same bytes."""
import os
import subprocess


class Failed(Exception):
    """A program did not do its work; the message is what it printed."""


def run(args, when=None, preload=None, **more):
    """Run args; when (a Unix time) is what the program is told the time is."""
    env = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8",
           "TZ": "UTC", "HOME": "/nonexistent", "PERL_HASH_SEED": "0", "MTOOLS_SKIP_CHECK": "1"}
    if when is not None:
        env["STILL_CLOCK"] = str(when)
        env["SOURCE_DATE_EPOCH"] = str(when)
        if preload:
            env["LD_PRELOAD"] = preload
    done = subprocess.run([str(a) for a in args], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(str(a) for a in args)}:\n"
                     + done.stdout.decode("utf-8", "replace"))
    return done.stdout
