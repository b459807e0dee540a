# SPDX-License-Identifier: GPL-3.0-or-later
# The whole program, or all of it but the screen, against servers, crashes and hostile files.
live_room = tests/system/live.c tests/system/live.h
system_tests = tests/system/test_deadly tests/system/test_hostile tests/system/test_live tests/system/kill9 tests/system/test_forks tests/system/test_again tests/system/test_copies tests/system/test_formats
check_PROGRAMS += $(system_tests)
TESTS += $(system_tests)
tests_system_test_live_SOURCES = tests/system/test_live.c $(live_room)
tests_system_test_live_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_system_test_forks_SOURCES = tests/system/test_forks.c $(live_room)
tests_system_test_forks_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_system_test_hostile_SOURCES = tests/system/test_hostile.c
tests_system_test_deadly_SOURCES = tests/system/test_deadly.c $(live_room)
tests_system_test_deadly_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_system_kill9_SOURCES = tests/system/kill9.c tests/system/kill_site.c tests/system/kill_site.h
tests_system_kill9_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)

# 50 deaths during 200 runs, also under a sanitizer. CS_TEST_RUNS, CS_TEST_KILLS, CS_TEST_SEED choose others.
check-kill: capstan tests/system/kill9 tests/support/ledger_server
	@CS_TEST_BUILDDIR='$(abs_top_builddir)' CS_TEST_CAPSTAN='$(abs_top_builddir)/capstan' \
	CS_TEST_RUNS=$${CS_TEST_RUNS:-200} CS_TEST_KILLS=$${CS_TEST_KILLS:-50} tests/system/kill9
tests_system_test_again_SOURCES = tests/system/test_again.c $(live_room)
tests_system_test_again_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_system_test_copies_SOURCES = tests/system/test_copies.c $(live_room)
tests_system_test_copies_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_system_test_formats_SOURCES = tests/system/test_formats.c tests/system/formats.c tests/system/formats.h $(live_room)
tests_system_test_formats_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
