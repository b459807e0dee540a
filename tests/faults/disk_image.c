/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk at a point of a tape, and what a power cut there may leave of it. */
#include "tests/faults/disk_tape.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

typedef struct bytes {
	char *p;
	size_t len, cap;
} bytes;

typedef struct list {
	size_t *p;
	size_t n, cap;
} list;

/* What is synced of a file, and the ops that came after: their numbers times OP_STATES, and their state. What a
 * failed sync left lies in the cache alone, and no later sync takes it up. */
enum { OP_OPEN, OP_SURE, OP_DOOMED, OP_STATES };

typedef struct file {
	bytes synced;
	list ops;
	bool doomed;                 /* one of them is */
} file;

typedef struct entry {
	char name[TAPE_NAME];
	int file;
} entry;

typedef struct entries {
	entry list[TAPE_FILES];
	size_t n;
} entries;

struct disk {
	const disk_tape *tape;
	size_t at;
	file files[TAPE_FILES];
	entries synced;
	list open;                   /* ops on entries that are not synced */
	bool folder, folder_open;    /* the folder is there for sure; was made, but its parent not synced */
};

/* What one image keeps. */
typedef struct choice {
	uint64_t random;
	disk_loss files, entries;
	size_t until;                /* LOSS_TAIL: ops before this one */
	uint64_t keep;               /* of a hundred */
	bool grown;                  /* a lost write behind the end has grown the file all the same */
} choice;

static void push(list *l, size_t n)
{
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->p = cs_xrealloc(l->p, l->cap * sizeof *l->p);
	}
	l->p[l->n++] = n;
}

static void resize(bytes *b, size_t len)
{
	if (len > b->cap) {
		b->cap = len * 2;
		b->p = cs_xrealloc(b->p, b->cap);
	}
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

static void put(bytes *b, size_t at, const char *p, size_t n)
{
	if (at + n > b->len)
		resize(b, at + n);
	memcpy(b->p + at, p, n);
}

static void apply(const disk_tape *t, const tape_op *op, bytes *b)
{
	if (op->kind == TAPE_SIZE)
		resize(b, (size_t)op->at);
	else if (op->kind == TAPE_WRITE)
		put(b, (size_t)op->at, tape_bytes(t, op), op->n);
}

/* ---- entries ------------------------------------------------------------------------------------------------- */

static void forget(entries *e, const char *name, int only)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->list[i].name, name) == 0 && (only < 0 || e->list[i].file == only)) {
			e->list[i] = e->list[--e->n];
			return;
		}
}

static void apply_entry(const disk_tape *t, const tape_op *op, entries *e)
{
	if (op->kind == TAPE_RENAME)
		forget(e, tape_bytes(t, op), op->file);
	forget(e, op->name, op->kind == TAPE_UNLINK ? op->file : -1);
	if (op->kind == TAPE_UNLINK || e->n == TAPE_FILES)
		return;
	memcpy(e->list[e->n].name, op->name, TAPE_NAME);
	e->list[e->n++].file = op->file;
}

/* ---- playing ------------------------------------------------------------------------------------------------- */

disk *disk_new(const disk_tape *t)
{
	disk *d = cs_xcalloc(1, sizeof *d);
	d->tape = t;
	return d;
}

void disk_free(disk *d)
{
	if (d == NULL)
		return;
	for (int i = 0; i < TAPE_FILES; i++) {
		free(d->files[i].synced.p);
		free(d->files[i].ops.p);
	}
	free(d->open.p);
	free(d);
}

/* While something is doomed the order of what came after must be kept: the disk has the later one. */
static void sync_file(disk *d, file *f)
{
	for (size_t i = 0; i < f->ops.n; i++) {
		size_t *op = &f->ops.p[i];
		if (!f->doomed)
			apply(d->tape, &d->tape->ops[*op / OP_STATES], &f->synced);
		else if (*op % OP_STATES == OP_OPEN)
			*op += OP_SURE;
	}
	if (!f->doomed)
		f->ops.n = 0;
}

static void doom(file *f)
{
	for (size_t i = 0; i < f->ops.n; i++)
		if (f->ops.p[i] % OP_STATES == OP_OPEN)
			f->ops.p[i] += OP_DOOMED;
	f->doomed = f->ops.n > 0;
}

static void step(disk *d, size_t i)
{
	const tape_op *op = &d->tape->ops[i];
	file *f = &d->files[op->file];
	switch (op->kind) {
	case TAPE_CREATE:
	case TAPE_RENAME:
	case TAPE_UNLINK:
		push(&d->open, i);
		break;
	case TAPE_WRITE:
	case TAPE_SIZE:
		push(&f->ops, i * OP_STATES + OP_OPEN);
		break;
	case TAPE_SYNC:
		sync_file(d, f);
		break;
	case TAPE_SYNC_FAILED:
		doom(f);
		break;
	case TAPE_SYNC_FOLDER:
		for (size_t k = 0; k < d->open.n; k++)
			apply_entry(d->tape, &d->tape->ops[d->open.p[k]], &d->synced);
		d->open.n = 0;
		break;
	case TAPE_MAKE_FOLDER:
		d->folder_open = true;
		break;
	case TAPE_SYNC_PARENT:
		d->folder = d->folder_open;
		break;
	case TAPE_MARK:
		break;
	}
}

