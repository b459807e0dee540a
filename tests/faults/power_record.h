/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One scenario as it was played on a taped disk, what must outlast a power cut at each point of it,
 * and the judgement of what did. */
#ifndef CS_TESTS_POWER_RECORD_H
#define CS_TESTS_POWER_RECORD_H

#include "base/hash.h"
#include "tests/faults/disk_tape.h"
#include "tests/faults/power_plays.h"

typedef struct power_record {
	const power_play *play;
	disk_tape tape;
	int64_t n_events;
	uint8_t (*hashes)[CS_HASH_LEN];      /* of event seq at [seq] */
	/* At [op], for a cut just before it: the event that the log must reach; that its anchor must. */
	int64_t *need, *anchor;
	bool unsure;                         /* a commit failed: its events may be there or not, but never stood in the way of what was told */
	size_t *marks, n_marks;              /* the ops after which somebody was told something */
} power_record;

/* Reads the log that was left in the site, for the tape that led to it. A sentence when the two do not
 * fit each other (something was told that is not in the log), malloc'ed; NULL: fine. */
char *power_record_read(power_record *r, site *s);
void power_record_free(power_record *r);

/* Both look at the image that lies in the site's state folder, of a cut before op CUT; a sentence about
 * what is wrong, malloc'ed, or NULL. The first opens the store and holds log, chain, anchor,
 * projections and what was told against each other; the second has an engine take it up, looks
 * what became of each effect that had left, and goes on to the end of every run. */
char *power_judge_store(const power_record *r, site *s, size_t cut);
char *power_judge_engine(const power_record *r, site *s, size_t cut);
/* The second part of that, for what lies in the site already, and what its outside knows already. Leaves
 * the engine stopped. */
char *power_take_up(site *s);

#endif
