/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the benchmarks share: a workspace, an engine on it in this process, and figures. Whatever goes
 * wrong ends the program with status 1. */
#ifndef CS_TESTS_BENCH_H
#define CS_TESTS_BENCH_H

#include <sys/types.h>
#include <jansson.h>
#include "engine/engine.h"
#include "store/store.h"

_Noreturn void bench_die(const char *what, const cs_err *err);
/* Writes TEXT to NAME below DIR, with the folders on the way. */
void bench_write(const char *dir, const char *name, const char *text);
/* A workspace NAME below BASE: simulated, without grace. malloc'ed. */
char *bench_workspace(const char *base, const char *name);
cs_engine *bench_start(const char *dir);
/* Sends REQUEST (taken over) and waits for its `ok`, at most a minute. New reference. */
json_t *bench_ask(cs_engine *e, json_t *request);
/* Starts N runs of FLOW with {n: i} as input, at most 4096 not answered at a time; returns when all are. */
void bench_runs(cs_engine *e, const char *flow, int n);
/* The request that approves ITEM, a row with id and digest. New reference. */
json_t *bench_approval(const json_t *item);
/* Approves each of ITEMS, at most 4096 not answered at a time; returns when all are. */
void bench_approve(cs_engine *e, const json_t *items);
/* Waits until nothing goes on by itself. */
void bench_settle(cs_engine *e);
/* The workspace's tables, beside its engine. */
cs_reader *bench_reader(const char *dir);
/* PARAM is ?1, or NULL. New reference. */
json_t *bench_rows(cs_reader *r, const char *sql, const char *param);
double bench_ms_since(int64_t mono_ns);
/* Sorts V. The value below which the share Q of them lies. */
double bench_quantile(double *v, int n, double q);
double bench_median(double *v, int n);
/* Proportional set size, KiB: of a process; of this one with its children. */
long bench_pss_kib(pid_t pid);
long bench_pss_all_kib(void);
/* Runs ACT in a process of its own, which has no memory and no thread of another measurement; dies
 * unless that ends well, or by SIGNAL where that is not 0. */
void bench_apart(void (*act)(void *ctx), void *ctx, int signal);

#endif
