#!/usr/bin/env python3
"""An evaluator of Sigma detections, written apart from the one in C and as simply as can be
(wildcards are sets of positions, base64 is the library's), and a comparison of the
two over generated cases. Usage: sigma_reference.py SIGMA_SAYS [CASES [SEED]]"""
import base64
import ipaddress
import itertools
import random
import re
import subprocess
import sys

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not there", file=sys.stderr)
    sys.exit(77)

F, U, T = 0, 1, 2  # Kleene's order: and is the least, or the greatest, not 2 - x
ANSWERS = {F: "false", U: "unknown", T: "true"}


class Refused(Exception):
    pass


class Many:  # *
    pass


class One:  # ?
    pass


def ascii_lower(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def parts_of(text):
    """Characters and wildcards of a value."""
    out, escaped = [], False
    for c in text:
        if escaped:
            out += [c] if c in "*?\\" else ["\\", c]
            escaped = False
        elif c == "\\":
            escaped = True
        elif c in "*?":
            out.append(Many if c == "*" else One)
        else:
            out.append(c)
    return out + (["\\"] if escaped else [])


def pattern_matches(parts, text, cased):
    if not cased:
        text = ascii_lower(text)
        parts = [p if not isinstance(p, str) else ascii_lower(p) for p in parts]
    ends = {0}  # where the parts so far may have ended
    for p in parts:
        if p is Many:
            ends = set(range(min(ends), len(text) + 1)) if ends else ends
        else:
            ends = {e + 1 for e in ends if e < len(text) and (p is One or text[e] == p)}
    return len(text) in ends


DASHES = "-/\u2013\u2014\u2015"


def windash(parts):
    choices = []
    for i, p in enumerate(parts):
        def word(k):
            return 0 <= k < len(parts) and isinstance(parts[k], str) and \
                re.match(r"\w", parts[k]) is not None
        begins = isinstance(p, str) and p in DASHES and not word(i - 1) and word(i + 1)
        choices.append(list(DASHES) if begins else [p])
    return [list(c) for c in itertools.product(*choices)]


def number(text):
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        return None
    from fractions import Fraction
    return Fraction(text)


def is_null(node):
    return isinstance(node, yaml.ScalarNode) and node.style is None and \
        node.value in ("", "~", "null", "Null", "NULL")


KNOWN = ["all", "neq", "cased", "contains", "startswith", "endswith", "windash", "base64",
         "base64offset", "wide", "utf16le", "utf16be", "utf16", "re", "i", "m", "s", "cidr",
         "exists", "fieldref", "lt", "lte", "gt", "gte"]


def one_value(node, mods, field, record):
    """A function of a text (or of None, for absent) to True or False."""
    plain = [m for m in mods if m not in ("all", "neq")]
    if is_null(node):
        if plain or field is None:
            raise Refused("null with modifiers")
        return lambda text: text is None
    value = node.value
    if plain and plain[0] == "exists":
        if len(plain) > 1 or field is None or value.lower() not in ("true", "false"):
            raise Refused("exists")
        return lambda text: (text is not None) == (value.lower() == "true")
    if "cidr" in plain:
        if len(plain) > 1 or field is None:
            raise Refused("cidr")
        try:
            network = ipaddress.ip_network(value)
        except ValueError:
            raise Refused("cidr")

        def inside(text):
            try:
                return text is not None and ipaddress.ip_address(text) in network
            except ValueError:
                return False
        return inside
    if plain and plain[0] == "re":
        flags = 0
        for m in plain[1:]:
            if m not in "ims":
                raise Refused("re")
            flags |= {"i": re.I, "m": re.M, "s": re.S}[m]
        compiled = re.compile(value, flags)
        return lambda text: text is not None and compiled.search(text) is not None
    for name, holds in (("lt", lambda a, b: a < b), ("lte", lambda a, b: a <= b),
                        ("gt", lambda a, b: a > b), ("gte", lambda a, b: a >= b)):
        if name in plain:
            wanted = number(value)
            if len(plain) > 1 or wanted is None:
                raise Refused("compare")
            return lambda text, holds=holds: text is not None and number(text) is not None and \
                holds(number(text), wanted)
    cased = "cased" in plain
    if "fieldref" in plain:
        front = "contains" in plain or "endswith" in plain
        back = "contains" in plain or "startswith" in plain
        if field is None or any(not isinstance(p, str) for p in parts_of(value)):
            raise Refused("fieldref")
        other = record.get(("".join(parts_of(value))).lower(), ("absent", ""))

        def refers(text):
            if text is None or other[0] == "absent":
                return False
            if other[0] == "unreadable":
                return None
            return pattern_matches(([Many] if front else []) + list(other[1]) +
                                   ([Many] if back else []), text, cased)
        return refers
    variants = [parts_of(value)]
    wide = False
    for m in plain:
        if m == "contains":
            variants = [[Many] + v + [Many] for v in variants]
        elif m == "startswith":
            variants = [v + [Many] for v in variants]
        elif m == "endswith":
            variants = [[Many] + v for v in variants]
        elif m == "windash":
            variants = [w for v in variants for w in windash(v)]
        elif m in ("wide", "utf16le", "utf16be", "utf16", "base64", "base64offset"):
            if any(not isinstance(p, str) and not isinstance(p, bytes)
                   for v in variants for p in v):
                raise Refused("bytes of wildcards")
            data = b"".join(p.encode() if isinstance(p, str) else p for p in variants[0])
            if m == "base64":
                variants = [list(base64.b64encode(data).decode())]
                wide = False
            elif m == "base64offset":
                # What is the same whatever stands around: seen by trying what may stand there
                variants = [common(data, shift) for shift in range(3)]
                wide = False
            else:
                coded = data.decode().encode("utf-16-be" if m == "utf16be" else "utf-16-le")
                variants = [[(b"\xff\xfe" if m == "utf16" else b"") + coded]]
                wide = True
    if wide:
        raise Refused("utf16 alone")
    if field is None:
        variants = [[Many] + v + [Many] for v in variants]
    wanted = None
    if field is not None and not plain and node.style is None and \
            re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", value):
        wanted = number(value)

    def equals(text):
        if text is None:
            return False
        if wanted is not None and number(text) is not None:
            return number(text) == wanted
        return any(pattern_matches(v, text, cased) for v in variants)
    return equals


def common(data, shift):
    """The signs of Base64 that hold the data alone, at an offset of `shift` bytes."""
    texts = [base64.b64encode(bytes([fill]) * shift + data + bytes([fill]) * tail).decode()
             for fill in (0, 255, 65) for tail in (0, 1, 2)]
    out = []
    for i in range(-(-shift * 8 // 6), (shift + len(data)) * 8 // 6):
        signs = {t[i] for t in texts}
        assert len(signs) == 1
        out.append(signs.pop())
    return out


def line(key, node, record):
    name, *mods = key.split("|")
    field = name or None
    if any(m not in KNOWN for m in mods) or len(set(mods)) != len(mods):
        raise Refused("modifier")
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not nodes or any(not isinstance(n, yaml.ScalarNode) for n in nodes):
        raise Refused("values")
    tests = [one_value(n, mods, field, record) for n in nodes]

    def of(test):
        if field is not None:
            state, text = record.get(field.lower(), ("absent", ""))
            if state == "unreadable":
                return U
            got = test(text if state == "text" else None)
            return U if got is None else T if got else F
        if any(state == "text" and test(text) for state, text in record.values()):
            return T
        return U if any(state == "unreadable" for state, _ in record.values()) else F
    answers = [of(test) for test in tests]
    answer = min(answers) if "all" in mods else max(answers)
    return 2 - answer if "neq" in mods else answer


def selection(node, record):
    if isinstance(node, yaml.MappingNode):
        if not node.value:
            raise Refused("empty map")
        return min(line(k.value, v, record) for k, v in node.value)
    if isinstance(node, yaml.SequenceNode):
        if not node.value:
            raise Refused("empty list")
        return max(selection(n, record) if isinstance(n, yaml.MappingNode) else
                   line("", n, record) for n in node.value)
    return line("", node, record)


def condition(text, answers):
    tokens = re.findall(r"[()]|[^\s()]+", text)

    def disjunction():
        answer = conjunction()
        while tokens and tokens[0] == "or":
            tokens.pop(0)
            answer = max(answer, conjunction())
        return answer

    def conjunction():
        answer = negation()
        while tokens and tokens[0] == "and":
            tokens.pop(0)
            answer = min(answer, negation())
        return answer

    def negation():
        token = tokens.pop(0)
        if token == "not":
            return 2 - negation()
        if token == "(":
            answer = disjunction()
            tokens.pop(0)
            return answer
        if token in ("1", "any", "all") and tokens and tokens[0] == "of":
            tokens.pop(0)
            pattern = tokens.pop(0)
            pattern = "*" if pattern == "them" else pattern
            chosen = [a for n, a in answers.items() if not n.startswith("_") and
                      re.fullmatch(pattern.replace("*", ".*"), n)]
            if not chosen:
                raise Refused("no such selection")
            return min(chosen) if token == "all" else max(chosen)
        if token not in answers:
            raise Refused("no such selection")
        return answers[token]

    answer = disjunction()
    if tokens:
        raise Refused("rest")
    return answer


def reference(text, record):
    detection = dict((k.value, v) for k, v in yaml.compose(text).value)["detection"]
    nodes = dict((k.value, v) for k, v in detection.value)
    conditions = nodes.pop("condition")
    answers = {name: selection(node, record) for name, node in nodes.items()}
    lines = conditions.value if isinstance(conditions, yaml.SequenceNode) else [conditions]
    return ANSWERS[max(condition(n.value, answers) for n in lines)]


# --- generated cases: few letters, so that things match by chance ---

FIELDS = ["alpha", "beta", "HKLM\\Sys!Value", "file:/etc/x"]
ATOMS = ["a", "b", "A", "ab", "\\", "*", "?", "\\*", "\\?", "\\\\", ".", "-a", "/b", "\u2013a", " ",
         "10", "5", "\u00e9", "\u3042", "\n"]
NUMBERS = ["5", "05", "5.0", "-3", "10", "9.99", "0", "123456789012345678901234567890", "7x", ""]
ADDRESSES = ["10.1.2.3", "10.2.0.1", "192.168.0.1", "2001:db8::1", "::1", "no address", "10.1.2"]
EXPRESSIONS = ["a+b", "^a", "b$", "[^a]", "(a|b)b", "a.b", "^$", "a{2}", "\\.", "A"]


def text_of(r, most=4):
    return "".join(r.choice(ATOMS) for _ in range(r.randrange(most + 1)))


def value_text(r):
    kind = r.randrange(10)
    if kind < 5:
        return text_of(r, 5)
    if kind < 7:
        return r.choice(NUMBERS)
    if kind < 8:
        return r.choice(ADDRESSES)
    data = text_of(r).encode()
    return r.choice(["", "x", "xyz"]) + base64.b64encode(b" " * r.randrange(3) + data + b"z").decode()


def record_of(r):
    record = {}
    for name in FIELDS:
        state = r.choices(["text", "absent", "unreadable", "none"], [8, 2, 2, 2])[0]
        if state != "none":
            record[name.lower()] = (state, value_text(r) if state == "text" else "")
    return record


def quote(text):
    return '"' + "".join("\\" + c if c in '"\\' else "\\n" if c == "\n" else c
                         for c in text) + '"'


def line_of(r, record, keyword=False):
    field = "" if keyword else r.choice(FIELDS)
    kind = r.choice(["text"] * 8 + ["number", "compare", "re", "cidr", "exists", "ref", "null",
                                    "bytes", "copy", "copy"])
    if keyword and kind in ("cidr", "exists", "ref", "null", "compare", "number"):
        kind = "text"
    mods, make = [], None
    if kind == "text":
        mods = r.choice([[], [], ["contains"], ["startswith"], ["endswith"], ["cased"],
                         ["contains", "cased"], ["windash"], ["windash", "contains"],
                         ["endswith", "windash"]])
        make = lambda: quote(text_of(r))
    elif kind == "copy":  # a part of what is there, so that something matches
        mods = r.choice([[], ["contains"], ["startswith"], ["endswith"], ["cased", "contains"]])
        texts = [t for s, t in record.values() if s == "text" and t] or ["a"]

        def make():
            text = r.choice(texts)
            i, k = sorted(r.randrange(len(text) + 1) for _ in range(2))
            part = r.choice([text, text[i:k], text[:i], text[i:]])
            part = re.sub(r"[*?\\]", lambda m: "\\" + m.group(), part)
            return quote(r.choice([part, part.swapcase() if part.isascii() else part, part + "*"]))
    elif kind == "number":
        make = lambda: r.choice([n for n in NUMBERS if n])
    elif kind == "compare":
        mods = [r.choice(["lt", "lte", "gt", "gte"])]
        make = lambda: r.choice([n for n in NUMBERS if number(n) is not None])
    elif kind == "re":
        mods = ["re"] + r.choice([[], ["i"], ["m"], ["s"], ["i", "s"]])
        make = lambda: quote(r.choice(EXPRESSIONS))
    elif kind == "cidr":
        mods = ["cidr"]
        make = lambda: quote(r.choice(["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::/0",
                                       "0.0.0.0/0", "10.1.2.0/23", "10.1.2.0/9", "bad"]))
    elif kind == "exists":
        return field + "|exists", r.choice(["true", "false"])
    elif kind == "ref":
        mods = ["fieldref"] + r.choice([[], ["contains"], ["startswith"], ["endswith"], ["cased"]])
        make = lambda: quote(r.choice(FIELDS))
    elif kind == "null":
        make = lambda: r.choice(["null", "~", "''", "'null'", ""])
    else:
        mods = r.choice([["base64"], ["base64offset"], ["base64offset", "contains"],
                         ["wide", "base64offset", "contains"], ["utf16", "base64"],
                         ["utf16be", "base64offset", "contains"], ["wide"]])
        make = lambda: quote(r.choice(["a", "ab", "A", "ab\u00e9", "a*"]))
    if r.random() < 0.1:
        mods = mods + ["neq"]
    count = r.choice([1, 1, 1, 2, 3])
    if count > 1 and r.random() < 0.3:
        mods = mods + ["all"]
    values = [make() or "null" for _ in range(count)]
    return "|".join([field] + mods), values[0] if count == 1 else "[" + ", ".join(values) + "]"


def map_of(r, record, indent):
    lines = {}
    for _ in range(r.choice([1, 1, 2, 3])):
        key, value = line_of(r, record, keyword=r.random() < 0.05)
        lines[key] = value
    return [indent + quote(k) + ": " + v for k, v in lines.items()]


def expression_of(r, names, depth=0):
    kind = r.randrange(9 if depth < 4 else 4)
    if kind < 3:
        return r.choice(names)
    if kind == 3:
        return r.choice(["1", "any", "all"]) + " of " + r.choice(["them", "sel*", "*", "x_*"])
    if kind < 6:
        return "not " + r.choice(["%s", "(%s)"]) % expression_of(r, names, depth + 1)
    pair = tuple(expression_of(r, names, depth + 1) for _ in range(2))
    return r.choice(["%s and %s", "%s or %s", "(%s or %s)", "(%s and %s)"]) % pair


def case_of(r):
    record = record_of(r)
    names = r.sample(["sel", "sel_one", "selection2", "filter", "_hidden", "not_this", "x-y"],
                     r.randrange(1, 5))
    out = ["detection:"]
    for name in names:
        out.append("  " + name + ":")
        kind = r.randrange(6)
        if kind < 4:
            out += map_of(r, record, "    ")
        elif kind == 4:
            for _ in range(r.choice([1, 2, 3])):
                lines = map_of(r, record, "      ")
                out += ["    - " + lines[0].strip()] + lines[1:]
        else:
            out += ["    - " + quote(text_of(r) or "a") for _ in range(r.choice([1, 2]))]
    conditions = [expression_of(r, names) for _ in range(r.choice([1, 1, 1, 2]))]
    out.append("  condition: " + (conditions[0] if len(conditions) == 1 else
                                  "[" + ", ".join(quote(c) for c in conditions) + "]"))
    return "\n".join(out) + "\n", record


def main():
    program = sys.argv[1]
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20010606
    r = random.Random(seed)
    made = [case_of(r) for _ in range(cases)]
    wire = b""
    for text, record in made:
        body = text.encode()
        wire += b"rule %d\n" % len(body) + body
        for key, (state, value) in record.items():
            k, v = key.encode(), value.encode()
            wire += b"value %s %d %d\n" % (state.encode(), len(k), len(v)) + k + v
        wire += b"end\n"
    said = subprocess.run([program], input=wire, stdout=subprocess.PIPE, check=True).stdout
    lines = said.decode().splitlines()
    tally, wrong = {}, 0
    assert len(lines) == len(made), (len(lines), len(made))
    for (text, record), got in zip(made, lines):
        try:
            expected = reference(text, record)
        except Refused as why:
            expected = "refused"
        got_kind = got.split(":")[0]
        tally[expected] = tally.get(expected, 0) + 1
        if got_kind != expected:
            wrong += 1
            if wrong <= 3:
                print(text, record, "\nexpected:", expected, " got:", got, "\n", file=sys.stderr)
    print("%d cases, %d differ; %s" % (len(made), wrong, tally), file=sys.stderr)
    few = [k for k in ("true", "false", "unknown", "refused") if tally.get(k, 0) * 50 < len(made)]
    if few:
        print("too few cases of:", few, file=sys.stderr)
    return 1 if wrong or few else 0


sys.exit(main())
