# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += libcsview.a
libcsview_a_SOURCES = \
	src/view/align.c src/view/align.h \
	src/view/connectors.c \
	src/view/diff.c \
	src/view/inbox.c \
	src/view/row.c src/view/row.h \
	src/view/runs.c \
	src/view/trace.c \
	src/view/view.h \
	src/view/why.c
