# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += libcstui.a
libcstui_a_SOURCES = \
	tui/act_shell.c tui/action.c tui/action.h tui/card.c tui/card.h tui/clip.c tui/command.c tui/console.h tui/correct.c \
	tui/editor.c tui/filter.c tui/filter.h tui/fold.c tui/fold.h tui/inbox.c tui/inbox.h tui/inbox_act.c \
	tui/inbox_batch.c tui/inbox_more.c tui/inbox_rows.c tui/inbox_write.c tui/input.c tui/keys.c tui/live.c tui/live_card.c tui/live.h tui/line.c tui/line.h tui/list.c tui/list.h tui/menu.c tui/menu.h \
	tui/pager.c tui/pager.h tui/paint.c tui/plain.c tui/replay.c tui/replay.h tui/replay_compare.c \
	tui/replay_setup.c tui/run.c tui/run.h tui/runs.c tui/search.c tui/shell.c tui/shell.h tui/show.c tui/show.h tui/shown.c tui/shown.h \
	tui/source.h tui/split.c tui/split.h tui/term.c tui/term.h tui/term_priv.h tui/term_signal.c tui/trace.c \
	tui/trace_row.c tui/trace_row.h tui/tree.c tui/tree.h tui/view.h tui/when.c tui/when.h
