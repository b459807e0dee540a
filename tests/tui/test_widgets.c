/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the console that need no terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/card.h"
#include "tui/filter.h"
#include "tui/line.h"
#include "tui/list.h"
#include "tui/menu.h"
#include "tui/shown.h"
#include "tui/trace_row.h"
#include "tui/tree.h"
#include "tui/when.h"

static void text_of(void *ctx, const json_t *row, cs_buf *out)
{
	(void)ctx;
	(void)cs_buf_adds(out, cs_json_str_or(row, "id", ""));
}

static json_t *rows(const char *ids)
{
	json_t *a = json_array();

	for (; *ids; ids++) {
		char id[2] = { *ids, '\0' };

		(void)json_array_append_new(a, json_pack("{s:s}", "id", id));
	}
	return a;
}

static void shows(const cs_list *l, const char *ids)
{
	char buf[CS_ROW_ID_SIZE];

	assert_int_equal(l->n, strlen(ids));
	for (size_t i = 0; i < l->n; i++)
		assert_int_equal(cs_row_id(cs_list_at(l, i), "id", buf)[0], ids[i]);
}

static void a_list_keeps_its_selection_by_id(void **state)
{
	CS_AUTOJSON json_t *abc = rows("abc"), *xac = rows("xyac"), *none = json_array();
	cs_list l;

	(void)state;
	cs_list_init(&l, "id", text_of, NULL);
	cs_list_merge(&l, none);
	cs_list_merge(&l, abc);            /* an empty list takes them at once */
	shows(&l, "abc");
	cs_list_go(&l, 1);
	cs_list_merge(&l, xac);            /* b is gone, x and y are new: nothing moves */
	shows(&l, "abc");
	assert_int_equal(l.n_fresh, 2);
	assert_string_equal(l.selected, "b");
	cs_list_go(&l, 2);
	assert_true(cs_list_take_fresh(&l));
	shows(&l, "xyac");
	assert_string_equal(l.selected, "c");
	assert_int_equal(l.cursor, 3);
	cs_list_fini(&l);
}

static void a_filter_hides_and_gives_back(void **state)
{
	CS_AUTOJSON json_t *abc = rows("abc");
	cs_filter *f = NULL;
	cs_list l;

	(void)state;
	cs_list_init(&l, "id", text_of, NULL);
	cs_list_set(&l, abc);
	assert_int_equal(cs_filter_new("id:b", &f, NULL), CS_OK);
	cs_list_filter(&l, f);
	shows(&l, "b");
	cs_list_filter(&l, NULL);
	shows(&l, "abc");
	assert_string_equal(l.selected, "b");
	cs_list_fini(&l);
}

static void filter_chips_say_what_they_say(void **state)
{
	static const struct { const char *filter; bool holds; } cases[] = {
		{ "status:waiting", true }, { "status:wait", false }, { "flow:news*", true }, { "FLOW:news*", false }, { "flow:NEWS*", true },
		{ "cost>0.10", true }, { "cost>0.2", false }, { "cost<1 flow:news*", true }, { "Hello", true }, { "nothing", false }, { "missing:*", false },
	};
	CS_AUTOJSON json_t *row = json_pack("{s:s, s:s, s:i}", "state", "waiting", "flow", "newsletter", "cost", 150000);
	cs_filter *f = NULL;

	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(cases); i++) {
		assert_int_equal(cs_filter_new(cases[i].filter, &f, NULL), CS_OK);
		if (cs_filter_match(f, row, "say hello") != cases[i].holds)
			fail_msg("%s", cases[i].filter);
		cs_filter_free(f);
	}
	f = NULL;
	assert_int_equal(cs_filter_new("cost>much", &f, NULL), CS_EINVAL);
	assert_null(f);
	assert_int_equal(cs_filter_new("   ", &f, NULL), CS_OK);
	assert_null(f);
}

static void the_line_edits_like_readline(void **state)
{
	static cs_line l;

	(void)state;
	cs_line_set(&l, "one twö three");
	(void)cs_line_key(&l, CS_CTRL('w'));
	assert_string_equal(l.text, "one twö ");
	(void)cs_line_key(&l, CS_KEY_BACKSPACE);
	(void)cs_line_key(&l, CS_KEY_BACKSPACE);
	assert_string_equal(l.text, "one tw");
	(void)cs_line_key(&l, CS_CTRL('a'));
	(void)cs_line_key(&l, 0x20ac);
	assert_string_equal(l.text, "€one tw");
	(void)cs_line_key(&l, CS_CTRL('k'));
	assert_string_equal(l.text, "€");
	(void)cs_line_key(&l, CS_CTRL('y'));
	assert_string_equal(l.text, "€one tw");
	assert_true(cs_line_insert(&l, "a\nb\r"));
	assert_null(strchr(l.text, '\n'));
	assert_false(cs_line_key(&l, CS_KEY_ENTER));
	assert_false(cs_line_key(&l, CS_KEY_ESC));
}

