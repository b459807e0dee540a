# SPDX-License-Identifier: GPL-3.0-or-later
# The whole way: init, check, run, inbox, approve, show, trace, why, replay, diff, verify.
. "$(dirname "$0")/lib.sh"
fresh

[ "$(stat -c %a "$work/.capstan")" = 700 ] || fail 'the state folder is open to others'
[ "$(stat -c %a%s "$work/.capstan/key")" = 60032 ] || fail 'the key is not 32 bytes for us alone'
expect 4 init "$work"
expect 0 check

expect 0 run hello
[ "$(cat "$work/out")" = '{"greeting":"Hello, world!"}' ] || fail 'the output of a completed run is not on stdout, alone'
expect 0 run hello --set name=Ann --json
said '"state":"completed"'
for key in run flow version state started ended input output error parent simulated cost; do said "\"$key\":"; done

expect 0 run letter
run=$(cat "$work/out")
[ ${#run} -eq 26 ] || fail 'a waiting run does not leave its id on stdout'
item=$(sed -n 's/.*capstan approve //p' "$work/err")
[ -n "$item" ] || fail 'a waiting run does not name the next command'
expect 0 inbox --json
for key in id kind title run flow task state digest created expires next; do said "\"$key\":"; done
expect 0 inbox show "$item"
said 'Dear reader, this is a first letter.'

end=${item#??????????????????}
expect 0 approve "$end" --note 'well written'
expect 0 show "${run#????????????????}" --json
said '"state":"completed"'
said '"decision":"accepted"'
said '"note":"well written"'
expect 0 approve "$item"
expect 4 reject "$item"
complained 'already approved by operator:owner'

expect 0 trace "$run"
said 'check  *completed'
said SIMULATED
expect 0 trace "$run" --json
for key in seq run task type at actor cause simulated data hash; do said "\"$key\":"; done
said '"task":"/do/0/write"'
seq=$(sed -n 's/^{"seq":\([0-9]*\),.*"type":"approval.approved".*/\1/p' "$work/out")
expect 0 why "$seq"
said 'began a run of start/letter'

expect 0 replay "$run" --from write --json
said '"summary"'
new=$(sed -n 's/^{"run":"\([^"]*\)".*/\1/p' "$work/out")
expect 0 diff "$run" "$new" --json
said '"task":"/do/0/write"'
said '"change":"same"'

# A step that gives on what came in is said to, and does not look as if it had given null.
cat >"$work/flows/pass.yaml" <<'Y'
document: { dsl: '1.0.3', namespace: start, name: pass, version: '1.0.0' }
do: [ { choose: { switch: [ { any: { then: continue } } ] } }, { give: { set: { x: 1 } } } ]
Y
expect 0 run pass --input '{"a":1}' --json
passed=$(sed -n 's/.*"run":"\([^"]*\)".*/\1/p' "$work/out")
expect 0 replay "$passed" --json
said '"task":"/do/0/choose".*"old":{"passed":true},"new":{"passed":true}'

expect 0 rebuild --check
[ ! -s "$work/out" ] || fail 'the tables are not what the log says'
expect 0 verify
said clean
expect 0 rebuild
expect 0 show "$run"
expect 0 stats --json
said '"events":'
expect 0 doctor
