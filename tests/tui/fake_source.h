/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A source of data for tests of the console: a model in memory that obeys the same commands, told
 * what to hold, and telling what it was sent, over one socket of JSON lines. */
#ifndef CS_TESTS_FAKE_SOURCE_H
#define CS_TESTS_FAKE_SOURCE_H

#include "tui/source.h"

typedef struct fake_source fake_source;

/* CONTROL is this end of a socket pair, -1: alone. MODEL is JSON text:
 * {status, items: {id: card}, runs: [run], traces: {run: [row]}, events: [event], why: [event], diff: [row], plan: [row]}. */
fake_source *fake_source_new(const char *model, int control);
void fake_source_free(fake_source *f);
const cs_source *fake_source_face(fake_source *f);

/* Lines in: {"merge": {...}} is merged into the model and announced. Lines out: {"sent": command}. */

/* A little agency: three items, five runs, a trace with a failure, a difference. Malloc'ed. */
char *fake_source_agency(void);

#endif
