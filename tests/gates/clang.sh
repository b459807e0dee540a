# SPDX-License-Identifier: GPL-3.0-or-later
# The second compiler: everything, tests included, with the same warnings as errors. Unoptimised:
# quick, and check-banned then sees every call as it was written.
. "$top/tests/gates/lib.sh"
variant clang clang --enable-werror CFLAGS='-g -O0'
for target in all programs-of-check; do
	make -s -k -j"$jobs" -C "$dir" "$target" >"$bld/gates/clang.out" 2>&1 ||
		{ grep -E 'error|undefined|\*\*\*' "$bld/gates/clang.out" || tail -n 20 "$bld/gates/clang.out"; exit 1; }
done
