#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# One engine, very many runs (`make soak`). SOAK_RUNS says how many (default 1,000,000), BENCH_DIR where
# the database is made (default: the build folder): it takes some 2 KiB a run.
set -eu
: "${CS_TEST_BUILDDIR:?run me by make soak}"
make -s -C "$CS_TEST_BUILDDIR" tests/bench/soak >&2
work=$(mktemp -d "${BENCH_DIR:-$CS_TEST_BUILDDIR}/soak.XXXXXX")
trap 'rm -rf -- "$work"' EXIT INT TERM
"$CS_TEST_BUILDDIR/tests/bench/soak" "$work" "${SOAK_RUNS:-1000000}"
