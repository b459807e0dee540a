/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console line by line: the same rules without a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/mem.h"
#include "fake_source.h"
#include "tui/console.h"

#define PROPOSAL "01JAAAAAAAAAAAAAAAAAAAPROP"
#define INVOICE "01JAAAAAAAAAAAAAAAAAAAINVO"

/* What the console answers to LINES, on MODEL or the little agency. Malloc'ed. */
static char *talk(const char *model, const char *lines)
{
	CS_AUTOFREE char *agency = model ? cs_xstrdup(model) : fake_source_agency();
	fake_source *f = fake_source_new(agency, -1);
	char *out = NULL;
	size_t size = 0;
	cs_console_opts opts = { .in = fmemopen((char *)lines, strlen(lines), "r"), .out = open_memstream(&out, &size) };
	cs_err err = { 0 };

	assert_int_equal(cs_console_plain(fake_source_face(f), &opts, &err), CS_OK);
	(void)fclose(opts.in);
	(void)fclose(opts.out);
	fake_source_free(f);
	return out;
}

static size_t count(const char *hay, const char *needle)
{
	size_t n = 0;

	for (const char *p = hay; (p = strstr(p, needle)) != NULL; p += strlen(needle))
		n++;
	return n;
}

static void what_was_not_shown_is_not_approved(void **state)
{
	CS_AUTOFREE char *out = talk(NULL, "approve " PROPOSAL "\n");
	CS_AUTOFREE char *twice = talk(NULL, "approve " PROPOSAL "\napprove " PROPOSAL "\nlist\n");

	(void)state;
	assert_non_null(strstr(out, "Nothing was decided"));
	assert_non_null(strstr(out, "three days of audit"));   /* it shows it instead */
	assert_null(strstr(out, "Approved"));
	assert_non_null(strstr(twice, "Approved"));
	assert_int_equal(count(twice, PROPOSAL "  Send"), 1);  /* no more in the second list */
}

static void a_confirmed_item_wants_its_word(void **state)
{
	CS_AUTOFREE char *without = talk(NULL, "show " INVOICE "\napprove " INVOICE "\n");
	CS_AUTOFREE char *with = talk(NULL, "show " INVOICE "\napprove " INVOICE " invoice\n");

	(void)state;
	assert_null(strstr(without, "Approved"));
	assert_non_null(strstr(without, "say approve " INVOICE " invoice"));
	assert_non_null(strstr(with, "Approved"));
}

static void it_says_simulated_and_shows_no_control_characters(void **state)
{
	static const char hostile[] = "{\"status\":{\"workspace\":\"w\",\"mode\":\"simulate\"},\"items\":{\"A\":{\"id\":\"A\",\"kind\":\"approval\",\"state\":\"pending\",\"digest\":\"d\",\"simulated\":true,\"allow\":[\"accept\"],\"title\":\"x\\u001b[2J\\u202Ey\",\"card\":{\"undo\":\"30 s\"}}}}";
	CS_AUTOFREE char *out = talk(hostile, "list\nshow A\nnonsense\n");

	(void)state;
	assert_null(strchr(out, '\033'));
	assert_null(strstr(out, "\xe2\x80\xae"));
	assert_non_null(strstr(out, "‹U+202E›"));
	assert_non_null(strstr(out, "w, SIMULATED"));
	assert_non_null(strstr(out, "approval, SIMULATED"));
	assert_non_null(strstr(out, "SIMULATED: nothing leaves"));
	assert_non_null(strstr(out, "help lists them"));
}

static void every_verb_answers(void **state)
{
	CS_AUTOFREE char *out = talk(NULL, "runs\ntrace 01J9AAAAAAAAAAAAAAAAAAAAK4\nwhy 33\ndiff a b\nreplay 01J9AAAAAAAAAAAAAAAAAAAAK4\n"
		"cancel 01J9AAAAAAAAAAAAAAAAAAAAK4\npause 01J9AAAAAAAAAAAAAAAAAAAAK4\nshow " PROPOSAL "\nsnooze " PROPOSAL " soon\nrunbook " PROPOSAL "\nundo nothing\nhelp\nquit\nlist\n");

	(void)state;
	assert_non_null(strstr(out, "client-onboarding"));
	assert_non_null(strstr(out, "lookup, faulted"));
	assert_non_null(strstr(out, "run.started"));
	assert_non_null(strstr(out, "Dear Grace"));
	assert_non_null(strstr(out, "nothing was sent"));
	assert_non_null(strstr(out, "say cancel RUN cancel"));
	assert_non_null(strstr(out, "Done. trace RUN"));
	assert_non_null(strstr(out, "no such item"));
	assert_non_null(strstr(out, "resolve ID HOW"));
	assert_non_null(strstr(out, "is no time"));
	assert_non_null(strstr(out, "No runbook is named"));
	assert_int_equal(count(out, "Send the proposal"), 2);   /* nothing is read after quit */
}

#define FAULT(id, cause) "\"" id "\":{\"id\":\"" id "\",\"kind\":\"fault\",\"state\":\"pending\",\"title\":\"bill faulted\",\"flow\":\"bill\",\"run\":\"R" id "\",\"cause\":\"" cause "\"}"

static void faults_of_one_cause_are_one_line_and_one_decision(void **state)
{
	static const char three[] = "{\"status\":{\"workspace\":\"w\"},\"items\":{" FAULT("A", "c") "," FAULT("B", "c") "," FAULT("C", "other") "}}";
	CS_AUTOFREE char *out = talk(three, "list\nshow A\ndismiss A\nretry B\n");

	(void)state;
	assert_non_null(strstr(out, "A  ×2 bill faulted, bill, fault"));
	assert_null(strstr(out, "B  bill faulted"));
	assert_non_null(strstr(out, "C  bill faulted, bill, fault"));
	assert_non_null(strstr(out, "×2: so many runs"));
	assert_int_equal(count(out, "Dismissed."), 2);
}

static void what_has_happened_is_sent_once_more_by_its_word_only(void **state)
{
	static const char one[] = "{\"status\":{\"workspace\":\"w\"},\"items\":{" FAULT("A", "c") "},\"runs\":[{\"run\":\"RA\",\"state\":\"faulted\","
				  "\"last_seq\":7,\"happened\":\"mail.send\"}]}";
	CS_AUTOFREE char *out = talk(one, "retry RA\nretry A\nretry RA yes\n");
	CS_AUTOFREE char *word = talk(one, "retry A repeat\n");

	(void)state;
	assert_int_equal(count(out, "mail.send was answered, so it has happened"), 3);
	assert_int_equal(count(out, "say retry RA repeat"), 3);
	assert_null(strstr(out, "Done. trace RUN"));
	assert_non_null(strstr(word, "Done. trace RUN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_shown_is_not_approved),
		cmocka_unit_test(a_confirmed_item_wants_its_word),
		cmocka_unit_test(it_says_simulated_and_shows_no_control_characters),
		cmocka_unit_test(every_verb_answers),
		cmocka_unit_test(faults_of_one_cause_are_one_line_and_one_decision),
		cmocka_unit_test(what_has_happened_is_sent_once_more_by_its_word_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
