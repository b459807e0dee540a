/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The functions that jq 1.6 has of its own, for "did you mean". Source: its manual, and `builtins`. */
#ifndef CS_FLOW_JQ_NAMES_H
#define CS_FLOW_JQ_NAMES_H

#include "flow/diag.h"

/* Reports at the place what jq said, WHY; where that is a function it does not have, with what was
 * probably meant. */
void cs_jq_report(cs_diags *d, const char *file, unsigned line, unsigned col, const char *why);

#endif
