/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A CloudEvent: whether it is one, what it is by its attributes alone, and how a task reads it.
 * Source: CloudEvents 1.0, "Context Attributes". */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

/* What every listener would keep in its inbox, and the log in each of their entries. */
static json_t *too_large(const json_t *event, const char *instance)
{
	cs_buf text CS_AUTOBUF;
	cs_buf_init(&text, CS_CLOUDEVENT_MAX);
	if (cs_json_write(event, &text) >= 0 && !text.failed)
		return NULL;
	CS_AUTOFREE char *why = cs_xasprintf("an event has at most %d bytes; put what is larger into a file and send its name", CS_CLOUDEVENT_MAX);
	return cs_error_new("validation", why, instance);
}

json_t *cs_event_complaint(const json_t *event, const char *instance)
{
	static const char *const texts[] = {
		"id", "source", "type", "specversion", "subject", "time", "datacontenttype", "dataschema",
	};
	enum { REQUIRED = 4 };
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		const json_t *v = json_object_get(event, texts[i]);
		if (v == NULL && i >= REQUIRED)
			continue;
		if (json_string_length(v) > 0)
			continue;
		CS_AUTOFREE char *why = cs_xasprintf("an event's '%s' must be a text that is not empty", texts[i]);
		return cs_error_new("validation", why, instance);
	}
	return too_large(event, instance);
}

bool cs_data_within(const json_t *want, const json_t *have)
{
	if (!json_is_object(want))
		return have != NULL && cs_json_equal(want, have);
	if (!json_is_object(have))
		return false;
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)want, name, v)
		if (!cs_data_within(v, json_object_get(have, name)))
			return false;
	return true;
}

bool cs_want_met(const cs_event_want *w, const json_t *have)
{
	if (strcmp(w->name, "data") == 0)
		return cs_data_within(w->literal, have);
	if (have == NULL)
		return false;
	if (cs_json_equal(w->literal, have))
		return true;
	return w->pattern != NULL && json_is_string(have) &&
	       cs_regex_match(w->pattern, json_string_value(have), json_string_length(have), 0, NULL, NULL) == 1;
}

bool cs_filter_may_match(const cs_event_filter *f, const json_t *event)
{
	for (int i = 0; i < f->n_wants; i++)
		if (f->wants[i].literal != NULL && !cs_want_met(&f->wants[i], json_object_get(event, f->wants[i].name)))
			return false;
	return true;
}

/* The data's own bytes: a text as it stands, else as JSON. */
static json_t *raw_data(const json_t *event, json_t *data)
{
	json_t *bytes = json_object_get(event, "data_base64");
	if (json_is_string(bytes))
		return json_incref(bytes);
	if (data == NULL)
		return json_string("");
	if (json_is_string(data))
		return json_incref(data);
	CS_AUTOFREE char *text = cs_json_text(data);
	return json_string(text);
}

json_t *cs_event_read(json_t *event, cs_listen_read how)
{
	json_t *data = json_object_get(event, "data");
	if (how == CS_READ_ENVELOPE)
		return json_incref(event);
	if (how == CS_READ_RAW)
		return raw_data(event, data);
	return data != NULL ? json_incref(data) : json_null();
}
