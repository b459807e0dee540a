/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of cs_source: the composer records here where each value stands. Nodes lie in one
 * array in the order of the file; sealed, each knows its children as a stretch of a second
 * array, sorted by key in a mapping. Keys lie in one pool. */
#ifndef CS_FLOW_SOURCE_PRIV_H
#define CS_FLOW_SOURCE_PRIV_H

#include <stdint.h>
#include "flow/yaml.h"

#define CS_SOURCE_NONE UINT32_MAX

cs_source *cs_source_new(const char *file);
/* Adds a value under PARENT (CS_SOURCE_NONE: the root); KEY is NULL in a sequence. Children are
 * added in order. Returns the node's number. */
uint32_t cs_source_add(cs_source *s, uint32_t parent, const char *key, unsigned line, unsigned col,
		       unsigned key_line, unsigned key_col);
/* Called once, after the last value: from now on it is only read, and finds in logarithmic time. */
void cs_source_seal(cs_source *s);

#endif
