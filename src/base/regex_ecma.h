/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ECMA-262 patterns (with the u flag, as JSON Schema asks) in the words of PCRE2. What only one
 * of the two knows, or what they read differently, is rewritten or refused. */
#ifndef CS_BASE_REGEX_ECMA_H
#define CS_BASE_REGEX_ECMA_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the translation of PATTERN. CS_ESYNTAX with the column (in bytes) of what ECMA-262 does
 * not have: \A \Z \a, (?i), (*VERB), possessive quantifiers and so on. Look-behinds of no fixed
 * length are valid ECMA-262, but PCRE2 refuses them when it compiles. */
int cs_regex_from_ecma(const char *pattern, cs_buf *out, cs_err *err);

#endif
