# SPDX-License-Identifier: GPL-3.0-or-later
# What a clock starts: once each and never early, however often the engine is killed; what is armed
# is said; a simulated year takes no time.
. "$(dirname "$0")/lib.sh"
fresh

cat >"$work/flows/beat.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: beat, version: '1.0.0' }
schedule: { every: PT1S }
do: [ { a: { set: { b: 1 } } } ]
Y
expect 0 check
expect 0 doctor
said '^warn  schedule .*nothing is armed yet'

serve() {
	rm -f "$work/served"
	(cd "$work" && exec "$capstan" serve) >"$work/served" 2>&1 </dev/null &
	server=$!
	noted="$noted $server"
	await grep -q 'engine.started' "$work/served"
}
list() { (cd "$work" && "$capstan" runs --json --flow beat --limit 0 </dev/null) 2>/dev/null; }
enough() { [ "$(list | wc -l)" -ge "$1" ]; }
for n in 1 2 4 5; do
	serve
	grep -q '^armed 2.*Z start/beat every 1 s$' "$work/served" || fail 'serve does not say what is armed'
	[ -f "$work/first" ] || sed -n 's/^armed \([^ ]*\) .*/\1/p' "$work/served" | head -n 1 >"$work/first"
	await enough "$n"
	kill -KILL "$server"
	wait "$server" 2>/dev/null || :
done
expect 0 verify
expect 0 rebuild --check

# The n-th beat comes n seconds after the first: no run is before the first, no two are in one.
first=$(date -d "$(cat "$work/first")" +%s%3N)
list | sed -n 's/.*"started":"\([^"]*\)".*/\1/p' | while read -r at; do
	since=$(($(date -d "$at" +%s%3N) - first))
	[ "$since" -ge 0 ] || echo early
	echo $((since / 1000))
done >"$work/beats"
[ "$(wc -l <"$work/beats")" -ge 5 ] || fail 'the clock started too few runs'
! grep -q early "$work/beats" || fail 'a run was started before its time'
[ -z "$(sort "$work/beats" | uniq -d)" ] || fail "an occurrence started two runs: $(tr '\n' ' ' <"$work/beats")"
expect 0 doctor
said '^.* schedule .*start/beat every 1 s'
run=$(list | sed -n 's/.*"run":"\([^"]*\)".*/\1/p' | head -n 1)
expect 0 trace "$run" --format json
said '"actor":"schedule:beat"'

# A year of weeks on the clock that jumps, by the text of the flow and of capstan.yaml.
rm "$work/flows/beat.yaml"
cat >"$work/flows/weekly.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: weekly, version: '1.0.0' }
schedule: { cron: '0 6 * * tue' }
do: [ { good: { call: approve, with: { title: Send it? } } } ]
Y
mkdir "$work/scenarios"
cat >"$work/scenarios/year.yaml" <<'Y'
scenario: year
flow: weekly
from: 2026-01-01T00:00:00Z
until: P365D
decide: [ { task: good, accept: true, always: true } ]
expect: { runs: 52, state: completed, output: { decision: accepted } }
Y
expect 0 check
expect 0 test
said '^ok   year$'
said '^1 scenario: 1 ok, 0 failed in 0\.'
sed -i 's/runs: 52/runs: 51/; s/state: completed/state: faulted/' "$work/scenarios/year.yaml"
expect 1 test
said '^     runs: expected 51, there were 52$'
said '^     run 1: state: expected faulted, was completed$'
sed -i 's/^from: .*/from: soon/; s/P365D/never/' "$work/scenarios/year.yaml"
expect 1 check
said_any() { grep -q -- "$1" "$work/out" "$work/err" || fail "nowhere is said: $1"; }
said_any "scenarios/year.yaml:3:.*'soon' is not a time"
said_any 'scenarios/year.yaml:4:'
