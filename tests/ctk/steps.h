/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of the conformance kit, and those that our own features add, acted out on a real engine. */
#ifndef CS_TESTS_CTK_STEPS_H
#define CS_TESTS_CTK_STEPS_H

#include "tests/ctk/gherkin.h"

typedef enum deaths {
	DEATHS_NONE,
	DEATHS_AT_REST,              /* by SIGKILL wherever it rests: after each step, and before each move of the clock */
	DEATHS_AT_WORK,              /* also as soon as a run is accepted */
} deaths;

/* Runs S in a workspace of its own, live, and checks what it says; a step that is not known fails
 * the test. The engine dies as is said, and is started again on the same workspace. */
void scenario_play(const scenario *s, deaths how);
/* The host outside that S calls, or NULL: such scenarios want its stand-in. */
const char *scenario_host(const scenario *s);

#endif
