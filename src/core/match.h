/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One event before the filters of a strategy: does one of them take it?
 * Source: dsl-reference.md, "Event Filter", "Correlation". */
#ifndef CS_CORE_MATCH_H
#define CS_CORE_MATCH_H

#include "core/frame.h"

typedef struct cs_match {
	cs_view_of v;            /* from where expressions look; jq is remembered in its memo */
	const json_t *settled;   /* keys that earlier events settled; borrowed */
	json_t *event;           /* borrowed */
	json_t *keys;            /* settled by this event; an object of the caller */
	bool yes;                /* inside: holds so far */
	char *why;               /* an expression that failed on it, malloc'ed for the caller; NULL */
	cs_err *lost;            /* where not NULL: an evaluator that cannot be had is CS_EUNAVAIL, with the reason here;
				  * NULL: that counts as an expression that failed */
} cs_match;

/* May EVENT be what S wants, by what can be told without evaluation? */
bool cs_strategy_may_match(const cs_strategy *s, const json_t *event);
/* The first filter that takes it; of `all`, the first that has had none by MET. *ret is -1 when none
 * does. CS_EAGAIN: jq was asked, come again; CS_EUNAVAIL. */
int cs_match_choose(cs_match *m, const cs_strategy *s, const bool *met, int *ret);

#endif
