/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/shell.h"

const cs_action cs_actions[CS_ACT_COUNT] = {
#define A(ident, name, keys, views, needs, flags, help) { name, keys, views, needs, flags, cs_act_##ident, help },
	CS_ACTIONS(A)
#undef A
};

/* Why not, and the one thing to do; in the order in which it is said. */
static const struct { unsigned bit; const char *why; } reasons[] = {
	{ CS_CAN_ROW, N_("nothing is selected: choose a row with the arrows") },
	{ CS_CAN_CARD, N_("its card is not on the screen: open it with Enter") },
	{ CS_CAN_RESOLVE, N_("no effect is in doubt here: J goes to the next item") },
	{ CS_CAN_FAULT, N_("no fault is selected (↑ goes up): t shows the run") },
	{ CS_CAN_CORRECT, N_("only what waits, is paused or faulted is corrected (↑ goes up): t shows the run") },
	{ CS_CAN_UNDO, N_("no decision can be taken back, as none was made or its grace is over: t shows the run") },
	{ CS_CAN_GONE, N_("the engine is there, so nothing has to be found: ? lists what can be done") },
	{ CS_CAN_OPEN, N_("it is decided already: J goes to the next item") },
	{ CS_CAN_ACCEPT, N_("this item cannot be approved: ? shows what it allows") },
	{ CS_CAN_EDIT, N_("this item cannot be edited: ? shows what it allows") },
	{ CS_CAN_RESPOND, N_("this item takes no answer: ? shows what it allows") },
	{ CS_CAN_REJECT, N_("this item cannot be rejected: ? shows what it allows") },
	{ CS_CAN_SNOOZE, N_("only an open approval can be put off: d dismisses a notice") },
	{ CS_CAN_DISMISS, N_("only a notice or a fault is dismissed: ? shows what this item allows") },
	{ CS_CAN_RUNBOOK, N_("no runbook is named for it: `runbook:` in its flow names one") },
	{ CS_CAN_RUN, N_("no run is chosen: 2 lists the runs") },
	{ CS_CAN_PAUSE, N_("the run is not going on: P resumes a paused one") },
	{ CS_CAN_RESUME, N_("the run is not paused: p pauses it") },
	{ CS_CAN_CANCEL, N_("the run has ended: f in its trace replays it") },
	{ CS_CAN_FORK, N_("a replay cannot begin at this row: choose a step with the arrows") },
	{ CS_CAN_ERROR, N_("no step failed: w shows the causes of one") },
	{ CS_CAN_EVENT, N_("this row has no event of its own: choose a step with the arrows") },
	{ CS_CAN_MARKS, N_("nothing is marked: Space marks an item") },
	{ CS_CAN_MARK, N_("only open approvals that can be taken back are marked: a decides this one alone") },
	{ CS_CAN_FRESH, N_("nothing new waits: new rows are counted here when they come") },
	{ CS_CAN_SEARCH, N_("nothing was searched for: / starts a search") },
	{ CS_CAN_REPEAT, N_("there is nothing to repeat: decisions never are; ? lists the actions") },
	{ CS_CAN_SETUP, N_("no replay is being prepared: f in a trace prepares one") },
	{ CS_CAN_COMPARE, N_("no two runs are side by side: s starts a prepared replay") },
};

static const struct { const char *name; cs_key key; } names[] = {
	{ "Enter", CS_KEY_ENTER }, { "Esc", CS_KEY_ESC }, { "Space", ' ' }, { "Tab", CS_KEY_TAB },
	{ "C-l", CS_CTRL('l') }, { "C-z", CS_CTRL('z') }, { "C-p", CS_CTRL('p') },
};

static cs_key key_of(const char *name, size_t len)
{
	if (len == 1)
		return (unsigned char)name[0];
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
			return names[i].key;
	return CS_KEY_NONE;
}

static bool has_key(const cs_action *a, cs_key key)
{
	const char *p = a->keys;

	while (*p) {
		size_t len = strcspn(p, " ");

		if (key_of(p, len) == key)
			return true;
		p += len + (p[len] == ' ');
	}
	return false;
}

int cs_action_find(cs_key key, int view, unsigned can)
{
	int first = -1;

	for (int i = 0; i < CS_ACT_COUNT; i++) {
		if (!(cs_actions[i].views & CS_IN(view)) || !has_key(&cs_actions[i], key))
			continue;
		if (!(cs_actions[i].needs & ~can))
			return i;
		/* what is tried last says most plainly why: `a` without marks is about the card */
		if (first < 0 || cs_actions[first].needs == CS_CAN_MARKS)
			first = i;
	}
	return first;
}

const char *cs_action_why_not(cs_action_id id, int view, unsigned can)
{
	unsigned missing = cs_actions[id].needs & ~can;

	if (!(cs_actions[id].views & CS_IN(view)))
		return _("it belongs to another screen: 1 to 4 change screens");
	for (size_t i = 0; i < CS_ARRAY_LEN(reasons); i++)
		if (missing & reasons[i].bit)
			return _(reasons[i].why);
	return NULL;
}

const char *cs_action_key(cs_action_id id, char out[16])
{
	(void)snprintf(out, 16, "%.*s", (int)strcspn(cs_actions[id].keys, " "), cs_actions[id].keys);
	return out;
}

static void run_by_word(cs_shell *sh, const json_t *bound, const char *text)
{
	(void)text;
	cs_action_run(sh, (cs_action_id)json_integer_value(json_object_get(bound, "action")), false);
}

void cs_action_run(cs_shell *sh, cs_action_id id, bool from_palette)
{
	const cs_action *a = &cs_actions[id];
	const char *why = cs_action_why_not(id, sh->at, cs_shell_can(sh));

	if (!why && (a->flags & CS_ACT_DECISION)) {
		if (from_palette) {
			/* chosen with Enter, which never decides: the name is typed as well */
			cs_shell_ask_word(sh, a->name, json_pack("{s:i}", "action", (int)id), run_by_word);
			return;
		}
		why = cs_shell_unarmed(sh);
	}
	if (why) {
		CS_AUTOFREE char *text = cs_xasprintf("%s: %s", a->name, why);

		cs_shell_say(sh, CS_ST_WAIT, text);
		return;
	}
	if (a->flags & CS_ACT_REPEAT)
		sh->last = (int)id;
	a->run(sh);
}
