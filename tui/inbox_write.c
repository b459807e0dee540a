/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator writes in the inbox: an edited value, an answer to a question. */
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/inbox.h"
#include "tui/show.h"

/* ---- answers ---------------------------------------------------------------------------------- */

static void send_words(cs_shell *sh, const json_t *bound, const char *text)
{
	json_t *cmd;

	if (!*text) {
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing was sent, as nothing was written: m answers it"));
		return;
	}
	cmd = json_deep_copy(bound);
	(void)json_object_set_new(cmd, "note", json_string(text));
	/* a question without a form has the words for its value */
	if (json_is_true(json_object_get(cmd, "words")))
		(void)json_object_set_new(cmd, "value", json_string(text));
	cs_shell_send(sh, cmd, cs_inbox_decided);
}

static void send_value(cs_shell *sh, const json_t *bound, const char *key)
{
	if (*key == 'y')
		cs_shell_send(sh, json_deep_copy(bound), cs_inbox_decided);
	else
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing was sent: m takes the answer up again where you left it"));
}

/* What a form asks for, with nothing in it yet. */
static json_t *blank(const json_t *form)
{
	json_t *out = json_object(), *one;
	const char *key;

	json_object_foreach(json_object_get(form, "properties"), key, one) {
		json_t *def = json_object_get(one, "default");

		(void)json_object_set_new(out, key, def ? json_deep_copy(def) : json_null());
	}
	return out;
}

static void answer_form(cs_shell *sh, cs_inbox *b, const json_t *form)
{
	CS_AUTOJSON json_t *start = blank(form), *value = NULL;
	CS_AUTOFREE char *text = NULL;
	CS_AUTOBUF cs_buf buf = { 0 };
	cs_err err = { 0 };
	json_t *cmd;

	cs_buf_init(&buf, 1u << 20);
	if (b->draft_text)
		(void)cs_buf_adds(&buf, b->draft_text);
	else
		(void)cs_json_write_pretty(start, &buf);
	if (cs_shell_editor(sh, cs_buf_str(&buf), ".json", &text, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	free(b->draft_text);
	b->draft_text = cs_xstrdup(text);
	if (cs_json_parse(text, strlen(text), &value, &err) < 0) {
		cs_shell_sayf(sh, CS_ST_BAD, _("Not JSON at line %u, column %u: %s. m takes it up again where you left it"), err.line, err.col, err.msg);
		return;
	}
	cmd = cs_inbox_command(b, "respond");
	(void)json_object_set(cmd, "value", value);
	cs_pager_clear(&sh->text);
	cs_show_value(&sh->text, CS_ST_TEXT, 0, NULL, value);
	cs_shell_text(sh, _("Your answer"));
	cs_shell_choose(sh, _("Send this answer? y, n:"), "yn", cmd, send_value);
}

void cs_act_answer(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);
	const json_t *form = json_object_get(b->item, "form");
	json_t *cmd;

	if (json_is_object(form)) {
		answer_form(sh, b, form);
		return;
	}
	cmd = cs_inbox_command(b, "respond");
	if (strcmp(cs_json_str_or(b->item, "call", ""), "ask") == 0)
		(void)json_object_set_new(cmd, "words", json_true());
	cs_shell_ask(sh, _("Answer:"), "", cmd, send_words);
}

/* ---- edits ------------------------------------------------------------------------------------ */

/* Text is edited as text, anything else as JSON. */
void cs_act_edit(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);
	json_t *from = b->draft ? b->draft : json_object_get(b->item, "value"), *value = NULL;
	CS_AUTOFREE char *text = NULL;
	CS_AUTOBUF cs_buf start = { 0 };
	cs_err err = { 0 };
	bool plain = json_is_string(from);

	cs_buf_init(&start, 8u << 20);
	if (b->draft_text)
		(void)cs_buf_adds(&start, b->draft_text);
	else if (plain)
		(void)cs_buf_adds(&start, json_string_value(from));
	else
		(void)cs_json_write_pretty(from, &start);
	if (start.failed) {
		cs_shell_say(sh, CS_ST_BAD, _("This value is too large to edit here: `capstan edit ID --value` takes a file"));
		return;
	}
	if (cs_shell_editor(sh, cs_buf_str(&start), plain ? ".txt" : ".json", &text, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	free(CS_STEAL(b->draft_text));
	if (plain) {
		value = json_string(text);
	} else if (cs_json_parse(text, strlen(text), &value, &err) < 0) {
		b->draft_text = CS_STEAL(text);
		cs_shell_sayf(sh, CS_ST_BAD, _("Not JSON at line %u, column %u: %s. e takes it up again where you left it"), err.line, err.col, err.msg);
		return;
	}
	cs_inbox_drop_draft(b);
	sh->views[CS_VIEW_INBOX]->focus = 1;
	cs_pager_home(&b->card);
	if (!value || cs_json_equal(value, json_object_get(b->item, "value"))) {
		json_decref(value);
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing was changed: a approves it as it was"));
		return;
	}
	b->draft = value;
}
