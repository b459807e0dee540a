# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/core/test_http_request
TESTS += tests/core/test_http_request
check_PROGRAMS += tests/core/test_machine tests/core/test_effect
TESTS += tests/core/test_machine tests/core/test_effect
tests_core_test_effect_SOURCES = tests/core/test_effect.c tests/core/sim.c tests/core/sim.h
