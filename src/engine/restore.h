/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup becomes the state of a workspace again, as another incarnation that rests. */
#ifndef CS_ENGINE_RESTORE_H
#define CS_ENGINE_RESTORE_H

#include "store/backup.h"

typedef struct cs_restored {
	cs_backup backup;
	int64_t incarnation;
	int64_t open;                  /* runs that are not over */
	char since[40];                /* time of the log's last event, RFC 3339 */
} cs_restored;

/* Makes .capstan in DIR out of FILE, whole or not at all. KEY: a file with the workspace's key, for a
 * backup without it; NULL. CS_EREFUSED: DIR has a database already; CS_EUNAVAIL: the backup is of a newer
 * capstan; CS_EIO: it is damaged, or its log is not clean. */
int cs_restore(const char *file, const char *dir, const char *key, const char *actor, cs_backup_ear ear, cs_restored *ret, cs_err *err);

#endif