void disk_go(disk *d, size_t upto)
{
	for (; d->at < upto && d->at < d->tape->n_ops; d->at++)
		step(d, d->at);
}

/* ---- an image ------------------------------------------------------------------------------------------------- */

static bool lucky(choice *c)
{
	return tape_random(&c->random, 100) < c->keep;
}

static bool survives(choice *c, disk_loss loss, size_t op)
{
	if (loss == LOSS_ALL || loss == LOSS_NONE)
		return loss == LOSS_NONE;
	return loss == LOSS_TAIL ? op < c->until : lucky(c);
}

/* The sectors of a write that came to the disk. */
static void tear(const disk_tape *t, const tape_op *op, size_t sector, choice *c, bytes *b)
{
	size_t from = (size_t)op->at, end = from + op->n;
	for (size_t at = from, next; at < end; at = next) {
		next = (at / sector + 1) * sector;
		next = next < end ? next : end;
		if (lucky(c))
			put(b, at, tape_bytes(t, op) + (at - from), next - at);
		else if (c->grown && next > b->len)
			resize(b, next);
	}
}

static void survive(const disk_tape *t, size_t i, choice *c, bytes *b)
{
	const tape_op *op = &t->ops[i];
	bool torn = c->files == LOSS_512 || c->files == LOSS_4096 || (c->files == LOSS_TAIL && i + 1 == c->until);
	if (op->kind == TAPE_WRITE && torn)
		tear(t, op, c->files == LOSS_4096 ? 4096 : 512, c, b);
	else if (survives(c, c->files, i))
		apply(t, op, b);
	else if (op->kind == TAPE_WRITE && c->grown && (size_t)op->at + op->n > b->len)
		resize(b, (size_t)op->at + op->n);
}

static bool write_out(const char *path, const bytes *b, bool sparse)
{
	CS_AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (sparse)
		return ftruncate(fd, (off_t)b->len) == 0;
	return b->len == 0 || pwrite(fd, b->p, b->len, 0) == (ssize_t)b->len;
}

static bool make_file(const disk *d, const char *folder, const entry *e, choice *c)
{
	const file *f = &d->files[e->file];
	CS_AUTOFREE char *path = cs_xasprintf("%s/%s", folder, e->name);
	bytes b = { 0 };
	resize(&b, f->synced.len);
	if (b.len > 0)
		memcpy(b.p, f->synced.p, b.len);
	for (size_t i = 0; i < f->ops.n; i++) {
		size_t op = f->ops.p[i] / OP_STATES;
		if (f->ops.p[i] % OP_STATES == OP_SURE)
			apply(d->tape, &d->tape->ops[op], &b);
		else
			survive(d->tape, op, c, &b);
	}
	bool ok = write_out(path, &b, strcmp(e->name, TAPE_HOLLOW) == 0);
	free(b.p);
	return ok;
}

static choice draw(const disk *d, uint64_t seed)
{
	static const uint64_t keeps[] = { 3, 20, 50, 80, 97 };
	choice c = { .random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1 };
	(void)tape_random(&c.random, 2);
	c.files = (disk_loss)tape_random(&c.random, LOSS_WAYS);
	c.entries = (disk_loss)tape_random(&c.random, LOSS_ANY + 1);
	c.keep = keeps[tape_random(&c.random, CS_ARRAY_LEN(keeps))];
	size_t back = d->at < 200 ? d->at + 1 : 200;
	c.until = d->at + 1 - (size_t)tape_random(&c.random, tape_random(&c.random, 2) ? back : back / 10 + 1);
	c.grown = tape_random(&c.random, 3) == 0;
	return c;
}

static bool make(const disk *d, const char *folder, choice *c)
{
	entries *e = cs_xcalloc(1, sizeof *e);
	*e = d->synced;
	for (size_t i = 0; i < d->open.n; i++)
		if (survives(c, c->entries, d->open.p[i]))
			apply_entry(d->tape, &d->tape->ops[d->open.p[i]], e);
	bool there = d->folder || (d->folder_open && survives(c, c->entries, 0));
	bool ok = !there || mkdir(folder, 0700) == 0;
	for (size_t i = 0; ok && there && i < e->n; i++)
		ok = make_file(d, folder, &e->list[i], c);
	free(e);
	return ok;
}

bool disk_whole(const disk *d, const char *folder)
{
	choice c = { .files = LOSS_NONE, .entries = LOSS_NONE };
	return make(d, folder, &c);
}

bool disk_image(const disk *d, const char *folder, uint64_t seed, char *what, size_t size)
{
	static const char *const ways[LOSS_WAYS] = { "all lost", "nothing lost", "lost from some moment on", "some writes lost",
						     "some sectors of 512 lost", "some sectors of 4096 lost" };
	choice c = draw(d, seed);
	snprintf(what, size, "cut at %zu; unsynced bytes: %s; entries: %s; kept %d of 100, until %zu%s", d->at, ways[c.files],
		 ways[c.entries], (int)c.keep, c.until, c.grown ? ", sizes grown" : "");
	return make(d, folder, &c);
}
