# SPDX-License-Identifier: GPL-3.0-or-later
# check names every finding with its place, shows the line with a caret, and says what was meant.
. "$(dirname "$0")/lib.sh"
fresh

expect 0 check
said '^the workspace is in order$'

# Several findings in one go, of jq too, each under its place.
cat >"$work/flows/wrong.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: a, name: wrong, version: '1.0.0' }
do:
  - one: { set: { a: '${ [ .x[] | seelct(.y) ] }', b: '${ .x | map(.y }' } }
  - two: { cal: notify }
  - three: { call: notfy, with: { title: t } }
Y
expect 1 check
said "^flows/wrong.yaml:3:22: error: jq has no function 'seelct'; did you mean 'select'?"
said "^flows/wrong.yaml:3:55: error: .(. is not closed"
said "^flows/wrong.yaml:4:.*did you mean 'call'?"
said "^flows/wrong.yaml:5:.*did you mean 'notify'?"
said '^4 errors$'
cat >"$work/flows/wrong.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: a, name: wrong, version: '1.0.0' }
do:
  - one: { set: { a: '${ [ .x[] | seelct(.y) ] }', b: '${ .x | mpa(.y) }' } }
  - two: { switch: [ { a: { when: '.x == 1', then: end } }, { b: { then: three } } ] }
  - lost: { set: { x: 1 } }
  - three: { call: notify, with: { title: '${ .x }', action: look } }
Y
expect 1 check
said '^flows/wrong.yaml:3:22: error: .*seelct'
said '^    3 |   - one: { set: { a: .*seelct'
said '^      |                      ^'
said '^flows/wrong.yaml:3:55: error: '
said '^flows/wrong.yaml:5:.*warning: nothing leads to'
said '^2 errors, 1 warning$'
expect 1 check flows/wrong.yaml
said '^flows/wrong.yaml:3:22: error: .*seelct'

# For editors: one object a finding.
expect 1 check --json
[ "$(wc -l <"$work/out")" -eq 3 ] || fail 'not one line a finding'
for key in file line col severity message suggestion; do said "\"$key\":"; done
cat >"$work/connectors.yaml" <<'Y'
connector: shop
kind: http
url: https://shop.example
operations:
  sell:
    effect: unsafe
    request: { method: POST, path: /sell }
    input: { type: object, properties: { n: { type: integer }, to: { type: string } } }
Y
mkdir -p "$work/connectors" && mv "$work/connectors.yaml" "$work/connectors/shop.yaml"
printf 'document: { dsl: "1.0.3", namespace: a, name: wrong, version: "1.0.0" }\ndo: [ { one: { call: shop.sell, with: { n: many, to: "${ .x }" } } } ]\n' >"$work/flows/wrong.yaml"
expect 1 check
said '^flows/wrong.yaml:2:.*shop.sell does not take this: '
printf 'document: { dsl: "1.0.3", namespace: a, name: wrong, version: "1.0.0" }\ndo:\n  - one: { sett: {} }\n' >"$work/flows/wrong.yaml"
expect 1 check --json
said '"line":3.*"suggestion":"set"'

# A tab before the place keeps the caret right; text that would act on a terminal is only shown.
printf 'document: { dsl: "1.0.3", namespace: a, name: wrong, version: "1.0.0" }\ndo:\n  - one: {\tset: { a: "\342\200\256" },\tsett: 1 }\n' >"$work/flows/wrong.yaml"
expect 1 check
said '^    3 |   - one: {    set: { a: "‹U+202E›" },    sett: 1 }$'
said "^      |                                          ^~~~\$"
if LC_ALL=C grep -q "$(printf '\342\200\256')" "$work/out"; then fail 'hostile text got out'; fi

# What another runtime would not know is listed on demand, and is no error.
cat >"$work/flows/wrong.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: a, name: wrong, version: '1.0.0' }
do:
  - one: { set: { a: '${ $start.x }' } }
  - two: { call: notify, with: { title: t, action: '${ $tasks.one.a }' } }
  - three: { call: http, with: { method: post, endpoint: 'https://x.example/a' }, metadata: { ask: { title: t } } }
Y
expect 0 check
said '^the workspace is in order$'
expect 0 check --portable flows/wrong.yaml
said "^flows/wrong.yaml:3:.*note: '\$start'"
said "^flows/wrong.yaml:4:.*note: 'notify'"
said "^flows/wrong.yaml:4:.*note: '\$tasks'"
said "^flows/wrong.yaml:5:.*note: 'metadata.ask'"
said '^1 file is in order, 4 notes$'

# A wish to be live that this machine does not share is said, until it does.
fresh
sed 's/^mode: simulate/mode: live/' "$work/capstan.yaml" >"$work/live.new" && mv "$work/live.new" "$work/capstan.yaml"
expect 0 check
complained 'nobody said `capstan live` on this machine'
expect 0 doctor
said '^warn  mode .*runs are simulated'
expect 0 live
expect 0 check
if grep -q 'nobody said' "$work/err"; then fail 'live was said, and is still asked for'; fi
expect 0 doctor
said '^ok    mode .*live'
expect 0 stats
said '^live  *true$'