static void a_paste_that_does_not_fit_is_not_taken_in_part(void **state)
{
	static cs_line l;
	CS_AUTOFREE char *big = malloc(CS_LINE_MAX + 1);

	(void)state;
	memset(big, 'x', CS_LINE_MAX);
	big[CS_LINE_MAX] = '\0';
	cs_line_set(&l, "keep");
	assert_false(cs_line_insert(&l, big));
	assert_string_equal(l.text, "keep");
}

static void the_menu_finds_by_letters_in_order(void **state)
{
	(void)state;
	assert_int_equal(cs_menu_score("approve", "xp"), 0);
	assert_true(cs_menu_score("next-error", "ne") > cs_menu_score("open-pane", "ne"));
	assert_true(cs_menu_score("approve", "app") > cs_menu_score("a-purple-pie", "app"));
}

static void a_bar_is_exact_to_an_eighth(void **state)
{
	char bar[64];

	(void)state;
	cs_trace_bar(0, 800, 800, 4, bar, sizeof(bar));
	assert_string_equal(bar, "████");
	cs_trace_bar(400, 500, 800, 4, bar, sizeof(bar));
	assert_string_equal(bar, "  ▌");
	cs_trace_bar(800, 800, 800, 4, bar, sizeof(bar));   /* nothing is too short to be seen */
	assert_string_equal(bar, "   ▏");
	cs_trace_bar(-5, 9000, 800, 2, bar, sizeof(bar));
	assert_string_equal(bar, "██");
	cs_trace_bar(0, 1, 0, 4, bar, sizeof(bar));
	assert_string_equal(bar, "");
}

static json_t *step(int seq, int depth, const char *st)
{
	return json_pack("{s:i, s:s, s:s, s:i, s:s}", "seq", seq, "ref", "/r", "name", "n", "depth", depth, "state", st);
}

static void failures_never_fold_and_what_is_watched_neither(void **state)
{
	CS_AUTOJSON json_t *in = json_array(), *open = json_object(), *out = NULL, *live = NULL, *again = NULL;
	static const char *const states[] = { "completed", "completed", "completed", "faulted", "completed", "completed" };

	(void)state;
	for (int i = 0; i < 6; i++)
		(void)json_array_append_new(in, step(i + 1, 0, states[i]));
	out = cs_tree_rows(in, open, 100, false);
	assert_int_equal(json_array_size(out), 4);          /* ⋯3, faulted, and two that are too few to fold */
	assert_int_equal(cs_json_int_or(json_array_get(out, 0), "folds", 0), 3);
	assert_string_equal(cs_json_str_or(json_array_get(out, 1), "state", ""), "faulted");
	live = cs_tree_rows(in, open, 0, false);            /* all of it came while it was watched */
	assert_int_equal(json_array_size(live), 6);
	(void)json_object_set_new(open, cs_json_str_or(json_array_get(out, 0), "key", ""), json_true());
	again = cs_tree_rows(in, open, 100, false);
	assert_int_equal(json_array_size(again), 6);
}

static void what_cannot_be_taken_back_wants_a_typed_word(void **state)
{
	CS_AUTOJSON json_t *soft = json_pack("{s:{s:s}}", "card", "undo", "30 s"), *hard = json_pack("{s:{s:n}}", "card", "undo");
	CS_AUTOJSON json_t *bare = json_object(), *asks = json_pack("{s:s, s:{s:s}}", "confirm", "send", "card", "undo", "30 s");

	(void)state;
	assert_null(cs_card_word(soft));
	assert_string_equal(cs_card_word(hard), "approve");
	assert_string_equal(cs_card_word(bare), "approve");
	assert_string_equal(cs_card_word(asks), "send");
}

/* Each action can be reached by each of its keys: what stands before it on the same key needs more. */
static void every_key_of_the_table_reaches_its_action(void **state)
{
	char key[16];

	(void)state;
	for (int i = 0; i < CS_ACT_COUNT; i++) {
		assert_true(strlen(cs_action_key((cs_action_id)i, key)) > 0);
		for (int v = 0; v < CS_VIEW_COUNT && strlen(key) == 1; v++)
			if (cs_actions[i].views & CS_IN(v))
				if (cs_action_find((cs_key)key[0], v, cs_actions[i].needs) != i)
					fail_msg("%s of %s does something else", key, cs_actions[i].name);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(cs_actions[i].name, cs_actions[k].name);
	}
}

static bool names_a_key(const char *text)
{
	static const char *const ways[] = { "arrows", "Enter", "Space", "change screens", "capstan " };
	char key[16], word[20];

	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++)
		if (strstr(text, ways[i]))
			return true;
	for (int i = 0; i < CS_ACT_COUNT; i++) {
		(void)snprintf(word, sizeof(word), "%s ", cs_action_key((cs_action_id)i, key));
		if (strncmp(text, word, strlen(word)) == 0)
			return true;
	}
	return strstr(text, "are counted here") || strstr(text, "? lists");
}

