/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts with expressions in them: "Dear ${ .name }," becomes one jq expression by interpolation,
 * so that a text is evaluated like everything else, plain paths in the program. */
#ifndef CS_FLOW_TEXT_H
#define CS_FLOW_TEXT_H

#include <stdbool.h>
#include <jansson.h>
#include "base/err.h"

/* TEXT as a value for cs_template_new in strict mode: a constant where it has no expression, else
 * an expression that gives a string. `$${` stands for `${`. With KEEP_WHOLE a text that is wholly
 * one expression stays that expression, whatever it gives. CS_ESYNTAX with line and column within
 * TEXT: an expression that does not end, or is empty. *ret is a new reference. */
int cs_text_value(const char *text, bool keep_whole, json_t **ret, cs_err *err);

#endif
