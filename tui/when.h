/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A time to come as a person types it. */
#ifndef CS_TUI_WHEN_H
#define CS_TUI_WHEN_H

#include <stdint.h>
#include "base/err.h"

/* TEXT as wall milliseconds after NOW: "30m", "4h", "2d", "1w"; "14:30" the next time it is that in
 * the local zone; "tomorrow" at eight; RFC 3339. CS_EINVAL, with what can be written, for anything
 * else and for what is past. */
int cs_when_parse(const char *text, int64_t now, int64_t *ret, cs_err *err);

#endif
