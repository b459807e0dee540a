/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several approvals at once: all shown whole, what is unlike the others first, then one typed word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/card.h"
#include "tui/inbox.h"

#define BATCH_MAX 100

static void batched(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	cs_inbox *b = cs_inbox_of(sh);
	const char *id = cs_json_str_or(cmd, "id", "");
	CS_AUTOJSON json_t *item = NULL;

	(void)ok;
	b->batch_left -= b->batch_left > 0;
	if (error) {
		b->batch_failed++;
	} else {
		b->batch_done++;
		if (cs_list_marked(&b->list, id))
			cs_list_mark(&b->list, id);
	}
	if (sh->src->item(sh->src->ctx, id, &item, NULL) == CS_OK)
		cs_list_update(&b->list, item);
	if (b->batch_left)
		return;
	if (b->batch_failed)
		cs_shell_sayf(sh, CS_ST_WAIT, _("%zu approved, %zu dropped out and stay marked: Enter shows one; Esc unmarks"), b->batch_done, b->batch_failed);
	else
		cs_shell_sayf(sh, CS_ST_GOOD, _("%zu approved: u on each takes it back while it counts down"), b->batch_done);
}

static void send_batch(cs_shell *sh, const json_t *bound, const char *text)
{
	cs_inbox *b = cs_inbox_of(sh);
	size_t i;
	json_t *item;
	char batch[CS_ID_SIZE];
	cs_idgen ids = { 0 };

	(void)text;
	cs_id_next(&ids, cs_clock_wall_ms(), batch);
	b->batch_left = json_array_size(bound);
	b->batch_done = b->batch_failed = 0;
	json_array_foreach((json_t *)bound, i, item) {
		cs_shell_send(sh, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "approve", "id", cs_json_str_or(item, "id", ""),
					    "digest", cs_json_str_or(item, "digest", ""), "batch", batch), batched);
	}
}

static char *rule_of(const json_t *item)
{
	return cs_xasprintf("%s %s", cs_json_str_or(item, "flow", ""), cs_json_str_or(item, "task", ""));
}

/* How many of ITEMS are asked for the same reason as ITEM. */
static size_t alike(const json_t *items, const json_t *item)
{
	CS_AUTOFREE char *rule = rule_of(item);
	size_t i, n = 0;
	json_t *other;

	json_array_foreach((json_t *)items, i, other) {
		CS_AUTOFREE char *theirs = rule_of(other);

		n += strcmp(rule, theirs) == 0;
	}
	return n;
}

/* The marked items that can still be approved together; the others lose their mark. */
static json_t *gather(cs_shell *sh, cs_inbox *b, size_t *ret_dropped)
{
	json_t *items = json_array(), *mark;
	const char *id;
	void *tmp;

	json_object_foreach_safe(b->list.marks, tmp, id, mark) {
		CS_AUTOJSON json_t *item = NULL;

		if (json_array_size(items) < BATCH_MAX && sh->src->item(sh->src->ctx, id, &item, NULL) == CS_OK &&
		    cs_card_open(item) && cs_card_allows(item, "accept") && !cs_card_word(item)) {
			(void)json_array_append(items, item);
		} else {
			(*ret_dropped)++;
			(void)json_object_del(b->list.marks, id);
		}
	}
	return items;
}

static void add_cards(cs_shell *sh, const json_t *items, bool outliers)
{
	size_t most = 0, i;
	json_t *item;

	json_array_foreach((json_t *)items, i, item)
		most = alike(items, item) > most ? alike(items, item) : most;
	json_array_foreach((json_t *)items, i, item) {
		cs_pager card;

		if ((alike(items, item) < most) != outliers)
			continue;
		if (outliers)
			cs_pager_add(&sh->text, CS_ST_WAIT, 0, NULL, _("Unlike the others:"));
		cs_pager_init(&card);
		cs_card_fill(&card, item, NULL);
		cs_pager_append(&sh->text, &card);
		cs_pager_fini(&card);
		cs_pager_rule(&sh->text);
	}
}

void cs_act_batch(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);
	size_t dropped = 0, n;
	json_t *items = gather(sh, b, &dropped);
	char word[32];

	n = json_array_size(items);
	if (n == 0) {
		json_decref(items);
		cs_shell_say(sh, CS_ST_WAIT, _("None of the marked items waits any more: Space marks others"));
		return;
	}
	cs_pager_clear(&sh->text);
	if (dropped)
		cs_pager_addf(&sh->text, CS_ST_WAIT, P_("%zu marked item dropped out: it changed, or is decided", "%zu marked items dropped out: they changed, or are decided", dropped), dropped);
	add_cards(sh, items, true);
	add_cards(sh, items, false);
	cs_shell_text(sh, _("Approve all of these?"));
	(void)snprintf(word, sizeof(word), "approve %zu", n);
	cs_shell_ask_word(sh, word, items, send_batch);
}
