/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What another Open Workflow runtime would not know in a flow: functions that are this
 * program's or this workspace's, the two arguments of expressions that the standard does not
 * have, and metadata that asks or says what an effect is. */
#ifndef CS_FLOW_PORTABLE_H
#define CS_FLOW_PORTABLE_H

#include "flow/diag.h"
#include "flow/yaml.h"

/* Notes go to D, with their places. DOC is a flow's document; it need not be without errors. */
void cs_portable_check(const json_t *doc, const cs_source *src, cs_diags *d);

#endif
