/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of the conformance kit, and those that our own features add, acted out on a real engine. */
#ifndef CS_TESTS_CTK_STEPS_H
#define CS_TESTS_CTK_STEPS_H

#include <stdbool.h>
#include "tests/ctk/gherkin.h"

/* Runs S in a workspace of its own, live, and checks what it says; a step that is not known fails
 * the test. KILLED: the engine is killed with SIGKILL and started again as soon as a run is accepted,
 * and wherever the scenario rests: after each step, and before each move of the clock. */
void scenario_play(const scenario *s, bool killed);
/* The host outside that S calls, or NULL: such scenarios want its stand-in. */
const char *scenario_host(const scenario *s);

#endif
