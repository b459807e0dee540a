# SPDX-License-Identifier: GPL-3.0-or-later
# What was answered and then faulted has happened: a retry, with a correction or without, would send it once more, and is
# refused until that is confirmed.
. "$(dirname "$0")/lib.sh"
fresh
mkdir -p "$work/policies"
sed -i 's/^mode: .*/mode: live/' "$work/capstan.yaml"
cat >"$work/policies/all.yaml" <<'END'
policy: all
rules:
  - { name: all, when: { call: '*' }, then: allow }
END
cat >"$work/flows/order.yaml" <<END
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
do:
  - first: { set: { what: tea } }
  - order:
      run: { shell: { command: 'echo sent >>$work/sent', arguments: { what: '\${ .what }' } } }
      output: { schema: { document: { type: object, required: [ number ] } } }
END
sent() { [ "$(wc -l <"$work/sent")" -eq "$1" ] || fail "it went $(wc -l <"$work/sent") times, not $1"; }
expect 0 live
expect 1 run order
complained 'so it has happened'
complained '--word repeat sends it once more'
run=$(cat "$work/out")
sent 1
expect 0 show "$run" --json
said '"happened":"'
item=$(waiting)
for command in "retry $run" "retry $item" "retry $run --word yes" "retry $run --adopt" "correct $run --set what=milk --retry"; do
	# shellcheck disable=SC2086
	expect 4 $command
	complained 'it has happened: look on the other side first'
	complained '--word repeat'
done
sent 1
expect 0 trace "$run" --format json
if grep -q '"type":"run.\(retried\|corrected\|adopted\)"' "$work/out"; then fail 'what was refused has written something'; fi
expect 0 correct "$run" --set what=milk --retry --dry-run

# Left as it is, it has happened all the same.
expect 0 dismiss "$item"
expect 4 retry "$run"
complained 'it has happened'

expect 0 correct "$run" --set what=milk --retry --word repeat
sent 2
expect 0 retry "$run" --adopt --word repeat
sent 3
expect 0 verify
