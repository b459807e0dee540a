/* SPDX-License-Identifier: GPL-3.0-or-later */
/* May a run go on under another definition of its flow? What it did must stand in that one as it
 * was; then its log folds under it to where it is. Pure. */
#ifndef CS_CORE_ADOPT_H
#define CS_CORE_ADOPT_H

#include "core/run.h"

/* Takes one event of the run into DID: task reference -> "done" or "begun". Called in order, from an
 * empty object. */
void cs_adopt_note(json_t *did, const cs_event *ev);
/* R's log against TO. *ret_again is an array of the references of calls that wait with another
 * definition: they are begun again. CS_EREFUSED with the task that stands in the way. */
int cs_adopt_check(const cs_run *r, const cs_flow *to, const json_t *did, json_t **ret_again, cs_err *err);
/* Has nothing of C left yet, and is nothing on its way? */
bool cs_call_only_asked(const cs_call *c);
/* May what C, of T, asks a person be void? CS_EREFUSED: it was rejected or answered, and that is about to take effect. */
int cs_adopt_may_void(const cs_run *r, const cs_call *c, const cs_task *t, cs_err *err);
/* Ends the calls that AGAIN names, and voids what they have asked for, because of WHY. */
int cs_adopt_void(cs_run *r, cs_step *s, const json_t *again, const char *why, cs_err *err);
/* R has been folded under its new flow. Voids what AGAIN has asked for, and writes run.adopted with
 * DATA {old, new, version, why}, which is taken over. */
int cs_adopt_write(cs_run *r, cs_step *s, const json_t *again, json_t *data, cs_err *err);

#endif
