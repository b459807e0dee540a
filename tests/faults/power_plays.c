/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/power_plays.h"

#include <string.h>
#include "base/json.h"

#define FLOW(name, body) "document: { dsl: '1.0.3', namespace: power, name: " name ", version: '1.0.0' }\ndo:\n" body
#define CALL(name, operation, what) \
	"  - " name ": { call: out." operation ", with: { what: " what ", at: " name ", n: '${ $start.n }' } }\n"
#define SET(name) "  - " name ": { set: { " name ": '${ $start.n }' } }\n"
#define POST(path) "    request: { method: POST, path: " path ", as: json, body: '${ . }' }\n"
#define INPUT "    input: { type: object }\n"
#define KEYED "    effect: keyed\n    keyed: { header: Idempotency-Key, window: PT24H }\n    retry: { attempts: 5, delay: PT0.5S }\n" INPUT

const power_file power_files[] = {
	{ "capstan.yaml", "workspace: power\nmode: live\noperator: { name: tester, timezone: UTC }\napprovals: { grace: PT0S }\n"
			  "flows: { undo: { on-fault: compensate } }\n" },
	{ "connectors/out.yaml",
	  "connector: out\nkind: http\nurl: https://out.example.com\nidentity: me@example.com\nmode: live\noperations:\n"
	  "  put:\n    effect: unsafe\n" INPUT POST("/put") "    reverse: none\n"
	  "  ask:\n    effect: unsafe\n" INPUT POST("/ask") "    reverse: none\n"
	  "  set:\n" KEYED POST("/set") "    reverse: none\n"
	  "  order:\n" KEYED POST("/order") "    reverse: { call: out.void, with: { id: '${ .result.id }', at: '${ .input.at }', n: '${ .input.n }' } }\n"
	  "  void:\n" KEYED POST("/void") "    reverse: none\n" },
	{ "policies/allow.yaml", "policy: allow\nrules:\n  - { name: ask, when: { call: out.ask }, then: ask }\n"
				 "  - { name: rest, when: { call: 'out.*' }, then: allow }\n" },
	{ "flows/gate.yaml", FLOW("gate", CALL("a", "ask", "ok") SET("b") CALL("c", "ask", "ok")) },
	{ "flows/unsafe.yaml", FLOW("unsafe", CALL("a", "put", "ok") CALL("b", "put", "ok") CALL("c", "put", "ok")) },
	{ "flows/doubt.yaml", FLOW("doubt", CALL("a", "put", "cut") SET("b") CALL("c", "put", "ok")) },
	{ "flows/keyed.yaml", FLOW("keyed", CALL("a", "set", "ok") CALL("b", "set", "later") CALL("c", "set", "ok")) },
	{ "flows/undo.yaml", FLOW("undo", CALL("a", "order", "ok") CALL("b", "order", "later") CALL("c", "put", "ok") CALL("d", "put", "no")) },
	{ "flows/wait.yaml", FLOW("wait", SET("a") "  - b: { wait: PT1H }\n" CALL("c", "put", "ok") "  - d: { wait: PT5S }\n" SET("e")) },
	{ "flows/listen.yaml", FLOW("listen", "  - a: { listen: { to: { one: { with: { type: power.go } } } } }\n" CALL("b", "put", "ok")) },
	{ "flows/small.yaml", FLOW("small", SET("a") SET("b") SET("c") SET("d")) },
	{ "flows/mixed.yaml", FLOW("mixed", SET("a") CALL("b", "set", "ok") SET("c") CALL("d", "put", "ok")) },
	{ "flows/long.yaml", FLOW("long", "  - a: { for: { each: x, in: '${ $start.list }' }, do: [ { b: { set: { x: '${ $x }' } } } ] }\n"
					  CALL("c", "put", "ok")) },
	{ NULL, NULL },
};

static bool some(site *s, const char *flow, int n)
{
	for (int i = 0; i < n; i++)
		if (!site_run(s, flow, i, 0))
			return false;
	return true;
}

static bool play_gates(site *s)
{
	return some(s, "gate", 4);
}

static bool play_unsafe(site *s)
{
	return some(s, "unsafe", 3) && some(s, "doubt", 2);
}

static bool play_keyed(site *s)
{
	return some(s, "keyed", 4);
}

