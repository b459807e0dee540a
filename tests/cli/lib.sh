# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of the command line share: a workspace of their own, and words for what is
# expected. Read by `.`; $work goes away at the end, with every process that was noted.
set -eu
capstan=${CS_TEST_CAPSTAN:?}
name=$(basename "$0" .sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/capstan-cli-XXXXXX")
noted=
cleanup() {
	for pid in $noted; do kill -CONT "$pid" 2>/dev/null || :; kill -KILL "$pid" 2>/dev/null || :; done
	rm -rf "$work"
}
trap cleanup EXIT
fail() {
	echo "$name: $*" >&2
	for file in out err; do
		[ ! -f "$work/$file" ] || sed "s/^/$name: std$file: /" "$work/$file" >&2
	done
	exit 1
}
# expect STATUS ARGUMENT…: capstan in the workspace ends with STATUS; $work/out and $work/err hold
# what it said.
expect() {
	want=$1
	shift
	got=0
	(cd "$work" && exec "$capstan" "$@") >"$work/out" 2>"$work/err" </dev/null || got=$?
	[ "$got" -eq "$want" ] || fail "capstan $* ended with $got, not $want"
}
said() { grep -q -- "$1" "$work/out" || fail "stdout does not say: $1"; }
complained() { grep -q -- "$1" "$work/err" || fail "stderr does not say: $1"; }
# The first string member of that name on stdout.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$work/out" | head -n 1; }
# await COMMAND…: until it succeeds, at most 20 s.
await() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "in vain awaited: $*"
		sleep 0.1
	done
}
# The id of the first thing in the inbox.
waiting() {
	expect 0 inbox --json
	member id
}
something_waits() { (cd "$work" && "$capstan" inbox --json </dev/null) | grep -q '"state":"pending"'; }
fresh() {
	rm -rf "${work:?}"/* "$work"/.capstan "$work"/.gitignore
	"$capstan" init "$work" >/dev/null
	sed -i "s/PT30S/${1:-PT0S}/" "$work/capstan.yaml"
}
