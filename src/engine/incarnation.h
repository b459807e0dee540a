/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of several copies of a workspace this is. Its state notes where it lies, so that a copy of it
 * is told from it: a copy, and a backup that is restored, is another incarnation, which rests until
 * the operator lets it go. What it sends of what began before, the other may have sent. */
#ifndef CS_ENGINE_INCARNATION_H
#define CS_ENGINE_INCARNATION_H

#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "store/store.h"

/* Where the state in DIR lies: a digest of the machine, and of the number and the time of birth of its
 * database file, which no copy keeps. Moving the folder in its file system keeps it. */
int cs_incarnation_place(const char *dir, char ret[CS_HEX_SIZE], cs_err *err);

typedef struct cs_incarnation_order {
	const char *why;               /* "restored" | "copied" | "put back" | "handed over" */
	const char *actor;
	const char *file;              /* of the backup; NULL */
	int64_t at, since;             /* now; the time of the last event of what it is a copy of */
	char item[CS_ID_SIZE];         /* for the notice in the inbox */
} cs_incarnation_order;

/* Makes the state in PLACE, whose writer is S, another incarnation, in the open group. */
int cs_incarnation_begin(cs_store *s, const char *place, const cs_incarnation_order *o, cs_err *err);
/* True when the state in PLACE was live, or was an incarnation of its own, in another place than this. */
int cs_incarnation_is_copy(cs_store *s, const char *place, bool *ret, cs_err *err);

#endif
