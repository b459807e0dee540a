# SPDX-License-Identifier: GPL-3.0-or-later
# The tests named in threaded.list under ThreadSanitizer.
. "$top/tests/gates/lib.sh"
variant tsan gcc --enable-werror --enable-sanitizer=thread

# Of the names on stdin, those that the list names.
threaded() {
	while read -r name; do
		grep -v '^#' "$top/tests/gates/threaded.list" | while read -r pattern; do
			# shellcheck disable=SC2254
			case $name in $pattern) echo "$name" ;; esac
		done
	done | tr '\n' ' '
}
make -s -C "$dir" list-programs-of-check >"$bld/gates/tsan.programs"
make -s -C "$dir" list-tests >"$bld/gates/tsan.tests"
programs=$(threaded <"$bld/gates/tsan.programs")
tests=$(threaded <"$bld/gates/tsan.tests")
[ -n "$tests" ] || { echo 'tests/gates/threaded.list names no test there is'; exit 1; }
# shellcheck disable=SC2086
make -s -j"$jobs" -C "$dir" capstan $programs
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$top/tests/gates/tsan.supp
export TSAN_OPTIONS
steady make -s -k -C "$dir" check-TESTS check_PROGRAMS="$programs" TESTS="$tests" >"$bld/gates/tsan.run" 2>&1 ||
	{ explain_tests "$dir"; exit 1; }
