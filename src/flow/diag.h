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
	bool note;                /* neither wrong nor doubtful: asked for, as with --portable; then warning is set too */
	char *message;            /* one sentence, with the next step */
	char *suggestion;         /* the word that was probably meant; NULL: none is near */
} cs_diag;

struct cs_gathered;               /* flow/places.h */

typedef struct cs_diags {
	cs_diag *items;
	size_t n, errors;         /* errors: how many are not warnings */
	bool kept;                /* the latest was, so that a suggestion has where to go */
	struct cs_gathered *ask;  /* borrowed: where the expressions of what is looked at go, also of files with
				   * errors, so that jq's findings come together with all others; NULL: jq is not asked */
} cs_diags;

void cs_diags_init(cs_diags *d);
void cs_diags_fini(cs_diags *d);
#define CS_DIAGS_MAX 200
/* Gathers at most CS_DIAGS_MAX; further ones only count. */
void cs_diags_add(cs_diags *d, bool warning, const char *file, unsigned line, unsigned col, const char *fmt, ...) CS_PRINTF(6, 7);
void cs_diags_add_err(cs_diags *d, const char *file, const cs_err *err);
/* The latest finding probably meant WORD; NULL changes nothing. */
void cs_diags_suggest(cs_diags *d, const char *word);
/* The latest finding, added as a warning, is a note. */
void cs_diags_note(cs_diags *d);
/* "error", "warning", "note". */
const char *cs_diag_severity(const cs_diag *g);
/* Their places in file and line order; ORDER has room for d->n. */
void cs_diags_order(const cs_diags *d, const cs_diag **order);
int cs_diags_write(const cs_diags *d, cs_buf *out);          /* one line each, in file and line order */
/* The nearest of WORDS (NULL-terminated) to WORD, or NULL when none is near. */
const char *cs_suggest(const char *word, const char *const *words);

#endif
