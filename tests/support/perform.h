/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Performs one effect and waits for its outcome. */
#ifndef CS_TESTS_PERFORM_H
#define CS_TESTS_PERFORM_H

#include "core/effect.h"

/* Parses, or ends the program with a sentence. */
json_t *json_of(const char *text);
/* The outcome, owned by the caller; NULL with ERR filled when nothing was begun. */
cs_outcome *perform_effect(const cs_performer *p, const cs_effect *e, cs_err *err);

#endif
