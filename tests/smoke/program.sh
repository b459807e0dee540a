# SPDX-License-Identifier: GPL-3.0-or-later
# The program starts, says who it is, and tells wrong usage by exit status 2.
set -eu
capstan=${CS_TEST_CAPSTAN:?}
fail() { echo "program.sh: $*" >&2; exit 1; }

"$capstan" --version | grep -q '^capstan [0-9]' || fail '--version does not name the version'
"$capstan" --help | grep -q COMMAND || fail '--help does not show the usage'
status=0
said=$("$capstan" no-such-command 2>&1 >/dev/null) || status=$?
[ "$status" -eq 2 ] || fail "an unknown command ends with $status, not 2"
case $said in
'capstan: '*no-such-command*) ;;
*) fail "an unknown command is not named: $said" ;;
esac
status=0
"$capstan" --version >/dev/full 2>/dev/null || status=$?
[ "$status" -ne 0 ] || fail 'output that cannot be written goes unnoticed'
