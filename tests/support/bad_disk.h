/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk that fails when the test says so: every file that SQLite opens from bad_disk_install on. */
#ifndef CS_TESTS_BAD_DISK_H
#define CS_TESTS_BAD_DISK_H

#include <stdbool.h>

typedef enum bad_disk_way {
	BAD_DISK_FULL,               /* a write: no space */
	BAD_DISK_WRITE,              /* a write: an I/O error */
	BAD_DISK_SHORT,              /* a write: half of it, then an I/O error */
	BAD_DISK_SYNC,               /* a sync: an I/O error, what was written may be there or not */
	BAD_DISK_WAYS
} bad_disk_way;

void bad_disk_install(void);         /* once, before anything is opened */
/* The NTH such call from now on (1: the next) fails, and MORE after it. */
void bad_disk_fail(bad_disk_way way, int nth, int more);
void bad_disk_mend(void);
bool bad_disk_hit(void);             /* one has failed since bad_disk_fail */

#endif
