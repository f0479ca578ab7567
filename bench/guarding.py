"""How fast a change is undone, beside what administrators build themselves, and what a web server
loses beside the guard. Used by bench/run."""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time

HELPER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "system", "helpers", "guarded")

# What is found on the web for "restore file on change": a watch, and a copy of what is wrong.
INOTIFY = r"""
inotifywait -m -r -q -e modify,close_write,attrib,create,delete,move --format '%w%f' "$1" |
while IFS= read -r path; do
    good="$2${path#"$1"}"
    if [ -d "$good" ] && [ ! -L "$good" ]; then
        [ -d "$path" ] && [ ! -L "$path" ] || { rm -rf "$path"; cp -aT "$good" "$path"; }
    elif [ -e "$good" ] || [ -L "$good" ]; then
        [ "$(stat -c '%F %a %u %g %y %s' "$good")" = "$(stat -c '%F %a %u %g %y %s' "$path" 2>/dev/null)" ] &&
            cmp -s "$good" "$path" && continue
        cp -aT "$good" "$path.good" 2>/dev/null && mv -fT "$path.good" "$path"
    elif [ "${path%.good}" = "$path" ]; then
        rm -rf "$path"
    fi
done"""
RSYNC = r"""while :; do rsync -aX --delete --checksum "$2/" "$1/"; done"""