/* 6: where something cannot be done, it is said why, and what can. */
static void every_refusal_names_a_next_step(void **state)
{
	(void)state;
	for (int i = 0; i < CS_ACT_COUNT; i++) {
		for (int v = 0; v < CS_VIEW_COUNT; v++) {
			const char *why = cs_action_why_not((cs_action_id)i, v, 0), *step_text;

			if (!why) {
				assert_int_equal(cs_actions[i].needs, 0);
				continue;
			}
			step_text = strchr(why, ':');
			if (!step_text || !names_a_key(step_text + 2))
				fail_msg("%s: %s", cs_actions[i].name, why);
		}
	}
}

static void decisions_are_never_repeated(void **state)
{
	(void)state;
	for (int i = 0; i < CS_ACT_COUNT; i++)
		if (cs_actions[i].flags & CS_ACT_DECISION)
			assert_false(cs_actions[i].flags & CS_ACT_REPEAT);
}

static void only_what_a_body_shows_whole_counts_as_shown(void **state)
{
	cs_shown s;

	(void)state;
	cs_shown_init(&s, "To ada@example.com\n\nDear Ada,\ncc bob@example.com\nYours");
	assert_true(cs_shown_take(&s, "Dear Ada,\ncc bob@example.com\nYours"));
	assert_true(cs_shown_take(&s, "ada@example.com"));
	assert_false(cs_shown_take(&s, "ada@example.com"));   /* it stands there once */
	assert_false(cs_shown_take(&s, "bob@example.com"));   /* it stands in another value only */
	assert_false(cs_shown_take(&s, "To"));                /* not to the end of a line */
	assert_false(cs_shown_take(&s, "example.com"));
	assert_false(cs_shown_take(&s, ""));
	cs_shown_fini(&s);
}

static void a_value_beside_the_body_is_on_the_card(void **state)
{
	CS_AUTOJSON json_t *item = json_loads("{\"kind\":\"approval\",\"state\":\"pending\",\"value\":{\"to\":\"a@b.c\",\"text\":\"Hello x@y.z\",\"cc\":\"x@y.z\"},"
					      "\"card\":{\"body\":\"To a@b.c\\nHello x@y.z\",\"request\":{\"headers\":{\"X-Note\":\"n\"},\"body\":{\"to\":\"a@b.c\",\"from\":\"me@b.c\"}}}}", 0, NULL);
	static const char *const needs[] = { "x@y.z", "me@b.c", "X-Note: n" };
	cs_pager p;

	(void)state;
	cs_pager_init(&p);
	cs_card_fill(&p, item, NULL);
	for (size_t k = 0; k < CS_ARRAY_LEN(needs); k++) {
		bool found = false;

		for (size_t i = 0; i < p.n; i++)
			found |= strcmp(p.lines[i].text, needs[k]) == 0;
		if (!found)
			fail_msg("the card hides %s", needs[k]);
	}
	cs_pager_fini(&p);
}

static void a_time_is_read_as_people_write_it(void **state)
{
	static const int64_t now = 1790000000000;   /* 2026-09-21T14:13:20Z */
	static const struct { const char *text; int64_t after_min; } cases[] = {
		{ "30m", 30 }, { "4h", 240 }, { "2d", 2880 }, { "1w", 10080 },
	};
	static const char *const wrong[] = { "", "soon", "-1h", "0m", "4", "25:00", "14:3x", "99999999999d", "2020-01-01T00:00:00Z" };
	int64_t at = 0;

	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(cases); i++) {
		assert_int_equal(cs_when_parse(cases[i].text, now, &at, NULL), CS_OK);
		assert_int_equal(at - now, cases[i].after_min * 60000);
	}
	assert_int_equal(cs_when_parse("tomorrow", now, &at, NULL), CS_OK);
	assert_true(at > now && at - now < 48 * 3600000LL);
	assert_int_equal(cs_when_parse("14:30", now, &at, NULL), CS_OK);
	assert_true(at > now && at - now <= 25 * 3600000LL);
	at = 7;
	for (size_t i = 0; i < CS_ARRAY_LEN(wrong); i++)
		if (cs_when_parse(wrong[i], now, &at, NULL) == CS_OK || at != 7)
			fail_msg("%s was taken for a time", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_keeps_its_selection_by_id),
		cmocka_unit_test(a_filter_hides_and_gives_back),
		cmocka_unit_test(filter_chips_say_what_they_say),
		cmocka_unit_test(the_line_edits_like_readline),
		cmocka_unit_test(a_paste_that_does_not_fit_is_not_taken_in_part),
		cmocka_unit_test(the_menu_finds_by_letters_in_order),
		cmocka_unit_test(a_bar_is_exact_to_an_eighth),
		cmocka_unit_test(failures_never_fold_and_what_is_watched_neither),
		cmocka_unit_test(what_cannot_be_taken_back_wants_a_typed_word),
		cmocka_unit_test(every_key_of_the_table_reaches_its_action),
		cmocka_unit_test(every_refusal_names_a_next_step),
		cmocka_unit_test(decisions_are_never_repeated),
		cmocka_unit_test(only_what_a_body_shows_whole_counts_as_shown),
		cmocka_unit_test(a_value_beside_the_body_is_on_the_card),
		cmocka_unit_test(a_time_is_read_as_people_write_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
