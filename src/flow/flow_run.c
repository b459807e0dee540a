/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run: shell commands, scripts and other flows; containers are refused by name. What is not awaited
 * becomes a run of its own, a process as a flow of that one task.
 * Source: dsl-reference.md, "Run", "Shell Process", "Script Process", "Workflow Process". */
#include "flow/flow_priv.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static const char *const returns[] = { "stdout", "stderr", "code", "all", "none", NULL };
static const char *const languages[] = { "js", "python", NULL };

static const cs_key run_keys[] = {
	{ "shell", CS_IS_OBJECT }, { "script", CS_IS_OBJECT }, { "container", CS_IS_OBJECT }, { "workflow", CS_IS_OBJECT },
	{ "await", CS_IS_BOOL }, { "return", CS_IS_STRING }, { NULL, 0 },
};
static const cs_key shell_keys[] = {
	{ "command", CS_IS_STRING | CS_KEY_REQUIRED }, { "stdin", CS_IS_STRING }, { "arguments", CS_IS_ARRAY | CS_IS_OBJECT | CS_IS_STRING },
	{ "environment", CS_IS_OBJECT | CS_IS_STRING }, { NULL, 0 },
};
static const cs_key script_keys[] = {
	{ "language", CS_IS_STRING | CS_KEY_REQUIRED }, { "code", CS_IS_STRING }, { "stdin", CS_IS_STRING },
	{ "arguments", CS_IS_ARRAY | CS_IS_OBJECT | CS_IS_STRING }, { "environment", CS_IS_OBJECT | CS_IS_STRING },
	{ "source", CS_IS_OBJECT }, { NULL, 0 },
};
static const cs_key workflow_keys[] = {
	{ "namespace", CS_IS_STRING | CS_KEY_REQUIRED }, { "name", CS_IS_STRING | CS_KEY_REQUIRED }, { "version", CS_IS_STRING },
	{ "input", CS_IS_OBJECT | CS_IS_STRING }, { NULL, 0 },
};

void cs_sub_free(cs_sub *s)
{
	if (!s)
		return;
	free(s->ns);
	free(s->name);
	free(s->version);
	cs_flow_unref(s->made);
	free(s);
}

/* ---- processes ----------------------------------------------------------------------------------------- */

/* Arguments by name of a script are variables of it. */
static void check_names(cs_build *b, const json_t *arguments)
{
	const char *name;
	json_t *v;
	size_t mark = cs_check_push(&b->c, "arguments");
	json_object_foreach((json_t *)(uintptr_t)arguments, name, v)
		if (!cs_is_variable_name(name))
			cs_check_error_key(&b->c, name, "an argument by name is a variable of the script; '%.80s' cannot be one's name", name);
	cs_check_pop(&b->c, mark);
}

