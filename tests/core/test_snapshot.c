/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A snapshot holds every member of a run's state, and a hostile one is refused or is a run like any other:
 * that nothing else differs, test_fold holds. $CS_TEST_SEED chooses the first of the seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "core/frame.h"
#include "core/snapshot.h"
#include "core/snapshot_rows.h"
#include "tests/core/play.h"

enum { FLOWS = 30, TICKS = 200, BROKEN = 60 };

static const char id[] = "00000000000000000000000RUN";
static cs_workspace *ws;
static char dir[64];
static uint64_t first_seed = 1;

/* ---- every member has its row ------------------------------------------------------------------------------- */

static const cs_member *row_of(const cs_members *m, const char *name, size_t len)
{
	for (const cs_member *row = m->rows; row->name != NULL; row++)
		if (strlen(row->name) == len && memcmp(row->name, name, len) == 0)
			return row;
	return NULL;
}

/* The name before the `;`, `,` or `[` at P, where the declaration began at FROM. */
static const char *name_before(const char *from, const char *p, size_t *ret_len)
{
	while (p > from && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	const char *end = p;
	while (p > from && (p[-1] == '_' || (p[-1] >= '0' && p[-1] <= '9') || (p[-1] >= 'a' && p[-1] <= 'z') || (p[-1] >= 'A' && p[-1] <= 'Z')))
		p--;
	*ret_len = (size_t)(end - p);
	return p;
}

/* TEXT is what stands between the braces of the struct, without comments. How many members it declares. */
static size_t hold_members(const cs_members *m, const char *text)
{
	size_t n = 0;
	const char *from = text;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != ';' && *p != ',' && *p != '[')
			continue;
		size_t len;
		const char *name = name_before(from, p, &len);
		const cs_member *row = row_of(m, name, len);
		if (row == NULL)
			fail_msg("%s.%.*s has no row in core/snapshot_rows.c: is it kept in a snapshot, and if not, why?", m->name, (int)len, name);
		if (row->kind == CS_MEMBER_APART && (row->why == NULL || row->why[0] == '\0'))
			fail_msg("%s.%s is kept in no row, for no reason", m->name, row->name);
		n++;
		if (*p == '[')
			p = strchr(p, ']') + 1;
		from = p;
	}
	return n;
}

static void drop_comments(char *text)
{
	for (char *p = strstr(text, "/*"); p != NULL; p = strstr(p, "/*")) {
		char *end = strstr(p, "*/");
		assert_non_null(end);
		memset(p, ' ', (size_t)(end + 2 - p));
	}
}

static void test_each_member_of_a_runs_state_is_in_a_snapshot_or_says_why_not(void **state)
{
	(void)state;
	CS_AUTOFREE char *path = cs_path_join(getenv("CS_TEST_SRCDIR"), "src/core/run.h");
	CS_AUTOBUF cs_buf header;
	cs_err err = { 0 };
	cs_buf_init(&header, 1 << 20);
	assert_int_equal(cs_file_read(path, &header, &err), CS_OK);
	drop_comments(header.data);
	for (size_t i = 0; cs_snapshot_structs[i] != NULL; i++) {
		const cs_members *m = cs_snapshot_structs[i];
		size_t rows = 0;
		CS_AUTOFREE char *head = cs_xasprintf("typedef struct %s {", m->name);
		char *from = strstr(header.data, head);
		assert_non_null(from);
		from += strlen(head);
		CS_AUTOFREE char *body = cs_xstrndup(from, (size_t)(strstr(from, "\n}") - from));
		while (m->rows[rows].name != NULL)
			rows++;
		assert_int_equal(hold_members(m, body), rows);
	}
}

static void test_each_row_is_as_wide_as_its_member(void **state)
{
	static const size_t sizes[] = {
		[CS_MEMBER_BOOL] = sizeof(bool), [CS_MEMBER_INT] = sizeof(int), [CS_MEMBER_UNSIGNED] = sizeof(unsigned), [CS_MEMBER_TIME] = sizeof(int64_t),
		[CS_MEMBER_SIZE] = sizeof(size_t), [CS_MEMBER_TEXT] = sizeof(char *), [CS_MEMBER_HEX] = CS_HEX_SIZE, [CS_MEMBER_ID] = CS_ID_SIZE,
		[CS_MEMBER_JSON] = sizeof(json_t *), [CS_MEMBER_OBJECT] = sizeof(json_t *), [CS_MEMBER_ARRAY] = sizeof(json_t *),
		[CS_MEMBER_WORD] = sizeof(int), [CS_MEMBER_TASK] = sizeof(int), [CS_MEMBER_THEN] = sizeof(int),
	};
	(void)state;
	for (size_t i = 0; cs_snapshot_structs[i] != NULL; i++)
		for (const cs_member *row = cs_snapshot_structs[i]->rows; row->name != NULL; row++)
			if (row->kind != CS_MEMBER_APART && row->size != sizes[row->kind])
				fail_msg("%s.%s is %zu bytes wide, and its kind %zu", cs_snapshot_structs[i]->name, row->name, row->size, sizes[row->kind]);
}

/* ---- hostile ------------------------------------------------------------------------------------------------- */

static cs_flow *flow_of(uint64_t seed)
{
	CS_AUTOJSON json_t *doc = random_flow(seed);
	cs_diags d;
	cs_flow *flow = NULL;
	cs_diags_init(&d);
	assert_int_equal(cs_flow_new(doc, NULL, cs_workspace_callable, ws, &d, &flow), CS_OK);
	cs_diags_fini(&d);
	return flow;
}

