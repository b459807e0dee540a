/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/text.h"

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	(void)err;
	json_t *text = json_object_get(e->rendered, "text");
	if (!json_is_string(text)) {
		done(ctx, cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, "A text that cannot be",
					    "%s: its template gave no text; run `capstan check`", e->call));
		return CS_OK;
	}
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_incref(text);
	done(ctx, o);
	return CS_OK;
}

cs_performer cs_text_performer(void)
{
	return (cs_performer){ .kind = "text", .blocking = false, .perform = perform };
}
