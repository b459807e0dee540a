# SPDX-License-Identifier: GPL-3.0-or-later
# Twelve runs that failed by one cause are one item: understood, corrected and retried by one decision.
. "$(dirname "$0")/lib.sh"
fresh

flow() {
	cat >"$work/flows/bill.yaml" <<Y
document: { dsl: '1.0.3', namespace: start, name: bill, version: '1.0.0' }
do:
  - first: { set: { n: '\${ .n }' } }
  - sum: { set: { total: '$1' } }
Y
}
rows() { (cd "$work" && "$capstan" inbox --json "$@" </dev/null) | wc -l; }
left() { [ "$(rows)" -eq "$1" ] || fail "the inbox has $(rows) rows, not $1"; }

flow '${ .n.price + 1 }'
n=0
while [ "$n" -lt 12 ]; do
	n=$((n + 1))
	expect 1 run bill --input "{\"n\":\"$n\"}"
done
# The same words of another flow are another cause.
sed 's/name: bill/name: other/' "$work/flows/bill.yaml" >"$work/flows/other.yaml"
expect 1 run other --input '{"n":"1"}'
other=$(member run)
[ -n "$other" ] || other=$(cat "$work/out")

left 2
[ "$(rows --all)" -eq 13 ] || fail 'with --all each fault is one by one'
expect 0 inbox
said '×12 bill faulted'
item=$(cd "$work" && "$capstan" inbox --json | grep '"count":12' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
expect 0 inbox show "$item"
said 'Same cause *12'
said 'Failed at */do/1/sum'

# Tried again as it is, it fails again: still one row.
expect 0 retry "$item" --note 'once more'
left 2
item=$(cd "$work" && "$capstan" inbox --json | grep '"count":12' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
expect 0 runs --state faulted --json
run=$(grep '"name":"bill"' "$work/out" | sed -n '1s/.*"run":"\([^"]*\)".*/\1/p')
expect 0 trace "$run" --format json
said '"type":"run.retried"'
said '"why":"once more"'
said '"batch":"'

# Mended, all go on by one command; what is of another cause stays.
flow '${ .n }'
expect 0 retry "$item" --adopt --note 'a price is a number'
left 1
expect 0 runs --state completed --json
[ "$(wc -l <"$work/out")" -eq 12 ] || fail 'not every run went on'
expect 3 retry "$item"
expect 0 retry "$other"

# Put away, all are.
n=0
while [ "$n" -lt 3 ]; do
	n=$((n + 1))
	expect 1 run other --input '{"n":"1"}'
done
item=$(waiting)
expect 0 dismiss "$item"
left 0
expect 0 verify

# Twelve that were given the wrong thing: corrected and retried by one decision, and the flow stays.
flow '${ .n + 1 }'
n=0
while [ "$n" -lt 12 ]; do
	n=$((n + 1))
	expect 1 run bill --input '{"n":"one"}'
done
item=$(cd "$work" && "$capstan" inbox --json | grep '"count":12' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
expect 2 correct "$item"
expect 2 correct "$item" --set n
expect 4 correct "$item" --set n=41 --from first
complained 'the run rests at sum'
expect 0 correct "$item" --set n=41 --dry-run
said 'input n of /do/1/sum: one -> 41'
complained 'nothing is written'
[ "$(wc -l <"$work/err")" -eq 1 ] || fail 'what holds for all twelve is said more than once'
expect 0 inbox show "$item"
said 'Next *correct, then retry'
said "capstan correct $item --set PATH=VALUE --retry"
left 1
expect 0 correct "$item" --set n=41 --retry --note 'a number was meant'
left 0
expect 0 runs --flow bill --limit 12 --json
[ "$(grep -c '"state":"completed"' "$work/out")" -eq 12 ] || fail 'not every run went on'
[ "$(grep -c '"output":{"total":42}' "$work/out")" -eq 12 ] || fail 'not every run took the correction'
run=$(sed -n '1s/.*"run":"\([^"]*\)".*/\1/p' "$work/out")
expect 0 show "$run"
said 'corrected the run: input n of /do/1/sum; a number was meant'
expect 0 trace "$run"
said 'corrected the run'
expect 0 trace "$run" --format json
said '"type":"run.corrected"'
said '"batch":"'
expect 4 correct "$run" --set n=1
complained 'illegal-transition'
expect 0 verify
expect 0 rebuild --check
