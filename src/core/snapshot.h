/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of a run as JSON, and back: what its events up to last_seq fold to, so that only those after it
 * need to be folded. It saves time and nothing else: whatever does not fit is refused whole, and the run is
 * folded from its first event. */
#ifndef CS_CORE_SNAPSHOT_H
#define CS_CORE_SNAPSHOT_H

#include "core/run.h"

/* What the text of a snapshot looks like: another value where any member is added, taken away or renamed. */
void cs_snapshot_layout(char ret[CS_HEX_SIZE]);
/* Can R be saved as it stands? Not while an expression is asked for, or a call or a loop is between two of its
 * events, where it knows what stands in none of them; nor when it is over. */
bool cs_snapshot_may(const cs_run *r);
/* New reference. */
json_t *cs_snapshot_save(const cs_run *r);
/* DOC, what cs_snapshot_save made of the run ID of FLOW, as a run. CS_EINVAL: it does not fit. */
int cs_snapshot_load(const char *id, const cs_flow *flow, const json_t *doc, cs_run **ret, cs_err *err);

#endif
