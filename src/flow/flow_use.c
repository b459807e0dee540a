/* SPDX-License-Identifier: GPL-3.0-or-later */
/* use: definitions that tasks name. This version obeys errors, retries and timeouts. */
#include "flow/flow_priv.h"

#include "base/mem.h"

static const cs_key use_keys[] = {
	{ "errors", CS_IS_OBJECT }, { "retries", CS_IS_OBJECT },
	{ "authentications", CS_IS_OBJECT }, { "catalogs", CS_IS_OBJECT },
	{ "extensions", CS_IS_ARRAY }, { "functions", CS_IS_OBJECT },
	{ "timeouts", CS_IS_OBJECT }, { "secrets", CS_IS_ARRAY }, { NULL, 0 },
};

/* Definitions are compiled where they are named, because there the variables are known; what
 * nobody names is still looked at here. */
void cs_build_use(cs_build *b, json_t *doc)
{
	const json_t *use = json_object_get(doc, "use");
	if (!use)
		return;
	size_t mark = cs_check_push(&b->c, "use");
	if (cs_check_object(&b->c, use, use_keys, "'use'")) {
		const char *name;
		json_t *v;
		size_t inner = cs_check_push(&b->c, "errors");
		json_object_foreach(json_object_get(use, "errors"), name, v) {
			size_t at = cs_check_push(&b->c, name);
			cs_check_error_definition(b, v);
			cs_check_pop(&b->c, at);
		}
		cs_check_pop(&b->c, inner);
		cs_check_push(&b->c, "retries");
		json_object_foreach(json_object_get(use, "retries"), name, v) {
			size_t at = cs_check_push(&b->c, name);
			cs_check_type(&b->c, v, CS_IS_OBJECT, "a retry policy");
			cs_check_pop(&b->c, at);
		}
		cs_check_pop(&b->c, inner);
		cs_build_use_functions(b, use);
		cs_build_use_extensions(b, use);
		cs_build_use_authentications(b, use);
	}
	cs_check_pop(&b->c, mark);
}

json_t *cs_use_find(cs_build *b, const char *section, const char *name, cs_check *ret_saved)
{
	json_t *all = json_object_get(json_object_get(b->f->def, "use"), section);
	json_t *v = json_object_get(all, name), *other;
	if (!v) {
		size_t n = 0;
		const char **names CS_AUTOFREE = cs_xcalloc(json_object_size(all) + 1, sizeof *names);
		const char *key;
		json_object_foreach(all, key, other)
			names[n++] = key;
		const char *near = cs_suggest(name, names);
		cs_check_error(&b->c, "'use.%s' defines no '%.80s'%s%s%s", section, name, near ? "; did you mean '" : "",
			       near ? near : "", near ? "'?" : "");
		cs_diags_suggest(b->c.d, near);
		return NULL;
	}
	*ret_saved = b->c;
	cs_check_pop(&b->c, 0);
	cs_check_push(&b->c, "use");
	cs_check_push(&b->c, section);
	cs_check_push(&b->c, name);
	return v;
}

void cs_use_done(cs_build *b, const cs_check *saved)
{
	b->c = *saved;
}