/* The text of a script at `source`, kept with the flow; NULL after a report. The cursor is on it. */
static json_t *fetch(cs_build *b, const json_t *source)
{
	static const cs_key keys[] = { { "name", CS_IS_STRING }, { "endpoint", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, { NULL, 0 } };
	if (!cs_check_object(&b->c, source, keys, "'source'"))
		return NULL;
	const json_t *e = json_object_get(source, "endpoint");
	const char *uri = json_is_string(e) ? json_string_value(e) : cs_json_str_or(e, "uri", "");
	return cs_build_resource(b, uri, "a script's source");
}

json_t *cs_build_resource(cs_build *b, const char *uri, const char *what)
{
	json_t *text = json_object_get(b->f->resources, uri);
	CS_AUTOFREE char *bytes = NULL;
	cs_err err = { 0 };
	if (text)
		return text;
	if (strncmp(uri, "file:", 5) != 0)
		cs_check_error(&b->c, "%s is a file below the workspace, written 'file://./FILE', not '%.80s'", what, uri);
	else if (!b->resource)
		cs_check_error(&b->c, "%s is read below a workspace's folder; check this flow inside of one", what);
	else if (b->resource(b->ctx, uri, &bytes, &err) < 0)
		cs_check_error(&b->c, "%s", err.msg);
	else
		text = json_string(bytes);
	if (!text)
		return NULL;
	if (!b->f->resources)
		b->f->resources = json_object();
	json_object_set_new(b->f->resources, uri, text);
	return text;
}

/* V with the code of its source in it; NULL after a report. */
static json_t *with_code(cs_build *b, json_t *v)
{
	const json_t *source = json_object_get(v, "source");
	if ((source != NULL) == (json_object_get(v, "code") != NULL)) {
		cs_check_error(&b->c, "a script needs either 'code' or 'source'");
		return NULL;
	}
	if (!source)
		return json_incref(v);
	size_t mark = cs_check_push(&b->c, "source");
	json_t *code = fetch(b, source), *whole = NULL;
	cs_check_pop(&b->c, mark);
	if (code) {
		whole = json_copy(v);
		json_object_del(whole, "source");
		json_object_set(whole, "code", code);
	}
	return whole;
}

static json_t *check_shell(cs_build *b, int id, json_t *v)
{
	(void)id;
	return cs_check_object(&b->c, v, shell_keys, "'shell'") ? json_incref(v) : NULL;
}

static json_t *check_script(cs_build *b, int id, json_t *v)
{
	(void)id;
	if (!cs_check_object(&b->c, v, script_keys, "'script'"))
		return NULL;
	cs_check_word(&b->c, v, "language", languages);
	if (json_is_object(json_object_get(v, "arguments")))
		check_names(b, json_object_get(v, "arguments"));
	return with_code(b, v);
}

/* A process that nobody waits for, as a flow of that one task: its input is what was evaluated here,
 * all but the program of a script. */
static void make_flow(cs_build *b, int id, const json_t *def, const char *key, json_t *process)
{
	const cs_flow *f = b->f;
	json_t *inner = json_object(), *v;
	const char *member;
	json_object_foreach(process, member, v) {
		bool fixed = strcmp(member, "language") == 0 || strcmp(member, "code") == 0;
		json_object_set_new(inner, member, fixed ? json_incref(v) : json_sprintf("${ .%s }", member));
	}
	json_t *run = json_pack("{s:o, s:s}", key, inner, "return", cs_json_str_or(json_object_get(def, "run"), "return", "stdout"));
	json_t *task = json_pack("{s:o}", "run", run);
	if (json_object_get(def, "metadata"))
		json_object_set(task, "metadata", json_object_get(def, "metadata"));
	CS_AUTOJSON json_t *doc = json_pack("{s:{s:s, s:s, s:s, s:s}, s:[{s:o}]}", "document", "dsl", "1.0.3", "namespace", f->ns, "name",
					    f->name, "version", f->version, "do", f->tasks[id].name, task);
	cs_diags d;
	cs_flow *made = NULL;
	cs_diags_init(&d);
	if (cs_flow_new_in(doc, NULL, &(cs_flow_world){ 0 }, &d, &made) != CS_OK)
		cs_check_error(&b->c, "this cannot be run without 'await': %s", d.n > 0 ? d.items[0].message : "its document has errors");
	cs_diags_fini(&d);
	if (made)
		b->f->tasks[id].sub->made = made;
}

/* ---- flows --------------------------------------------------------------------------------------------- */

static json_t *check_workflow(cs_build *b, int id, json_t *v)
{
	static const char *const names[] = { "namespace", "name", "version" };
	if (!cs_check_object(&b->c, v, workflow_keys, "'workflow'"))
		return NULL;
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++)
		if (strstr(cs_json_str_or(v, names[i], ""), "${"))
			cs_check_error_key(&b->c, names[i], "'%s' is written out: which flow runs is settled when this one starts", names[i]);
	cs_sub *s = b->f->tasks[id].sub;
	s->ns = cs_xstrdup(cs_json_str(v, "namespace"));
	s->name = cs_xstrdup(cs_json_str(v, "name"));
	s->version = cs_xstrdup(cs_json_str_or(v, "version", "latest"));
	return json_incref(v);
}

