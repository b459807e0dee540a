/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/function.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/function_priv.h"
#include "flow/text.h"

enum {
	TIMEOUT_MS = 30000,
	TIMEOUT_MAX_MS = 24 * 3600 * 1000,
	ATTEMPTS_MAX = 100,
	DELAY_MS = 1000,
	DELAY_MAX_MS = 300000,
	NAME_MAX_BYTES = 63,
};

cs_function *cs_function_new(cs_function_kind kind, const char *name, const json_t *def)
{
	cs_function *f = cs_xcalloc(1, sizeof *f);
	f->kind = kind;
	f->name = cs_xstrdup(name);
	f->def = json_incref((json_t *)(uintptr_t)def);
	f->effect = CS_EFFECT_UNSAFE;
	f->touches = json_array();
	f->timeout_ms = TIMEOUT_MS;
	f->attempts = 1;
	f->delay_ms = DELAY_MS;
	f->max_delay_ms = DELAY_MAX_MS;
	f->exprs = cs_exprset_new();
	cs_json_digest(def, f->hash);
	return f;
}

void cs_function_free(cs_function *f)
{
	if (!f)
		return;
	cs_template_free(f->card);
	cs_template_free(f->request);
	cs_template_free(f->fails);
	cs_template_free(f->result);
	cs_template_free(f->reach);
	cs_template_free(f->once);
	cs_template_free(f->text);
	cs_template_free(f->reverse_with);
	cs_template_free(f->probe_with);
	cs_template_free(f->found);
	cs_exprset_unref(f->exprs);
	cs_places_fini(&f->places);
	cs_schema_free(f->input);
	cs_schema_free(f->output);
	json_decref(f->def);
	json_decref(f->connector_def);
	json_decref(f->touches);
	free(f->name);
	free(f->performer);
	free(f->connector);
	free(f->keyed_header);
	free(f->reverse_call);
	free(f->reverse_file);
	free(f->probe_call);
	free(f->probe_file);
	free(f);
}

int cs_function_checked(cs_function *f, size_t errors, cs_diags *d, cs_function **ret)
{
	if (f)
		cs_gather(d->ask, &f->places, f->exprs);
	if (d->errors > errors) {
		cs_function_free(f);
		return CS_EINVAL;
	}
	*ret = f;
	return CS_OK;
}

bool cs_function_computes(const cs_function *f)
{
	return f->kind == CS_FUNCTION_AGENT && f->performer && (strcmp(f->performer, "rules") == 0 || strcmp(f->performer, "text") == 0);
}

bool cs_function_check_name(cs_check *c, const char *name, const char *what)
{
	size_t n = strlen(name);
	bool ok = n > 0 && n <= NAME_MAX_BYTES && isalnum((unsigned char)name[0]);
	for (const char *p = name; *p && ok; p++)
		ok = isalnum((unsigned char)*p) || *p == '-' || *p == '_';
	if (!ok)
		cs_check_error(c, "%s must be letters, digits, - and _, 63 at most, not '%.80s'", what, name);
	return ok;
}

bool cs_function_check_url(cs_check *c, const char *url)
{
	size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
	bool ok = scheme && !strchr("/?#:@", url[scheme]);
	size_t host = scheme + strcspn(url + scheme, "/?#");
	for (size_t i = scheme; ok && i < host; i++)
		ok = url[i] != '@';
	for (const char *p = url; *p && ok; p++)
		ok = (unsigned char)*p > ' ' && *p != 0x7F && *p != '#' && *p != '\\';
	if (!ok)
		cs_check_error(c, "'url' must be an http or https URL with a host and without a user, like https://api.example.com, not '%.80s'", url);
	return ok;
}

typedef struct template_place {
	cs_check *c;
	cs_function *f;
} template_place;

