# SPDX-License-Identifier: GPL-3.0-or-later
# The conformance kit of the Open Workflow specification, over its feature files as they are, and our own
# in the same words.
ctk_player = tests/ctk/steps.c tests/ctk/steps.h tests/ctk/expect.c tests/ctk/play.h tests/ctk/apart.c tests/ctk/apart.h \
	tests/ctk/gherkin.c tests/ctk/gherkin.h tests/ctk/outside.c tests/ctk/outside.h tests/ctk/kit.c tests/ctk/kit.h
ctk_libraries = $(LDADD) tests/support/libsupport.a $(LDADD) -lssl $(CRYPTO_LIBS)

check_PROGRAMS += tests/ctk/test_ctk
TESTS += tests/ctk/test_ctk
tests_ctk_test_ctk_SOURCES = tests/ctk/test_ctk.c $(ctk_player)
tests_ctk_test_ctk_LDADD = $(ctk_libraries)

# The specification's examples, to what the table examples.yaml says.
check_PROGRAMS += tests/ctk/test_examples
TESTS += tests/ctk/test_examples
tests_ctk_test_examples_SOURCES = tests/ctk/test_examples.c $(ctk_player)
tests_ctk_test_examples_LDADD = $(ctk_libraries)

EXTRA_DIST += tests/ctk/features tests/ctk/outside.yaml tests/ctk/examples.yaml
