# SPDX-License-Identifier: GPL-3.0-or-later
# All tests under AddressSanitizer (leaks too) and UndefinedBehaviorSanitizer.
. "$top/tests/gates/lib.sh"
variant asan gcc --enable-werror --enable-sanitizer=address,undefined
make -s -j"$jobs" -C "$dir" all
make -s -j"$jobs" -C "$dir" programs-of-check
ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS
steady make -s -k -C "$dir" check-TESTS >"$bld/gates/asan.tests" 2>&1 || { explain_tests "$dir"; exit 1; }
