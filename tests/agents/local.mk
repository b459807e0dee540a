# SPDX-License-Identifier: GPL-3.0-or-later
agents_tests = tests/agents/test_shell tests/agents/test_rules tests/agents/test_fixture
check_PROGRAMS += $(agents_tests)
TESTS += $(agents_tests)
tests_agents_test_shell_LDADD = tests/support/libsupport.a $(LDADD)
tests_agents_test_rules_LDADD = tests/support/libsupport.a $(LDADD)
tests_agents_test_fixture_LDADD = tests/support/libsupport.a $(LDADD)
