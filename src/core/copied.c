/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/copied.h"

#include "base/mem.h"

bool cs_copied_doubts(const cs_run *r, const cs_call *c)
{
	return r->doubtful && !r->simulated && !r->shadow && !c->cleared && !c->simulated && cs_effect_class_sends(c->effect);
}

void cs_copied_rekey(const cs_run *r, const cs_step *s, cs_call *c)
{
	if (!r->doubtful || !c->cleared || s->token == NULL)
		return;
	CS_AUTOFREE char *text = cs_xasprintf("incarnation\n%s\n%s", s->token, c->key);
	s->key(s->ctx, text, c->key);
}
