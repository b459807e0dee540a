# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/connectors/libcsconnectors.a
src_connectors_libcsconnectors_a_SOURCES = \
	src/connectors/auth.c src/connectors/auth.h \
	src/connectors/digest.c src/connectors/digest.h \
	src/connectors/http.c src/connectors/http.h \
	src/connectors/http_reply.c src/connectors/http_reply.h
