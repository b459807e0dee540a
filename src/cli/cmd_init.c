/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan init: a new workspace. Nothing that is there is overwritten. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"

#define KEY_LEN 32
#define FILE_MAX_BYTES ((size_t)16 << 20)
#define DEPTH_MAX 8

const cs_cli_flag cs_cli_flags_init[] = {
	{ "--from", "agency|empty", N_("what to begin with (empty)") },
	{ NULL, NULL, NULL },
};

static const char settings[] =
	"workspace: %s\n"
	"mode: simulate                 # live: a wish; true once `capstan live` was said on a machine\n"
	"operator: { name: owner, timezone: UTC }\n"
	"approvals: { grace: PT30S }\n";
static const char hello[] =
	"document: { dsl: '1.0.3', namespace: start, name: hello, version: '1.0.0' }\n"
	"do:\n"
	"  - greet: { call: greeter, with: { name: '${ $start.name // \"world\" }' } }\n";
static const char greeter[] =
	"agent: greeter\n"
	"version: 1.0.0\n"
	"purpose: Greets who is named.\n"
	"kind: rules\n"
	"input: { type: object, required: [ name ], properties: { name: { type: string } } }\n"
	"rules: [ { give: { greeting: Hello! } } ]\n";
static const char greeter_fixture[] =
	"function: greeter\n"
	"answers:\n"
	"  - when: { name: { matches: '^world$' } }\n"
	"    give: { greeting: 'Hello, world!' }\n"
	"  - give: { greeting: 'Hello, you!' }\n";
static const char send[] =
	"# A gate: what leaves is asked first. Try `capstan run letter`, then `capstan inbox`.\n"
	"document: { dsl: '1.0.3', namespace: start, name: letter, version: '1.0.0' }\n"
	"do:\n"
	"  - write: { set: { text: 'Dear reader, this is a first letter.' } }\n"
	"  - check: { call: approve, with: { title: Send the letter?, show: '${ $tasks.write.text }', allow: [ accept, edit, reject ] } }\n";
static const char ignored[] = ".capstan/\n";

static const struct { const char *path, *text; } files[] = {
	{ "flows/hello.yaml", hello }, { "flows/letter.yaml", send }, { "agents/greeter.yaml", greeter },
	{ "fixtures/greeter.yaml", greeter_fixture }, { ".gitignore", ignored },
};

/* Writes a file that is not there yet; one that is stays as it is. */
static int write_new(const char *path, const void *p, size_t n, mode_t mode, cs_err *err)
{
	struct stat st;
	return lstat(path, &st) == 0 ? CS_OK : cs_file_write(path, p, n, mode, err);
}

static int write_in(const char *dir, const char *name, const char *text, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOFREE char *folder = cs_xstrdup(path);
	*strrchr(folder, '/') = '\0';
	int r = cs_mkdir_p(folder, 0755, err);
	return r < 0 ? r : write_new(path, text, strlen(text), 0644, err);
}

/* A name that is plain in YAML, from the folder's. */
static char *workspace_name(const char *dir)
{
	CS_AUTOFREE char *real = realpath(dir, NULL);
	const char *base = real ? strrchr(real, '/') : NULL;
	char *name = cs_xstrdup(base && base[1] ? base + 1 : "workspace");
	for (char *p = name; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *p))
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : '-';
	if (name[0] < 'a' || name[0] > 'z')      /* a number or a dash would be read as something else */
		name[0] = 'w';
	return name;
}

static int write_empty(const char *dir, cs_err *err)
{
	CS_AUTOFREE char *name = workspace_name(dir);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 4096);
	int r = cs_buf_addf(&text, settings, name);
	for (size_t i = 0; r == CS_OK && i < CS_ARRAY_LEN(files); i++)
		r = write_in(dir, files[i].path, files[i].text, err);
	/* Last: the folder is a workspace once it is all there. */
	return r < 0 ? r : write_in(dir, "capstan.yaml", cs_buf_str(&text), err);
}

/* ---- copying a workspace that is shipped ------------------------------------------------------- */

static int copy_tree(const char *from, const char *to, int depth, cs_err *err);

static int copy_file(const char *from, const char *to, mode_t mode, cs_err *err)
{
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, FILE_MAX_BYTES);
	int r = cs_file_read(from, &bytes, err);
	return r < 0 ? r : write_new(to, cs_buf_str(&bytes), bytes.len, mode & 0777, err);
}

