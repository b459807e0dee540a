/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/flow_priv.h"

#include "base/json.h"

#define COMMON_KEYS \
	{ "if", CS_IS_STRING }, { "input", CS_IS_OBJECT }, { "output", CS_IS_OBJECT }, \
	{ "export", CS_IS_OBJECT }, { "timeout", CS_IS_STRING | CS_IS_OBJECT }, { "then", CS_IS_STRING }, \
	{ "metadata", CS_IS_OBJECT }, { NULL, 0 }

static const cs_key call_keys[] = { { "call", CS_IS_STRING | CS_KEY_REQUIRED }, { "with", CS_IS_OBJECT }, COMMON_KEYS };
static const cs_key do_keys[] = { { "do", CS_IS_ARRAY | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key set_keys[] = { { "set", CS_IS_OBJECT | CS_IS_STRING | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key switch_keys[] = { { "switch", CS_IS_ARRAY | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key for_keys[] = {
	{ "for", CS_IS_OBJECT | CS_KEY_REQUIRED }, { "while", CS_IS_STRING },
	{ "do", CS_IS_ARRAY | CS_KEY_REQUIRED }, COMMON_KEYS
};
static const cs_key fork_keys[] = { { "fork", CS_IS_OBJECT | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key try_keys[] = {
	{ "try", CS_IS_ARRAY | CS_KEY_REQUIRED }, { "catch", CS_IS_OBJECT | CS_KEY_REQUIRED }, COMMON_KEYS
};
static const cs_key raise_keys[] = { { "raise", CS_IS_OBJECT | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key wait_keys[] = { { "wait", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key run_keys[] = { { "run", CS_IS_OBJECT | CS_KEY_REQUIRED }, COMMON_KEYS };
static const cs_key listen_keys[] = {
	{ "listen", CS_IS_OBJECT | CS_KEY_REQUIRED }, { "foreach", CS_IS_OBJECT }, COMMON_KEYS
};
static const cs_key emit_keys[] = { { "emit", CS_IS_OBJECT | CS_KEY_REQUIRED }, COMMON_KEYS };

/* The language's tasks. `for` stands before `do`, which it has as well. A row without a function
 * is what this version does not run. */
static const struct {
	const char *keyword;
	cs_task_kind kind;
	const cs_key *keys;
	const char *what;
	void (*build)(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
} rows[] = {
	{ "call", CS_TASK_CALL, call_keys, "a call task", cs_build_call },
	{ "set", CS_TASK_SET, set_keys, "a set task", cs_build_set },
	{ "switch", CS_TASK_SWITCH, switch_keys, "a switch task", cs_build_switch },
	{ "for", CS_TASK_FOR, for_keys, "a for task", cs_build_for },
	{ "fork", CS_TASK_FORK, fork_keys, "a fork task", cs_build_fork },
	{ "try", CS_TASK_TRY, try_keys, "a try task", cs_build_try },
	{ "raise", CS_TASK_RAISE, raise_keys, "a raise task", cs_build_raise },
	{ "emit", CS_TASK_EMIT, emit_keys, "an emit task", cs_build_emit },
	{ "listen", CS_TASK_LISTEN, listen_keys, "a listen task", cs_build_listen },
	{ "run", CS_TASK_CALL, run_keys, "a run task", cs_build_run },
	{ "wait", CS_TASK_WAIT, wait_keys, "a wait task", cs_build_wait },
	{ "do", CS_TASK_DO, do_keys, "a do task", cs_build_do },
};

static const char *const kind_names[] = {
	[CS_TASK_DO] = "do", [CS_TASK_SET] = "set", [CS_TASK_SWITCH] = "switch", [CS_TASK_FOR] = "for",
	[CS_TASK_FORK] = "fork", [CS_TASK_TRY] = "try", [CS_TASK_RAISE] = "raise", [CS_TASK_EMIT] = "emit",
	[CS_TASK_CALL] = "call", [CS_TASK_WAIT] = "wait", [CS_TASK_LISTEN] = "listen",
	[CS_TASK_RUN] = "run",
};

const char *cs_task_kind_name(cs_task_kind k)
{
	return kind_names[k];
}

static void no_keyword(cs_build *b, const json_t *def)
{
	const char *words[CS_ARRAY_LEN(rows) + 1];
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		words[i] = rows[i].keyword;
	words[CS_ARRAY_LEN(rows)] = NULL;
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)def, key, v) {
		const char *near = cs_suggest(key, words);
		if (near) {
			cs_check_error_key(&b->c, key, "unknown key '%.80s' in a task; did you mean '%s'?", key, near);
			cs_diags_suggest(b->c.d, near);
			return;
		}
	}
	cs_check_error(&b->c, "a task needs one of call, do, emit, for, fork, listen, raise, run, set, switch, try, wait");
}

static void build_common(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	cs_task *t = &b->f->tasks[id];
	cs_build_template_key(b, def, "if", CS_TEMPLATE_BARE, &t->cond);
	int around = cs_build_secrets_for(b, id);
	b->secrets_in_input = true;
	cs_build_shape(b, def, "input", "from", &t->input_schema, &t->input_from);
	b->secrets_in_input = false;
	cs_build_secrets_for(b, around);
	cs_build_shape(b, def, "output", "as", &t->output_schema, &t->output_as);
	cs_build_shape(b, def, "export", "as", &t->export_schema, &t->export_as);
	t->then = cs_build_then(b, def, sibs);
	cs_build_timeout(b, def, &t->timeout);
	t->metadata = json_object_get(def, "metadata");
	cs_build_metadata(b, id, def, sibs);
}

static size_t row_of(const json_t *def)
{
	size_t i = 0;
	while (i < CS_ARRAY_LEN(rows) && !json_object_get(def, rows[i].keyword))
		i++;
	return i;
}

const char *cs_build_keyword(const json_t *def)
{
	size_t i = row_of(def);
	return i < CS_ARRAY_LEN(rows) ? rows[i].keyword : NULL;
}

void cs_build_task(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	if (!cs_check_type(&b->c, def, CS_IS_OBJECT, "a task"))
		return;
	size_t i = row_of(def);
	if (i == CS_ARRAY_LEN(rows)) {
		no_keyword(b, def);
		return;
	}
	if (!rows[i].build) {
		cs_check_error_key(&b->c, rows[i].keyword,
				   "'%s' is part of the language, but this version does not run it yet", rows[i].keyword);
		return;
	}
	b->f->tasks[id].kind = rows[i].kind;
	if (!cs_check_object(&b->c, def, rows[i].keys, rows[i].what))
		return;
	build_common(b, id, def, sibs);
	rows[i].build(b, id, def, sibs);
}
