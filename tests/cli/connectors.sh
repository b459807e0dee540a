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
expect 0 verify
