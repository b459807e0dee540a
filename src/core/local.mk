# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/core/libcscore.a
src_core_libcscore_a_SOURCES = \
	src/core/effect.c src/core/effect.h \
	src/core/http_request.c src/core/http_request.h
