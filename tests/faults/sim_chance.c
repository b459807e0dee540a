/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sim_chance.h"

#include <string.h>
#include <sys/types.h>
#include <time.h>

#define FIRST_MS INT64_C(1795000000000)

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
ssize_t __real_getrandom(void *out, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t n, unsigned flags);
int __real_nanosleep(const struct timespec *t, struct timespec *left);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);

static struct {
	bool on;
	int64_t passed_ms, wall_ms, latest_ms;
	sim_chance kernel;           /* what getrandom gives */
} now;

/* splitmix64 */
static uint64_t next(sim_chance *c)
{
	uint64_t z = c->state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

uint64_t sim_draw(sim_chance *c, uint64_t below)
{
	return next(c) % below;
}

bool sim_one_in(sim_chance *c, uint64_t n)
{
	return sim_draw(c, n) == 0;
}

bool sim_percent(sim_chance *c, unsigned percent)
{
	return sim_draw(c, 100) < percent;
}

void sim_time_begin(uint64_t seed)
{
	now.on = true;
	now.passed_ms = 1000000;
	now.wall_ms = now.latest_ms = FIRST_MS;
	now.kernel = (sim_chance){ seed ^ UINT64_C(0x5DEECE66D) };
}

void sim_time_end(void)
{
	now.on = false;
}

int64_t sim_time_ms(void)
{
	return now.wall_ms;
}

int64_t sim_time_passed_ms(void)
{
	return now.passed_ms;
}

int64_t sim_time_latest_ms(void)
{
	return now.latest_ms;
}

void sim_time_pass(int64_t ms)
{
	now.passed_ms += ms;
	sim_time_jump(ms);
}

void sim_time_jump(int64_t ms)
{
	now.wall_ms += ms;
	if (now.wall_ms > now.latest_ms)
		now.latest_ms = now.wall_ms;
}

static struct timespec of_ms(int64_t ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
}

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!now.on)
		return __real_clock_gettime(id, t);
	*t = of_ms(id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? now.wall_ms : now.passed_ms);
	return 0;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
	return now.on ? 0 : __real_nanosleep(t, left);       /* nobody else does anything meanwhile */
}

ssize_t __wrap_getrandom(void *out, size_t n, unsigned flags)
{
	unsigned char *p = out;
	if (!now.on)
		return __real_getrandom(out, n, flags);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)next(&now.kernel);
	return (ssize_t)n;
}

int64_t sim_time_real_ms(void)
{
	struct timespec t;
	__real_clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