static int no_variables(void *ctx, const cs_expr *e, const char *pointer)
{
	const template_place *at = ctx;
	cs_check *c = at->c;
	cs_places_note(&at->f->places, c, e, pointer);
	const char *const *vars = cs_expr_vars(e);
	if (cs_expr_refused(e))
		cs_check_warn_below(c, pointer, "this will fault its task with an expression error: %s", cs_expr_refused(e));
	if (*vars)
		cs_check_error_below(c, pointer, "'$%s' is not known here; an expression in this file sees its input as '.'", *vars);
	return 0;
}

static void check_template(cs_check *c, cs_function *f, const json_t *v, cs_template **ret);

/* A template ends at its first error: each part by itself has the others told as well. */
static void check_parts(cs_check *c, cs_function *f, const json_t *v)
{
	const char *key;
	json_t *part;
	json_object_foreach((json_t *)(uintptr_t)v, key, part) {
		cs_template *t CS_CLEANUP(cs_template_freep) = NULL;
		size_t mark = cs_check_push(c, key);
		check_template(c, f, part, &t);
		cs_check_pop(c, mark);
	}
}

static void check_template(cs_check *c, cs_function *f, const json_t *v, cs_template **ret)
{
	char pointer[CS_TEMPLATE_POINTER] = "";
	cs_err err = { 0 };
	if (cs_template_new(f->exprs, v, CS_TEMPLATE_STRICT, ret, &err, pointer) == 0)
		cs_template_each(*ret, no_variables, &(template_place){ .c = c, .f = f });
	else if (json_is_object(v) && err.code != CS_ETOOBIG)
		check_parts(c, f, v);
	else
		cs_check_error_below(c, pointer, "%s", err.msg);
}

void cs_function_template(cs_check *c, cs_function *f, const json_t *obj, const char *key, cs_template **ret)
{
	const json_t *v = json_object_get(obj, key);
	if (!v)
		return;
	size_t mark = cs_check_push(c, key);
	check_template(c, f, v, ret);
	cs_check_pop(c, mark);
}

void cs_function_text(cs_check *c, cs_function *f, const json_t *obj, const char *key, bool keep_whole, cs_template **ret)
{
	const char *text = cs_json_str(obj, key);
	json_t *value CS_AUTOJSON = NULL;
	cs_err err = { 0 };
	if (!text)
		return;
	size_t mark = cs_check_push(c, key);
	if (cs_text_value(text, keep_whole, &value, &err) < 0)
		cs_check_error(c, "%s", err.msg);
	else
		check_template(c, f, value, ret);
	cs_check_pop(c, mark);
}

void cs_function_expression(cs_check *c, cs_function *f, const json_t *obj, const char *key, cs_template **ret)
{
	cs_function_template(c, f, obj, key, ret);
	if (!*ret || !cs_template_is_const(*ret))
		return;
	size_t mark = cs_check_push(c, key);
	cs_check_error(c, "'%s' must be an expression; write it as '${ … }'", key);
	cs_check_pop(c, mark);
}

static void read_schema(cs_check *c, const json_t *obj, const char *key, cs_schema **ret)
{
	const json_t *v = json_object_get(obj, key);
	cs_err err = { 0 };
	if (!v)
		return;
	size_t mark = cs_check_push(c, key);
	if (cs_schema_new(v, CS_SCHEMA_2020_12, NULL, ret, &err) < 0)
		cs_check_error(c, "%s", err.msg);
	cs_check_pop(c, mark);
}

