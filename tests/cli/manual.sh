# SPDX-License-Identifier: GPL-3.0-or-later
# The manual page has every command and every option of the program, and no other command.
. "$(dirname "$0")/lib.sh"
page=$(dirname "$0")/../../doc/capstan.1

# NAME OPTION… a line, as the program itself tells a shell.
"$capstan" completion bash | sed -n "s/^[[:space:]]*\([a-z-]*\)) words='\(.*\)' ;;$/\1 \2/p" >"$work/commands"
[ "$(wc -l <"$work/commands")" -gt 20 ] || fail 'the program does not tell its commands'
while read -r command options; do
	grep -Eq "^\.(It )?(Xo)?.*(Cm|\|) $command( |$)" "$page" || fail "the manual page lacks the command $command"
	for option in $options; do
		grep -q -- "Fl -${option#--}\( \|$\)" "$page" || fail "the manual page lacks $option of $command"
	done
done <"$work/commands"
sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p; s/^\.Cm \([a-z]*\) Ar .*/\1/p' "$page" | sort -u >"$work/documented"
while read -r command; do
	grep -q "^$command " "$work/commands" || fail "the manual page has $command, which the program has not"
done <"$work/documented"