class Background:
    """A process group of ours, ended as a whole."""

    def __init__(self, command, env, settle=0.7):
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(settle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def guard_on(yagura, state, env):
    background = Background([yagura, "--state", state, "guard"], env, 0)
    end = time.monotonic() + 60
    while time.monotonic() < end and not os.path.exists(os.path.join(state, "guard.sock")):
        time.sleep(0.05)
    time.sleep(0.5)
    return background


def copies_missing(yagura, state, env):
    """How many copies of pages are not ready; None: no guard answers."""
    out = subprocess.run([yagura, "--state", state, "status", "--json"], env=env, capture_output=True, text=True).stdout
    guards = [json.loads(line) for line in out.splitlines() if '"type":"guard"' in line]
    return sum(s["copies_wanted"] - s["copies_ready"] for s in guards[0]["sites"]) if guards else None


def copies_are_ready(yagura, state, env):
    """An attacker comes when the guard has been running for a while. False: it took too long."""
    end = time.monotonic() + 60
    while copies_missing(yagura, state, env) != 0:
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def site(yagura, work, files, env):
    root, copy, state = (os.path.join(work, *p) for p in (("site", "www"), ("copy",), ("guarded",)))
    os.makedirs(os.path.dirname(root))
    subprocess.run([HELPER, "make", root, str(files)], check=True)
    shutil.copytree(root, copy, symlinks=True)
    subprocess.run([yagura, "--state", state, "init", root], check=True, env=env, stdout=subprocess.DEVNULL)
    return root, copy, state


def deface(build, root, way, count, seconds):
    done = subprocess.run([os.path.join(build, "deface"), root, way, str(count), str(seconds)],
                          capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"back": 0, "done": count}


def figure(row, count):
    if row["back"] < count:
        return f"undone {row['back']} of {row['done']}"
    return f"{row['p50_ms']:.2f}/{row['p99_ms']:.1f} ms"


def from_copies(yagura, build, root, state, env, way, count):
    """Milliseconds until each of some single changes was undone from a copy; empty: this way takes none."""
    took = []
    for _ in range(count):
        if not copies_are_ready(yagura, state, env):
            break
        one = deface(build, root, way, 1, 10)
        if not one["back"] or not copies_missing(yagura, state, env):
            break
        took.append(one["p50_ms"])
    return took


def undoing(Table, skipped, yagura, build, work, env, count):
    if os.geteuid() != 0:
        return skipped("undoing a change", "only root sees all changes")
    ways = subprocess.run([os.path.join(build, "deface"), work, "list"], capture_output=True, text=True).stdout.split()
    root, copy, state = site(yagura, work, 200, env)
    config = os.path.join(work, "no-copies.yaml")
    with open(config, "w") as f:
        f.write("guard: {ready_mb: 0}\n")

    def fresh():
        subprocess.run(["umount", "-l", root], stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", root, root + ".deface"], check=True)
        subprocess.run(["cp", "-a", copy, root], check=True)

    peers = [("inotifywait+cp", INOTIFY, "inotifywait"), ("rsync loop", RSYNC, "rsync")]
    for way in ways:
        fresh()
        with guard_on(yagura, state, {**env, "YAGURA_CONFIG": config}):
            ours = deface(build, root, way, count, 10)
        fresh()
        with guard_on(yagura, state, env):
            took = from_copies(yagura, build, root, state, env, way, max(count // 5, 3))
        if took:
            Table.row(f"undoing: {way}, a copy is ready (p50)", f"{statistics.median(took):.2f} ms",
                      f"made anew {figure(ours, count)}", "", "", None)
        for name, script, program in peers:
            if way.startswith("root-"): # a watch on the root has nothing to say there
                continue
            if not shutil.which(program):
                skipped(f"undoing: {way} against {name}", f"{program} is not installed")
                continue
            fresh()
            with Background(["bash", "-c", script, "bash", root, copy], env):
                theirs = deface(build, root, way, count, 2)
            both = ours["back"] == count and theirs["back"] == count
            ratio = theirs["p50_ms"] / ours["p50_ms"] if both and ours["p50_ms"] else 0
            wanted = name == "inotifywait+cp"
            Table.row(f"undoing: {way} (p50/p99)", figure(ours, count), f"{name} {figure(theirs, count)}",
                      f"{ratio:.0f}x" if both else "-", ">= 6x" if wanted else "",
                      ratio >= 6 if both and wanted else None)
    fresh()


def burst(Table, skipped, yagura, build, work, env, files):
    root, copy, state = site(yagura, os.path.join(work, "burst"), files, env)
    ratios = []
    for _ in range(3):
        off = deface(build, copy, "burst", files, 0.01)
        shutil.rmtree(copy)
        with guard_on(yagura, state, env):
            ready = copies_are_ready(yagura, state, env)
            on = deface(build, root, "burst", files, 60)
        subprocess.run(["cp", "-a", root, copy], check=True)
        if ready and (on["back"] == files or on["back"] == on["done"]):
            ratios.append((on["undone_ms"] / off["write_ms"], on["undone_ms"], off["write_ms"]))
    if not ratios:
        skipped(f"a burst of {files} changes", "the copies were not ready, or not all was undone")
    else:
        ratio, on, off = sorted(ratios)[len(ratios) // 2]
        Table.row(f"a burst of {files} changes: all undone", f"{on:,.0f} ms", f"written once {off:,.0f} ms",
                  f"{ratio:.1f}x", "<= 2x", ratio <= 2)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def requests_a_second(port):
    out = subprocess.run(["wrk", "-t1", "-c8", "-d1", f"http://127.0.0.1:{port}/index.html"], capture_output=True,
                         text=True).stdout
    return float(out.split("Requests/sec:")[1].split()[0])


def serving(Table, skipped, yagura, work, env, rounds):
    for program in ("nginx", "wrk"):
        if not shutil.which(program, path=env["PATH"]):
            return skipped("nginx beside the guard", f"{program} is not installed")
    folder = os.path.join(work, "serving")
    root, _, state = site(yagura, folder, 200, env)
    port = free_port()
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w") as f:
        f.write(f"user root;\nworker_processes 1;\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/error;\n"
                f"events {{}}\nhttp {{ access_log off; server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n")
    off, again, on = [], [], []
    with Background(["nginx", "-e", f"{folder}/error", "-p", folder, "-c", conf], env):
        requests_a_second(port)
        for _ in range(rounds):
            off.append(requests_a_second(port))
            with guard_on(yagura, state, env):
                on.append(requests_a_second(port))
            again.append(requests_a_second(port))
    ratio = statistics.median(on) / statistics.median(off)
    itself = sorted(b / a for a, b in zip(off, again))
    spread = f"nothing against itself {itself[len(itself) // 4]:.2f}-{itself[-len(itself) // 4]:.2f}"
    Table.row(f"nginx beside the guard ({rounds} rounds)", f"{statistics.median(on):,.0f}/s", spread, f"{ratio:.2f}x",
              ">= 0.95x", ratio >= 0.95)
