/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following a run until it rests, with what happens on stderr. */
#include <string.h>

#include "cli/cli_priv.h"

#define LOOK_MS 1000          /* between looks when nothing is heard */
#define LATE_MS 10000         /* a clock that is past for so long rings no more */
#define QUEUE_MS 200          /* by then a run has started, or waits for its turn */
#define STATE_SQL "SELECT state, last_seq FROM run WHERE id = ?1"
/* Clocks of a run that the tables know; the engine knows more of them (`settle`). */
#define DUE_SQL "SELECT min(at) AS due FROM (" \
	"SELECT grace_until AS at FROM item WHERE run = ?1 AND state IN ('approved','rejected','answered')" \
	" UNION ALL SELECT due FROM attempt AS a WHERE run = ?1 AND state = 'retry-wait'" \
	" AND NOT EXISTS (SELECT 1 FROM attempt AS later WHERE later.key = a.key AND later.n > a.n))"

/* When a `retry` of the flow tries again, where the run waits for a clock: it has no row of its own. */
#define FLOW_RETRY_SQL "SELECT max(json_extract(data, '$.due')) AS due FROM event WHERE run = ?1 AND type = 'task.caught'" \
	" AND instr(coalesce((SELECT json_extract(b.data, '$.on') FROM event AS b WHERE b.run = ?1 AND b.type = 'run.blocked'" \
	" ORDER BY b.seq DESC LIMIT 1), ''), '\"timer\"') > 0"

/* Runs that it awaits, or that those await, and that go on by themselves. */
#define BUSY_BELOW_SQL "WITH RECURSIVE below(id, state) AS (SELECT id, state FROM run WHERE parent = ?1 AND kind = 'sub'" \
	" UNION ALL SELECT r.id, r.state FROM run r JOIN below ON r.parent = below.id AND r.kind = 'sub')" \
	" SELECT 1 FROM below WHERE state = 'running' LIMIT 1"

/* Events that say something to a person who watches. */
static bool worth_saying(const char *type)
{
	static const char *const quiet[] = { "run.blocked", "run.unblocked", "timer.", "approval.consumed", "task.started" };
	for (size_t i = 0; i < CS_ARRAY_LEN(quiet); i++)
		if (strncmp(type, quiet[i], strlen(quiet[i])) == 0)
			return false;
	return true;
}

typedef struct progress {
	cs_cli *c;
	int64_t next;                /* first seq that was not looked at */
	int64_t later;               /* the clock that it rests for; 0: none */
	unsigned queued;             /* how often it was seen to be created */
	unsigned held;               /* how often in a row its clock was seen to be past, with nobody at it */
	bool quiet, many, said_clock;
	bool clocks;                 /* a retry of the flow is awaited here, whoever's engine makes it */
} progress;

static int say_event(void *ctx, const cs_event *ev)
{
	progress *p = ctx;
	p->next = ev->seq + 1;
	if (!worth_saying(ev->type))
		return 0;
	CS_AUTOJSON json_t *says = cs_view_says(ev);
	char at[CS_TIME_SIZE];
	cs_time_format(ev->at, at);
	fprintf(stderr, "%.8s %s%s\n", at + 11, ev->simulated ? _("[SIMULATED] ") : "", cs_cli_show_json(p->c, says, 0));
	return 0;
}

typedef struct looked {
	char state[32];
	int64_t due;                 /* wall ms; 0: none */
	bool busy_below;
} looked;

static int look_at_retry(progress *p, const char *run, looked *l, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int r = cs_cli_query(p->c, FLOW_RETRY_SQL, run, &rows, err);
	int64_t due = cs_json_int_or(json_array_get(rows, 0), "due", 0);
	if (due > cs_clock_wall_ms() - LATE_MS && (l->due == 0 || due < l->due))
		l->due = due;
	return r;
}

