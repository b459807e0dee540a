/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An item of the read model as the card of a person: what, to whom, how far it reaches, in words. */
#include <string.h>
#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/live.h"
#include "tui/show.h"

static void add_field(json_t *fields, const char *label, const json_t *value)
{
	if (value != NULL && !json_is_null(value))
		json_array_append_new(fields, json_pack("{s:s, s:O}", "label", label, "value", value));
}

/* What happens to an effect that is cut off: it is why some are asked about and others are not. */
static const struct {
	const char *class, *text;
} classes[] = {
	{ "unsafe", N_("unsafe: if it is cut off, only you can find out whether it went out") },
	{ "keyed", N_("keyed: the other side takes it once, however often it is sent") },
	{ "probe", N_("probe: the other side can be asked whether it has it") },
};

static void add_effect(json_t *fields, const json_t *card)
{
	const char *effect = cs_json_str_or(card, "effect", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(classes); i++) {
		if (strcmp(classes[i].class, effect) != 0)
			continue;
		CS_AUTOJSON json_t *text = json_string(_(classes[i].text));
		add_field(fields, _("Effect"), text);
	}
}

static void add_part(cs_buf *b, const char *text)
{
	(void)cs_buf_addf(b, "%s%s", b->len ? " · " : "", text);
}

/* "message, personal · people 1 · money 1800 EUR" */
static void set_touches(json_t *card)
{
	CS_AUTOBUF cs_buf b = { 0 };
	json_t *touches = json_object_get(card, "touches"), *reach = json_object_get(card, "reach"), *v;
	const char *key, *currency = cs_json_str_or(reach, "currency", "");
	size_t i;
	cs_buf_init(&b, 1u << 16);
	json_array_foreach(touches, i, v)
		(void)cs_buf_addf(&b, "%s%s", i ? ", " : "", json_is_string(v) ? json_string_value(v) : "?");
	json_object_foreach(reach, key, v) {
		CS_AUTOFREE char *text = json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
		bool money = strcmp(key, "money") == 0;
		CS_AUTOFREE char *part = cs_xasprintf("%s %s%s%s", key, text, money && *currency ? " " : "", money ? currency : "");
		if (strcmp(key, "currency") != 0)
			add_part(&b, part);
	}
	if (b.len > 0)
		json_object_set_new(card, "touches", json_string(cs_buf_str(&b)));
}

/* Whose bytes went into it, and who wrote it where that was not the flow itself. */
static void set_from(const json_t *item, json_t *card)
{
	CS_AUTOBUF cs_buf b = { 0 };
	const char *proposer = cs_json_str_or(item, "proposer", "engine"), *editor = cs_json_str_or(item, "editor", "");
	size_t i;
	json_t *name;
	cs_buf_init(&b, 1u << 16);
	json_array_foreach(json_object_get(item, "taint"), i, name)
		(void)cs_buf_addf(&b, "%s%s", i ? ", " : _("untrusted bytes went into "), json_is_string(name) ? json_string_value(name) : "?");
	if (strcmp(proposer, "engine") != 0)
		(void)cs_buf_addf(&b, _("%sproposed by %s"), b.len ? " · " : "", proposer);
	if (*editor)
		(void)cs_buf_addf(&b, _("%sedited by %s"), b.len ? " · " : "", editor);
	json_object_set_new(card, "from", b.len ? json_string(cs_buf_str(&b)) : json_null());
	if (strcmp(cs_json_str_or(item, "rule", ""), "flow") == 0)
		json_object_set_new(card, "why", json_string(_("the flow asks")));
}

static void set_cost(json_t *card)
{
	char cost[CS_SHOW_SIZE];
	cs_show_cost(card, cost);
	json_object_set_new(card, "cost", cost[0] ? json_string(cost) : json_null());
}

/* What the built-ins ask for: nothing leaves by it. */
static const struct {
	const char *call, *text;
} asked[] = {
	{ "approve", N_("the flow goes on as you decide; nothing is sent by it") },
	{ "ask", N_("the flow goes on with your answer (m); nothing is sent by it") },
};

static void set_will_do(const json_t *item, json_t *card)
{
	const char *call = cs_json_str_or(item, "call", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(asked); i++)
		if (strcmp(asked[i].call, call) == 0)
			json_object_set_new(card, "as", json_string(_(asked[i].text)));
}

void cs_live_card(json_t *item)
{
	json_t *card = json_object_get(item, "card");
	if (card == NULL || json_object_get(card, "fields") != NULL)
		return;
	json_t *fields = json_array();
	add_field(fields, _("Sends"), json_object_get(card, "to"));
	add_field(fields, _("Summary"), json_object_get(card, "summary"));
	add_effect(fields, card);
	add_field(fields, _("Says"), json_object_get(item, "body"));
	add_field(fields, _("It ended"), json_object_get(item, "how"));
	add_field(fields, _("Answer with"), json_object_get(item, "form"));
	json_object_set_new(card, "fields", fields);
	set_will_do(item, card);
	set_from(item, card);
	set_touches(card);
	set_cost(card);
}
