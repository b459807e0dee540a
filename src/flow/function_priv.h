/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What agents and operations share while their documents are compiled. */
#ifndef CS_FLOW_FUNCTION_PRIV_H
#define CS_FLOW_FUNCTION_PRIV_H

#include "flow/check.h"
#include "flow/function.h"

/* function.c */
cs_function *cs_function_new(cs_function_kind kind, const char *name, const json_t *def);
/* What a check came to that began at ERRORS findings: F into *ret, its expressions to jq; with more errors it is
 * freed, and CS_EINVAL. F may be NULL with such. */
int cs_function_checked(cs_function *f, size_t errors, cs_diags *d, cs_function **ret);
/* effect touches input output timeout retry of OBJ, whose keys have been checked. */
void cs_function_common(cs_check *c, const json_t *obj, cs_function *f);
/* The template at KEY of OBJ; its only argument is `.`. */
void cs_function_template(cs_check *c, cs_function *f, const json_t *obj, const char *key, cs_template **ret);
/* As cs_function_template of a text, in which expressions stand between ${ and }. KEEP_WHOLE: one that
 * is wholly an expression gives what it gives; else the value is always a string. */
void cs_function_text(cs_check *c, cs_function *f, const json_t *obj, const char *key, bool keep_whole, cs_template **ret);
/* As that, but only an expression will do. */
void cs_function_expression(cs_check *c, cs_function *f, const json_t *obj, const char *key, cs_template **ret);
/* `reverse` of OBJ: none, or {call, with} whose only argument is {input, result}. */
void cs_function_reverse(cs_check *c, const json_t *obj, cs_function *f);
/* Letters, digits, - and _, 63 at most; reported when not. */
bool cs_function_check_name(cs_check *c, const char *name, const char *what);
/* An http or https URL with a host and without user or fragment; reported when not. */
bool cs_function_check_url(cs_check *c, const char *url);

#endif