static int look(progress *p, const char *run, looked *ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *due = NULL;
	int r = p->quiet ? CS_OK : cs_reader_events(p->c->reader, run, p->next, INT64_MAX, say_event, p, err);
	if (r == CS_OK)
		r = cs_cli_query(p->c, STATE_SQL, run, &rows, err);
	if (r == CS_OK)
		r = cs_cli_query(p->c, DUE_SQL, run, &due, err);
	if (r < 0)
		return r;
	const json_t *row = json_array_get(rows, 0);
	(void)snprintf(ret->state, sizeof ret->state, "%s", cs_json_str_or(row, "state", "created"));
	ret->due = cs_json_int_or(json_array_get(due, 0), "due", 0);
	CS_AUTOJSON json_t *below = NULL;
	if (strcmp(ret->state, "waiting") == 0)
		r = cs_cli_query(p->c, BUSY_BELOW_SQL, run, &below, err);
	ret->busy_below = json_array_size(below) > 0;
	return r == CS_OK && p->clocks && strcmp(ret->state, "waiting") == 0 ? look_at_retry(p, run, ret, err) : r;
}

static bool one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* The next clock by the engine, which knows those of a flow's own retries too. *ret_held: that of the tables
 * is long past and the engine has nothing to do for it, so something else holds it. */
static int engine_due(cs_cli *c, int64_t *due, bool *ret_held, cs_err *err)
{
	CS_AUTOJSON json_t *ok = NULL;
	int r = cs_cli_call(c, json_pack("{s:s}", "cmd", "settle"), &ok, err);
	if (r < 0)
		return r;
	int64_t at = cs_json_int_or(ok, "due", 0);
	if (cs_json_true(ok, "busy"))
		at = cs_clock_wall_ms();
	int64_t now = cs_clock_wall_ms();
	*ret_held = *due > 0 && *due < now - LOOK_MS && (at == 0 || at > now);
	if (at > 0 && (*due == 0 || at < *due || *ret_held))
		*due = at;
	return CS_OK;
}

static void say_clock(progress *p, int64_t left)
{
	char text[32];
	if (p->quiet || p->said_clock || left < LOOK_MS)
		return;
	p->said_clock = true;
	cs_duration_show(left, text, sizeof text);
	fprintf(stderr, _("waiting %s for a clock (Ctrl-C leaves it to the next engine)\n"), text);
}

/* Beside an item that waits for the operator its expiry is no news. */
static void say_later(const progress *p, const json_t *run)
{
	char at[CS_TIME_SIZE];
	if (p->quiet || p->many || p->later == 0 || json_array_size(json_object_get(run, "items")) > 0)
		return;
	cs_time_format(p->later, at);
	fprintf(stderr, _("the next clock is due at %s; it fires when an engine runs then: `capstan serve`\n"), at);
}

/* It, or what it awaits, is at work. What is taken back may wait for a person too; our own engine, MINE,
 * tells when it does. */
static bool at_work(const looked *l, bool mine)
{
	bool may_rest = strcmp(l->state, "waiting") == 0 || strcmp(l->state, "created") == 0 ||
			(mine && strcmp(l->state, "compensating") == 0);
	return !may_rest || l->busy_below;
}

/* It may only be about to start, or the tables were read before the engine went on. */
static bool looks_again(progress *p, bool queued, bool held)
{
	p->queued = queued ? p->queued + 1 : p->queued;
	p->held = held ? p->held + 1 : 0;
	return (queued && p->queued == 1) || p->held == 1;
}

/* 1: no clock that is near; 0: *wait_ms is at most until it. */
static int awaits_clock(progress *p, const looked *l, bool held, int *wait_ms)
{
	int64_t left = l->due - cs_clock_wall_ms();
	if (l->due == 0 || (held && left < 0))
		return 1;
	if (left > CS_CLI_CLOCK_MS) {
		p->later = l->due;
		return 1;
	}
	say_clock(p, left);
	if (left < *wait_ms)
		*wait_ms = left > 10 ? (int)left : 10;
	return 0;
}

