# SPDX-License-Identifier: GPL-3.0-or-later
# A test is a cmocka program tests/FOLDER/test_THING.c, named in check_PROGRAMS and TESTS by its
# folder's local.mk (or a script THING.sh, in TESTS only). It finds the tree by the environment
# below, links every library, and is given five minutes. A program with a NAME_LDADD of its own
# begins that with $(LDADD).
LDADD = $(CS_LIBS) $(CMOCKA_LIBS)

AM_TESTS_ENVIRONMENT = \
	CS_TEST_SRCDIR='$(abs_top_srcdir)'; export CS_TEST_SRCDIR; \
	CS_TEST_BUILDDIR='$(abs_top_builddir)'; export CS_TEST_BUILDDIR; \
	CS_TEST_CAPSTAN='$(abs_top_builddir)/capstan'; export CS_TEST_CAPSTAN; \
	CS_TEST_SANITIZER='$(enable_sanitizer:no=)'; export CS_TEST_SANITIZER; \
	XDG_STATE_HOME='$(abs_top_builddir)/tests/state-home'; export XDG_STATE_HOME; \
	LC_ALL=C.UTF-8; export LC_ALL; TZ=UTC; export TZ; unset NO_COLOR LANGUAGE;
LOG_COMPILER = timeout
AM_LOG_FLAGS = -k 10 300
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = timeout
AM_SH_LOG_FLAGS = -k 10 300 sh

# What the engines of the tests note outside their workspaces.
clean-local:
	rm -rf tests/state-home

include tests/smoke/local.mk
if HAVE_CMOCKA
# The smoke set of distcheck: what needs neither network nor time.
include tests/base/local.mk
include tests/core/local.mk
if ALL_TESTS
include tests/support/local.mk
include tests/store/local.mk
include tests/flow/local.mk
include tests/net/local.mk
include tests/policy/local.mk
include tests/view/local.mk
include tests/vault/local.mk
include tests/agents/local.mk
include tests/connectors/local.mk
include tests/memory/local.mk
include tests/engine/local.mk
include tests/cli/local.mk
include tests/tui/local.mk
include tests/ctk/local.mk
include tests/system/local.mk
include tests/faults/local.mk
include tests/bench/local.mk
endif
else
check-local:
	@echo 'the tests need more; install it with: apt-get install$(missing_for_tests)' >&2; exit 1
endif
