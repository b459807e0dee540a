/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The workspace of a simulation: random flows of the whole language, written by a seed, over
 * operations of every class, with rules that ask and rules that allow. */
#ifndef CS_TESTS_FAULTS_SIM_SITE_H
#define CS_TESTS_FAULTS_SIM_SITE_H

#include "tests/faults/sim_chance.h"

/* Every so manieth seed has a breaker that opens soon, and so many calls at once at most. */
enum { SIM_FLOWS = 3, SIM_LIMITED = 3, SIM_AT_ONCE = 1 };

/* Writes the files below DIR, which is there; "f0" … are the names of the flows. The program ends
 * with a sentence where it cannot. */
void sim_site_write(const char *dir, uint64_t seed);
/* One file becomes another: a rule, a flow, or something that cannot be taken. */
void sim_site_change(const char *dir, sim_chance *chance);
/* Removes DIR with all that is below it. */
void sim_site_remove(const char *dir);

#endif
