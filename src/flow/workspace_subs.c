/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run: workflow between the flows of a workspace: each is there, in that version, and none comes to
 * itself again. */
#include "flow/workspace.h"

#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "flow/workspace_priv.h"

const cs_flow *cs_workspace_sub(const cs_workspace *w, const cs_sub *s)
{
	bool latest = strcmp(s->version, "latest") == 0;
	CS_AUTOFREE char *name = latest ? cs_xasprintf("%s/%s", s->ns, s->name) : cs_xasprintf("%s/%s:%s", s->ns, s->name, s->version);
	return cs_workspace_flow(w, name);
}

static bool same(const cs_flow *a, const cs_flow *b)
{
	return strcmp(a->ns, b->ns) == 0 && strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0;
}

/* The way from the flow that is looked at down to F; false when it closes or is too long. */
struct way {
	const cs_workspace *w;
	const cs_flow *on[CS_SUB_DEPTH];
	int n;
	int budget;              /* of flows looked at: each way down is walked */
	const cs_flow *again;    /* the flow that the way comes back to */
};

static bool walk(struct way *y, const cs_flow *f)
{
	if (y->n == CS_SUB_DEPTH || y->budget-- <= 0)
		return false;
	for (int i = 0; i < y->n; i++)
		if (same(y->on[i], f)) {
			y->again = f;
			return false;
		}
	y->on[y->n++] = f;
	for (int i = 0; f->n_subs > 0 && i < f->n_tasks; i++) {
		const cs_sub *s = f->tasks[i].sub;
		const cs_flow *next = s != NULL && s->name != NULL ? cs_workspace_sub(y->w, s) : NULL;
		if (next != NULL && !walk(y, next))
			return false;
	}
	y->n--;
	return true;
}

static void check_sub(const cs_workspace *w, const cs_flow *f, const cs_sub_place *p, cs_diags *d)
{
	const cs_sub *s = f->tasks[p->task].sub;
	const cs_flow *next = cs_workspace_sub(w, s), *any = NULL;
	if (next == NULL) {
		CS_AUTOFREE char *name = cs_xasprintf("%s/%s", s->ns, s->name);
		any = cs_workspace_flow(w, name);
		if (any != NULL)
			cs_diags_add(d, false, p->file, p->line, p->col, "the flow %.80s is not here in version %.40s; there is %.40s", name, s->version, any->version);
		else
			cs_diags_add(d, false, p->file, p->line, p->col, "there is no flow %.120s in this workspace", name);
		return;
	}
	enum { BUDGET = 4096 };
	struct way y = { .w = w, .on = { f }, .n = 1, .budget = BUDGET };
	if (walk(&y, next))
		return;
	if (y.again != NULL)
		cs_diags_add(d, false, p->file, p->line, p->col, "to run %.80s here leads back to %.80s, without end; a loop is written with 'for' or 'then'",
			     next->name, y.again->name);
	else
		cs_diags_add(d, false, p->file, p->line, p->col, "flows run flows more than %d deep here, or too many of them; run fewer through each other", CS_SUB_DEPTH);
}

void cs_sub_places_note(cs_sub_places *l, const cs_flow *f, const cs_source *src, const char *file)
{
	for (int i = 0; f->n_subs > 0 && i < f->n_tasks; i++) {
		const cs_task *t = &f->tasks[i];
		if (t->sub == NULL || t->sub->name == NULL)
			continue;
		CS_AUTOFREE char *at = cs_xasprintf("%s/run/workflow", t->place != NULL ? t->place : "");
		cs_sub_place p = { .flow = f, .task = i, .file = cs_xstrdup(file) };
		if (t->place != NULL)
			cs_source_at(src, at, 0, &p.line, &p.col);
		l->list = cs_xrealloc(l->list, (l->n + 1) * sizeof *l->list);
		l->list[l->n++] = p;
	}
}

void cs_sub_places_check(const cs_sub_places *l, const cs_workspace *w, cs_diags *d)
{
	for (size_t i = 0; i < l->n; i++)
		check_sub(w, l->list[i].flow, &l->list[i], d);
}

void cs_sub_places_fini(cs_sub_places *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i].file);
	free(l->list);
	*l = (cs_sub_places){ 0 };
}
