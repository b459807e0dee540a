/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run: shell commands and scripts; what else the language runs is refused by name.
 * Source: dsl-reference.md, "Run", "Shell Process", "Script Process". */
#include "flow/flow_priv.h"

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
	{ "language", CS_IS_STRING | CS_KEY_REQUIRED }, { "code", CS_IS_STRING | CS_KEY_REQUIRED }, { "stdin", CS_IS_STRING },
	{ "arguments", CS_IS_ARRAY | CS_IS_OBJECT | CS_IS_STRING }, { "environment", CS_IS_OBJECT | CS_IS_STRING },
	{ "source", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
};

static const struct {
	const char *key, *function, *what;
	const cs_key *keys;
	const char *refused;      /* NULL: it runs */
} processes[] = {
	{ "shell", "run.shell", "'shell'", shell_keys, NULL },
	{ "script", "run.script", "'script'", script_keys, NULL },
	{ "container", NULL, NULL, NULL, "this version does not run containers; run the program itself with 'shell', or make it an agent of kind shell that is confined" },
	{ "workflow", NULL, NULL, NULL, "'run: workflow' is part of the language, but this version does not run it yet; write the tasks as a function of 'use.functions'" },
};

static void check_process(cs_build *b, size_t i, const json_t *v)
{
	size_t mark = cs_check_push(&b->c, processes[i].key);
	if (cs_check_object(&b->c, v, processes[i].keys, processes[i].what)) {
		cs_check_word(&b->c, v, "language", languages);
		if (json_is_object(json_object_get(v, "arguments")))
			cs_check_error_key(&b->c, "arguments", "arguments by name are part of the language, but this version does not pass them yet; write a list");
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_run(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	json_t *run = json_object_get(def, "run");
	size_t errors = b->c.d->errors, mark = cs_check_push(&b->c, "run"), given = CS_ARRAY_LEN(processes), n = 0;
	(void)sibs;
	if (cs_check_object(&b->c, run, run_keys, "'run'")) {
		for (size_t i = 0; i < CS_ARRAY_LEN(processes); i++)
			if (json_object_get(run, processes[i].key)) {
				given = i;
				n++;
			}
		if (n != 1)
			cs_check_error(&b->c, "'run' needs exactly one of shell, script, container, workflow");
		else if (processes[given].refused)
			cs_check_error_key(&b->c, processes[given].key, "%s", processes[given].refused);
		else
			check_process(b, given, json_object_get(run, processes[given].key));
		cs_check_word(&b->c, run, "return", returns);
		if (json_is_false(json_object_get(run, "await")))
			cs_check_error_key(&b->c, "await", "'await: false' is part of the language, but this version does not run it yet; what it starts is always awaited");
	}
	if (b->c.d->errors == errors) {
		b->f->tasks[id].call = cs_xstrdup(processes[given].function);
		int around = cs_build_secrets_for(b, id);
		cs_build_template(b, run, CS_TEMPLATE_STRICT, &b->f->tasks[id].body);
		cs_build_secrets_for(b, around);
	}
	cs_check_pop(&b->c, mark);
}
