/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs do is told, by the standard's names, to those that ask for it by name, once. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

#define HEAD "workspace: w\nmode: simulate\napprovals: { grace: PT0S }\n"
#define DOC(name) "document: { dsl: '1.0.3', namespace: t, name: " name ", version: '1.0.0' }\n"
#define GATE "do: [ { gate: { call: approve, with: { title: Go on } } } ]\n"
#define W "io.serverlessworkflow.workflow."
#define T "io.serverlessworkflow.task."

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	*state = w;
	return 0;
}

static void restart(world *w)
{
	world_stop(w);
	world_start(w);
	world_settle(w);
}

static char *run(world *w, const char *flow)
{
	char *id = world_run(w, flow, NULL, json_object());
	world_settle(w);
	return id;
}

static void control(world *w, const char *id, const char *verb)
{
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", id, "verb", verb)));
	world_settle(w);
}

static int entries(world *w, const char *where)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM event WHERE %s", where);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return (int)cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

/* What RUN has received, in order: the short names, and the task. */
static void assert_heard(world *w, const char *run, const char *want)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT data FROM event WHERE run = '%s' AND type = 'event.received' ORDER BY seq", run);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	CS_AUTOFREE char *got = cs_xstrdup("");
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		CS_AUTOJSON json_t *data = world_json(cs_json_str(row, "data"));
		const json_t *event = json_object_get(data, "event");
		const char *type = cs_json_str_or(event, "type", ""), *task = cs_json_str(json_object_get(event, "data"), "task");
		assert_memory_equal(type, "io.serverlessworkflow.", 22);
		char *more = cs_xasprintf("%s%s%.*s%s%s", got, i > 0 ? " " : "", (int)(strlen(type) - 25), type + 22, task != NULL ? ":" : "",
					  task != NULL ? task : "");
		free(got);
		got = more;
	}
	assert_string_equal(got, want);
}

/* The event that RUN received as the Nth. New reference. */
static json_t *heard(world *w, const char *run, int n)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT data FROM event WHERE run = '%s' AND type = 'event.received' ORDER BY seq LIMIT 1 OFFSET %d", run, n);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	CS_AUTOJSON json_t *data = world_json(cs_json_str_or(json_array_get(rows, 0), "data", "{}"));
	return json_incref(json_object_get(data, "event"));
}

static void new_world(world *w, const char *listens)
{
	world_new(w, HEAD);
	CS_AUTOFREE char *ear = cs_xasprintf(DOC("ear") "do: [ { l: { listen: { to: { any: [ %s ], until: '${ false }' } } } } ]\n", listens);
	world_file(w, "flows/ear.yaml", ear);
	world_file(w, "flows/set.yaml", DOC("set") "do: [ { keep: { set: { a: 1 } } }, { not: { if: '${ false }', set: { a: 2 } } } ]\n");
	world_file(w, "flows/gate.yaml", DOC("gate") GATE);
	world_file(w, "flows/bad.yaml", DOC("bad") "do: [ { no: { raise: { error: { type: 'https://x/y', status: 400, title: No } } } } ]\n");
	world_start(w);
}

static void test_a_run_hears_of_others_what_it_names_whole_and_once(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: " W "started.v1 } }, { with: { type: " W "completed.v1 } }, { with: { type: " T "completed.v1 } }");
	CS_AUTOJSON json_t *doc = world_json("{'document':{'dsl':'1.0.3','namespace':'t','name':'every','version':'1.0.0'},'do':[{'l':{'listen':{'to':{'any':[]}}}}]}");
	CS_AUTOFREE char *every = world_run(w, NULL, doc, json_object());
	json_decref(world_await(w, every, "waiting"));
	CS_AUTOFREE char *ear = run(w, "ear"), *set = run(w, "set");
	assert_heard(w, ear, "workflow.started task.completed:/do/0/keep workflow.completed");
	assert_int_equal(world_count(w, every, "event.received"), 0);
	CS_AUTOJSON json_t *first = heard(w, ear, 0), *last = heard(w, ear, 2);
	CS_AUTOFREE char *name = cs_xasprintf("set-%s.t", set);
	CS_AUTOJSON json_t *definition = world_json("{'name':'set','namespace':'t','version':'1.0.0'}");
	assert_string_equal(cs_json_str(json_object_get(first, "data"), "name"), name);
	assert_true(cs_json_equal(json_object_get(json_object_get(first, "data"), "definition"), definition));
	assert_non_null(cs_json_str(json_object_get(first, "data"), "startedAt"));
	assert_non_null(cs_json_str(json_object_get(last, "data"), "completedAt"));
	assert_string_equal(cs_json_str(first, "source"), "/t/set/1.0.0");
	assert_string_equal(cs_json_str(first, "subject"), set);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT e.cause, c.type FROM event e JOIN event c ON c.seq = e.cause WHERE e.run = '%s' AND e.type = 'event.received'"
					     " ORDER BY e.seq DESC", ear);
	CS_AUTOJSON json_t *cause = world_rows(w, sql);
	assert_string_equal(cs_json_str(json_array_get(cause, 0), "type"), "run.completed");
	restart(w);
	assert_int_equal(world_count(w, ear, "event.received"), 3);
	free(run(w, "set"));
	assert_int_equal(world_count(w, ear, "event.received"), 6);
}

