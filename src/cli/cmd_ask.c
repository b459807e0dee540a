/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan ask: the inbox for any script. A run of kind "ask" over a small flow of our own; what was
 * accepted goes to stdout byte for byte. */
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "cli/cli_priv.h"

#define LOOK_MS 30000         /* what is committed is heard at once; this is for what is not heard */

const cs_cli_flag cs_cli_flags_ask[] = {
	{ "--form", "FILE", N_("a JSON Schema: a question, whose answer must fit it") },
	{ "--expire", "DURATION", N_("after that it is nobody's yes: exit 75") },
	{ "--subject", "S", N_("whose record it belongs to") },
	{ "--resume", "ID", N_("take up one that was left waiting") },
	{ NULL, NULL, NULL },
};

/* The texts go through the input: in the document they would be read for expressions. A form must
 * stand in the document. */
static json_t *document(const char *expire, json_t *form)
{
	json_t *with = json_pack("{s:s, s:s}", "title", "${ $start.title }", "show", "${ $start.text }");
	if (form)
		json_object_set(with, "form", form);
	else
		json_object_set_new(with, "allow", json_pack("[s, s, s]", "accept", "edit", "reject"));
	if (expire)
		json_object_set_new(with, "expire", json_string(expire));
	return json_pack("{s:{s:s, s:s, s:s, s:s}, s:[{s:{s:s, s:o}}]}", "document", "dsl", "1.0.3", "namespace", "capstan", "name",
			 "ask", "version", "1.0.0", "do", "approve", "call", form ? "ask" : "approve", "with", with);
}

static bool has_expression(const json_t *v)
{
	size_t i;
	const char *key;
	json_t *member;
	if (json_is_string(v))
		return strncmp(json_string_value(v), "${", 2) == 0;
	json_array_foreach(v, i, member)
		if (has_expression(member))
			return true;
	json_object_foreach((json_t *)v, key, member)
		if (has_expression(member))
			return true;
	return false;
}

static int read_form(const char *path, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_CLI_INPUT);
	int r = cs_file_read(path, &text, err);
	if (r == CS_OK)
		r = cs_json_parse(cs_buf_str(&text), text.len, ret, err);
	if (r == CS_ESYNTAX && err)
		(void)snprintf(err->file, sizeof err->file, "%s", path);
	if (r == CS_OK && has_expression(*ret))
		return cs_err_set(err, CS_EINVAL, _("%s: a text in it begins with ${ and would be read as an expression; write it "
						    "otherwise"), path);
	return r;
}

/* Text only: what cannot be shown cannot be approved. */
static int read_text(json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_CLI_INPUT);
	int r = cs_cli_stdin(&text, err);
	if (r < 0)
		return r;
	const char *s = cs_buf_str(&text);
	if (memchr(s, '\0', text.len))
		return cs_err_set(err, CS_EINVAL, _("standard input has a NUL byte: only text can be shown and approved; give it as "
						    "text, base64 perhaps"));
	if (!cs_utf8_valid(s, text.len))
		return cs_err_set(err, CS_EINVAL, _("standard input is not UTF-8 text: only text can be shown and approved; convert "
						    "it, with iconv perhaps"));
	*ret = json_stringn(s, text.len);
	return CS_OK;
}

