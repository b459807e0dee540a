/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/snapshot_values.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"

_Static_assert(sizeof(cs_call_phase) == sizeof(int) && sizeof(cs_run_state) == sizeof(int) && sizeof(cs_way) == sizeof(int) &&
	       sizeof(cs_effect_class) == sizeof(int) && sizeof(cs_reversal_state) == sizeof(int), "an enum is read as an int");

int cs_misfit(const cs_loading *l, const char *what)
{
	return cs_err_set(l->err, CS_EINVAL, "the snapshot does not fit (%.100s)", what);
}

/* ---- kinds: NULL of a save: left out. A load gets NULL where it was. ----------------------------------- */

static json_t *save_bool(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s, (void)m;
	return *(const bool *)p ? json_true() : NULL;
}

static bool load_bool(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	(void)l, (void)m;
	*(bool *)p = v != NULL;
	return v == NULL || json_is_true(v);
}

static json_t *number_or_none(json_int_t n)
{
	return n != 0 ? json_integer(n) : NULL;
}

/* A number between LEAST and MOST, 0 where there is none. */
static bool number(const json_t *v, json_int_t least, json_int_t most, json_int_t *ret)
{
	*ret = json_integer_value(v);
	return v == NULL || (json_is_integer(v) && *ret >= least && *ret <= most);
}

static json_t *save_int(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s, (void)m;
	return number_or_none(*(const int *)p);
}

static bool load_int(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	json_int_t n;
	(void)l, (void)m;
	bool fits = number(v, -1, INT_MAX, &n);
	*(int *)p = fits ? (int)n : 0;
	return fits;
}

static json_t *save_unsigned(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s, (void)m;
	return number_or_none(*(const unsigned *)p);
}

static bool load_unsigned(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	json_int_t n;
	(void)l, (void)m;
	bool fits = number(v, 0, UINT_MAX, &n);
	*(unsigned *)p = fits ? (unsigned)n : 0;
	return fits;
}

static json_t *save_time(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s, (void)m;
	return number_or_none(*(const int64_t *)p);
}

static bool load_time(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	json_int_t n;
	(void)l, (void)m;
	bool fits = number(v, INT64_MIN, INT64_MAX, &n);
	*(int64_t *)p = fits ? n : 0;
	return fits;
}

static json_t *save_size(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s, (void)m;
	return number_or_none((json_int_t)*(const size_t *)p);
}

static bool load_size(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	json_int_t n;
	(void)l, (void)m;
	bool fits = number(v, 0, INT_MAX, &n);
	*(size_t *)p = fits ? (size_t)n : 0;
	return fits;
}

static json_t *save_text(cs_saving *s, const cs_member *m, const void *p)
{
	const char *text = *(char *const *)p;
	(void)s, (void)m;
	return text != NULL ? json_string(text) : NULL;
}

/* As a C string: without a NUL in it. */
static const char *plain_text(const json_t *v)
{
	const char *text = json_string_value(v);
	return text != NULL && strlen(text) == json_string_length(v) ? text : NULL;
}

static bool load_text(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	const char *text = plain_text(v);
	(void)l, (void)m;
	free(*(char **)p);
	*(char **)p = cs_xstrdup(text);
	return v == NULL || text != NULL;
}

static json_t *save_chars(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s, (void)m;
	return *(const char *)p != '\0' ? json_string(p) : NULL;
}

/* Ids and digests fill their place, or there is none. */
static bool load_chars(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	const char *text = plain_text(v);
	(void)l;
	memset(p, 0, m->size);
	if (v == NULL)
		return true;
	if (text == NULL || strlen(text) + 1 != m->size)
		return false;
	memcpy(p, text, m->size);
	return true;
}

static json_t *save_json(cs_saving *s, const cs_member *m, const void *p)
{
	char address[32];
	json_t *v = *(json_t *const *)p;
	(void)m;
	if (v == NULL)
		return NULL;
	snprintf(address, sizeof address, "%p", (void *)v);
	json_t *at = json_object_get(s->known, address);
	if (at != NULL)
		return json_incref(at);
	at = json_integer((json_int_t)json_array_size(s->values));
	json_object_set(s->known, address, at);
	json_array_append(s->values, v);
	return at;
}

