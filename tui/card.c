/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/card.h"
#include "tui/show.h"
#include "tui/shown.h"

#define LABEL 13

static const char *const open_states[] = { "pending", "open", "in-doubt", "faulted", "stuck", NULL };

bool cs_card_open(const json_t *item)
{
	return cs_show_is(cs_json_str(item, "state"), open_states);
}

bool cs_card_allows(const json_t *item, const char *choice)
{
	return cs_json_lists(json_object_get(item, "allow"), choice);
}

const char *cs_card_word(const json_t *item)
{
	const char *word = cs_json_str(item, "confirm");
	const json_t *undo = json_object_get(json_object_get(item, "card"), "undo");

	if (word && *word)
		return word;
	/* what cannot be taken back is not a matter of one key */
	return undo && !json_is_null(undo) ? NULL : "approve";
}

int64_t cs_card_snoozed_ms(const json_t *item)
{
	int64_t until = cs_show_ms(item, "snoozed_until"), now = cs_clock_wall_ms();

	return cs_card_open(item) && until > now ? until - now : 0;
}

int64_t cs_card_grace_ms(const json_t *item)
{
	int64_t until = cs_show_ms(item, "grace_until"), now = cs_clock_wall_ms();

	return until > now ? until - now : 0;
}

/* True when a field of the card already says V in full. */
static bool in_field(const json_t *card, const json_t *v)
{
	size_t i;
	json_t *f;

	if (cs_json_equal(v, json_object_get(card, "body") ? json_object_get(card, "body") : json_null()))
		return true;
	json_array_foreach(json_object_get(card, "fields"), i, f)
		if (json_object_get(f, "value") && cs_json_equal(v, json_object_get(f, "value")))
			return true;
	return false;
}

typedef struct member { const char *key; json_t *v; bool said; } member;

static int longest_first(const void *a, const void *b)
{
	const member *x = a, *y = b;
	size_t m = json_string_length(x->v), n = json_string_length(y->v);

	return m > n ? -1 : m < n ? 1 : strcmp(x->key, y->key);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const member *)a)->key, ((const member *)b)->key);
}

static void add_member(cs_pager *p, const member *m)
{
	if (json_is_null(m->v))
		cs_pager_add(p, CS_ST_TEXT, LABEL, m->key, "null");
	else
		cs_show_value(p, CS_ST_TEXT, LABEL, m->key, m->v);
}

/* The members of VALUE that neither a field, nor the body, nor KNOWN (an object) has shown. */
static void add_members(cs_pager *p, const json_t *card, cs_shown *body, json_t *value, const json_t *known, const char *head)
{
	CS_AUTOFREE member *list = cs_xcalloc(json_object_size(value) + 1, sizeof(*list));
	size_t n = 0;
	const char *key;
	json_t *v;
	bool any = false;

	json_object_foreach(value, key, v)
		list[n++] = (member){ key, v, false };
	qsort(list, n, sizeof(*list), longest_first);
	for (size_t i = 0; i < n; i++) {
		const json_t *same = json_object_get(known, list[i].key);

		list[i].said = (same && cs_json_equal(same, list[i].v)) || in_field(card, list[i].v) ||
			(json_is_string(list[i].v) && cs_shown_take(body, json_string_value(list[i].v)));
	}
	qsort(list, n, sizeof(*list), by_key);
	for (size_t i = 0; i < n; i++) {
		if (list[i].said)
			continue;
		if (!any && head)
			cs_pager_add(p, CS_ST_HEADER, 0, NULL, head);
		any = true;
		add_member(p, &list[i]);
	}
}

static void add_headers(cs_pager *p, const json_t *headers)
{
	const char *name;
	json_t *v;
	bool first = true;

	json_object_foreach((json_t *)(uintptr_t)headers, name, v) {
		CS_AUTOFREE char *text = json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
		CS_AUTOFREE char *line = cs_xasprintf("%s: %s", name, text);

		cs_pager_add(p, CS_ST_TEXT, LABEL, first ? _("Headers") : NULL, line);
		first = false;
	}
}

/* What will be sent and nothing above has shown: of the value, and of the request made of it. */
static void add_unsaid(cs_pager *p, const json_t *card, json_t *value)
{
	const json_t *request = json_object_get(card, "request");
	json_t *sent = json_object_get(request, "body");
	CS_CLEANUP(cs_shown_fini) cs_shown body;

	cs_shown_init(&body, cs_json_str(card, "body"));
	if (json_is_object(value))
		add_members(p, card, &body, value, NULL, request || cs_json_str(card, "body") ? _("Also sent") : NULL);
	else if (value && !json_is_null(value) && !in_field(card, value))
		cs_show_value(p, CS_ST_TEXT, LABEL, _("Will send"), value);
	if (json_is_object(sent))
		add_members(p, card, &body, sent, value, _("Added by the connector"));
	else if (sent && !json_is_null(sent) && (!value || !cs_json_equal(sent, value)) && !in_field(card, sent))
		cs_show_value(p, CS_ST_TEXT, LABEL, _("As sent"), sent);
	add_headers(p, json_object_get(request, "headers"));
}

