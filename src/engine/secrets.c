/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine and the vault: who needs it, and the one item that asks the operator to open it. In
 * simulation nothing here is ever asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "engine/engine_priv.h"

enum { PASSPHRASE_MAX = 4096 };

/* systemd's own name for the folder, and ours for the file in it: LoadCredential=capstan-vault:… */
static const char credentials[] = "CREDENTIALS_DIRECTORY", credential[] = "capstan-vault";

static void keep_why(cs_engine *e, const cs_err *why)
{
	snprintf(e->vault_why, sizeof e->vault_why, "%s", why->msg);
}

/* The passphrase that a service was given. That it does not fit is said where it is missed. */
static void open_by_credential(cs_engine *e)
{
	const char *folder = getenv(credentials);
	cs_err why = { 0 };
	cs_buf text;
	if (folder == NULL || cs_engine_simulated(e) || cs_vault_look(e->vault, NULL) != CS_OK)
		return;
	CS_AUTOFREE char *path = cs_path_join(folder, credential);
	if (!cs_file_exists(path))
		return;
	cs_buf_init(&text, PASSPHRASE_MAX);
	int rc = cs_file_read(path, &text, &why);
	size_t n = text.len;
	if (n > 0 && text.data[n - 1] == '\n')
		n--;
	if (rc == CS_OK)
		rc = cs_vault_unlock(e->vault, cs_buf_str(&text), n, &why);
	if (rc != CS_OK)
		keep_why(e, &why);
	if (text.len > 0)
		explicit_bzero(text.data, text.len);
	cs_buf_fini(&text);
}

int cs_secrets_start(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT id FROM item WHERE kind = 'login' AND call = 'vault' AND state = 'open' LIMIT 1", NULL, &rows, err);
	if (rc != CS_OK)
		return rc;
	const char *id = cs_json_str(json_array_get(rows, 0), "id");
	if (id != NULL && strlen(id) < CS_ID_SIZE)
		memcpy(e->vault_item, id, strlen(id) + 1);
	open_by_credential(e);
	return CS_OK;
}

/* With a key file it opens by itself, unless the operator has shut it. */
static bool open_now(cs_engine *e)
{
	cs_err why = { 0 };
	if (cs_vault_unlocked(e->vault))
		return true;
	CS_AUTOFREE char *path = e->vault_shut ? NULL : cs_vault_key_file(e->vault);
	if (path == NULL)
		return false;
	if (cs_vault_unlock_with_file(e->vault, &why) == CS_OK)
		return true;
	keep_why(e, &why);
	return false;
}

int cs_secrets_look(void *engine, const char *dotted, bool *ret_locked, cs_err *err)
{
	cs_engine *e = engine;
	CS_AUTOFREE char *name = cs_xstrndup(dotted, strcspn(dotted, "."));
	int rc = cs_vault_has(e->vault, name, err);
	if (rc != CS_OK || open_now(e))
		return rc;
	*ret_locked = true;
	e->vault_wanted = true;
	return CS_OK;
}

static int ask(cs_engine *e, cs_err *err)
{
	char id[CS_ID_SIZE];
	e->step.new_id(e, id);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s}", "item", id, "kind", "login", "title", "The vault is locked, and a run needs it",
				 "next", "capstan vault unlock", "call", "vault");
	if (e->vault_why[0] != '\0')
		json_object_set_new(data, "body", json_string(e->vault_why));
	int rc = cs_command_write(e, "item.opened", data, err);
	if (rc == CS_OK)
		memcpy(e->vault_item, id, sizeof id);
	return rc;
}

int cs_secrets_settle(cs_engine *e, cs_err *err)
{
	bool wanted = e->vault_wanted;
	e->vault_wanted = false;
	if (wanted && e->vault_item[0] == '\0')
		return ask(e, err);
	if (e->vault_item[0] == '\0' || !cs_vault_unlocked(e->vault))
		return CS_OK;
	json_t *data = json_pack("{s:s, s:s}", "item", e->vault_item, "how", "unlocked");
	e->vault_item[0] = '\0';
	return cs_command_write(e, "item.closed", data, err);
}

int cs_secrets_dismissed(cs_engine *e, const char *item, cs_err *err)
{
	if (strcmp(e->vault_item, item) != 0)
		return CS_OK;
	e->vault_item[0] = '\0';
	return cs_runs_all_ready(e, err);
}

const char *cs_secrets_word(cs_engine *e)
{
	if (cs_vault_look(e->vault, NULL) != CS_OK)
		return "none";
	return cs_vault_unlocked(e->vault) ? "open" : "locked";
}

int cs_command_unlock(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	const char *hex = cs_json_str(req, "key");
	uint8_t key[CS_VAULT_KEY];
	int rc;
	if (hex == NULL)
		rc = cs_vault_unlock_with_file(e->vault, err);
	else if (cs_unhex(hex, key, sizeof key) != CS_OK)
		rc = cs_err_set(err, CS_EINVAL, "the vault's key is %d hex digits", 2 * CS_VAULT_KEY);
	else
		rc = cs_vault_unlock_with_key(e->vault, key, err);
	explicit_bzero(key, sizeof key);
	if (hex != NULL)                     /* nobody else holds the request */
		explicit_bzero((char *)(uintptr_t)hex, strlen(hex));
	if (rc != CS_OK)
		return rc;
	e->vault_shut = false;
	e->vault_why[0] = '\0';
	rc = cs_runs_all_ready(e, err);
	*ret = json_pack("{s:s}", "vault", cs_secrets_word(e));
	return rc;
}

int cs_command_lock(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	(void)req;
	(void)err;
	cs_vault_lock(e->vault);
	e->vault_shut = true;
	*ret = json_pack("{s:s}", "vault", cs_secrets_word(e));
	return CS_OK;
}
