/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console of the real program on a real workspace: what arrives, what is decided here and
 * elsewhere, and an engine that goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/id.h"
#include "base/mem.h"
#include "site.h"

#define LETTER "{\"to\":\"ada@example.com\",\"text\":\"Dear Ada\"}"

static int set_up(void **state)
{
	site *s = cs_xcalloc(1, sizeof(*s));

	site_new(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	site_free(*state);
	free(*state);
	return 0;
}

static void a_gate_goes_from_arrival_to_approval_to_completed(void **state)
{
	site *s = *state;
	driver *d = site_console(s, 30, 100);
	CS_AUTOFREE char *runs = NULL;

	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	assert_true(driver_sees(d, "Letter to ada@example.com"));
	assert_true(driver_sees(d, "Dear Ada"));
	assert_true(driver_sees(d, "kept"));                     /* what comes after */
	assert_true(driver_sees(d, "SIMULATED: nothing leaves"));
	driver_keys(d, "\r");                                    /* Enter and Space do not decide */
	driver_keys(d, " ");
	assert_true(driver_sees(d, "1 marked"));
	driver_keys(d, " ");
	assert_true(driver_loses(d, "1 marked"));
	assert_true(driver_sees(d, "a approve"));
	assert_true(driver_decide(d, "a", "Approved"));
	assert_true(driver_sees(d, "u undo"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "✓ completed"));
	assert_int_equal(SITE_RUN(s, &runs, "--json", "runs"), 0);
	assert_non_null(strstr(runs, "\"state\":\"completed\""));
	assert_non_null(strstr(runs, "\"stage\":\"sent\""));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	driver_keys(d, "1");
	assert_true(driver_sees(d, "1 new"));
	driver_keys(d, "J");
	assert_true(driver_sees(d, "1 of 1 like it were approved"));
	driver_keys(d, "Q");
	assert_true(driver_sees(d, "1 run goes on"));
	driver_keys(d, "n");
	assert_int_equal(driver_wait_exit(d), 0);
	(void)driver_stop(d);
}

static void an_undo_within_the_grace_sends_nothing(void **state)
{
	site *s = *state;
	driver *d;
	CS_AUTOFREE char *runs = NULL;

	site_file(s, "capstan.yaml", "workspace: site\nmode: simulate\noperator: { name: owner, timezone: UTC }\napprovals: { grace: PT20S }\n");
	d = site_console(s, 24, 100);
	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	assert_true(driver_sees(d, "Letter to"));
	assert_true(driver_decide(d, "a", "Approved"));
	driver_keys(d, "u");
	assert_true(driver_sees(d, "Taken back"));
	assert_int_equal(SITE_RUN(s, &runs, "--json", "runs"), 0);
	assert_non_null(strstr(runs, "\"state\":\"waiting\""));
	(void)driver_stop(d);
}

static void decided_elsewhere_is_shown_in_its_place(void **state)
{
	site *s = *state;
	driver *d = site_console(s, 24, 100);
	CS_AUTOFREE char *id = NULL;

	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	assert_true(driver_sees(d, "Letter to"));
	id = site_item(s);
	assert_int_equal(SITE_RUN(s, NULL, "reject", id, "--note", "not today"), 0);
	assert_true(driver_sees(d, "rejected by owner"));
	assert_true(driver_sees(d, "not today"));
	assert_int_equal(driver_find(d, "Letter to"), 1);        /* where it stood */
	(void)driver_stop(d);
}

static void an_engine_that_is_killed_leaves_a_screen_to_read_and_a_way_back(void **state)
{
	site *s = *state;
	pid_t serve = site_serve(s);
	driver *d = site_console(s, 24, 100);

	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(site_holder(s), serve);                 /* it attached */
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	assert_true(driver_sees(d, "Letter to"));
	site_end(serve, SIGKILL);
	assert_true(driver_sees(d, "The engine is gone"));
	assert_true(driver_sees(d, "NO ENGINE"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "letter"));                   /* what is there is still read */
	assert_true(driver_sees(d, "waiting"));
	driver_keys(d, "1");
	assert_true(driver_sees(d, "Dear Ada"));
	assert_true(driver_decide(d, "a", "Not done (approve)"));
	driver_keys(d, "E");
	assert_true(driver_sees(d, "There is an engine again"));
	assert_true(driver_loses(d, "NO ENGINE"));
	assert_true(driver_decide(d, "a", "Approved"));
	assert_int_equal(site_holder(s), driver_pid(d));
	(void)driver_stop(d);
}

static void leaving_hands_over_to_an_engine_in_the_background(void **state)
{
	site *s = *state;
	driver *d = site_console(s, 24, 100);
	CS_AUTOFREE char *id = NULL;
	pid_t after;

	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	assert_true(driver_sees(d, "Letter to"));
	driver_keys(d, "Q");
	assert_true(driver_sees(d, "1 run goes on"));
	driver_keys(d, "\033");
	assert_true(driver_sees(d, "Nothing was done"));         /* stays */
	driver_keys(d, "Q");
	assert_true(driver_sees(d, "1 run goes on"));
	driver_keys(d, "y");
	assert_int_equal(driver_wait_exit(d), 0);
	after = site_holder(s);
	assert_int_not_equal(after, 0);
	assert_int_not_equal(after, driver_pid(d));
	(void)driver_stop(d);
	d = site_console(s, 24, 100);                            /* attaches to it */
	assert_true(driver_sees(d, "Letter to"));
	id = site_item(s);
	assert_int_equal(site_holder(s), after);
	driver_keys(d, "Q");                                     /* not its engine: nothing to ask */
	assert_int_equal(driver_wait_exit(d), 0);
	(void)driver_stop(d);
	assert_int_equal(kill(after, SIGTERM), 0);
	for (int i = 0; i < 1000 && site_holder(s) == after; i++)
		(void)poll(NULL, 0, 20);
	assert_int_equal(site_holder(s), 0);
}

static void hostile_input_of_a_run_is_only_shown(void **state)
{
	static const char evil[] = "{\"title\":\"A\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u202eB\\u200bC\"}";
	site *s = *state;
	driver *d = site_console(s, 24, 100);
	const char *raw;
	size_t len;

	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "look", "--detach", "--input", evil), 0);
	assert_true(driver_sees(d, "A‹U+001B›]0;owned‹U+0007›"));
	assert_true(driver_sees(d, "U+202E"));
	driver_keys(d, "v");
	assert_true(driver_sees(d, "title"));
	driver_keys(d, "t");
	assert_true(driver_sees(d, "look  waiting"));
	raw = driver_raw(d, &len);
	assert_null(memmem(raw, len, "\033]0;owned", 9));
	assert_null(memmem(raw, len, "\xc2\x9b", 2));
	assert_null(memmem(raw, len, "\xe2\x80\xae", 3));
	assert_null(memmem(raw, len, "\xe2\x80\x8b", 3));
	(void)driver_stop(d);
}

