# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/engine/libcsengine.a
src_engine_libcsengine_a_SOURCES = \
	src/engine/client.c src/engine/engine.h \
	src/engine/lease.c src/engine/lease.h \
	src/engine/messages.c src/engine/messages.h \
	src/engine/server.c src/engine/server.h \
	src/engine/wire.c src/engine/wire.h
