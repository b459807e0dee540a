/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we read from a task's metadata: how a gate asks, and the effect of an http call. Other
 * metadata is the operator's own, as the standard says. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "flow/effect_class.h"

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

static void build_ask(cs_build *b, int id, const json_t *ask)
{
	static const cs_key keys[] = {
		{ "title", CS_IS_STRING }, { "allow", CS_IS_ARRAY }, { "expire", CS_IS_STRING },
		{ "on-reject", CS_IS_STRING }, { "runbook", CS_IS_STRING },
		{ "back", CS_IS_ANY | CS_KEY_LATER }, { "rounds", CS_IS_ANY | CS_KEY_LATER },
		{ "escalate", CS_IS_ANY | CS_KEY_LATER }, { "remind", CS_IS_ANY | CS_KEY_LATER },
		{ "covers", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, ask, keys, "'ask'"))
		return;
	int64_t ms = 0;
	cs_build_template_key(b, ask, "title", CS_TEMPLATE_STRICT, &b->f->tasks[id].ask_title);
	cs_check_allow(&b->c, ask);
	cs_check_duration_key(&b->c, ask, "expire", &ms);
	cs_build_runbook(b, ask);
	const char *reject = cs_json_str(ask, "on-reject");
	if (reject && strcmp(reject, "raise") != 0) {
		size_t mark = cs_check_push(&b->c, "on-reject");
		cs_check_error(&b->c, "'on-reject: %.40s' is not obeyed by this version; write 'raise' and catch the error 403", reject);
		cs_check_pop(&b->c, mark);
	}
}

static void check_effect(cs_build *b, int id, const json_t *metadata)
{
	const cs_task *t = &b->f->tasks[id];
	cs_effect_class class;
	cs_err err = { 0 };
	const char *call = t->kind == CS_TASK_CALL ? cs_json_str_or(t->def, "call", "") : "";
	if (strcmp(call, "http") != 0 && strcmp(call, "openapi") != 0)
		cs_check_error_key(&b->c, "effect", "'effect' is said here only of 'call: http' and 'call: openapi'; a function declares its own in its file");
	else if (cs_effect_class_parse(cs_json_str_or(metadata, "effect", ""), &class, &err) < 0)
		cs_check_error_key(&b->c, "effect", "'effect' must be one of pure, read, keyed, probe, unsafe");
}

void cs_build_metadata(cs_build *b, int id, json_t *def)
{
	const json_t *metadata = json_object_get(def, "metadata"), *ask = json_object_get(metadata, "ask");
	size_t mark = cs_check_push(&b->c, "metadata");
	if (json_object_get(metadata, "effect"))
		check_effect(b, id, metadata);
	if (ask && b->f->tasks[id].kind != CS_TASK_CALL) {
		cs_check_error_key(&b->c, "ask", "'ask' says how the gate of a call asks; this task calls nothing");
	} else if (ask) {
		cs_check_push(&b->c, "ask");
		build_ask(b, id, ask);
	}
	cs_check_pop(&b->c, mark);
}
