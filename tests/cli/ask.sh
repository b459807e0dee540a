# SPDX-License-Identifier: GPL-3.0-or-later
# ask: the inbox for any script. What was accepted comes out byte for byte, also over a kill -9.
. "$(dirname "$0")/lib.sh"
fresh

# Asks in the background; $asked is its process, $work/answer and $work/answered what it left.
ask() {
	printf "$1" >"$work/draft"
	shift
	rm -f "$work/answered"
	(cd "$work"; trap - EXIT; status=0; "$capstan" ask "$@" <draft >answer 2>answer.err || status=$?; echo $status >answered.new; mv answered.new answered) &
	asked=$!
	await something_waits
}
answered() { [ -f "$work/answered" ]; }
ended_with() {
	await answered
	wait "$asked" || :
	[ "$(cat "$work/answered")" = "$1" ] || fail "ask ended with $(cat "$work/answered"), not $1: $(cat "$work/answer.err")"
}

ask 'Dear A,\n${ .x } \\ "q" \303\251\n\n' 'Send this?'
expect 0 approve "$(waiting)"
ended_with 0
cmp -s "$work/draft" "$work/answer" || fail 'what was accepted is not what was shown'

ask 'no newline' 'Send that?'
expect 0 edit "$(waiting)" --value 'much better'
next=$(cat "$work/out")
expect 0 approve "$next"
ended_with 0
[ "$(cat "$work/answer")" = 'much better' ] || fail 'what was edited did not come out'

ask 'text' 'And this?'
expect 0 reject "$(waiting)" --note 'too short'
ended_with 1
[ ! -s "$work/answer" ] || fail 'what was rejected came out'
grep -q 'too short' "$work/answer.err" || fail 'the reason is not said'

ask 'text' --expire PT0.3S 'Quick?'
ended_with 75

# kill -9 in the middle: it waits on, and --resume takes it up.
ask 'still here\n' 'Durable?'
item=$(waiting)
run=$(member run)
kill -9 "$(cat "$work/.capstan/lock")"
ended_with 137
expect 0 show "$run" --json
said '"state":"waiting"'
rm -f "$work/answered"
(cd "$work"; trap - EXIT; status=0; "$capstan" ask --resume "$run" </dev/null >answer 2>answer.err || status=$?; echo $status >answered.new; mv answered.new answered) &
asked=$!
expect 0 approve "$item"
ended_with 0
[ "$(cat "$work/answer")" = 'still here' ] || fail 'the text was lost in the restart'
expect 0 ask --resume "$run"
said 'still here'

# A question with a form.
printf '{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}' >"$work/form.json"
ask '' --form form.json 'How many?'
grep -q 'capstan respond' "$work/answer.err" || fail 'a question is not pointed to its answer'
item=$(waiting)
expect 2 respond "$item" --value '{"n":"many"}'
expect 0 respond "$item" --value '{"n":3}'
ended_with 0
[ "$(cat "$work/answer")" = '{"n":3}' ] || fail 'the answer did not come out'

# What cannot be shown cannot be approved.
for bad in 'a\000b' 'a\377b'; do
	status=0
	printf "$bad" | (cd "$work" && "$capstan" ask Binary) >"$work/out" 2>"$work/err" || status=$?
	[ "$status" -eq 2 ] || fail "binary input ended with $status"
	complained 'only text can be shown'
done

# What begins as JSON and is none is a slip, not text; an effect's result is JSON.
ask 'text' 'Send it so?'
item=$(waiting)
for slip in '{"a":' '[1,' '"text' ' {a}'; do
	expect 2 edit "$item" --value "$slip"
	complained "--value '\"text\"'"
done
expect 0 inbox --json
[ "$(member id)" = "$item" ] || fail 'a slip was proposed'
expect 0 reject "$item"
ended_with 1
for slip in '{"a":' 'plain' ''; do
	expect 2 resolve "$item" happened --value "$slip"
	complained "--value '\"text\"'"
done
