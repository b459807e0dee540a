# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c tests/bench/ceiling.c tests/bench/ceiling.h
check_PROGRAMS += tests/bench/engine_bench
tests_bench_engine_bench_SOURCES = tests/bench/engine_bench.c tests/bench/ceiling.c tests/bench/ceiling.h
if HAVE_VTERM
check_PROGRAMS += tests/bench/console_bench
tests_bench_console_bench_SOURCES = tests/bench/console_bench.c tests/tui/site.c tests/tui/site.h
tests_bench_console_bench_LDADD = $(DRIVER_LIBS)
endif
check_PROGRAMS += tests/bench/flow_bench
tests_bench_flow_bench_SOURCES = tests/bench/flow_bench.c
