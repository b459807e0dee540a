/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Findings about the operator's files: FILE:LINE:COL: error: what is wrong, what was meant. */
#ifndef CS_FLOW_DIAG_H
#define CS_FLOW_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

typedef struct cs_diag {
	char *file;               /* as the operator named it, or relative to the workspace */
	unsigned line, col;       /* 1-based; 0: the whole file */
	bool warning;
	char *message;            /* one sentence, with the next step */
} cs_diag;

typedef struct cs_diags {
	cs_diag *items;
	size_t n, errors;         /* errors: how many are not warnings */
} cs_diags;

void cs_diags_init(cs_diags *d);
void cs_diags_fini(cs_diags *d);
#define CS_DIAGS_MAX 200
/* Gathers at most CS_DIAGS_MAX; further ones only count. */
void cs_diags_add(cs_diags *d, bool warning, const char *file, unsigned line, unsigned col, const char *fmt, ...) CS_PRINTF(6, 7);
void cs_diags_add_err(cs_diags *d, const char *file, const cs_err *err);
int cs_diags_write(const cs_diags *d, cs_buf *out);          /* one line each, in file and line order */
/* The nearest of WORDS (NULL-terminated) to WORD, or NULL when none is near. */
const char *cs_suggest(const char *word, const char *const *words);

#endif
