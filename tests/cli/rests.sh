# SPDX-License-Identifier: GPL-3.0-or-later
# What is said of a run that is not over: a replay that waits is not compared yet, a hold is told from a machine that is
# not live, a call outside is named while it lasts, and much that waits is one line.
. "$(dirname "$0")/lib.sh"

fresh
cat >"$work/flows/again.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: again, version: '1.0.0' }
do:
  - first: { set: { n: 1 } }
  - risky:
      try:
        - bad: { raise: { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 503, title: Away } } }
      catch:
        retry: { delay: { milliseconds: 400 }, limit: { attempt: { count: 2 } } }
        do: [ { mend: { set: { mended: true } } } ]
  - last: { set: { n: 2 } }
YAML
cat >"$work/flows/gate.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: gate, version: '1.0.0' }
do: [ { well: { call: approve, with: { title: Well? } } }, { end: { set: { n: 2 } } } ]
YAML
expect 0 run again --json
run=$(member run)
said '"state":"completed"'
expect 0 run gate
gate=$(cat "$work/out")
expect 0 approve "$(waiting)"
(cd "$work" && exec "$capstan" serve >served 2>&1 </dev/null) &
served=$!
noted=$served
await grep -q . "$work/served"
# The other's engine makes the retries: the difference comes after them.
expect 0 replay "$run"
said '^= state *completed -> completed'
said ' 0 changed, 0 added, 0 removed'
# One that asks anew has none yet.
expect 0 replay "$gate" --ask
complained 'has not ended, it is waiting: no difference yet. Then: capstan diff'
if grep -q '^= ' "$work/out"; then fail 'what is still to come was compared'; fi
kill -TERM "$served"
wait "$served" 2>/dev/null || :
noted=

# What was released where nothing is live does not leave, and that is said; what waits is one line.
for i in 1 2 3; do expect 0 run gate --detach; done
expect 0 hold
expect 0 release
said 'what was held goes on'
complained 'no real effect leaves; that waits for .mode: live. in capstan.yaml'
complained '^4 items wait for you: capstan inbox$'
[ "$(wc -l <"$work/err")" -le 3 ] || fail 'everything that waits was told'

# A real run whose machine is not live any more waits for that, not for a hold.
fresh PT1S
sed -i 's/mode: simulate/mode: live/' "$work/capstan.yaml"
cat >"$work/flows/post.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: post, version: '1.0.0' }
do: [ { post: { call: http, with: { method: post, endpoint: 'http://127.0.0.1:9/nobody' } } } ]
YAML
expect 0 live
expect 0 run post
run=$(cat "$work/out")
expect 0 hold
expect 0 approve "$(waiting)"
sleep 1.2
# Its grace is over: what holds it is the hold.
expect 0 show "$run"
said '^waits for *the end of a hold'
if grep -q 'grace' "$work/out"; then fail 'a grace that is over is still waited for'; fi
expect 0 live --off
expect 0 release
complained 'that waits for this machine to be the live one; next: capstan live'
expect 0 show "$run"
said '^waits for *this machine to be the live one; next: capstan live'
expect 4 resume "$run"

# A program that hangs is named, with the time at which it is given up.
fresh
sed -i 's/mode: simulate/mode: live/' "$work/capstan.yaml"
cat >"$work/flows/hang.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: hang, version: '1.0.0' }
do: [ { slow: { run: { shell: { command: 'sleep 5' } } } } ]
YAML
expect 0 live
(cd "$work" && exec "$capstan" serve >served 2>&1 </dev/null) &
served=$!
noted=$served
await grep -q . "$work/served"
expect 0 run hang --detach
run=$(cat "$work/out")
await something_waits
expect 0 approve "$(waiting)"
named() { expect 0 show "$run" && grep -q '^waits for *the end of what was begun outside at /do/0/slow, until 20' "$work/out"; }
await named
expect 0 cancel "$run"
expect 0 show "$run"
said '^state *cancelling'
named || fail 'what is being cancelled does not say what it waits for'
