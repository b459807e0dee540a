/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"

typedef struct job {
	void *what;
	struct job *next;
} job;

struct cs_workers {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct { job *first, **last; } lanes[2];   /* interactive, background */
	unsigned most, threads, waiting;
	bool stop;
	cs_engine_jobs elsewhere;
	cs_job_fn *run, *drop;
};

cs_workers *cs_workers_new(unsigned most, const cs_engine_jobs *elsewhere, cs_job_fn *run, cs_job_fn *drop)
{
	cs_workers *w = cs_xcalloc(1, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->idle, &attr);
	pthread_condattr_destroy(&attr);
	for (int i = 0; i < 2; i++)
		w->lanes[i].last = &w->lanes[i].first;
	w->most = most > 0 ? most : 1;
	w->elsewhere = *elsewhere;
	w->run = run;
	w->drop = drop;
	return w;
}

static job *take(cs_workers *w)
{
	while (w->lanes[0].first == NULL && w->lanes[1].first == NULL && !w->stop) {
		w->waiting++;
		pthread_cond_wait(&w->work, &w->lock);
		w->waiting--;
	}
	int lane = w->lanes[0].first != NULL ? 0 : 1;
	job *j = w->stop ? NULL : w->lanes[lane].first;
	if (j != NULL) {
		w->lanes[lane].first = j->next;
		if (j->next == NULL)
			w->lanes[lane].last = &w->lanes[lane].first;
	}
	return j;
}

static void *worker(void *arg)
{
	cs_workers *w = arg;
	pthread_mutex_lock(&w->lock);
	for (job *j = take(w); j != NULL; j = take(w)) {
		pthread_mutex_unlock(&w->lock);
		w->run(j->what);
		free(j);
		pthread_mutex_lock(&w->lock);
	}
	w->threads--;
	pthread_cond_signal(&w->idle);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Signals are the main thread's business. */
static void start_thread(cs_workers *w)
{
	sigset_t all, old;
	pthread_t t;
	pthread_attr_t attr;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, (size_t)1 << 20);
	if (pthread_create(&t, &attr, worker, w) == 0)
		w->threads++;
	else if (w->threads == 0)
		abort();             /* not one thread to be had: nothing could ever be performed */
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void cs_workers_give(cs_workers *w, void *what, bool background)
{
	if (w->elsewhere.give != NULL) {
		w->elsewhere.give(w->elsewhere.ctx, w->run, w->drop, what, background);
		return;
	}
	job *j = cs_xcalloc(1, sizeof *j);
	j->what = what;
	pthread_mutex_lock(&w->lock);
	*w->lanes[background].last = j;
	w->lanes[background].last = &j->next;
	if (w->waiting > 0)
		pthread_cond_signal(&w->work);
	else if (w->threads < w->most)
		start_thread(w);
	pthread_mutex_unlock(&w->lock);
}

void cs_workers_lost(cs_workers *w)
{
	if (w == NULL || w->elsewhere.give != NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->most++;
	if (!w->stop && w->waiting == 0 && (w->lanes[0].first != NULL || w->lanes[1].first != NULL))
		start_thread(w);
	pthread_mutex_unlock(&w->lock);
}

bool cs_workers_stop(cs_workers *w, int64_t deadline_ns)
{
	if (w == NULL)
		return true;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	for (int i = 0; i < 2; i++) {
		for (job *j = w->lanes[i].first; j != NULL;) {
			job *next = j->next;
			w->drop(j->what);
			free(j);
			j = next;
		}
		w->lanes[i].first = NULL;
	}
	pthread_cond_broadcast(&w->work);
	struct timespec until = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };
	while (w->threads > 0 && cs_clock_mono_ns() < deadline_ns)
		pthread_cond_timedwait(&w->idle, &w->lock, &until);
	bool clean = w->threads == 0;
	pthread_mutex_unlock(&w->lock);
	if (!clean)
		return false;
	pthread_cond_destroy(&w->idle);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return true;
}
