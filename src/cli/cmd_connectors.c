/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connectors: what leaves through each, whether it answers, and its safe mode. */
#include <string.h>

#include "cli/connector_test.h"

/* The connector's document; NULL: `http`, which needs none. CS_ENOTFOUND. */
static int document_of(cs_cli *c, const char *name, const json_t **ret, cs_err *err)
{
	*ret = json_object_get(c->ws->connectors, name);
	if (*ret || strcmp(name, "http") == 0)
		return CS_OK;
	return cs_err_set(err, CS_ENOTFOUND, _("there is no connector %.100s; `capstan connectors` lists them"), name);
}

/* ---- list ---- */

/* {name, kind, mode, file, command, url, identity, breakers, in_flight, last_used, last_error}. */
static int describe(cs_cli *c, const char *name, json_t **ret, cs_err *err)
{
	const json_t *doc = NULL;
	CS_AUTOJSON json_t *known = NULL;
	cs_outlet_rules rules;
	cs_mode said = CS_MODE_LIVE;
	int r = document_of(c, name, &doc, err);
	if (r == CS_OK && c->reader)
		r = cs_view_connector(c->reader, name, &known, err);
	if (r < 0)
		return r;
	cs_outlet_rules_of(doc, &rules);
	if (cs_json_str(known, "command"))
		(void)cs_mode_parse(cs_json_str(known, "command"), &said, NULL);
	json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:n, s:O?, s:O?}", "name", name, "kind", cs_json_str_or(doc, "kind", "http"), "mode",
				cs_mode_names[said < rules.mode ? said : rules.mode], "file", cs_mode_names[rules.mode], "command",
				"url", json_object_get(doc, "url"), "identity", json_object_get(doc, "identity"));
	json_object_set_new(one, "breakers", json_array());
	json_object_set_new(one, "in_flight", json_integer(0));
	json_object_set_new(one, "last_used", json_null());
	json_object_set_new(one, "last_error", json_null());
	json_object_update(one, known);
	*ret = one;
	return CS_OK;
}

/* Below the connector's line, one for each host whose breaker is not closed. */
static void print_breakers(cs_cli *c, const json_t *one)
{
	size_t i;
	json_t *b;
	json_array_foreach(json_object_get(one, "breakers"), i, b) {
		const char *until = cs_json_str(b, "until"), *target = cs_cli_show(c, cs_json_str_or(b, "target", ""));
		const char *error = cs_cli_show(c, cs_json_str_or(b, "error", ""));
		if (strcmp(cs_json_str_or(b, "state", ""), "open") == 0)
			printf(_("  breaker of %s: open, tried again at %s (%s)\n"), target, cs_cli_show(c, until), error);
		else
			printf(_("  breaker of %s: half-open, the next call tries it (%s)\n"), target, error);
	}
}

static void print_one(cs_cli *c, const json_t *one)
{
	const char *mode = cs_json_str_or(one, "mode", ""), *file = cs_json_str_or(one, "file", ""), *command = cs_json_str(one, "command");
	const json_t *error = json_object_get(one, "last_error");
	CS_AUTOFREE char *says = cs_xasprintf("%s%s", mode, !command || strcmp(command, file) == 0 ? "" : strcmp(mode, file) == 0 ? _(" by file") : _(" by command"));
	cs_cli_print_cell(stdout, cs_cli_show(c, cs_json_str_or(one, "name", "")), 16);
	cs_cli_print_cell(stdout, cs_cli_show(c, cs_json_str_or(one, "kind", "")), 6);
	cs_cli_print_cell(stdout, says, 16);
	cs_cli_print_cell(stdout, json_is_null(json_object_get(one, "last_used")) ? _("never") : cs_cli_show_age(c, json_object_get(one, "last_used")), 8);
	printf("%3lld  ", (long long)cs_json_int_or(one, "in_flight", 0));
	if (json_is_object(error))
		printf(_("%s, %s ago"), cs_cli_show(c, cs_json_str_or(error, "title", "")), cs_cli_show_age(c, json_object_get(error, "at")));
	puts("");
	print_breakers(c, one);
}

