/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sim_site.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "tests/core/play.h"

enum { TRIES = 100 };

static const char connector[] =
	"connector: out\nkind: http\nurl: https://out.example.com\nidentity: me@example.com\nmode: live\n%soperations:\n"
	"  free: { effect: unsafe, reverse: none, request: { method: POST, path: /free, as: json, body: '${ . }' } }\n"
	"  ask: { effect: unsafe, reverse: none, retry: { attempts: 2, delay: PT0.5S }, request: { method: POST, path: '/ask/{n}', as: json, body: '${ . }' } }\n"
	"  key: { effect: keyed, retry: { attempts: 3, delay: PT0.5S, backoff: exponential }, request: { method: PUT, path: /key, as: json, body: '${ . }' } }\n"
	"  look: { effect: read, retry: { attempts: 3, delay: PT0.3S }, request: { method: GET, path: '/look/{n}' } }\n"
	"  pay: { effect: unsafe, reverse: { call: out.refund, with: { n: '${ .input.n }', v: '${ .result.v }' } },"
	" request: { method: POST, path: /pay, as: json, body: '${ . }' } }\n"
	"  book: { effect: keyed, retry: { attempts: 2, delay: PT0.2S }, reverse: { call: out.cancel, with: { x: '${ .input.x }' } },"
	" request: { method: PUT, path: /book, as: json, body: '${ . }' } }\n"
	"  refund: { effect: keyed, retry: { attempts: 2, delay: PT0.5S }, reverse: none, request: { method: POST, path: /refund, as: json, body: '${ . }' } }\n"
	"  sure: { effect: probe, timeout: PT1S, retry: { attempts: 2, delay: PT0.5S }, reverse: none, request: { method: POST, path: /sure, as: json, body: '${ . }' },"
	" probe: { call: out.find, with: { n: '${ .n }' }, found: '${ .total > 0 }' } }\n"
	"  find: { effect: read, timeout: PT1S, retry: { attempts: 2, delay: PT0.3S }, request: { method: GET, path: '/find/{n}' } }\n"
	"  charge: { effect: unsafe, once: '${ \"c\\(.n)\" }', reverse: none, request: { method: POST, path: /charge, as: json, body: '${ . }' } }\n"
	"  bill: { effect: keyed, once: '${ \"b\\(.n)\\(.x)\" }', retry: { attempts: 2, delay: PT0.2S }, reverse: none,"
	" request: { method: PUT, path: /bill, as: json, body: '${ . }' } }\n"
	"  cancel: { effect: unsafe, reverse: none, request: { method: POST, path: /cancel, as: json, body: '${ . }' } }\n";

static const char policy[] =
	"policy: sim\nrules:\n"
	"  - { name: asked, when: { call: %s }, then: %s }\n"
	"  - { name: free, when: { call: 'out.*' }, then: allow }\n";

static const char settings[] =
	"workspace: sim\nmode: live\noperator: { name: owner, timezone: UTC }\napprovals: { grace: PT1S }\n"
	"retention: { snapshot-every: %d }\n"
	"flows:\n"
	"  f0: { subject: '${ $start.n }', starts: [ { on: { type: x.go }, with: { n: '${ .data.n }', l: [ 1, 2 ] }, once: '${ .data.id }' } ] }\n"
	"  f1: { on-fault: compensate, concurrent: 3 }\n"
	"  f2: { one-at-a-time: flow, lane: background, starts: [ { cron: '7 * * * *', missed: %s, with: { n: 1, l: [ 3 ] } } ] }\n";

static void must(int rc, const char *what, const cs_err *err)
{
	if (rc == CS_OK)
		return;
	fprintf(stderr, "the workspace of the simulation: %s: %s\n", what, err->msg);
	exit(99);
}

static void put(const char *dir, const char *path, const char *text)
{
	cs_err err = { 0 };
	CS_AUTOFREE char *whole = cs_path_join(dir, path);
	CS_AUTOFREE char *folder = cs_xstrdup(whole);
	*strrchr(folder, '/') = '\0';
	must(cs_mkdir_p(folder, 0700, &err), folder, &err);
	must(cs_file_write(whole, text, strlen(text), 0600, &err), whole, &err);
}

/* Calls that are to become others, of the same arguments. */
static const struct {
	const char *call, *other;
} others[] = {
	{ "out.free", "out.pay" }, { "out.free", "out.pay" }, { "out.key", "out.book" }, { "out.key", "out.book" },
	{ "out.free", "out.charge" }, { "out.key", "out.bill" },
};

static void vary_call(json_t *name, sim_chance *chance)
{
	size_t i = (size_t)sim_draw(chance, CS_ARRAY_LEN(others));
	if (strcmp(json_string_value(name), others[i].call) == 0)
		json_string_set(name, others[i].other);
}

/* Some calls become such as can be taken back or have a business key, some waits wait for an event, and some
 * expressions need jq. */
static void vary(json_t *v, sim_chance *chance, bool jq)
{
	const char *name;
	json_t *member;
	size_t i;
	json_array_foreach(v, i, member)
		vary(member, chance, jq);
	json_object_foreach(v, name, member) {
		const char *text = json_string_value(member);
		if (text == NULL)
			vary(member, chance, jq);
		else if (strcmp(name, "call") == 0)
			vary_call(member, chance);
		else if (jq && strcmp(text, "${ $start.n }") == 0 && sim_one_in(chance, 4))
			json_string_set(member, "${ [ $start.n ] | first }");
	}
	json_t *sub = json_object_get(json_object_get(v, "run"), "workflow");
	if (sub != NULL)
		json_object_set_new(sub, "input", json_pack("{s:s, s:[i,i]}", "n", "${ $start.n }", "l", 1, 2));
	if (json_object_get(v, "wait") != NULL && sim_one_in(chance, 3)) {
		json_object_del(v, "wait");
		json_object_set_new(v, "listen", json_pack("{s:{s:{s:{s:s}}}}", "to", "one", "with", "type", "x.y"));
		if (sim_one_in(chance, 2))
			json_object_set_new(v, "foreach", json_pack("{s:s, s:[{s:{s:{s:i}}}]}", "item", "e", "do", "each", "set", "n", 1));
	}
}

