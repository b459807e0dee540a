/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults stop: the outside answers, the disk holds, nothing is held. What is then neither over nor
 * in the inbox, though every clock of its own has been waited for, is lost (I18). */
#include <string.h>
#include "base/json.h"
#include "tests/faults/sim_disk.h"
#include "tests/faults/simulation.h"

enum { ROUNDS_MAX = 4000, TURNS_MAX = 400, EVENTS_MAX = 60 };

static void release(simulation *s)
{
	CS_AUTOJSON json_t *reply = sim_answer(s, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0));
	CS_AUTOJSON json_t *live = s->wrong ? NULL : sim_answer(s, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", "out", "mode", "live"));
	s->net.held = s->net.off = false;
	if ((json_object_get(reply, "ok") == NULL || json_object_get(live, "ok") == NULL) && !s->wrong)
		sim_wrong(s, "what was held cannot be released: %s", cs_json_str_or(json_object_get(reply, "error"), "message", "?"));
}

/* How many there were; what waits for an answer before it rests can be resumed only then. */
static size_t resume_all(simulation *s)
{
	CS_AUTOJSON json_t *rows = sim_rows(s, "SELECT id FROM run WHERE state IN ('paused', 'pausing') ORDER BY id", NULL);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		json_decref(sim_answer(s, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", cs_json_str(row, "id"), "verb", "resume")));
	return json_array_size(rows);
}

/* Until nothing goes on by itself at this time. */
static void turn_out(simulation *s)
{
	int n = 0;
	bool more = true;
	while (more && !s->wrong) {
		more = cs_engine_turn(s->engine);
		sim_look(s);
		while (sim_do_job(s) || sim_net_move(&s->net))
			more = true;
		if (++n > TURNS_MAX)
			sim_wrong(s, "I18: the engine does not come to rest, though nothing happens outside");
	}
}

/* The next clock: of a run, or of a reply on its way; 0: none. */
static int64_t next_clock(simulation *s)
{
	CS_AUTOJSON json_t *reply = sim_answer(s, json_pack("{s:s}", "cmd", "settle"));
	const json_t *ok = json_object_get(reply, "ok");
	int64_t run = cs_json_int_or(ok, "due", 0), net = sim_net_due(&s->net);
	if (cs_json_true(ok, "busy") && net == 0)
		sim_wrong(s, "I18: the engine says that something goes on, and nothing does");
	return run == 0 || (net > 0 && net < run) ? net : run;
}

/* Over, in the inbox, or behind a run that is: one that it started, or another of its
 * business key; or led along by one that is faulted, whose retry leads it on, or that is stuck itself. */
static const char lost_sql[] =
	"WITH RECURSIVE there(id) AS ("
	" SELECT run.id FROM run WHERE state NOT IN ('completed', 'faulted', 'cancelled', 'compensated')"
	"  AND EXISTS (SELECT 1 FROM item WHERE item.run = run.id AND item.state IN ('pending', 'open', 'approved', 'rejected', 'answered'))"
	" UNION SELECT e.run FROM event AS e JOIN item ON item.run = json_extract(e.data, '$.of') WHERE e.type = 'attempt.awaits'"
	"  AND item.run <> e.run AND item.state IN ('pending', 'open')"
	" UNION SELECT run.parent FROM run JOIN there ON run.id = there.id WHERE run.parent IS NOT NULL)"
	" SELECT id, flow, state FROM run WHERE state NOT IN ('completed', 'faulted', 'cancelled', 'compensated')"
	"  AND id NOT IN (SELECT id FROM there)"
	"  AND NOT (state = 'paused' AND EXISTS (SELECT 1 FROM run AS up WHERE up.id = run.parent AND up.state = 'faulted'))"
	"  AND NOT (state = 'stuck' AND EXISTS (SELECT 1 FROM run AS up JOIN there ON up.id = there.id WHERE up.id = run.parent AND up.state = 'stuck'))"
	"  AND NOT (state = 'created' AND EXISTS (SELECT 1 FROM run AS other JOIN there ON other.id = there.id WHERE other.flow = run.flow))"
	" ORDER BY id";

static bool somebody_listens(simulation *s)
{
	CS_AUTOJSON json_t *rows = sim_rows(s, lost_sql, NULL);
	return json_array_size(rows) > 0;
}

static void wait_out(simulation *s)
{
	for (int round = 0, events = 0; !s->wrong; round++) {
		turn_out(s);
		int64_t due = s->wrong ? 0 : next_clock(s);
		if (due == 0 && (s->wrong || events++ > EVENTS_MAX || !somebody_listens(s)))
			return;
		if (due == 0)
			sim_ask(s, json_pack("{s:s, s:{s:s, s:s, s:{s:i}}}", "cmd", "emit", "event", "type", "x.y", "source", "https://y.example",
					     "data", "n", events));
		else if (due > sim_time_ms())
			sim_time_pass(due - sim_time_ms());
		else
			sim_time_pass(1);
		if (round > ROUNDS_MAX)
			sim_wrong(s, "I18: there is no end to the clocks that runs wait for");
	}
}

static void look_for_lost(simulation *s)
{
	CS_AUTOJSON json_t *lost = sim_rows(s, lost_sql, NULL);
	const json_t *first = json_array_get(lost, 0);
	if (first != NULL)
		sim_wrong(s, "I18: run %s of %s is %s, and in no inbox", cs_json_str_or(first, "id", ""), cs_json_str_or(first, "flow", ""),
			  cs_json_str_or(first, "state", ""));
	CS_AUTOJSON json_t *doubts = sim_rows(s, "SELECT key, run FROM attempt AS a WHERE state = 'in-doubt' AND NOT EXISTS"
					      " (SELECT 1 FROM item WHERE item.run = a.run AND item.kind = 'in-doubt' AND item.state = 'open')", NULL);
	first = json_array_get(doubts, 0);
	if (first != NULL)
		sim_wrong(s, "I18: the key %.12s of run %s is in doubt, and nobody is asked", cs_json_str_or(first, "key", ""),
			  cs_json_str_or(first, "run", ""));
}

static void close_all(simulation *s)
{
	cs_verify_report report;
	cs_err err = { 0 };
	cs_reader *reader = NULL;
	cs_reader_close(s->reader);
	s->reader = NULL;
	cs_engine_drop(s->engine);
	s->engine = NULL;
	if (s->wrong)
		return;
	if (cs_reader_open(SIM_STATE, &reader, &err) != CS_OK || cs_store_verify(SIM_STATE, &report, &err) != CS_OK) {
		sim_wrong(s, "the log cannot be read: %s", err.msg);
		return;
	}
	invariants_at_rest(s->rules, reader, SIM_STATE, s->net.ledger);
	cs_reader_close(reader);
	const char *first = json_string_value(json_array_get(invariants_found(s->rules), 0));
	if (first != NULL)
		sim_wrong(s, "%s", first);
	memcpy(s->head, report.head, sizeof s->head);
	s->events = report.events;
}

void sim_rest(simulation *s)
{
	s->calm = s->net.calm = true;
	sim_crash(s, SIM_KILLED);
	sim_start(s);
	if (!s->wrong)
		release(s);
	if (!s->wrong)
		(void)resume_all(s);
	if (!s->wrong)
		wait_out(s);
	if (!s->wrong && resume_all(s) > 0)
		wait_out(s);
	if (!s->wrong)
		look_for_lost(s);
	close_all(s);
}
