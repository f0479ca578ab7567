"""expected.py YAGURA IMAGES EXPECTED.tsv: each image against what is right of it.

A row is image, id, verdict (or several, with | between), reason. Ids: an advisory (its tracking id), a checklist id
(IIS-nnn), or KIND:WHAT for a fact that an advisory or rule takes note of; patch ids are what
an advisory's finding names. not_affected is also met by no finding. Prints each mismatch."""
import collections
import json
import re
import subprocess
import sys

yagura, images, table = sys.argv[1:4]
RANK = ["broken", "affected", "unknown", "fixed", "not_affected"]


def run(*words):
    done = subprocess.run([yagura, *words, "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{words}: {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def look(image):
    path = f"{images}/{image}.img"
    audit = run("audit", "--image", path, "--as-of", "2001-06-06")
    checks = run("audit", "--checklist", "--image", path)
    facts = run("facts", "--image", path)
    return ([o for o in audit if o["type"] == "finding"],
            [o for o in checks if o["type"] == "check"],
            [o for o in facts if o["type"] == "fact"])


def of_check(checks, wanted):
    outcomes = {o["outcome"] for o in checks if o["checklist_id"] == wanted}
    if "fires" in outcomes:
        return "affected"
    return "unknown" if "unknown" in outcomes else "not_affected"


def of_fact(findings, facts, wanted):
    """The evidence or subject of some finding speaks of it."""
    kind, what = wanted.split(":", 1)
    for f in findings:
        text = json.dumps([f["subject"], f["evidence"], f["rule"]["id"], f["summary"]]).lower()
        if kind == "leaving" and f["subject"]["kind"] != "leaving":
            continue
        if f["verdict"] in ("affected", "broken") and what.lower() in text:
            return "affected"
    return "not_affected"


def main():
    rows = collections.OrderedDict()
    for line in open(table):
        if line.strip() and not line.startswith("#"):
            image, ident, verdict, reason = line.rstrip("\n").split("\t")
            rows.setdefault(image, []).append((ident, verdict, reason))
    wrong = total = 0
    for image, wants in rows.items():
        findings, checks, facts = look(image)
        for ident, verdict, reason in wants:
            total += 1
            if re.match(r"IIS-\d+$", ident):
                got = of_check(checks, ident)
            elif ":" in ident:
                got = of_fact(findings, facts, ident)
            else:
                verdicts = [f["verdict"] for f in findings
                            if ident in (f["rule"]["id"], *f.get("patches", []))]
                got = min(verdicts, key=RANK.index) if verdicts else "not_affected"
                if re.match(r"\d{6}-\d\d$", ident) and not verdicts:
                    got = "fixed" if any(f["kind"] == "hotfix" and f.get("id") == ident
                                         for f in facts) else "not_affected"
            if got not in verdict.split("|"):
                wrong += 1
                print(f"{image}: {ident}: {got}, but {verdict} is right: {reason}")
    print(f"{total} rows, {wrong} wrong")
    return 1 if wrong or total < 80 else 0


sys.exit(main())
