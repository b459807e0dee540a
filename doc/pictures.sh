#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The pictures of the manual, taken by the tests' driver from the real program on a copy of the
# agency: `make pictures`.
#   CAPSTAN=… SCREENSHOT=… CAPSTAN_WORKFLOWS=… sh doc/pictures.sh FOLDER
set -eu

to=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/capstan-pictures-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
"$CAPSTAN" init "$work/agency" --from agency >/dev/null
cd "$work/agency"
sed 's/^  grace: .*/  grace: PT1S/' capstan.yaml >new && mv new capstan.yaml

quietly() { "$CAPSTAN" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }
waiting() { "$CAPSTAN" inbox --json | grep -F "$1" | head -n 1 | sed -n 's/.*"id":"\([^"]*\)".*/\1/p'; }

quietly run client-onboarding --each inputs/week.jsonl
for step in decision mail invoice; do
	quietly approve "$(waiting Northwind)" --note "$step"
done
quietly approve "$(waiting 'Old Mill')"
run=$("$CAPSTAN" runs --json | grep -F '"client":"Northwind"' | tail -n 1 | sed -n 's/.*"run":"\([^"]*\)".*/\1/p')

shoot() { COLORTERM=truecolor "$SCREENSHOT" 116x32 "$@" -- "$CAPSTAN"; }
shoot see 'Will do' see 'Best regards' svg "$to/inbox.svg"
shoot see Inbox keys 2 see Started keys '/northwind\r' see 4000 svg "$to/runs.svg"
shoot see Inbox keys 2 see Started keys '/northwind\r' see 4000 keys t see qualification keys '/billing.create\r' see amount svg "$to/trace.svg"
quietly replay "$run" --set budget=2000
shoot see Inbox keys 4 see prepares keys '\r' see 'In all' keys '/price\r' see deposit svg "$to/replay.svg"
