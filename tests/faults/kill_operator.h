/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child that is killed: an engine, and an operator who starts runs and answers what waits as the
 * scenario says, knowing nothing but what stands in the database and in the outside's ledger. */
#ifndef CS_TESTS_KILL_OPERATOR_H
#define CS_TESTS_KILL_OPERATOR_H

#include "flow/workspace.h"
#include "tests/faults/kill_scenarios.h"
#include "tests/faults/kill_shared.h"

enum { KILL_EXIT_DONE = 0, KILL_EXIT_BROKEN = 3 };

/* Runs until everything is over, or it is killed; never returns. FROM_NS is when it was forked. WS is taken over. */
_Noreturn void kill_operator(kill_shared *s, const kill_scenario *k, cs_workspace *ws, int outside, int64_t from_ns);

#endif
