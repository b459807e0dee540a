/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan vault: the workspace's secrets. Values go in by stdin or the terminal, and never come out. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "cli/cli_priv.h"
#include "vault/vault.h"

const cs_cli_flag cs_cli_flags_vault[] = {
	{ "--passphrase-fd", "N", N_("read the passphrase from descriptor N instead of the terminal") },
	{ "--key-file", "FILE", N_("init: opened by a file of random bytes, made here, instead of a passphrase") },
	{ NULL, NULL, NULL },
};

/* One verb under way. */
typedef struct work {
	cs_cli *c;
	const cs_cli_args *a;
	cs_vault *v;
	const char *name;            /* of the secret, or NULL */
} work;

static void say(const work *w, json_t *value, const char *text)
{
	CS_AUTOJSON json_t *mine = value;
	if (w->c->json)
		cs_cli_print_json(mine);
	else
		puts(text);
}

/* The vault open in this process. */
static int open_vault(const work *w, cs_err *err)
{
	CS_AUTOSECRET char *passphrase = NULL;
	int r = cs_vault_look(w->v, err);
	if (r < 0)
		return r;
	CS_AUTOFREE char *key_file = cs_vault_key_file(w->v);
	if (key_file)
		return cs_vault_unlock_with_file(w->v, err);
	r = cs_cli_passphrase(w->a, false, &passphrase, err);
	return r < 0 ? r : cs_vault_unlock(w->v, passphrase, strlen(passphrase), err);
}

/* ---- init ---- */

/* Beside the flows it would go wherever they go: into a repository, to a colleague. */
static int key_path(const work *w, const char *said, char **ret, cs_err *err)
{
	char here[PATH_MAX];
	size_t n = strlen(w->c->dir);
	if (said[0] != '/' && !getcwd(here, sizeof here))
		return cs_err_set(err, CS_EINVAL, _("the folder that this was said in is gone; name the key file by its whole path"));
	CS_AUTOFREE char *path = said[0] == '/' ? cs_xstrdup(said) : cs_path_join(here, said);
	if (strncmp(path, w->c->dir, n) == 0 && path[n] == '/')
		return cs_err_set(err, CS_EREFUSED, _("%s lies in the workspace, and would go wherever that goes; choose a place outside of it"), path);
	*ret = CS_STEAL(path);
	return CS_OK;
}

static int init(const work *w, cs_err *err)
{
	const char *said = cs_cli_arg(w->a, "--key-file");
	CS_AUTOSECRET char *passphrase = NULL;
	CS_AUTOFREE char *path = NULL;
	int r = cs_vault_look(w->v, err);
	if (r != CS_ENOTFOUND)
		return r < 0 ? r : cs_err_set(err, CS_EREFUSED, _("there is a vault already; what is in it would be lost. To begin anew, move %s/%s away first"),
					      w->c->state_dir, CS_VAULT_FILE);
	r = cs_mkdir_p(w->c->state_dir, 0700, err);
	if (r == CS_OK)
		r = said ? key_path(w, said, &path, err) : cs_cli_passphrase(w->a, true, &passphrase, err);
	if (r == CS_OK)
		r = said ? cs_vault_create_with_file(w->v, path, err) : cs_vault_create(w->v, passphrase, strlen(passphrase), err);
	if (r == CS_OK)
		say(w, json_pack("{s:b}", "vault", 1), said ? _("the vault is made; keep a copy of the key file where the workspace is not")
			: _("the vault is made; without its passphrase nobody gets in, and nobody can give you another"));
	return r;
}

/* ---- set, rm, list ---- */

static int set(const work *w, cs_err *err)
{
	CS_AUTOSECRET char *value = NULL;
	const char *fd = cs_cli_arg(w->a, "--passphrase-fd");
	if (!cs_vault_name_ok(w->name))
		return cs_err_set(err, CS_EINVAL, _("a secret's name is of letters, digits, - and _, at most 63; '%.80s' is not"), w->name);
	if (fd && strcmp(fd, "0") == 0)
		return cs_err_set(err, CS_EINVAL, _("the secret comes from stdin; give the passphrase by another descriptor"));
	int r = open_vault(w, err);
	CS_AUTOFREE char *prompt = cs_xasprintf(_("Value of %s: "), w->name);
	if (r == CS_OK)
		r = isatty(STDIN_FILENO) ? cs_cli_ask_secret(prompt, &value, err) : cs_cli_read_secret(STDIN_FILENO, &value, err);
	if (r == CS_OK)
		r = cs_vault_set(w->v, w->name, value, strlen(value), cs_clock_wall_ms(), err);
	if (r == CS_OK)
		say(w, json_pack("{s:s}", "set", w->name), _("set"));
	return r;
}

static int rm(const work *w, cs_err *err)
{
	int r = cs_vault_has(w->v, w->name, err);
	if (r == CS_OK)
		r = open_vault(w, err);
	if (r == CS_OK)
		r = cs_vault_remove(w->v, w->name, err);
	if (r == CS_OK)
		say(w, json_pack("{s:s}", "removed", w->name), _("removed"));
	return r;
}

/* Connectors and flows that name the secret. */
static json_t *users_of(const cs_workspace *ws, const char *name)
{
	json_t *users = json_array(), *doc;
	const char *connector;
	json_object_foreach(ws->connectors, connector, doc)
		if (strcmp(cs_json_str_or(json_object_get(doc, "auth"), "use", ""), name) == 0)
			json_array_append_new(users, json_sprintf("connectors/%s", connector));
	for (size_t i = 0; i < ws->n_flows; i++)
		if (cs_json_lists(json_object_get(json_object_get(ws->flows[i]->def, "use"), "secrets"), name))
			json_array_append_new(users, json_sprintf("flows/%s", ws->flows[i]->name));
	return users;
}

