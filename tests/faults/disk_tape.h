/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened to the files of one folder, in order: every write, sync, rename, entry, and the
 * marks of what was told to somebody outside. From it the disk as a power cut at any point may
 * have left it: what was synced is there; of the rest each write is there, absent, or torn at a
 * sector, later ones perhaps without earlier ones; entries of the folder that were not synced may
 * be lost. */
#ifndef CS_TESTS_DISK_TAPE_H
#define CS_TESTS_DISK_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAPE_NAME = 40, TAPE_FILES = 512 };

/* The file that is kept for a full disk holds nothing: only its size counts, and no time is taken to write it. */
#define TAPE_HOLLOW "reserve"

typedef enum tape_kind {
	TAPE_CREATE,                 /* file, name: an entry for a new, empty file */
	TAPE_WRITE,                  /* file, at, n, data */
	TAPE_SIZE,                   /* file, at: cut or grown to so many bytes */
	TAPE_SYNC,                   /* file */
	TAPE_SYNC_FAILED,            /* file: what was not synced before may be lost whatever a later sync says */
	TAPE_RENAME,                 /* file, name: under another name; the old one is in `data` */
	TAPE_UNLINK,                 /* file, name */
	TAPE_SYNC_FOLDER,            /* its entries */
	TAPE_MAKE_FOLDER,            /* the folder itself, in its parent */
	TAPE_SYNC_PARENT,
	TAPE_MARK,                   /* mark, text, at: a number of it */
} tape_kind;

typedef enum tape_mark {
	MARK_COMMITTED,              /* the change feed told: at is the last seq */
	MARK_RUN,                    /* a client was told that this run was begun */
	MARK_DECIDED,                /* a client was told that the decision on this item is taken */
	MARK_SENT,                   /* the outside was asked to act under this key; at is 1 when unsafe */
} tape_mark;

typedef struct tape_op {
	tape_kind kind;
	tape_mark mark;
	int file;
	int64_t at;
	size_t n, data;              /* bytes of the tape's store: DATA is where they begin */
	char name[TAPE_NAME];
} tape_op;

typedef struct disk_tape {
	char name[TAPE_NAME];        /* of what was played */
	tape_op *ops;
	size_t n_ops, cap_ops;
	char *bytes;
	size_t n_bytes, cap_bytes;
	int n_files;
} disk_tape;

void tape_add(disk_tape *t, const tape_op *op, const void *bytes, size_t n);
const char *tape_bytes(const disk_tape *t, const tape_op *op);
void tape_free(disk_tape *t);
/* To and from a file, so that an image can be made again elsewhere. False: it could not be. */
bool tape_save(const disk_tape *t, const char *path);
bool tape_load(disk_tape *t, const char *path);

/* ---- the disk at a point of it ------------------------------------------------------------------------------ */

typedef struct disk disk;

/* How much of what was not synced survived. */
typedef enum disk_loss {
	LOSS_ALL, LOSS_NONE,
	LOSS_TAIL,                   /* all up to some moment, the last of it torn */
	LOSS_ANY,                    /* whole writes, each for itself */
	LOSS_512, LOSS_4096,         /* sectors, each for itself */
	LOSS_WAYS
} disk_loss;

disk *disk_new(const disk_tape *t);
void disk_free(disk *d);
/* Plays the tape on to its op number UPTO; never back. */
void disk_go(disk *d, size_t upto);
/* Makes FOLDER (which is not there) as it is without a power cut. False: as below. */
bool disk_whole(const disk *d, const char *folder);
/* Makes FOLDER (which is not there) as a power cut now may have left it, drawn by SEED; says how in
 * WHAT. False: the system refused, errno says why. */
bool disk_image(const disk *d, const char *folder, uint64_t seed, char *what, size_t size);
/* xorshift64*, the same everywhere. */
uint64_t tape_random(uint64_t *state, uint64_t below);

#endif
