# SPDX-License-Identifier: GPL-3.0-or-later
# Changed files are taken when they pass, whole or not at all; a run keeps what it began with.
. "$(dirname "$0")/lib.sh"
fresh

flow() {
	cat >"$work/.new" <<Y
document: { dsl: '1.0.3', namespace: start, name: ab, version: '1.0.0' }
do:
  - check: { call: approve, with: { title: Well? } }
  - end: { set: { letter: $1 } }
Y
	mv "$work/.new" "$work/flows/ab.yaml"
}
flow a
(cd "$work" && exec "$capstan" serve) >"$work/serve.out" 2>"$work/serve.err" </dev/null &
noted="$noted $!"
await test -S "$work/.capstan/socket"
expect 0 run ab
old=$(cat "$work/out")

# By itself.
flow b
await grep -q 'engine.reloaded .*flows/ab.yaml' "$work/serve.err"
expect 0 run ab
new=$(cat "$work/out")

# A file that fails changes nothing.
flow '"${ .x | nofunction }"'
await grep -q 'item.opened .*Changed files are not taken: flows/ab.yaml:4:' "$work/serve.err"
expect 1 reload
complained 'flows/ab.yaml:4:'
expect 0 run ab
third=$(cat "$work/out")
flow c
expect 0 reload
expect 0 run ab
last=$(cat "$work/out")

for item in $(cd "$work" && "$capstan" inbox --json | sed -n 's/.*"id":"\([^"]*\)".*/\1/p'); do expect 0 approve "$item"; done
ends() { (cd "$work" && "$capstan" show "$1" --json) | grep -q "\"letter\":\"$2\""; }
await ends "$old" a
await ends "$new" b
await ends "$third" b
await ends "$last" c

# What is wrong with a file is an item of no run: read, put away, or closed by mending the file.
notice() { (cd "$work" && "$capstan" inbox --json) | sed -n 's/.*"id":"\([^"]*\)".*"kind":"notice".*/\1/p'; }
noticed() { test -n "$(notice)"; }
mended() { test -z "$(notice)"; }
flow '"${ .x | nofunction }"'
await noticed
expect 0 inbox show "$(notice)"
said 'Changed files are not taken: flows/ab.yaml:4:'
expect 4 approve "$(notice)"
complained 'dismiss'
expect 0 dismiss "$(notice)"
mended || fail 'a notice that was put away is still there'
flow '"${ .x | another }"'
await noticed
flow d
await mended

# A run moves to the definition of today where what it did stands in it.
expect 0 run ab
moved=$(cat "$work/out")
flow e
expect 0 reload
expect 0 adopt "$moved" --note 'the letter was wrong'
expect 0 trace "$moved" --format json
said '"type":"run.adopted"'
sed 's/Well?/Other?/' "$work/flows/ab.yaml" >"$work/.new" && mv "$work/.new" "$work/flows/ab.yaml"
expect 0 reload
expect 0 adopt "$moved"
item=$(waiting)
expect 0 inbox show "$item"
said 'Other?'
expect 0 approve "$item"
await ends "$moved" e
expect 4 adopt "$moved"
