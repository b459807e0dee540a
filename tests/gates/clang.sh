# SPDX-License-Identifier: GPL-3.0-or-later
# The second compiler: everything, tests included, with the same warnings as errors. Unoptimised:
# quick, and check-banned then sees every call as it was written.
. "$top/tests/gates/lib.sh"
variant clang clang --enable-werror CFLAGS='-g -O0'
make -s -k -j"$jobs" -C "$dir" all
make -s -k -j"$jobs" -C "$dir" programs-of-check
