# SPDX-License-Identifier: GPL-3.0-or-later
# A backup is taken while an engine runs, overwrites nothing, and becomes a workspace again: as another
# incarnation, simulated and held. What is damaged or newer leaves nothing behind.
. "$(dirname "$0")/lib.sh"
home=$work/home
"$capstan" init "$home" >/dev/null
sed -i 's/PT30S/PT0S/' "$home/capstan.yaml"
expect 3 -C "$home" backup "$work/none"
complained 'there is no database yet'
expect 0 -C "$home" run hello
(cd "$home"; exec "$capstan" serve >"$work/serve.out" 2>"$work/serve.err" </dev/null) &
server=$!
noted="$noted $server"
await test -S "$home/.capstan/socket"
expect 0 -C "$home" run letter
letter=$(tail -n 1 "$work/out")
expect 0 -C "$home" backup "$work/b1"
said 'checked and read back'
[ "$(stat -c %a "$work/b1")" = 600 ] || fail 'others may read the backup'
expect 4 -C "$home" backup "$work/b1"
complained 'overwrites nothing'
expect 0 -C "$home" backup "$work/b2" --without-key --json
said '"key":false'
expect 0 -C "$home" verify
kill "$server"
wait "$server" || :

# Into another folder: the state, and nothing leaves.
expect 4 restore "$work/b1" "$home"
complained 'overwrites nothing'
mkdir "$work/other"
cp -r "$home"/[!.]* "$work/other"
expect 0 restore "$work/b1" "$work/other" --json
said '"incarnation":1'
said '"open":1'
other=$work/other
expect 0 -C "$other" verify
expect 0 -C "$other" rebuild --check
expect 0 -C "$other" show "$letter"
said waiting
expect 0 -C "$other" inbox --json
said 'restored copy .*(incarnation 1)'
expect 0 -C "$other" release
expect 0 -C "$other" run hello
# A backup of that one, restored, is the next.
expect 0 -C "$other" backup "$work/b3"
expect 0 restore "$work/b3" "$work/third" --json
said '"incarnation":2'

# Without the key nothing is restored, with another's neither.
expect 4 restore "$work/b2" "$work/keyless"
complained '--key-file'
[ ! -e "$work/keyless/.capstan" ] || fail 'a refused restore left a state behind'
head -c 32 /dev/zero >"$work/wrong"
expect 5 restore "$work/b2" "$work/keyless" --key-file "$work/wrong"
[ ! -e "$work/keyless/.capstan" ] || fail 'a refused restore left a state behind'
expect 0 restore "$work/b2" "$work/keyless" --key-file "$home/.capstan/key"

# Damaged, newer, or something else.
head -c 100000 "$work/b1" >"$work/cut"
expect 5 restore "$work/cut" "$work/fourth"
sed '2s/"format":[0-9]*/"format":99/' "$work/b1" >"$work/newer"
expect 5 restore "$work/newer" "$work/fourth"
complained 'newer capstan (format 99, this one knows [0-9]'
[ ! -e "$work/fourth/.capstan" ] && [ ! -e "$work/fourth/.capstan.restoring" ] || fail 'a refused restore left something behind'
