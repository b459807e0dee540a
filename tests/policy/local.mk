# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/policy/test_policy
TESTS += tests/policy/test_policy
tests_policy_test_policy_SOURCES = tests/policy/test_policy.c
