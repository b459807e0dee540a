/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator changes in a run that rests: the data that nothing was done with yet. That is the context,
 * and where the run rests, what comes in to the task that is next and what that is called with. Pure. */
#ifndef CS_CORE_CORRECT_H
#define CS_CORE_CORRECT_H

#include "core/run.h"

#define CS_CORRECT_CHANGES 64            /* of one correction */
#define CS_CORRECT_MAX (1 << 20)         /* bytes of their values as JSON */

/* CHANGES: [{in: "input"|"with"|"context", path, value}], path as in cs_json_with_path, "." the whole. FROM: name or
 * reference of one of the tasks where R rests; NULL: there is but one. *ret_patch is the changes as run.corrected has
 * them, with {task, old} where they are known; *ret_again the references of calls that wait with what is changed
 * here. CS_EINVAL: no such change. CS_EREFUSED: something stands in its way. */
int cs_correct_check(const cs_run *r, const cs_step *s, const char *from, const json_t *changes, json_t **ret_patch,
		     json_t **ret_again, cs_err *err);
/* What can be corrected in R: {places: [{task, name, input, with}], context}, where they are known and no more than
 * 64 KiB each. New reference. */
json_t *cs_correct_look(const cs_run *r);
/* Voids what AGAIN has asked for, and writes run.corrected with PATCH and DATA {old, new, version, why, batch}, which
 * is taken over. */
int cs_correct_write(cs_run *r, cs_step *s, json_t *patch, const json_t *again, json_t *data, cs_err *err);

/* *VALUE, owned, as R's open corrections of T make it; IN "input" or "with". Left as it was where it cannot be. */
int cs_correct_apply(const cs_run *r, const char *in, const cs_task *t, json_t **value, cs_err *err);
/* Is all of it the operator's, or where NAME is not NULL, all of its member of that name? Then it is clean. */
bool cs_correct_owns(const cs_run *r, const char *in, const cs_task *t, const char *name);
/* Before T begins in a replay: what it was corrected with in the run that is replayed, as task.corrected has it, which is
 * written once, and the occurrence that it had there with that and has here too; what `--from` changes stands after it.
 * CS_ENOTFOUND: nothing, or it is written. CS_EINVAL: it does not fit what is there now. */
int cs_correct_recorded(const cs_run *r, const cs_task *t, json_t **ret_data, int *ret_as, cs_err *err);
/* T is done, or gone with what is in it: its corrections are used up. INSIDE: only those of what is in it. */
void cs_correct_forget(cs_run *r, const cs_task *t, bool inside);

#endif
