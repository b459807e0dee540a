# SPDX-License-Identifier: GPL-3.0-or-later
# Each file of ours names its licence in its first line, and none says that it is unfinished.
. "$top/tests/gates/lib.sh"
cd "$top"
status=0
own_files | xargs awk 'FNR == 1 && !/SPDX-License-Identifier: GPL-3\.0-or-later/ {
	print FILENAME ": the first line does not name the licence"; bad = 1 }
	END { exit bad }' || status=1
if own_files | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b|not implemented|not yet implemented'; then status=1; fi
exit $status
