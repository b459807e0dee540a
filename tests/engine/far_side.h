/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The other side of every http operation, played by the test: each effect is kept until the test says how it
 * ends. One world at a time. */
#ifndef CS_TESTS_FAR_SIDE_H
#define CS_TESTS_FAR_SIDE_H

#include <stdbool.h>
#include "core/effect.h"
#include "tests/support/world.h"

enum { FAR_SIDE_MOST = 256 };

/* A live workspace whose http operations come here. CONNECTORS: pairs of a path and a text, ended by NULL. */
void far_side_new(world *w, const char *const *connectors);
void far_side_start(world *w);                    /* the engine, on a live machine */
char *far_side_begin(world *w, const char *call); /* a flow with this one call; the run's id, malloc'ed */
int far_side_calls(void);                         /* effects ever begun, answered or not */
void far_side_await(int n);                       /* until as many have begun, at most 10 s */
const char *far_side_key(int n);                  /* of the nth effect, from 0 */
bool far_side_gate(int n);                        /* may its first byte leave? */
/* How the nth ends; STATUS 0 is an error without one. TEXT: the error's detail. */
void far_side_end(int n, cs_outcome_kind kind, int status, const char *text);
void far_side_free(world *w);
int far_side_tear_down(void **state);             /* for cmocka: of a world on the heap, which it frees */

#endif
