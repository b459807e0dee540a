# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/net/libcsnet.a
src_net_libcsnet_a_SOURCES = \
	src/net/address.c src/net/address.h \
	src/net/header.c src/net/header.h \
	src/net/http.c src/net/http.h \
	src/net/transfer.c src/net/transfer.h
