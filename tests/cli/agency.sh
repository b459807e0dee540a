# SPDX-License-Identifier: GPL-3.0-or-later
# The agency that is shipped: every scenario of its four flows passes, a year of schedules among
# them, on a clock that jumps; each flow has one for each of its paths that ends another way.
. "$(dirname "$0")/lib.sh"
rm -rf "$work"
CAPSTAN_WORKFLOWS=${CS_TEST_SRCDIR:?}/workflows "$capstan" init "$work" --from agency >/dev/null
expect 0 check
expect 0 test
said '^ok   a year of issues$'
grep -Eq '^[0-9]+ scenarios: [0-9]+ ok, 0 failed' "$work/out" || fail 'not every scenario passes'
for flow in client-onboarding newsletter-issue strategy-call consulting-order; do
	n=$(grep -l "^flow: $flow\$" "$work"/scenarios/*.yaml | wc -l)
	[ "$n" -ge 7 ] || fail "$flow has $n scenarios"
done

# One order by hand: accepted, then called off at the kick-off; what was done is taken back.
sed 's/^  grace: .*/  grace: PT0S/' "$work/capstan.yaml" >"$work/new" && mv "$work/new" "$work/capstan.yaml"
expect 0 run consulting-order --input @inputs/order.json
expect 0 inbox --json
expect 0 approve "$(member id)"
expect 0 inbox --json
expect 0 reject "$(sed -n '/mail.send/s/.*"id":"\([^"]*\)".*/\1/p' "$work/out" | head -n 1)"
expect 0 runs --json
said '"state":"compensated"'
expect 0 run strategy-call --input @inputs/call.json
expect 0 verify
expect 0 rebuild --check
