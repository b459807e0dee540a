/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold after each death, and at the end of a round.
 *
 *   after a death           what was acknowledged is there; the log only grew, and no entry of it changed; as many effects are
 *                           in doubt as unsafe intents were open; after each third: chain, checkpoints and anchor (I1)
 *   now and then, and at the end, by tests/support/invariants: I1 to I9 and I15
 *   as requests come        I3 (kill_outside.c)
 *   as an engine starts     what is in doubt is in the inbox, within a second (kill_operator.c)
 *   at the end              I4, I5 whole; I9; I11; I12 (nothing under `hold` or by a connector that holds leaves without its approval);
 *                           I13 (epochs only rise); I17 (nothing is written after a commit failed: the next epoch begins with
 *                           engine.started); I18 (every run is over, and nothing waits: kill_operator.c)
 *   seen elsewhere          I10 test_again, I14 test_live and test_secrets, I16 test_policy, I19 and I20 test_life */
#ifndef CS_TESTS_KILL_CHECK_H
#define CS_TESTS_KILL_CHECK_H

#include "tests/faults/kill_round.h"

void kill_check_life(kill_round *r, bool killed);
void kill_check_all(kill_round *r);

#endif
