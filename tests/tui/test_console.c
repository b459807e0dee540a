/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console as an operator meets it: sizes, colours, the way back, search, what it decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <cmocka.h>
#include "base/json.h"
#include "base/mem.h"
#include "driver.h"
#include "tui/action.h"

static const char empty[] = "{\"status\":{\"workspace\":\"w\",\"mode\":\"live\"},\"items\":{},\"runs\":[],\"traces\":{}}";

static driver *console(int rows, int cols)
{
	driver *d = driver_console(rows, cols, NULL, NULL);

	assert_true(driver_sees(d, "Send the pro"));
	return d;
}

static json_t *sent(driver *d, const char *cmd)
{
	json_t *c = driver_sent(d, 20000);

	assert_non_null(c);
	assert_string_equal(cs_json_str_or(c, "cmd", ""), cmd);
	return c;
}

static void a_phone_sees_and_decides_in_45_by_20(void **state)
{
	driver *d = console(20, 45);

	(void)state;
	assert_true(driver_sees(d, "SIMULATED"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "a approve"));
	assert_true(driver_decide(d, "a", "Approved"));
	json_decref(sent(d, "approve"));
	(void)driver_stop(d);
}

static void columns_follow_the_width_and_the_selection_stays(void **state)
{
	driver *d = console(30, 100);

	(void)state;
	assert_true(driver_sees(d, "Will do"));          /* two: the card beside the list */
	assert_true(driver_sees(d, "? all-keys"));
	assert_int_equal(driver_find(d, "Its run"), -1);
	driver_keys(d, "\033OB");
	assert_true(driver_sees(d, "billing.invoice"));
	driver_resize(d, 40, 150);
	assert_true(driver_sees(d, "Its run"));          /* three: the run's steps too */
	assert_true(driver_sees(d, "▸ ! Invoice"));
	assert_true(driver_sees(d, "? all-keys"));       /* the way to every other key has its place at any width */
	driver_resize(d, 20, 45);
	assert_true(driver_loses(d, "Will do"));         /* one: the list */
	assert_true(driver_sees(d, "? all-keys"));
	assert_true(driver_sees(d, "▸ ! Invoice"));
	driver_resize(d, 24, 80);
	assert_true(driver_sees(d, "expires"));
	assert_true(driver_sees(d, "▸ ! Invoice"));
	(void)driver_stop(d);
}

static void tiny_and_huge_terminals_do_not_break_it(void **state)
{
	static const int sizes[][2] = { { 1, 1 }, { 2, 5 }, { 5, 20 }, { 100, 300 }, { 24, 80 } };
	driver *d = console(24, 80);

	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(sizes); i++) {
		for (const char *k = "1234"; *k; k++) {
			char key[2] = { *k, '\0' };

			driver_keys(d, key);
			(void)driver_listen(d, 30);
		}
		driver_resize(d, sizes[i][0], sizes[i][1]);
		(void)driver_listen(d, 60);
	}
	driver_keys(d, "1");
	assert_true(driver_sees(d, "Send the proposal"));
	(void)driver_stop(d);
}

static void no_color_takes_every_colour_and_nothing_else(void **state)
{
	static const char *const mono[] = { "NO_COLOR=1", NULL };
	driver *plain = driver_console(24, 80, NULL, mono), *colour = console(24, 80);

	(void)state;
	assert_true(driver_sees(plain, "Send the proposal"));
	assert_false(driver_coloured(plain));
	assert_true(driver_coloured(colour));
	(void)driver_stop(plain);
	(void)driver_stop(colour);
}

static void escape_and_q_go_back_where_one_came_from(void **state)
{
	driver *d = console(24, 80);
	const char *raw;
	size_t len;

	(void)state;
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Will do"));
	driver_keys(d, "t");
	assert_true(driver_sees(d, "crm.lookup"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "client-onboarding"));
	driver_keys(d, "q");
	assert_true(driver_sees(d, "crm.lookup"));
	driver_keys(d, "\033");
	assert_true(driver_sees(d, "Will do"));          /* the card, as it was left */
	driver_keys(d, "q");
	assert_true(driver_sees(d, "▸ ! Send"));
	driver_keys(d, "q");
	assert_true(driver_sees(d, "Q leaves"));
	driver_keys(d, "Q");
	assert_int_equal(driver_wait_exit(d), 0);
	raw = driver_raw(d, &len);
	assert_non_null(memmem(raw, len, "\033[?1049l", 8));   /* the ordinary screen */
	assert_non_null(memmem(raw, len, "\033[?2004l", 8));   /* no more paste marks */
	assert_non_null(memmem(raw, len, "\033[?1004l", 8));
	(void)driver_stop(d);
}

