/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a feature file (Gherkin: Feature, Scenario, Given/When/Then/And, doc strings) into
 * scenarios. Anything else in a file is an error with its line, so that no step is passed over. */
#ifndef CS_TESTS_GHERKIN_H
#define CS_TESTS_GHERKIN_H

#include <stddef.h>
#include "base/err.h"

typedef struct step {
	char *text;                  /* without its keyword */
	char *doc;                   /* the doc string below it, less its indent; NULL: none */
	unsigned line;
} step;

typedef struct scenario {
	char *name, *feature;
	step *steps;
	size_t n_steps;
} scenario;

typedef struct feature {
	scenario *scenarios;
	size_t n;
} feature;

/* FILE is what errors name. CS_ESYNTAX with a line. */
int feature_parse(const char *file, const char *text, feature *ret, cs_err *err);
void feature_free(feature *f);

#endif
