/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sim_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"

enum { SECTOR = 512, IMAGES_MAX = 1024 };

/* A write that is not synced, with what it went over. A truncation has no NEW. */
typedef struct change {
	int64_t at, old_size;
	size_t n, n_old;
	unsigned char *old, *new;
} change;

/* What of a file the disk does not hold for certain. */
typedef struct image {
	char *path;
	change *list;
	size_t n, cap;
} image;

/* The system's own handle stands right behind it. */
typedef struct file {
	sqlite3_file base;
	image *image;
	sqlite3_file real[];
} file;

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	sim_chance *chance;
	image images[IMAGES_MAX];
	size_t n_images;
	uint64_t ops, fail_at, syncs;
	bool for_good, failed, off;
} disk;

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((file *)f)->real;
}

/* ---- what is not synced ---------------------------------------------------------------------------------- */

static void forget(image *im)
{
	for (size_t i = 0; i < im->n; i++) {
		free(im->list[i].old);
		free(im->list[i].new);
	}
	im->n = 0;
}

static image *image_of(const char *path)
{
	for (size_t i = 0; i < disk.n_images; i++)
		if (strcmp(disk.images[i].path, path) == 0)
			return &disk.images[i];
	if (disk.n_images == IMAGES_MAX)
		abort();
	image *im = &disk.images[disk.n_images++];
	*im = (image){ .path = cs_xstrdup(path) };
	return im;
}

static void note(sqlite3_file *f, const void *p, size_t n, int64_t at)
{
	image *im = ((file *)f)->image;
	sqlite3_int64 size = 0;
	sqlite3_file *real = real_of(f);
	real->pMethods->xFileSize(real, &size);
	change c = { .at = at, .n = n, .old_size = size };
	int64_t until = p != NULL && at + (int64_t)n < size ? at + (int64_t)n : size;
	if (until > at) {
		c.n_old = (size_t)(until - at);
		c.old = cs_xcalloc(c.n_old, 1);
		real->pMethods->xRead(real, c.old, (int)c.n_old, at);
	}
	if (p != NULL) {
		c.new = cs_xcalloc(n, 1);
		memcpy(c.new, p, n);
	}
	if (im->n == im->cap) {
		im->cap = im->cap > 0 ? im->cap * 2 : 32;
		im->list = cs_xrealloc(im->list, im->cap * sizeof *im->list);
	}
	im->list[im->n++] = c;
}

/* True: this one goes through. */
static bool passes(void)
{
	bool fails = disk.off || (disk.fail_at > 0 && (disk.for_good ? disk.ops + 1 >= disk.fail_at : disk.ops + 1 == disk.fail_at));
	disk.ops++;
	disk.failed |= fails;
	return !fails;
}

/* ---- the methods of a file --------------------------------------------------------------------------------- */

static int disk_close(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xClose(real);
}

static int disk_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xRead(real, p, n, at);
}

static int disk_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(f);
	if (disk.off)
		return SQLITE_IOERR_WRITE;
	if (!passes()) {             /* some sectors may have gone */
		int part = (int)sim_draw(disk.chance, (uint64_t)n / SECTOR + 1) * SECTOR;
		if (part > n)
			part = n;
		if (part > 0) {
			note(f, p, (size_t)part, at);
			real->pMethods->xWrite(real, p, part, at);
		}
		return SQLITE_IOERR_WRITE;
	}
	note(f, p, (size_t)n, at);
	return real->pMethods->xWrite(real, p, n, at);
}

static int disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	sqlite3_file *real = real_of(f);
	if (!passes())
		return SQLITE_IOERR_TRUNCATE;
	note(f, NULL, 0, size);
	return real->pMethods->xTruncate(real, size);
}

static int disk_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	if (!passes())
		return SQLITE_IOERR_FSYNC;
	disk.syncs++;
	forget(((file *)f)->image);
	return SQLITE_OK;
}

static int disk_file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xFileSize(real, ret);
}

static int disk_lock(sqlite3_file *f, int level)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xLock(real, level);
}

static int disk_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xUnlock(real, level);
}

static int disk_check_lock(sqlite3_file *f, int *ret)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xCheckReservedLock(real, ret);
}

static int disk_control(sqlite3_file *f, int op, void *arg)
{
	sqlite3_file *real = real_of(f);
	return op == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK : real->pMethods->xFileControl(real, op, arg);
}

static int disk_sector(sqlite3_file *f)
{
	(void)f;
	return SECTOR;
}

static int disk_traits(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xDeviceCharacteristics(real);
}

static int disk_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xShmMap(real, page, size, extend, ret);
}

static int disk_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xShmLock(real, at, n, flags);
}

static void disk_shm_barrier(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);
	real->pMethods->xShmBarrier(real);
}

