# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/connectors/test_http_effect
TESTS += tests/connectors/test_http_effect
tests_connectors_test_http_effect_LDADD = tests/support/libsupport.a $(LDADD)
check_PROGRAMS += tests/connectors/test_digest
TESTS += tests/connectors/test_digest
