# SPDX-License-Identifier: GPL-3.0-or-later
# cppcheck, with the short list of what we do not follow in cppcheck.list and a model of macros.
. "$top/tests/gates/lib.sh"
mkdir -p "$bld/gates/cppcheck"
cd "$top"
own_files | grep -E '^(src|tui)/.*\.c$' >"$bld/gates/lint-files"
cppcheck -q --std=c11 --library=posix --enable=warning,performance,portability --inline-suppr \
	--include=tests/gates/cppcheck.h --suppressions-list=tests/gates/cppcheck.list --cppcheck-build-dir="$bld/gates/cppcheck" \
	--error-exitcode=1 -j "$jobs" -D_GNU_SOURCE -DHAVE_CONFIG_H -Isrc -I. -I"$bld" \
	--file-list="$bld/gates/lint-files"
