/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vault/vault_priv.h"

#include <string.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum { FILE_MAX = 64 << 20 };

static int damaged(const char *path, const char *what, cs_err *err)
{
	return cs_err_set(err, CS_EINVAL, "the vault %s is damaged (%s); nothing was changed: restore the file from a backup", path, what);
}

static bool hex_text(const json_t *obj, const char *key, size_t least)
{
	const char *s = cs_json_str(obj, key);
	size_t n = s ? strlen(s) : 0;
	return n >= 2 * least && n % 2 == 0 && strspn(s, "0123456789abcdef") == n;
}

static bool opener_ok(const json_t *doc)
{
	const json_t *unlock = json_object_get(doc, "unlock");
	const char *by = cs_json_str_or(unlock, "by", "");
	if (strcmp(by, "file") == 0)
		return cs_json_str_or(unlock, "path", "")[0] == '/';
	return strcmp(by, "passphrase") == 0 && hex_text(unlock, "salt", 16) && cs_json_int_or(unlock, "ops", 0) > 0 &&
	       cs_json_int_or(unlock, "mem", 0) > 0;
}

static bool entries_ok(const json_t *doc)
{
	json_t *all = json_object_get(doc, "secrets"), *one;
	const char *name;
	if (!json_is_object(all) || json_object_size(all) > CS_VAULT_ENTRIES)
		return false;
	json_object_foreach(all, name, one)
		if (!cs_vault_name_ok(name) || !json_is_integer(json_object_get(one, "set")) || !hex_text(one, "nonce", 24) ||
		    !hex_text(one, "sealed", 16))
			return false;
	return true;
}

int cs_vault_file_read(const char *path, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	CS_AUTOJSON json_t *doc = NULL;
	cs_err why = { 0 };
	cs_buf_init(&text, FILE_MAX);
	if (!cs_file_exists(path))
		return cs_err_set(err, CS_ENOTFOUND, "there is no vault in this workspace; `capstan vault init` makes one");
	int rc = cs_file_read(path, &text, err);
	if (rc != CS_OK)
		return rc;
	if (cs_json_parse(cs_buf_str(&text), text.len, &doc, &why) != CS_OK)
		return damaged(path, why.msg, err);
	if (strcmp(cs_json_str_or(doc, "capstan", ""), "vault") != 0)
		return damaged(path, "it is no vault", err);
	if (cs_json_int_or(doc, "version", 0) > CS_VAULT_VERSION)
		return cs_err_set(err, CS_EUNSUPPORTED, "the vault %s is of format %lld, and this program knows %d; a newer capstan wrote it: use that one. Nothing was changed",
				  path, (long long)cs_json_int_or(doc, "version", 0), CS_VAULT_VERSION);
	if (cs_json_int_or(doc, "version", 0) != CS_VAULT_VERSION || !hex_text(json_object_get(doc, "key"), "nonce", 24) ||
	    !hex_text(json_object_get(doc, "key"), "sealed", CS_VAULT_KEY) || !hex_text(doc, "digest", 32))
		return damaged(path, "its head", err);
	if (!opener_ok(doc))
		return damaged(path, "how it opens", err);
	if (!entries_ok(doc))
		return damaged(path, "an entry", err);
	*ret = CS_STEAL(doc);
	return CS_OK;
}

int cs_vault_file_write(const char *path, const json_t *doc, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, FILE_MAX);
	int rc = cs_json_write_pretty(doc, &text);
	if (rc == CS_OK)
		rc = cs_buf_addc(&text, '\n');
	if (rc != CS_OK)
		return cs_err_set(err, CS_ETOOBIG, "the vault would be larger than %d bytes; remove what is not used", FILE_MAX);
	return cs_file_write(path, cs_buf_str(&text), text.len, 0600, err);
}
