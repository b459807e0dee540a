# SPDX-License-Identifier: GPL-3.0-or-later
# The vault on the command line, and I14 over the whole program: what it prints, and what it leaves behind.
. "$(dirname "$0")/lib.sh"
canary='C4n@ry+s3cret-9z'
ledger=$(dirname "$capstan")/tests/support/ledger_server
fresh
printf 'open sesame\n' >"$work.pass"
printf 'open barley\n' >"$work.wrong"
trap 'rm -f "$work.pass" "$work.wrong" "$work.port" "$work.ledger" "$work.key" "$work.log"; cleanup' EXIT

# with_pass FILE STATUS ARGUMENT…: the passphrase by descriptor 3, the value on stdin.
with_pass() {
	pass=$1
	want=$2
	shift 2
	got=0
	(cd "$work" && exec "$capstan" "$@") >"$work/out" 2>"$work/err" 3<"$pass" || got=$?
	[ "$got" -eq "$want" ] || fail "capstan $* ended with $got, not $want"
}
# None of the forms that a secret is written in.
forms() {
	printf '%s\n' "$canary"
	printf %s "$canary" | od -An -v -tx1 | tr -d ' \n'; echo
	printf %s "$canary" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F; echo
	echo 'C4n%40ry%2Bs3cret-9z'
	for before in '' x xy; do printf %s "$before$canary" | base64 -w 0 | cut -c 5-20; done
}
clean() {
	forms >"$work.forms"
	[ "$(wc -l <"$work.forms")" -eq 7 ] || fail 'not all forms are looked for'
	! grep -rFaqf "$work.forms" "$@" || fail "a secret is in $(grep -rFalf "$work.forms" "$@" | tr '\n' ' ')"
	printf %s "$canary" | gzip -nc | od -An -v -tx1 | tr -d ' \n' | cut -c 21-60 >"$work.zip"
	for file in $(find "$@" -type f); do
		! od -An -v -tx1 "$file" | tr -d ' \n' | grep -qf "$work.zip" || fail "a compressed secret is in $file"
	done
	rm -f "$work.forms" "$work.zip"
}

# Without a vault, and how one is made.
expect 3 vault list
complained 'capstan vault init'
expect 2 vault
expect 2 vault open
complained 'none of init, set, list'
expect 2 vault set
expect 2 vault set token "$canary"
expect 2 vault init
complained 'no terminal to ask on'
with_pass "$work.pass" 0 vault init --passphrase-fd 3
with_pass "$work.pass" 4 vault init --passphrase-fd 3
complained 'there is a vault already'
[ "$(stat -c %a "$work/.capstan/vault")" = 600 ] || fail 'others can read the vault'

# set, list, rm.
printf '%s\n' "$canary" | with_pass "$work.pass" 0 vault set token --passphrase-fd 3
printf '%s' "$canary" | with_pass "$work.wrong" 4 vault set other --passphrase-fd 3
complained "not the vault's passphrase"
printf 'abc' | with_pass "$work.pass" 2 vault set short --passphrase-fd 3
complained 'masked'
printf 'value-of-it' | with_pass "$work.pass" 0 vault set gone --passphrase-fd 3
with_pass "$work.pass" 0 vault rm gone --passphrase-fd 3 </dev/null
with_pass "$work.pass" 3 vault rm gone --passphrase-fd 3 </dev/null
expect 5 vault unlock --passphrase-fd 3 3<"$work.pass"
complained 'no engine runs'

# check knows who names what is not there, without a passphrase.
sleep 60 </dev/null 2>/dev/null | "$ledger" "$work.ledger" 60 >"$work.port" &
noted="$noted $!"
await test -s "$work.port"
port=$(tr -dc 0-9 <"$work.port")
mkdir -p "$work/connectors" "$work/policies"
cat >"$work/connectors/shop.yaml" <<YAML
connector: shop
kind: http
url: http://127.0.0.1:$port
mode: live
auth: { use: token, as: { header: X-Token } }
operations:
  order: { request: { method: POST, path: /echo, body: '\${ . }' } }
YAML
cat >"$work/flows/buy.yaml" <<'YAML'
document: { dsl: '1.0.3', namespace: test, name: buy, version: '1.0.0' }
use: { secrets: [ token, missing ] }
do:
  - order: { call: shop.order, with: { note: '${ "t=\($secrets.token)" }' } }
YAML
printf 'policy: all\nrules: [ { when: { call: shop.order }, then: allow } ]\n' >"$work/policies/a-all.yaml"
expect 0 check
said "^flows/buy.yaml:2:26: warning: there is no secret missing in the vault"
expect 0 vault list
said '^token .*T.*Z  connectors/shop, flows/buy$'
expect 0 vault list --json
said '"used_by":\["connectors/shop","flows/buy"\]'

# Locked: the run waits with one item; unlocked in the engine that serves, it goes on.
sed -i 's/^mode:.*/mode: live/' "$work/capstan.yaml"
expect 0 live
(cd "$work" && exec "$capstan" serve) >"$work.log" 2>&1 &
serving=$!
noted="$noted $serving"
await sh -c "cd '$work' && '$capstan' runs --json && grep -q engine.started '$work.log'"
expect 0 run buy --detach
run=$(cat "$work/out")
login_waits() { (cd "$work" && "$capstan" inbox --json </dev/null) | grep -q '"kind":"login"'; }
await login_waits
expect 0 inbox
said 'vault is locked'
expect 4 vault unlock --passphrase-fd 3 3<"$work.wrong"
with_pass "$work.pass" 0 vault unlock --passphrase-fd 3 </dev/null
completed() { (cd "$work" && "$capstan" show "$run" --json </dev/null) | grep -q '"state":"completed"'; }
await completed
! login_waits || fail 'the item is still there after the vault was opened'
for command in "show $run --json" "trace $run --format json" "trace $run" 'inbox --all --json' 'vault list --json' 'stats'; do
	expect 0 $command
	clean "$work/out" "$work/err"
done
expect 0 trace "$run" --format json
said '•••'
tr '\0' '\n' <"/proc/$serving/cmdline" >"$work/out" && tr '\0' '\n' <"/proc/$serving/environ" >"$work/err"
clean "$work/out" "$work/err" "$work.log" "$work/.capstan"
grep -q "$(printf %s "$canary" | sha256sum | cut -c 1-64)" "$work.ledger" || fail 'the secret never came where it was to go'
[ "$(sed -n 's/^Max core file size *\([0-9a-z]*\).*/\1/p' "/proc/$serving/limits")" = 0 ] || fail 'an engine with an open vault may leave a core'

# Locked again; what is killed leaves nothing either.
expect 0 vault lock
expect 0 run buy --detach
await login_waits
kill -KILL "$serving"
wait "$serving" 2>/dev/null || :
clean "$work.log" "$work/.capstan"

# With a key file outside of the workspace nobody is asked.
rm "$work/.capstan/vault"
expect 4 vault init --key-file "$work/vault.key"
complained 'outside of it'
expect 0 vault init --key-file "$work.key"
printf '%s' "$canary" | with_pass /dev/null 0 vault set token
expect 0 run buy
said '•••'
clean "$work/out" "$work/err" "$work/.capstan"
