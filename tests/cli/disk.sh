# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that is really full, a small one of our own: commands end with 5 and say so, what is there
# can be read, the inbox says it once, and with space again all goes on.
if [ -z "${CS_OWN_MOUNTS-}" ]; then
	unshare -Urm true 2>/dev/null || { echo 'disk: skipped: no mounts of our own can be had here'; exit 77; }
	CS_OWN_MOUNTS=yes exec unshare -Urm sh "$0"
fi
. "$(dirname "$0")/lib.sh"
disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=16m tmpfs "$disk" || { echo 'disk: skipped: no tmpfs can be mounted here'; exit 77; }
leave() {
	for pid in $noted; do kill -KILL "$pid" 2>/dev/null || :; wait "$pid" 2>/dev/null || :; done
	umount "$disk" || umount -l "$disk"
	cleanup
}
trap leave EXIT
home=$disk/home
fill() { dd if=/dev/zero of="$disk/fill" bs=4096 2>/dev/null || :; }
told() {
	expect 0 -C "$home" inbox --json
	[ "$(grep -c '"kind":"disk"' "$work/out")" -eq 1 ] || fail 'the inbox does not say once that the disk failed'
}
"$capstan" init "$home" >/dev/null
expect 0 -C "$home" run hello
[ "$(stat -c %s "$home/.capstan/reserve")" -eq 4194304 ] || fail 'no space is kept'

# Without an engine: a command that changes something cannot.
fill
expect 5 -C "$home" run hello
complained 'free some space'
told
expect 5 -C "$home" run hello
complained 'free some space'
told
expect 0 -C "$home" runs
expect 0 -C "$home" verify
rm "$disk/fill"
expect 0 -C "$home" run hello
told
expect 0 -C "$home" dismiss "$(member id)"
expect 0 -C "$home" inbox --json
if grep -q '"kind":"disk"' "$work/out"; then fail 'what was dismissed still waits'; fi

# With one: it ends by itself.
(cd "$home"; trap - EXIT; exec "$capstan" serve >"$work/serve.out" 2>"$work/serve.err" </dev/null) &
server=$!
noted="$noted $server"
await test -S "$home/.capstan/socket"
expect 0 -C "$home" run hello
fill
n=0
until [ "$n" -ge 2000 ] || [ "$got" -ne 0 ]; do
	n=$((n + 1))
	got=0
	"$capstan" -C "$home" run hello >"$work/out" 2>"$work/err" </dev/null || got=$?
done
[ "$got" -eq 5 ] || fail "on a full disk run ended with $got"
complained 'disk is full'
status=0
wait "$server" || status=$?
[ "$status" -eq 5 ] || fail "serve ended with $status"
grep -q 'disk is full' "$work/serve.err" || fail 'serve does not say why it ended'
told
expect 0 -C "$home" verify
rm "$disk/fill"
expect 0 -C "$home" run hello
said Hello
expect 0 -C "$home" verify
expect 0 -C "$home" rebuild --check
