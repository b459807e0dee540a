# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/core/libcscore.a
src_core_libcscore_a_SOURCES = \
	src/core/adopt.c src/core/adopt.h src/core/ask.c src/core/asking.c \
	src/core/begin.c src/core/below.c src/core/breaker.c src/core/breaker.h \
	src/core/call.c \
	src/core/control.c src/core/copied.c src/core/copied.h src/core/correct.c src/core/correct.h src/core/credential.c \
	src/core/data.c \
	src/core/decide.c \
	src/core/effect.c src/core/effect.h \
	src/core/fault.c \
	src/core/fold.c src/core/fold.h \
	src/core/event.c \
	src/core/fold_call.c \
	src/core/fold_listen.c \
	src/core/frame.c src/core/frame.h \
	src/core/granted.c src/core/granted.h \
	src/core/http_request.c src/core/http_request.h \
	src/core/listen.c src/core/match.c src/core/match.h \
	src/core/life.c src/core/life.h src/core/look.c \
	src/core/machine.c src/core/machine.h \
	src/core/once.c src/core/probe.c src/core/openapi.c src/core/openapi.h \
	src/core/outcome.c \
	src/core/record.c src/core/record.h \
	src/core/reverse.c src/core/fold_reverse.c src/core/fold_run.c \
	src/core/run.h \
	src/core/secret.c \
	src/core/shadow.c \
	src/core/starter.c src/core/starter.h \
	src/core/snapshot.c src/core/snapshot.h src/core/snapshot_load.c src/core/snapshot_rows.c src/core/snapshot_rows.h \
	src/core/snapshot_values.c src/core/snapshot_values.h \
	src/core/step.c src/core/sub.c src/core/until.c \
	src/core/write.c
