/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inbox's rows out of the source's answer: what is put off stays away until its time, and
 * faults of one cause are one row. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "tui/card.h"
#include "tui/inbox.h"
#include "tui/show.h"

/* What faults of one cause have in common; NULL: the row stands for itself. */
static const char *cause_of(const json_t *row)
{
	return cs_json_str(row, "cause");
}

static void note_snoozed(cs_inbox *b, const json_t *row)
{
	int64_t until = cs_show_ms(row, "snoozed_until");

	b->n_snoozed++;
	if (!b->wake_ms || until < b->wake_ms)
		b->wake_ms = until;
}

/* The row with which a cause began, or the one on the screen: the selection does not jump. */
static void join(cs_inbox *b, json_t *rows, size_t at, json_t *row)
{
	json_t *first = json_array_get(rows, at);
	json_t *ids = json_object_get(first, "ids"), *runs = json_object_get(first, "runs");

	if (!ids) {
		ids = json_pack("[O]", json_object_get(first, "id"));
		runs = json_pack("[O]", json_object_get(first, "run"));
	} else {
		json_incref(ids);
		json_incref(runs);
	}
	(void)json_array_append(ids, json_object_get(row, "id"));
	(void)json_array_append(runs, json_object_get(row, "run"));
	if (cs_list_has(&b->list, cs_json_str_or(row, "id", "")) && !cs_list_has(&b->list, cs_json_str_or(first, "id", ""))) {
		(void)json_array_set_new(rows, at, json_copy(row));
		first = json_array_get(rows, at);
	}
	(void)json_object_set_new(first, "count", json_integer((json_int_t)json_array_size(ids)));
	(void)json_object_set_new(first, "ids", ids);
	(void)json_object_set_new(first, "runs", runs);
}

json_t *cs_inbox_rows(cs_inbox *b, const json_t *answer)
{
	json_t *rows = json_array(), *row;
	CS_AUTOJSON json_t *causes = json_object();
	size_t i;

	b->n_snoozed = 0;
	b->wake_ms = 0;
	json_array_foreach((json_t *)answer, i, row) {
		const char *cause = cause_of(row);
		json_t *at = cause ? json_object_get(causes, cause) : NULL;

		if (cs_card_snoozed_ms(row)) {
			note_snoozed(b, row);
		} else if (at) {
			join(b, rows, (size_t)json_integer_value(at), row);
		} else {
			if (cause)
				(void)json_object_set_new(causes, cause, json_integer((json_int_t)json_array_size(rows)));
			(void)json_array_append_new(rows, json_copy(row));
		}
	}
	return rows;
}
