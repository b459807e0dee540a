# SPDX-License-Identifier: GPL-3.0-or-later
# How a gate asks, as an operator meets it: an answer goes back, rounds run out, a refusal goes on,
# an escalation stands first in the inbox, and a scenario plays all of it.
. "$(dirname "$0")/lib.sh"
fresh
mkdir -p "$work/connectors" "$work/scenarios"

cat >"$work/connectors/post.yaml" <<'Y'
connector: post
kind: http
url: https://post.example
mode: dry
operations:
  send:
    effect: unsafe
    input: { type: object, required: [ text ], properties: { text: { type: string } } }
    request: { method: POST, path: /mail, as: json, body: '${ . }' }
    reverse: none
Y
cat >"$work/flows/note.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: note, version: '1.0.0' }
do:
  - write: { set: { text: '${ $start.text }', heard: '${ $tasks.mail.note }' } }
  - mail:
      call: post.send
      with: { text: '${ $tasks.write.text }' }
      metadata: { ask: { title: Send it, back: write, rounds: 1, on-reject: continue } }
  - end: { set: { heard: '${ $tasks.write.heard }', mail: '${ $tasks.mail.decision }', text: '${ .text }' } }
Y
cat >"$work/flows/urgent.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: urgent, version: '1.0.0' }
do:
  - ok: { call: approve, with: { title: Now or never, expire: PT1S, on-expiry: escalate, remind: [ 50% ] } }
Y
cat >"$work/flows/calm.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: calm, version: '1.0.0' }
do:
  - ok: { call: approve, with: { title: Some day, expire: P1D, escalate: [ { after: PT4H, to: bea } ] } }
Y
expect 0 check

# The card says where an answer leads, in words.
expect 0 run note --set text=Hello
run=$(cat "$work/out")
item=$(waiting)
expect 0 inbox show "$item"
said '^An answer *goes back to write, round 1 of 1$'
said '^If rejected *the run goes on without it$'
said '^May answer *accept, edit, reject, respond$'
said '^Then *end$'
if grep -q '^will_do\|^reverse ' "$work/out"; then fail 'the card shows raw members'; fi
expect 0 show "$run"
said '^waits for *your decision at /do/1/mail$'

expect 0 respond "$item" --note 'Warmer, please.'
second=$(waiting)
[ "$second" != "$item" ] || fail 'the answer asked nothing anew'
expect 0 inbox show "$second"
said '^An answer *counts as a rejection'
expect 0 trace "$run" --json
expect 0 respond "$second" --note 'Still not.'
expect 0 show "$run" --json
said '"state":"completed"'
said '"output":{"heard":"Warmer, please.","mail":"rejected","text":"Hello"}'
expect 0 replay "$run" --json
said '"output":"same"'
expect 0 rebuild --check

# What nobody decided in time stands first, and does not expire.
expect 0 run calm --detach
expect 0 run urgent
urgent=$(cat "$work/out")
expect 0 inbox
sed -n 1p "$work/out" | grep -q '↑1 Now or never' || fail 'the escalated item does not stand first'
item=$(waiting)
expect 0 inbox show "$item"
said '^Escalated *1$'
said '^Escalates *20'
expect 0 inbox show "$item" --json
said '"level":1'
said '"reminded":1'
expect 0 approve "$item"
expect 0 show "$urgent" --json
said '"decision":"accepted"'
expect 0 inbox show "$(waiting)"
said '^Escalates *20.* to bea$'
said '^Expires *20'

# The same on a clock that jumps.
cat >"$work/scenarios/note.yaml" <<'Y'
scenario: the owner wants it warmer, then sends it
flow: note
input: { text: Hello }
decide: [ { task: mail, note: Warmer }, { task: mail, accept: true } ]
expect: { state: completed, effects: [ post.send ], output: { heard: Warmer } }
Y
cat >"$work/scenarios/calm.yaml" <<'Y'
scenario: nobody decides
flow: calm
input: { }
expect: { state: completed, output: { decision: expired } }
Y
expect 0 test
said 'the owner wants it warmer'

# What cannot be obeyed is refused by name and place.
sed -i 's/to: bea/via: phone/' "$work/flows/calm.yaml"
expect 1 check
said "^flows/calm.yaml:3:.*'via: phone' is not obeyed by this version"
