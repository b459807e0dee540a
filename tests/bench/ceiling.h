/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ceiling: the same rows that a run of `set` steps leaves behind (event, run, task), written
 * straight to SQLite in the same groups with the same pragmas: nothing hashed, no JSON made, no
 * store of ours. What the store and the engine reach is measured against this. */
#ifndef CS_BENCH_CEILING_H
#define CS_BENCH_CEILING_H

#include "base/err.h"

typedef struct bench_shape {
	int runs;        /* written side by side */
	int steps;       /* task.completed of each */
	int group;       /* events a commit */
	int data_bytes;  /* about the length of each event's data */
} bench_shape;

typedef struct bench_result {
	long long events, steps;
	double seconds;
} bench_result;

/* Makes DIR's database new. DIR exists, is empty and private. */
int bench_ceiling(const char *dir, const bench_shape *shape, bench_result *ret, cs_err *err);

#endif
