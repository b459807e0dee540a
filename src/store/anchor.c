/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/anchor.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

static const char magic[] = "capstan-anchor 1 ";

int cs_anchor_write(const char *dir, int64_t seq, const uint8_t hash[CS_HASH_LEN], cs_err *err)
{
	char hex[CS_HEX_SIZE], line[128];
	cs_hex(hash, CS_HASH_LEN, hex);
	int n = snprintf(line, sizeof line, "%s%lld %s\n", magic, (long long)seq, hex);
	CS_AUTOFREE char *path = cs_path_join(dir, CS_ANCHOR_FILE);
	return cs_file_write(path, line, (size_t)n, 0600, err);
}

int cs_anchor_read(const char *dir, int64_t *ret_seq, uint8_t ret_hash[CS_HASH_LEN], cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, CS_ANCHOR_FILE);
	if (!cs_file_exists(path))
		return cs_err_set(err, CS_ENOTFOUND, "%s: there is no anchor yet", path);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 256);
	int rc = cs_file_read(path, &text, err);
	if (rc)
		return rc;
	const char *p = cs_buf_str(&text);
	bool ours = strncmp(p, magic, sizeof magic - 1) == 0;
	char *end = NULL;
	errno = 0;
	long long seq = ours ? strtoll(p + sizeof magic - 1, &end, 10) : 0;
	if (!ours || errno || seq < 1 || *end != ' ' || strlen(end) != CS_HEX_SIZE + 1 || end[CS_HEX_SIZE] != '\n')
		return cs_err_set(err, CS_EINVAL, "%s: is not an anchor; was it changed by hand?", path);
	end[CS_HEX_SIZE] = '\0';
	rc = cs_unhex(end + 1, ret_hash, CS_HASH_LEN);
	if (rc)
		return cs_err_set(err, CS_EINVAL, "%s: is not an anchor; was it changed by hand?", path);
	*ret_seq = seq;
	return CS_OK;
}
