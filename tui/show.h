/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How values look: ages, costs, states, ids, the difference of two values. */
#ifndef CS_TUI_SHOW_H
#define CS_TUI_SHOW_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "tui/pager.h"

#define CS_SHOW_SIZE 32

/* Milliseconds of an RFC 3339 member, 0 when absent. */
int64_t cs_show_ms(const json_t *obj, const char *key);
/* "4m" since the member KEY; "" when absent. *ret_next (may be NULL): ms until it reads differently. */
const char *cs_show_age(const json_t *obj, const char *key, char out[CS_SHOW_SIZE], int64_t *ret_next);
/* How long from started to ended, or to now; "" before it started. */
const char *cs_show_took(const json_t *obj, char out[CS_SHOW_SIZE]);
/* Micro-dollars as "0.03 USD"; "" for nothing. */
const char *cs_show_cost(const json_t *obj, char out[CS_SHOW_SIZE]);
/* "01J9…K4": the two ends that tell ids apart. */
const char *cs_show_id(const char *id, char out[CS_SHOW_SIZE]);
/* The name of a task in its reference "/do/0/name"; borrowed; NULL for NULL. */
const char *cs_show_name(const char *ref);
/* The run that ROW replays; NULL: it is no replay by itself (a task may have started it). */
const char *cs_show_replayed(const json_t *row);
unsigned cs_show_state(const char *state);   /* its style */
const char *cs_show_mark(const char *state); /* one column: ✓ ✗ … */
bool cs_show_is(const char *state, const char *const *states);   /* NULL-terminated list */

/* Adds V to P: text as its lines, anything else as JSON over lines. */
void cs_show_value(cs_pager *p, unsigned style, int indent, const char *label, const json_t *v);
/* Adds an error object in words: title, status and kind, what happened, where. */
void cs_show_error(cs_pager *p, int indent, const json_t *error);
/* Adds what changed from A to B, a path a line, removed before added, short ones in one line. False: nothing did. */
bool cs_show_diff(cs_pager *p, const json_t *a, const json_t *b);
/* Adds {label, value} lines of an array of such. */
void cs_show_fields(cs_pager *p, const json_t *fields, int indent);

#endif