/* Which of the flows are taken: not each that chance writes makes sense to the whole workspace. */
static bool taken(const char *dir, const char *name)
{
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	cs_diags_init(&d);
	must(cs_workspace_load(dir, true, &d, &ws, &err), dir, &err);
	bool there = cs_workspace_flow(ws, name) != NULL;
	cs_workspace_free(ws);
	cs_diags_fini(&d);
	return there;
}

/* What other runs start starts none itself: it would lead back to where it came from. */
static void start_nothing(json_t *v)
{
	const char *name;
	json_t *member;
	size_t i;
	json_array_foreach(v, i, member)
		start_nothing(member);
	json_object_foreach(v, name, member)
		start_nothing(member);
	if (json_is_object(v) && json_object_get(json_object_get(v, "run"), "workflow") != NULL) {
		json_object_del(v, "run");
		json_object_set_new(v, "set", json_pack("{s:i}", "n", 1));
	}
}

static void put_flow(const char *dir, const char *name, uint64_t seed, sim_chance *chance, bool jq)
{
	CS_AUTOFREE char *path = cs_xasprintf("flows/%s.yaml", name);
	for (uint64_t nth = 0; nth < TRIES; nth++) {
		CS_AUTOJSON json_t *doc = random_flow(seed + nth * 7919);
		json_object_set_new(json_object_get(doc, "document"), "name", json_string(name));
		vary(doc, chance, jq);
		if (strcmp(name, "other") == 0)
			start_nothing(doc);
		CS_AUTOFREE char *text = json_dumps(doc, JSON_INDENT(1));
		put(dir, path, text);
		if (taken(dir, name))
			return;
	}
	fprintf(stderr, "the workspace of the simulation: no flow %s of %d is taken\n", name, TRIES);
	exit(99);
}

/* The same with one task more: what runs of it have done so far fits. */
static void lengthen(const char *dir, const char *name)
{
	CS_AUTOFREE char *path = cs_xasprintf("flows/%s.yaml", name);
	CS_AUTOFREE char *whole = cs_path_join(dir, path);
	CS_AUTOBUF cs_buf text;
	CS_AUTOJSON json_t *doc = NULL;
	cs_err err = { 0 };
	cs_buf_init(&text, 1 << 20);
	must(cs_file_read(whole, &text, &err), whole, &err);
	must(cs_json_parse(cs_buf_str(&text), text.len, &doc, &err), whole, &err);
	json_t *list = json_object_get(doc, "do");
	CS_AUTOFREE char *task = cs_xasprintf("more%zu", json_array_size(list));
	json_array_append_new(list, json_pack("{s:{s:{s:i}}}", task, "set", "n", 1));
	CS_AUTOFREE char *changed = json_dumps(doc, JSON_INDENT(1));
	put(dir, path, changed);
}

static void put_policy(const char *dir, const char *call, const char *then)
{
	CS_AUTOFREE char *text = cs_xasprintf(policy, call, then);
	put(dir, "policies/sim.yaml", text);
}

void sim_site_change(const char *dir, sim_chance *chance)
{
	static const char *const calls[] = { "out.ask", "out.ask", "out.free", "out.key", "out.pay" };
	static const char *const answers[] = { "ask", "ask", "allow", "deny" };
	char name[16];
	snprintf(name, sizeof name, "f%d", (int)sim_draw(chance, SIM_FLOWS));
	switch (sim_draw(chance, 5)) {
	case 0:
		put_policy(dir, calls[sim_draw(chance, CS_ARRAY_LEN(calls))], answers[sim_draw(chance, CS_ARRAY_LEN(answers))]);
		break;
	case 1:
	case 2:
		lengthen(dir, name);
		break;
	case 3:
		put_flow(dir, name, sim_draw(chance, 1 << 20), chance, false);
		break;
	default:                     /* what nobody can take */
		put(dir, "policies/sim.yaml", "policy: sim\nrules: none\n");
		break;
	}
}

void sim_site_write(const char *dir, uint64_t seed)
{
	static const char *const missed[] = { "skip", "latest", "all" };
	sim_chance chance = { seed ^ UINT64_C(0xF10A7) };
	bool jq = sim_one_in(&chance, 24);
	CS_AUTOFREE char *mine = cs_xasprintf(settings, seed % 2 == 1 ? 3 : 200, missed[seed % CS_ARRAY_LEN(missed)]);
	put(dir, "capstan.yaml", mine);
	CS_AUTOFREE char *out = cs_xasprintf(connector, seed % SIM_LIMITED == 0 ? "breaker: { failures: 2, cool: PT5S }\nlimits: { concurrent: 1 }\n" : "");
	put(dir, "connectors/out.yaml", out);
	put_policy(dir, "out.ask", "ask");
	put_flow(dir, "other", seed * SIM_FLOWS + 1000003, &chance, jq);
	for (uint64_t i = 0; i < SIM_FLOWS; i++) {
		CS_AUTOFREE char *name = cs_xasprintf("f%d", (int)i);
		put_flow(dir, name, seed * SIM_FLOWS + i, &chance, jq);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void sim_site_remove(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
