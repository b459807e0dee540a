# SPDX-License-Identifier: GPL-3.0-or-later
# A few of the bugs that the tests must see; `make check-mutants` plants them all.
jobs=$jobs sh "$top/tests/mutants/run" "$bld" sample