static void faults_of_one_cause_are_one_row_and_retried_at_once(void **state)
{
	site *s = *state;
	driver *d;
	CS_AUTOFREE char *runs = NULL;
	char *run;

	for (int i = 0; i < 3; i++)
		assert_int_equal(SITE_RUN(s, NULL, "run", "broken"), 1);
	d = site_console(s, 24, 130);
	assert_true(driver_sees(d, "×3 broken faulted: Out of"));
	assert_true(driver_sees(d, "then retry (k)"));
	assert_true(driver_sees(d, "1 Inbox 1"));                /* a decision, whatever number of runs */
	assert_true(driver_decide(d, "k", "Retry all 3 runs? y, n:"));
	driver_keys(d, "k");                                     /* who meant to go up has sent nothing */
	assert_true(driver_sees(d, "One of the keys that the question names"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "Nothing was retried"));
	assert_true(driver_decide(d, "k", "Retry all 3 runs? y, n:"));
	driver_keys(d, "y");
	assert_true(driver_sees(d, "3 done"));
	assert_int_equal(SITE_RUN(s, &runs, "--json", "runs"), 0);
	assert_true(driver_sees(d, "retried by owner"));
	driver_keys(d, "g");
	assert_true(driver_sees(d, "×3 broken faulted: Out of"));
	run = strstr(runs, "\"run\":\"");
	assert_non_null(run);
	run = cs_xstrndup(run + strlen("\"run\":\""), CS_ID_SIZE - 1);
	assert_true(driver_decide(d, "k", "Retry all 3 runs? y, n:"));
	assert_int_equal(SITE_RUN(s, NULL, "retry", run), 0);    /* one of them goes on meanwhile: it alone drops out */
	free(run);
	driver_keys(d, "y");
	assert_true(driver_sees(d, "2 done, 1 refused"));
	driver_keys(d, "g");
	assert_true(driver_sees(d, "×3 broken faulted: Out of"));
	assert_true(driver_decide(d, "d", "3 done"));
	assert_true(driver_loses(d, "1 Inbox 1"));
	(void)driver_stop(d);
}

