/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The longest common subsequence of two lists of keys, each key at most once in its list: then
 * it is the longest increasing subsequence of positions, in n log n. */
#ifndef CS_VIEW_ALIGN_H
#define CS_VIEW_ALIGN_H

#include <stddef.h>

/* POS[i] is the position in the other list of the i-th key of this one, or -1. Those that are
 * not on the subsequence become -1. */
void cs_align(long *pos, size_t n);

#endif