/* 1: it rests; 0: not yet, *wait_ms at most until the next look. */
static int rests(progress *p, looked *l, int *wait_ms, cs_err *err)
{
	static const char *const over[] = { "completed", "faulted", "cancelled", "compensated", "stuck", "paused", NULL };
	*wait_ms = LOOK_MS;
	if (one_of(l->state, over))
		return 1;
	bool held = false, mine = p->c->client && cs_client_is_engine(p->c->client);
	if (at_work(l, mine))
		return 0;
	int r = mine ? engine_due(p->c, &l->due, &held, err) : CS_OK;
	if (r < 0)
		return r;
	if (looks_again(p, strcmp(l->state, "created") == 0, held)) {
		*wait_ms = QUEUE_MS;
		return 0;
	}
	return awaits_clock(p, l, held, wait_ms);
}

int cs_cli_drive(cs_cli *c, const char *run, unsigned how, json_t **ret_run, cs_err *err)
{
	progress p = { .c = c, .next = 1, .quiet = (how & CS_DRIVE_QUIET) != 0, .clocks = (how & CS_DRIVE_CLOCKS) != 0,
		       .many = (how & CS_DRIVE_MANY) != 0 };
	int r = cs_cli_reader(c, err);
	if (r == CS_OK && (how & CS_DRIVE_NEWS))
		p.next = cs_reader_last_seq(c->reader) + 1;
	while (r == CS_OK) {
		looked l = { 0 };
		int wait_ms = LOOK_MS;
		r = look(&p, run, &l, err);
		if (r == CS_OK)
			r = rests(&p, &l, &wait_ms, err);
		if (r == 0)
			r = cs_cli_wait(c, wait_ms, err);
	}
	if (r < 0)
		return r;
	CS_AUTOJSON json_t *end = NULL;
	r = cs_view_run(c->reader, run, &end, err);
	if (r < 0)
		return r;
	say_later(&p, end);
	if (ret_run)
		*ret_run = CS_STEAL(end);
	return CS_OK;
}

/* ---- what it waits for ----------------------------------------------------------------------- */

static const struct { const char *kind, *call, *next; } next_steps[] = {
	{ "approval", "ask", N_("capstan respond %s --value JSON") },
	{ "approval", NULL, N_("capstan approve %s") },
	{ "in-doubt", NULL, N_("capstan resolve %s happened|did-not|repeat") },
	{ "notice", NULL, N_("capstan dismiss %s") },
	{ "disk", NULL, N_("capstan dismiss %s") },
	{ NULL, NULL, NULL },              /* the card says it */
};

static const char *step_of(const json_t *item)
{
	size_t i = 0;
	for (; next_steps[i].kind; i++)
		if (strcmp(next_steps[i].kind, cs_json_str_or(item, "kind", "")) == 0 &&
		    (!next_steps[i].call || strcmp(next_steps[i].call, cs_json_str_or(item, "call", "")) == 0))
			break;
	return next_steps[i].next;
}

bool cs_cli_all_held(cs_cli *c)
{
	CS_AUTOJSON json_t *status = NULL;
	return cs_cli_reader(c, NULL) == CS_OK && cs_view_status(c->reader, &status, NULL) == CS_OK && cs_json_true(status, "hold");
}

/* What comes next depends on what it was: not what would send once more is named first. */
static void say_faulted(cs_cli *c, const json_t *run)
{
	const char *id = cs_json_str_or(run, "run", ""), *step = "";
	CS_AUTOJSON json_t *item = NULL;
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(run, "items"), i, one)
		if (!item && strcmp(cs_json_str_or(one, "kind", ""), "fault") == 0 && cs_cli_reader(c, NULL) == CS_OK)
			(void)cs_view_item(c->reader, cs_json_str_or(one, "id", ""), &item, NULL);
	step = cs_json_str_or(item, "step", "retry");
	fprintf(stderr, _("faulted; what happened: capstan trace %s\n"), id);
	if (strcmp(step, "happened") == 0)
		fprintf(stderr, _("%s was answered, so it has happened: look there first; capstan retry %s --word repeat sends it once more\n"),
			cs_cli_show(c, cs_json_str_or(item, "happened", "")), id);
	else if (strcmp(step, "input") == 0)
		fputs(_("it cannot go on with this input; next: begin another run\n"), stderr);
	else if (strcmp(step, "correct") == 0)
		fprintf(stderr, _("next: capstan correct %s --set PATH=VALUE --retry; once the cause is mended: capstan retry %s\n"), id, id);
	else
		fprintf(stderr, _("once mended: capstan retry %s; to change what it was given: capstan correct %s\n"), id, id);
}

