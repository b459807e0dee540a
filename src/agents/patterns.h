/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiled patterns, kept by their text for as long as a performer lives, so that a rule costs
 * its compilation once. Several threads may ask at once. */
#ifndef CS_AGENTS_PATTERNS_H
#define CS_AGENTS_PATTERNS_H

#include <stddef.h>
#include "base/err.h"

typedef struct cs_patterns cs_patterns;

cs_patterns *cs_patterns_new(void);
void cs_patterns_free(cs_patterns *p);          /* takes NULL */
/* 1 when PATTERN is found in S, 0 when not; CS_EINVAL for a pattern that is none, CS_ETOOBIG when
 * it would search too long. */
int cs_patterns_match(cs_patterns *p, const char *pattern, const char *s, size_t len, cs_err *err);

#endif