static void search_walks_and_counts(void **state)
{
	driver *d = console(24, 80);

	(void)state;
	driver_keys(d, "2");
	assert_true(driver_sees(d, "lead-reply"));
	driver_keys(d, "/");
	assert_true(driver_sees(d, "Esc leaves it"));
	assert_true(driver_type(d, "lead-.eply"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "1 of 2"));
	assert_true(driver_sees(d, "▸ ✗ faulted"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "2 of 2"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "1 of 2"));
	driver_keys(d, "N");
	assert_true(driver_sees(d, "2 of 2"));
	driver_keys(d, "/");
	assert_true(driver_sees(d, "Esc leaves it"));
	assert_true(driver_type(d, "("));
	driver_keys(d, "\r");
	assert_true(driver_loses(d, "Esc leaves it"));   /* a bad pattern is said, not obeyed */
	(void)driver_stop(d);
}

static void filter_chips_hold_together(void **state)
{
	driver *d = console(24, 80);

	(void)state;
	driver_keys(d, "2");
	assert_true(driver_sees(d, "newsletter"));
	driver_keys(d, "&");
	assert_true(driver_sees(d, "Esc leaves it"));
	assert_true(driver_type(d, "status:waiting cost>0.1"));
	driver_keys(d, "\r");
	assert_true(driver_loses(d, "faulted"));
	assert_true(driver_loses(d, "consulting-order"));
	assert_true(driver_loses(d, "faulted"));
	assert_true(driver_sees(d, "newsletter"));
	(void)driver_stop(d);
}

static void the_palette_holds_every_action_of_the_table(void **state)
{
	driver *d = console(100, 120);

	(void)state;
	driver_keys(d, "?");
	assert_true(driver_sees(d, "Esc leaves it"));
	for (int i = 0; i < CS_ACT_COUNT; i++)
		assert_true(driver_sees(d, cs_actions[i].name));
	assert_true(driver_type(d, "runs"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "newsletter        "));  /* and runs what is chosen */
	(void)driver_stop(d);
}

static void undo_takes_back_the_last_decision(void **state)
{
	driver *d = console(24, 100);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	assert_true(driver_decide(d, "a", "Approved: Send the proposal"));
	json_decref(sent(d, "approve"));
	assert_true(driver_sees(d, "u undo"));
	assert_true(driver_sees(d, "▸ ! Invoice"));      /* the next one is selected by itself */
	driver_keys(d, "u");
	cmd = sent(d, "undo");
	assert_string_equal(cs_json_str_or(cmd, "id", ""), "01JAAAAAAAAAAAAAAAAAAAPROP");
	assert_true(driver_sees(d, "Taken back"));
	(void)driver_stop(d);
}

static void a_terminal_that_cannot_do_it_is_told_what_can(void **state)
{
	static const char *const terms[][2] = { { "TERM=dumb", NULL }, { "TERM=there-is-no-such", NULL } };

	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(terms); i++) {
		driver *d = driver_console(24, 80, NULL, terms[i]);

		assert_int_equal(driver_wait_exit(d), 1);
		assert_true(driver_find(d, "--plain") >= 0);
		(void)driver_stop(d);
	}
}

static void old_terminals_and_locales_do(void **state)
{
	static const char *const envs[][3] = { { "TERM=vt100", NULL }, { "TERM=linux", NULL }, { "TERM=screen", NULL }, { "LC_ALL=C", NULL }, { "LC_ALL=POSIX", "TERM=xterm", NULL } };

	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(envs); i++) {
		driver *d = driver_console(24, 80, NULL, envs[i]);

		assert_true(driver_sees(d, "▸ ! Send the proposal"));
		driver_keys(d, "\033[B");
		assert_true(driver_sees(d, "▸ ! Invoice"));
		(void)driver_stop(d);
	}
}

