/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan new: a file to begin with, checked before it is kept. Nothing is overwritten. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"
#include "cli/new_files.h"

enum { NAME_MAX_LEN = 63, FILE_TEXT_MAX = 64 * 1024, ANSWER_MAX = 1024 };

const cs_cli_flag cs_cli_flags_new[] = {
	{ "--preset", "NAME", N_("flow: steps; agent: rules, shell; connector: http, mail, billing, calendar") },
	{ "--purpose", "TEXT", N_("what it is for, in a sentence") },
	{ "--url", "URL", N_("connector: where it is") },
	{ NULL, NULL, NULL },
};

static const cs_new_file *find_file(const char *kind, const char *preset)
{
	for (const cs_new_file *f = cs_new_files; f->kind; f++)
		if (strcmp(f->kind, kind) == 0 && (!preset || strcmp(f->preset, preset) == 0))
			return f;
	return NULL;
}

static void presets(const char *kind, cs_buf *out)
{
	for (const cs_new_file *f = cs_new_files; f->kind; f++)
		if (strcmp(f->kind, kind) == 0)
			cs_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", f->preset);
}

/* The option, else on a terminal what is answered (an empty line takes DEF), else DEF. malloc'ed. */
static char *answer(const char *option, const char *question, const char *def)
{
	if (option || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cs_xstrdup(option ? option : def);
	char line[ANSWER_MAX];
	printf("%s [%s]: ", question, def);
	(void)fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return cs_xstrdup(def);
	line[strcspn(line, "\r\n")] = '\0';
	return cs_xstrdup(line[0] ? line : def);
}

static bool name_fits(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= NAME_MAX_LEN && name[0] >= 'a' && name[0] <= 'z' && name[len - 1] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* As one value of YAML, whatever is in it. */
static char *quoted(const char *text)
{
	CS_AUTOJSON json_t *v = json_string(text);
	return v ? cs_json_text(v) : NULL;
}

static char *host_of(const char *url)
{
	const char *p = strstr(url, "://");
	p = p ? p + 3 : url;
	const char *end = p + strcspn(p, "/:?#"), *at = memchr(p, '@', (size_t)(end - p));
	return at ? cs_xstrndup(at + 1, (size_t)(end - at - 1)) : cs_xstrndup(p, (size_t)(end - p));
}

static int fill(const char *text, const char *const (*words)[2], cs_buf *out)
{
	while (*text) {
		size_t i = 0;
		while (words[i][0] && strncmp(text, words[i][0], strlen(words[i][0])) != 0)
			i++;
		if (words[i][0]) {
			cs_buf_adds(out, words[i][1]);
			text += strlen(words[i][0]);
		} else {
			cs_buf_addc(out, *text++);
		}
	}
	return out->failed;
}

static int write_checked(cs_cli *c, const cs_new_file *f, const char *name, const cs_buf *text, cs_err *err)
{
	CS_AUTOFREE char *folder = cs_path_join(c->dir, f->folder);
	CS_AUTOFREE char *path = cs_xasprintf("%s/%s.yaml", folder, name);
	struct stat st;
	if (lstat(path, &st) == 0)
		return cs_err_set(err, CS_EREFUSED, _("%s/%s.yaml is there already; nothing was written"), f->folder, name);
	cs_diags d;
	cs_diags_init(&d);
	int r = cs_mkdir_p(folder, 0755, err);
	if (r == CS_OK)
		r = cs_file_write(path, text->data, text->len, 0644, err);
	if (r == CS_OK && (r = cs_workspace_check_file(c->ws, path, &d, NULL, err)) < 0) {
		cs_cli_print_findings(NULL, &d, stderr);
		(void)unlink(path);
		cs_err_set(err, CS_EREFUSED, _("with these answers the file has findings; it was not kept"));
	}
	cs_diags_fini(&d);
	if (r == CS_OK)
		printf("%s/%s.yaml\n", f->folder, name);
	return r;
}

static int make(cs_cli *c, const cs_cli_args *a, const cs_new_file *f, const char *name, cs_err *err)
{
	CS_AUTOFREE char *purpose = answer(cs_cli_arg(a, "--purpose"), _("What is it for, in a sentence?"), _("Say here what it is for."));
	CS_AUTOFREE char *url = strcmp(f->kind, "connector") != 0 ? cs_xstrdup("")
			      : answer(cs_cli_arg(a, "--url"), _("Where is it?"), "https://api.example.com");
	CS_AUTOFREE char *host = host_of(url);
	CS_AUTOFREE char *purpose_text = quoted(purpose);
	CS_AUTOFREE char *url_text = quoted(url);
	CS_AUTOFREE char *host_text = quoted(host);
	if (!purpose_text || !url_text || !host_text)
		return cs_err_set(err, CS_EINVAL, _("an answer is not UTF-8 text"));
	const char *const words[][2] = {
		{ "@NAME@", name }, { "@WORKSPACE@", c->name ? c->name : "workspace" }, { "@TEXT@", purpose_text },
		{ "@URL@", url_text }, { "@HOST@", host_text }, { NULL, NULL },
	};
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, FILE_TEXT_MAX);
	if (fill(f->text, words, &text) < 0)
		return cs_err_set(err, CS_ETOOBIG, _("the answers are too long"));
	return write_checked(c, f, name, &text, err);
}

static int choose(const cs_cli_args *a, const cs_new_file **ret, cs_err *err)
{
	const char *kind = a->words[0];
	const cs_new_file *first = find_file(kind, NULL);
	if (!first)
		return cs_err_set(err, CS_EINVAL, _("%s cannot be made; write flow, agent or connector"), kind);
	CS_AUTOBUF cs_buf list;
	cs_buf_init(&list, ANSWER_MAX);
	presets(kind, &list);
	CS_AUTOFREE char *question = cs_xasprintf(_("Begin with which of %s?"), cs_buf_str(&list));
	bool several = strchr(cs_buf_str(&list), ',') != NULL;
	CS_AUTOFREE char *preset = several ? answer(cs_cli_arg(a, "--preset"), question, first->preset)
					   : cs_xstrdup(cs_cli_arg(a, "--preset"));
	*ret = find_file(kind, preset);
	return *ret ? CS_OK : cs_err_set(err, CS_EINVAL, _("there is no preset %s for it; there are: %s"), preset, cs_buf_str(&list));
}

int cs_cmd_new(cs_cli *c, const cs_cli_args *a)
{
	cs_err err = { 0 };
	const cs_new_file *f = NULL;
	const char *name = a->words[1];
	int r = cs_cli_dir(c, &err);
	if (r == CS_OK && !name_fits(name))
		r = cs_err_set(&err, CS_EINVAL, _("a name has at most %d of a-z, 0-9 and -, begins with a letter and does not end with -"), NAME_MAX_LEN);
	if (r == CS_OK)
		r = choose(a, &f, &err);
	if (r == CS_OK)
		r = cs_cli_load(c, &err);
	bool taken = r == CS_OK && (strcmp(f->kind, "flow") == 0 ? cs_workspace_flow(c->ws, name) != NULL
				    : cs_workspace_function(c->ws, name) != NULL || json_object_get(c->ws->connectors, name) != NULL);
	if (taken)
		r = cs_err_set(&err, CS_EREFUSED, _("the name is taken in this workspace; nothing was written"));
	if (r == CS_OK)
		r = make(c, a, f, name, &err);
	return r < 0 ? cs_cli_fail(c, name, &err) : CS_EXIT_DONE;
}
