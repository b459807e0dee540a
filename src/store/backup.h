/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup: one file that holds the database as of one moment, the workspace's key and its sealed
 * vault, with the segments of the archive. It is two lines of text (what it is; a JSON object that names each part with its size and
 * SHA-256) and then the bytes of the parts. */
#ifndef CS_STORE_BACKUP_H
#define CS_STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "store/store.h"

typedef struct cs_backup {
	int64_t at;                    /* wall ms of its making */
	int64_t events;                /* in the log; 0: none yet */
	char head[CS_HEX_SIZE];        /* hash of the last */
	int64_t format, incarnation;
	int64_t bytes;                 /* of the whole file */
	bool key, vault;               /* has them */
} cs_backup;

/* DONE of TOTAL bytes of what is WORD, a constant: "copy" "check" "write" "read". */
typedef void cs_backup_fn(void *ctx, const char *word, int64_t done, int64_t total);
typedef struct cs_backup_ear {         /* who hears of it; FN NULL: nobody */
	cs_backup_fn *fn;
	void *ctx;
} cs_backup_ear;

/* Writes a backup of the state in DIR to FILE (0600), also beside a running writer: it only reads,
 * one state, and never moves the log's tail. Before FILE has its name the copy was opened again and its chain
 * and signed checkpoints were checked, and what was written was read back. CS_EREFUSED: FILE is there
 * already, or the log is not clean. WITH_KEY false leaves the workspace's key out. */
int cs_backup_write(const char *dir, const char *file, bool with_key, cs_backup_ear ear, cs_backup *ret, cs_err *err);
/* Reads FILE's first lines. CS_EINVAL: it is no backup; CS_EUNAVAIL: of a newer capstan. */
int cs_backup_look(const char *file, cs_backup *ret, cs_err *err);
/* Takes FILE apart into DIR, a new folder (0700) that this makes. CS_EIO: a part is damaged or cut off.
 * After a failure DIR is gone again. */
int cs_backup_unpack(const char *file, const char *dir, cs_backup_ear ear, cs_backup *ret, cs_err *err);
/* Takes away a folder that was made by this, or by cs_backup_unpack. */
void cs_backup_drop(const char *dir);
/* Takes away the folders in DIR of backups that were cut off: nobody holds their locks. */
void cs_backup_sweep(const char *dir);

#endif
