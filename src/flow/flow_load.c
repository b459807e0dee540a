/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document's top level, and the life of a cs_flow. */
#include "flow/flow.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/flow_priv.h"

static const cs_key flow_keys[] = {
	{ "document", CS_IS_OBJECT | CS_KEY_REQUIRED }, { "input", CS_IS_OBJECT }, { "output", CS_IS_OBJECT },
	{ "use", CS_IS_OBJECT }, { "evaluate", CS_IS_OBJECT }, { "do", CS_IS_ARRAY | CS_KEY_REQUIRED },
	{ "timeout", CS_IS_STRING | CS_IS_OBJECT }, { "schedule", CS_IS_OBJECT }, { NULL, 0 },
};

static const cs_key document_keys[] = {
	{ "dsl", CS_IS_STRING | CS_KEY_REQUIRED }, { "namespace", CS_IS_STRING | CS_KEY_REQUIRED },
	{ "name", CS_IS_STRING | CS_KEY_REQUIRED }, { "version", CS_IS_STRING | CS_KEY_REQUIRED },
	{ "title", CS_IS_STRING }, { "summary", CS_IS_STRING }, { "tags", CS_IS_OBJECT }, { "metadata", CS_IS_OBJECT },
	{ NULL, 0 },
};

/* A DNS label: what the standard's schema asks of a name. */
static bool is_label(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-')
			return false;
	return true;
}

static const char *version_number(const char *s)
{
	const char *end = s;
	while (isdigit((unsigned char)*end))
		end++;
	return end == s || (*s == '0' && end > s + 1) ? NULL : end;
}

/* MAJOR.MINOR.PATCH with -pre and +build of semver.org. */
static bool is_version(const char *s)
{
	for (int i = 0; i < 3; i++) {
		s = version_number(s);
		if (!s || (i < 2 && *s++ != '.'))
			return false;
	}
	if (*s && *s != '-' && *s != '+')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-+.", *s))
			return false;
	return true;
}

static void check_member(cs_build *b, const json_t *doc, const char *key, bool (*ok)(const char *), const char *must)
{
	const char *text = cs_json_str(doc, key);
	if (!text || ok(text))
		return;
	size_t mark = cs_check_push(&b->c, key);
	cs_check_error(&b->c, "'%s' must be %s, not '%.80s'", key, must, text);
	cs_check_pop(&b->c, mark);
}

static bool is_our_dsl(const char *s)
{
	return is_version(s) && strncmp(s, "1.0.", 4) == 0;
}

static void build_document(cs_build *b, const json_t *doc)
{
	const json_t *v = json_object_get(doc, "document");
	size_t mark = cs_check_push(&b->c, "document");
	cs_check_object(&b->c, v, document_keys, "'document'");
	check_member(b, v, "dsl", is_our_dsl, "a version 1.0.x of the language");
	check_member(b, v, "namespace", is_label, "letters, digits and hyphens, 63 at most");
	check_member(b, v, "name", is_label, "letters, digits and hyphens, 63 at most");
	check_member(b, v, "version", is_version, "a semantic version like 1.0.0");
	cs_check_pop(&b->c, mark);
	b->f->ns = cs_xstrdup(cs_json_str_or(v, "namespace", ""));
	b->f->name = cs_xstrdup(cs_json_str_or(v, "name", ""));
	b->f->version = cs_xstrdup(cs_json_str_or(v, "version", ""));
}

static void check_evaluate(cs_build *b, const json_t *doc)
{
	static const cs_key keys[] = { { "language", CS_IS_STRING }, { "mode", CS_IS_STRING }, { NULL, 0 } };
	static const char *const modes[] = { "strict", "loose", NULL };
	const json_t *v = json_object_get(doc, "evaluate");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "evaluate");
	if (cs_check_object(&b->c, v, keys, "'evaluate'")) {
		const char *language = cs_json_str_or(v, "language", "jq");
		if (strcmp(language, "jq") != 0)
			cs_check_error_key(&b->c, "language", "expressions in '%.40s' are not evaluated by this version; write them in jq, the language that "
					   "every runtime knows", language);
		cs_check_word(&b->c, v, "mode", modes);
		b->loose = strcmp(cs_json_str_or(v, "mode", "strict"), "loose") == 0;
	}
	cs_check_pop(&b->c, mark);
}

static int by_ref(const void *a, const void *b, void *tasks)
{
	const cs_task *t = tasks;
	return strcmp(t[*(const int *)a].ref, t[*(const int *)b].ref);
}

/* What is only worth its time when the flow is good: digests, and the order by reference. */
static void finish(cs_flow *f)
{
	cs_json_digest(f->def, f->hash);
	for (int i = 0; i < f->n_tasks; i++)
		cs_json_digest(f->tasks[i].def, f->tasks[i].hash);
	f->by_ref = cs_xcalloc((size_t)f->n_tasks + 1, sizeof *f->by_ref);
	for (int i = 0; i < f->n_tasks; i++)
		f->by_ref[i] = i;
	qsort_r(f->by_ref, (size_t)f->n_tasks, sizeof *f->by_ref, by_ref, f->tasks);
}

