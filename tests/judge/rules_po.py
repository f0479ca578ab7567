#!/usr/bin/env python3
"""Every text of the shipped rules has its Japanese in po/rules/ja.po, nothing else is there,
and the places in braces are the same on both sides; what the YARA rules say of a file likewise in
po/yara/ja.po. Usage: rules_po.py SOURCE-ROOT"""
import ast
import glob
import re
import sys

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not there", file=sys.stderr)
    sys.exit(77)


def read_po(path):
    pairs, current, into = {}, {"msgid": "", "msgstr": ""}, None
    for line in open(path, encoding="utf-8").read().split("\n") + ["msgid \"\""]:
        m = re.match(r'(msgid|msgstr) (".*")$', line)
        if m and m.group(1) == "msgid":
            if current["msgid"]:
                pairs[current["msgid"]] = current["msgstr"]
            current = {"msgid": "", "msgstr": ""}
        if m:
            into = m.group(1)
            current[into] += ast.literal_eval(m.group(2))
        elif line.startswith('"'):
            current[into] += ast.literal_eval(line)
    return pairs


def texts_of(rule):
    ours = rule.get("yagura") or {}
    yield from (rule["title"], rule["description"])
    yield from rule.get("falsepositives") or []
    yield from (ours[k] for k in ("why", "fix") if k in ours)
    yield from ours.get("steps") or []
    yield from (later["text"] for later in ours.get("later") or [] if "text" in later)


def main():
    root = sys.argv[1]
    po = read_po(root + "/po/rules/ja.po")
    wanted, wrong = {}, []
    for path in sorted(glob.glob(root + "/data/rules/*/*.yml")):
        for text in texts_of(yaml.safe_load(open(path, encoding="utf-8"))):
            wanted.setdefault(text, path)
    for text, path in wanted.items():
        if not po.get(text):
            wrong.append("%s: not in Japanese: %s" % (path, text))
        elif sorted(re.findall(r"\{\w+\}", text)) != sorted(re.findall(r"\{\w+\}", po[text])):
            wrong.append("%s: other places in the Japanese of: %s" % (path, text))
    wrong += ["no rule says any more: " + t for t in po if t not in wanted]
    yara = read_po(root + "/po/yara/ja.po")
    said = {text: path for path in sorted(glob.glob(root + "/data/yara/*.yar"))
            for text in re.findall(r'^\s+what = "(.*)"$', open(path, encoding="utf-8").read(), re.M)}
    wrong += ["%s: not in Japanese: %s" % (path, t) for t, path in said.items() if not yara.get(t)]
    wrong += ["no YARA rule says any more: " + t for t in yara if t not in said]
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print("%d texts, %d wrong" % (len(wanted), len(wrong)), file=sys.stderr)
    return 1 if wrong or not wanted else 0


sys.exit(main())
