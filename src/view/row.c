/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/row.h"
#include <string.h>
#include "base/clock.h"

json_t *cs_view_time(int64_t ms)
{
	char text[CS_TIME_SIZE];
	if (ms == 0)
		return json_null();
	cs_time_format(ms, text);
	return json_string(text);
}

json_t *cs_view_time_json(const json_t *ms_or_text)
{
	if (json_is_integer(ms_or_text))
		return cs_view_time(json_integer_value(ms_or_text));
	return json_is_string(ms_or_text) ? json_incref((json_t *)ms_or_text) : json_null();
}

static json_t *convert(json_t *v, cs_view_as as)
{
	switch (as) {
	case CS_VIEW_TIME:
		return cs_view_time_json(v);
	case CS_VIEW_BOOL:
		return json_boolean(json_integer_value(v) != 0);
	case CS_VIEW_TEXT:
		return json_string_length(v) ? json_incref(v) : json_null();
	case CS_VIEW_PLAIN:
		break;
	}
	return v ? json_incref(v) : json_null();
}

json_t *cs_view_object(const json_t *row, const cs_view_column *columns)
{
	json_t *o = json_object();
	for (const cs_view_column *c = columns; c->member; c++)
		json_object_set_new(o, c->member, convert(json_object_get(row, c->column), c->as));
	return o;
}

static int take_data(void *ctx, const cs_event *ev)
{
	*(json_t **)ctx = json_incref(ev->data);
	return 0;
}

int cs_view_data(cs_reader *r, int64_t seq, json_t **ret, cs_err *err)
{
	if (seq == 0) {
		*ret = json_object();
		return CS_OK;
	}
	return cs_reader_event(r, seq, take_data, ret, err);
}

int cs_view_take(cs_view_hold *h, cs_reader *r, cs_err *err)
{
	int rc = cs_reader_hold(r, err);
	if (!rc)
		h->r = r;
	return rc;
}

void cs_view_let_go(cs_view_hold *h)
{
	if (h->r)
		cs_reader_release(h->r);
}

int cs_view_need_run(cs_reader *r, const char *run, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *rows = NULL;
	int rc = params ? cs_reader_query(r, "SELECT 1 AS there FROM run WHERE id = ?1", params, &rows, err) : CS_OK;
	if (!rc && json_array_size(rows) == 0)
		return cs_err_set(err, CS_ENOTFOUND, "there is no run %.80s; capstan runs lists them", run);
	return rc;
}

json_t *cs_view_event_json(const cs_event *ev)
{
	char hex[CS_HEX_SIZE];
	cs_hex(ev->hash, sizeof ev->hash, hex);
	return json_pack("{s:I, s:s?, s:s?, s:i, s:s, s:o, s:s, s:I, s:b, s:O, s:s}", "seq", (json_int_t)ev->seq, "run",
			 ev->run[0] ? ev->run : NULL, "task", ev->task, "occurrence", ev->occurrence, "type", ev->type, "at",
			 cs_view_time(ev->at), "actor", ev->actor, "cause", (json_int_t)ev->cause, "simulated",
			 (int)ev->simulated, "data", ev->data, "hash", hex);
}
