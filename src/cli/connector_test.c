/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connectors test: one harmless call, as a run like any other, so that the log, the modes and the breaker know of it. */
#include "cli/connector_test.h"

#include <stdlib.h>
#include <string.h>
#include "vault/vault.h"

/* What is tested, and what came of it. */
typedef struct probe {
	cs_cli *c;
	const char *name;
	json_t *says;                /* what --json prints */
	json_t *flow;                /* the document of the run */
} probe;

static void say(probe *p, const char *member, const char *text)
{
	json_object_set_new(p->says, member, text != NULL ? json_string(text) : json_null());
}

/* ---- which call ------------------------------------------------------------------------------------------ */

/* Reads, needs no argument, and has an address as it stands. */
static bool harmless(const cs_function *fn)
{
	const json_t *request = json_object_get(fn->def, "request");
	const char *method = cs_json_str_or(request, "method", ""), *path = cs_json_str_or(request, "path", "{");
	CS_AUTOJSON json_t *nothing = json_object();
	return fn->effect == CS_EFFECT_READ && strchr(path, '{') == NULL && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
	       (fn->input == NULL || cs_schema_valid(fn->input, nothing));
}

static const cs_function *choose(const probe *p)
{
	for (size_t i = 0; i < p->c->ws->n_functions; i++) {
		const cs_function *fn = p->c->ws->functions[i];
		if (fn->connector != NULL && strcmp(fn->connector, p->name) == 0 && harmless(fn))
			return fn;
	}
	return NULL;
}

/* Where the connector has none of its own, its address is asked for the head of its first page, without a credential. Whatever
 * becomes of it, the run completes: it is no fault that anybody must look after. */
static json_t *make_flow(probe *p, const json_t *doc)
{
	const cs_function *fn = choose(p);
	json_t *call = fn != NULL ? json_pack("{s:s}", "call", fn->name) :
		json_pack("{s:s, s:{s:s, s:s}}", "call", "http", "with", "method", "head", "endpoint", cs_json_str_or(doc, "url", ""));
	say(p, "operation", fn != NULL ? fn->name : NULL);
	return json_pack("{s:{s:s, s:s, s:s, s:s}, s:[{s:{s:[{s:o}], s:{s:s}}}]}", "document", "dsl", "1.0.3", "namespace", "capstan",
			    "name", "connector-test", "version", "1.0.0", "do", "test", "try", "call", call, "catch", "as", "error");
}

/* ---- what stands in its way -------------------------------------------------------------------------------- */

static cs_mode mode_of(probe *p, const char *name, const json_t *doc)
{
	CS_AUTOJSON json_t *known = NULL;
	cs_outlet_rules rules;
	cs_mode said = CS_MODE_LIVE;
	cs_outlet_rules_of(doc, &rules);
	if (p->c->reader && cs_view_connector(p->c->reader, name, &known, NULL) == CS_OK && cs_json_str(known, "command"))
		(void)cs_mode_parse(cs_json_str(known, "command"), &said, NULL);
	return said < rules.mode ? said : rules.mode;
}

static int secret_there(probe *p, const json_t *doc, cs_err *err)
{
	const char *use = cs_json_str(json_object_get(doc, "auth"), "use");
	if (use == NULL)
		return CS_OK;
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(p->c->state_dir);
	int r = cs_vault_has(v, use, err);
	return r == CS_OK ? r : cs_err_set(err, CS_EREFUSED, _("the vault does not have its secret %s; next: capstan vault set %s"), use, use);
}

