#!/usr/bin/env python3
"""No shipped rule names what came after its own day: the bulletins (their days are those of the
shipped advisories) and the worms. What stands under `later` has a day of its own, what asks for
a patch that of the patch. Usage: rules_dates.py SOURCE-ROOT"""
import datetime
import glob
import json
import re
import sys

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not there", file=sys.stderr)
    sys.exit(77)

ALWAYS = datetime.date(1900, 1, 1)
WORDS = {
    r"sadmind/IIS|\bworm of May": datetime.date(2001, 5, 8),
    r"Code Red": datetime.date(2001, 7, 13),
    r"Nimda": datetime.date(2001, 9, 18),
    r"CA-2001-11": datetime.date(2001, 5, 8),
    r"\bMS03-007": datetime.date(2003, 3, 17),
    r"\bCVE-2003-": datetime.date(2003, 1, 1),
}


def bulletins(root):
    for path in glob.glob(root + "/data/advisories/*/ms*.json"):
        tracking = json.load(open(path, encoding="utf-8"))["document"]["tracking"]
        yield tracking["id"], datetime.date.fromisoformat(tracking["initial_release_date"][:10])


def too_early(text, day, known):
    for word, first in WORDS.items():
        if re.search(word, text, re.I) and day < first:
            yield re.search(word, text, re.I)[0]
    for bulletin in re.findall(r"\bMS\d\d-\d{3}\b", text, re.I):
        if day < known.get(bulletin.upper(), ALWAYS):
            yield bulletin


def main():
    root, wrong, count = sys.argv[1], [], 0
    known = dict(bulletins(root))
    known["MS98-004"] = known["MS99-025"]
    known["MS99-025"] = datetime.date(1999, 7, 19)
    for path in sorted(glob.glob(root + "/data/rules/*/*.yml")):
        rule = yaml.safe_load(open(path, encoding="utf-8"))
        ours = rule.get("yagura") or {}
        if ours.get("helper") or ours.get("patches"):
            continue
        count += 1
        texts = [rule["title"], rule["description"], ours.get("source", ""), *rule.get("references", []),
                 ours.get("why", ""), ours.get("fix", ""), *ours.get("steps", [])]
        dated = [(t, ours.get("since", ALWAYS)) for t in texts]
        for later in ours.get("later", []):
            dated += [(later.get(k, ""), later["date"]) for k in ("text", "source", "reference")]
        wrong += [f"{path}: names {word} before it was there: {text}"
                  for text, day in dated for word in too_early(text, day, known)]
    print("\n".join(wrong + [f"{count} rules, {len(wrong)} wrong"]), file=sys.stderr)
    return 1 if wrong or not count or len(known) < 60 else 0


sys.exit(main())
