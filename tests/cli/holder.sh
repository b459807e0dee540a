# SPDX-License-Identifier: GPL-3.0-or-later
# One engine a workspace: commands attach to it, name it when it is stopped, and take over when it
# is gone.
. "$(dirname "$0")/lib.sh"
fresh

serve() {
	(cd "$work"; trap - EXIT; exec "$capstan" serve >serve.out 2>serve.err </dev/null) &
	server=$!
	noted="$noted $server"
	await test -S "$work/.capstan/socket"
	expect 0 doctor
	said "process $server holds the workspace and answers"
}

serve
expect 5 serve
complained "process $server"
expect 0 run hello
said Hello
expect 0 run letter
run=$(cat "$work/out")
expect 0 approve "$(waiting)"
completed() { (cd "$work" && "$capstan" show "$run" --json) | grep -q '"state":"completed"'; }
await completed
grep -q "run.completed $run" "$work/serve.err" || fail 'serve does not log what its runs do'
expect 5 rebuild
complained "process $server"

# It takes changed files by itself, and that is said where it matters.
sed 's/Hello!/Hi!/' "$work/agents/greeter.yaml" >"$work/greeter.new" && mv "$work/greeter.new" "$work/agents/greeter.yaml"
expect 0 check
complained "process $server is the engine: as a console or \`capstan serve\` it takes changed files by itself"
sed "s/version: '1.0.0'/version: '1.0.9'/" "$work/flows/letter.yaml" >"$work/letter.new" && mv "$work/letter.new" "$work/flows/letter.yaml"
expect 3 run letter
complained 'is taken within seconds'

# Stopped: named, with the way out; not overruled.
kill -STOP "$server"
expect 5 run hello
complained "kill -CONT $server"
kill -CONT "$server"
expect 0 run hello

# Killed: the next command takes the workspace itself.
kill -KILL "$server"
wait "$server" 2>/dev/null || :
expect 0 run hello
said Hello

# Asked to end, it ends in order.
serve
kill -TERM "$server"
status=0
wait "$server" || status=$?
[ "$status" -eq 0 ] || fail "serve ended with $status"
[ ! -e "$work/.capstan/socket" ] || fail 'serve left its socket behind'

# A decision's grace is waited out by the one who drives the run; undo takes it back before.
fresh PT2S
expect 0 run letter
run=$(cat "$work/out")
item=$(waiting)
(cd "$work"; trap - EXIT; exec "$capstan" approve "$item" >first.out 2>first.err </dev/null) &
first=$!
decided() { (cd "$work" && "$capstan" inbox show "$item" --json) | grep -q '"state":"approved"'; }
await decided
expect 0 undo "$item"
wait "$first" || fail "the one who approved ended with $?"
expect 0 show "$run" --json
said '"state":"waiting"'
expect 0 approve "$item"
complained 'waiting'
expect 0 show "$run" --json
said '"state":"completed"'

# Many at once on a workspace without an engine: one takes it, the others attach, and take over in
# turn; each run is run once.
fresh
at_once=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	(cd "$work"; trap - EXIT; exec "$capstan" run hello --set "name=n$i" >"one.$i" 2>"err.$i" </dev/null) &
	at_once="$at_once $!"
done
for pid in $at_once; do
	wait "$pid" || fail "one of many ended with $?: $(cat "$work"/err.*)"
done
expect 0 runs --json --limit 0
[ "$(grep -c '"state":"completed"' "$work/out")" -eq 20 ] || fail 'twenty commands are not twenty runs'