/* Starts runs until it is killed; says through FD when the first is there. */
_Noreturn static void live_on(world *w, int fd)
{
	world_start(w);
	for (;;) {
		free(world_run(w, "set", NULL, json_object()));
		if (write(fd, "x", 1) != 1)
			_exit(1);
	}
}

static void live_and_die(world *w, int after_ms)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		live_on(w, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	nanosleep(&(struct timespec){ .tv_nsec = after_ms * 1000000L }, NULL);
	int status = 0;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(ends[0]);
}

static void test_killed_in_between_each_end_is_heard_once(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: " W "completed.v1 } }");
	CS_AUTOFREE char *ear = run(w, "ear");
	for (int i = 0; i < 6; i++) {
		world_stop(w);
		live_and_die(w, 3 * i + 1);
		world_start(w);
		world_settle(w);
	}
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT (SELECT count(*) FROM event WHERE type = 'run.completed') AS ended, count(*) AS heard,"
					      " count(DISTINCT json_extract(data, '$.event.id')) AS apart FROM event WHERE type = 'event.received'");
	const json_t *row = json_array_get(rows, 0);
	json_int_t ended = cs_json_int_or(row, "ended", -1);
	assert_true(ended >= 6);
	assert_int_equal(cs_json_int_or(row, "heard", 0), ended);
	assert_int_equal(cs_json_int_or(row, "apart", 0), ended);
	assert_int_equal(world_count(w, ear, "event.consumed"), ended);
}

static void test_what_nobody_names_leaves_nothing_in_the_log(void **state)
{
	world *w = *state;
	new_world(w, "");
	world_file(w, "flows/every.yaml", DOC("every") "schedule: { on: { any: [] } }\n" GATE);
	restart(w);
	CS_AUTOFREE char *ear = run(w, "ear"), *set = run(w, "set"), *gate = run(w, "gate");
	free(run(w, "bad"));
	control(w, gate, "cancel");
	assert_heard(w, ear, "");
	assert_int_equal(entries(w, "type IN ('event.received', 'event.emitted', 'start.received')"), 0);
	CS_AUTOFREE char *of_set = cs_xasprintf("run = '%s'", set);
	assert_int_equal(entries(w, of_set), 5);
}

static void test_every_kind_has_its_time(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: 'io[.]serverlessworkflow[.].*(?<!status-changed)[.]v1' } }");
	CS_AUTOFREE char *ear = run(w, "ear"), *gate = run(w, "gate");
	control(w, gate, "pause");
	control(w, gate, "resume");
	control(w, gate, "cancel");
	assert_heard(w, ear, "workflow.started task.created:/do/0/gate task.started:/do/0/gate task.suspended:/do/0/gate workflow.suspended"
		     " workflow.resumed task.resumed:/do/0/gate task.cancelled:/do/0/gate workflow.cancelled");
	control(w, ear, "cancel");
	CS_AUTOFREE char *other = run(w, "ear");
	free(run(w, "bad"));
	assert_heard(w, other, "workflow.started task.created:/do/0/no task.started:/do/0/no task.faulted:/do/0/no workflow.faulted");
	CS_AUTOJSON json_t *event = heard(w, other, 4);
	const json_t *error = json_object_get(json_object_get(event, "data"), "error");
	assert_string_equal(cs_json_str(error, "title"), "No");
	assert_int_equal(cs_json_int_or(error, "status", 0), 400);
	CS_AUTOJSON json_t *received = world_event(w, other, "event.received");
	assert_true(cs_json_true(received, "tainted"));      /* what an error says may come from anywhere */
}

static void test_listening_is_correlating(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: 'io[.]serverlessworkflow[.]workflow[.]correlation.*' } }");
	world_file(w, "flows/order.yaml", DOC("order") "do: [ { l: { listen: { to: { one: { with: { type: paid }, correlate: { id: { from: .data.id } } } } } } } ]\n");
	restart(w);
	CS_AUTOFREE char *ear = run(w, "ear");
	free(run(w, "order"));
	json_decref(world_ask(w, json_pack("{s:s, s:o}", "cmd", "emit", "event", world_json("{'type':'paid','data':{'id':7}}"))));
	world_settle(w);
	assert_heard(w, ear, "workflow.correlation-started workflow.correlation-completed");
	CS_AUTOJSON json_t *event = heard(w, ear, 1), *want = world_json("{'id':7}");
	assert_true(cs_json_equal(json_object_get(json_object_get(event, "data"), "correlationKeys"), want));
}

