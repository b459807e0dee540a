/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/secret.h"

#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/expr_internal.h"

enum { TAG_DIGITS = 24, TEXT_MAX = 32 << 20 };

bool cs_secret_name_ok(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < n; i++)
		if (!cs_ascii_alpha(name[i]) && !cs_ascii_digit(name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	return n > 0 && n <= 63;
}

/* ---- what an expression does with them ---- */

/* What a node's value has of secrets. */
typedef enum has { NOTHING, THE_MAP, A_SECRET, A_MEMBER, WITHIN, COMPUTED } has;

struct walk {
	const cs_expr *e;
	cs_secret_named_fn *fn;
	void *ctx;
};

static has look(const struct walk *w, uint16_t at, bool used);

/* The name at KEY, of `$secrets` or of a secret that is an object. USED: nothing goes further down. */
static has look_key(const struct walk *w, const cs_node *n, bool used)
{
	has below = look(w, n->a, false);
	const char *key = json_string_value(n->value);
	if (below == NOTHING)
		return NOTHING;
	if (below == THE_MAP && cs_secret_name_ok(key)) {
		if (used)
			w->fn(w->ctx, key);
		return A_SECRET;
	}
	if (below != A_SECRET || !cs_secret_name_ok(key))
		return COMPUTED;
	char *dotted CS_AUTOFREE = cs_xasprintf("%s.%s", json_string_value(w->e->nodes[n->a].value), key);
	if (used)
		w->fn(w->ctx, dotted);
	return used ? A_MEMBER : COMPUTED;
}

/* A part that is given on as it is, or within something made of it. */
static has look_part(const struct walk *w, uint16_t at)
{
	has part = look(w, at, true);
	if (part == THE_MAP)
		return COMPUTED;
	return part == NOTHING || part == COMPUTED ? part : WITHIN;
}

static has both(has a, has b)
{
	return a > b ? a : b;
}

static has look_items(const struct walk *w, const cs_node *n)
{
	has all = NOTHING;
	for (uint16_t i = n->a; i != CS_NO_NODE; i = w->e->nodes[i].next)
		if (w->e->nodes[i].a != CS_NO_NODE)
			all = both(all, look_part(w, w->e->nodes[i].a));
	return all;
}

/* Any other operation: none of its operands may have a secret. */
static has look_operands(const struct walk *w, const cs_node *n)
{
	const uint16_t operands[] = { n->a, n->b, n->c };
	for (size_t i = 0; i < CS_ARRAY_LEN(operands); i++)
		if (operands[i] != CS_NO_NODE && look(w, operands[i], true) != NOTHING)
			return COMPUTED;
	return NOTHING;
}

static has look(const struct walk *w, uint16_t at, bool used)
{
	const cs_node *n = &w->e->nodes[at];
	switch ((cs_op)n->op) {
	case CS_OP_DOT:
	case CS_OP_CONST:
		return NOTHING;
	case CS_OP_VAR:
		return strcmp(n->name, "secrets") == 0 ? THE_MAP : NOTHING;
	case CS_OP_KEY:
		return look_key(w, n, used);
	case CS_OP_TEXT:
	case CS_OP_ARRAY:
	case CS_OP_OBJECT:
		return look_items(w, n);
	case CS_OP_PLUS:
		return both(look_part(w, n->a), look_part(w, n->b));
	case CS_OP_IF:
		return look(w, n->a, true) != NOTHING ? COMPUTED : both(look_part(w, n->b), look_part(w, n->c));
	case CS_OP_ALT:
	case CS_OP_PIPE:
		return look(w, n->a, true) != NOTHING ? COMPUTED : look_part(w, n->b);
	default:
		return look_operands(w, n);
	}
}

int cs_expr_secrets(const cs_expr *e, cs_secret_named_fn *fn, void *ctx, cs_err *err)
{
	const struct walk w = { .e = e, .fn = fn, .ctx = ctx };
	has all = e->plain ? look_part(&w, e->root) : COMPUTED;
	if (all != COMPUTED)
		return CS_OK;
	return cs_err_set(err, CS_EINVAL, "a secret's value is there only when a request is made, so nothing can be computed from it; "
			  "write `$secrets.NAME` by itself, or within a text as in \"Bearer \\($secrets.NAME)\"");
}

/* ---- stand-ins ---- */

char *cs_secret_stand_in(const char *dotted, const char *hex)
{
	return cs_xasprintf("~secret.%s.%.*s~", dotted, (int)TAG_DIGITS, hex);
}

bool cs_secret_is_in(const json_t *v, const char *in)
{
	const char *key;
	json_t *inner;
	size_t i;
	if (json_is_string(v))
		return strstr(json_string_value(v), in) != NULL;
	json_array_foreach((json_t *)(uintptr_t)v, i, inner)
		if (cs_secret_is_in(inner, in))
			return true;
	json_object_foreach((json_t *)(uintptr_t)v, key, inner)
		if (strstr(key, in) || cs_secret_is_in(inner, in))
			return true;
	return false;
}

void cs_swaps_add(cs_swaps *s, const char *from, const char *to)
{
	s->list = cs_xrealloc(s->list, (s->n + 1) * sizeof *s->list);
	s->list[s->n++] = (cs_swap){ .from = cs_xstrdup(from), .to = cs_xstrdup(to) };
}

void cs_swaps_fini(cs_swaps *s)
{
	for (size_t i = 0; i < s->n; i++) {
		explicit_bzero(s->list[i].to, strlen(s->list[i].to));
		free(s->list[i].to);
		free(s->list[i].from);
	}
	free(s->list);
	*s = (cs_swaps){ 0 };
}

static void add_value(const char *value, bool percent, cs_buf *out)
{
	for (; *value; value++) {
		bool plain = cs_ascii_alpha(*value) || cs_ascii_digit(*value) || strchr("-._~", *value) != NULL;
		if (plain || !percent)
			cs_buf_addc(out, *value);
		else
			cs_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*value);
	}
}

