/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML to JSON: libyaml's events, composed by us under limits; YAML 1.2 core schema; every
 * value's place kept. Limits: 1 MiB, depth 64, 100,000 nodes after aliases. */
#ifndef CS_FLOW_YAML_H
#define CS_FLOW_YAML_H

#include <jansson.h>
#include "base/err.h"

typedef struct cs_source cs_source;    /* where each value stands: JSON pointer -> line, column */

/* One document. Duplicate keys, non-string keys, tags beyond the core schema, several documents,
 * NUL, bad UTF-8, aliases past the node limit: CS_ESYNTAX or CS_ETOOBIG with file, line, column.
 * ret_source may be NULL. */
int cs_yaml_parse(const char *file, const char *text, size_t len, json_t **ret, cs_source **ret_source, cs_err *err);
/* The same from a file; SHOWN (NULL: PATH) names it in findings. HASH, where it is not NULL, becomes
 * the SHA-256 of its bytes. */
int cs_yaml_load_hashed(const char *path, const char *shown, json_t **ret, cs_source **ret_source, char hash[65], cs_err *err);
int cs_yaml_load(const char *path, const char *shown, json_t **ret, cs_source **ret_source, cs_err *err);
const char *cs_source_file(const cs_source *s);
/* Place of the value at POINTER, or of its key when KEY; falls back to the nearest parent. */
void cs_source_at(const cs_source *s, const char *pointer, int key, unsigned *line, unsigned *col);
void cs_source_free(cs_source *s);
void cs_source_freep(cs_source **s);

#endif
