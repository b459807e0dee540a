/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time zones: which offset from UTC holds when, from the tz database's own files. Loaded once,
 * immutable from then on. Source: RFC 8536 (TZif), POSIX.1-2017 section 8.3 (TZ). */
#ifndef CS_BASE_ZONE_H
#define CS_BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define CS_ZONE_FOLDER "/usr/share/zoneinfo"
#define CS_ZONE_NAME_MAX 64

typedef struct cs_zone cs_zone;

/* Has NAME the form of a name in the database: Area/Place, nothing that leads out of the folder? */
bool cs_zone_is_name(const char *name);
/* The zone NAME of the database in FOLDER (NULL: CS_ZONE_FOLDER). UTC needs no database. CS_EINVAL:
 * that is no name, or the file is damaged; CS_ENOTFOUND: there is no such zone, or no database. */
int cs_zone_load(const char *folder, const char *name, cs_zone **ret, cs_err *err);
/* The bytes of a TZif file of version 2 or later; NAME is for messages. CS_EINVAL. */
int cs_zone_parse(const char *name, const void *bytes, size_t n, cs_zone **ret, cs_err *err);
void cs_zone_free(cs_zone *z);
const char *cs_zone_name(const cs_zone *z);

/* Seconds east of UTC at T (seconds since 1970 UTC). *ret_until (may be NULL): the first second at
 * which another offset may hold; INT64_MAX: none. */
int32_t cs_zone_offset(const cs_zone *z, int64_t t, int64_t *ret_until);
/* The first instant at which a clock on the wall shows LOCAL or later. LOCAL counts seconds since
 * 1970 as that clock shows them: one that it shows twice is the first of the two, one that it
 * leaves out is where it goes on. Never falls as LOCAL rises. */
int64_t cs_zone_first(const cs_zone *z, int64_t local);

#endif
