/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk that is full or fails: the engine ends (I17), lets go the space that it kept for this, and
 * leaves one item in the inbox that says so. What was being committed is known only when the log is
 * read again; nothing leaves this process any more. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/engine_priv.h"

#define RESERVE_FILE "reserve"
enum { RESERVE = 4 << 20, TITLE_BYTES = 300 };

static bool kept(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == RESERVE;
}

static int keep(const char *path, cs_err *err)
{
	CS_AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? errno : posix_fallocate(fd, 0, RESERVE);
	if (rc == 0)
		return CS_OK;
	if (fd >= 0)
		(void)unlink(path);
	return cs_err_sys(err, rc, "%s: the disk does not hold the %d MiB that are kept for a full one; free some space and start again", path,
			  RESERVE >> 20);
}

int cs_disk_reserve(cs_engine *e, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(e->state_dir, RESERVE_FILE);
	if (kept(path))
		return CS_OK;
	/* Let go by an engine that the disk failed: what it wrote last may lie in memory alone, whatever
	 * a later sync says; so it is written once more before anything is built on it. */
	int rc = cs_store_last_seq(e->store) > 0 ? cs_store_settle(e->store, err) : CS_OK;
	return rc == CS_OK ? keep(path, err) : rc;
}

static int open_item(cs_engine *e, const cs_err *why, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL, *last = NULL;
	char id[CS_ID_SIZE], title[TITLE_BYTES + 64];
	int rc = cs_reader_query(e->reader, "SELECT id FROM item WHERE kind = 'disk' AND state = 'open'", NULL, &rows, err);
	if (rc != CS_OK || json_array_size(rows) > 0)
		return rc;
	/* A start that failed has not come to read this: nothing is dated before what is in the log. */
	rc = cs_reader_query(e->reader, "SELECT at FROM event ORDER BY seq DESC LIMIT 1", NULL, &last, err);
	if (rc != CS_OK)
		return rc;
	int64_t latest = cs_json_int_or(json_array_get(last, 0), "at", 0);
	if (latest > e->step.now)
		e->step.now = latest;
	size_t most = strnlen(why->msg, TITLE_BYTES);
	while (most > 0 && most < strlen(why->msg) && ((unsigned char)why->msg[most] & 0xC0) == 0x80)
		most--;
	snprintf(title, sizeof title, "The engine ended, and nothing leaves: %.*s", (int)most, why->msg);
	e->step.new_id(e, id);
	CS_AUTOJSON json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "item", id, "kind", "disk", "title", title, "next", "dismiss", "call",
					     "disk", "action", "free some space or mend the disk, start the engine again, then dismiss this");
	cs_event ev = { .at = e->step.now, .type = "item.opened", .actor = "engine", .data = data };
	rc = cs_store_begin(e->store, err);
	if (rc == CS_OK)
		rc = cs_store_append(e->store, &ev, err);
	if (rc == CS_OK)
		return cs_store_commit(e->store, err);
	cs_store_rollback(e->store);
	return rc;
}

void cs_disk_failed(cs_engine *e, const cs_err *why)
{
	CS_AUTOFREE char *path = cs_path_join(e->state_dir, RESERVE_FILE);
	cs_err err = { 0 };
	int64_t epoch;
	if (why->code != CS_EIO || e->lease == NULL)
		return;
	int rc = unlink(path) != 0 && errno != ENOENT ? cs_err_sys(&err, errno, "%s", path) : CS_OK;
	cs_store_close(CS_STEAL(e->store));
	if (rc == CS_OK)
		rc = cs_store_open(e->state_dir, false, &e->store, &err);
	if (rc == CS_OK)
		rc = cs_store_claim_epoch(e->store, &epoch, &err);
	if (rc == CS_OK && cs_store_last_seq(e->store) == 0)
		return;              /* a workspace that never began: it may not even have its key, without which no log begins */
	if (rc == CS_OK && e->reader == NULL)
		rc = cs_reader_open(e->state_dir, &e->reader, &err);
	if (rc == CS_OK)
		rc = open_item(e, why, &err);
	if (rc == CS_OK)
		return;
	pthread_mutex_lock(&e->lock);
	size_t n = strlen(e->failure);
	snprintf(e->failure + n, sizeof e->failure - n, "; the inbox cannot say so: %s", err.msg);
	pthread_mutex_unlock(&e->lock);
}
