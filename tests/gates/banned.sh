# SPDX-License-Identifier: GPL-3.0-or-later
# Calls that tests/gates/banned.list forbids, by the undefined symbols of the unoptimised objects
# (an optimiser turns atoi into strtol and sprintf into strcpy; a header's own inline is not ours).
sh -eu "$top/tests/gates/clang.sh" >"$bld/gates/banned-build.log" 2>&1 || {
	tail -n 20 "$bld/gates/banned-build.log"
	echo 'the clang build that is looked at does not stand; see check-clang'
	exit 1
}
cd "$bld/clang"
find . -name "*.o" | sed "s/^..//" | sort | xargs nm -A -u >"$bld/gates/symbols.out"
[ -s "$bld/gates/symbols.out" ] || { echo 'no objects found'; exit 1; }
awk 'NR == FNR {
	if ($0 !~ /^#/ && NF > 2) { where = $2; why = $0; sub(/^[^ ]+ +[^ ]+ +/, "", why); ban[$1, where] = why }
	next
}
{
	object = $1; sub(/:$/, "", object)
	symbol = $NF; sub(/@.*/, "", symbol)
	split(object, p, "/"); folder = p[1] == "src" ? p[2] : p[1]
	if ((symbol, "*") in ban) { print object ": " symbol ": " ban[symbol, "*"]; bad = 1 }
	if ((symbol, folder) in ban) { print object ": " symbol ": " ban[symbol, folder]; bad = 1 }
}
END { exit bad }' "$top/tests/gates/banned.list" "$bld/gates/symbols.out"
