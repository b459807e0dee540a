/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripted answers instead of the world: what fixtures/NAME.yaml says a function gives. Makes no
 * connection and starts nothing. */
#ifndef CS_AGENTS_FIXTURE_H
#define CS_AGENTS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include "core/effect.h"

/* An answer is the first whose `when` is met (each member equal, or {matches: PATTERN}; objects
 * member by member) and whose `times` are not used up in this run. Answers are used up by
 * (run, function), in the order the calls come: a run's answers do not depend on other runs,
 * nor on a restart, if the engine tells cs_fixtures_used what its log holds. Two branches of one fork
 * that call the same function race for them.
 *
 * No fixture: what sends (keyed, probe, unsafe) is done with {simulated: true}; an agent or
 * a read is a `configuration` error that names the file to write. `fail` ends as the same failure
 * would live (a communication status by the table of STATES.md, a timeout ambiguous, other types
 * rejected), or as its `outcome` says. */
typedef struct cs_fixtures cs_fixtures;

/* DOCS is an array of fixture documents (copied). CS_EINVAL names what cannot be. */
int cs_fixtures_new(const json_t *docs, cs_fixtures **ret, cs_err *err);
void cs_fixtures_free(cs_fixtures *f);           /* takes NULL */
/* Takes other documents; counts stay. */
int cs_fixtures_replace(cs_fixtures *f, const json_t *docs, cs_err *err);
/* Makes `takes` a real wait of at most a minute (default: only recorded). */
void cs_fixtures_wait(cs_fixtures *f, bool wait);
/* Notes that a run used an answer before this process began: the record's `fixture` member,
 * {function, answer} with the first answer 1. */
void cs_fixtures_used(cs_fixtures *f, const char *run, const char *function, size_t answer);
/* Forgets a run that has ended. */
void cs_fixtures_forget(cs_fixtures *f, const char *run);
bool cs_fixtures_has(cs_fixtures *f, const char *function);

/* Blocking; several threads may call at once. F is borrowed. */
cs_performer cs_fixtures_performer(cs_fixtures *f);

#endif