#define SUM "document: { dsl: '1.0.3', namespace: test, name: sum, version: '1.0.0' }\ndo:\n" \
	"  - first: { set: { n: one } }\n  - sum: { set: { total: '${ .n + 1 }' } }\n"

/* Twelve in small: understood, corrected and retried with one decision. */
static void a_fault_of_several_runs_is_corrected_and_retried_by_one_decision(void **state)
{
	static const char *const env[] = { "EDITOR=sed -i s/^input.n=.*/input.n=41/", "VISUAL=", NULL };
	site *s = *state;
	driver *d;
	CS_AUTOFREE char *runs = NULL;

	site_file(s, "flows/sum.yaml", SUM);
	for (int i = 0; i < 3; i++)
		assert_int_equal(SITE_RUN(s, NULL, "run", "sum"), 1);
	d = site_console_with(s, 30, 130, env);
	assert_true(driver_sees(d, "×3 sum faulted"));
	driver_keys(d, "K");
	assert_true(driver_sees(d, "The correction"));
	assert_true(driver_sees(d, "input n"));
	assert_true(driver_sees(d, "was     one"));
	assert_true(driver_sees(d, "of 3 runs of one cause"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "Nothing was corrected"));
	assert_true(driver_sees(d, "×3 sum faulted"));
	driver_keys(d, "K");
	assert_true(driver_sees(d, "Correct and retry?"));
	driver_keys(d, "y");
	assert_true(driver_sees(d, "3 done"));
	for (int i = 0; i < 100 && (!runs || strstr(runs, "faulted")); i++) {
		free(CS_STEAL(runs));
		assert_int_equal(SITE_RUN(s, &runs, "--json", "runs"), 0);
	}
	assert_null(strstr(runs, "faulted"));
	assert_non_null(strstr(runs, "{\"total\":42}"));
	(void)driver_stop(d);
}

/* The message line is never cut, and letters that go are no decisions. */
static void letters_go_up_and_down_and_what_cannot_be_is_said_whole(void **state)
{
	site *s = *state;
	driver *d;

	for (int i = 0; i < 2; i++)
		assert_int_equal(SITE_RUN(s, NULL, "run", "parcel"), 0);
	d = site_console(s, 20, 45);
	assert_true(driver_sees(d, "notice"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "completed"));
	driver_keys(d, "j");
	driver_keys(d, "K");
	assert_true(driver_sees(d, "correct-retry: only what waits, is paused or"));
	assert_true(driver_sees(d, "faulted is corrected (↑ goes up)"));
	assert_int_equal(driver_find(d, "▸"), 2);
	driver_keys(d, "G");
	driver_keys(d, "g");
	assert_true(driver_loses(d, "goes up"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "goes up"));
	assert_int_equal(driver_find(d, "▸"), 1);
	(void)driver_stop(d);
}

static void a_waiting_call_is_corrected_and_shown_anew(void **state)
{
	static const char *const env[] = { "EDITOR=sed -i s/^with.text=.*/with.text=Bye/", "VISUAL=", NULL };
	site *s = *state;
	driver *d;

	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	d = site_console_with(s, 30, 130, env);
	assert_true(driver_sees(d, "Dear Ada"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "letter"));
	assert_true(driver_sees(d, "Input       {"));            /* the card has what the rows are without */
	driver_keys(d, "K");
	assert_true(driver_sees(d, "asked about again"));
	assert_true(driver_sees(d, "Correct it?"));
	driver_keys(d, "y");
	assert_true(driver_sees(d, "Corrected; t shows the run"));
	driver_keys(d, "1");
	driver_keys(d, "gJ");
	assert_true(driver_sees(d, "Bye"));
	(void)driver_stop(d);
}

/* `k` on a run is "correct and retry"; what is left as it is, is retried when asked. */
static void k_on_a_faulted_run_corrects_and_retries(void **state)
{
	static const char *const env[] = { "EDITOR=sed -i s/^input.n=.*/input.n=41/", "VISUAL=", NULL };
	site *s = *state;
	driver *d;

	site_file(s, "flows/sum.yaml", SUM);
	assert_int_equal(SITE_RUN(s, NULL, "run", "sum"), 1);
	d = site_console_with(s, 24, 80, env);
	assert_true(driver_sees(d, "sum faulted"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "k correct-retry"));
	assert_int_equal(driver_find(d, "k retry"), -1);
	driver_keys(d, "k");
	assert_true(driver_sees(d, "The correction"));
	assert_true(driver_sees(d, "was     one"));
	assert_true(driver_sees(d, "Correct and retry?"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "Nothing was corrected"));
	driver_keys(d, "t");
	assert_true(driver_sees(d, "k correct-retry"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "Correct and retry?"));
	driver_keys(d, "y");
	assert_true(driver_sees(d, "Corrected, and going on"));
	assert_true(driver_sees(d, "completed"));
	(void)driver_stop(d);
}

