/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes secrets out of what came back from outside before any of it is kept: as they are, and in the forms
 * that programs write them in: percent-encoded, with JSON's escapes, in hex, in base64 of either alphabet
 * (alone or in the middle of something longer). Each place becomes CS_MASK. */
#ifndef CS_BASE_MASK_H
#define CS_BASE_MASK_H

#include <stdbool.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"

#define CS_MASK "•••"
#define CS_SECRET_MIN ((size_t)4)            /* bytes: what is shorter is everywhere, and cannot be masked */

typedef struct cs_mask cs_mask;

cs_mask *cs_mask_new(void);
void cs_mask_free(cs_mask *m);               /* takes NULL; overwrites what it held */
void cs_mask_freep(cs_mask **m);
#define CS_AUTOMASK CS_CLEANUP(cs_mask_freep)
/* Copies SECRET. One shorter than CS_SECRET_MIN is not looked for. */
void cs_mask_add(cs_mask *m, const char *secret);
bool cs_mask_empty(const cs_mask *m);        /* NULL is empty */

/* Appends the N bytes at S to OUT, masked; *ret_found (may be NULL) says whether a place was. The result of
 * cs_buf_add. */
int cs_mask_bytes(const cs_mask *m, const char *s, size_t n, cs_buf *out, bool *ret_found);
/* S masked, malloc'ed. */
char *cs_mask_text(const cs_mask *m, const char *s);
/* Every text and every member's name of V masked. New reference: V itself where nothing was found. NULL
 * gives NULL. */
json_t *cs_mask_json(const cs_mask *m, json_t *v);

#endif
