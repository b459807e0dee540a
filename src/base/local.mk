# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/base/libcsbase.a
src_base_libcsbase_a_SOURCES = \
	src/base/ascii.h src/base/buf.c src/base/buf.h \
	src/base/child.c src/base/child.h src/base/child_detach.c \
	src/base/child_guard.c src/base/child_guard.h src/base/child_run.c \
	src/base/clock.c src/base/clock.h \
	src/base/err.c src/base/err.h \
	src/base/file.c src/base/file.h \
	src/base/hash.c src/base/hash.h \
	src/base/i18n.h \
	src/base/id.c src/base/id.h \
	src/base/json.h src/base/json_equal.c src/base/json_number.c src/base/json_parse.c \
	src/base/json_path.c src/base/json_write.c \
	src/base/mask.c src/base/mask.h src/base/mem.c src/base/mem.h \
	src/base/queue.c src/base/queue.h \
	src/base/regex.c src/base/regex.h src/base/regex_ecma.c src/base/regex_ecma.h \
	src/base/utf8.c src/base/utf8.h \
	src/base/zone.c src/base/zone.h src/base/zone_rule.c src/base/zone_rule.h
