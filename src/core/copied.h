/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that began before their workspace was copied, or restored from a backup: the other copy may
 * have gone on with them. What they send for the first time since is not sent: its intent ends in
 * doubt at once, under the key that the other would have used, and the operator says whether it
 * happened. What they then let go has a key of this incarnation, which the other cannot have used. */
#ifndef CS_CORE_COPIED_H
#define CS_CORE_COPIED_H

#include "core/frame.h"

/* In a run's chain: it was led to by one that the other copy may have gone on with. No flow has this name. */
#define CS_CHAIN_COPIED "(copied)"

/* May the other copy have sent what C, a call of R, is about to send, or has an intent for? */
bool cs_copied_doubts(const cs_run *r, const cs_call *c);
/* After the intent of F's attempt, in its group: it is in doubt. */
int cs_copied_ask(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);
/* A new key of C, where the operator let it go in this incarnation, becomes one of this incarnation. */
void cs_copied_rekey(const cs_run *r, const cs_step *s, cs_call *c);

#endif