/* The stand-in that begins at P, which a NUL ends. */
static const cs_swap *at(const cs_swaps *s, const char *p)
{
	for (size_t i = 0; *p == '~' && i < s->n; i++)
		if (strncmp(p, s->list[i].from, strlen(s->list[i].from)) == 0)
			return &s->list[i];
	return NULL;
}

int cs_swaps_text(const cs_swaps *s, const char *text, size_t n, bool percent, cs_buf *out)
{
	for (size_t i = 0; i < n;) {
		const cs_swap *swap = at(s, text + i);
		if (!swap) {
			cs_buf_addc(out, text[i++]);
			continue;
		}
		add_value(swap->to, percent, out);
		i += strlen(swap->from);
	}
	return out->failed;
}

static bool any_in(const cs_swaps *s, const json_t *v)
{
	for (size_t i = 0; i < s->n; i++)
		if (cs_secret_is_in(v, s->list[i].from))
			return true;
	return false;
}

static json_t *swap_string(const cs_swaps *s, json_t *v)
{
	cs_buf out;
	cs_buf_init(&out, TEXT_MAX);
	cs_swaps_text(s, json_string_value(v), json_string_length(v), false, &out);
	json_t *made = out.failed ? NULL : json_stringn(cs_buf_str(&out), out.len);
	if (out.len > 0)
		explicit_bzero(out.data, out.len);
	cs_buf_fini(&out);
	return made ? made : json_incref(v);     /* too long for any request: left as it was, it is refused there */
}

json_t *cs_swaps_json(const cs_swaps *s, json_t *v)
{
	const char *key;
	json_t *inner, *out;
	size_t i;
	if (!v || !any_in(s, v))
		return json_incref(v);
	if (json_is_string(v))
		return swap_string(s, v);
	if (json_is_array(v)) {
		out = json_array();
		json_array_foreach(v, i, inner)
			json_array_append_new(out, cs_swaps_json(s, inner));
		return out;
	}
	out = json_object();
	json_object_foreach(v, key, inner)
		json_object_set_new(out, key, cs_swaps_json(s, inner));
	return out;
}
