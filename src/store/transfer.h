/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs as signed text, to be looked at and replayed in another workspace. One JSON object a line:
 *
 *   {"capstan":"export","format":1,"workspace","key","at","version","runs":[{"run","flow","state"}],"bodies","events","sum"}
 *   {"body":HEX,"text":"…","sum"}        a definition, or a member of an event that is kept apart
 *   {"event":{as an event is hashed},"hash":HEX,"sum"}   in the order of their seq, all runs together
 *   {"lines":N,"signature":HEX}          N: of those before it
 *
 * A line's sum is SHA-256 of the sum before (zeros at first) and of what stands before `,"sum":` in
 * it, so that what was altered is found at its line; the signature (Ed25519, the pair of the
 * workspace's key) is over the last sum. It says who wrote the file, not that it is true. Nothing of
 * the key or of the vault is in it; secrets are masked as they are in the log. */
#ifndef CS_STORE_TRANSFER_H
#define CS_STORE_TRANSFER_H

#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/store.h"

#define CS_TRANSFER_FORMAT 1
/* The most that one file holds, and the most runs in it. */
#define CS_TRANSFER_MAX ((size_t)64 * 1024 * 1024)
#define CS_TRANSFER_RUNS 10000
/* What stands before the actor of an event that was imported: who did it, somewhere else. The
 * projections have of such events the run alone: no item, no timer, no key, no effect. */
#define CS_IMPORTED_ACTOR "import:"

/* The RUNS (array of whole ids), with the runs that their tasks started, into OUT (which holds
 * CS_TRANSFER_MAX). DIR has the key. *ret_runs: the ids that are in it, new reference.
 * CS_ENOTFOUND: no such run, or no key; CS_ETOOBIG. Not for two threads on one reader. */
int cs_export_runs(const char *dir, cs_reader *r, const json_t *runs, const char *workspace, const char *version, cs_buf *out,
		   json_t **ret_runs, cs_err *err);

typedef struct cs_import {
	char file[CS_HEX_SIZE];      /* SHA-256 of the whole text */
	char signer[CS_HEX_SIZE];    /* the public key that it is signed with */
	json_t *header;              /* its first line */
	json_t *runs;                /* id -> {definition, state, line, events}, in the order of the file: the first two as the
				      * events say (cs_import_try), the line of its creation, the places in EVENTS of its own */
	json_t *bodies;              /* hex -> text of each */
	json_t *lines;               /* hex -> the line it stands on */
	json_t *events;              /* [{seq, at, run, task, occurrence, type, actor, cause, simulated, data, line}], bodies put back */
} cs_import;

/* Looks at TEXT, which anybody may have written, as far as sums and signature go: header, file and signer
 * of *RET. CS_EINVAL, and ERR has the line: altered, or cut off; CS_EUNSUPPORTED: of a newer format.
 * *RET is for cs_import_fini, also after an error. */
int cs_import_check(const char *text, size_t len, cs_import *ret, cs_err *err);
/* Then the rest of the same TEXT. CS_EINVAL, and ERR has the line that holds what one of ours does not. */
int cs_import_read(const char *text, size_t len, cs_import *m, cs_err *err);
void cs_import_fini(cs_import *m);
/* The Ith event as it enters another log: a run's, simulated, done by CS_IMPORTED_ACTOR and who did it. ACTOR
 * has the text; EV borrows from it and from M. Its cause is still that of the file. */
void cs_import_event(const cs_import *m, size_t i, cs_buf *actor, cs_event *ev);
/* Whether the projections take them, tried in a database of its own. */
int cs_import_try(const cs_import *m, cs_err *err);

#endif