static void k_on_a_run_left_as_it_is_asks_for_the_plain_retry(void **state)
{
	static const char *const env[] = { "EDITOR=true", "VISUAL=", NULL };
	site *s = *state;
	driver *d;

	site_file(s, "flows/sum.yaml", SUM);
	assert_int_equal(SITE_RUN(s, NULL, "run", "sum"), 1);
	d = site_console_with(s, 24, 80, env);
	assert_true(driver_sees(d, "sum faulted"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	driver_keys(d, "2");
	assert_true(driver_sees(d, "▸ … waiting"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "Nothing was changed: K takes it up again"));
	driver_keys(d, "p");
	assert_true(driver_sees(d, "P resume"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "Nothing was changed. Resume it as it is? y, n:"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "It stays paused"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "Nothing was changed. Resume it as it is? y, n:"));
	driver_keys(d, "y");
	assert_true(driver_sees(d, "Going on; p pauses it"));
	driver_keys(d, "j");
	assert_true(driver_sees(d, "▸ ✗ faulted"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "Retry what is not done? y, n:"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "Nothing was retried"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "Retry what is not done? y, n:"));
	driver_keys(d, "y");
	assert_true(driver_sees(d, "Retrying; t shows how it goes"));
	(void)driver_stop(d);
}

/* An effect that is answered, and then faults: each time that it is sent is a line of `sent`. */
static char *begin_answered(site *s)
{
	CS_AUTOFREE char *text = cs_xasprintf("document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }\ndo:\n"
					      "  - first: { set: { what: tea } }\n"
					      "  - order: { run: { shell: { command: 'echo sent >>%s/sent' } }, output: { schema: { document: { type: object, required: [ number ] } } } }\n", s->dir);
	CS_AUTOFREE char *out = NULL;

	site_file(s, "capstan.yaml", "workspace: site\nmode: live\noperator: { name: owner, timezone: UTC }\n");
	site_file(s, "policies/all.yaml", "policy: all\nrules: [ { name: all, when: { call: '*' }, then: allow } ]\n");
	site_file(s, "flows/order.yaml", text);
	assert_int_equal(SITE_RUN(s, NULL, "live"), 0);
	assert_int_equal(SITE_RUN(s, &out, "run", "order"), 1);
	out[strcspn(out, "\n")] = '\0';
	return CS_STEAL(out);
}

static size_t times_sent(const site *s)
{
	CS_AUTOFREE char *path = cs_path_join(s->dir, "sent");
	CS_AUTOBUF cs_buf text = { 0 };

	cs_buf_init(&text, 4096);
	return cs_file_read(path, &text, NULL) == CS_OK ? text.len / strlen("sent\n") : 0;
}

static void await_sent(const site *s, size_t n)
{
	for (int i = 0; i < 500 && times_sent(s) < n; i++)
		usleep(20000);
	assert_int_equal(times_sent(s), n);
}

static void k_says_first_what_has_happened_wherever_it_is_pressed(void **state)
{
	static const char *const env[] = { "EDITOR=true", "VISUAL=", NULL };
	site *s = *state;
	free(begin_answered(s));
	driver *d = site_console_with(s, 24, 110, env);

	assert_true(driver_sees(d, "order faulted"));
	assert_true(driver_decide(d, "k", "has happened: send it once more? y, n:"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "Nothing was retried"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "✗ faulted"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "has happened: send it once more? y, n:"));
	driver_keys(d, "n");
	assert_true(driver_sees(d, "Nothing was retried"));
	driver_keys(d, "t");
	assert_true(driver_sees(d, "k correct-retry"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "has happened: send it once more? y, n:"));
	assert_int_equal(times_sent(s), 1);
	driver_keys(d, "y");
	assert_true(driver_sees(d, "Retrying"));
	await_sent(s, 2);
	(void)driver_stop(d);
}

/* Asked about one fault, answered when there is another: nothing is sent. */
static void what_is_asked_of_one_fault_is_not_answered_of_the_next(void **state)
{
	static const char *const env[] = { "EDITOR=sed -i s/^input.what=.*/input.what=milk/", "VISUAL=", NULL };
	site *s = *state;
	CS_AUTOFREE char *run = begin_answered(s);
	driver *d = site_console_with(s, 24, 140, env);

	assert_true(driver_sees(d, "order faulted"));
	assert_true(driver_decide(d, "k", "has happened: send it once more? y, n:"));
	assert_int_equal(SITE_RUN(s, NULL, "retry", run, "--word", "repeat"), 0);
	await_sent(s, 2);
	driver_keys(d, "y");
	assert_true(driver_sees(d, "stale"));
	driver_keys(d, "2");
	assert_true(driver_sees(d, "✗ faulted"));
	driver_keys(d, "k");
	assert_true(driver_sees(d, "has happened: correct, send it once more? y, c corrects only, n:"));
	assert_int_equal(SITE_RUN(s, NULL, "correct", run, "--set", "what=coffee"), 0);
	driver_keys(d, "c");
	assert_true(driver_sees(d, "Not corrected: illegal-transition: stale"));
	assert_int_equal(times_sent(s), 2);
	(void)driver_stop(d);
}

static void notices_are_dismissed_approvals_put_off_runbooks_read(void **state)
{
	site *s = *state;
	driver *d = site_console(s, 24, 100);

	assert_true(driver_sees(d, "No approvals wait"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "parcel"), 0);
	assert_true(driver_sees(d, "Bring it before six"));
	assert_true(driver_decide(d, "d", "Dismissed"));
	assert_int_equal(SITE_RUN(s, NULL, "run", "letter", "--detach", "--input", LETTER), 0);
	assert_true(driver_sees(d, "1 new"));
	driver_keys(d, "J");
	assert_true(driver_sees(d, "Dear Ada"));
	driver_keys(d, "R");
	assert_true(driver_sees(d, "Read it aloud"));
	driver_keys(d, "\033");
	assert_true(driver_sees(d, "Dear Ada"));
	driver_keys(d, "s");
	assert_true(driver_sees(d, "Put off until"));
	assert_true(driver_type(d, "4h"));
	driver_keys(d, "\r");
	assert_true(driver_sees(d, "put off 3h59"));
	assert_true(driver_sees(d, "1 put off"));
	assert_int_equal(driver_find(d, "1 Inbox 1"), -1);
	(void)driver_stop(d);
}

static void where_it_cannot_be_it_says_what_to_do(void **state)
{
	site *s = *state;
	char *none[] = { getenv("CS_TEST_CAPSTAN"), (char *)(uintptr_t)"-C", (char *)(uintptr_t)"/", NULL };
	driver *d = driver_program(24, 80, none, NULL);

	assert_true(driver_sees(d, "capstan init DIR"));
	assert_int_equal(driver_wait_exit(d), 3);
	(void)driver_stop(d);
	d = site_console(s, 5, 25);
	assert_true(driver_sees(d, "make it 45x20"));
	driver_resize(d, 20, 45);
	assert_true(driver_sees(d, "No approvals wait"));
	(void)driver_stop(d);
}

int main(void)
{
#define REAL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		REAL(a_gate_goes_from_arrival_to_approval_to_completed),
		REAL(an_undo_within_the_grace_sends_nothing),
		REAL(decided_elsewhere_is_shown_in_its_place),
		REAL(an_engine_that_is_killed_leaves_a_screen_to_read_and_a_way_back),
		REAL(leaving_hands_over_to_an_engine_in_the_background),
		REAL(hostile_input_of_a_run_is_only_shown),
		REAL(faults_of_one_cause_are_one_row_and_retried_at_once),
		REAL(a_fault_of_several_runs_is_corrected_and_retried_by_one_decision),
		REAL(letters_go_up_and_down_and_what_cannot_be_is_said_whole),
		REAL(a_waiting_call_is_corrected_and_shown_anew),
		REAL(k_on_a_faulted_run_corrects_and_retries),
		REAL(k_on_a_run_left_as_it_is_asks_for_the_plain_retry),
		REAL(k_says_first_what_has_happened_wherever_it_is_pressed),
		REAL(what_is_asked_of_one_fault_is_not_answered_of_the_next),
		REAL(notices_are_dismissed_approvals_put_off_runbooks_read),
		REAL(where_it_cannot_be_it_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