static void read_touches(cs_check *c, const json_t *obj, cs_function *f)
{
	const json_t *list = json_object_get(obj, "touches"), *word;
	size_t i, mark = cs_check_push(c, "touches");
	json_array_foreach(list, i, word) {
		size_t inner = cs_check_push_index(c, i);
		if (!json_is_string(word) || json_string_length(word) == 0)
			cs_check_error(c, "'touches' lists words, like personal or contract");
		else
			json_array_append(f->touches, (json_t *)(uintptr_t)word);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

/* "20%" */
static void read_jitter(cs_check *c, const json_t *retry, cs_function *f)
{
	const char *text = json_string_value(json_object_get(retry, "jitter"));
	if (!text)
		return;
	char *end = NULL;
	unsigned long n = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 101;
	if (n <= 100 && end && strcmp(end, "%") == 0) {
		f->jitter_percent = (unsigned)n;
		return;
	}
	size_t mark = cs_check_push(c, "jitter");
	cs_check_error(c, "'jitter' is a share of the delay from 0%% to 100%%, like '20%%'");
	cs_check_pop(c, mark);
}

static void read_retry(cs_check *c, const json_t *obj, cs_function *f)
{
	static const cs_key keys[] = {
		{ "attempts", CS_IS_INTEGER | CS_KEY_REQUIRED }, { "backoff", CS_IS_STRING }, { "delay", CS_IS_STRING },
		{ "jitter", CS_IS_STRING }, { NULL, 0 },
	};
	static const char *const backoffs[] = { "constant", "linear", "exponential", NULL };
	const json_t *retry = json_object_get(obj, "retry");
	if (!retry)
		return;
	size_t mark = cs_check_push(c, "retry");
	if (cs_check_object(c, retry, keys, "'retry'")) {
		int64_t n = cs_json_int_or(retry, "attempts", 1);
		if (n < 1 || n > ATTEMPTS_MAX)
			cs_check_error(c, "'attempts' must be between 1 and %d", ATTEMPTS_MAX);
		else
			f->attempts = (unsigned)n;
		int word = cs_check_word(c, retry, "backoff", backoffs);
		f->backoff = word > 0 ? (unsigned)word : 0;
		cs_check_duration_key(c, retry, "delay", &f->delay_ms);
		read_jitter(c, retry, f);
	}
	cs_check_pop(c, mark);
}

void cs_function_common(cs_check *c, const json_t *obj, cs_function *f)
{
	const char *effect = cs_json_str(obj, "effect");
	cs_err err = { 0 };
	if (effect && cs_effect_class_parse(effect, &f->effect, &err) < 0) {
		size_t mark = cs_check_push(c, "effect");
		cs_check_error(c, "'effect' must be one of pure, read, keyed, probe, unsafe, not '%.40s'", effect);
		cs_check_pop(c, mark);
	}
	read_touches(c, obj, f);
	read_schema(c, obj, "input", &f->input);
	read_schema(c, obj, "output", &f->output);
	if (cs_check_duration_key(c, obj, "timeout", &f->timeout_ms)
	    && (f->timeout_ms < 1 || f->timeout_ms > TIMEOUT_MAX_MS)) {
		size_t mark = cs_check_push(c, "timeout");
		cs_check_error(c, "'timeout' must be longer than nothing and at most a day");
		cs_check_pop(c, mark);
	}
	read_retry(c, obj, f);
}

void cs_function_reverse(cs_check *c, const json_t *obj, cs_function *f)
{
	static const cs_key keys[] = { { "call", CS_IS_STRING | CS_KEY_REQUIRED }, { "with", CS_IS_OBJECT | CS_IS_STRING }, { NULL, 0 } };
	const json_t *v = json_object_get(obj, "reverse");
	const char *text = json_string_value(v);
	if (!v)
		return;
	f->reverse_none = text && strcmp(text, "none") == 0;
	size_t mark = cs_check_push(c, "reverse");
	if (text && !f->reverse_none) {
		cs_check_error(c, "'reverse' is 'none', or says what takes it back: { call: NAME, with: { … } }, not '%.40s'", text);
	} else if (!text && !cs_effect_class_sends(f->effect)) {
		cs_check_error(c, "'reverse' belongs to what does something outside; this one is '%s'", cs_effect_class_name(f->effect));
	} else if (!text && cs_check_object(c, v, keys, "'reverse'")) {
		f->reverse_call = cs_xstrdup(cs_json_str(v, "call"));
		f->reverse_file = cs_xstrdup(c->file);
		cs_check_place(c, "/call", &f->reverse_line, &f->reverse_col);
		cs_function_template(c, f, v, "with", &f->reverse_with);
	}
	cs_check_pop(c, mark);
}
