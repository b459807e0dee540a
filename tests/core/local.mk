# SPDX-License-Identifier: GPL-3.0-or-later
core_tests = tests/core/test_http_request tests/core/test_machines tests/core/test_effect tests/core/test_fold
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
tests_core_test_http_request_SOURCES = tests/core/test_http_request.c
tests_core_test_machines_SOURCES = tests/core/test_machines.c
tests_core_test_effect_SOURCES = tests/core/test_effect.c tests/core/sim.c tests/core/sim.h
tests_core_test_fold_SOURCES = tests/core/test_fold.c tests/core/play.c tests/core/play.h tests/core/random_flow.c
check_PROGRAMS += tests/core/test_openapi
TESTS += tests/core/test_openapi
tests_core_test_openapi_SOURCES = tests/core/test_openapi.c
check_PROGRAMS += tests/core/test_asks
TESTS += tests/core/test_asks
tests_core_test_asks_SOURCES = tests/core/test_asks.c tests/core/sim.c tests/core/sim.h
check_PROGRAMS += tests/core/test_extensions
TESTS += tests/core/test_extensions
tests_core_test_extensions_SOURCES = tests/core/test_extensions.c tests/core/sim.c tests/core/sim.h
