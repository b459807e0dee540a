/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/workspace_priv.h"

#include <fnmatch.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

static bool fits_any(const char *pattern, const char *const *names)
{
	for (; *names; names++)
		if (fnmatch(pattern, *names, 0) == 0)
			return true;
	return false;
}

static void check_name(cs_check *c, const json_t *when, const char *key, const char *what, const char *const *names)
{
	const char *name = cs_json_str(when, key);
	if (!name || fits_any(name, names))
		return;
	size_t mark = cs_check_push(c, key);
	if (is_pattern(name))
		cs_check_warn(c, NULL, "no %s fits '%.80s', so this rule never holds; mend the pattern, or remove the rule", what, name);
	else if (cs_suggest(name, names))
		cs_check_error(c, "no %s is named '%.80s', so this rule would never hold; did you mean '%s'?", what, name, cs_suggest(name, names));
	else
		cs_check_error(c, "no %s is named '%.80s', so this rule would never hold; mend the name, or remove the rule", what, name);
	cs_diags_suggest(c->d, cs_suggest(name, names));
	cs_check_pop(c, mark);
}

static void check_flow(cs_check *c, const cs_workspace *w, const json_t *when)
{
	const char **names CS_AUTOFREE = cs_xcalloc(w->n_flows + 1, sizeof *names);
	for (size_t i = 0; i < w->n_flows; i++)
		names[i] = w->flows[i]->name;
	check_name(c, when, "flow", "flow", names);
}

static void check_agent(cs_check *c, const cs_workspace *w, const json_t *when)
{
	const char **names CS_AUTOFREE = cs_xcalloc(w->n_functions + 1, sizeof *names);
	size_t n = 0;
	for (size_t i = 0; i < w->n_functions; i++)
		if (w->functions[i]->kind == CS_FUNCTION_AGENT)
			names[n++] = w->functions[i]->name;
	check_name(c, when, "agent", "agent", names);
}

/* Every word that an agent or an operation says it touches, each as often as it is said. */
static const char **all_touches(const cs_workspace *w)
{
	size_t n = 0, i, k;
	const json_t *word;
	for (i = 0; i < w->n_functions; i++)
		n += json_array_size(w->functions[i]->touches);
	const char **words = cs_xcalloc(n + 1, sizeof *words);
	n = 0;
	for (i = 0; i < w->n_functions; i++)
		json_array_foreach(w->functions[i]->touches, k, word)
			words[n++] = json_string_value(word);
	return words;
}

static void check_touches(cs_check *c, const cs_workspace *w, const json_t *when)
{
	const char **words CS_AUTOFREE = all_touches(w);
	const json_t *item;
	size_t i, mark = cs_check_push(c, "touches");
	json_array_foreach(json_object_get(when, "touches"), i, item) {
		const char *word = json_string_value(item), *near = word ? cs_suggest(word, words) : NULL;
		const char *const *known = words;
		while (word && *known && strcmp(*known, word) != 0)
			known++;
		if (!word || *known)
			continue;
		size_t inner = cs_check_push_index(c, i);
		if (near)
			cs_check_warn(c, NULL, "no agent or operation touches '%.80s'; did you mean '%s'?", word, near);
		else
			cs_check_warn(c, NULL, "no agent or operation touches '%.80s'; say it in their 'touches', or remove it here", word);
		cs_diags_suggest(c->d, near);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

void cs_policy_check_names(cs_check *c, const cs_workspace *w, const json_t *when)
{
	check_name(c, when, "call", "function", w->callables);
	check_flow(c, w, when);
	check_agent(c, w, when);
	check_touches(c, w, when);
}