static void build_flow(cs_build *b, json_t *doc)
{
	cs_flow *f = b->f;
	cs_check_object(&b->c, doc, flow_keys, "a flow");
	if (!json_is_object(doc))
		return;
	if (json_is_object(json_object_get(doc, "document")))
		build_document(b, doc);
	check_evaluate(b, doc);
	cs_build_use(b, doc);
	int around = cs_build_secrets_for(b, CS_SECRETS_FLOW);
	cs_build_shape(b, doc, "input", "from", &f->input_schema, &f->input_from);
	cs_build_secrets_for(b, around);
	cs_build_shape(b, doc, "output", "as", &f->output_schema, &f->output_as);
	cs_build_timeout(b, doc, &f->timeout);
	cs_build_schedule(b, doc);
	if (json_is_array(json_object_get(doc, "do"))) {
		size_t mark = cs_check_push(&b->c, "do");
		cs_build_list(b, json_object_get(doc, "do"), -1, false, false, "'do'", &f->roots, &f->n_roots);
		cs_check_pop(&b->c, mark);
	}
	cs_build_check_extensions(b);
	cs_build_check_mentions(b);
}

int cs_flow_new_in(json_t *doc, const cs_source *src, const cs_flow_world *w, cs_diags *d, cs_flow **ret)
{
	cs_flow *f = cs_xcalloc(1, sizeof *f);
	f->refs = 1;
	f->def = json_incref(doc);
	f->exprs = cs_exprset_new();
	cs_build *b CS_AUTOFREE = cs_xcalloc(1, sizeof *b);
	b->f = f;
	b->callable = w->callable;
	b->names = w->names;
	b->catalog = w->catalog;
	b->function = w->function;
	b->runbooks = w->runbooks;
	b->resource = w->resource;
	b->ctx = w->ctx;
	b->src = src;
	b->secrets_for = CS_SECRETS_NONE;
	cs_check_init(&b->c, NULL, src, d);
	size_t errors = d->errors;
	build_flow(b, doc);
	cs_build_fini(b);
	cs_gather(d->ask, &f->places, f->exprs);
	if (d->errors > errors) {
		cs_flow_unref(f);
		return CS_EINVAL;
	}
	finish(f);
	*ret = f;
	return CS_OK;
}

int cs_flow_new(json_t *doc, const cs_source *src, cs_callable_fn *callable, void *ctx, cs_diags *d, cs_flow **ret)
{
	return cs_flow_new_in(doc, src, &(cs_flow_world){ .callable = callable, .ctx = ctx }, d, ret);
}

static void catch_free(cs_catch *k)
{
	if (!k)
		return;
	cs_template_free(k->with);
	cs_template_free(k->when);
	cs_template_free(k->except_when);
	cs_template_free(k->retry_when);
	cs_template_free(k->retry_except_when);
	free(k->as);
	free(k);
}

static void task_fini(cs_task *t)
{
	cs_template *const templates[] = {
		t->cond, t->input_from, t->output_as, t->export_as, t->body, t->in, t->loop_while, t->ask_title, t->timeout, t->authentication,
	};
	char *const texts[] = { t->name, t->ref, t->each, t->at, t->call, t->place, t->secret };
	for (size_t i = 0; i < CS_ARRAY_LEN(templates); i++)
		cs_template_free(templates[i]);
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++)
		free(texts[i]);
	for (int i = 0; i < t->n_cases; i++) {
		free(t->cases[i].name);
		cs_template_free(t->cases[i].when);
	}
	free(t->cases);
	cs_schema_free(t->input_schema);
	cs_schema_free(t->output_schema);
	cs_schema_free(t->export_schema);
	free(t->children);
	free(t->handler);
	catch_free(t->catch);
	cs_listen_free(t->listen);
	json_decref(t->secrets);
	cs_sub_free(t->sub);
}

cs_flow *cs_flow_ref(const cs_flow *f)
{
	cs_flow *own = (cs_flow *)(uintptr_t)f;
	__atomic_add_fetch(&own->refs, 1, __ATOMIC_RELAXED);
	return own;
}

void cs_flow_unref(cs_flow *f)
{
	if (!f || __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (int i = 0; i < f->n_tasks; i++)
		task_fini(&f->tasks[i]);
	free(f->tasks);
	free(f->roots);
	free(f->by_ref);
	cs_schema_free(f->input_schema);
	cs_schema_free(f->output_schema);
	cs_template_free(f->input_from);
	cs_template_free(f->output_as);
	cs_template_free(f->timeout);
	cs_flow_schedule_free(f->schedule);
	cs_exprset_unref(f->exprs);
	cs_places_fini(&f->places);
	free(f->ns);
	free(f->name);
	free(f->version);
	json_decref(f->cataloged);
	json_decref(f->resources);
	json_decref(f->made);
	json_decref(f->secrets);
	json_decref(f->granted);
	json_decref(f->def);
	free(f);
}

const cs_task *cs_flow_extended(const cs_flow *f, const cs_task *t)
{
	return t->role == CS_ROLE_EXTENSION ? &f->tasks[t->extended] : t;
}

const cs_task *cs_flow_task(const cs_flow *f, const char *ref)
{
	int low = 0, high = f->n_tasks - 1;
	while (low <= high) {
		int mid = low + (high - low) / 2;
		const cs_task *t = &f->tasks[f->by_ref[mid]];
		int r = strcmp(ref, t->ref);
		if (r == 0)
			return t;
		if (r < 0)
			high = mid - 1;
		else
			low = mid + 1;
	}
	return NULL;
}

bool cs_flow_grants(const cs_flow *f, const cs_task *t, const char *dotted)
{
	for (; t; t = t->parent >= 0 ? &f->tasks[t->parent] : NULL)
		if (json_object_get(t->secrets, dotted))
			return true;
	return json_object_get(f->granted, dotted) != NULL;
}
