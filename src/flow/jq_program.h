/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The expressions of a set as one jq program: compiling 50 apart takes thirty times as long. */
#ifndef CS_FLOW_JQ_PROGRAM_H
#define CS_FLOW_JQ_PROGRAM_H

#include "base/buf.h"
#include "flow/expr_internal.h"

/* jq's closures are counted in twelve bits and its jumps in sixteen: a set of more is several
 * programs. */
#define CS_JQ_GROUP 256

/* The FROMth to the TOth of the expressions that always need jq, or of the plain ones that rare values
 * send there: those are apart, because they would be compiled for nothing. Or one that is loose: what does
 * not compile would spoil the program for others. */
typedef struct cs_jq_range {
	const cs_exprset *set;
	cs_jq_kind kind;
	unsigned from, to;
} cs_jq_range;

/* The program of a range of at most CS_JQ_GROUP. Its input is {"i": index, "d": the expression's input,
 * "v": {name: value}}. 0 expressions: the program `.`. The line of the program in which a lone expression
 * begins is the first. */
int cs_jq_program(const cs_jq_range *r, cs_buf *out);
/* jq's compile error without its habits: one line, no prefix, no advice about shells. */
void cs_jq_message(const char *message, cs_buf *out);

#endif
