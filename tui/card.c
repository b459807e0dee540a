/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/card.h"
#include "tui/show.h"

#define LABEL 13

static const char *const open_states[] = { "pending", "open", "in-doubt", "faulted", "stuck", NULL };

bool cs_card_open(const json_t *item)
{
	return cs_show_is(cs_json_str(item, "state"), open_states);
}

bool cs_card_allows(const json_t *item, const char *choice)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(item, "allow"), i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), choice) == 0)
			return true;
	return false;
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

int64_t cs_card_grace_ms(const json_t *item)
{
	int64_t until = cs_show_ms(item, "grace_until"), now = cs_clock_wall_ms();

	return until > now ? until - now : 0;
}

/* True when the card already says V in full. */
static bool said(const json_t *card, const json_t *v)
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

/* What will be sent and no field has shown. */
static void add_unsaid(cs_pager *p, const json_t *card, json_t *value)
{
	const char *key;
	json_t *v;
	bool head = false;

	if (!value || json_is_null(value) || said(card, value))
		return;
	if (!json_is_object(value)) {
		cs_show_value(p, CS_ST_TEXT, LABEL, _("Will send"), value);
		return;
	}
	json_object_foreach(value, key, v) {
		if (said(card, v))
			continue;
		if (!head)
			cs_pager_add(p, CS_ST_HEADER, 0, NULL, _("Also sent"));
		head = true;
		if (json_is_null(v))
			cs_pager_add(p, CS_ST_TEXT, LABEL, key, "null");
		cs_show_value(p, CS_ST_TEXT, LABEL, key, v);
	}
}

static void add_head(cs_pager *p, const json_t *item)
{
	CS_AUTOBUF cs_buf b = { 0 };
	static const char *const parts[] = { "flow", "subject", "task", "run" };

	cs_pager_add(p, CS_ST_BOLD, 0, NULL, cs_json_str_or(item, "title", _("(no title)")));
	cs_buf_init(&b, 1u << 16);
	for (size_t i = 0; i < CS_ARRAY_LEN(parts); i++) {
		const char *s = cs_json_str(item, parts[i]);

		if (s && *s)
			(void)cs_buf_addf(&b, "%s%s%s", b.len ? " · " : "", i == 3 ? "run " : "", s);
	}
	cs_pager_add(p, CS_ST_DIM, 0, NULL, cs_buf_str(&b));
	if (cs_json_true(item, "simulated"))
		cs_pager_add(p, CS_ST_SIM, 0, NULL, _("SIMULATED: nothing leaves this machine, whatever is decided"));
}

static void add_state(cs_pager *p, const json_t *item)
{
	const char *state = cs_json_str_or(item, "state", ""), *by = cs_json_str(item, "by");
	int64_t grace = cs_card_grace_ms(item);
	CS_AUTOFREE char *text = NULL;

	if (cs_card_open(item))
		return;
	text = by ? cs_xasprintf(_("%s by %s"), state, by) : cs_xstrdup(state);
	cs_pager_add(p, cs_show_state(state), LABEL, _("Decided"), text);
	if (grace)
		cs_pager_addf(p, CS_ST_WAIT, _("u takes it back for another %lld s"), (long long)((grace + 999) / 1000));
	cs_pager_add(p, CS_ST_DIM, LABEL, _("Note"), cs_json_str(item, "note"));
}

static void add_consequence(cs_pager *p, const json_t *item, const json_t *card)
{
	static const struct { const char *key, *label; } lines[] = {
		{ "why", N_("Why asked") }, { "touches", N_("Touches") }, { "from", N_("From") },
		{ "undo", N_("Undo") }, { "cost", N_("Cost so far") }, { "next", N_("Then") }, { "before", N_("Before") },
	};
	const char *word = cs_card_word(item), *undo = cs_json_str(card, "undo");
	char age[CS_SHOW_SIZE];

	cs_pager_add(p, CS_ST_TEXT, 0, NULL, "");
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		cs_show_value(p, CS_ST_TEXT, LABEL, _(lines[i].label), json_object_get(card, lines[i].key));
	if (!undo && cs_card_allows(item, "accept"))
		cs_pager_add(p, CS_ST_WAIT, LABEL, _("Undo"), _("none: once it is gone it is gone"));
	cs_pager_add(p, CS_ST_TEXT, LABEL, _("Expires in"), cs_show_age(item, "expires", age, NULL)[0] ? age : NULL);
	if (cs_card_open(item) && cs_card_allows(item, "accept") && word)
		cs_pager_add(p, CS_ST_WAIT, LABEL, _("Needs"), cs_json_str(item, "confirm") ? _("a typed word") : _("a typed word, as nothing takes it back"));
	cs_show_value(p, CS_ST_BAD, LABEL, _("Error"), json_object_get(item, "error"));
	cs_show_value(p, CS_ST_TEXT, LABEL, _("Next step"), json_object_get(item, "next"));
}

static void add_draft(cs_pager *p, const json_t *item, const json_t *draft)
{
	cs_pager_add(p, CS_ST_WAIT, 0, NULL, _("EDITED, NOT SENT YET: a sends what is below, e edits on, Esc drops it"));
	(void)cs_show_diff(p, json_object_get(item, "value"), draft);
	cs_pager_rule(p);
	cs_show_value(p, CS_ST_TEXT, LABEL, _("Will send"), draft);
	cs_pager_rule(p);
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
