/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/schedule_times.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)

bool cs_times_next(const cs_times *t, const cs_zone *z, int64_t base, int64_t after, cs_instant *ret)
{
	cs_instant next = { 0 };
	if (t->how == CS_TIMES_CRON) {
		if (z == NULL || cs_cron_next(&t->cron, z, after, &next.ms, &next.local, NULL) != CS_OK)
			return false;
	} else if (t->how == CS_TIMES_EVERY) {
		next.ms = base + ((after < base ? 0 : (after - base) / t->period) + 1) * t->period;
	} else {
		return false;
	}
	*ret = next;
	return true;
}

/* The occurrences after FROM up to NOW, the latest MAX of them in a ring; how many there were. */
static size_t walk(const cs_times *t, const cs_zone *z, int64_t from, int64_t now, cs_instant *ring, size_t max)
{
	size_t n = 0;
	cs_instant next;
	while (cs_times_next(t, z, from, from, &next) && next.ms <= now) {
		ring[n++ % max] = next;
		from = next.ms;
	}
	return n;
}

static void straighten(cs_instant *ring, size_t n, size_t max)
{
	for (size_t turn = n > max ? n % max : 0; turn > 0; turn--) {
		cs_instant first = ring[0];
		memmove(ring, ring + 1, (max - 1) * sizeof *ring);
		ring[max - 1] = first;
	}
}

size_t cs_times_between(const cs_times *t, const cs_zone *z, int64_t first, int64_t now, cs_instant *ret, size_t max)
{
	int64_t from = first - 1, span = HOUR_MS;
	size_t n = 0;
	if (first > now)
		return 0;
	if (t->how == CS_TIMES_EVERY) {          /* they are counted, not walked through */
		int64_t there = (now - first) / t->period, begin = there >= (int64_t)max ? there - (int64_t)max + 1 : 0;
		for (int64_t i = begin; i <= there; i++)
			ret[n++] = (cs_instant){ .ms = first + i * t->period };
		return n;
	}
	/* After years of minutes only the latest are wanted: a window that grows backwards finds them. */
	for (; now - span > first && n < max; span *= 2)
		n = walk(t, z, now - span, now, ret, max);
	if (n < max)
		n = walk(t, z, from, now, ret, max);
	straighten(ret, n, max);
	return n < max ? n : max;
}
