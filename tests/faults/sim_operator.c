/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator of a simulation: looks into the inbox and at the runs, and does something, be it
 * sensible or not. What is refused is refused. */
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "tests/faults/sim_site.h"
#include "tests/faults/simulation.h"

/* One of a table of words. */
#define ONE_OF(s, words) ((words)[sim_draw(&(s)->chance, CS_ARRAY_LEN(words))])

static const json_t *any_of(simulation *s, const json_t *rows)
{
	size_t n = json_array_size(rows);
	return n > 0 ? json_array_get(rows, (size_t)sim_draw(&s->chance, n)) : NULL;
}

/* ---- items ------------------------------------------------------------------------------------------------ */

/* What the outside would say, asked, or what comes to mind. */
static const char *how_of(simulation *s, const json_t *item)
{
	static const char *const hows[] = { "happened", "did-not", "repeat" };
	CS_AUTOJSON json_t *rows = sim_rows(s, "SELECT key FROM attempt WHERE run = ?1 AND state = 'in-doubt' ORDER BY seq", cs_json_str_or(item, "run", ""));
	const char *key = cs_json_str(json_array_get(rows, 0), "key");
	if (key == NULL || json_array_size(rows) > 1 || sim_one_in(&s->chance, 3))
		return ONE_OF(s, hows);
	return sim_net_happened(&s->net, key) ? "happened" : "did-not";
}

static json_t *answer_of(simulation *s, const json_t *item)
{
	static const char *const verbs[] = { "approve", "approve", "approve", "approve", "reject", "edit", "snooze", "delegate", "undo", "respond" };
	const char *kind = cs_json_str_or(item, "kind", "");
	if (strcmp(kind, "in-doubt") == 0)
		return json_pack("{s:s, s:s, s:s, s:{s:b, s:i}}", "verb", "resolve", "how", how_of(s, item), "word", "repeat", "value", "ok", 1, "v", 1);
	if (strcmp(kind, "approval") != 0)
		return json_pack("{s:s}", "verb", "dismiss");
	const char *verb = ONE_OF(s, verbs);
	json_t *d = json_pack("{s:s, s:s}", "verb", verb, "to", "ann");
	if (sim_one_in(&s->chance, 2))
		json_object_set(d, "digest", json_object_get(item, "digest"));
	else if (sim_one_in(&s->chance, 10))
		json_object_set_new(d, "digest", json_string("of something else"));
	if (strcmp(verb, "edit") == 0)
		json_object_set_new(d, "value", json_pack("{s:I, s:s}", "n", (json_int_t)sim_draw(&s->chance, 8), "text", "edited"));
	if (strcmp(verb, "snooze") == 0)
		json_object_set_new(d, "until", json_integer(sim_time_ms() + (json_int_t)sim_draw(&s->chance, 5000)));
	return d;
}

/* A stuck run is in the inbox until somebody has done something about it. */
static bool may_dismiss(simulation *s, const json_t *item)
{
	CS_AUTOJSON json_t *rows = sim_rows(s, "SELECT state FROM run WHERE id = ?1", cs_json_str_or(item, "run", ""));
	return strcmp(cs_json_str_or(json_array_get(rows, 0), "state", ""), "stuck") != 0;
}