/* A flow prints nothing: it has an output, or it is not asked for. */
static void check_return(cs_build *b, const json_t *run, bool workflow)
{
	const char *word = cs_json_str_or(run, "return", "stdout");
	cs_check_word(&b->c, run, "return", returns);
	if (workflow && strcmp(word, "stdout") != 0 && strcmp(word, "none") != 0)
		cs_check_error_key(&b->c, "return", "'%.20s' is what a process leaves; a workflow gives its output, or nothing with 'none'", word);
}

/* ---- run ----------------------------------------------------------------------------------------------- */

static const struct {
	const char *key, *function;
	json_t *(*check)(cs_build *b, int id, json_t *v);      /* new reference; NULL after a report */
} processes[] = {
	{ "shell", "run.shell", check_shell },
	{ "script", "run.script", check_script },
	{ "workflow", NULL, check_workflow },
	{ "container", NULL, NULL },
};

static size_t process_of(cs_build *b, const json_t *run)
{
	size_t given = CS_ARRAY_LEN(processes), n = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(processes); i++)
		if (json_object_get(run, processes[i].key)) {
			given = i;
			n++;
		}
	if (n == 1 && processes[given].check)
		return given;
	if (n == 1)
		cs_check_error_key(&b->c, processes[given].key, "this version does not run containers; run the program itself with 'shell', or make it an agent of kind shell that is confined");
	else
		cs_check_error(&b->c, "'run' needs exactly one of shell, script, container, workflow");
	return CS_ARRAY_LEN(processes);
}

/* What is evaluated when the task begins: a flow's input, what a process gets that runs by itself, or
 * all of `run`. */
static void build_body(cs_build *b, int id, size_t i, json_t *run, json_t *process)
{
	const cs_sub *sub = b->f->tasks[id].sub;
	cs_template **body = &b->f->tasks[id].body;
	size_t mark = cs_check_push(&b->c, processes[i].key);
	b->verbatim = true;              /* a script may write ${ } for itself */
	if (sub && sub->name) {
		cs_build_template_key(b, process, "input", cs_build_mode(b, CS_TEMPLATE_STRICT), body);
	} else if (sub) {
		CS_AUTOJSON json_t *given = json_copy(process);
		json_object_del(given, "language");
		json_object_del(given, "code");
		cs_build_template(b, given, CS_TEMPLATE_STRICT, body);
	} else {
		CS_AUTOJSON json_t *whole = json_copy(run);
		json_object_set(whole, processes[i].key, process);
		cs_check_pop(&b->c, mark);
		int around = cs_build_secrets_for(b, id);
		cs_build_template(b, whole, CS_TEMPLATE_STRICT, &b->f->tasks[id].body);
		cs_build_secrets_for(b, around);
	}
	b->verbatim = false;
	cs_check_pop(&b->c, mark);
}

static void build_process(cs_build *b, int id, json_t *def, json_t *run)
{
	size_t i = process_of(b, run), errors = b->c.d->errors;
	bool await = !json_is_false(json_object_get(run, "await"));
	if (i == CS_ARRAY_LEN(processes))
		return;
	if (!processes[i].function || !await) {
		b->f->tasks[id].kind = CS_TASK_RUN;
		b->f->tasks[id].sub = cs_xcalloc(1, sizeof *b->f->tasks[id].sub);
		b->f->tasks[id].sub->await = await;
		b->f->tasks[id].sub->silent = strcmp(cs_json_str_or(run, "return", ""), "none") == 0;
		b->f->n_subs++;
	} else {
		b->f->tasks[id].call = cs_xstrdup(processes[i].function);
	}
	check_return(b, run, !processes[i].function);
	size_t mark = cs_check_push(&b->c, processes[i].key);
	CS_AUTOJSON json_t *process = processes[i].check(b, id, json_object_get(run, processes[i].key));
	cs_check_pop(&b->c, mark);
	if (!process || b->c.d->errors > errors)
		return;
	if (processes[i].function && !await)
		make_flow(b, id, def, processes[i].key, process);
	build_body(b, id, i, run, process);
}

void cs_build_run(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	json_t *run = json_object_get(def, "run");
	size_t mark = cs_check_push(&b->c, "run");
	(void)sibs;
	if (cs_check_object(&b->c, run, run_keys, "'run'"))
		build_process(b, id, def, run);
	cs_check_pop(&b->c, mark);
}