static void what_is_copied_goes_out_as_one_sequence(void **state)
{
	static const char copied[] = "\033]52;c;MDFKQUFBQUFBQUFBQUFBQUFBQUFBQVBST1A=\a";
	driver *d = console(24, 80);
	const char *raw;
	size_t len;

	(void)state;
	driver_keys(d, "y");
	assert_true(driver_sees(d, "the command line that shows it"));
	assert_true(driver_type(d, "id"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Copied the id"));
	raw = driver_raw(d, &len);
	/* base64 of 01JAAAAAAAAAAAAAAAAAAAPROP */
	assert_non_null(memmem(raw, len, copied, strlen(copied)));
	(void)driver_stop(d);
}

static void stopped_and_continued_it_comes_back_whole(void **state)
{
	driver *d = console(24, 80);

	(void)state;
	(void)kill(driver_pid(d), SIGSTOP);
	(void)kill(driver_pid(d), SIGCONT);
	driver_keys(d, "2");
	assert_true(driver_sees(d, "newsletter"));
	(void)driver_stop(d);
}

static void an_edit_is_shown_with_its_difference_before_it_is_sent(void **state)
{
	static const char *const env[] = { "EDITOR=sed -i s/Monday/Tuesday/", "VISUAL=", NULL };
	driver *d = driver_console(40, 80, NULL, env);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	assert_true(driver_sees(d, "Send the proposal"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "e edit"));
	driver_keys(d, "e");
	assert_true(driver_sees(d, "EDITED, NOT SENT YET"));
	assert_true(driver_sees(d, "- text"));
	assert_true(driver_sees(d, "from Tuesday"));
	assert_null(driver_sent(d, 0));
	assert_true(driver_decide(d, "a", "Edited"));
	cmd = sent(d, "edit");
	assert_string_equal(cs_json_str_or(cmd, "digest", ""), "d1");
	assert_non_null(strstr(cs_json_str_or(json_object_get(cmd, "value"), "text", ""), "Tuesday"));
	(void)driver_stop(d);
}

static void a_rejection_wants_words_and_a_paste_in_them_is_text(void **state)
{
	driver *d = console(24, 100);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	assert_true(driver_decide(d, "r", "Reject, because"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Nothing was sent"));
	assert_true(driver_decide(d, "r", "Reject, because"));
	driver_paste(d, "too\nearly");
	assert_true(driver_sees(d, "too early"));
	assert_null(driver_sent(d, 50));                 /* the line break in it did not submit */
	driver_keys(d, "\r");
	cmd = sent(d, "reject");
	assert_string_equal(cs_json_str_or(cmd, "note", ""), "too early");
	(void)driver_stop(d);
}

static void marked_items_are_all_shown_before_one_word_approves_them(void **state)
{
	driver *d = console(40, 80);

	(void)state;
	driver_tell(d, "{\"items\":{\"B\":{\"id\":\"B\",\"kind\":\"approval\",\"title\":\"Second letter\",\"state\":\"pending\",\"digest\":\"dB\",\"created\":\"2000-01-01T00:00:00.000Z\",\"flow\":\"other\",\"allow\":[\"accept\"],\"card\":{\"undo\":\"30 s\",\"body\":\"the second body\"}}}}");
	assert_true(driver_sees(d, "1 new"));
	driver_keys(d, "g");
	assert_true(driver_sees(d, "Second letter"));
	driver_keys(d, " ");
	assert_true(driver_sees(d, "1 marked"));
	driver_keys(d, "\033[F");
	assert_true(driver_sees(d, "▸ ! Second"));
	driver_keys(d, " ");
	assert_true(driver_sees(d, "2 marked"));
	driver_keys(d, "a");
	assert_true(driver_sees(d, "Type “approve 2”"));
	assert_true(driver_sees(d, "the second body"));
	assert_true(driver_sees(d, "three days of audit"));
	assert_true(driver_type(d, "approve 2"));
	assert_null(driver_sent(d, 0));
	driver_keys(d, "\r");
	json_decref(sent(d, "approve"));
	json_decref(sent(d, "approve"));
	assert_true(driver_sees(d, "2 approved"));
	(void)driver_stop(d);
}

static void an_effect_in_doubt_is_resolved_and_repeated_only_by_word(void **state)
{
	driver *d = console(24, 100);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	driver_keys(d, "\033[F");
	assert_true(driver_sees(d, "h happened"));
	assert_int_equal(driver_find(d, "a approve"), -1);
	assert_true(driver_decide(d, "x", "Type “repeat”"));
	driver_keys(d, "\033");
	assert_true(driver_sees(d, "Nothing was done"));
	assert_null(driver_sent(d, 0));
	assert_true(driver_decide(d, "h", "It happened, seen where"));
	driver_keys(d, "\r");                            /* a key pressed by mistake settles nothing */
	assert_true(driver_sees(d, "Nothing was sent"));
	assert_null(driver_sent(d, 0));
	assert_true(driver_decide(d, "h", "It happened, seen where"));
	driver_paste(d, "provider log");
	assert_true(driver_sees(d, "provider log"));
	assert_null(driver_sent(d, 50));
	driver_keys(d, "\r");
	cmd = sent(d, "resolve");
	assert_string_equal(cs_json_str_or(cmd, "note", ""), "provider log");
	assert_string_equal(cs_json_str_or(cmd, "how", ""), "happened");
	(void)driver_stop(d);
}

static void a_trace_folds_the_quiet_and_never_a_failure(void **state)
{
	driver *d = console(30, 80);

	(void)state;
	driver_keys(d, "t");
	assert_true(driver_sees(d, "3 finished steps"));
	assert_true(driver_sees(d, "▸ prepare"));
	assert_int_equal(driver_find(d, "pick-template"), -1);
	assert_true(driver_sees(d, "×3"));
	assert_true(driver_sees(d, "█"));
	driver_keys(d, "e");
	assert_true(driver_sees(d, "▸ ✗ lookup"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "crm did not answer"));
	driver_keys(d, "q");
	assert_true(driver_sees(d, "▸ ✗ lookup"));
	driver_keys(d, "w");
	assert_true(driver_sees(d, "run.started"));
	driver_keys(d, "q");
	assert_true(driver_loses(d, "run.started"));
	driver_keys(d, "o");
	assert_true(driver_loses(d, "finished steps"));
	(void)driver_stop(d);
}

static void a_replay_is_forked_changed_started_and_compared(void **state)
{
	driver *d = console(30, 80);
	CS_AUTOJSON json_t *cmd = NULL, *plan = NULL;

	(void)state;
	driver_keys(d, "2");
	assert_true(driver_sees(d, "newsletter"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "writer"));
	driver_keys(d, "\033OA");
	assert_true(driver_sees(d, "▸ ✓ write"));
	driver_keys(d, "f");
	assert_true(driver_sees(d, "is captured: shown, not sent"));
	assert_true(driver_sees(d, "▸ ✓ write"));
	plan = sent(d, "replay-plan");
	driver_keys(d, "i");
	assert_true(driver_sees(d, "PATH=VALUE"));
	assert_true(driver_type(d, "lead.name=Grace"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "\"Ada\" → \"Grace\""));
	json_decref(sent(d, "replay-plan"));
	driver_keys(d, "s");
	cmd = sent(d, "replay");
	assert_string_equal(cs_json_str_or(cmd, "from", ""), "/do/4/write");
	assert_string_equal(cs_json_str_or(json_array_get(json_object_get(cmd, "set"), 0), "path", ""), "lead.name");
	assert_true(driver_sees(d, "Dear Grace"));
	driver_keys(d, "d");
	assert_true(driver_sees(d, "▸ ~ write"));
	(void)driver_stop(d);
}

static void cancel_wants_its_word(void **state)
{
	driver *d = console(24, 80);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	driver_keys(d, "2");
	assert_true(driver_sees(d, "newsletter"));
	driver_keys(d, "c");
	assert_true(driver_sees(d, "Type “cancel”"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Nothing was done"));
	driver_keys(d, "c");
	assert_true(driver_sees(d, "Type “cancel”"));
	assert_true(driver_type(d, "cancel"));
	driver_keys(d, "\r");
	cmd = sent(d, "cancel");
	assert_string_equal(cs_json_str_or(cmd, "run", ""), "01J9AAAAAAAAAAAAAAAAAAAAK4");
	(void)driver_stop(d);
}

static void empty_screens_say_how_to_fill_them(void **state)
{
	driver *d = driver_console(24, 80, empty, NULL);

	(void)state;
	assert_true(driver_sees(d, "No approvals wait. Start a flow: capstan run FLOW"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "capstan run FLOW"));
	driver_keys(d, "3");
	assert_true(driver_sees(d, "2 lists the runs"));
	driver_keys(d, "4");
	assert_true(driver_sees(d, "nothing to replay yet"));
	(void)driver_stop(d);
}

/* Times the program left the processor by itself: it does when it wakes and sleeps again. */
static long switches(const driver *d)
{
	char path[64], line[256];
	long n = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", driver_pid(d));
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			break;
	if (f)
		(void)fclose(f);
	return n;
}

static void at_idle_nothing_wakes_it(void **state)
{
	driver *d = driver_console(24, 80, empty, NULL);
	long before;

	(void)state;
	assert_true(driver_sees(d, "No approvals wait"));
	(void)driver_listen(d, 300);
	before = switches(d);
	assert_true(before > 0);
	assert_int_equal(driver_listen(d, 1500), 0);
	assert_int_equal(switches(d), before);
	(void)driver_stop(d);
}

static void a_lost_terminal_and_a_signal_end_it_cleanly(void **state)
{
	driver *gone = console(24, 80), *told;
	const char *raw;
	size_t len;

	(void)state;
	driver_hang_up(gone);
	assert_int_equal(driver_wait_exit(gone), 0);
	told = console(24, 80);   /* not before: it would keep the other's terminal open */
	(void)kill(driver_pid(told), SIGTERM);
	assert_int_equal(driver_wait_exit(told), 0);
	raw = driver_raw(told, &len);
	assert_non_null(memmem(raw, len, "\033[?1049l", 8));
	(void)driver_stop(gone);
	(void)driver_stop(told);
}

static void the_bell_rings_only_when_nobody_looks(void **state)
{
	static const char item[] = "{\"items\":{\"%s\":{\"id\":\"%s\",\"kind\":\"approval\",\"title\":\"New %s\",\"state\":\"pending\",\"digest\":\"n\",\"created\":\"2099-01-01T00:00:00.000Z\",\"allow\":[\"accept\"],\"card\":{}}}}";
	driver *d = console(24, 80);
	CS_AUTOFREE char *one = cs_xasprintf(item, "N1", "N1", "1"), *two = cs_xasprintf(item, "N2", "N2", "2");
	const char *raw;
	size_t len;

	(void)state;
	driver_keys(d, "\033[I");
	driver_tell(d, one);
	assert_true(driver_sees(d, "1 new"));
	raw = driver_raw(d, &len);
	assert_null(memchr(raw, '\a', len));
	driver_keys(d, "\033[O");
	(void)driver_listen(d, 100);
	driver_tell(d, two);
	assert_true(driver_sees(d, "2 new"));
	raw = driver_raw(d, &len);
	assert_non_null(memchr(raw, '\a', len));
	(void)driver_stop(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_sees_and_decides_in_45_by_20),
		cmocka_unit_test(columns_follow_the_width_and_the_selection_stays),
		cmocka_unit_test(tiny_and_huge_terminals_do_not_break_it),
		cmocka_unit_test(no_color_takes_every_colour_and_nothing_else),
		cmocka_unit_test(escape_and_q_go_back_where_one_came_from),
		cmocka_unit_test(search_walks_and_counts),
		cmocka_unit_test(filter_chips_hold_together),
		cmocka_unit_test(the_palette_holds_every_action_of_the_table),
		cmocka_unit_test(undo_takes_back_the_last_decision),
		cmocka_unit_test(a_terminal_that_cannot_do_it_is_told_what_can),
		cmocka_unit_test(old_terminals_and_locales_do),
		cmocka_unit_test(what_is_copied_goes_out_as_one_sequence),
		cmocka_unit_test(stopped_and_continued_it_comes_back_whole),
		cmocka_unit_test(an_edit_is_shown_with_its_difference_before_it_is_sent),
		cmocka_unit_test(a_rejection_wants_words_and_a_paste_in_them_is_text),
		cmocka_unit_test(marked_items_are_all_shown_before_one_word_approves_them),
		cmocka_unit_test(an_effect_in_doubt_is_resolved_and_repeated_only_by_word),
		cmocka_unit_test(a_trace_folds_the_quiet_and_never_a_failure),
		cmocka_unit_test(a_replay_is_forked_changed_started_and_compared),
		cmocka_unit_test(cancel_wants_its_word),
		cmocka_unit_test(empty_screens_say_how_to_fill_them),
		cmocka_unit_test(at_idle_nothing_wakes_it),
		cmocka_unit_test(a_lost_terminal_and_a_signal_end_it_cleanly),
		cmocka_unit_test(the_bell_rings_only_when_nobody_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
