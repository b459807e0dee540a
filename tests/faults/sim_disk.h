/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk of a simulation: an SQLite VFS over the system's own that remembers what has been
 * written and not yet synced, fails when it is told to, and, at a power cut, takes back any of it.
 * The files lie in memory (/dev/shm). One disk a process, one thread. */
#ifndef CS_TESTS_FAULTS_SIM_DISK_H
#define CS_TESTS_FAULTS_SIM_DISK_H

#include "tests/faults/sim_chance.h"

/* Becomes what SQLite opens files with; draws from CHANCE, which is borrowed. */
void sim_disk_begin(sim_chance *chance);
void sim_disk_end(void);
/* After OPS more writes, truncations, syncs and deletions, the next fails: with FOR_GOOD and all that
 * follow until the disk is mended, else that one alone. */
void sim_disk_fail_after(unsigned ops, bool for_good);
void sim_disk_off(void);                     /* nothing reaches it any more */
void sim_disk_mend(void);                    /* what it has holds, and it takes everything again */
void sim_disk_forget(void);                  /* with every file closed: all that was written holds */
bool sim_disk_failed(void);                  /* since it was mended last */
/* With every file closed: of what was not synced, any part is gone, to the sector. */
void sim_disk_cut_power(void);
uint64_t sim_disk_syncs(void);               /* how many there were */

#endif
