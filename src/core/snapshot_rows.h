/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside core: every member of a run's state, one row each. A member without a row fails a test. */
#ifndef CS_CORE_SNAPSHOT_ROWS_H
#define CS_CORE_SNAPSHOT_ROWS_H

#include <jansson.h>
#include "core/run.h"

typedef enum cs_member_kind {
	CS_MEMBER_BOOL, CS_MEMBER_INT, CS_MEMBER_UNSIGNED, CS_MEMBER_TIME, CS_MEMBER_SIZE,
	CS_MEMBER_TEXT,              /* char *, owned or NULL */
	CS_MEMBER_HEX, CS_MEMBER_ID, /* char[CS_HEX_SIZE], char[CS_ID_SIZE]; "" none */
	CS_MEMBER_JSON,              /* any value, or NULL */
	CS_MEMBER_OBJECT, CS_MEMBER_ARRAY,   /* that, or NULL */
	CS_MEMBER_WORD,              /* an enum */
	CS_MEMBER_TASK,              /* a task's id, -1: none */
	CS_MEMBER_THEN,              /* the same, or where `then` leads */
	CS_MEMBER_APART,             /* no row's matter: `why` says where it is kept, or why it is not */
} cs_member_kind;

typedef struct cs_member {
	const char *name;
	size_t offset, size;
	cs_member_kind kind;
	const char *const *words;    /* WORD: by value, ended by NULL */
	const char *why;             /* APART */
} cs_member;

typedef struct cs_members {
	const char *name;            /* of the struct */
	size_t size;
	const cs_member *rows;       /* ended by a NULL name */
} cs_members;

extern const cs_members cs_snapshot_run, cs_snapshot_frame, cs_snapshot_call, cs_snapshot_hearing, cs_snapshot_item, cs_snapshot_reversal,
	cs_snapshot_below;
extern const cs_members *const cs_snapshot_structs[];   /* all of them, ended by NULL */

#endif
