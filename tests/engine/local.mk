# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/engine/test_lease tests/engine/test_server
TESTS += tests/engine/test_lease tests/engine/test_server
tests_engine_test_lease_SOURCES = tests/engine/test_lease.c tests/engine/fake_engine.c tests/engine/fake_engine.h
tests_engine_test_server_SOURCES = tests/engine/test_server.c tests/engine/fake_engine.c tests/engine/fake_engine.h
check_PROGRAMS += tests/engine/test_engine
TESTS += tests/engine/test_engine
tests_engine_test_engine_SOURCES = tests/engine/test_engine.c
tests_engine_test_engine_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
check_PROGRAMS += tests/engine/test_agency
TESTS += tests/engine/test_agency
tests_engine_test_agency_SOURCES = tests/engine/test_agency.c
tests_engine_test_agency_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
check_PROGRAMS += tests/engine/test_effect_path
TESTS += tests/engine/test_effect_path
tests_engine_test_effect_path_SOURCES = tests/engine/test_effect_path.c
tests_engine_test_effect_path_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
