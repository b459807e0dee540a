# SPDX-License-Identifier: GPL-3.0-or-later
# What the person at the inbox is told: which thing is in the way, what comes next, and what has been done already.
. "$(dirname "$0")/lib.sh"
fresh
mkdir -p "$work/connectors" "$work/policies"
sed -i 's/^mode: .*/mode: live/' "$work/capstan.yaml"
cat >"$work/connectors/shop.yaml" <<'END'
connector: shop
kind: http
url: http://127.0.0.1:1
allow: [ '127.0.0.1:1' ]
mode: live
operations:
  order: { effect: unsafe, request: { method: POST, path: /orders }, reverse: none }
END
cat >"$work/policies/all.yaml" <<'END'
policy: all
rules:
  - { name: all, when: { call: 'shop.*' }, then: allow }
END
cat >"$work/flows/order.yaml" <<'END'
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
input: { schema: { document: { type: object, required: [ what ] } } }
do:
  - order: { call: shop.order, with: { what: '${ .what }' } }
END
expect 0 live

# A connector that is off is named, with the command that switches it on.
expect 0 connectors mode shop off
expect 0 run order --input '{"what":"x"}'
complained 'shop sends nothing now; next: capstan connectors mode shop live'
run=$(cat "$work/out")
expect 0 show "$run"
said '^waits for *its connector, which sends nothing now: shop; next: capstan connectors mode shop live'
expect 0 cancel "$run"

# An input that does not fit is not retried.
expect 1 run order --input '{}'
complained 'begin another run'
item=$(waiting)
expect 0 inbox show "$item"
said 'begin another, then capstan dismiss'
expect 0 dismiss "$item"
expect 0 dismiss "$item"
said "$item is already dismissed by operator:owner; nothing was changed"

# What a backup has not is said where it is made.
expect 0 backup state.backup
said "it does not hold the workspace's own files"
