/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/snapshot.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "core/snapshot_values.h"

enum { LAYOUT = 1 };                 /* raised where the same members come to mean something else */

void cs_snapshot_layout(char ret[CS_HEX_SIZE])
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 1 << 16);
	cs_buf_addf(&text, "%d", LAYOUT);
	for (size_t i = 0; cs_snapshot_structs[i] != NULL; i++)
		for (const cs_member *m = cs_snapshot_structs[i]->rows; m->name != NULL; m++)
			cs_buf_addf(&text, "\n%s.%s %d", cs_snapshot_structs[i]->name, m->name, (int)m->kind);
	cs_hash_hex(cs_buf_str(&text), text.len, ret);
}

/* ---- saving --------------------------------------------------------------------------------------------- */

static bool call_may(const cs_call *c)
{
	if (c->outer != NULL && !call_may(c->outer))
		return false;
	return c->phase != CS_CALL_PLANNED && c->phase != CS_CALL_DONE && c->phase != CS_CALL_FAILED;
}

static bool frame_may(const cs_frame *f)
{
	if (f == NULL)
		return true;
	bool entering = f->iterating && f->child == NULL && (f->next < 0 || f->next == f->task->children[0]);
	if (entering || f->asked > 0 || f->n_answers > 0 || f->stopped || (f->call != NULL && !call_may(f->call)))
		return false;
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		if (!frame_may(f->kids[i]))
			return false;
	return frame_may(f->child);
}

bool cs_snapshot_may(const cs_run *r)
{
	return r->root != NULL && !r->cut_short && !cs_run_state_terminal(cs_run_state_name(r->state)) && frame_may(r->root);
}

static json_t *save_call(cs_saving *s, const cs_call *c)
{
	json_t *o = cs_members_save(s, &cs_snapshot_call, c);
	if (c->outer != NULL)
		json_object_set_new(o, "outer", save_call(s, c->outer));
	return o;
}

static json_t *save_marks(const bool *met, int n)
{
	json_t *list = json_array();
	for (int i = 0; i <= n; i++)
		if (met[i])
			json_array_append_new(list, json_integer(i));
	return list;
}

static int until_filters(const cs_listen *l)
{
	return l->until_events != NULL ? l->until_events->n_filters : 0;
}

static json_t *save_hearing(cs_saving *s, const cs_listen *l, const cs_hearing *h)
{
	json_t *o = cs_members_save(s, &cs_snapshot_hearing, h);
	json_object_set_new(o, "met", save_marks(h->met, l->to.n_filters));
	json_object_set_new(o, "until_met", save_marks(h->until_met, until_filters(l)));
	return o;
}

/* F, and after it what is in it; UP is the place of what F is in. */
static void save_frame(cs_saving *s, json_t *list, const cs_frame *f, json_int_t up)
{
	if (f == NULL)
		return;
	json_int_t at = (json_int_t)json_array_size(list);
	json_t *o = cs_members_save(s, &cs_snapshot_frame, f);
	if (f->task != NULL) {
		json_object_set_new(o, "task", json_string(f->task->ref));
		json_object_set_new(o, "in", json_integer(up));
	}
	if (f->call != NULL)
		json_object_set_new(o, "call", save_call(s, f->call));
	if (f->hearing != NULL)
		json_object_set_new(o, "hearing", save_hearing(s, f->task->listen, f->hearing));
	json_array_append_new(list, o);
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		save_frame(s, list, f->kids[i], at);
	save_frame(s, list, f->child, at);
}

static json_t *save_items(cs_saving *s, const cs_run *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_items; i++) {
		json_t *o = cs_members_save(s, &cs_snapshot_item, r->items[i]);
		json_object_set_new(o, "state", json_string(r->items[i]->state));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *cs_snapshot_save(const cs_run *r)
{
	CS_AUTOJSON json_t *values = json_array();
	CS_AUTOJSON json_t *known = json_object();
	cs_saving s = { .flow = r->flow, .values = values, .known = known };
	json_t *frames = json_array(), *occurrences = json_object(), *kept = json_object(), *reversals = json_array(), *below = json_array();
	save_frame(&s, frames, r->root, 0);
	for (int i = 0; i < r->flow->n_tasks; i++)
		if (r->occurrences[i] != 0)
			json_object_set_new(occurrences, r->flow->tasks[i].ref, json_integer(r->occurrences[i]));
	for (int i = 0; r->kept != NULL && i < r->flow->n_tasks; i++)
		if (r->kept[i] != NULL)
			json_object_set_new(kept, r->flow->tasks[i].ref, save_hearing(&s, r->flow->tasks[i].listen, r->kept[i]));
	for (size_t i = 0; i < r->n_reversals; i++)
		json_array_append_new(reversals, cs_members_save(&s, &cs_snapshot_reversal, &r->reversals[i]));
	for (size_t i = 0; i < r->n_below; i++)
		json_array_append_new(below, cs_members_save(&s, &cs_snapshot_below, &r->below[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O}", "run", cs_members_save(&s, &cs_snapshot_run, r), "frames", frames,
			 "occurrences", occurrences, "kept", kept, "items", save_items(&s, r), "reversals", reversals, "below", below,
			 "values", values);
}
