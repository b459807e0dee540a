# SPDX-License-Identifier: GPL-3.0-or-later
VIEW_TESTS = \
	tests/view/test_align \
	tests/view/test_view
check_PROGRAMS += $(VIEW_TESTS)
TESTS += $(VIEW_TESTS)
tests_view_test_align_SOURCES = tests/view/test_align.c
tests_view_test_view_SOURCES = tests/view/test_view.c $(tests_store_fixture)
