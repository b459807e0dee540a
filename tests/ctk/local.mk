# SPDX-License-Identifier: GPL-3.0-or-later
# The conformance kit of the Open Workflow specification, over its feature files as they are, and our own
# in the same words.
check_PROGRAMS += tests/ctk/test_ctk
TESTS += tests/ctk/test_ctk
tests_ctk_test_ctk_SOURCES = tests/ctk/test_ctk.c tests/ctk/steps.c tests/ctk/steps.h tests/ctk/expect.c tests/ctk/play.h \
	tests/ctk/apart.c tests/ctk/apart.h tests/ctk/gherkin.c tests/ctk/gherkin.h \
	tests/ctk/petstore.c tests/ctk/petstore.h
tests_ctk_test_ctk_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD) -lssl $(CRYPTO_LIBS)
EXTRA_DIST += tests/ctk/features
