/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a backup: its parts, how they are written one after the other, and read again. */
#ifndef CS_STORE_BACKUP_FILE_H
#define CS_STORE_BACKUP_FILE_H

#include "store/backup.h"

enum { CS_BACKUP_DATABASE, CS_BACKUP_KEY, CS_BACKUP_PUBLIC, CS_BACKUP_VAULT, CS_BACKUP_ARCHIVE, CS_BACKUP_PARTS };
/* The names of the parts, in the state's folder as in the backup. */
extern const char *const cs_backup_names[CS_BACKUP_PARTS];

typedef struct cs_backup_part {
	bool there;
	int64_t size;
	char sha256[CS_HEX_SIZE];
} cs_backup_part;

typedef struct cs_backup_contents {
	cs_backup about;
	cs_backup_part part[CS_BACKUP_PARTS];
	int64_t begin;                 /* of the first part in the file */
} cs_backup_contents;

/* The copy in FOLDER reaches the segments of DIR that its log tells of. */
int cs_backup_link_archive(const char *dir, const char *folder, cs_err *err);
/* Makes the part of the archive in FOLDER; none where its log has no segments. */
int cs_backup_pack_archive(const char *folder, cs_err *err);
/* Makes segments of the part in DIR, which is gone then. CS_EIO: it is damaged. */
int cs_backup_unpack_archive(const char *dir, cs_err *err);
void cs_backup_drop_archive(const char *dir);

/* Size and digest of the part at PATH; one that is not there stays so. */
int cs_backup_measure(const char *path, cs_backup_part *ret, cs_err *err);
/* Writes C's lines and the parts, which lie in FROM, to FD, and syncs it. */
int cs_backup_put(int fd, const char *from, cs_backup_contents *c, cs_backup_ear ear, cs_err *err);
/* Reads the lines of FILE, open as FD; all sizes together are the file's. */
int cs_backup_read_head(int fd, const char *file, cs_backup_contents *ret, cs_err *err);
/* Reads the parts of FD behind the lines. INTO NULL: only looks whether they are as C says. */
int cs_backup_get(int fd, const char *file, const cs_backup_contents *c, const char *into, cs_backup_ear ear, cs_err *err);

#endif
