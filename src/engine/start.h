/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New runs, whatever starts them: a request, a clock, an event. All of it happens in the open
 * group, so that the run and what caused it are committed together. */
#ifndef CS_ENGINE_START_H
#define CS_ENGINE_START_H

#include "engine/engine_priv.h"

/* What starts a run when no request does. Everything is borrowed. */
typedef struct cs_start_order {
	const cs_flow *flow;
	json_t *input;               /* NULL: {} */
	const char *actor;           /* "schedule:NAME", "webhook:NAME", … */
	int64_t cause;               /* seq of the event that led here */
	const char *subject;         /* NULL: what capstan.yaml says of the flow */
	const char *key, *key_digest;    /* start key, not given before (cs_start_known); NULL: none */
	bool simulated;
	json_t *more;                /* further members of run.created; NULL: none */
} cs_start_order;

/* Creates and begins the run that O orders; ret_id (may be NULL) is its id. A negative result may
 * leave half of it in the group: it must not be committed. */
int cs_start_run(cs_engine *e, const cs_start_order *o, char ret_id[CS_ID_SIZE], cs_err *err);

/* ---- its parts, for requests ---- */
/* The data of run.created for B with INPUT. New reference. */
json_t *cs_start_data(const cs_bundle *b, json_t *input);
/* Whose record the run belongs to: SAID, or as capstan.yaml tells; set in CREATED. */
void cs_start_subject(cs_engine *e, const cs_flow *flow, const char *said, json_t *input, json_t *created);
/* The run that KEY started: {run, existing}. CS_ENOTFOUND (without a message): none yet;
 * CS_EREFUSED: one with another digest. */
int cs_start_known(cs_engine *e, const char *key, const char *digest, json_t **ret, cs_err *err);
/* Notes a key of CREATED for the rest of this group: RUN has it now. */
void cs_start_note_key(cs_engine *e, const json_t *created, const char *run);
/* Writes run.created with CREATED and all that follows at once; RECORD (may be NULL) is taken over. */
int cs_start_begin(cs_engine *e, cs_bundle *b, json_t *created, bool simulated, cs_record *record, const char *id, cs_err *err);

#endif
