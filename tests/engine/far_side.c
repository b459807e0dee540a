/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/engine/far_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

static struct {
	atomic_int calls;
	struct {
		const cs_effect *effect;
		cs_outcome_fn *done;
		void *ctx;
		char key[CS_HEX_SIZE];
	} kept[FAR_SIDE_MOST];
} far_side;

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	int n = atomic_load(&far_side.calls);
	if (n == FAR_SIDE_MOST)
		return cs_err_set(err, CS_EUNAVAIL, "the test keeps no more effects than %d", FAR_SIDE_MOST);
	far_side.kept[n].effect = e;
	far_side.kept[n].done = done;
	far_side.kept[n].ctx = ctx;
	memcpy(far_side.kept[n].key, e->key, CS_HEX_SIZE);
	atomic_store(&far_side.calls, n + 1);
	return CS_OK;
}

void far_side_new(world *w, const char *const *connectors)
{
	memset(&far_side, 0, sizeof far_side);
	world_new(w, "workspace: test\nmode: live\napprovals: { grace: PT0S }\n");
	world_file(w, "policies/allow.yaml", "policy: allow\nrules: [ { name: all, when: { call: '*' }, then: allow } ]\n");
	for (; connectors[0] != NULL; connectors += 2)
		world_file(w, connectors[0], connectors[1]);
	world_outside(w, perform);
}

void far_side_start(world *w)
{
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "live")));
}

char *far_side_begin(world *w, const char *call)
{
	CS_AUTOFREE char *text = cs_xasprintf("{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':[{'c':{'call':'%s'}}]}", call);
	return world_begin(w, text);
}

int far_side_calls(void)
{
	return atomic_load(&far_side.calls);
}

void far_side_await(int n)
{
	for (int i = 0; atomic_load(&far_side.calls) < n; i++) {
		if (i == 5000)
			fail_msg("%d effects have begun, not %d", far_side_calls(), n);
		usleep(2000);
	}
}

const char *far_side_key(int n)
{
	return far_side.kept[n].key;
}

bool far_side_gate(int n)
{
	const cs_effect *e = far_side.kept[n].effect;
	assert_non_null(e->gate);
	return e->gate(e->gate_ctx);
}

void far_side_end(int n, cs_outcome_kind kind, int status, const char *text)
{
	assert_non_null(far_side.kept[n].done);
	cs_outcome *o;
	if (kind == CS_OUTCOME_DONE) {
		o = cs_outcome_new(kind);
		o->result = json_object();
	} else {
		o = cs_outcome_failed(kind, CS_ERROR_COMMUNICATION, status, NULL, "%s", text);
	}
	cs_outcome_fn *done = far_side.kept[n].done;
	far_side.kept[n].done = NULL;
	done(far_side.kept[n].ctx, o);
}

/* What was never answered is so now: its engine has ended, and nobody takes it in. */
void far_side_free(world *w)
{
	cs_engine_stop(w->engine, 0);
	w->engine = NULL;
	for (int n = 0; n < far_side_calls(); n++)
		if (far_side.kept[n].done != NULL)
			far_side_end(n, CS_OUTCOME_NOT_SENT, 0, "over");
	world_free(w);
}

int far_side_tear_down(void **state)
{
	far_side_free(*state);
	free(*state);
	return 0;
}
