"""What an incident costs the machine: the cut beside one bare transaction of nft, what is read for
evidence, and the whole runbook on a server of its own (tests/system/incident.bats). Used by
bench/run, as root."""
import json
import os
import re
import signal
import statistics
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROCESSES, FILES = 300, 10000


class Namespace:
    """A network of its own, whose door may be shut."""

    def __init__(self, env):
        self.name, self.env = f"yagura-bench-{os.getpid()}", env

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True, env=self.env)
        self.run(["ip", "link", "set", "lo", "up"])
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "delete", self.name], check=False, env=self.env)

    def run(self, command):
        return subprocess.run(["ip", "netns", "exec", self.name, *command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=self.env, check=False, timeout=120)


class Crowd:
    """So many processes that this host has 300 at least."""

    def __enter__(self):
        here = sum(name.isdigit() for name in os.listdir("/proc"))
        self.children = [subprocess.Popen(["sleep", "600"]) for _ in range(max(0, PROCESSES - here))]
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.send_signal(signal.SIGKILL)
            child.wait()


def isolation(table, skipped, yagura, work, env, runs):
    state = os.path.join(work, "respond")
    base, rules = [yagura, "--state", state, "respond"], os.path.join(work, "rules.nft")
    decided, bare, evidence = [], [], []
    with Crowd(), Namespace(env) as net:
        net.run([*base, "start", "--because", "bench"])
        for _ in range(runs):
            done = net.run([*base, "do", "isolate", "--allow", "192.0.2.1", "--json"])
            steps = [json.loads(line) for line in done.stdout.splitlines()]
            result = next((o["result"] for o in steps if o.get("step") == "isolate" and "in_force_us" in (o.get("result") or {})), None)
            if not result:
                return skipped("isolation", (done.stderr.splitlines() or ["no result"])[-1])
            decided.append(result["in_force_us"] / 1e6)
            evidence.append(sum(folder["took_us"] for folder in result["evidence"]) / 1e6)
            with open(os.path.join(state, "firewall.json"), encoding="utf-8") as f, open(rules, "w", encoding="utf-8") as to:
                to.write(json.load(f)["rules"])
            net.run([*base, "undo", "isolate"])
            start = time.perf_counter()
            net.run(["nft", "-f", rules])
            bare.append(time.perf_counter() - start)
            net.run(["nft", "flush", "ruleset"])
    a, b, c = map(statistics.median, (decided, bare, evidence))
    table.row("isolation, from the decision until in force", f"{a * 1000:.1f} ms", f"nft -f {b * 1000:.1f} ms", f"{a / b:.1f}",
              "<= 50 ms", a <= 0.05)
    table.row(f"evidence of a host with {PROCESSES} processes", f"{c * 1000:.1f} ms", "-", "", "<= 5 s", c <= 5)


def runbook(table, skipped, build, env):
    done = subprocess.run(["bats", os.path.join(ROOT, "tests", "system", "incident.bats"), "-f", "from the alarm to"],
                          capture_output=True, text=True, check=False, timeout=900, stdin=subprocess.DEVNULL,
                          env=dict(env, BUILD=build, SITE_FILES=str(FILES)))
    took = re.search(r"from the alarm to the report: (\d+) ms", done.stdout)
    if not took:
        return skipped("the runbook", (done.stdout.splitlines() or ["bats said nothing"])[-1])
    seconds = int(took[1]) / 1000
    table.row(f"alarm to reconnect, a site of {FILES} files", f"{seconds:.1f} s", "-", "", "< 60 s", seconds < 60)


def responding(table, skipped, yagura, build, work, env, runs):
    if os.geteuid() != 0:
        return skipped("an incident", "only root can cut a host off")
    isolation(table, skipped, yagura, work, env, runs)
    runbook(table, skipped, build, env)
