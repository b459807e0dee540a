/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every pair of state and event of every machine: what is not an arrow of STATES.md is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "core/machine.h"

/* The arrows as the specification gives them: "state event state;" for each. */
static const struct {
	const cs_machine *m;
	const char *arrows;
} machines[] = {
	{ &cs_machine_run,
	  "created start running;created fault faulted;created cancel cancelled;running block waiting;waiting unblock running;"
	  "running pause pausing;running pause paused;waiting pause pausing;waiting pause paused;pausing settle paused;"
	  "pausing resume running;paused resume running;running complete completed;running fault faulted;"
	  "running cancel cancelling;running cancel cancelled;waiting cancel cancelling;waiting cancel cancelled;"
	  "pausing cancel cancelling;paused cancel cancelling;paused cancel cancelled;cancelling settle cancelled;"
	  "faulted retry running;" },
	{ &cs_machine_task,
	  "pending start running;pending complete completed;pending skip skipped;pending fault faulted;running complete completed;"
	  "running fault faulted;running catch running;running cancel cancelled;running wait waiting;waiting go-on running;"
	  "waiting cancel cancelled;waiting fault faulted;waiting complete completed;" },
	{ &cs_machine_attempt,
	  "planned dispatch intent;intent ok done;intent not-sent retry-wait;intent not-sent failed;intent rejected failed;"
	  "intent transient retry-wait;intent transient failed;intent ambiguous retry-wait;intent ambiguous in-doubt;"
	  "intent ambiguous failed;in-doubt happened done;in-doubt did-not failed;in-doubt repeat superseded;"
	  "retry-wait timer planned;retry-wait cancel failed;" },
	{ &cs_machine_approval,
	  "proposed publish pending;pending approve approved;pending reject rejected;pending respond answered;pending edit edited;"
	  "pending snooze pending;pending delegate pending;pending expire expired;pending withdraw withdrawn;pending void void;"
	  "approved undo pending;rejected undo pending;answered undo pending;approved consume consumed;approved expire expired;"
	  "approved withdraw withdrawn;approved void void;rejected settle settled;answered settle settled;"
	  "rejected withdraw withdrawn;answered withdraw withdrawn;" },
	{ &cs_machine_timer, "armed due fired;armed cancel cancelled;" },
};

static bool listed(const char *arrows, const char *state, const char *event, const char *to)
{
	CS_AUTOFREE char *arrow = cs_xasprintf(";%s %s %s%s", state, event, to, *to != '\0' ? ";" : "");
	CS_AUTOFREE char *whole = cs_xasprintf(";%s", arrows);
	return strstr(whole, arrow) != NULL;
}

static void walk_pair(const cs_machine *m, const char *arrows, const char *state, const char *event)
{
	cs_err err = { 0 };
	bool may = listed(arrows, state, event, "");
	if (cs_machine_allows(m, state, event) != may)
		fail_msg("%s: %s %s is %s", m->name, state, event, may ? "refused" : "allowed");
	for (const char *const *to = m->states; *to != NULL; to++)
		if (cs_machine_has(m, state, event, *to) != listed(arrows, state, event, *to))
			fail_msg("%s: %s %s does not lead to %s alone", m->name, state, event, *to);
	int rc = cs_machine_require(m, state, event, &err);
	assert_int_equal(rc, may ? CS_OK : CS_EREFUSED);
	if (!may)
		assert_non_null(strstr(err.msg, "illegal-transition"));
}

static void every_pair_is_an_arrow_or_refused(void **state)
{
	(void)state;
	size_t n = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(machines); i++) {
		const cs_machine *m = machines[i].m;
		assert_ptr_equal(cs_machines[i], m);
		for (const char *const *s = m->states; *s != NULL; s++)
			for (const char *const *e = m->events; *e != NULL; e++, n++)
				walk_pair(m, machines[i].arrows, *s, *e);
	}
	assert_null(cs_machines[CS_ARRAY_LEN(machines)]);
	assert_true(n > 300);
}

static void i15_only_the_operators_segment_leaves_a_terminal_state(void **state)
{
	(void)state;
	for (const char *const *s = cs_machine_run.states; *s != NULL; s++)
		for (const char *const *e = cs_machine_run.events; *e != NULL; e++)
			if (cs_run_state_terminal(*s) && cs_machine_allows(&cs_machine_run, *s, *e))
				assert_string_equal(*e, "retry");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_an_arrow_or_refused),
		cmocka_unit_test(i15_only_the_operators_segment_leaves_a_terminal_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
