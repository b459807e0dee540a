/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scenario under way: what its steps share. */
#ifndef CS_TESTS_CTK_PLAY_H
#define CS_TESTS_CTK_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/buf.h"
#include "tests/ctk/apart.h"
#include "tests/ctk/gherkin.h"
#include "tests/ctk/steps.h"
#include "tests/support/world.h"

typedef struct play {
	world w;                     /* its folder and its log; the engine is apart */
	apart a;
	deaths how;
	int64_t due, scheduled;      /* when it last rested: the next clock of a run, the next start by a schedule; 0: none */
	cs_buf settings;             /* what is added to capstan.yaml */
	char *zone;
	json_t *definition, *input;
	char *source;                /* of the definition */
	char *run;                   /* the run that is looked at; NULL: none was started */
	char *refusal;               /* of the last definition */
	json_t *row;                 /* the run's row, as of the last look */
	json_t *end;                 /* the data of run.completed or run.faulted */
	json_t *tasks;               /* [name, type] in the order of the log */
} play;

typedef void play_step(play *p, const step *st, const char *rest);

/* The doc string below ST, which must be there. */
json_t *play_yaml(const step *st);
/* Reads what has become of the run. */
void play_look(play *p, const step *st);

/* `Then …`: acts when ST is one of them. */
bool play_expect(play *p, const step *st);
/* A step by its text: whole, or as far as the table's text goes; REST is what follows. */
typedef struct play_row {
	const char *text;
	bool whole;
	play_step *act;
} play_row;
bool play_by_table(play *p, const step *st, const play_row *table, size_t n);

#endif
