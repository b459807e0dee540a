/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/acts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/invariants.h"

/* ---- for cmocka ---------------------------------------------------------------------------------- */

world *world_for(void **state, const char *text)
{
	world *w = calloc(1, sizeof *w);
	assert_non_null(w);
	world_new(w, text);
	*state = w;
	return w;
}

int world_set_up(void **state)
{
	world_start(world_for(state, NULL));
	return 0;
}

int world_tear_down(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

int world_tear_down_verified(void **state)
{
	world_verify(*state);
	return world_tear_down(state);
}

void world_finish(world *w)
{
	world_verify(w);
	world_stop(w);
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", w->dir, CS_STATE_DIR);
	CS_AUTOJSON json_t *broken = invariants_broken(dir, NULL);
	if (json_array_size(broken) > 0)
		fail_msg("%s", json_string_value(json_array_get(broken, 0)));
	world_free(w);
}

/* ---- its outside --------------------------------------------------------------------------------- */

void world_outside(world *w, int (*perform)(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err))
{
	static cs_performer performers[8];
	assert_true(w->opts.n_performers <= CS_ARRAY_LEN(performers));
	for (size_t i = 0; i < w->opts.n_performers; i++) {
		performers[i] = w->opts.performers[i];
		if (strcmp(performers[i].kind, "http") == 0)
			performers[i] = (cs_performer){ .kind = "http", .perform = perform };
	}
	w->opts.performers = performers;
}

void world_mail(world *w, int (*perform)(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err))
{
	world_file(w, "connectors/mail.yaml",
		   "connector: mail\nkind: http\nurl: https://mail.example.com\nidentity: me@example.com\nmode: live\noperations:\n"
		   "  send:\n    effect: unsafe\n    touches: [ message ]\n    input: { type: object }\n"
		   "    request: { method: POST, path: /send, as: json, body: '${ . }' }\n    reverse: none\n"
		   "  look: { effect: read, request: { method: GET, path: /look } }\n");
	world_file(w, "policies/allow.yaml", "policy: allow\nrules: [ { name: mail, when: { call: mail.send }, then: allow } ]\n");
	world_outside(w, perform);
}

/* ---- what happens in it -------------------------------------------------------------------------- */

void world_restart(world *w)
{
	world_stop(w);
	world_start(w);
}

char *world_begin(world *w, const char *document)
{
	CS_AUTOJSON json_t *doc = world_json(document);
	return world_run(w, NULL, doc, NULL);
}

json_t *world_emit(world *w, const char *event)
{
	return world_ask(w, json_pack("{s:s, s:o}", "cmd", "emit", "event", world_json(event)));
}

void world_say(world *w, const char *event)
{
	json_decref(world_emit(w, event));
	world_settle(w);
}

void world_control(world *w, const char *run, const char *verb, const char *why)
{
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s, s:s*}", "cmd", "control", "run", run, "verb", verb, "why", why)));
}

/* ---- what is there ------------------------------------------------------------------------------- */

int64_t world_number(world *w, const char *sql)
{
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

size_t world_runs_of(world *w, const char *flow)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM run WHERE name = '%s'", flow);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return json_array_size(rows);
}

int world_attempts(world *w, const char *call)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM attempt WHERE call = '%s' AND state <> 'reused'", call);
	return (int)world_number(w, sql);
}

char *world_item_of(world *w, const char *run)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM item WHERE run = '%s' AND state = 'pending'", run);
	for (int i = 0; i < 1000; i++, usleep(10000)) {
		CS_AUTOJSON json_t *rows = world_rows(w, sql);
		if (json_array_size(rows) == 1)
			return cs_xstrdup(cs_json_str(json_array_get(rows, 0), "id"));
	}
	fail_msg("nothing waits in %s", run);
	return NULL;
}

void world_await_blocked(world *w, const char *run, const char *on)
{
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOJSON json_t *blocked = world_event(w, run, "run.blocked");
	assert_string_equal(json_string_value(json_array_get(json_object_get(blocked, "on"), 0)), on);
}
