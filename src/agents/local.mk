# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/agents/libcsagents.a
src_agents_libcsagents_a_SOURCES = \
	src/agents/confine.c src/agents/confine.h \
	src/agents/fixture.c src/agents/fixture.h \
	src/agents/patterns.c src/agents/patterns.h \
	src/agents/process.c src/agents/process.h src/agents/rules.c src/agents/rules.h \
	src/agents/shell.c src/agents/shell.h src/agents/text.c src/agents/text.h