static bool load_json(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	json_t *value = json_is_integer(v) && json_integer_value(v) >= 0 ? json_array_get(l->values, (size_t)json_integer_value(v)) : NULL;
	cs_json_put(p, value);
	return v == NULL || (value != NULL && (m->kind != CS_MEMBER_OBJECT || json_is_object(value)) &&
			     (m->kind != CS_MEMBER_ARRAY || json_is_array(value)));
}

static json_t *save_word(cs_saving *s, const cs_member *m, const void *p)
{
	(void)s;
	return json_string(m->words[*(const int *)p]);
}

static bool load_word(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	const char *word = plain_text(v);
	(void)l;
	for (int i = 0; word != NULL && m->words[i] != NULL; i++)
		if (strcmp(m->words[i], word) == 0) {
			*(int *)p = i;
			return true;
		}
	return false;
}

static json_t *save_task(cs_saving *s, const cs_member *m, const void *p)
{
	int id = *(const int *)p;
	if (id >= 0)
		return json_string(s->flow->tasks[id].ref);
	return m->kind == CS_MEMBER_THEN ? json_integer(id) : NULL;
}

static bool load_task(cs_loading *l, const cs_member *m, const json_t *v, void *p)
{
	const char *ref = plain_text(v);
	const cs_task *t = ref != NULL ? cs_flow_task(l->flow, ref) : NULL;
	*(int *)p = t != NULL ? t->id : -1;
	if (m->kind != CS_MEMBER_THEN || !json_is_integer(v))
		return t != NULL || (v == NULL && m->kind == CS_MEMBER_TASK);
	json_int_t code = json_integer_value(v);
	bool fits = code <= CS_THEN_CONTINUE && code >= CS_THEN_END;
	*(int *)p = fits ? (int)code : CS_THEN_CONTINUE;
	return fits;
}

static const struct {
	json_t *(*save)(cs_saving *s, const cs_member *m, const void *p);
	bool (*load)(cs_loading *l, const cs_member *m, const json_t *v, void *p);
} kinds[] = {
	[CS_MEMBER_BOOL] = { save_bool, load_bool },       [CS_MEMBER_INT] = { save_int, load_int },
	[CS_MEMBER_UNSIGNED] = { save_unsigned, load_unsigned }, [CS_MEMBER_TIME] = { save_time, load_time },
	[CS_MEMBER_SIZE] = { save_size, load_size },       [CS_MEMBER_TEXT] = { save_text, load_text },
	[CS_MEMBER_HEX] = { save_chars, load_chars },      [CS_MEMBER_ID] = { save_chars, load_chars },
	[CS_MEMBER_JSON] = { save_json, load_json },       [CS_MEMBER_OBJECT] = { save_json, load_json },
	[CS_MEMBER_ARRAY] = { save_json, load_json },      [CS_MEMBER_WORD] = { save_word, load_word },
	[CS_MEMBER_TASK] = { save_task, load_task },       [CS_MEMBER_THEN] = { save_task, load_task },
};

/* ---- a struct ------------------------------------------------------------------------------------------- */

json_t *cs_members_save(cs_saving *s, const cs_members *m, const void *from)
{
	json_t *o = json_object();
	for (const cs_member *row = m->rows; row->name != NULL; row++) {
		if (row->kind == CS_MEMBER_APART)
			continue;
		json_t *v = kinds[row->kind].save(s, row, (const char *)from + row->offset);
		if (v != NULL)
			json_object_set_new(o, row->name, v);
	}
	return o;
}

int cs_members_load(cs_loading *l, const cs_members *m, const json_t *object, const char *const *more, void *into)
{
	size_t known = 0;
	if (!json_is_object(object))
		return cs_misfit(l, m->name);
	for (const cs_member *row = m->rows; row->name != NULL; row++) {
		if (row->kind == CS_MEMBER_APART)
			continue;
		const json_t *v = json_object_get(object, row->name);
		known += v != NULL;
		if (!kinds[row->kind].load(l, row, v, (char *)into + row->offset))
			return cs_misfit(l, row->name);
	}
	for (; more != NULL && *more != NULL; more++)
		known += json_object_get(object, *more) != NULL;
	return known == json_object_size(object) ? CS_OK : cs_misfit(l, m->name);
}