static int request_of(const cs_cli_args *a, json_t **ret, cs_err *err)
{
	const char *expire = cs_cli_arg(a, "--expire"), *subject = cs_cli_arg(a, "--subject"), *form_file = cs_cli_arg(a, "--form");
	CS_AUTOJSON json_t *form = NULL;
	CS_AUTOJSON json_t *text = NULL;
	int64_t ms;
	int r = form_file ? read_form(form_file, &form, err) : CS_OK;
	if (r == CS_OK && expire && cs_duration_parse(expire, &ms, err) < 0)
		return cs_err_set(err, CS_EINVAL, _("--expire %s: give a duration like PT12H"), expire);
	if (r == CS_OK)
		r = read_text(&text, err);
	if (r < 0)
		return r;
	json_t *input = json_pack("{s:s, s:O}", "title", a->words[0], "text", text);
	json_t *request = json_pack("{s:s, s:s, s:s, s:o, s:o}", "cmd", "run", "kind", "ask", "title", a->words[0], "definition",
				    document(expire, form), "input", input);
	if (subject)
		json_object_set_new(request, "subject", json_string(subject));
	*ret = request;
	return CS_OK;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Exactly the bytes: no newline is added to text, none is taken. */
static int print_value(const json_t *value)
{
	if (json_is_string(value)) {
		fwrite(json_string_value(value), 1, json_string_length(value), stdout);
		return CS_EXIT_DONE;
	}
	cs_cli_print_json(value);
	return CS_EXIT_DONE;
}

static int print_decision(cs_cli *c, const json_t *run)
{
	const json_t *output = json_object_get(run, "output");
	const char *decision = cs_json_str_or(output, "decision", "");
	bool answered = cs_json_true(output, "answered") || strcmp(decision, "accepted") == 0;
	bool expired = strcmp(decision, "expired") == 0 || json_is_false(json_object_get(output, "answered"));
	if (c->json) {
		cs_cli_print_json(run);
		return answered ? CS_EXIT_DONE : expired ? CS_EXIT_EXPIRED : CS_EXIT_FAILED;
	}
	if (answered)
		return print_value(json_object_get(output, "value"));
	const char *by = cs_cli_show(c, cs_json_str_or(output, "by", "")), *note = cs_cli_show(c, cs_json_str(output, "note"));
	if (expired)
		fputs(_("capstan: ask: nobody answered in time\n"), stderr);
	else
		fprintf(stderr, _("capstan: ask: %s by %s%s%s\n"), cs_cli_show(c, decision), by, note[0] ? ": " : "", note);
	return expired ? CS_EXIT_EXPIRED : CS_EXIT_FAILED;
}

static int print_end(cs_cli *c, const json_t *run)
{
	const char *state = cs_json_str_or(run, "state", "");
	if (strcmp(state, "completed") == 0)
		return print_decision(c, run);
	if (c->json)
		cs_cli_print_json(run);
	const json_t *error = json_object_get(run, "error");
	fprintf(stderr, _("capstan: ask: the question was %s; %s\n"), state, cs_cli_show_json(c, error, 0));
	return cs_json_int_or(error, "status", 0) == 408 ? CS_EXIT_EXPIRED : CS_EXIT_FAILED;
}

static bool is_over(const json_t *run)
{
	static const char *const over[] = { "completed", "faulted", "cancelled", "compensated", "stuck" };
	for (size_t i = 0; i < CS_ARRAY_LEN(over); i++)
		if (strcmp(cs_json_str_or(run, "state", ""), over[i]) == 0)
			return true;
	return false;
}

/* A person may take days: the wait has no end of its own, and survives any engine. */
static int wait_for(cs_cli *c, const char *run)
{
	bool said = false;
	for (;;) {
		CS_AUTOJSON json_t *now = NULL;
		cs_err err = { 0 };
		int r = cs_cli_drive(c, run, CS_DRIVE_QUIET, &now, &err);
		if (r == CS_OK && is_over(now))
			return print_end(c, now);
		if (r == CS_OK && !said) {
			cs_cli_say_waiting(c, now);
			said = true;
		}
		if (r == CS_OK)
			r = cs_cli_wait(c, LOOK_MS, &err);
		if (r == CS_EAGAIN) {
			fprintf(stderr, _("still waiting; take it up again with: capstan ask --resume %s\n"), run);
			return CS_EXIT_INTERRUPTED;
		}
		if (r < 0)
			return cs_cli_fail(c, "ask", &err);
	}
}

/* The run, or the item that it waits with. */
static int find(cs_cli *c, const char *id, char ret[CS_ID_SIZE], cs_err *err)
{
	char item[CS_ID_SIZE];
	int r = cs_cli_find_run(c, id, ret, err);
	if (r != CS_ENOTFOUND || !c->reader || cs_cli_find_item(c, id, item, NULL) < 0)
		return r;
	CS_AUTOJSON json_t *rows = NULL;
	r = cs_cli_query(c, "SELECT run FROM item WHERE id = ?1", item, &rows, err);
	const char *run = cs_json_str(json_array_get(rows, 0), "run");
	if (r == CS_OK && run && strlen(run) == CS_ID_LEN)
		memcpy(ret, run, CS_ID_SIZE);
	return r;
}

static int resume(cs_cli *c, const char *id)
{
	char run[CS_ID_SIZE];
	CS_AUTOJSON json_t *rows = NULL;
	cs_err err = { 0 };
	int r = find(c, id, run, &err);
	if (r == CS_OK)
		r = cs_cli_query(c, "SELECT kind FROM run WHERE id = ?1", run, &rows, &err);
	if (r == CS_OK && strcmp(cs_json_str_or(json_array_get(rows, 0), "kind", ""), "ask") != 0)
		r = cs_err_set(&err, CS_EINVAL, _("this run was not begun by `capstan ask`; look at it with `capstan show`"));
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	return r < 0 ? cs_cli_fail(c, id, &err) : wait_for(c, run);
}

int cs_cmd_ask(cs_cli *c, const cs_cli_args *a)
{
	const char *id = cs_cli_arg(a, "--resume");
	CS_AUTOJSON json_t *request = NULL;
	CS_AUTOJSON json_t *ok = NULL;
	char run[CS_ID_SIZE];
	cs_err err = { 0 };
	int r = cs_cli_dir(c, &err);
	if (r == CS_OK && id && a->n_words == 0)
		return resume(c, id);
	if (r == CS_OK && (id || a->n_words == 0))
		r = cs_err_set(&err, CS_EINVAL, _("give a title, or --resume ID alone"));
	if (r == CS_OK)
		r = request_of(a, &request, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = cs_cli_call(c, CS_STEAL(request), &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, "ask", &err);
	(void)snprintf(run, sizeof run, "%s", cs_json_str_or(ok, "run", ""));
	return wait_for(c, run);
}