static bool play_undo(site *s)
{
	return some(s, "undo", 3);
}

static bool play_waits(site *s)
{
	if (!some(s, "wait", 2) || !some(s, "listen", 2) || !site_turn(s))
		return false;
	CS_AUTOJSON json_t *ok = site_ask(s, json_pack("{s:s, s:{s:s, s:s}}", "cmd", "emit", "event", "type", "power.go", "source", "/power"));
	return ok != NULL;
}

/* All of them are in the mailbox before the engine turns. */
static void ignore(void *ctx, json_t *reply)
{
	(void)ctx;
	json_decref(reply);
}

static bool play_many(site *s)
{
	for (int i = 0; i < 40; i++) {
		json_t *request = json_pack("{s:s, s:s, s:s, s:{s:i}}", "cmd", "run", "actor", "operator:tester", "flow", i % 8 == 0 ? "mixed" : "small",
					    "input", "n", i);
		if (cs_engine_send(s->engine, request, ignore, NULL, NULL) != CS_OK)
			return false;
	}
	return true;
}

/* The log's tail grows over what an idle writer takes into the database, more than once. */
static bool play_tail(site *s)
{
	for (int i = 0; i < 36; i++)
		if (!site_run(s, i % 6 == 0 ? "unsafe" : "small", i, i % 3 == 0 ? 20000 : 0) || !site_turn(s))
			return false;
	return true;
}

static bool play_restarts(site *s)
{
	for (int i = 0; i < 4; i++) {
		if (!site_run(s, i % 2 == 0 ? "gate" : "wait", i, 0) || !site_run(s, "unsafe", i, 0))
			return false;
		if (i % 2 == 0 && !site_turn(s))
			return false;
		site_stop(s);
		if (!site_start(s))
			return false;
	}
	return true;
}

/* More events than one signed checkpoint covers. */
static bool play_signed(site *s)
{
	CS_AUTOJSON json_t *list = json_array();
	for (int i = 0; i < 240; i++)
		json_array_append_new(list, json_integer(i));
	for (int i = 0; i < 5; i++) {
		CS_AUTOJSON json_t *ok = site_ask(s, json_pack("{s:s, s:s, s:{s:i, s:O}}", "cmd", "run", "flow", "long", "input", "n", i, "list", list));
		if (ok == NULL)
			return false;
	}
	return true;
}

static bool command(site *s, json_t *request)
{
	CS_AUTOJSON json_t *ok = site_ask(s, request);
	return ok != NULL;
}

/* The operator holds everything and lets go, pauses, resumes and cancels. */
static bool play_controls(site *s)
{
	static const char *const verbs[] = { "pause", "resume", "cancel" };
	if (!command(s, json_pack("{s:s, s:b, s:s}", "cmd", "hold", "on", 1, "why", "look")) || !some(s, "mixed", 3) || !site_turn(s) ||
	    !some(s, "wait", 2) || !site_turn(s))
		return false;
	CS_AUTOJSON json_t *rows = site_rows(s, "SELECT id FROM run WHERE name = 'wait' ORDER BY created_seq");
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++)
		if (!command(s, json_pack("{s:s, s:O, s:s, s:s}", "cmd", "control", "run", json_object_get(json_array_get(rows, i / 2), "id"), "verb",
					  verbs[i], "why", "test")))
			return false;
	return command(s, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0));
}

static const char *const mixed_verbs[] = { "approve", "edit", "approve", "reject", "approve", NULL };

const power_play power_plays[] = {
	{ "gates", mixed_verbs, play_gates },
	{ "unsafe", NULL, play_unsafe },
	{ "keyed", NULL, play_keyed },
	{ "undo", NULL, play_undo },
	{ "waits", NULL, play_waits },
	{ "many", NULL, play_many },
	{ "tail", NULL, play_tail },
	{ "restarts", NULL, play_restarts },
	{ "signed", NULL, play_signed },
	{ "controls", NULL, play_controls },
	{ NULL, NULL, NULL },
};

size_t power_plays_count(void)
{
	return CS_ARRAY_LEN(power_plays) - 1;
}

bool power_play_run(site *s, const power_play *p)
{
	s->verbs = p->verbs;
	return site_start(s) && command(s, json_pack("{s:s}", "cmd", "live")) && p->play(s) && site_operate(s);
}
