/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we read from a task's metadata: how a gate asks, and the effect of an http call. Other
 * metadata is the operator's own, as the standard says. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/ask.h"
#include "flow/effect_class.h"
#include "flow/function.h"

static void check_runbook_is_there(cs_build *b, const char *name)
{
	const char *const *names = b->runbooks(b->ctx);
	for (const char *const *n = names; *n; n++)
		if (strcmp(*n, name) == 0)
			return;
	const char *near = cs_suggest(name, names);
	if (near)
		cs_check_error(&b->c, "there is no runbooks/%.80s; did you mean '%s'?", name, near);
	else
		cs_check_error(&b->c, "there is no runbooks/%.80s; write it, or remove 'runbook' here", name);
	cs_diags_suggest(b->c.d, near);
}

void cs_build_runbook(cs_build *b, const json_t *obj)
{
	const char *name = cs_json_str(obj, "runbook");
	if (!name || strstr(name, "${"))
		return;
	size_t mark = cs_check_push(&b->c, "runbook");
	if (!*name || *name == '.' || strchr(name, '/'))
		cs_check_error(&b->c, "'runbook' is the name of a file in runbooks/, without a folder");
	else if (b->runbooks)
		check_runbook_is_there(b, name);
	cs_check_pop(&b->c, mark);
}

static void go_back(cs_build *b, int id, int target)
{
	b->f->tasks[id].ask_back = target;
	b->f->tasks[target].returned_to = true;
}

/* `back` must lead to a task that has been done before this one, in the same list. */
void cs_build_back(cs_build *b, int id, const json_t *obj, const cs_siblings *sibs)
{
	const char *name = cs_json_str(obj, "back");
	const json_t *allow = json_object_get(obj, "allow"), *word;
	size_t i, mark = cs_check_push(&b->c, "back");
	bool answers = !json_is_array(allow);
	json_array_foreach(allow, i, word)
		answers = answers || (json_is_string(word) && strcmp(json_string_value(word), "respond") == 0);
	const cs_task *t = &b->f->tasks[id];
	int place = t->wrapper >= 0 ? b->f->tasks[t->wrapper].index : t->index;
	int target = name && !sibs->branches ? cs_build_sibling(b, sibs, name) : -1;
	if (name && sibs->branches)
		cs_check_error(&b->c, "a branch of a fork has no task before it to go back to; put it into a 'do' with that task");
	else if (name && target < 0)
		cs_check_error(&b->c, "'back' names a task of the same list; there is no '%.80s' in it", name);
	else if (name && b->f->tasks[target].index >= place)
		cs_check_error(&b->c, "'back' leads to a task before this one; '%.80s' is not", name);
	else if (name && !answers)
		cs_check_error(&b->c, "'back' says where an answer leads, but 'allow' has no 'respond'");
	else if (name)
		go_back(b, id, target);
	cs_check_pop(&b->c, mark);
	cs_check_rounds(&b->c, obj);
}

/* The request of `call: openapi` is a task of its own below the call, alone in its list. */
static void refuse_openapi(cs_build *b, const json_t *ask)
{
	static const char *const keys[] = { "back", "on-reject", "on-expiry" };
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++) {
		const char *word = cs_json_str(ask, keys[i]);
		if (word && strcmp(word, "raise") != 0 && strcmp(word, "escalate") != 0)
			cs_check_error_key(&b->c, keys[i], "'%s: %.40s' is not obeyed for 'call: openapi'; put the call into a 'try' that catches the error 403", keys[i], word);
	}
}

static void build_ask(cs_build *b, int id, const json_t *ask, const cs_siblings *sibs)
{
	static const cs_key keys[] = {
		{ "title", CS_IS_STRING }, { "allow", CS_IS_ARRAY }, { "expire", CS_IS_STRING }, { "escalate", CS_IS_ARRAY },
		{ "remind", CS_IS_ARRAY }, { "on-reject", CS_IS_STRING }, { "on-expiry", CS_IS_STRING }, { "back", CS_IS_STRING },
		{ "rounds", CS_IS_INTEGER }, { "runbook", CS_IS_STRING }, { "covers", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, ask, keys, "'ask'"))
		return;
	int64_t ms = 0;
	cs_build_template_key(b, ask, "title", CS_TEMPLATE_STRICT, &b->f->tasks[id].ask_title);
	cs_check_allow(&b->c, ask);
	cs_check_duration_key(&b->c, ask, "expire", &ms);
	cs_check_escalate(&b->c, ask);
	cs_check_remind(&b->c, ask);
	cs_check_outcome(&b->c, ask, "on-reject", false);
	cs_check_outcome(&b->c, ask, "on-expiry", true);
	cs_build_runbook(b, ask);
	if (strcmp(cs_json_str_or(b->f->tasks[id].def, "call", ""), "openapi") == 0)
		refuse_openapi(b, ask);
	else
		cs_build_back(b, id, ask, sibs);
}

/* How a gate asks stands beside its call; a decision says it in its `with`. */
static void build_asking(cs_build *b, int id, const json_t *ask, const cs_siblings *sibs)
{
	const cs_task *t = &b->f->tasks[id];
	const char *call = t->kind == CS_TASK_CALL ? cs_json_str(t->def, "call") : NULL;
	const cs_function *fn = call ? cs_function_builtin(call) : NULL;
	if (t->kind != CS_TASK_CALL) {
		cs_check_error_key(&b->c, "ask", "'ask' says how the gate of a call asks; this task calls nothing");
	} else if (fn && fn->kind == CS_FUNCTION_BUILTIN) {
		cs_check_error_key(&b->c, "ask", "'ask' says how a gate asks, and '%s' has none; write it into its 'with'", call);
	} else {
		size_t mark = cs_check_push(&b->c, "ask");
		build_ask(b, id, ask, sibs);
		cs_check_pop(&b->c, mark);
	}
}

static void check_effect(cs_build *b, int id, const json_t *metadata)
{
	const cs_task *t = &b->f->tasks[id];
	cs_effect_class class;
	cs_err err = { 0 };
	const char *call = t->kind == CS_TASK_CALL ? cs_json_str_or(t->def, "call", "") : "";
	static const char *const processes[] = { "pure", "read", "unsafe", NULL };
	const json_t *run = json_object_get(t->def, "run");
	if (json_object_get(run, "shell") || json_object_get(run, "script"))
		cs_check_word(&b->c, metadata, "effect", processes);
	else if (strcmp(call, "http") != 0 && strcmp(call, "openapi") != 0)
		cs_check_error_key(&b->c, "effect", "'effect' is said here only of 'call: http', 'call: openapi', 'run: shell' and 'run: script'; a function declares its own in its file");
	else if (cs_effect_class_parse(cs_json_str_or(metadata, "effect", ""), &class, &err) < 0)
		cs_check_error_key(&b->c, "effect", "'effect' must be one of pure, read, keyed, probe, unsafe");
}

void cs_build_metadata(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	const json_t *metadata = json_object_get(def, "metadata"), *ask = json_object_get(metadata, "ask");
	size_t mark = cs_check_push(&b->c, "metadata");
	if (json_object_get(metadata, "effect"))
		check_effect(b, id, metadata);
	if (ask)
		build_asking(b, id, ask, sibs);
	cs_check_pop(&b->c, mark);
}
