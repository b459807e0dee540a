/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots of runs (core/snapshot.h) in the database: made as a run goes on, so that it is not folded anew from its
 * first event each time it comes back to memory. One is bound to the event that it was made at, to the run's
 * definition and to this program, under the workspace's key; one that does not fit is passed over without harm. */
#ifndef CS_ENGINE_SNAPSHOT_H
#define CS_ENGINE_SNAPSHOT_H

#include "engine/engine_priv.h"

/* L was stepped in the open group: makes one where it is due and can be made, and drops that of a run that is over. */
int cs_snapshot_note(cs_engine *e, cs_live *l, cs_err *err);
/* The run ID, which has DEFINITION, as its snapshot has it; its events after last_seq are still to be folded.
 * *ret_size: how large it is, or that of one that did not fit. CS_ENOTFOUND: there is none that fits. */
int cs_snapshot_find(cs_engine *e, const char *id, const char *definition, cs_run **ret, cs_bundle **ret_bundle, size_t *ret_size);

#endif
