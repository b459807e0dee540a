/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which secrets the files name and the vault has not. Needs no passphrase: names can always be read. */
#include <string.h>

#include "base/file.h"
#include "cli/cli_priv.h"
#include "flow/yaml.h"
#include "vault/vault.h"

static void look_for(cs_vault *v, const char *name, const cs_source *src, const char *shown, const char *pointer, cs_diags *d)
{
	cs_err why = { 0 };
	unsigned line = 0, col = 0;
	if (!name || cs_vault_has(v, name, &why) == CS_OK)
		return;
	cs_source_at(src, pointer, 0, &line, &col);
	if (cs_vault_look(v, NULL) == CS_ENOTFOUND)
		cs_diags_add(d, true, shown, line, col, "the secret '%.80s' is in no vault: capstan vault init, then capstan vault set %.80s", name, name);
	else
		cs_diags_add(d, true, shown, line, col, "%s", why.msg);
}

void cs_cli_check_secrets(const char *state_dir, const char *path, const char *shown, cs_diags *d)
{
	CS_AUTOJSON json_t *doc = NULL;
	CS_CLEANUP(cs_source_freep) cs_source *src = NULL;
	if (cs_yaml_load(path, shown, &doc, &src, NULL) != CS_OK)
		return;                  /* has been reported */
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(state_dir);
	size_t i;
	json_t *name;
	json_array_foreach(json_object_get(json_object_get(doc, "use"), "secrets"), i, name) {
		CS_AUTOFREE char *pointer = cs_xasprintf("/use/secrets/%zu", i);
		look_for(v, json_string_value(name), src, shown, pointer, d);
	}
	if (json_object_get(doc, "connector"))
		look_for(v, cs_json_str(json_object_get(doc, "auth"), "use"), src, shown, "/auth/use", d);
}

void cs_cli_check_all_secrets(const cs_cli *c, cs_diags *d)
{
	static const char *const folders[] = { "flows", "connectors" };
	for (size_t i = 0; i < CS_ARRAY_LEN(folders); i++) {
		CS_AUTOFREE char *folder = cs_path_join(c->dir, folders[i]);
		CS_CLEANUP(cs_strv_freep) char **names = NULL;
		if (cs_dir_list(folder, ".yaml", &names, NULL) < 0)
			continue;
		for (char **n = names; *n; n++) {
			CS_AUTOFREE char *path = cs_path_join(folder, *n);
			CS_AUTOFREE char *shown = cs_path_join(folders[i], *n);
			cs_cli_check_secrets(c->state_dir, path, shown, d);
		}
	}
}