/* Nothing leaves where nothing may leave: not for a test either. */
static int may_leave(probe *p, const json_t *doc, cs_err *err)
{
	cs_mode mode = mode_of(p, p->name, doc);
	bool own = json_is_string(json_object_get(p->says, "operation"));
	CS_AUTOJSON json_t *status = NULL;
	say(p, "mode", cs_mode_names[mode]);
	if (!p->c->ws->live_wish || !cs_cli_machine_is_live(p->c))
		return cs_err_set(err, CS_EREFUSED, _("nothing was sent: the workspace is simulated here; `capstan doctor` says what makes it live"));
	if (mode < CS_MODE_HOLD)
		return cs_err_set(err, CS_EREFUSED, _("nothing was sent: its mode is %s; next: `mode` in its file, and capstan connectors mode %s live"), cs_mode_names[mode], p->name);
	if (!own && mode_of(p, "http", NULL) < CS_MODE_HOLD)
		return cs_err_set(err, CS_EREFUSED, _("nothing was sent: it declares no read that needs no argument, and the connector http is stopped; next: capstan connectors mode http live"));
	if (p->c->reader && cs_view_status(p->c->reader, &status, NULL) == CS_OK && cs_json_true(status, "hold"))
		return cs_err_set(err, CS_EREFUSED, _("nothing was sent: everything is held; next: capstan release"));
	return own ? secret_there(p, doc, err) : CS_OK;
}

/* ---- what came of it ----------------------------------------------------------------------------------------- */

/* The end of the last attempt; NULL: there was none. Borrowed from EVENTS. */
static const json_t *last_end(const json_t *events)
{
	static const char *const ends[] = { "attempt.done", "attempt.failed", "attempt.retry", "attempt.ambiguous" };
	const json_t *found = NULL, *event;
	size_t i;
	json_array_foreach(events, i, event)
		for (size_t k = 0; k < CS_ARRAY_LEN(ends); k++)
			if (strcmp(cs_json_str_or(event, "type", ""), ends[k]) == 0)
				found = json_object_get(event, "data");
	return found;
}

