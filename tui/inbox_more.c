/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the inbox does beside deciding an approval: put off, dismiss, retry all of one cause, and
 * show what somebody wrote down to do. */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/inbox.h"
#include "tui/when.h"

static void put_off(cs_shell *sh, const json_t *bound, const char *text)
{
	cs_err err = { 0 };
	int64_t until = 0;
	json_t *cmd;

	if (cs_when_parse(text, cs_clock_wall_ms(), &until, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	cmd = json_deep_copy(bound);
	(void)json_object_set_new(cmd, "until", json_integer(until));
	cs_shell_send(sh, cmd, cs_inbox_decided);
}

void cs_act_snooze(cs_shell *sh)
{
	cs_shell_ask(sh, _("Put off until (30m, 4h, 2d, tomorrow, 14:30):"), "", cs_inbox_command(cs_inbox_of(sh), "snooze"), put_off);
}

static void each_done(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	cs_inbox *b = cs_inbox_of(sh);

	(void)cmd;
	(void)ok;
	b->batch_left -= b->batch_left > 0;
	b->batch_done += !error;
	b->batch_failed += error != NULL;
	if (b->batch_left)
		return;
	if (b->batch_failed)
		cs_shell_sayf(sh, CS_ST_WAIT, _("%zu done, %zu refused, as they had changed meanwhile: g shows what is left"), b->batch_done, b->batch_failed);
	else
		cs_shell_sayf(sh, CS_ST_GOOD, _("%zu done: J goes to the next item"), b->batch_done);
}

/* Away with all that the item stands for; false: it stands for itself. */
static bool dismiss_each(cs_shell *sh)
{
	cs_inbox *b = cs_inbox_of(sh);
	CS_AUTOJSON json_t *all = json_incref(json_object_get(b->item, "ids"));
	size_t i;
	json_t *id;

	if (sh->at != CS_VIEW_INBOX || json_array_size(all) < 2)
		return false;
	b->batch_left = json_array_size(all);
	b->batch_done = b->batch_failed = 0;
	json_array_foreach(all, i, id)
		cs_shell_send(sh, json_pack("{s:s, s:O}", "cmd", "dismiss", "id", id), each_done);
	return true;
}

json_t *cs_inbox_runs(cs_shell *sh)
{
	json_t *all = sh->at == CS_VIEW_INBOX ? json_object_get(cs_inbox_of(sh)->item, "runs") : NULL;

	return json_array_size(all) < 2 ? NULL : all;
}

json_t *cs_inbox_seen(cs_shell *sh)
{
	return json_object_get(cs_inbox_of(sh)->item, "run_seqs");
}

void cs_inbox_each(cs_shell *sh, const json_t *commands)
{
	cs_inbox *b = cs_inbox_of(sh);
	size_t i;
	json_t *cmd;

	b->batch_left = json_array_size(commands);
	b->batch_done = b->batch_failed = 0;
	json_array_foreach(commands, i, cmd)
		cs_shell_send(sh, json_incref(cmd), each_done);
}

void cs_act_dismiss(cs_shell *sh)
{
	if (!dismiss_each(sh))
		cs_shell_send(sh, cs_inbox_command(cs_inbox_of(sh), "dismiss"), cs_inbox_decided);
}

void cs_act_runbook(cs_shell *sh)
{
	const char *name = cs_json_str_or(cs_inbox_of(sh)->item, "runbook", "");
	CS_AUTOFREE char *text = NULL;
	cs_err err = { 0 };

	if (sh->src->runbook(sh->src->ctx, name, &text, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	cs_pager_clear(&sh->text);
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		cs_pager_add(&sh->text, *line == '#' ? CS_ST_BOLD : CS_ST_TEXT, 0, NULL, line + strspn(line, "#"));
	}
	cs_shell_text(sh, name);
}
