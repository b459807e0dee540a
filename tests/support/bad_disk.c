/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/bad_disk.h"

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

typedef struct bad_file {
	sqlite3_file base;
	sqlite3_file *real;
} bad_file;

static sqlite3_vfs *real_vfs, vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { bad_disk_way way; int left, more; bool armed, hit; } plan;

void bad_disk_fail(bad_disk_way way, int nth, int more)
{
	pthread_mutex_lock(&lock);
	plan.way = way;
	plan.left = nth - 1;
	plan.more = more;
	plan.armed = true;
	plan.hit = false;
	pthread_mutex_unlock(&lock);
}

void bad_disk_mend(void)
{
	pthread_mutex_lock(&lock);
	plan.armed = false;
	pthread_mutex_unlock(&lock);
}

bool bad_disk_hit(void)
{
	pthread_mutex_lock(&lock);
	bool hit = plan.hit;
	pthread_mutex_unlock(&lock);
	return hit;
}

static bool fails(bool sync)
{
	pthread_mutex_lock(&lock);
	bool mine = plan.armed && sync == (plan.way == BAD_DISK_SYNC);
	bool now = mine && plan.left <= 0;
	if (mine && !now)
		plan.left--;
	if (now) {
		plan.hit = true;
		plan.armed = plan.more > 0;
		if (plan.more < INT_MAX)
			plan.more--;
	}
	pthread_mutex_unlock(&lock);
	return now;
}

#define REAL(f) (((bad_file *)(f))->real)

static int bad_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	sqlite3_file *r = REAL(f);
	if (!fails(false))
		return r->pMethods->xWrite(r, p, n, at);
	if (plan.way == BAD_DISK_SHORT)
		(void)r->pMethods->xWrite(r, p, n / 2, at);
	return plan.way == BAD_DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int bad_sync(sqlite3_file *f, int flags)
{
	sqlite3_file *r = REAL(f);
	return fails(true) ? SQLITE_IOERR_FSYNC : r->pMethods->xSync(r, flags);
}

static int bad_close(sqlite3_file *f)
{
	sqlite3_file *r = REAL(f);
	int rc = r->pMethods->xClose(r);
	free(r);
	return rc;
}

/* The rest goes through as it is. */
static int bad_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) { return REAL(f)->pMethods->xRead(REAL(f), p, n, at); }
static int bad_truncate(sqlite3_file *f, sqlite3_int64 n) { return REAL(f)->pMethods->xTruncate(REAL(f), n); }
static int bad_size(sqlite3_file *f, sqlite3_int64 *ret) { return REAL(f)->pMethods->xFileSize(REAL(f), ret); }
static int bad_lock(sqlite3_file *f, int level) { return REAL(f)->pMethods->xLock(REAL(f), level); }
static int bad_unlock(sqlite3_file *f, int level) { return REAL(f)->pMethods->xUnlock(REAL(f), level); }
static int bad_reserved(sqlite3_file *f, int *ret) { return REAL(f)->pMethods->xCheckReservedLock(REAL(f), ret); }
static int bad_control(sqlite3_file *f, int op, void *arg) { return REAL(f)->pMethods->xFileControl(REAL(f), op, arg); }
static int bad_sector(sqlite3_file *f) { return REAL(f)->pMethods->xSectorSize(REAL(f)); }
static int bad_device(sqlite3_file *f) { return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f)); }
static int bad_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
	return REAL(f)->pMethods->xShmMap(REAL(f), region, size, extend, ret);
}
static int bad_shm_lock(sqlite3_file *f, int at, int n, int flags) { return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags); }
static void bad_shm_barrier(sqlite3_file *f) { REAL(f)->pMethods->xShmBarrier(REAL(f)); }
static int bad_shm_unmap(sqlite3_file *f, int del) { return REAL(f)->pMethods->xShmUnmap(REAL(f), del); }

static const sqlite3_io_methods methods = {
	2, bad_close, bad_read, bad_write, bad_truncate, bad_sync, bad_size, bad_lock, bad_unlock, bad_reserved, bad_control,
	bad_sector, bad_device, bad_shm_map, bad_shm_lock, bad_shm_barrier, bad_shm_unmap, NULL, NULL,
};

static int bad_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *ret_flags)
{
	(void)v;
	bad_file *b = (bad_file *)f;
	b->base.pMethods = NULL;
	b->real = calloc(1, (size_t)real_vfs->szOsFile);
	if (b->real == NULL)
		return SQLITE_NOMEM;
	int rc = real_vfs->xOpen(real_vfs, name, b->real, flags, ret_flags);
	if (rc == SQLITE_OK)
		b->base.pMethods = &methods;
	else
		free(b->real);
	return rc;
}

void bad_disk_install(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	if (real_vfs == NULL)
		abort();
	vfs = *real_vfs;
	vfs.zName = "bad-disk";
	vfs.szOsFile = sizeof(bad_file);
	vfs.xOpen = bad_open;
	vfs.pNext = NULL;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}
