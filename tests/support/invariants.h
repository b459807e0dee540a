/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The invariants of STATES.md over a database at rest and what the outside saw of it. Each is
 * worked out here from the log alone, by rules of its own, so that the engine does not vouch for
 * itself. */
#ifndef CS_TESTS_INVARIANTS_H
#define CS_TESTS_INVARIANTS_H

#include <jansson.h>

/* Sentences "I3: what is wrong", empty when all hold; owned by the caller. STATE_DIR is the
 * workspace's .capstan with no engine at work; LEDGER is what the server was asked, in order, or
 * NULL where nothing may have left at all. Checked are:
 *   I1   seq 1..n, hashes, anchor            I2   a request has a committed intent before it
 *   I3   an unsafe key goes once, a keyed    I4   the ledger knows our intents and nothing else,
 *        one with one digest                      and all that is said to be done
 *   I5   nothing is in intent or probing     I6   in doubt is left by the operator alone
 *   I7   what needs an approval has one,     I9   folding gives the projections
 *        of the same digest, used once       I15  terminal is left by the operator alone
 *   I8   what is done is taken back in reverse order, once */
json_t *invariants_broken(const char *state_dir, const json_t *ledger);

#endif
