/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rule at the end of a TZif file: what holds after the last change that it lists.
 * Source: POSIX.1-2017 section 8.3 (TZ), with the longer times of RFC 8536. */
#ifndef CS_BASE_ZONE_RULE_H
#define CS_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* A day of the year and a time on it. */
typedef struct cs_zone_date {
	enum { CS_ZONE_JULIAN, CS_ZONE_DAY, CS_ZONE_WEEKDAY } how;   /* Jn (no leap day), n (from 0), Mm.w.d */
	int month, week, day;
	int32_t time;                /* seconds after midnight, of the clock before the change; -167 h to 167 h */
} cs_zone_date;

typedef struct cs_zone_rule {
	int32_t standard, summer;    /* seconds east of UTC */
	bool changes;                /* there is a summer time */
	cs_zone_date start, end;     /* of it */
} cs_zone_rule;

/* False: TEXT is none. */
bool cs_zone_rule_parse(const char *text, cs_zone_rule *ret);
/* As cs_zone_offset, by the rule alone. */
int32_t cs_zone_rule_offset(const cs_zone_rule *r, int64_t t, int64_t *ret_until);

#endif
