/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/engine_priv.h"

static const char magic[] = "capstan-seen 1 ";

int cs_seen_folder(char **ret, cs_err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	CS_AUTOFREE char *dir = NULL;
	if (state != NULL && state[0] == '/')            /* a relative one is to be ignored */
		dir = cs_path_join(state, "capstan");
	else if (home != NULL && home[0] == '/')
		dir = cs_path_join(home, ".local/state/capstan");
	else
		return cs_err_set(err, CS_ENOTFOUND, "neither XDG_STATE_HOME nor HOME names a folder; set one");
	int rc = cs_mkdir_p(dir, 0700, err);
	if (rc == CS_OK && access(dir, W_OK | X_OK) != 0)
		rc = cs_err_sys(err, errno, "cannot write in %s", dir);
	if (rc == CS_OK)
		*ret = CS_STEAL(dir);
	return rc;
}

/* By the key too: the number of a file is given again, and not every file system keeps a time of birth. */
void cs_seen_open(cs_engine *e, const char *place)
{
	CS_AUTOFREE char *dir = NULL;
	char key[CS_HEX_SIZE], name[CS_HEX_SIZE];
	if (e->opts.place != NULL || e->seen != NULL || cs_seen_folder(&dir, NULL) != CS_OK)
		return;
	cs_hash_hex(e->key, sizeof e->key, key);
	CS_AUTOFREE char *text = cs_xasprintf("capstan-seen\n%s\n%s", place, key);
	cs_hash_hex(text, strlen(text), name);
	e->seen = cs_path_join(dir, name);
}

static bool read_seen(const char *path, int64_t *ret_seq, char ret_hash[CS_HEX_SIZE])
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 16384);
	if (cs_file_read(path, &text, NULL) != CS_OK)
		return false;
	const char *p = cs_buf_str(&text);
	if (strncmp(p, magic, sizeof magic - 1) != 0 || strchr(p, '\n') == NULL)
		return false;
	char *end = NULL;
	errno = 0;
	long long seq = strtoll(p + sizeof magic - 1, &end, 10);
	if (errno != 0 || seq < 1 || *end != ' ' || strspn(end + 1, "0123456789abcdef") != CS_HEX_SIZE - 1)
		return false;
	memcpy(ret_hash, end + 1, CS_HEX_SIZE - 1);
	ret_hash[CS_HEX_SIZE - 1] = '\0';
	*ret_seq = seq;
	return true;
}

int cs_seen_is_behind(cs_engine *e, int64_t last, bool *ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = NULL;
	char hash[CS_HEX_SIZE];
	int64_t seq = 0;
	*ret = false;
	if (e->seen == NULL || !read_seen(e->seen, &seq, hash))
		return CS_OK;
	if (seq > last) {
		*ret = true;
		return CS_OK;
	}
	params = json_pack("[I]", (json_int_t)seq);
	int rc = cs_reader_query(e->reader, "SELECT lower(hex(hash)) AS hash FROM event WHERE seq = ?1", params, &rows, err);
	/* One that is in the archive has no row here. */
	if (rc == CS_OK)
		*ret = json_array_size(rows) == 1 && strcmp(cs_json_str_or(json_array_get(rows, 0), "hash", hash), hash) != 0;
	return rc;
}

/* Over what is there, as a rename costs far more; what counts lies in the first sector, so that a power
 * cut leaves this one, the one before, or nothing that can be read. Nobody else writes it: the lease is held. */
static bool put(const char *path, const char *line, size_t n)
{
	CS_AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, n) != (ssize_t)n)
		return false;
	return ftruncate(fd, (off_t)n) == 0;         /* the path may have been longer */
}

void cs_seen_note(cs_engine *e)
{
	uint8_t head[CS_HASH_LEN];
	char hex[CS_HEX_SIZE];
	int64_t seq = 0;
	if (e->seen == NULL || !e->recovered || !(e->live || e->token[0] != '\0') || !cs_store_head(e->store, &seq, head) || seq == e->seen_seq)
		return;
	cs_hex(head, sizeof head, hex);
	CS_AUTOFREE char *line = cs_xasprintf("%s%019lld %s %s\n", magic, (long long)seq, hex, e->state_dir);
	/* Where it is not written, the one before stays, and says less. */
	if (put(e->seen, line, strlen(line)))
		e->seen_seq = seq;
}
