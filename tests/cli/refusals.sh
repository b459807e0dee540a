# SPDX-License-Identifier: GPL-3.0-or-later
# What is wrong is said in one sentence with a next step, and by the exit status.
. "$(dirname "$0")/lib.sh"

# Without a workspace.
expect 3 run hello
complained 'capstan init'
expect 3 ask Why
complained 'capstan init'
printf "document: { dsl: '1.0.3', namespace: a, name: b, version: '1.0.0' }\ndo: [ { x: { set: { y: 1 } } } ]\n" >"$work/one.yaml"
expect 0 check one.yaml
fresh

# Usage.
expect 2 nonsense
complained 'capstan help'
expect 2 aprove X
complained 'did you mean `capstan approve`'
for word in memory eval promote; do
	expect 2 $word
	complained 'not in this version'
done
expect 2 run
expect 2 run hello --inptu '{}'
complained 'did you mean --input'
expect 2 run hello --input '{'
expect 2 run hello --set x
expect 2 trace X --format otlp
complained 'not in this version'
expect 2 why x
expect 0 help approve
said '--note'
expect 0 approve --help
expect 0 completion bash
said 'complete '

# Not found.
expect 3 run helo
complained 'did you mean hello'
expect 3 show 01J
expect 3 approve 01J
expect 3 -C "$work/nowhere" runs
[ ! -e "$work/.capstan/capstan.db" ] || fail 'what was only asked about made a database'
expect 0 runs

# A file that means harm changes nothing, and is named with its place.
printf 'document: { dsl: 1\0' >"$work/flows/bad.yaml"
expect 1 check
said '^flows/bad.yaml:1:'
expect 1 run flows/bad.yaml
complained 'flows/bad.yaml'
[ ! -e "$work/.capstan/capstan.db" ] || fail 'a file with findings was run'
expect 0 run hello
rm "$work/flows/bad.yaml"
printf 'policy: p\nrules: nonsense\n' >"$work/policies.yaml"
mkdir "$work/policies" && mv "$work/policies.yaml" "$work/policies/p.yaml"
expect 1 run hello
complained 'policies/p.yaml'
rm -r "$work/policies"

# A moment that cannot be read faults the run that asks for it, and no other.
printf "document: { dsl: '1.0.3', namespace: a, name: moment, version: '1.0.0' }\ndo: [ { u: { call: until, with: { at: '\${ .at }' } } } ]\n" >"$work/flows/moment.yaml"
expect 1 run moment --input '{"at":"2026-02-30T00:00:00Z"}'
expect 0 run hello
rm "$work/flows/moment.yaml"

# The same key is the same run; with another input it is refused.
expect 0 run hello --key one --input '{"name":"Ann"}' --json
first=$(member run)
expect 0 run hello --key one --input '{"name":"Ann"}' --json
[ "$(member run)" = "$first" ] || fail 'the same key started another run'
expect 4 run hello --key one --input '{"name":"Bob"}'
complained 'another input'

# Faulted and cancelled: 1.
expect 1 run hello --input '{"name":7}'
complained 'capstan retry'
expect 0 run letter
run=$(cat "$work/out")
expect 0 pause "$run"
said paused
expect 0 resume "$run"
expect 0 cancel "$run" --note 'not now'
expect 4 resume "$run"
expect 0 show "$run" --json
said '"state":"cancelled"'

# Outside text does not reach the terminal as it is.
expect 0 run hello --input '{"name":"\u001b[2J\u202e"}' --key esc
expect 0 runs --json
run=$(member run)
expect 0 show "$run"
if grep -q "$(printf '\033')" "$work/out"; then fail 'an escape sequence reached the terminal'; fi
expect 0 run hello --input '{"name":"\u009b2J\u202e\udb40\udc01é"}'
expect 0 trace "$(expect 0 runs --json; member run)" --format json
if LC_ALL=C grep -q "$(printf '\302\233')\|$(printf '\342\200\256')" "$work/out"; then fail 'a control reached the terminal as JSON'; fi
said 'u009b2J.u202e.udb40.udc01é'
expect 0 run hello --set 'name=x y' --detach
[ "$(wc -c <"$work/out")" -eq 27 ] || fail '--detach does not print the id alone'
printf '{"name":"a"}\n{"name":"b"}\n' >"$work/each"
expect 0 run hello --each each
[ "$(wc -l <"$work/out")" -eq 2 ] || fail '--each does not give one line a run'

# A state that cannot be had: which file, why, and 5.
fresh
expect 0 run hello
state=$work/.capstan
cp "$state/capstan.db" "$work/kept.db"
printf 'no database at all, but long enough to be looked at as one by whoever opens it.' >"$state/capstan.db"
for command in 'run hello' runs inbox; do
	expect 5 $command
	complained 'capstan.db: .*move it away'
done
cp "$work/kept.db" "$state/capstan.db"
printf 'short' >"$state/key"
expect 5 run hello
complained 'key holds 5 bytes'
rm "$state/key"
expect 5 run hello
complained 'key is gone'
[ ! -e "$state/key" ] || fail 'a key that was lost was made anew'