static int copy_entry(const char *from, const char *to, int depth, cs_err *err)
{
	struct stat st;
	if (lstat(from, &st) < 0)
		return cs_err_sys(err, errno, _("cannot examine %s"), from);
	if (S_ISDIR(st.st_mode))
		return copy_tree(from, to, depth + 1, err);
	return S_ISREG(st.st_mode) ? copy_file(from, to, st.st_mode | 0600, err) : CS_OK;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int copy_tree(const char *from, const char *to, int depth, cs_err *err)
{
	CS_CLEANUP(close_dir) DIR *d = opendir(from);
	if (!d)
		return cs_err_sys(err, errno, _("cannot read %s"), from);
	int r = depth > DEPTH_MAX ? cs_err_set(err, CS_ETOOBIG, _("%s lies too deep"), from) : cs_mkdir_p(to, 0755, err);
	for (struct dirent *e; r == CS_OK && (e = readdir(d)); ) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, CS_STATE_DIR) == 0)
			continue;
		CS_AUTOFREE char *one = cs_path_join(from, e->d_name);
		CS_AUTOFREE char *copy = cs_path_join(to, e->d_name);
		r = copy_entry(one, copy, depth, err);
	}
	return r;
}

/* The source tree's workflows, for a program that runs where it was built; NULL: it does not. */
static char *beside_build(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(exe, '/');
		if (!slash)
			return NULL;
		*slash = '\0';
	}
	return cs_path_join(exe, "workflows");
}

static bool holds_agency(const char *base, char **ret)
{
	if (!base)
		return false;
	CS_AUTOFREE char *from = cs_path_join(base, "agency");
	CS_AUTOFREE char *mark = cs_path_join(from, "capstan.yaml");
	if (cs_file_exists(mark))
		*ret = CS_STEAL(from);
	return *ret != NULL;
}

static int copy_agency(const char *dir, cs_err *err)
{
	CS_AUTOFREE char *from = NULL;
	CS_AUTOFREE char *built = beside_build();
	const char *said = getenv("CAPSTAN_WORKFLOWS");
	if (said ? !holds_agency(said, &from)
		 : !holds_agency(CS_PKGDATADIR "/workflows", &from) && !holds_agency(built, &from))
		return cs_err_set(err, CS_ENOTFOUND, _("the agency is not installed in %s; set CAPSTAN_WORKFLOWS to the folder that "
						       "holds it, or use --from empty"), said ? said : CS_PKGDATADIR "/workflows");
	return copy_tree(from, dir, 0, err);
}

/* ---- the state --------------------------------------------------------------------------------- */

static int make_state(const char *dir, cs_err *err)
{
	CS_AUTOFREE char *state = cs_path_join(dir, CS_STATE_DIR);
	CS_AUTOFREE char *key = cs_path_join(state, "key");
	unsigned char bytes[KEY_LEN];
	if (mkdir(state, 0700) < 0 && errno != EEXIST)
		return cs_err_sys(err, errno, _("cannot make %s"), state);
	cs_random_bytes(bytes, sizeof bytes);
	int r = write_new(key, bytes, sizeof bytes, 0600, err);
	return r == CS_OK ? cs_store_publish_key(state, err) : r;
}

static int refuse_existing(const char *dir, cs_err *err)
{
	CS_AUTOFREE char *mark = cs_path_join(dir, "capstan.yaml");
	struct stat st;
	if (lstat(mark, &st) == 0)
		return cs_err_set(err, CS_EREFUSED, _("there is a workspace already; look at it with `capstan -C %s check`"), dir);
	return CS_OK;
}

static int make(const char *dir, const char *from, cs_err *err)
{
	int r = refuse_existing(dir, err);
	if (r == CS_OK)
		r = cs_mkdir_p(dir, 0755, err);
	if (r == CS_OK)
		r = strcmp(from, "agency") == 0 ? copy_agency(dir, err) : write_empty(dir, err);
	return r < 0 ? r : make_state(dir, err);
}

int cs_cmd_init(cs_cli *c, const cs_cli_args *a)
{
	const char *dir = a->words[0], *from = cs_cli_arg(a, "--from") ? cs_cli_arg(a, "--from") : "empty";
	cs_err err = { 0 };
	int r = CS_OK;
	if (strcmp(from, "agency") != 0 && strcmp(from, "empty") != 0)
		r = cs_err_set(&err, CS_EINVAL, _("--from %s: agency and empty are known"), from);
	if (r == CS_OK)
		r = make(dir, from, &err);
	if (r < 0)
		return cs_cli_fail(c, dir, &err);
	if (c->json) {
		CS_AUTOJSON json_t *v = json_pack("{s:s}", "workspace", dir);
		cs_cli_print_json(v);
		return CS_EXIT_DONE;
	}
	const char *shown = cs_cli_show(c, dir);
	bool agency = strcmp(from, "agency") == 0;
	printf(_("%s is a workspace. Next: capstan -C %s %s\n"), shown, shown, agency ? "check" : "run hello");
	return CS_EXIT_DONE;
}
