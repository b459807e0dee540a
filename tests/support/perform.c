/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/perform.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wait {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	cs_outcome *outcome;
};

json_t *json_of(const char *text)
{
	json_t *v;
	cs_err err = { 0 };
	if (cs_json_parse(text, strlen(text), &v, &err) < 0) {
		fprintf(stderr, "a test's JSON: %s: %s\n", text, err.msg);
		exit(99);
	}
	return v;
}

static void on_outcome(void *ctx, cs_outcome *o)
{
	struct wait *w = ctx;
	pthread_mutex_lock(&w->lock);
	w->outcome = o;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

cs_outcome *perform_effect(const cs_performer *p, const cs_effect *e, cs_err *err)
{
	struct wait w = { .outcome = NULL };
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.cond, NULL);
	if (p->perform(p->self, e, on_outcome, &w, err) < 0)
		return NULL;
	pthread_mutex_lock(&w.lock);
	while (!w.outcome)
		pthread_cond_wait(&w.cond, &w.lock);
	pthread_mutex_unlock(&w.lock);
	return w.outcome;
}
