/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of the conformance kit, acted out on a real engine. */
#ifndef CS_TESTS_CTK_STEPS_H
#define CS_TESTS_CTK_STEPS_H

#include <stdbool.h>
#include "tests/ctk/gherkin.h"

/* Runs S in a workspace of its own, live, and checks what it says; a step that is not known
 * fails the test. RESTART: the engine is stopped and started as soon as the run is accepted. */
void scenario_play(const scenario *s, bool restart);
/* The host outside that S calls, or NULL: such scenarios want its stand-in. */
const char *scenario_host(const scenario *s);

#endif
