/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chance and time of a simulation: both come from its seed. While one is under way every clock and
 * the kernel's randomness are this program's own (the linker's --wrap), so that nothing in the
 * engine, the store or the ids can tell two runs of one seed apart. One thread. */
#ifndef CS_TESTS_FAULTS_SIM_CHANCE_H
#define CS_TESTS_FAULTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim_chance {
	uint64_t state;
} sim_chance;

uint64_t sim_draw(sim_chance *c, uint64_t below);             /* 0 … BELOW - 1 */
bool sim_one_in(sim_chance *c, uint64_t n);
bool sim_percent(sim_chance *c, unsigned percent);

void sim_time_begin(uint64_t seed);          /* from here on the clocks stand still */
void sim_time_end(void);
int64_t sim_time_ms(void);                   /* wall */
int64_t sim_time_passed_ms(void);           /* of a clock that nobody sets */
int64_t sim_time_latest_ms(void);            /* the largest that the wall clock has shown */
void sim_time_pass(int64_t ms);              /* every clock goes on */
void sim_time_jump(int64_t ms);              /* the wall clock alone is set, forward or back */
int64_t sim_time_real_ms(void);              /* of the machine, for limits on the test itself */

#endif
