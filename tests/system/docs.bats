# What README and docs/json.md say is what the program does.
load lib

# follows README OUTPUT START: the lines that README shows below "$ START" stand in OUTPUT, in this
# order. "…" in README stands for what is left out there.
follows() {
    /usr/bin/python3 - "$@" <<'PY'
import sys
readme, output, start = sys.argv[1:]
shown, on = [], False
for line in open(readme, encoding="utf-8").read().splitlines():
    if line.startswith("    $ "):
        on = line[6:] == start
    elif line and not line.startswith("    "):
        on = False
    elif on and line.strip() not in ("", "…"):
        shown.append(line[4:])
assert len(shown) > 20, f"{readme} shows no screen of {start}"
said = iter(open(output, encoding="utf-8").read().splitlines())
for line in shown:
    assert line in said, f"{readme} shows, and {start} does not say there: {line}"
PY
}

@test "the screens of README are the program's own, in both languages" {
    local words
    images
    mkdir "$WORK/build"
    ln -s "$YAGURA" "$WORK/build/yagura"
    ln -s "$IMAGES" "$WORK/build/demo"
    cd "$WORK"
    for words in audit "patch plan"; do
        words="$words --image build/demo/windows2000-iis5-found.img --as-of 2001-06-06"
        COLUMNS=80 code 1 build/yagura $words
        printf '%s\n' "$stdout" >"$WORK/en"
        follows "$ROOT/README.md" "$WORK/en" "build/yagura $words"
        COLUMNS=80 code 1 build/yagura --lang ja $words
        printf '%s\n' "$stdout" >"$WORK/ja"
        follows "$ROOT/README.ja.md" "$WORK/ja" "build/yagura --lang ja $words"
    done
}

@test "both READMEs name every document of docs" {
    local document readme
    for document in "$ROOT"/docs/*.md; do
        for readme in README.md README.ja.md; do
            grep -q "docs/$(basename "$document")" "$ROOT/$readme" || {
                echo "$readme does not name $(basename "$document")"
                false
            }
        done
    done
}

@test "a runbook of one's own can be written from the document alone" {
    local name
    sed -n '/^## A runbook of your own/,$s/^    //p' "$ROOT/docs/respond.md" >"$WORK/ours.yaml"
    code 0 "$YAGURA" respond print --runbook "$WORK/ours.yaml"
    says "Cut the server off" "Call the provider"
    sed -n '/^## A runbook of your own/,$p' "$ROOT/docs/respond.md" >"$WORK/section"
    for name in $(sed -n 's/.*{\.name = "\([a-z-]*\)".*/\1/p' "$ROOT/src/respond/actions.c" "$ROOT/src/respond/checks.c"); do
        grep -Eq "[\`: ]$name[\`:,}]" "$WORK/section" || {
            echo "docs/respond.md does not name $name"
            false
        }
    done
}

@test "every type that is printed as JSON stands in the contract" {
    /usr/bin/python3 - "$ROOT" <<'PY'
import glob, re, sys
root = sys.argv[1]
types = set()
for path in glob.glob(root + "/src/*/*.c"):
    if "/collect/" in path: # what a socket or a login is
        continue
    source = open(path, encoding="utf-8").read()
    for call in re.findall(r'json_put_string\(\w+, "type",([^;]*)\);', source):
        types.update(re.findall(r'"([^"]+)"', call))
    # those whose type is handed in
    for call in re.findall(r'\b(?:item_json|message_line)\([^;"]*("[^;]*)\);', source):
        types.update(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', call))
types.discard("key") # the name of another member
assert {"finding", "summary", "incident-step", "patch-run", "given-back", "obstacle"} <= types, types
contract = "".join(open(f"{root}/docs/{name}.md", encoding="utf-8").read() for name in ("json", "evidence"))
missing = sorted(name for name in types if f"`{name}`" not in contract)
assert not missing, missing
PY
}

@test "respond ends with 1 exactly where its summary has found something" {
    local action
    as_root
    mkdir "$WORK/www"
    code 0 "$YAGURA" respond start --root "$WORK/www" --because test --json
    holds 'every[-1]["found"] == 0'
    for action in status next; do
        code 1 "$YAGURA" respond $action --json
        holds 'every[-1]["type"] == "summary" and every[-1]["found"] == 1'
    done
}

@test "the man pages fit into 80 columns, and what they show to be typed can be typed" {
    local lang
    program man
    for lang in en ja; do
        code 0 "$YAGURA" --lang "$lang" help --man
        printf '%s\n' "$stdout" >"$WORK/yagura.1"
        MANWIDTH=80 code 0 man -l "$WORK/yagura.1"
        says '--because "pilot host"' YAGURA_CONFIG /etc/yagura/yagura.yaml
        narrow 80
        # no word of Japanese or English stands apart from the next for the sake of the right edge
        run grep -E '[^ ]  +[^ ]' <(sed '1d;$d' <<<"$stdout" | grep -vE '^ {7}(--[a-z]+|-V|-h) ')
        [ "$status" -eq 1 ] || { echo "$output" | head -5; false; }
    done
}
