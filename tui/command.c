/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands on their way, and what comes back. */
#include <stdlib.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/shell.h"

#define MESSAGES_A_TURN 1000   /* then paint; the rest is taken in the next turn */

void cs_shell_send(cs_shell *sh, json_t *cmd, cs_reply_fn *done)
{
	cs_err err = { 0 };
	unsigned tag = 0;
	cs_sent *s;

	sh->asked = true;
	if (sh->src->send(sh->src->ctx, cmd, &tag, &err) < 0) {
		done(sh, cmd, NULL, err.msg);
		json_decref(cmd);
		return;
	}
	s = cs_xcalloc(1, sizeof(*s));
	*s = (cs_sent){ tag, cmd, done, sh->sent };
	sh->sent = s;
}

static cs_sent *take_sent(cs_shell *sh, unsigned tag)
{
	for (cs_sent **p = &sh->sent; *p; p = &(*p)->next) {
		cs_sent *s = *p;

		if (s->tag == tag) {
			*p = s->next;
			return s;
		}
	}
	return NULL;
}

/* An error is a text, or an object with a "message". */
static const char *error_of(const json_t *msg)
{
	const json_t *e = json_object_get(msg, "error");

	if (!e || json_is_null(e))
		return NULL;
	if (json_is_string(e))
		return json_string_value(e);
	return cs_json_str_or(e, "message", _("refused without a reason: t shows the run"));
}

/* Nothing that is on its way will be answered any more. */
static void lose_engine(cs_shell *sh, const char *why)
{
	free(sh->gone);
	sh->gone = cs_xstrdup(why);
	while (sh->sent) {
		cs_sent *s = sh->sent;

		sh->sent = s->next;
		s->done(sh, s->cmd, NULL, _("the engine went before it answered"));
		json_decref(s->cmd);
		free(s);
	}
	cs_shell_sayf(sh, CS_ST_BAD, _("The engine is gone (%s). This screen can still be read; E attaches again, or starts an engine here"), why);
	sh->stale = true;
}

static void take_message(cs_shell *sh, const json_t *msg)
{
	const json_t *tag = json_object_get(msg, "tag");
	cs_sent *s;

	if (json_object_get(msg, "feed"))
		sh->stale = true;
	if (json_object_get(msg, "gone"))
		lose_engine(sh, cs_json_str_or(msg, "gone", ""));
	if (!json_is_integer(tag) || !(s = take_sent(sh, (unsigned)json_integer_value(tag))))
		return;
	if (error_of(msg)) {
		s->done(sh, s->cmd, NULL, error_of(msg));
	} else {
		CS_AUTOJSON json_t *none = json_object();
		const json_t *ok = json_object_get(msg, "ok");

		s->done(sh, s->cmd, ok ? ok : none, NULL);
	}
	json_decref(s->cmd);
	free(s);
	sh->stale = true;
	sh->reload_ms = 0;   /* what one did oneself is shown at once */
}

bool cs_shell_poll(cs_shell *sh)
{
	bool any = false;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		CS_AUTOJSON json_t *msg = NULL;
		cs_err err = { 0 };
		int r = sh->src->poll(sh->src->ctx, &msg, &err);

		if (r == CS_EAGAIN)
			break;
		any = true;
		if (r < 0) {
			cs_shell_say_err(sh, &err);
			break;
		}
		take_message(sh, msg);
	}
	return any;
}

void cs_shell_forget_sent(cs_shell *sh)
{
	while (sh->sent) {
		cs_sent *s = sh->sent;

		sh->sent = s->next;
		json_decref(s->cmd);
		free(s);
	}
}
