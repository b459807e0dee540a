# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c tests/bench/ceiling.c tests/bench/ceiling.h
check_PROGRAMS += tests/bench/engine_bench
tests_bench_engine_bench_SOURCES = tests/bench/engine_bench.c tests/bench/ceiling.c tests/bench/ceiling.h
