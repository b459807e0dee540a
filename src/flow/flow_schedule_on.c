/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.on: the events that start a flow, and how its input reads them.
 * Source: dsl-reference.md, "Schedule", "Event Consumption Strategy". */
#include "flow/flow_priv.h"

#include "base/json.h"
#include "base/mem.h"

void cs_build_schedule_on(cs_build *b, cs_flow_schedule *s, const json_t *schedule)
{
	static const char *const reads[] = { "data", "envelope", "raw", NULL };
	int read = cs_check_word(&b->c, schedule, "read", reads);
	if (!json_object_get(schedule, "on")) {
		if (json_object_get(schedule, "read"))
			cs_check_error_key(&b->c, "read", "'read' says how the events of 'on' are read, and there is no 'on'");
		return;
	}
	s->on = cs_xcalloc(1, sizeof *s->on);
	s->on->read = read > 0 ? (cs_listen_read)read : CS_READ_DATA;
	cs_build_listen_to(b, s->on, schedule, "on");
}
