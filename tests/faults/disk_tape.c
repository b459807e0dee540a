/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/disk_tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

static const char magic[16] = "capstan-tape 1\n";

uint64_t tape_random(uint64_t *state, uint64_t below)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (x * UINT64_C(2685821657736338717) >> 16) % below;
}

void tape_add(disk_tape *t, const tape_op *op, const void *bytes, size_t n)
{
	if (t->n_ops == t->cap_ops) {
		t->cap_ops = t->cap_ops > 0 ? t->cap_ops * 2 : 1024;
		t->ops = cs_xrealloc(t->ops, t->cap_ops * sizeof *t->ops);
	}
	while (t->n_bytes + n > t->cap_bytes) {
		t->cap_bytes = t->cap_bytes > 0 ? t->cap_bytes * 2 : (size_t)1 << 20;
		t->bytes = cs_xrealloc(t->bytes, t->cap_bytes);
	}
	tape_op *mine = &t->ops[t->n_ops++];
	*mine = *op;
	mine->data = t->n_bytes;
	mine->n = n;
	if (n > 0)
		memcpy(t->bytes + t->n_bytes, bytes, n);
	t->n_bytes += n;
}

const char *tape_bytes(const disk_tape *t, const tape_op *op)
{
	return t->bytes + op->data;
}

void tape_free(disk_tape *t)
{
	free(t->ops);
	free(t->bytes);
	*t = (disk_tape){ 0 };
}

/* ---- to a file ---------------------------------------------------------------------------------------------- */

static bool put(FILE *f, const void *p, size_t size, size_t n)
{
	return n == 0 || fwrite(p, size, n, f) == n;
}

bool tape_save(const disk_tape *t, const char *path)
{
	FILE *f = fopen(path, "wbe");
	if (f == NULL)
		return false;
	bool ok = put(f, magic, sizeof magic, 1) && put(f, t, sizeof *t, 1) && put(f, t->ops, sizeof *t->ops, t->n_ops) &&
		  put(f, t->bytes, 1, t->n_bytes);
	return fclose(f) == 0 && ok;
}

static bool load(disk_tape *t, FILE *f)
{
	char head[sizeof magic];
	disk_tape mine;
	if (fread(head, sizeof head, 1, f) != 1 || memcmp(head, magic, sizeof head) != 0 || fread(&mine, sizeof mine, 1, f) != 1)
		return false;
	mine.cap_ops = mine.n_ops;
	mine.cap_bytes = mine.n_bytes;
	mine.ops = cs_xcalloc(mine.n_ops, sizeof *mine.ops);
	mine.bytes = cs_xcalloc(mine.n_bytes, 1);
	*t = mine;
	return fread(t->ops, sizeof *t->ops, t->n_ops, f) == t->n_ops && fread(t->bytes, 1, t->n_bytes, f) == t->n_bytes;
}

bool tape_load(disk_tape *t, const char *path)
{
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return false;
	bool ok = load(t, f);
	fclose(f);
	return ok;
}
