# SPDX-License-Identifier: GPL-3.0-or-later
# The demo without a terminal walks from the inbox to a replay's difference, and leaves a clean log.
. "$(dirname "$0")/lib.sh"

mkdir -p "$work/tmp"
CAPSTAN=$capstan TMPDIR=$work/tmp sh "$(dirname "$0")/../../workflows/demo.sh" </dev/null >"$work/said" 2>&1 ||
	fail "the demo ended with $?: $(tail -n 5 "$work/said")"
said() { grep -q -e "$1" "$work/said" || fail "the demo does not say: $1"; }
said '^the workspace is in order$'
said 'Northwind: invoice$'
said 'it is not known whether it happened: Bad Gateway'
said 'reply caught the error: Authorization'
said 'consumed operator:owner'
said '^~ /do/7/price$'
said '^  /do/19/onboarded$'
said 'sent      0 -> 0'
said '^clean: '
! grep '^capstan: ' "$work/said" || fail 'the demo runs into an error'
