/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine in a process of its own, to be killed with SIGKILL and started again on the same
 * workspace. Its clock is a file that both processes see, and moves only when the test moves it.
 * A failure fails the test. */
#ifndef CS_TESTS_APART_H
#define CS_TESTS_APART_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/child.h"
#include "engine/engine.h"

struct cs_http_stand_in;

typedef struct apart {
	const char *dir;             /* of the workspace; borrowed */
	char *clock_file;
	int64_t *clock;              /* wall ms */
	cs_child child;
	cs_client *client;           /* NULL: not running */
	unsigned deaths;
} apart;

/* What the engines see outside, by the certificates in CA; borrowed for the program's life. */
void apart_stand_ins(const struct cs_http_stand_in *list, size_t n, const char *ca);
/* In main, first: runs the engine and returns true with its exit status when this process was started to be one. */
bool apart_is_engine(int argc, char **argv, int *ret_status);

void apart_new(apart *a, const char *dir, int64_t now_ms);
void apart_start(apart *a);
/* SIGKILL, at whatever it is doing. */
void apart_kill(apart *a);
/* The end in order; the process must say that all was well. */
void apart_stop(apart *a);
/* Whatever is left of it. */
void apart_free(apart *a);

/* The whole reply as `ok` (new reference), or NULL with ERR for a refusal. REQUEST is taken over. */
json_t *apart_ask(apart *a, json_t *request, cs_err *err);
/* Waits until nothing goes on by itself at this moment of the clock; wall ms of the next clock of a run,
 * and of the next start by a schedule; 0 none. */
void apart_settle(apart *a, int64_t *ret_due, int64_t *ret_scheduled);

#endif
