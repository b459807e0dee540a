/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a card may say comes next is what the flow says comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/ahead.h"

#define DO(body) "{\"document\":{\"dsl\":\"1.0.3\",\"namespace\":\"t\",\"name\":\"t\",\"version\":\"1.0.0\"},\"do\":[" body "]}"
#define SET(name, more) "{\"" name "\":{\"set\":{\"x\":1}" more "}}"

static const cs_task *task(const cs_flow *f, const char *name)
{
	for (int i = 0; i < f->n_tasks; i++)
		if (strcmp(f->tasks[i].name, name) == 0)
			return &f->tasks[i];
	fail_msg("no task %s", name);
	return NULL;
}

static void ahead_of(const char *flow, const char *from, const char *expected)
{
	CS_AUTOJSON json_t *doc = json_loads(flow, 0, NULL);
	cs_flow *f = NULL;
	cs_diags d;
	cs_diags_init(&d);
	if (doc == NULL || cs_flow_new(doc, NULL, NULL, NULL, &d, &f) != CS_OK)
		fail_msg("%s: %s", flow, d.n ? d.items[0].message : "not JSON");
	CS_AUTOJSON json_t *names = cs_flow_ahead(f, task(f, from), 3);
	CS_AUTOFREE char *text = cs_json_text(names);
	assert_string_equal(text, expected);
	cs_flow_unref(f);
	cs_diags_fini(&d);
}

static void the_following_in_order_as_many_as_asked(void **state)
{
	(void)state;
	static const char flow[] = DO(SET("a", "") "," SET("b", "") "," SET("c", "") "," SET("d", "") "," SET("e", ""));
	ahead_of(flow, "a", "[\"b\",\"c\",\"d\"]");
	ahead_of(flow, "d", "[\"e\"]");
	ahead_of(flow, "e", "[]");
}

static void then_leads_where_it_says(void **state)
{
	(void)state;
	static const char flow[] = DO(SET("a", ",\"then\":\"c\"") "," SET("b", "") "," SET("c", ",\"then\":\"end\"") "," SET("d", ""));
	ahead_of(flow, "a", "[\"c\"]");
	ahead_of(flow, "b", "[\"c\"]");
	ahead_of(flow, "c", "[]");
}

static void out_of_a_block_to_what_follows_it(void **state)
{
	(void)state;
	static const char flow[] = DO("{\"in\":{\"do\":[" SET("a", "") "," SET("b", ",\"then\":\"exit\"") "," SET("x", "") "]}}," SET("c", ""));
	ahead_of(flow, "a", "[\"b\",\"c\"]");
	ahead_of(flow, "b", "[\"c\"]");
}

static void a_branch_does_not_lead_into_its_sibling(void **state)
{
	(void)state;
	static const char flow[] = DO("{\"both\":{\"fork\":{\"branches\":[" SET("a", "") "," SET("b", "") "]}}}," SET("c", ""));
	ahead_of(flow, "a", "[\"c\"]");
}

static void it_ends_where_a_switch_decides(void **state)
{
	(void)state;
	static const char flow[] = DO(SET("a", "") ",{\"which\":{\"switch\":[{\"yes\":{\"when\":\".x == 1\",\"then\":\"c\"}},{\"no\":{\"then\":\"end\"}}]}}," SET("c", ""));
	ahead_of(flow, "a", "[\"which\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_following_in_order_as_many_as_asked),
		cmocka_unit_test(then_leads_where_it_says),
		cmocka_unit_test(out_of_a_block_to_what_follows_it),
		cmocka_unit_test(a_branch_does_not_lead_into_its_sibling),
		cmocka_unit_test(it_ends_where_a_switch_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
