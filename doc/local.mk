# SPDX-License-Identifier: GPL-3.0-or-later
dist_man_MANS += doc/capstan.1
dist_doc_DATA = README.md doc/durability.md doc/flows.md doc/guide.md doc/workspace.md

# The pictures in the README and the guide are what the real program showed the tests' driver.
pictures: capstan tests/tui/screenshot
	@$(MKDIR_P) '$(abs_top_srcdir)/doc/pictures'
	@CAPSTAN='$(abs_top_builddir)/capstan' SCREENSHOT='$(abs_top_builddir)/tests/tui/screenshot' \
	CAPSTAN_WORKFLOWS='$(abs_top_srcdir)/workflows' TERM=xterm-256color LC_ALL=C.UTF-8 \
	sh '$(abs_top_srcdir)/doc/pictures.sh' '$(abs_top_srcdir)/doc/pictures'
.PHONY: pictures
