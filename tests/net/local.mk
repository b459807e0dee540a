# SPDX-License-Identifier: GPL-3.0-or-later
net_tests = tests/net/test_address tests/net/test_http
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)
tests_net_test_http_LDADD = tests/support/libsupport.a $(LDADD)
