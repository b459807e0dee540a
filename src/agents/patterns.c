/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/patterns.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/regex.h"

enum { KEPT_MAX = 512 };

struct cs_patterns {
	pthread_mutex_t lock;
	struct {
		char *text;
		cs_regex *regex;
	} kept[KEPT_MAX];
	size_t count;
};

cs_patterns *cs_patterns_new(void)
{
	cs_patterns *p = cs_xcalloc(1, sizeof *p);
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void cs_patterns_free(cs_patterns *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++) {
		free(p->kept[i].text);
		cs_regex_free(p->kept[i].regex);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Kept ones are never dropped, so what is found may be used outside the lock. */
static cs_regex *find(cs_patterns *p, const char *pattern)
{
	cs_regex *found = NULL;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->count && !found; i++)
		if (strcmp(p->kept[i].text, pattern) == 0)
			found = p->kept[i].regex;
	pthread_mutex_unlock(&p->lock);
	return found;
}

/* True when it is kept: another thread may have been first, or the room may be full. */
static bool keep(cs_patterns *p, const char *pattern, cs_regex *r)
{
	bool kept = false;
	pthread_mutex_lock(&p->lock);
	if (p->count < KEPT_MAX) {
		p->kept[p->count].text = cs_xstrdup(pattern);
		p->kept[p->count++].regex = r;
		kept = true;
	}
	pthread_mutex_unlock(&p->lock);
	return kept;
}

int cs_patterns_match(cs_patterns *p, const char *pattern, const char *s, size_t len, cs_err *err)
{
	cs_regex *r = find(p, pattern);
	cs_regex *own CS_CLEANUP(cs_regex_freep) = NULL;
	if (!r) {
		int rc = cs_regex_new(pattern, 0, &own, err);
		if (rc < 0)
			return rc;
		r = own;
		if (keep(p, pattern, own))
			own = NULL;
	}
	int rc = cs_regex_match(r, s, len, 0, NULL, NULL);
	if (rc < 0)
		return cs_err_set(err, rc, "pattern: \"%.100s\" searches too long in this text; make it simpler", pattern);
	return rc;
}
