/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands after a task, as the flow is written: for the card of whoever decides there. */
#ifndef CS_FLOW_AHEAD_H
#define CS_FLOW_AHEAD_H

#include <jansson.h>
#include "flow/flow.h"

/* The names of at most MAX tasks that come after T when nothing fails, in order, as far as that
 * can be said without running: it ends with a switch, whose cases lead elsewhere. Empty: the run
 * ends. New array. */
json_t *cs_flow_ahead(const cs_flow *f, const cs_task *t, size_t max);

#endif