static const char *next_of(const char *reason, int status)
{
	static const struct { const char *reason; int status; const char *next; } rows[] = {
		{ "name", 0, N_("its host has no address: look at `url`, and at this machine's network") },
		{ "connect", 0, N_("nobody answers at its address: look at host and port in `url`, and whether the service is up") },
		{ "tls", 0, N_("its certificate does not prove its name, or it speaks no TLS: look at `url`, and at this machine's clock") },
		{ "address", 0, N_("its address may not be reached: write the host under `allow`") },
		{ "timeout", 0, N_("it took too long: try again, or look whether the service is up") },
		{ NULL, 401, N_("it refuses the credential: set it anew with capstan vault set, and look at `auth`") },
		{ NULL, 402, N_("it wants to be paid: look at the account there") },
		{ NULL, 403, N_("it knows the credential and refuses this: look at its rights there") },
		{ NULL, 404, N_("the host answers, but has nothing there: look at `url` and the operation's path") },
		{ NULL, 429, N_("it was asked too often: write `limits` into its file") },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		if (rows[i].reason != NULL ? strcmp(rows[i].reason, reason) == 0 : rows[i].status == status)
			return _(rows[i].next);
	return status >= 500 ? _("something is wrong there; try again later") : _("look at the run with capstan trace");
}

static const char *tls_of(const probe *p, const json_t *reply, const char *reason)
{
	if (strncmp(cs_json_str_or(p->says, "url", ""), "https:", 6) != 0)
		return "none";
	if (strcmp(reason, "tls") == 0)
		return "failed";
	return json_object_get(reply, "status") != NULL ? "verified" : "unknown";
}

/* A reply is an answer, whatever it says, where there was no operation to be refused. */
static bool take_end(probe *p, const json_t *end)
{
	const json_t *record = json_object_get(end, "record"), *reply = json_object_get(record, "reply");
	const json_t *error = json_object_get(end, "error");
	const char *reason = cs_json_str_or(record, "reason", "");
	int status = (int)cs_json_int_or(reply, "status", 0);
	bool own = json_is_string(json_object_get(p->says, "operation"));
	bool ok = error == NULL || (!own && status > 0 && status < 500);
	say(p, "tls", tls_of(p, reply, reason));
	json_object_set_new(p->says, "status", status > 0 ? json_integer(status) : json_null());
	json_object_set_new(p->says, "ms", json_incref(json_object_get(reply, "ms") != NULL ? json_object_get(reply, "ms") : json_null()));
	say(p, "ip", cs_json_str(reply, "ip"));
	say(p, "error", ok ? NULL : cs_json_str_or(error, "detail", cs_json_str_or(error, "title", "")));
	say(p, "next", ok ? NULL : next_of(reason, status));
	return ok;
}

/* It rests without an end: that is what is said, and it is not left behind. */
static bool take_rest(probe *p, const json_t *run, const json_t *end)
{
	const char *waits = cs_json_str_or(json_array_get(json_object_get(run, "waits"), 0), "for", "");
	CS_AUTOJSON json_t *ok = NULL;
	(void)cs_cli_call(p->c, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", cs_json_str_or(run, "run", ""), "verb", "cancel"), &ok, NULL);
	if (end != NULL)                 /* it was sent, and would be tried again */
		return take_end(p, end);
	say(p, "error", strcmp(waits, "breaker") == 0 ? _("its breaker is open") : strcmp(waits, "approval") == 0 ? _("it would ask: a rule, or its mode, wants each call approved") :
	    strcmp(waits, "off") == 0 ? _("it is off, or dry: nothing is sent") : _("it waits, and was not sent"));
	say(p, "next", strcmp(waits, "breaker") == 0 ? _("`capstan connectors` says when it is tried again") : strcmp(waits, "approval") == 0 ?
	    _("test it before it is put on hold, or allow its reads by a policy") : _("look at the run with capstan show"));
	return false;
}

static int call(probe *p, bool *ret_ok, cs_err *err)
{
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOJSON json_t *run = NULL;
	CS_AUTOJSON json_t *events = NULL;
	CS_AUTOFREE char *title = cs_xasprintf("test of the connector %s", p->name);
	int r = cs_cli_client(p->c, err);
	if (r == CS_OK)
		r = cs_cli_call(p->c, json_pack("{s:s, s:O, s:s}", "cmd", "run", "definition", p->flow, "title", title), &ok, err);
	if (r == CS_OK)
		r = cs_cli_drive(p->c, cs_json_str_or(ok, "run", ""), CS_DRIVE_QUIET, &run, err);
	if (r == CS_OK)
		r = cs_view_events(p->c->reader, cs_json_str_or(ok, "run", ""), NULL, &events, err);
	if (r < 0)
		return r;
	say(p, "run", cs_json_str(ok, "run"));
	const json_t *end = last_end(events);
	bool over = strcmp(cs_json_str_or(run, "state", ""), "completed") == 0;
	*ret_ok = over && end != NULL ? take_end(p, end) : take_rest(p, run, end);
	return CS_OK;
}

static void print(const probe *p)
{
	static const struct { const char *label, *member; } lines[] = {
		{ N_("connector"), "name" }, { N_("acts as"), "identity" }, { N_("address"), "url" }, { N_("mode"), "mode" }, { N_("called"), "operation" },
		{ N_("TLS"), "tls" }, { N_("reached"), "ip" }, { N_("answer"), "status" }, { N_("in ms"), "ms" }, { N_("run"), "run" },
		{ N_("failed"), "error" }, { N_("next"), "next" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++) {
		const json_t *v = json_object_get(p->says, lines[i].member);
		if (v == NULL || json_is_null(v))
			continue;
		cs_cli_print_cell(stdout, _(lines[i].label), 12);
		puts(cs_cli_show_json(p->c, v, 0));
	}
}

int cs_cli_connector_test(cs_cli *c, const char *name, const json_t *doc, cs_err *err)
{
	CS_AUTOJSON json_t *says = json_pack("{s:s, s:b, s:O?, s:O?}", "name", name, "ok", 0, "url", json_object_get(doc, "url"), "identity", json_object_get(doc, "identity"));
	probe p = { .c = c, .name = name, .says = says };
	bool ok = false;
	if (doc == NULL)
		return cs_err_set(err, CS_EINVAL, _("http is the connector of what flows write out: it has no address of its own to be tested"));
	int r = cs_cli_reader(c, err);
	if (r < 0)
		return r;
	CS_AUTOJSON json_t *flow = make_flow(&p, doc);
	p.flow = flow;
	r = may_leave(&p, doc, err);
	if (r == CS_OK)
		r = call(&p, &ok, err);
	if (r < 0)
		return r;
	json_object_set_new(says, "ok", json_boolean(ok));
	if (c->json)
		cs_cli_print_json(says);
	else
		print(&p);
	return ok ? CS_EXIT_DONE : CS_EXIT_FAILED;
}