/* Where it comes from, in the words that the flow's author chose. */
static void add_origin(cs_pager *p, const json_t *item)
{
	CS_AUTOBUF cs_buf b = { 0 };
	const char *parts[] = { cs_json_str(item, "flow"), cs_json_str(item, "subject"), cs_show_name(cs_json_str(item, "task")) };
	const char *run = cs_json_str(item, "run");
	char id[CS_SHOW_SIZE];

	cs_buf_init(&b, 1u << 16);
	for (size_t i = 0; i < CS_ARRAY_LEN(parts); i++)
		if (parts[i] && *parts[i])
			(void)cs_buf_addf(&b, "%s%s", b.len ? " · " : "", parts[i]);
	if (run && *run)
		(void)cs_buf_addf(&b, _("%srun %s"), b.len ? " · " : "", cs_show_id(run, id));
	cs_pager_add(p, CS_ST_DIM, 0, NULL, cs_buf_str(&b));
}

static void add_head(cs_pager *p, const json_t *item)
{
	json_int_t n = cs_json_int_or(item, "count", 1);

	cs_pager_add(p, CS_ST_BOLD, 0, NULL, cs_json_str_or(item, "title", _("(no title)")));
	add_origin(p, item);
	if (n > 1)
		cs_pager_addf(p, CS_ST_WAIT, _("×%lld: so many runs ended here for the same cause; what is decided here is decided for all"), (long long)n);
	if (cs_json_str(item, "replay_of"))
		cs_pager_add(p, CS_ST_SIM, 0, NULL, _("REPLAY: a shadow run, nothing is sent"));
	else if (cs_json_true(item, "simulated"))
		cs_pager_add(p, CS_ST_SIM, 0, NULL, _("SIMULATED: nothing leaves this machine"));
}

static void add_state(cs_pager *p, const json_t *item)
{
	const char *state = cs_json_str_or(item, "state", ""), *by = cs_json_str(item, "by");
	const char *to = cs_json_str(item, "delegated_to");
	int64_t grace = cs_card_grace_ms(item), level = cs_json_int_or(item, "level", 0);
	CS_AUTOFREE char *text = NULL;

	if (cs_card_snoozed_ms(item))
		cs_pager_add(p, CS_ST_WAIT, LABEL, _("Put off"), cs_json_str(item, "snoozed_until"));
	if (level > 0 && cs_card_open(item))
		cs_pager_addf(p, CS_ST_WAIT, _("ESCALATED to level %lld: nobody has decided in time"), (long long)level);
	if (to)
		cs_pager_add(p, CS_ST_TEXT, LABEL, _("Given to"), to);
	if (cs_card_open(item))
		return;
	state = cs_json_str_or(item, "word", state);
	text = by ? cs_xasprintf(_("%s by %s"), state, by) : cs_xstrdup(state);
	cs_pager_add(p, cs_show_state(state), LABEL, _("Decided"), text);
	if (grace)
		cs_pager_addf(p, CS_ST_WAIT, _("u takes it back for another %lld s"), (long long)((grace + 999) / 1000));
	if (strcmp(cs_json_str_or(item, "note", ""), state) != 0)
		cs_pager_add(p, CS_ST_DIM, LABEL, _("Note"), cs_json_str(item, "note"));
}

/* What comes after it: a text, or the names of the steps in order. */
static void add_then(cs_pager *p, const json_t *next)
{
	CS_AUTOBUF cs_buf b = { 0 };
	size_t i;
	json_t *name;

	if (!json_is_array(next)) {
		cs_show_value(p, CS_ST_TEXT, LABEL, _("Then"), next);
		return;
	}
	cs_buf_init(&b, 1u << 16);
	json_array_foreach((json_t *)next, i, name)
		(void)cs_buf_addf(&b, "%s%s", i ? " → " : "", json_is_string(name) ? json_string_value(name) : "?");
	cs_pager_add(p, CS_ST_TEXT, LABEL, _("Then"), b.len ? cs_buf_str(&b) : _("the run ends"));
}

/* The one thing to do, and its key; an approval's choices stand in the footer. Where the item says it itself, only its
 * key is added. */
static const struct { const char *kind, *step, *text; } steps[] = {
	{ "in-doubt", NULL, N_("look where it would have happened; then happened (h), did-not (d), or send it again (x)") },
	{ "fault", "happened", N_("the effect was answered, so it has happened: look there first; a retry (k) sends it once more, dismiss (d) leaves the run as it is") },
	{ "fault", "input", N_("the run cannot go on with what it was given: begin another with other input, then dismiss (d)") },
	{ "fault", "correct", N_("correct (K) what it was given, and go on; or mend the cause and retry (k); or dismiss (d): the run stays as it is") },
	{ "fault", NULL, N_("mend the cause, then retry (k) what is not done; or correct (K) what it was given; or dismiss (d): the run stays as it is") },
	{ "clock", NULL, N_("set the clock right, and it goes on by itself; where it is right as it is now, say so (d)") },
	{ "breaker", NULL, N_("look what is wrong there; it is tried again by itself, and this closes when it answers; dismiss (d) puts it away") },
	{ "disk", NULL, N_("free some space or mend the disk, start the engine again, then dismiss (d)") },
	{ "notice", NULL, N_("when it is done, dismiss (d)") },
};

