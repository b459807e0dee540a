# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/flow/libcsflow.a
src_flow_libcsflow_a_SOURCES = \
	src/flow/effect_class.c src/flow/effect_class.h
