# SPDX-License-Identifier: GPL-3.0-or-later
# What several folders' tests use: a server on loopback that keeps a ledger, and its handle.
check_LIBRARIES += tests/support/libsupport.a
tests_support_libsupport_a_SOURCES = tests/support/bad_disk.c tests/support/bad_disk.h tests/support/ledger.c tests/support/ledger.h \
	tests/support/descriptors.c tests/support/descriptors.h \
	tests/support/perform.c tests/support/perform.h \
	tests/support/world.c tests/support/world.h tests/support/acts.c tests/support/acts.h \
	tests/support/invariants.c tests/support/invariants.h
check_PROGRAMS += tests/support/ledger_server
tests_support_ledger_server_SOURCES = tests/support/ledger_server.c tests/support/ledger_answers.c \
	tests/support/ledger_answers.h