/* Every snapshot that a run of the seed comes by. New reference. */
static json_t *snapshots_of(uint64_t seed, const cs_flow *flow)
{
	play s;
	json_t *all = json_array();
	play_init(&s, ws, seed);
	cs_run *r = play_begin(&s, flow, json_pack("{s:i, s:[i,i]}", "n", (int)(seed % 4), "l", 1, 2));
	for (int i = 0; i < TICKS && play_tick(&s, r); i++)
		do {
			CS_AUTOJSON json_t *doc = cs_snapshot_may(r) ? cs_snapshot_save(r) : NULL;
			CS_AUTOFREE char *text = doc != NULL ? cs_json_text(doc) : NULL;
			if (text != NULL)
				json_array_append_new(all, json_loads(text, 0, NULL));
		} while (play_group(&s, r));
	cs_run_free(r);
	play_fini(&s);
	return all;
}

static json_t *foreign(uint64_t chance)
{
	switch (chance % 10) {
	case 0: return json_null();
	case 1: return json_true();
	case 2: return json_integer(-1);
	case 3: return json_integer(INT64_MAX);
	case 4: return json_integer((json_int_t)(chance / 10 % 7));
	case 5: return json_string("/do/0/k0");
	case 6: return json_string("");
	case 7: return json_array();
	case 8: return json_pack("[i, i, i]", 0, 1, 0);
	default: return json_object();
	}
}

static bool has_more(const json_t *v)
{
	return json_object_size(v) > 0 || json_array_size(v) > 0;
}

/* Somewhere below V, by chance, a value becomes another, or goes, or stands twice. */
static void spoil(json_t *v, uint64_t chance)
{
	size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
	if (n == 0)
		return;
	size_t at = chance % n;
	uint64_t next = play_hash(chance, "next", (int64_t)n);
	void *it = json_object_iter(v);
	for (size_t i = 0; i < at && json_is_object(v); i++)
		it = json_object_iter_next(v, it);
	json_t *inner = json_is_object(v) ? json_object_iter_value(it) : json_array_get(v, at);
	if (next % 5 != 0 && has_more(inner))
		spoil(inner, next / 5);
	else if (json_is_object(v) && next % 7 == 0)
		json_object_del(v, json_object_iter_key(it));
	else if (json_is_object(v))
		json_object_set_new(v, json_object_iter_key(it), foreign(next / 7));
	else if (next % 7 == 0)
		json_array_remove(v, at);
	else if (next % 7 == 1)
		json_array_append(v, inner);
	else
		json_array_set_new(v, at, foreign(next / 7));
}

static void test_what_was_spoiled_is_refused_or_is_a_run_all_the_same(void **state)
{
	(void)state;
	size_t refused = 0, taken = 0;
	for (uint64_t seed = first_seed; seed < first_seed + FLOWS; seed++) {
		cs_flow *flow = flow_of(seed);
		CS_AUTOJSON json_t *all = snapshots_of(seed, flow);
		for (uint64_t i = 0; i < BROKEN && json_array_size(all) > 0; i++) {
			uint64_t chance = play_hash(seed, "broken", (int64_t)i);
			CS_AUTOJSON json_t *doc = json_deep_copy(json_array_get(all, chance % json_array_size(all)));
			cs_run *r = NULL;
			cs_err err = { 0 };
			spoil(doc, play_hash(chance, "where", 0));
			if (cs_snapshot_load(id, flow, doc, &r, &err) != CS_OK) {
				assert_null(r);
				assert_int_equal(err.code, CS_EINVAL);
				refused++;
				continue;
			}
			json_decref(play_dump(r));
			CS_AUTOJSON json_t *again = cs_snapshot_save(r);
			cs_run *second = NULL;
			assert_int_equal(cs_snapshot_load(id, flow, again, &second, &err), CS_OK);
			cs_run_free(second);
			cs_run_free(r);
			taken++;
		}
		cs_flow_unref(flow);
	}
	print_message("%zu were refused, %zu were runs\n", refused, taken);
	assert_true(refused > FLOWS * 10 && taken > FLOWS);
}

static void test_a_snapshot_of_another_run_or_flow_is_refused(void **state)
{
	(void)state;
	cs_flow *flow = flow_of(first_seed), *other = flow_of(first_seed + 1);
	CS_AUTOJSON json_t *all = snapshots_of(first_seed, flow);
	cs_run *r = NULL;
	cs_err err = { 0 };
	const json_t *last = json_array_get(all, json_array_size(all) - 1);
	assert_non_null(last);
	assert_int_equal(cs_snapshot_load("0000000000000000000000MORE", flow, last, &r, &err), CS_EINVAL);
	assert_int_equal(cs_snapshot_load(id, other, last, &r, &err), CS_EINVAL);
	assert_int_equal(cs_snapshot_load(id, flow, NULL, &r, &err), CS_EINVAL);
	assert_null(r);
	cs_flow_unref(flow);
	cs_flow_unref(other);
}

static int set_up(void **state)
{
	(void)state;
	const char *seed = getenv("CS_TEST_SEED");
	if (seed != NULL)
		first_seed = strtoull(seed, NULL, 10);
	ws = play_workspace(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	play_workspace_free(ws, dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_member_of_a_runs_state_is_in_a_snapshot_or_says_why_not),
		cmocka_unit_test(test_each_row_is_as_wide_as_its_member),
		cmocka_unit_test(test_what_was_spoiled_is_refused_or_is_a_run_all_the_same),
		cmocka_unit_test(test_a_snapshot_of_another_run_or_flow_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