static int disk_shm_unmap(sqlite3_file *f, int remove)
{
	sqlite3_file *real = real_of(f);
	return real->pMethods->xShmUnmap(real, remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = disk_close, .xRead = disk_read, .xWrite = disk_write, .xTruncate = disk_truncate, .xSync = disk_sync,
	.xFileSize = disk_file_size, .xLock = disk_lock, .xUnlock = disk_unlock, .xCheckReservedLock = disk_check_lock,
	.xFileControl = disk_control, .xSectorSize = disk_sector, .xDeviceCharacteristics = disk_traits, .xShmMap = disk_shm_map,
	.xShmLock = disk_shm_lock, .xShmBarrier = disk_shm_barrier, .xShmUnmap = disk_shm_unmap,
};

/* ---- the methods of the disk --------------------------------------------------------------------------------- */

static int disk_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	(void)v;
	file *mine = (file *)f;
	mine->base.pMethods = NULL;
	memset(mine->real, 0, (size_t)disk.real->szOsFile);
	int rc = disk.real->xOpen(disk.real, path, mine->real, flags, ret_flags);
	if (rc != SQLITE_OK)
		return rc;
	mine->image = image_of(path != NULL ? path : "");
	mine->base.pMethods = &methods;
	return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *v, const char *path, int sync)
{
	(void)v;
	if (!passes())
		return SQLITE_IOERR_DELETE;
	forget(image_of(path));
	return disk.real->xDelete(disk.real, path, sync);
}

static int disk_access(sqlite3_vfs *v, const char *path, int flags, int *ret)
{
	(void)v;
	return disk.real->xAccess(disk.real, path, flags, ret);
}

static int disk_full_path(sqlite3_vfs *v, const char *path, int n, char *out)
{
	(void)v;
	return disk.real->xFullPathname(disk.real, path, n, out);
}

static int disk_random(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	for (int i = 0; i < n; i++)
		out[i] = (char)sim_draw(disk.chance, 256);
	return n;
}

/* Who would be waited for does nothing meanwhile: there is one thread. */
static int disk_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int disk_time(sqlite3_vfs *v, sqlite3_int64 *ret)
{
	(void)v;
	*ret = INT64_C(210866760000000) + sim_time_ms();     /* Julian, ms */
	return SQLITE_OK;
}

void sim_disk_begin(sim_chance *chance)
{
	if (disk.real == NULL) {
		disk.real = sqlite3_vfs_find(NULL);
		disk.vfs = (sqlite3_vfs){
			.iVersion = 2, .szOsFile = (int)sizeof(file) + disk.real->szOsFile, .mxPathname = disk.real->mxPathname,
			.zName = "simulated", .xOpen = disk_open, .xDelete = disk_delete, .xAccess = disk_access,
			.xFullPathname = disk_full_path, .xRandomness = disk_random, .xSleep = disk_sleep,
			.xCurrentTimeInt64 = disk_time,
		};
	}
	disk.chance = chance;
	disk.ops = disk.syncs = 0;
	sim_disk_mend();
	sqlite3_vfs_register(&disk.vfs, 1);
	sqlite3_randomness(0, NULL);         /* drawn anew, from this seed */
}

void sim_disk_end(void)
{
	for (size_t i = 0; i < disk.n_images; i++) {
		forget(&disk.images[i]);
		free(disk.images[i].list);
		free(disk.images[i].path);
	}
	disk.n_images = 0;
	sqlite3_vfs_unregister(&disk.vfs);
	sqlite3_vfs_register(disk.real, 1);
}

/* ---- faults ---------------------------------------------------------------------------------------------- */

void sim_disk_fail_after(unsigned ops, bool for_good)
{
	disk.fail_at = disk.ops + ops + 1;
	disk.for_good = for_good;
}

void sim_disk_off(void)
{
	disk.off = true;
}

void sim_disk_mend(void)
{
	disk.off = disk.for_good = disk.failed = false;
	disk.fail_at = 0;
}

bool sim_disk_failed(void)
{
	return disk.failed;
}

uint64_t sim_disk_syncs(void)
{
	return disk.syncs;
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void put(int fd, const unsigned char *p, size_t n, int64_t at)
{
	must(n == 0 || pwrite(fd, p, n, (off_t)at) == (ssize_t)n);
}

/* All as it was at the last sync, and then, of what was written since, whatever the disk had come to. */
static void cut(const image *im)
{
	int fd = open(im->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = im->n; i-- > 0;) {
		const change *c = &im->list[i];
		must(ftruncate(fd, (off_t)c->old_size) == 0);
		put(fd, c->old, c->n_old, c->at);
	}
	unsigned kept = (unsigned)sim_draw(disk.chance, 3) * 50;     /* none, some, all */
	for (size_t i = 0; i < im->n; i++) {
		const change *c = &im->list[i];
		if (!sim_percent(disk.chance, kept))
			continue;
		bool torn = c->n > SECTOR && sim_one_in(disk.chance, 4);
		size_t n = torn ? (size_t)sim_draw(disk.chance, c->n / SECTOR) * SECTOR : c->n;
		if (c->new == NULL)
			must(ftruncate(fd, (off_t)c->at) == 0);
		else
			put(fd, c->new, n, c->at);
	}
	close(fd);
}

void sim_disk_forget(void)
{
	for (size_t i = 0; i < disk.n_images; i++)
		forget(&disk.images[i]);
}

void sim_disk_cut_power(void)
{
	for (size_t i = 0; i < disk.n_images; i++) {
		cut(&disk.images[i]);
		forget(&disk.images[i]);
	}
}