static void print_secret(const work *w, const char *name, const char *at, const json_t *users)
{
	size_t i;
	json_t *one;
	cs_cli_print_cell(stdout, name, 24);
	fputs(at, stdout);
	json_array_foreach((json_t *)(uintptr_t)users, i, one)
		printf("%s%s", i ? ", " : "  ", cs_cli_show(w->c, json_string_value(one)));
	putchar('\n');
}

static int list(const work *w, cs_err *err)
{
	CS_AUTOJSON json_t *all = NULL;
	size_t i;
	json_t *one;
	int r = cs_vault_list(w->v, &all, err);
	if (r < 0)
		return r;
	(void)cs_cli_load(w->c, NULL);       /* broken files: who uses what is then not known */
	json_array_foreach(all, i, one) {
		char at[CS_TIME_SIZE];
		const char *name = cs_json_str_or(one, "name", "");
		cs_time_format(cs_json_int_or(one, "set", 0), at);
		CS_AUTOJSON json_t *users = w->c->ws ? users_of(w->c->ws, name) : json_array();
		if (!w->c->json) {
			print_secret(w, name, at, users);
			continue;
		}
		CS_AUTOJSON json_t *line = json_pack("{s:s, s:s, s:O}", "name", name, "set", at, "used_by", users);
		cs_cli_print_json(line);
	}
	if (!w->c->json && json_array_size(all) == 0)
		puts(_("the vault is empty; put a secret in: capstan vault set NAME"));
	return CS_OK;
}

/* ---- unlock, lock ---- */

/* To the engine that runs: the vault is open in its memory, and nowhere else. */
static int tell(const work *w, json_t *request, const char *said, cs_err *err)
{
	CS_AUTOJSON json_t *mine = request;
	CS_AUTOJSON json_t *ok = NULL;
	if (cs_client_open(w->c->dir, CS_CLIENT_ATTACH, w->c->opts->engine, NULL, NULL, &w->c->client, err) < 0)
		return cs_err_set(err, CS_EUNAVAIL, _("no engine runs in this workspace, and the vault is open only in the memory of one; start `capstan serve`, then say this again"));
	(void)cs_cli_load(w->c, NULL);       /* who acts */
	int r = cs_cli_call(w->c, CS_STEAL(mine), &ok, err);
	if (r == CS_OK)
		say(w, CS_STEAL(ok), said);
	return r;
}

static int unlock(const work *w, cs_err *err)
{
	uint8_t key[CS_VAULT_KEY];
	char hex[2 * CS_VAULT_KEY + 1];
	int r = cs_vault_look(w->v, err);
	if (r < 0)
		return r;
	CS_AUTOFREE char *key_file = cs_vault_key_file(w->v);
	if (key_file)
		return tell(w, json_pack("{s:s}", "cmd", "unlock"), _("unlocked"), err);
	r = open_vault(w, err);
	if (r == CS_OK)
		r = cs_vault_key(w->v, key, err);
	if (r == CS_OK) {
		cs_hex(key, sizeof key, hex);
		r = tell(w, json_pack("{s:s, s:s}", "cmd", "unlock", "key", hex), _("unlocked: until `capstan vault lock`, or until the engine ends"), err);
	}
	explicit_bzero(key, sizeof key);
	explicit_bzero(hex, sizeof hex);
	return r;
}

static int lock(const work *w, cs_err *err)
{
	int r = cs_vault_look(w->v, err);
	return r < 0 ? r : tell(w, json_pack("{s:s}", "cmd", "lock"), _("locked: what needs a secret waits"), err);
}

static const struct {
	const char *name;
	bool named;                  /* takes a NAME */
	int (*act)(const work *w, cs_err *err);
} verbs[] = {
	{ "init", false, init }, { "set", true, set }, { "list", false, list }, { "rm", true, rm }, { "unlock", false, unlock },
	{ "lock", false, lock },
};

static int usage(cs_cli *c, const cs_cli_args *a, cs_err *err)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, a->words[0]) == 0)
			(void)cs_err_set(err, CS_EINVAL, verbs[i].named ? _("vault %s takes the name of one secret; its value comes by stdin or the terminal")
					 : _("vault %s takes no name"), a->words[0]);
	if (err->code == CS_OK)
		(void)cs_err_set(err, CS_EINVAL, _("'%.40s' is none of init, set, list, rm, unlock, lock; see `capstan help vault`"), a->words[0]);
	(void)cs_cli_fail(c, "vault", err);
	return CS_EXIT_USAGE;
}

int cs_cmd_vault(cs_cli *c, const cs_cli_args *a)
{
	cs_err err = { 0 };
	size_t i = 0;
	while (i < CS_ARRAY_LEN(verbs) && strcmp(verbs[i].name, a->words[0]) != 0)
		i++;
	if (i == CS_ARRAY_LEN(verbs) || a->n_words != (verbs[i].named ? 2U : 1U))
		return usage(c, a, &err);
	int r = cs_cli_dir(c, &err);
	if (r < 0)
		return cs_cli_fail(c, "vault", &err);
	cs_vault_harden();
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(c->state_dir);
	const work w = { .c = c, .a = a, .v = v, .name = verbs[i].named ? a->words[1] : NULL };
	r = verbs[i].act(&w, &err);
	return r < 0 ? cs_cli_fail(c, w.name ? w.name : "vault", &err) : CS_EXIT_DONE;
}
