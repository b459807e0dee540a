/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filter chips over rows: `status:waiting flow:news* cost>0.10 word`. All chips must hold.
 * `key:pattern` is a glob over a member (case ignored, whole value); `key>n` and `key<n` compare
 * numbers, `cost` in dollars; anything else is looked for in the row's text. */
#ifndef CS_TUI_FILTER_H
#define CS_TUI_FILTER_H

#include <stdbool.h>
#include <jansson.h>
#include "base/err.h"

typedef struct cs_filter cs_filter;

/* CS_EINVAL for a comparison without a number. Empty text gives NULL in *ret. */
int cs_filter_new(const char *text, cs_filter **ret, cs_err *err);
void cs_filter_free(cs_filter *f);
bool cs_filter_match(const cs_filter *f, const json_t *row, const char *row_text);
const char *cs_filter_text(const cs_filter *f);   /* as it was typed; borrowed */

#endif
