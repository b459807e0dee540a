/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a finished run knew: the result of each call and the decision of each item, by task and
 * occurrence. A replay answers from it and sends nothing. */
#ifndef CS_CORE_RECORD_H
#define CS_CORE_RECORD_H

#include <jansson.h>
#include "base/err.h"
#include "store/store.h"

typedef struct cs_record cs_record;

typedef struct cs_recorded {       /* all borrowed; NULL: there is none */
	const char *digest;        /* of the last attempt or item */
	const char *asked;         /* digest of what was first put before a person */
	json_t *edited;            /* what that person made of it */
	int64_t at;                /* wall ms when the decision took effect; 0: it did not */
	json_t *result, *error;    /* how the call ended: one of them, or neither */
	json_t *decision;          /* {decision, value, note, by} of its item */
	const char *item;          /* id of that item */
	const char *turn, *word;   /* where it led (core/frame.h's words), and as what it took effect; NULL: as decided */
	int64_t seq;               /* the event that ended it */
	int64_t cost;
	bool tainted, probed;      /* PROBED: the result is what a probe found, not a reply */
	const char *run;           /* what a run task started */
	json_t *received;          /* [{event, tainted}] of a listen, in order */
} cs_recorded;

cs_record *cs_record_new(void);
void cs_record_free(cs_record *r);
/* Takes in one event of the recorded run, in order. */
void cs_record_add(cs_record *r, const cs_event *ev);
/* CS_ENOTFOUND: that task was never entered so often. */
int cs_record_find(const cs_record *r, const char *ref, int occurrence, cs_recorded *ret);
/* What the operator corrected before that entry of the task was done: *ret_patch, borrowed, as run.corrected has it;
 * and as which occurrence it was last begun with that. CS_ENOTFOUND: nothing. */
int cs_record_corrected(const cs_record *r, const char *ref, int occurrence, const json_t **ret_patch, int *ret_as);

#endif
