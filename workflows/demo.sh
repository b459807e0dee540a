#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A week of a one-person agency, in simulation: nothing leaves this machine.
#   CAPSTAN=build/capstan sh workflows/demo.sh
# In a terminal: the console on a copy of the agency with a week of enquiries under way.
# Without one: the same by command, from the inbox to a replay's difference.
set -eu

capstan=${CAPSTAN:-capstan}
here=$(cd "$(dirname "$0")" && pwd)
case $capstan in
*/*) capstan=$(cd "$(dirname "$capstan")" && pwd)/$(basename "$capstan") ;;
esac

# By a name that is never there before: two demos do not meet.
folder=$(mktemp -d "${TMPDIR:-/tmp}/capstan-demo-XXXXXX")
agency=$folder/agency
CAPSTAN_WORKFLOWS=$here "$capstan" init "$agency" --from agency >/dev/null

# Decisions take effect after two seconds here, so that nobody waits for a demo.
sed 's/^  grace: .*/  grace: PT2S/' "$agency/capstan.yaml" >"$agency/capstan.yaml.new"
mv "$agency/capstan.yaml.new" "$agency/capstan.yaml"
cd "$agency"

# The id of what waits for the client named, or of its run. A list is one JSON object a line.
member() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
waiting() { "$capstan" inbox --json | grep -F "$1" | head -n 1 | member id; }
run_of() { "$capstan" runs --json | grep -F "\"client\":\"$1\"" | tail -n 1 | member run; }

if [ -t 0 ] && [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
	echo "Seven enquiries come in ..."
	"$capstan" run client-onboarding --each inputs/week.jsonl >/dev/null 2>&1
	echo "One proposal is accepted, one answer sent, and for that one the line breaks ..."
	"$capstan" approve "$(waiting Northwind)" "$(waiting 'Old Mill')" >/dev/null 2>&1
	"$capstan" || status=$?
	echo "The workspace stays in $agency. Go on with: cd $agency && $capstan"
	exit "${status:-0}"
fi

# ---- without a terminal -------------------------------------------------------------------------

# $ before what is run, so that it can be run again by hand.
say() { printf '\n# %s\n' "$*"; }
show() {
	printf '$ capstan'
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=@,+-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n'
	"$capstan" "$@" 2>&1
}

say "The files are held to the letter before anything runs."
show check

say "A week of enquiries, one run each."
show run client-onboarding --each inputs/week.jsonl
say "What became of them, and what waits for the owner."
show runs
show inbox

say "Northwind: the proposal with its numbers, then the decision."
item=$(waiting Northwind)
show inbox show "$item"
show approve "$item" --note 'Good. Anna is in on it.'

say "Now the mail stops at its gate. What is shown is what would go out."
item=$(waiting Northwind)
show inbox show "$item"
show approve "$item"

say "The invoice stops as well. The amount is edited, and the edited one approved."
item=$(waiting Northwind)
value=$("$capstan" inbox show "$item" --json | sed 's/.*"value":\({[^{}]*}\).*/\1/; s/"amount":[0-9.]*/"amount":1500/')
printf "\$ capstan edit %s --value '%s'\n" "$item" "$value"
item=$("$capstan" edit "$item" --value "$value")
echo "$item"
show approve "$item"

say "Bluebird: the refusal is written; the owner rejects the mail. Nothing goes out."
show reject "$(waiting Bluebird)" --note 'I will call them instead.'

say "Old Mill: approved, and the line breaks while sending. Nobody guesses: it is in doubt."
show approve "$(waiting 'Old Mill')"
show resolve "$(waiting 'did it happen')" happened --note 'It is in the log of the provider.'

say "What happened at Northwind, step by step."
run=$(run_of Northwind)
show trace "$run"

say "And with half the budget? A replay sends nothing; only what differs runs again."
show replay "$run" --set budget=2000

say "The log, checked."
show verify
show rebuild --check

echo
echo "The workspace stays in $agency. Go on with: cd $agency && $capstan"
