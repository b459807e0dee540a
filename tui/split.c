/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tui/split.h"

int cs_split(cs_term *t, cs_rect r, int want, int focus, cs_rect out[CS_PANES])
{
	int n = r.w >= CS_SPLIT_THREE ? 3 : r.w >= CS_SPLIT_TWO ? 2 : 1;
	int x = r.x;

	for (int i = 0; i < CS_PANES; i++)
		out[i] = (cs_rect){ r.y, r.x, 0, 0 };
	if (n > want)
		n = want;
	if (n == 1) {
		out[focus < want ? focus : 0] = r;
		return 1;
	}
	for (int i = 0; i < n; i++) {
		/* the middle of three is the one that is read */
		int w = n == 2 ? (i == 0 ? r.w / 2 : r.x + r.w - x) : i == 0 ? r.w * 3 / 10 : i == 1 ? r.w * 4 / 10 : r.x + r.w - x;

		out[i] = (cs_rect){ r.y, x, r.h, i < n - 1 ? w - 3 : w };
		x += w;
		if (i < n - 1)
			cs_term_vline(t, r.y, x - 2, r.h);
	}
	return n;
}