static void print_head(void)
{
	static const struct { const char *text; int cols; } heads[] = {
		{ N_("connector"), 16 }, { N_("kind"), 6 }, { N_("mode"), 16 }, { N_("used"), 8 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(heads); i++)
		cs_cli_print_cell(stdout, _(heads[i].text), heads[i].cols);
	puts(_("open last error"));
}

static int list_one(cs_cli *c, const char *name, cs_err *err)
{
	CS_AUTOJSON json_t *one = NULL;
	int r = describe(c, name, &one, err);
	if (r == CS_OK && c->json)
		cs_cli_print_json(one);
	else if (r == CS_OK)
		print_one(c, one);
	return r;
}

static int list(cs_cli *c, const cs_cli_args *a, cs_err *err)
{
	(void)a;
	const char *name;
	json_t *doc;
	int r = cs_cli_reader(c, err);
	if (r == CS_OK && !c->json)
		print_head();
	json_object_foreach(c->ws->connectors, name, doc)
		r = r == CS_OK ? list_one(c, name, err) : r;
	return r == CS_OK ? list_one(c, "http", err) : r;
}

/* ---- mode ---- */

static int mode(cs_cli *c, const cs_cli_args *a, cs_err *err)
{
	const json_t *doc = NULL;
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOFREE char *name = cs_xstrdup(a->words[1]);
	cs_mode parsed;
	int r = document_of(c, name, &doc, err);
	if (r == CS_OK)
		r = cs_mode_parse(a->words[2], &parsed, err);
	if (r == CS_OK)
		r = cs_cli_client(c, err);
	if (r == CS_OK)
		r = cs_cli_call(c, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", name, "mode", a->words[2]), &ok, err);
	if (r < 0)
		return r;
	const char *now = cs_json_str_or(ok, "mode", ""), *file = cs_json_str_or(ok, "file", "");
	if (c->json)
		cs_cli_print_json(ok);
	else if (strcmp(now, a->words[2]) == 0)
		printf(_("%s: %s\n"), cs_cli_show(c, name), now);
	else
		printf(_("%s: %s, as its file says, which is more careful than %s; change `mode` in its file too\n"), cs_cli_show(c, name), file, a->words[2]);
	(void)fflush(stdout);
	return cs_cli_drive_held(c);
}

static int test(cs_cli *c, const cs_cli_args *a, cs_err *err)
{
	const json_t *doc = NULL;
	CS_AUTOFREE char *name = cs_xstrdup(a->words[1]);
	int r = document_of(c, name, &doc, err);
	CS_AUTOJSON json_t *own = json_incref((json_t *)(uintptr_t)doc);     /* an engine of ours takes the files over */
	return r < 0 ? r : cs_cli_connector_test(c, name, own, err);
}

static const struct {
	const char *name;
	size_t words;                /* with it */
	/* An exit status, or a negative code. */
	int (*act)(cs_cli *c, const cs_cli_args *a, cs_err *err);
} verbs[] = {
	{ "list", 1, list }, { "mode", 3, mode }, { "test", 2, test },
};

int cs_cmd_connectors(cs_cli *c, const cs_cli_args *a)
{
	const char *verb = a->n_words > 0 ? a->words[0] : "list";
	cs_err err = { 0 };
	size_t i = 0;
	while (i < CS_ARRAY_LEN(verbs) && strcmp(verbs[i].name, verb) != 0)
		i++;
	if (i == CS_ARRAY_LEN(verbs) || a->n_words > verbs[i].words || (a->n_words < verbs[i].words && a->n_words > 0)) {
		(void)cs_err_set(&err, CS_EINVAL, _("connectors, connectors list, connectors test NAME, or connectors mode NAME off|dry|hold|live; see `capstan help connectors`"));
		(void)cs_cli_fail(c, "connectors", &err);
		return CS_EXIT_USAGE;
	}
	int r = cs_cli_dir(c, &err);
	if (r == CS_OK)
		r = cs_cli_load(c, &err);
	if (r == CS_OK && !c->ws)
		r = cs_err_set(&err, CS_EUNAVAIL, _("the workspace's files do not load; run `capstan check`"));
	if (r == CS_OK)
		r = verbs[i].act(c, a, &err);
	return r < 0 ? cs_cli_fail(c, a->n_words > 1 ? a->words[1] : "connectors", &err) : r;
}
