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
	static const struct { const char *all, *one; } lists[] = { { "ids", "id" }, { "runs", "run" }, { "run_seqs", "run_seq" } };
	json_t *first = json_array_get(rows, at), *all[CS_ARRAY_LEN(lists)];

	for (size_t i = 0; i < CS_ARRAY_LEN(lists); i++) {
		json_t *one = json_object_get(row, lists[i].one);

		all[i] = json_incref(json_object_get(first, lists[i].all));
		if (!all[i])
			all[i] = json_pack("[O?]", json_object_get(first, lists[i].one));
		(void)json_array_append(all[i], one ? one : json_null());
	}
	if (cs_list_has(&b->list, cs_json_str_or(row, "id", "")) && !cs_list_has(&b->list, cs_json_str_or(first, "id", ""))) {
		(void)json_array_set_new(rows, at, json_copy(row));
		first = json_array_get(rows, at);
	}
	(void)json_object_set_new(first, "count", json_integer((json_int_t)json_array_size(all[0])));
	for (size_t i = 0; i < CS_ARRAY_LEN(lists); i++)
		(void)json_object_set_new(first, lists[i].all, all[i]);
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
