/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PCRE2 with JIT, match limits always set, UTF always on. A compiled pattern may be used by
 * several threads at once. */
#ifndef CS_BASE_REGEX_H
#define CS_BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

typedef struct cs_regex cs_regex;

enum { CS_REGEX_CASELESS = 1 };
int cs_regex_new(const char *pattern, unsigned flags, cs_regex **ret, cs_err *err);
/* ECMA-262 pattern as JSON Schema uses it: \d and \w are ASCII, \s is Unicode, $ is the very end.
 * What ECMA-262 does not have is CS_ESYNTAX; so is a look-behind of no fixed length (PCRE2). */
int cs_regex_new_ecma(const char *pattern, cs_regex **ret, cs_err *err);
void cs_regex_free(cs_regex *r);
void cs_regex_freep(cs_regex **r);
/* 1 match, 0 none, negative: an error (limit reached is CS_ETOOBIG). START is a byte offset;
 * ret_begin and ret_end (may be NULL) the match. */
int cs_regex_match(const cs_regex *r, const char *s, size_t len, size_t start, size_t *ret_begin, size_t *ret_end);

#endif
