#!/usr/bin/env bats
# The checklists' score, and what is said to those who write rules.
load lib

rule() { # NAME, then lines that replace the ones that begin alike
    mkdir -p "$WORK/rules"
    cat >"$WORK/rules/$1.yml" <<'YAML'
title: A service of that name
id: 0a9f0b6e-7c5d-4b6f-9a51-1d2f3c4b5a69
description: '{name} is there.'
logsource:
  category: service
  product: windows
detection:
  selection:
    name: iis
  condition: selection
level: low
yagura:
  set: iis5
  why: It is a test.
  fix: Nothing.
  steps: [nothing]
  examples:
    - record: {name: iis}
      expect: fires
    - record: {name: other}
      expect: quiet
YAML
}

@test "a good rule is clean, a bad one is named with file, line and column, and the code is 1" {
    rule good
    code 0 "$YAGURA" rules lint "$WORK/rules"
    says "1 rule, 0 wrong, 0 warnings"
    code 0 "$YAGURA" rules test "$WORK/rules"
    rule field
    sed -i "s/    name: iis/    colour|re: 'x'/" "$WORK/rules/field.yml"
    code 0 "$YAGURA" rules lint "$WORK/rules"
    says "$WORK/rules/field.yml:9:5: warning: "
    code 0 "$YAGURA" rules lint "$WORK/rules" --json
    holds '[o for o in every if o["type"] == "problem" and (o["line"], o["column"], o["warning"]) == (9, 5, True)]'
    sed -i "s/colour|re/colour|nosuch/" "$WORK/rules/field.yml"
    code 1 "$YAGURA" rules lint "$WORK/rules"
    says "$WORK/rules/field.yml:9:5: "
    rm "$WORK/rules/field.yml"
    rule set
    sed -i "s/  set: iis5/  set: iss5/" "$WORK/rules/set.yml"
    code 0 "$YAGURA" rules lint "$WORK/rules"
    says "$WORK/rules/set.yml:13:8: warning: unknown set"
    rule broken
    printf '  - nonsense\n' >>"$WORK/rules/broken.yml"
    code 1 "$YAGURA" rules lint "$WORK/rules"
    says "broken.yml:22:"
    says_not ":0:0"
}

@test "an example that the rule contradicts is named, and the code is 1" {
    rule contradicted
    sed -i 's/expect: quiet/expect: fires/' "$WORK/rules/contradicted.yml"
    code 1 "$YAGURA" rules test "$WORK/rules"
    says "$WORK/rules/contradicted.yml:20:7: " '"fires"' '"quiet"'
    code 1 "$YAGURA" rules test "$WORK/rules" --json
    holds 'summary["found"] == 1'
}

@test "the score: what cannot be judged counts as open, and it has one decimal" {
    local root=$WORK/root
    mkdir -p "$root/etc"
    printf 'ID=alpine\nVERSION_ID=3.19\nPRETTY_NAME="Alpine Linux v3.19"\n' >"$root/etc/os-release"
    code 1 "$YAGURA" audit --checklist linux --root "$root" --json
    # each rule of this set has the weight 1 (docs/rules.md)
    holds '[o for o in every if o.get("outcome") == "unknown"]' \
        'abs(summary["exposure"] - 10 * sum({"info": .1, "low": .3, "medium": 1, "high": 2, "critical": 4}[o["severity"]] for o in every if o["type"] == "check" and o["outcome"] != "quiet") / sum({"info": .1, "low": .3, "medium": 1, "high": 2, "critical": 4}[o["severity"]] for o in every if o["type"] == "check")) <= 0.051'
    [[ "$stdout" =~ \"exposure\":[0-9]+\.[0-9][,}] ]]
    local score=${BASH_REMATCH[0]}
    score=${score#*:}
    code 1 "$YAGURA" audit --checklist linux --root "$root"
    says "Exposure ${score%?} of 10"
    images
    code 1 "$YAGURA" audit --checklist iis5 --image "$IMAGES/windows2000-iis5-found.img" --json
    [[ "$stdout" =~ \"exposure\":[0-9]+\.[0-9][,}] ]]
}
