# SPDX-License-Identifier: GPL-3.0-or-later
# The whole program, or all of it but the screen, against servers, crashes and hostile files.
live_room = tests/system/live.c tests/system/live.h
system_tests = tests/system/test_live
check_PROGRAMS += $(system_tests)
TESTS += $(system_tests)
tests_system_test_live_SOURCES = tests/system/test_live.c $(live_room)
tests_system_test_live_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
