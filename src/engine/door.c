/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/door.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/mem.h"
#include "engine/engine_priv.h"

struct cs_door {
	/* Read while the engine is used, so that many may at once: the coordinator passes too, while
	 * another waits for room in the mailbox. */
	pthread_rwlock_t lock;
	cs_engine *e;                /* NULL: it has ended */
	atomic_uint refs;
};

cs_door *cs_door_new(cs_engine *e)
{
	cs_door *d = cs_xcalloc(1, sizeof *d);
	d->e = e;
	atomic_init(&d->refs, 1);
	if (pthread_rwlock_init(&d->lock, NULL) != 0)
		abort();
	return d;
}

cs_door *cs_door_ref(cs_door *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void cs_door_unref(cs_door *d)
{
	if (d == NULL || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	pthread_rwlock_destroy(&d->lock);
	free(d);
}

void cs_door_close(cs_door *d)
{
	pthread_rwlock_wrlock(&d->lock);
	d->e = NULL;
	pthread_rwlock_unlock(&d->lock);
}

void cs_door_post(cs_door *d, cs_message *m)
{
	pthread_rwlock_rdlock(&d->lock);
	if (d->e != NULL)
		(void)cs_engine_post(d->e, m);
	else
		cs_message_free(m);
	pthread_rwlock_unlock(&d->lock);
}

bool cs_door_gate(cs_door *d, bool sends)
{
	pthread_rwlock_rdlock(&d->lock);
	bool open = d->e != NULL && !atomic_load(&d->e->hold) && !atomic_load(&d->e->failed) &&
		    (!sends || cs_clock_open(d->e));
	pthread_rwlock_unlock(&d->lock);
	return open;
}

int cs_door_secret(void *ctx, const char *name, char **ret, cs_err *err)
{
	cs_door *d = ctx;
	pthread_rwlock_rdlock(&d->lock);
	int rc = d->e != NULL ? cs_vault_get(d->e->vault, name, ret, err)
			      : cs_err_set(err, CS_EUNAVAIL, "the engine has ended; nothing more is read from the vault");
	pthread_rwlock_unlock(&d->lock);
	return rc;
}
