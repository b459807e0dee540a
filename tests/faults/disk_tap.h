/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk as this program has it: the calls by which the engine and SQLite change files below one
 * folder go through here (they stand before the C library's own). They can be put on a tape, and
 * made to fail. A program with this in it sees its own calls alone: no child's. */
#ifndef CS_TESTS_DISK_TAP_H
#define CS_TESTS_DISK_TAP_H

#include "tests/faults/disk_tape.h"

/* From now on FOLDER, of which there is nothing yet, is on TAPE, until tap_end. TAPE NULL: failing only. */
void tap_begin(const char *folder, disk_tape *tape);
/* The same where FOLDER holds something: that is on the tape first, as synced, after the marks of BEFORE up to
 * its op UPTO. False: it cannot be read. */
bool tap_go_on(const char *folder, disk_tape *tape, const disk_tape *before, size_t upto);
void tap_end(void);
void tap_mark(tape_mark mark, const char *text, int64_t at);
/* Marks go to this file as well from now on, each at once, so that they outlive the process; -1: no more. */
void tap_marks_to(int fd);
/* Reads such a file onto a tape. False: it is not one. */
bool tap_read_marks(const char *path, disk_tape *t);

typedef enum tap_way {
	TAP_FULL,                    /* a write or a new entry: no space */
	TAP_ERROR,                   /* a write: an I/O error */
	TAP_SHORT,                   /* a write: half of it, the next one finds no space */
	TAP_SYNC,                    /* a sync of a file or the folder: an I/O error; what it was to sync may be lost for good */
	TAP_RENAME,                  /* a rename: an I/O error */
	TAP_WAYS
} tap_way;

/* The NTH such call from now on (1: the next) fails, and MORE after it. */
void tap_fail(tap_way way, int nth, int more);
void tap_mend(void);
bool tap_hit(void);                  /* one has failed since tap_fail */
int tap_count(tap_way way);          /* how many such calls there were since tap_begin */

#endif
