/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A workspace in a temporary folder with a real engine on it, for tests. */
#ifndef CS_TESTS_WORLD_H
#define CS_TESTS_WORLD_H

#include <jansson.h>
#include "engine/engine.h"
#include "store/store.h"

typedef struct world {
	char dir[64];
	cs_engine *engine;           /* NULL: stopped */
	cs_engine_opts opts;
} world;

struct cs_http_stand_in;
/* From the next world_new on, hosts of the world are these, by the certificates in CA; both borrowed. */
void world_stand_ins(const struct cs_http_stand_in *list, size_t n, const char *ca);

/* An empty workspace with capstan.yaml holding TEXT (NULL: mode simulate, grace 0). */
void world_new(world *w, const char *text);
void world_file(world *w, const char *path, const char *text);     /* below the workspace */
void world_start(world *w);                                        /* fails the test when it cannot */
void world_stop(world *w);
void world_free(world *w);                                         /* and removes the folder */
/* On the workspace that is in DIR, and away from it again, leaving the folder. */
void world_at(world *w, const char *dir);
void world_close(world *w);

/* The `ok` of a request; a refusal fails the test. New reference. */
json_t *world_ask(world *w, json_t *request);
/* The whole reply, {ok} or {error}. New reference. */
json_t *world_try(world *w, json_t *request);
/* The `error` object of a request that must be refused. New reference. */
json_t *world_refused(world *w, json_t *request);
/* Starts FLOW (a name, or a document when it is an object) with INPUT (taken over); the run's id, malloc'ed. */
char *world_run(world *w, const char *flow, json_t *definition, json_t *input);
/* Waits until the run's state is one of WORDS ("completed faulted"), at most 10 s; its row. New reference. */
json_t *world_await(world *w, const char *run, const char *words);
/* Waits until the engine has nothing to do; fails the test when its log has not grown for 10 s, or after a minute, and it still has. */
void world_settle(world *w);
/* The data of the last event of TYPE in the run, or NULL. New reference. */
json_t *world_event(world *w, const char *run, const char *type);
int world_count(world *w, const char *run, const char *type);
/* Rows of a query over the projections. New reference. */
json_t *world_rows(world *w, const char *sql);
/* The one item that waits (or the newest of several): its row, waited for at most 10 s. New reference. */
json_t *world_item(world *w);
json_t *world_decide(world *w, const char *item, json_t *decision);   /* DECISION is taken over */
void world_verify(world *w);                                       /* chain, projections: clean */
json_t *world_json(const char *text);                              /* '…' for "…" */

#endif
