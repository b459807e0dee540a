# SPDX-License-Identifier: GPL-3.0-or-later
# Runs go to another workspace as a file: whole or not at all, the signer named, to be looked at and replayed.
. "$(dirname "$0")/lib.sh"

cat >"$work/flow.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: carried, version: '1.0.0' }
do:
  - well: { call: approve, with: { title: Well?, show: '${ $start }' } }
  - end: { set: { who: '${ $tasks.well.by }' } }
YAML
make_two() {
	for side in from to; do
		"$capstan" init "$work/$side" >/dev/null
		sed -i 's/PT30S/PT0S/' "$work/$side/capstan.yaml"
		cp "$work/flow.yaml" "$work/$side/flows/carried.yaml"
	done
}
make_two
expect 0 -C from run carried --input '{"n": 1}' --detach
run=$(cat "$work/out")
expect 0 -C from approve "$(expect 0 -C from inbox --json && member id)"
expect 0 -C from show "$run" --json
said '"state":"completed"'

expect 0 -C from export "$run" --output runs.jsonl
complained '1 run written to runs.jsonl'
[ "$(stat -c %a "$work/runs.jsonl")" = 600 ] || fail 'others may read what was exported'
expect 4 -C from export "$run" --output runs.jsonl
complained 'is not overwritten'
expect 0 -C from export "$run"
said '^{"capstan":"export"'
expect 3 -C from export 01J9ZZZZZZ0000000000000009
key=$(cut -d ' ' -f 3 "$work/from/.capstan/key.pub")
if grep -q "$(od -An -tx1 "$work/from/.capstan/key" | tr -d ' \n')" "$work/runs.jsonl"; then fail 'the secret key was exported'; fi

expect 4 -C to import runs.jsonl
complained "signed by $key"
expect 2 -C to import runs.jsonl --trust abc
expect 3 -C to import nowhere.jsonl
sed '3s/"seq":[0-9]*/"seq":1/' "$work/runs.jsonl" >"$work/altered.jsonl"
expect 4 -C to import altered.jsonl --trust "$key"
complained 'line 3: '
head -n 4 "$work/runs.jsonl" >"$work/cut.jsonl"
expect 4 -C to import cut.jsonl --trust "$key"
complained 'cut off'
expect 0 -C to runs --json
[ ! -s "$work/out" ] || fail 'what was refused left a run'

expect 0 -C to import runs.jsonl --trust "$(cat "$work/from/.capstan/key.pub")"
said "$run"
expect 0 -C to import runs.jsonl
complained 'here already'
expect 0 -C to runs
said IMPORTED
expect 0 -C to show "$run"
said 'IMPORTED from from, where it was completed'
expect 0 -C to show "$run" --json
said '"imported":true'
expect 0 -C to trace "$run"
said 'well .*completed'
expect 4 -C to retry "$run"
complained imported
expect 0 -C to replay "$run"
said '^= steps *. the same, 0 changed, 0 added, 0 removed'
expect 0 -C to diff "$run" "$(expect 0 -C to runs --json && member run)"
expect 0 -C to inbox --json
[ ! -s "$work/out" ] || fail 'something waits for the operator'
expect 0 -C to verify
said '^clean'
expect 0 -C to rebuild --check

# What had not ended there is said, with what it was.
expect 0 -C from run carried --input '{"n": 2}' --detach
open=$(cat "$work/out")
expect 0 -C from export "$open" --output open.jsonl
expect 0 -C to import open.jsonl
complained '1 run had not ended there; it stands here as cancelled'
complained "$open was waiting there"
expect 0 -C to show "$open"
said '^state *cancelled'
