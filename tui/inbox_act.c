/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decisions of the inbox. Each carries the id and the digest of the card on the screen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/card.h"
#include "tui/inbox.h"
#include "tui/show.h"

static const struct { const char *choice; unsigned bit; } choices[] = {
	{ "accept", CS_CAN_ACCEPT }, { "edit", CS_CAN_EDIT }, { "respond", CS_CAN_RESPOND }, { "reject", CS_CAN_REJECT },
};

/* What an open item allows, by its kind. */
static unsigned item_can(const json_t *item)
{
	const char *kind = cs_json_str_or(item, "kind", "");
	unsigned can = CS_CAN_OPEN;

	if (strcmp(kind, "in-doubt") == 0)
		return can | CS_CAN_RESOLVE;
	/* with that input it is begun anew, not taken up */
	if (strcmp(kind, "fault") == 0 && strcmp(cs_json_str_or(item, "step", ""), "input") == 0)
		return can | CS_CAN_DISMISS;
	if (strcmp(kind, "fault") == 0)
		return can | CS_CAN_FAULT | CS_CAN_CORRECT | CS_CAN_DISMISS;
	if (strcmp(kind, "approval") != 0)
		return can | CS_CAN_DISMISS;
	can |= CS_CAN_SNOOZE;
	for (size_t i = 0; i < CS_ARRAY_LEN(choices); i++)
		if (cs_card_allows(item, choices[i].choice))
			can |= choices[i].bit;
	if ((can & CS_CAN_ACCEPT) && !cs_card_word(item))
		can |= CS_CAN_MARK;
	return can;
}

unsigned cs_inbox_can(const cs_view *v)
{
	cs_inbox *b = cs_inbox_of(v->sh);
	unsigned can = 0;

	if (cs_list_marks(&b->list))
		can |= CS_CAN_MARKS;
	if (b->list.waiting)
		can |= CS_CAN_FRESH;
	if (b->decided || cs_card_grace_ms(b->item))
		can |= CS_CAN_UNDO;
	if (!b->item)
		return can;
	can |= CS_CAN_ROW;
	if (v->columns >= 2 || v->focus == 1)
		can |= CS_CAN_CARD;
	if (cs_json_str(b->item, "run"))
		can |= CS_CAN_RUN;
	if (cs_json_str(b->item, "runbook") && v->sh->src->runbook)
		can |= CS_CAN_RUNBOOK;
	return cs_card_open(b->item) ? can | item_can(b->item) : can;
}

bool cs_inbox_next(cs_inbox *b)
{
	for (size_t k = 1; k <= b->list.n; k++) {
		size_t i = (b->list.cursor + k) % b->list.n;

		if (cs_card_open(cs_list_at(&b->list, i)) && !cs_card_snoozed_ms(cs_list_at(&b->list, i))) {
			cs_list_go(&b->list, i);
			return true;
		}
	}
	return false;
}

void cs_act_next_item(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);

	if (cs_inbox_next(b))
		return;
	if (b->list.n_fresh && cs_list_take_fresh(&b->list) && cs_inbox_next(b))
		return;
	cs_shell_say(sh, CS_ST_GOOD, _("Nothing more waits: 2 shows what runs"));
}

/* The words for what was done, by command. */
static const struct { const char *cmd, *done; } words[] = {
	{ "approve", N_("Approved") }, { "edit", N_("Edited; the new proposal waits for your a") }, { "reject", N_("Rejected") },
	{ "respond", N_("Answered") }, { "undo", N_("Taken back, it waits again") }, { "resolve", N_("Resolved") },
	{ "retry", N_("Retrying") }, { "dismiss", N_("Dismissed") }, { "snooze", N_("Put off, it comes back by itself") },
};

static const char *word_of(const char *cmd)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(words[i].cmd, cmd) == 0)
			return _(words[i].done);
	return _("Done");
}

static void refused(cs_shell *sh, const json_t *cmd, const char *error)
{
	cs_shell_sayf(sh, CS_ST_BAD, _("Not done (%s): %s. Esc goes back, t shows the run"), cs_json_str_or(cmd, "cmd", ""), error);
}

