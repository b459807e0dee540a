/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The invariants of STATES.md over a database at rest and what the outside saw of it. Each is
 * worked out here from the log alone, by rules of its own, so that the engine does not vouch for
 * itself. */
#ifndef CS_TESTS_INVARIANTS_H
#define CS_TESTS_INVARIANTS_H

#include <jansson.h>
#include "store/store.h"

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

/* The same bit by bit, while an engine is at work. */
typedef struct reading invariants;
invariants *invariants_new(void);
void invariants_free(invariants *i);         /* NULL is fine */
/* Reads what has come into the log since the last time, and judges what can be judged then. */
int invariants_read_on(invariants *i, cs_reader *reader, cs_err *err);
/* At the end, once: everything has been read, and nothing is at work. */
void invariants_at_rest(invariants *i, cs_reader *reader, const char *state_dir, const json_t *ledger);
const json_t *invariants_found(const invariants *i);          /* the sentences so far, borrowed */
/* The last event of KEY, "attempt.intent" and so on; "" before there is one. Borrowed. */
const char *invariants_key(const invariants *i, const char *key);

#endif
