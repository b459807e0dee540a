# SPDX-License-Identifier: GPL-3.0-or-later
# A function has at most 60 lines and complexity 15, a file at most 600 lines.
. "$top/tests/gates/lib.sh"
cd "$top"
status=0
own_files | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines, 600 is the most"; bad = 1 }
	END { exit bad }' || status=1
own_files | grep '\.c$' | xargs pmccabe >"$bld/gates/pmccabe.out"
awk '$1 > 15 { print $6 " " $7 ": complexity " $1 ", 15 is the most"; bad = 1 }
	$5 > 60 { print $6 " " $7 ": " $5 " lines, 60 is the most"; bad = 1 }
	END { exit bad }' "$bld/gates/pmccabe.out" || status=1
exit $status
