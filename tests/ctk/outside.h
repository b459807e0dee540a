/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hosts of the world that flows in tests name, on loopback: over https by an authority of our own,
 * and over http. What they answer is a table, what they were asked is kept. */
#ifndef CS_TESTS_CTK_OUTSIDE_H
#define CS_TESTS_CTK_OUTSIDE_H

#include <stddef.h>
#include <jansson.h>
#include "net/http.h"

typedef struct outside outside;

/* FILE: {hosts: [NAME…], answers: [{ask: "GET https://HOST/PATH", status, headers, body, times,
 * wants: {HEADER: value}}]}. The first that fits answers; nothing does: 404. The authority's
 * certificate is written to CA. Ends the program when it cannot be. */
outside *outside_start(const char *file, const char *ca);
void outside_stop(outside *o);
/* Borrowed. */
const cs_http_stand_in *outside_hosts(const outside *o, size_t *ret_n);
/* From now on these go first (NULL: none), and what was asked before is forgotten. */
void outside_answers(outside *o, const json_t *list);
/* [{ask, body, content-type, authorization, accept}], in order. New reference. */
json_t *outside_asked(outside *o);

#endif
