/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/system/live.h"

#include <stdio.h>
#include "core/http_request.h"
#include "tests/support/invariants.h"

static const char policy[] =
	"policy: test\nrules:\n"
	"  - { name: post, when: { call: 'shop.post' }, then: allow }\n"
	"  - { name: slow, when: { call: 'shop.slow' }, then: allow }\n"
	"  - { name: never, when: { call: 'shop.never' }, then: deny, why: 'Not from here.' }\n";

static const char operations[] =
	"operations:\n"
	"  put:\n    effect: unsafe\n    touches: [ message ]\n    card: '${ \"To \\(.to)\" }'\n    reverse: none\n"
	"    input: { type: object, required: [ to, text ], properties: { to: { type: string }, text: { type: string } } }\n"
	"    request: { method: POST, path: '/put/{to}', as: json, body: '${ . }' }\n"
	"  post:\n    effect: unsafe\n    request: { method: POST, path: '/post/{n}', as: json, body: '${ . }' }\n    reverse: none\n"
	"  slow:\n    effect: unsafe\n    request: { method: POST, path: /delay/300, as: json, body: '${ . }' }\n    reverse: none\n"
	"  never:\n    effect: unsafe\n    request: { method: POST, path: /never, as: json, body: '${ . }' }\n    reverse: none\n"
	"  book:\n    effect: keyed\n    keyed: { header: Idempotency-Key, window: PT24H }\n"
	"    retry: { attempts: 3, delay: PT0.05S }\n"
	"    request: { method: POST, path: '/book/{n}', as: json, body: '${ . }' }\n"
	"  flaky:\n    effect: keyed\n    retry: { attempts: 4, delay: PT0.05S }\n"
	"    request: { method: POST, path: '/flaky/2/503/{n}', as: json, body: '${ . }' }\n"
	"  look:\n    effect: read\n    request: { method: GET, path: '/look/{n}' }\n"
	"  lost:\n    effect: unsafe\n    request: { method: POST, path: /close, as: json, body: '${ . }' }\n    reverse: none\n";

void live_begin(live *v, const char *mode, const char *grace)
{
	char url[LEDGER_URL_SIZE];
	CS_AUTOFREE char *settings = cs_xasprintf("workspace: test\nmode: live\napprovals: { grace: %s }\n", grace);
	ledger_start(&v->l);
	world_new(&v->w, settings);
	CS_AUTOFREE char *shop = cs_xasprintf("connector: shop\nkind: http\nurl: %s\nidentity: me@example.com\nmode: %s\nallow: [ 127.0.0.1 ]\n%s",
					      ledger_url(&v->l, "", url), mode, operations);
	world_file(&v->w, "connectors/shop.yaml", shop);
	world_file(&v->w, "policies/test.yaml", policy);
	world_start(&v->w);
	json_decref(world_ask(&v->w, json_pack("{s:s}", "cmd", "live")));
}

int live_set_up(void **state)
{
	live *v = calloc(1, sizeof *v);
	live_begin(v, "live", "PT0S");
	*state = v;
	return 0;
}

int live_tear_down(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", v->w.dir, CS_STATE_DIR);
	world_stop(&v->w);
	CS_AUTOJSON json_t *entries = ledger_entries(&v->l);
	CS_AUTOJSON json_t *broken = invariants_broken(dir, entries);
	size_t i;
	json_t *text;
	json_array_foreach(broken, i, text)
		print_error("%s\n", json_string_value(text));
	int failed = json_array_size(broken) > 0;
	world_free(&v->w);
	ledger_stop(&v->l);
	free(v);
	return failed;
}

char *live_run(live *v, const char *flow, const char *input)
{
	CS_AUTOJSON json_t *doc = world_json(flow);
	return world_run(&v->w, NULL, doc, world_json(input));
}

json_t *live_end(live *v, const char *run)
{
	CS_AUTOJSON json_t *row = world_await(&v->w, run, "completed faulted");
	bool completed = strcmp(cs_json_str(row, "state"), "completed") == 0;
	return world_event(&v->w, run, completed ? "run.completed" : "run.faulted");
}

void live_decide(live *v, const json_t *item, const char *verb, json_t *value)
{
	json_t *decision = json_pack("{s:s, s:s}", "verb", verb, "digest", cs_json_str_or(item, "digest", ""));
	if (value != NULL)
		json_object_set_new(decision, "value", value);
	json_decref(world_decide(&v->w, cs_json_str(item, "id"), decision));
}

json_t *live_sent(live *v, const char *path, size_t n)
{
	CS_AUTOJSON json_t *all = ledger_entries(&v->l);
	json_t *found = json_array();
	size_t i;
	json_t *entry;
	json_array_foreach(all, i, entry)
		if (strncmp(cs_json_str_or(entry, "path", ""), path, strlen(path)) == 0)
			json_array_append(found, entry);
	CS_AUTOFREE char *text = cs_json_text(found);
	if (json_array_size(found) != n)
		fail_msg("%zu requests to %s were expected, not %s", n, path, text);
	return found;
}

void live_body_digest(const json_t *request, char out[CS_HEX_SIZE])
{
	CS_AUTOBUF cs_buf body;
	cs_buf_init(&body, (size_t)1 << 20);
	assert_int_equal(cs_http_render_body(request, &body, NULL), CS_OK);
	cs_hash_hex(cs_buf_str(&body), body.len, out);
}
