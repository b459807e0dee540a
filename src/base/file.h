/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files: reading with a bound, writing whole or not at all. */
#ifndef CS_BASE_FILE_H
#define CS_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/err.h"

/* Reads a regular file into OUT (which holds the maximum). A folder, a device, a pipe are
 * CS_EINVAL with a sentence; over the maximum CS_ETOOBIG. */
int cs_file_read(const char *path, cs_buf *out, cs_err *err);
/* Temp file beside it, fsync, rename, fsync of the folder. A symbolic link is replaced, not followed. */
int cs_file_write(const char *path, const void *p, size_t n, mode_t mode, cs_err *err);
/* Removes what a cs_file_write that was cut off has left in DIR: regular files BASE.tmp-XXXXXX, for each BASE that
 * OURS says yes to. Only for whoever alone writes those. */
void cs_file_sweep(const char *dir, bool (*ours)(const char *base));
/* Syncs the folder that PATH is in: a name that was made there stays. */
int cs_file_sync_folder(const char *path, cs_err *err);
bool cs_file_exists(const char *path);
/* DIR "/" NAME, malloc'ed. */
char *cs_path_join(const char *dir, const char *name);
/* What it makes is synced into its parent. */
int cs_mkdir_p(const char *path, mode_t mode, cs_err *err);
/* Sorted names of DIR's regular files (links to them too, hidden ones not) that end in SUFFIX; NULL-terminated, malloc'ed, free each and the list.
 * A missing folder gives an empty list. */
int cs_dir_list(const char *dir, const char *suffix, char ***ret, cs_err *err);
void cs_strv_freep(char ***v);

#endif
