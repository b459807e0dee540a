# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/tui/fake_console
tests_tui_fake_console_SOURCES = tests/tui/fake_console.c tests/tui/fake_agency.c tests/tui/fake_source.c tests/tui/fake_source.h
