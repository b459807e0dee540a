/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a flow may name a secret, and which ones its tasks are granted.
 * Source: dsl.md, "Secret" and "Runtime expression arguments". */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/secret.h"

int cs_build_secrets_for(cs_build *b, int owner)
{
	int before = b->secrets_for;
	b->secrets_for = owner;
	return before;
}

bool cs_build_secret_listed(cs_build *b, const char *name)
{
	return cs_json_lists(json_object_get(json_object_get(b->f->def, "use"), "secrets"), name);
}

static void put(json_t **set, const char *dotted)
{
	if (!*set)
		*set = json_object();
	json_object_set_new(*set, dotted, json_true());
}

void cs_build_grant(cs_build *b, int owner, const char *dotted)
{
	put(&b->f->secrets, dotted);
	put(owner >= 0 ? &b->f->tasks[owner].secrets : &b->f->granted, dotted);
}

struct naming {
	cs_build *b;
	const char *pointer;
};

/* One name is one text, or has members: both at once cannot be given. */
static bool clashes(const json_t *known, const char *dotted)
{
	const char *other, *dot = strchr(dotted, '.');
	json_t *v;
	size_t n = dot ? (size_t)(dot - dotted) : strlen(dotted);
	json_object_foreach((json_t *)(uintptr_t)known, other, v)
		if (strncmp(other, dotted, n) == 0 && (other[n] == '.' ? !dot : other[n] == '\0' && dot))
			return true;
	return false;
}

static void named(void *ctx, const char *dotted)
{
	const struct naming *n = ctx;
	cs_build *b = n->b;
	char *name CS_AUTOFREE = cs_xstrndup(dotted, strcspn(dotted, "."));
	if (!cs_build_secret_listed(b, name))
		cs_check_error_below(&b->c, n->pointer, "'use.secrets' names no '%.80s'; what is not listed there is not given", name);
	else if (clashes(b->f->secrets, dotted))
		cs_check_error_below(&b->c, n->pointer, "the secret '%.80s' is taken here as a whole and there by its members; take it one way", name);
	else
		cs_build_grant(b, b->secrets_for, dotted);
}

/* The arguments and the text of a program can be read by everyone on the machine. */
static bool given_to_process(const char *pointer)
{
	return strstr(pointer, "/stdin") == pointer + strcspn(pointer + 1, "/") + 1 ||
	       strstr(pointer, "/environment") == pointer + strcspn(pointer + 1, "/") + 1;
}

void cs_build_secrets(cs_build *b, const cs_expr *e, const char *pointer)
{
	struct naming n = { .b = b, .pointer = pointer };
	cs_err err = { 0 };
	if (b->secrets_for == CS_SECRETS_NONE) {
		cs_check_error_below(&b->c, pointer, "'$secrets' is not known here: a secret stands in 'input.from', in the 'with' of a call that goes "
				     "out, and in the 'stdin' and 'environment' of 'run'");
		return;
	}
	const char *call = b->secrets_for >= 0 ? b->f->tasks[b->secrets_for].call : NULL;
	if (call && strncmp(call, "run.", 4) == 0 && !b->secrets_in_input && !given_to_process(pointer))
		cs_check_error_below(&b->c, pointer, "a secret may stand in 'stdin' and in 'environment' only: everyone on the machine can read a program's arguments");
	else if (cs_expr_secrets(e, named, &n, &err) != CS_OK)
		cs_check_error_below(&b->c, pointer, "%s", err.msg);
}
