/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rooms of the view share: rows to objects, times, one event by its seq. */
#ifndef CS_VIEW_ROW_H
#define CS_VIEW_ROW_H

#include "base/json.h"
#include "view/view.h"

/* How a column becomes a member. */
typedef enum cs_view_as {
	CS_VIEW_PLAIN,   /* as it is */
	CS_VIEW_TIME,    /* ms to RFC 3339; null stays */
	CS_VIEW_BOOL,    /* 0 or 1 */
	CS_VIEW_TEXT,    /* "" becomes null */
} cs_view_as;

typedef struct cs_view_column {
	const char *member, *column;
	cs_view_as as;
} cs_view_column;

/* New object with the members of COLUMNS, which a NULL member ends, from a row of a query. */
json_t *cs_view_object(const json_t *row, const cs_view_column *columns);
/* RFC 3339 or null; 0 is null. */
json_t *cs_view_time(int64_t ms);
json_t *cs_view_time_json(const json_t *ms_or_text);
/* The data of event SEQ in *ret (new reference); an empty object for seq 0. */
int cs_view_data(cs_reader *r, int64_t seq, json_t **ret, cs_err *err);
/* Of an item of kind breaker that is not closed: breaker (the state of it), target, until (when it is tried again), trips. */
int cs_view_add_breaker(cs_reader *r, json_t *item, cs_err *err);
/* Did CALL, the last of the place where a run faulted with ERROR (may be NULL), have its effect? CALL is NULL where it was
 * not sent and answered. */
bool cs_view_happened(const char *call, const json_t *error);
/* A row's first column where an attempt, `a`, was sent and answered: its call; else null. */
#define CS_VIEW_ANSWERED "CASE WHEN a.state = 'done' AND a.simulated = 0 AND a.class IN ('keyed', 'probe', 'unsafe') THEN a.call END"
/* The state, held until the end of the scope. */
typedef struct cs_view_hold {
	cs_reader *r;
} cs_view_hold;
int cs_view_take(cs_view_hold *h, cs_reader *r, cs_err *err);
void cs_view_let_go(cs_view_hold *h);
#define CS_AUTOHOLD CS_CLEANUP(cs_view_let_go)
/* CS_ENOTFOUND with a sentence when there is no such run. */
int cs_view_need_run(cs_reader *r, const char *run, cs_err *err);

#endif
