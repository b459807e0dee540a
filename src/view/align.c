/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/align.h"
#include "base/mem.h"

/* The first pile whose top is greater than VALUE. */
static size_t pile_for(const long *pos, const size_t *tops, size_t piles, long value)
{
	size_t low = 0, high = piles;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (pos[tops[mid]] < value)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void cs_align(long *pos, size_t n)
{
	CS_AUTOFREE size_t *tops = cs_xcalloc(n + 1, sizeof *tops);   /* index on top of each pile */
	CS_AUTOFREE long *back = cs_xcalloc(n + 1, sizeof *back);     /* the one before it on the subsequence */
	size_t piles = 0;
	for (size_t i = 0; i < n; i++) {
		if (pos[i] < 0)
			continue;
		size_t pile = pile_for(pos, tops, piles, pos[i]);
		back[i] = pile ? (long)tops[pile - 1] : -1;
		tops[pile] = i;
		if (pile == piles)
			piles++;
	}
	long keep = piles ? (long)tops[piles - 1] : -1;
	for (size_t i = n; i-- > 0;) {
		if ((long)i == keep)
			keep = back[i];
		else
			pos[i] = -1;
	}
}
