/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must never happen in the console, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "driver.h"
#include "tests/data.h"

#define PROPOSAL "01JAAAAAAAAAAAAAAAAAAAPROP"
#define INVOICE "01JAAAAAAAAAAAAAAAAAAAINVO"

static driver *on_card(int rows, int cols)
{
	driver *d = driver_console(rows, cols, NULL, NULL);

	assert_true(driver_sees(d, "Send the proposal"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Will do"));
	return d;
}

static void nothing_sent(driver *d)
{
	CS_AUTOJSON json_t *cmd = NULL;

	driver_settle(d);
	cmd = driver_sent(d, 0);
	assert_null(cmd);
}

/* 1 */
static void enter_space_and_pasted_text_never_decide(void **state)
{
	driver *d = on_card(24, 80);

	(void)state;
	(void)driver_listen(d, 500);   /* armed by now: it is not the arming that holds them back */
	driver_keys(d, "\r");
	nothing_sent(d);
	driver_keys(d, " ");
	nothing_sent(d);
	driver_keys(d, " ");           /* unmarked again */
	nothing_sent(d);
	(void)driver_listen(d, 500);
	driver_paste(d, "a\ra\rr\r");
	assert_true(driver_sees(d, "What was pasted is text"));
	nothing_sent(d);
	(void)driver_listen(d, 500);
	driver_keys(d, "aaaa\r");      /* a paste of a terminal that does not mark them */
	assert_true(driver_sees(d, "all at once"));
	nothing_sent(d);
	(void)driver_stop(d);
}

static void a_decision_key_arms_400_ms_after_the_card_was_drawn(void **state)
{
	driver *d = driver_console(24, 80, NULL, NULL);
	CS_AUTOJSON json_t *cmd = NULL;
	int64_t begin;

	(void)state;
	assert_true(driver_sees(d, "Send the proposal"));
	(void)driver_listen(d, 500);   /* the list has long been there, the card has not */
	begin = cs_clock_mono_ns();
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Will do"));
	while (!cmd && cs_clock_mono_ns() - begin < 5000000000LL) {
		driver_keys(d, "a");
		cmd = driver_sent(d, 30);
	}
	assert_non_null(cmd);
	assert_true(cs_clock_mono_ns() - begin >= 400000000LL);
	assert_string_equal(cs_json_str_or(cmd, "cmd", ""), "approve");
	assert_string_equal(cs_json_str_or(cmd, "digest", ""), "d1");
	(void)driver_stop(d);
}

static void without_its_card_nothing_is_decided(void **state)
{
	driver *d = driver_console(24, 80, NULL, NULL);

	(void)state;
	assert_true(driver_sees(d, "Send the proposal"));
	(void)driver_listen(d, 500);
	driver_keys(d, "a");
	assert_true(driver_sees(d, "card is not on the screen"));
	nothing_sent(d);
	(void)driver_stop(d);
}

static void a_card_that_changes_arms_anew_and_sends_the_digest_it_shows(void **state)
{
	driver *d = on_card(24, 80);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	driver_tell(d, "{\"items\":{\"" PROPOSAL "\":{\"digest\":\"d9\",\"title\":\"Send another thing\"}}}");
	assert_true(driver_sees(d, "Send another thing"));
	assert_true(driver_decide(d, "a", "Approved: Send another thing"));
	cmd = driver_sent(d, 20000);
	assert_string_equal(cs_json_str_or(cmd, "digest", ""), "d9");
	(void)driver_stop(d);
}

static void a_typed_word_is_typed_and_stays_bound_to_what_was_shown(void **state)
{
	driver *d = driver_console(24, 80, NULL, NULL);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	assert_true(driver_sees(d, "Invoice"));
	driver_keys(d, "\033[B");
	assert_true(driver_sees(d, "▸ ! Invoice"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "billing.invoice"));
	assert_true(driver_decide(d, "a", "Type “invoice”"));
	driver_paste(d, "invoice");
	assert_true(driver_sees(d, "typed, not pasted"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Nothing was done"));
	assert_true(driver_decide(d, "a", "Type “invoice”"));
	/* it changes under the prompt: what is sent is what was shown when the key was pressed */
	driver_tell(d, "{\"items\":{\"" INVOICE "\":{\"digest\":\"dX\",\"title\":\"Invoice 9 999.00 EUR\"}}}");
	assert_true(driver_sees(d, "9 999.00"));
	assert_true(driver_type(d, "invoice"));
	driver_keys(d, "\r");
	cmd = driver_sent(d, 20000);
	assert_non_null(cmd);
	assert_string_equal(cs_json_str_or(cmd, "digest", ""), "d2");
	assert_true(driver_sees(d, "it changed after it was shown"));
	(void)driver_stop(d);
}

static void an_arrival_never_takes_the_focus(void **state)
{
	driver *d = on_card(24, 80);
	CS_AUTOJSON json_t *cmd = NULL;

	(void)state;
	driver_tell(d, "{\"items\":{\"NEW\":{\"id\":\"NEW\",\"kind\":\"approval\",\"title\":\"Urgent\",\"state\":\"pending\",\"digest\":\"n\",\"created\":\"2099-01-01T00:00:00.000Z\",\"allow\":[\"accept\"],\"card\":{\"undo\":\"30 s\"}}}}");
	assert_true(driver_sees(d, "1 new ↑"));
	assert_true(driver_sees(d, "Send the proposal"));
	assert_true(driver_decide(d, "a", "Approved: Send the proposal"));
	cmd = driver_sent(d, 20000);
	assert_string_equal(cs_json_str_or(cmd, "id", ""), PROPOSAL);
	(void)driver_stop(d);
}

static void a_decision_chosen_by_enter_in_the_palette_asks_for_its_name(void **state)
{
	driver *d = on_card(24, 80);

	(void)state;
	(void)driver_listen(d, 500);
	driver_keys(d, ":");
	assert_true(driver_sees(d, "Esc leaves it"));
	driver_paste(d, "approve what");
	assert_true(driver_sees(d, "approve what the card shows"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Type “approve”"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "Nothing was done"));
	nothing_sent(d);
	(void)driver_stop(d);
}

/* 2 */
static void a_list_never_moves_under_the_cursor(void **state)
{
	driver *d = driver_console(24, 80, NULL, NULL);
	int row;

	(void)state;
	assert_true(driver_sees(d, "Invoice"));
	driver_keys(d, "\033[B");
	assert_true(driver_sees(d, "▸ ! Invoice"));
	row = driver_find(d, "▸ ! Invoice");
	driver_tell(d, "{\"items\":{\"NEW\":{\"id\":\"NEW\",\"kind\":\"approval\",\"title\":\"Urgent\",\"state\":\"pending\",\"digest\":\"n\",\"created\":\"2099-01-01T00:00:00.000Z\",\"allow\":[\"accept\"],\"card\":{}}}}");
	assert_true(driver_sees(d, "1 new ↑"));
	assert_int_equal(driver_find(d, "▸ ! Invoice"), row);
	assert_int_equal(driver_find(d, "Urgent"), -1);
	/* decided elsewhere: shown in place, by whom */
	driver_tell(d, "{\"items\":{\"" PROPOSAL "\":{\"state\":\"approved\",\"by\":\"operator:anna\"}}}");
	assert_true(driver_sees(d, "approved by anna"));
	assert_int_equal(driver_find(d, "▸ ! Invoice"), row);
	driver_keys(d, "g");
	assert_true(driver_sees(d, "Urgent"));
	assert_true(driver_sees(d, "▸ ! Invoice"));
	(void)driver_stop(d);
}

/* 3 */
static void an_argument_is_never_cut(void **state)
{
	driver *d;
	CS_AUTOBUF cs_buf model = { 0 }, seen = { 0 };
	char word[16];

	(void)state;
	cs_buf_init(&model, 1u << 20);
	cs_buf_init(&seen, 1u << 20);
	(void)cs_buf_adds(&model, "{\"status\":{\"workspace\":\"w\",\"mode\":\"live\"},\"items\":{\"A\":{\"id\":\"A\",\"kind\":\"approval\",\"title\":\"long\",\"state\":\"pending\",\"digest\":\"d\",\"allow\":[\"accept\"],\"value\":{\"hidden\":\"last0\",\"args\":[\"x0\",{\"deep\":\"last1\"}]},\"card\":{\"undo\":\"30 s\",\"fields\":[{\"label\":\"All\",\"value\":\"");
	for (int i = 0; i < 400; i++)
		(void)cs_buf_addf(&model, "w%03d ", i);
	(void)cs_buf_adds(&model, "\"}]}}},\"runs\":[],\"traces\":{}}");
	d = driver_console(20, 45, cs_buf_str(&model), NULL);
	assert_true(driver_sees(d, "long"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "w000"));
	driver_settle(d);              /* the whole frame, not its beginning */
	for (int page = 0; page < 40; page++) {
		CS_AUTOFREE char *screen = driver_screen(d);
		bool more = strstr(screen, "more line") != NULL;

		(void)cs_buf_adds(&seen, screen);
		if (!more)
			break;
		driver_keys(d, "\033[6~");
		driver_settle(d);
	}
	for (int i = 0; i < 400; i++) {
		(void)snprintf(word, sizeof(word), "w%03d", i);
		if (!strstr(cs_buf_str(&seen), word))
			fail_msg("%s was never shown in\n%s", word, cs_buf_str(&seen));
	}
	/* what no field of the card says is sent too, so it is shown too */
	assert_non_null(strstr(cs_buf_str(&seen), "last0"));
	assert_non_null(strstr(cs_buf_str(&seen), "last1"));
	(void)driver_stop(d);
}

/* True when no code point of RAW, outside of our own sequences, acts on a terminal. */
static bool raw_is_clean(const char *raw, size_t len)
{
	static const char *const bad[] = { "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7",
		"\xe2\x80\x8b", "\xe2\x80\x8f", "\xef\xbb\xbf", "\033]", "\033P", "\033_", "\033^", "\a" };

	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		if (memmem(raw, len, bad[i], strlen(bad[i]))) {
			(void)fprintf(stderr, "hostile sequence %zu reached the terminal\n", i);
			return false;
		}
	for (size_t i = 0; i + 1 < len; i++)
		if ((unsigned char)raw[i] == 0xc2 && (unsigned char)raw[i + 1] < 0xa0)
			return false;
	return true;
}

/* 4 */
static void text_from_outside_never_acts_on_the_terminal(void **state)
{
	static const char model[] = "{\"status\":{\"workspace\":\"w\\u001b[31m\",\"mode\":\"live\"},\"items\":{\"A\":{\"id\":\"A\",\"kind\":\"approval\",\"state\":\"pending\",\"digest\":\"d\",\"allow\":[\"accept\"],"
		"\"title\":\"pay \\u202Eevil\\u202C \\u001b]0;pwn\\u0007 \\u009b2J \\u200bx\",\"flow\":\"f\\u001b[2J\",\"card\":{\"undo\":\"30 s\",\"body\":\"one\\u001b[5;5Htwo\\rthree\\u0008\\u0007\",\"fields\":[{\"label\":\"L\\u001bc\",\"value\":\"v\\u2066w\"}]}}},\"runs\":[],\"traces\":{}}";
	driver *d = driver_console(24, 80, model, NULL);
	const char *raw;
	size_t len;

	(void)state;
	assert_true(driver_sees(d, "‹U+202E›"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "‹U+001B›[5;5Htwo"));
	assert_true(driver_sees(d, "‹U+2066›"));
	raw = driver_raw(d, &len);
	assert_true(raw_is_clean(raw, len));
	(void)driver_stop(d);
}

static void naughty_strings_are_only_shown(void **state)
{
	CS_AUTOFREE char *path = data_path_or_skip("suites", "naughty-strings/blns.json"), *model = NULL;
	CS_AUTOJSON json_t *strings = json_load_file(path, 0, NULL), *m = NULL;
	driver *d;
	const char *raw;
	size_t len, i;
	json_t *s, *fields = json_array();

	(void)state;
	assert_non_null(strings);
	json_array_foreach(strings, i, s)
		(void)json_array_append_new(fields, json_pack("{s:s, s:O}", "label", "s", "value", s));
	m = json_pack("{s:{s:s, s:s}, s:{s:{s:s, s:s, s:s, s:s, s:s, s:[s], s:{s:s, s:o}}}, s:[], s:{}}", "status", "workspace", "w", "mode", "live",
		      "items", "A", "id", "A", "kind", "approval", "title", "all of them", "state", "pending", "digest", "d", "allow", "accept",
		      "card", "undo", "30 s", "fields", fields, "runs", "traces");
	assert_non_null(m);
	model = json_dumps(m, 0);
	d = driver_console(60, 120, model, NULL);
	assert_true(driver_sees(d, "all of them"));
	driver_keys(d, "\r");
	for (int page = 0; page < 60; page++) {
		driver_keys(d, "\033[6~");
		driver_settle(d);
	}
	assert_true(driver_loses(d, "more line"));
	raw = driver_raw(d, &len);
	assert_true(raw_is_clean(raw, len));
	(void)driver_stop(d);
}

/* 5 */
static void simulated_is_written_everywhere_without_colour(void **state)
{
	static const char *const mono[] = { "NO_COLOR=1", NULL };
	driver *d = driver_console(24, 80, NULL, mono);

	(void)state;
	assert_true(driver_sees(d, "agency  SIMULATED"));
	driver_settle(d);
	{
		CS_AUTOFREE char *row = driver_row(d, 1), *real = driver_row(d, 2);

		assert_non_null(strstr(row, "SIMULATED"));
		assert_null(strstr(real, "SIM"));   /* and only where it is true */
	}
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "SIMULATED: nothing leaves this machine"));
	driver_keys(d, "t");
	assert_true(driver_sees(d, "SIMULATED consulting-order"));
	assert_true(driver_sees(d, "SIM "));
	driver_keys(d, "f");
	assert_true(driver_sees(d, "REPLAY: a shadow run"));
	driver_keys(d, "s");
	assert_true(driver_sees(d, "Replayed"));
	assert_true(driver_sees(d, "REPLAY "));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "↻ "));
	assert_true(driver_sees(d, "REPLAY"));
	assert_true(driver_sees(d, "10m  SIMULATED"));
	assert_false(driver_coloured(d));
	(void)driver_stop(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enter_space_and_pasted_text_never_decide),
		cmocka_unit_test(a_decision_key_arms_400_ms_after_the_card_was_drawn),
		cmocka_unit_test(without_its_card_nothing_is_decided),
		cmocka_unit_test(a_card_that_changes_arms_anew_and_sends_the_digest_it_shows),
		cmocka_unit_test(a_typed_word_is_typed_and_stays_bound_to_what_was_shown),
		cmocka_unit_test(an_arrival_never_takes_the_focus),
		cmocka_unit_test(a_decision_chosen_by_enter_in_the_palette_asks_for_its_name),
		cmocka_unit_test(a_list_never_moves_under_the_cursor),
		cmocka_unit_test(an_argument_is_never_cut),
		cmocka_unit_test(text_from_outside_never_acts_on_the_terminal),
		cmocka_unit_test(naughty_strings_are_only_shown),
		cmocka_unit_test(simulated_is_written_everywhere_without_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
