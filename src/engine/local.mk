# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/engine/libcsengine.a
src_engine_libcsengine_a_SOURCES = \
	src/engine/adopt.c src/engine/archive.c \
	src/engine/bundle.c \
	src/engine/once.c \
	src/engine/client.c src/engine/clock.c src/engine/clock.h \
	src/engine/commands.c \
	src/engine/disk.c \
	src/engine/dispatch.c \
	src/engine/door.c src/engine/door.h \
	src/engine/engine.c src/engine/engine.h \
	src/engine/engine_priv.h \
	src/engine/env.c \
	src/engine/events.c \
	src/engine/hearers.c src/engine/hearers.h \
	src/engine/incarnation.c src/engine/incarnation.h \
	src/engine/import.c \
	src/engine/lease.c src/engine/lease.h src/engine/leash.c src/engine/leash.h \
	src/engine/loop.c \
	src/engine/messages.c src/engine/messages.h \
	src/engine/outlet_priv.h src/engine/outlets.c src/engine/outlets.h src/engine/targets.c \
	src/engine/parked.c src/engine/parked.h \
	src/engine/reload.c src/engine/restore.c src/engine/restore.h src/engine/runs.c \
	src/engine/schedule.c src/engine/schedule.h src/engine/schedule_times.c src/engine/schedule_times.h \
	src/engine/secrets.c src/engine/seen.c src/engine/seen.h src/engine/subs.c \
	src/engine/server.c src/engine/server.h src/engine/snapshot.c src/engine/snapshot.h \
	src/engine/start.c src/engine/start.h \
	src/engine/watch.c src/engine/watch.h \
	src/engine/wire.c src/engine/wire.h \
	src/engine/workers.c src/engine/workers.h

# What starts runs, and when.
src_engine_libcsengine_a_SOURCES += \
	src/engine/starters.c src/engine/starters.h src/engine/turns.c src/engine/turns.h