static void test_a_retry_is_told(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: " T "retried.v1 } }");
	world_file(w, "flows/again.yaml", DOC("again") "do: [ { t: { try: [ { no: { raise: { error: { type: x, status: 500, title: No } } } } ],"
		   " catch: { retry: { limit: { attempt: { count: 2 } } } } } } ]\n");
	restart(w);
	CS_AUTOFREE char *ear = run(w, "ear"), *again = run(w, "again");
	json_decref(world_await(w, again, "faulted completed"));
	world_settle(w);
	CS_AUTOJSON json_t *event = heard(w, ear, 0);
	assert_string_equal(cs_json_str(json_object_get(event, "data"), "task"), "/do/0/t");
}

static void test_the_status_is_told_to_those_that_ask(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: " W "status-changed.v1 } }");
	CS_AUTOFREE char *ear = run(w, "ear");
	free(run(w, "set"));
	static const char *const phases[] = { "pending", "running", "completed" };
	for (int i = 0; i < 3; i++) {
		CS_AUTOJSON json_t *event = heard(w, ear, i);
		assert_string_equal(cs_json_str(json_object_get(event, "data"), "status"), phases[i]);
	}
	assert_int_equal(world_count(w, ear, "event.received"), 3);
}

static void test_events_of_runs_start_runs_in_the_same_commit_over_restarts(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows:\n  by: { starts: [ { on: { type: " W "faulted.v1 }, with: '${ { which: .subject } }', once: '${ .id }' } ] }\n");
	world_file(w, "flows/by.yaml", DOC("by") "do: [ { keep: { set: { a: 1 } } } ]\n");
	world_file(w, "flows/on.yaml", DOC("on") "schedule: { on: { one: { with: { type: " W "faulted.v1 } } } }\ndo: [ { keep: { set: { a: 1 } } } ]\n");
	world_file(w, "flows/bad.yaml", DOC("bad") "do: [ { no: { raise: { error: { type: x, status: 400, title: No } } } } ]\n");
	world_start(w);
	free(run(w, "bad"));
	CS_AUTOJSON json_t *runs = world_rows(w, "SELECT id FROM run WHERE name IN ('by', 'on') AND state = 'completed'");
	assert_int_equal(json_array_size(runs), 2);
	restart(w);
	assert_int_equal(entries(w, "type = 'start.received'"), 2);
	assert_int_equal(entries(w, "type = 'run.created'"), 3);
	CS_AUTOJSON json_t *cause = world_rows(w, "SELECT c.type FROM event e JOIN event c ON c.seq = e.cause WHERE e.type = 'start.received'");
	assert_string_equal(cs_json_str(json_array_get(cause, 0), "type"), "run.faulted");
}

static void test_a_flow_that_its_own_end_starts_is_stopped(void **state)
{
	world *w = *state;
	world_new(w, HEAD);
	world_file(w, "flows/me.yaml", DOC("me") "schedule: { on: { one: { with: { type: " W "completed.v1 } } } }\ndo: [ { keep: { set: { a: 1 } } } ]\n");
	world_start(w);
	free(run(w, "me"));
	assert_int_equal(entries(w, "type = 'run.created'"), 101);
	assert_int_equal(entries(w, "type = 'start.ended' AND json_extract(data, '$.how') = 'refused'"), 1);
}

static void test_listeners_that_act_on_each_other_come_to_rest(void **state)
{
	world *w = *state;
	new_world(w, "");
	world_file(w, "flows/act.yaml", DOC("act") "do: [ { l: { listen: { to: { any: [ { with: { type: 'io[.]serverlessworkflow[.].*' } } ], until: '${ false }' } },"
		   " foreach: { do: [ { a: { set: { n: 1 } } } ] } } } ]\n");
	restart(w);
	CS_AUTOFREE char *a = run(w, "act"), *b = run(w, "act");
	free(run(w, "set"));
	world_settle(w);
	assert_true(world_count(w, a, "event.handled") > world_count(w, b, "event.handled"));
	assert_true(world_count(w, b, "event.handled") > 0);
	CS_AUTOFREE char *own = cs_xasprintf("run = '%s' AND type = 'event.received' AND json_extract(data, '$.event.subject') = '%s'", a, a);
	assert_int_equal(entries(w, own), 0);
}

static void test_a_replay_tells_nobody(void **state)
{
	world *w = *state;
	new_world(w, "{ with: { type: 'io[.]serverlessworkflow[.].*' } }");
	CS_AUTOFREE char *set = run(w, "set"), *ear = run(w, "ear");
	json_decref(world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", set)));
	world_settle(w);
	assert_int_equal(entries(w, "type = 'run.created'"), 3);
	assert_heard(w, ear, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down_verified)
		TEST(test_a_run_hears_of_others_what_it_names_whole_and_once),
		TEST(test_killed_in_between_each_end_is_heard_once),
		TEST(test_what_nobody_names_leaves_nothing_in_the_log),
		TEST(test_every_kind_has_its_time),
		TEST(test_listening_is_correlating),
		TEST(test_a_retry_is_told),
		TEST(test_the_status_is_told_to_those_that_ask),
		TEST(test_events_of_runs_start_runs_in_the_same_commit_over_restarts),
		TEST(test_a_flow_that_its_own_end_starts_is_stopped),
		TEST(test_listeners_that_act_on_each_other_come_to_rest),
		TEST(test_a_replay_tells_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