static const char *step_of(const char *kind, const char *step)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(steps); i++)
		if (strcmp(steps[i].kind, kind) == 0 && (!steps[i].step || strcmp(steps[i].step, step) == 0))
			return _(steps[i].text);
	return NULL;
}

static void add_next_step(cs_pager *p, const json_t *item)
{
	const char *kind = cs_json_str_or(item, "kind", ""), *text = step_of(kind, cs_json_str_or(item, "step", ""));
	const char *action = cs_json_str(item, "action");
	bool own = action && (!text || strcmp(kind, "notice") == 0 || strcmp(kind, "fault") == 0);

	if (own)
		cs_pager_add(p, CS_ST_WAIT, LABEL, _("Do this"), action);
	if (text && (!own || strcmp(kind, "notice") == 0))
		cs_pager_add(p, CS_ST_WAIT, LABEL, own ? NULL : _("Do this"), text);
	else if (!own && strcmp(kind, "approval") != 0)
		cs_show_value(p, CS_ST_TEXT, LABEL, _("Next step"), json_object_get(item, "next"));
}

static void add_consequence(cs_pager *p, const json_t *item, const json_t *card)
{
	static const struct { const char *key, *label; } lines[] = {
		{ "why", N_("Why asked") }, { "touches", N_("Touches") }, { "from", N_("From") },
		{ "answered", N_("An answer") }, { "rejected", N_("If rejected") }, { "expired", N_("If too late") },
		{ "escalates", N_("Escalates") }, { "reminds", N_("Reminds") },
		{ "undo", N_("Undo") }, { "cost", N_("Cost so far") }, { "before", N_("Before") },
	};
	const char *word = cs_card_word(item), *undo = cs_json_str(card, "undo");
	char age[CS_SHOW_SIZE];

	cs_pager_add(p, CS_ST_TEXT, 0, NULL, "");
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		cs_show_value(p, CS_ST_TEXT, LABEL, _(lines[i].label), json_object_get(card, lines[i].key));
	add_then(p, json_object_get(card, "next"));
	if (!undo && cs_card_allows(item, "accept"))
		cs_pager_add(p, CS_ST_WAIT, LABEL, _("Undo"), _("none: once it is gone it is gone"));
	cs_pager_add(p, CS_ST_TEXT, LABEL, _("Expires in"), cs_show_age(item, "expires", age, NULL)[0] ? age : NULL);
	if (cs_card_open(item) && cs_card_allows(item, "accept") && word)
		cs_pager_add(p, CS_ST_WAIT, LABEL, _("Needs"), cs_json_str(item, "confirm") ? _("a typed word") : _("a typed word, as nothing takes it back"));
	cs_show_error(p, LABEL, json_object_get(item, "error"));
	if (!cs_card_open(item))
		return;
	if (cs_json_str(item, "runbook"))
		cs_pager_add(p, CS_ST_TEXT, LABEL, _("Runbook"), _("runbook (R) shows what to do, step by step"));
	cs_pager_add(p, CS_ST_WAIT, LABEL, _("Breaker"), cs_json_str(item, "breaker"));
	cs_pager_add(p, CS_ST_TEXT, LABEL, _("Tried again"), cs_json_str(item, "until"));
	add_next_step(p, item);
}

static void add_draft(cs_pager *p, const json_t *item, const json_t *draft)
{
	cs_pager_add(p, CS_ST_WAIT, 0, NULL, _("EDITED, NOT SENT YET: a sends what is below, e edits on, Esc drops it"));
	(void)cs_show_diff(p, json_object_get(item, "value"), draft);
	cs_pager_rule(p);
	cs_show_value(p, CS_ST_TEXT, LABEL, _("Will send"), draft);
	cs_pager_rule(p);
	cs_pager_add(p, CS_ST_DIM, 0, NULL, _("What it was made of:"));
}

void cs_card_fill(cs_pager *p, const json_t *item, const json_t *draft)
{
	const json_t *card = json_object_get(item, "card");

	cs_pager_clear(p);
	add_head(p, item);
	add_state(p, item);
	cs_pager_add(p, CS_ST_TEXT, 0, NULL, "");
	if (draft)
		add_draft(p, item, draft);
	cs_show_value(p, CS_ST_TEXT, LABEL, _("Will do"), json_object_get(card, "as"));
	cs_show_fields(p, json_object_get(card, "fields"), LABEL);
	if (json_object_get(card, "body") && !json_is_null(json_object_get(card, "body"))) {
		cs_pager_rule(p);
		cs_show_value(p, CS_ST_TEXT, 0, NULL, json_object_get(card, "body"));
		cs_pager_rule(p);
	}
	if (!draft)
		add_unsaid(p, card, json_object_get(item, "value"));
	add_consequence(p, item, card);
}
