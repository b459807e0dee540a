# SPDX-License-Identifier: GPL-3.0-or-later
# connectors: what each is and says, and a mode that is set: the more careful of the file's and the command's.
. "$(dirname "$0")/lib.sh"
fresh
mkdir -p "$work/connectors"
cat >"$work/connectors/shop.yaml" <<'END'
connector: shop
kind: http
url: https://shop.example.com
identity: buyer@example.com
mode: hold
operations:
  order: { effect: unsafe, request: { method: POST, path: /orders }, reverse: none }
END
expect 0 connectors
said '^connector '
said '^shop  *http  *hold  *never'
said '^http  *http  *live  *never'
expect 0 connectors list --json
grep '"name":"shop"' "$work/out" | grep '"mode":"hold"' | grep '"file":"hold"' | grep '"command":null' |
	grep -q '"last_error":null' || fail 'the list has no such line'

expect 0 connectors mode shop live
said '^shop: hold, as its file says'
expect 0 connectors mode shop off
said '^shop: off$'
expect 0 connectors
said '^shop  *http  *off by command'
expect 0 connectors mode http off --json
said '"mode":"off"'
said '"file":"live"'

expect 3 connectors mode nobody off
complained 'capstan connectors'
expect 2 connectors mode shop on
complained 'off, dry, hold or live'
expect 2 connectors mode shop
expect 2 connectors shop
complained 'capstan help connectors'

# A test sends nothing where nothing may leave, and says why.
expect 4 connectors test shop
complained 'simulated here'
expect 2 connectors test http
expect 3 connectors test nobody

# A host that does not answer: after so many failures the rest waits, and both sides say until when.
sed -i 's/^mode: .*/mode: live/' "$work/capstan.yaml"
cat >"$work/connectors/dead.yaml" <<'END'
connector: dead
kind: http
url: http://127.0.0.1:1
allow: [ '127.0.0.1:1' ]
mode: live
breaker: { failures: 3, within: PT10M, cool: PT1H }
operations:
  look: { effect: read, request: { method: GET, path: / } }
  relook: { effect: read, retry: { attempts: 2, delay: PT1H }, request: { method: GET, path: /again } }
END
cat >"$work/flows/again.yaml" <<'END'
document: { dsl: '1.0.3', namespace: test, name: again, version: '1.0.0' }
do:
  - again: { call: dead.relook }
END
cat >"$work/flows/look.yaml" <<'END'
document: { dsl: '1.0.3', namespace: test, name: look, version: '1.0.0' }
do:
  - look: { call: dead.look }
END
expect 0 live
expect 0 run again
again=$(cat "$work/out")
expect 0 show "$again"
said '^waits for *another try at'
expect 4 connectors test shop
complained 'its mode is off'
expect 4 connectors test shop
expect 1 connectors test dead
said '^connector *dead$'
said '^called *dead.look$'
said '^TLS *none$'
said '^failed .*'
said '^next *nobody answers at its address'
expect 0 inbox

# One that answers: its own read, or where it has none, whether its address does.
ledger=$(dirname "$capstan")/tests/support/ledger_server
trap 'rm -f "$work.port" "$work.ledger"; cleanup' EXIT
sleep 60 </dev/null 2>/dev/null | "$ledger" "$work.ledger" 60 >"$work.port" &
noted="$noted $!"
await test -s "$work.port"
port=$(cat "$work.port")
for name in good none; do
	cat >"$work/connectors/$name.yaml" <<END
connector: $name
kind: http
url: http://127.0.0.1:$port
identity: buyer@example.com
mode: live
operations:
  order: { effect: unsafe, request: { method: POST, path: /orders }, reverse: none }
END
done
cat >>"$work/connectors/good.yaml" <<'END'
  take: { effect: read, request: { method: POST, path: /take } }
  one: { effect: read, request: { method: GET, path: '/one/{id}' } }
  some: { effect: read, input: { type: object, required: [ id ] }, request: { method: GET, path: /some } }
  all: { effect: read, request: { method: GET, path: /all } }
END
expect 0 connectors test good
said '^acts as *buyer@example.com$'
said '^called *good.all$'
said '^reached *127.0.0.1$'
said '^answer *200$'
expect 4 connectors test none
complained 'the connector http is stopped'
expect 0 connectors mode http live
expect 0 connectors test none --json
said '"ok":true'
said '"operation":null'
[ "$(grep -c '"method":"GET","path":"/all"' "$work.ledger")" -eq 1 ] || fail 'the read was not sent, or not once'
[ "$(wc -l <"$work.ledger")" -eq 2 ] || fail 'something else was sent'
sed -i 's#path: /all#path: /status/403#' "$work/connectors/good.yaml"
expect 1 connectors test good
said '^answer *403$'
said '^next *it knows the credential'
expect 1 connectors test dead --json
said '"ok":false'
expect 1 connectors test dead
said 'its breaker is open'
expect 0 show "$again"
said "^waits for *its connector's breaker.* at .*, until 20"
expect 0 runs --json
! grep '"name":"connector-test"' "$work/out" | grep -q '"ended":null' || fail 'a test was left behind'
expect 0 run look
run=$(cat "$work/out")
complained 'the next clock is due at'
expect 0 show "$run"
said "^waits for *its connector's breaker"
expect 0 connectors
said 'breaker of 127.0.0.1:1: open, tried again at 20.*(No connection)'
expect 0 connectors --json
grep '"name":"dead"' "$work/out" | grep '"in_flight":0' | grep '"state":"open"' | grep '"title":"No connection"' | grep -q '"last_used":"20' ||
	fail 'the list has no such line'
expect 0 inbox --json
item=$(sed -n '/"kind":"breaker"/s/.*"id":"\([^"]*\)".*/\1/p' "$work/out")
expect 0 inbox show "$item"
said '^dead: 127.0.0.1:1 fails'
said '^Tried again *20'
expect 0 dismiss "$item"
expect 0 verify
expect 0 rebuild --check