void sim_decide(simulation *s)
{
	CS_AUTOJSON json_t *items = sim_rows(s, "SELECT id, kind, run, digest FROM item WHERE state IN ('pending', 'open', 'approved', 'rejected', 'answered')"
					     " ORDER BY id", NULL);
	const json_t *item = any_of(s, items);
	if (item == NULL)
		return;
	json_t *d = answer_of(s, item);
	if (strcmp(cs_json_str(d, "verb"), "dismiss") == 0 && !may_dismiss(s, item)) {
		json_decref(d);
		return;
	}
	s->decisions++;
	sim_ask(s, json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", cs_json_str(item, "id"), "decision", d));
}

/* ---- runs -------------------------------------------------------------------------------------------------- */

void sim_begin_run(simulation *s)
{
	char flow[16], key[16];
	snprintf(flow, sizeof flow, "f%d", (int)sim_draw(&s->chance, SIM_FLOWS));
	json_t *req = json_pack("{s:s, s:s, s:{s:I, s:[i,i,i]}}", "cmd", "run", "flow", flow, "input", "n", (json_int_t)sim_draw(&s->chance, 4),
				"l", 1, 2, 3);
	if (sim_one_in(&s->chance, 4)) {
		snprintf(key, sizeof key, "k%d", (int)sim_draw(&s->chance, 5));
		json_object_set_new(req, "key", json_string(key));
	}
	s->started++;
	sim_ask(s, req);
}

void sim_control(simulation *s)
{
	static const char *const verbs[] = { "pause", "pause", "resume", "resume", "cancel", "retry", "retry", "rollback", "waive" };
	CS_AUTOJSON json_t *rows = sim_rows(s, "SELECT id, state FROM run ORDER BY id", NULL);
	const json_t *run = any_of(s, rows);
	const char *state = cs_json_str_or(run, "state", "");
	if (run == NULL)
		return;
	static const struct {
		const char *state, *verb;
	} likely[] = {
		{ "paused", "resume" }, { "faulted", "retry" }, { "faulted", "rollback" }, { "completed", "rollback" }, { "stuck", "retry" }, { "stuck", "waive" },
	};
	const char *verb = ONE_OF(s, verbs);
	for (size_t i = 0; i < CS_ARRAY_LEN(likely); i++)
		if (strcmp(likely[i].state, state) == 0 && sim_one_in(&s->chance, 2))
			verb = likely[i].verb;
	json_t *req = json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", cs_json_str(run, "id"), "verb", verb, "why", "so it came to mind");
	sim_ask(s, req);
}

/* Takes the definition of today, changes what it has not used, or is played again. */
void sim_change_run(simulation *s)
{
	static const char *const places[] = { "input", "with", "context" };
	bool open = sim_one_in(&s->chance, 2);
	CS_AUTOJSON json_t *rows = sim_rows(s, open ? "SELECT id FROM run WHERE state IN ('waiting', 'paused', 'faulted') ORDER BY id" :
					    "SELECT id FROM run ORDER BY id", NULL);
	const char *run = cs_json_str(any_of(s, rows), "id");
	if (run == NULL)
		return;
	switch (sim_draw(&s->chance, 3)) {
	case 0:
		sim_ask(s, json_pack("{s:s, s:s, s:s}", "cmd", "adopt", "run", run, "why", "the new one"));
		break;
	case 1:
		sim_ask(s, json_pack("{s:s, s:s, s:[{s:s, s:s, s:i}], s:s, s:b}", "cmd", "correct", "run", run, "set", "in", ONE_OF(s, places),
				     "path", "x", "value", (int)sim_draw(&s->chance, 9), "why", "it was wrong", "retry", (int)sim_draw(&s->chance, 2)));
		break;
	default:
		sim_ask(s, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
		break;
	}
}

/* ---- the engine --------------------------------------------------------------------------------------------- */

void sim_hold(simulation *s)
{
	bool on = !s->net.held && sim_one_in(&s->chance, 3);
	if (!on)                     /* from here on something may leave, whatever the answer */
		s->net.held = false;
	CS_AUTOJSON json_t *reply = sim_answer(s, json_pack("{s:s, s:b}", "cmd", "hold", "on", (int)on));
	if (on && json_object_get(reply, "ok") != NULL)
		s->net.held = true;
}

void sim_connector(simulation *s)
{
	static const char *const modes[] = { "live", "live", "live", "live", "live", "hold", "dry", "off" };
	const char *mode = ONE_OF(s, modes);
	bool shut = strcmp(mode, "dry") == 0 || strcmp(mode, "off") == 0;
	if (!shut)
		s->net.off = false;
	CS_AUTOJSON json_t *reply = sim_answer(s, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", "out", "mode", mode));
	if (shut && json_object_get(reply, "ok") != NULL)
		s->net.off = true;
}

void sim_reload(simulation *s)
{
	if (sim_percent(&s->chance, 70))
		sim_site_change(SIM_DIR, &s->chance);
	sim_ask(s, json_pack("{s:s}", "cmd", "reload"));
}

void sim_emit(simulation *s)
{
	char id[24];
	const char *type = sim_one_in(&s->chance, 2) ? "x.go" : "x.y";
	snprintf(id, sizeof id, "e%d", (int)sim_draw(&s->chance, 40));
	sim_ask(s, json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:i, s:s}}}", "cmd", "emit", "event", "type", type, "source", "https://x.example", "id", id,
			     "data", "n", (int)sim_draw(&s->chance, 4), "id", id));
}
