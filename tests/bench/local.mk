# SPDX-License-Identifier: GPL-3.0-or-later
tests_bench_shared = tests/bench/bench.c tests/bench/bench.h
check_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c tests/bench/ceiling.c tests/bench/ceiling.h
check_PROGRAMS += tests/bench/engine_bench
tests_bench_engine_bench_SOURCES = tests/bench/engine_bench.c tests/bench/ceiling.c tests/bench/ceiling.h $(tests_bench_shared)
if HAVE_VTERM
check_PROGRAMS += tests/bench/console_bench
tests_bench_console_bench_SOURCES = tests/bench/console_bench.c tests/tui/site.c tests/tui/site.h
tests_bench_console_bench_LDADD = $(DRIVER_LIBS)
endif
check_PROGRAMS += tests/bench/flow_bench
tests_bench_flow_bench_SOURCES = tests/bench/flow_bench.c
check_PROGRAMS += tests/bench/open_bench tests/bench/log_bench tests/bench/soak
tests_bench_soak_SOURCES = tests/bench/soak.c $(tests_bench_shared)
tests_bench_open_bench_SOURCES = tests/bench/open_bench.c $(tests_bench_shared)
tests_bench_log_bench_SOURCES = tests/bench/log_bench.c $(tests_bench_shared)
