/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a clock will start, for people who look: the armed timers of schedules. */
#include <string.h>

#include "cli/cli_priv.h"

#define ARMED_SQL "SELECT due, what FROM timer WHERE run = '' AND state = 'armed' ORDER BY due, id"

int cs_cli_schedules(cs_cli *c, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *list = json_array();
	size_t i;
	json_t *row;
	int r = c->reader ? cs_cli_query(c, ARMED_SQL, NULL, &rows, err) : CS_OK;
	if (r < 0)
		return r;
	json_array_foreach(rows, i, row) {
		CS_AUTOJSON json_t *what = cs_json_lenient(cs_json_str_or(row, "what", "{}"));
		const char *schedule = cs_json_str(what, "schedule");
		char at[CS_TIME_SIZE];
		if (!schedule)
			continue;
		cs_time_format(cs_json_int_or(row, "due", 0), at);
		json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "schedule", schedule, "at", at, "due", (json_int_t)cs_json_int_or(row, "due", 0)));
	}
	*ret = CS_STEAL(list);
	return CS_OK;
}

bool cs_cli_has_schedules(const cs_cli *c)
{
	for (size_t i = 0; c->ws && i < c->ws->n_flows; i++) {
		const cs_flow_schedule *s = c->ws->flows[i]->schedule;
		if (s && (s->cron || s->every_ms > 0))
			return true;
	}
	for (size_t i = 0; c->ws && i < c->ws->n_flow_settings; i++)
		for (size_t k = 0; k < c->ws->flow_settings[i].n_starts; k++)
			if (!c->ws->flow_settings[i].starts[k].on)
				return true;
	return false;
}
