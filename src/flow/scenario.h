/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scenarios/NAME.yaml: a whole run with what the operator decides on its way, and what must come
 * of it. Here its form is checked; `capstan test` plays it. */
#ifndef CS_FLOW_SCENARIO_H
#define CS_FLOW_SCENARIO_H

#include "flow/workspace.h"

/* Findings go to D; false when there was an error. W may be NULL: then any flow may be meant. */
bool cs_scenario_check(const cs_workspace *w, const json_t *doc, const cs_source *src, cs_diags *d);

#endif