/* The item as it is now, in its row; then the next one, when the operator still stands on this. */
void cs_inbox_decided(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	cs_inbox *b = cs_inbox_of(sh);
	const char *id = cs_json_str_or(cmd, "id", ""), *name = cs_json_str_or(cmd, "cmd", "");
	const char *new_id = cs_json_str_or(ok, "next", cs_json_str_or(ok, "id", ""));
	CS_AUTOJSON json_t *item = NULL;
	bool here = b->list.selected && strcmp(b->list.selected, id) == 0;
	int64_t grace;

	if (error) {
		refused(sh, cmd, error);
		return;
	}
	if (sh->src->item(sh->src->ctx, id, &item, NULL) == CS_OK)
		cs_list_update(&b->list, item);
	grace = cs_card_grace_ms(item);
	free(b->decided);
	b->decided = grace ? cs_xstrdup(id) : NULL;
	if (here)
		cs_inbox_drop_draft(b);
	if (cs_json_true(ok, "again"))
		cs_shell_sayf(sh, CS_ST_WAIT, _("Already %s by %s, nothing was changed: J goes to the next item"), cs_json_str_or(item, "word", ""), cs_json_str_or(item, "by", "engine"));
	else if (grace)
		cs_shell_sayf(sh, CS_ST_GOOD, _("%s: %s. u takes it back (%lld s)"), word_of(name), cs_json_str_or(item, "title", id), (long long)((grace + 999) / 1000));
	else
		cs_shell_sayf(sh, CS_ST_GOOD, _("%s: %s. J goes to the next item"), word_of(name), cs_json_str_or(item, "title", id));
	if (here && strcmp(name, "edit") == 0 && *new_id && strcmp(new_id, id) != 0) {
		free(b->follow);
		b->follow = cs_xstrdup(new_id);
	} else if (here && (!cs_card_open(item) || cs_card_snoozed_ms(item))) {
		(void)cs_inbox_next(b);
	}
}

json_t *cs_inbox_command(const cs_inbox *b, const char *cmd)
{
	return json_pack("{s:s, s:s, s:s}", "cmd", cmd, "id", cs_json_str_or(b->item, "id", ""), "digest", cs_json_str_or(b->item, "digest", ""));
}

static void send_with_word(cs_shell *sh, const json_t *bound, const char *text)
{
	json_t *cmd = json_deep_copy(bound);

	(void)json_object_set_new(cmd, "word", json_string(text));
	cs_shell_send(sh, cmd, cs_inbox_decided);
}

static void send_with_note(cs_shell *sh, const json_t *bound, const char *text)
{
	json_t *cmd;

	if (!*text) {
		/* Enter alone never decides */
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing was sent, as nothing was written: press the key again and write, or - for no words"));
		return;
	}
	cmd = json_deep_copy(bound);
	(void)json_object_set_new(cmd, "note", json_string(strcmp(text, "-") == 0 ? "" : text));
	cs_shell_send(sh, cmd, cs_inbox_decided);
}

void cs_act_approve(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);
	const char *word = cs_card_word(b->item);
	json_t *cmd = cs_inbox_command(b, b->draft ? "edit" : "approve");

	if (b->draft)
		(void)json_object_set(cmd, "value", b->draft);
	/* an edit makes a new proposal, which asks for the word itself */
	if (word && !b->draft)
		cs_shell_ask_word(sh, word, cmd, send_with_word);
	else
		cs_shell_send(sh, cmd, cs_inbox_decided);
}

void cs_act_reject(cs_shell *sh)
{
	cs_shell_ask(sh, _("Reject, because (- for no reason):"), "", cs_inbox_command(cs_inbox_of(sh), "reject"), send_with_note);
}

static json_t *resolution(cs_shell *sh, const char *how)
{
	json_t *cmd = cs_inbox_command(cs_inbox_of(sh), "resolve");

	(void)json_object_set_new(cmd, "how", json_string(how));
	return cmd;
}

void cs_act_happened(cs_shell *sh)
{
	cs_shell_ask(sh, _("It happened, seen where (- for no words):"), "", resolution(sh, "happened"), send_with_note);
}

void cs_act_did_not(cs_shell *sh)
{
	cs_shell_ask(sh, _("It did not happen, seen where (- for no words):"), "", resolution(sh, "did-not"), send_with_note);
}

void cs_act_repeat_effect(cs_shell *sh)
{
	cs_shell_ask_word(sh, "repeat", resolution(sh, "repeat"), send_with_word);
}

void cs_act_undo(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);
	const char *id = cs_card_grace_ms(b->item) ? cs_json_str(b->item, "id") : b->decided;

	if (id)
		cs_shell_send(sh, json_pack("{s:s, s:s}", "cmd", "undo", "id", id), cs_inbox_decided);
}

void cs_act_mark(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);

	cs_list_mark(&b->list, b->list.selected);
	if (sh->views[CS_VIEW_INBOX]->focus == 0)
		cs_list_move(&b->list, 1);
}

void cs_act_raw(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);

	b->show_raw = !b->show_raw;
	sh->views[CS_VIEW_INBOX]->focus = 1;
}
