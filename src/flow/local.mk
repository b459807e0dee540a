# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/flow/libcsflow.a
src_flow_libcsflow_a_SOURCES = \
	src/flow/effect_class.c src/flow/effect_class.h \
	src/flow/expr.c src/flow/expr.h src/flow/expr_internal.h src/flow/expr_eval.c src/flow/expr_lex.c \
	src/flow/expr_parse.c src/flow/expr_parse_term.c src/flow/expr_parse_text.c src/flow/expr_parser.h \
	src/flow/expr_value.c \
	src/flow/template.c src/flow/template.h
