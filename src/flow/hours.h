/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Working hours of a workspace (`hours` of capstan.yaml), and the moment that `until` waits for. */
#ifndef CS_FLOW_HOURS_H
#define CS_FLOW_HOURS_H

#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/zone.h"

typedef struct cs_hours cs_hours;

/* WORKING: 'Mo-Fr 08:00-12:00, 13:00-18:00; Sa 09:00-12:00' (days stand until the next are named;
 * none: every day). CLOSED: array of dates and of ranges 2026-12-24..2027-01-02, or NULL. CS_EINVAL
 * says what is wrong; *ret_closed is then the index in CLOSED, or -1. */
int cs_hours_new(const char *working, const json_t *closed, cs_hours **ret, int *ret_closed, cs_err *err);
void cs_hours_free(cs_hours *h);
/* The first working instant at or after AT, in ms since 1970; CS_ENOTFOUND: none within two years. */
int cs_hours_next(const cs_hours *h, const cs_zone *zone, int64_t at, int64_t *ret, cs_err *err);
/* AT itself when it is a working instant, else the end of the working hours before it. */
int cs_hours_last(const cs_hours *h, const cs_zone *zone, int64_t at, int64_t *ret, cs_err *err);

/* The moment of `until`: WITH is {at, before, after, hours}, all optional; NOW stands for `at` where it is
 * not said. With `hours: working` a moment outside is moved to the next working hours, or with `before`
 * to the end of those before. H may be NULL: then `hours` is an error. */
int cs_until_moment(const json_t *with, const cs_hours *h, const cs_zone *zone, int64_t now, int64_t *ret, cs_err *err);

#endif
