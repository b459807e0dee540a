# SPDX-License-Identifier: GPL-3.0-or-later
# Scenarios are played in a state of their own, on a clock that jumps; what differs is said; a run
# becomes a scenario that passes.
. "$(dirname "$0")/lib.sh"
fresh

mkdir "$work/scenarios"
cat >"$work/flows/late.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: late, version: '1.0.0' }
do:
  - sleep: { wait: P3D }
  - check: { call: approve, with: { title: Well?, show: { a: 1 }, allow: [ accept, edit, reject ], expire: P30D } }
  - end: { set: { decision: '${ $tasks.check.decision }', value: '${ $tasks.check.value }' } }
Y
cat >"$work/scenarios/edited.yaml" <<'Y'
scenario: edited
flow: late
decide: [ { task: check, accept: true, value: { a: 2 } } ]
expect: { state: completed, output: { decision: accepted, value: { a: 2 } }, effects: [], never: [ notify ] }
Y
printf 'scenario: expires\nflow: late\nexpect: { output: { decision: expired } }\n' >"$work/scenarios/expires.yaml"
printf 'scenario: waits\nflow: late\nexpect: { state: waiting }\n' >"$work/scenarios/waits.yaml"
expect 0 check
expect 0 test
said '^ok   edited$'
said '^ok   expires$'
said '^ok   waits$'
said '^3 scenarios: 3 ok, 0 failed in [0-4]\.'
[ ! -e "$work/.capstan/capstan.db" ] || fail 'a scenario was played in the state of the workspace'

# What differs is said, and counts.
printf 'scenario: wrong\nflow: late\ndecide: [ { task: check, accept: false }, { task: end, accept: true } ]\nexpect: { state: faulted, output: { decision: accepted } }\n' >"$work/scenarios/wrong.yaml"
expect 1 test
said '^FAIL wrong (scenarios/wrong.yaml)$'
said '^     state: expected faulted, was completed$'
said '^     output: expected {"decision":"accepted"}, was {"decision":"rejected"'
said '^     decide: nothing waited at end$'
said '^4 scenarios: 3 ok, 1 failed'
expect 0 test waits edited.yaml scenarios/expires.yaml
said '^3 scenarios: 3 ok'
expect 1 test wrong --json
said '"ok":false'
expect 3 test nobody

# A scenario that cannot be is a finding with its place, and no reason not to run a flow.
printf 'scenario: wrong\nflow: lat\ndecide: [ { task: check } ]\nexpect: { stat: completed }\n' >"$work/scenarios/wrong.yaml"
expect 1 check
said "^scenarios/wrong.yaml:2:7: error: .*did you mean 'late'"
said "^scenarios/wrong.yaml:4:.*did you mean 'state'"
expect 0 run hello
expect 1 test
rm "$work"/scenarios/*

# Events come in by the clock: a run listens for one, another is started by one.
cat >"$work/flows/hears.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: hears, version: '1.0.0' }
do: [ { signed: { listen: { to: { one: { with: { type: signed } } } } } } ]
Y
cat >"$work/flows/begun.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: begun, version: '1.0.0' }
schedule: { on: { one: { with: { type: booked } } } }
do: [ { keep: { set: { who: '${ $start[0].who }' } } } ]
Y
printf 'scenario: hears\nflow: hears\ninput: {}\nemit: [ { after: P2D, type: other }, { after: P3D, type: signed, data: 7 } ]\nexpect: { state: completed, output: [ 7 ] }\n' >"$work/scenarios/hears.yaml"
printf 'scenario: begun\nflow: begun\nemit: [ { after: P1D, type: other }, { after: P2D, type: booked, data: { who: a } } ]\nexpect: { state: completed, output: { who: a } }\n' >"$work/scenarios/begun.yaml"
printf 'scenario: never\nflow: begun\nemit: [ { type: other } ]\nexpect: { state: completed }\n' >"$work/scenarios/never.yaml"
expect 1 test
said '^ok   hears$'
said '^ok   begun$'
said '^     emit: no event started a run of start/begun$'
rm "$work"/scenarios/* "$work/flows/hears.yaml" "$work/flows/begun.yaml"

# A run as a scenario.
expect 0 run letter
item=$(waiting)
expect 0 edit "$item" --value '"Dear all."'
item=$(waiting)
expect 0 approve "$item" --note 'better so'
run=$(cd "$work" && "$capstan" runs --json | grep letter | sed 's/.*"run":"\([^"]*\)".*/\1/')
expect 0 test --record "$run"
file=$(cat "$work/out")
grep -q '"note":"better so"' "$work/$file" || fail 'the note of a decision is not in the scenario'
expect 4 test --record "$run"
expect 0 test
said '^1 scenario: 1 ok'