static void say_off(cs_cli *c, const char *names)
{
	CS_AUTOFREE char *which = cs_xstrdup(cs_cli_show(c, names));
	fprintf(stderr, _("%s sends nothing now; next: capstan connectors mode %s live\n"), which, strchr(which, ',') ? "NAME" : which);
}

void cs_cli_say_waiting(cs_cli *c, const json_t *run)
{
	const char *id = cs_json_str_or(run, "run", ""), *state = cs_json_str_or(run, "state", "");
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(run, "items"), i, item) {
		CS_AUTOFREE char *title = cs_xstrdup(cs_cli_show(c, cs_json_str_or(item, "title", "")));
		CS_AUTOFREE char *command = NULL;
		const char *item_id = cs_json_str_or(item, "id", ""), *step = step_of(item);
		fprintf(stderr, _("waits for you: %s\n  look: capstan inbox show %s\n"), title, item_id);
		if (!step)
			continue;
		/* The formats are the table's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		command = cs_xasprintf(step, item_id);
#pragma GCC diagnostic pop
		const char *word = cs_json_str(item, "confirm");
		CS_AUTOFREE char *confirmed = word ? cs_xasprintf("%s --word %s", command, word) : cs_xstrdup(command);
		fprintf(stderr, _("  then: %s\n"), cs_cli_show(c, confirmed));
	}
	json_array_foreach(json_object_get(run, "waits"), i, item)
		if (strcmp(cs_json_str_or(item, "for", ""), "off") == 0 && cs_json_str(item, "connector"))
			say_off(c, cs_json_str_or(item, "connector", ""));
	if (strcmp(state, "waiting") == 0 && cs_cli_all_held(c))
		fprintf(stderr, _("everything is held: nothing leaves until `capstan release`\n"));
	if (strcmp(state, "created") == 0)
		fprintf(stderr, _("queued: other runs of the flow are before it (one-at-a-time, concurrent); it starts when they end\n"));
	if (strcmp(state, "paused") == 0)
		fprintf(stderr, _("paused; next: capstan resume %s\n"), id);
	if (strcmp(state, "stuck") == 0)
		fprintf(stderr, _("stuck: something could not be taken back; next: capstan retry %s, or capstan waive %s --note WHY\n"), id, id);
	if (strcmp(state, "faulted") == 0)
		say_faulted(c, run);
}

int cs_cli_run_status(const json_t *run)
{
	static const char *const failed[] = { "faulted", "cancelled", "compensated", NULL };
	return one_of(cs_json_str_or(run, "state", ""), failed) ? CS_EXIT_FAILED : CS_EXIT_DONE;
}

int cs_cli_drive_on(cs_cli *c, const char *run)
{
	CS_AUTOJSON json_t *end = NULL;
	cs_err err = { 0 };
	if (!cs_client_is_engine(c->client))
		return CS_EXIT_DONE;
	int r = cs_cli_drive(c, run, CS_DRIVE_NEWS, &end, &err);
	if (r == CS_EAGAIN) {
		fprintf(stderr, _("left; it goes on when an engine runs. Look with: capstan show %s\n"), run);
		return CS_EXIT_DONE;
	}
	if (r < 0)
		return cs_cli_fail(c, run, &err);
	cs_cli_say_waiting(c, end);
	return CS_EXIT_DONE;
}
