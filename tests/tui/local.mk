# SPDX-License-Identifier: GPL-3.0-or-later
# The driver wants libvterm; without it the console's tests are not built, and configure has said so.
if HAVE_VTERM
check_LIBRARIES += tests/tui/libdriver.a
tests_tui_libdriver_a_SOURCES = tests/tui/driver.c tests/tui/driver.h tests/tui/driver_priv.h tests/tui/svg.c \
	tests/tui/fake_agency.c tests/tui/fake_source.c tests/tui/fake_source.h
DRIVER_LIBS = tests/tui/libdriver.a $(LDADD) $(VTERM_LIBS) -lutil

check_PROGRAMS += tests/tui/fake_console tests/tui/screenshot
tests_tui_fake_console_SOURCES = tests/tui/fake_console.c
tests_tui_fake_console_LDADD = $(DRIVER_LIBS)
tests_tui_screenshot_SOURCES = tests/tui/screenshot.c
tests_tui_screenshot_LDADD = $(DRIVER_LIBS)

TUI_TESTS = tests/tui/test_widgets tests/tui/test_never tests/tui/test_console tests/tui/test_plain tests/tui/test_real
check_PROGRAMS += $(TUI_TESTS)
TESTS += $(TUI_TESTS)
tests_tui_test_real_SOURCES = tests/tui/test_real.c tests/tui/site.c tests/tui/site.h
tests_tui_test_real_LDADD = $(DRIVER_LIBS)
tests_tui_test_widgets_SOURCES = tests/tui/test_widgets.c
tests_tui_test_plain_SOURCES = tests/tui/test_plain.c
tests_tui_test_plain_LDADD = $(DRIVER_LIBS)
tests_tui_test_never_SOURCES = tests/tui/test_never.c
tests_tui_test_never_LDADD = $(DRIVER_LIBS)
tests_tui_test_console_SOURCES = tests/tui/test_console.c
tests_tui_test_console_LDADD = $(DRIVER_LIBS)
endif
