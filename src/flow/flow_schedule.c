/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule: what starts a flow by itself.
 * Source: dsl-reference.md, "Schedule". */
#include "flow/flow_priv.h"

#include <stdlib.h>
#include "base/json.h"
#include "base/mem.h"

void cs_build_schedule(cs_build *b, const json_t *doc)
{
	static const cs_key keys[] = {
		{ "every", CS_IS_STRING | CS_IS_OBJECT }, { "cron", CS_IS_STRING }, { "after", CS_IS_STRING | CS_IS_OBJECT },
		{ "on", CS_IS_OBJECT }, { "read", CS_IS_STRING }, { NULL, 0 },
	};
	const json_t *v = json_object_get(doc, "schedule");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "schedule");
	if (cs_check_object(&b->c, v, keys, "'schedule'")) {
		cs_flow_schedule *s = b->f->schedule = cs_xcalloc(1, sizeof *s);
		const char *cron = cs_json_str(v, "cron");
		s->cron = cron ? cs_xstrdup(cron) : NULL;
		(void)cs_check_cron_key(&b->c, v, "cron", &s->when);
		(void)cs_check_interval_key(&b->c, v, "every", &s->every_ms);
		(void)cs_check_interval_key(&b->c, v, "after", &s->after_ms);
		cs_build_schedule_on(b, s, v);
		if (json_object_size(v) == 0)
			cs_check_error(&b->c, "'schedule' needs one of every, cron, after, on");
	}
	cs_check_pop(&b->c, mark);
}

void cs_flow_schedule_free(cs_flow_schedule *s)
{
	if (!s)
		return;
	free(s->cron);
	cs_listen_free(s->on);
	free(s);
}
