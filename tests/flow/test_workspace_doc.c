/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doc/workspace.md has every key that the loaders take, with its type and whether it must be there, and
 * no other key; its examples are one workspace in order. The loaders are asked themselves: a key that
 * nobody knows is put into each mapping of the examples, and what the check says that may stand there is
 * what the document must have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ftw.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/workspace.h"
#include "flow/yaml.h"
#include "tests/data.h"

#define UNHEARD "unheard-of-key"
#define MAY_HAVE "; it may have: "

static char dir[64];
static json_t *examples;        /* "agents/x.yaml": its text */
static json_t *sections;        /* "rules[] of policies/NAME.yaml": {key: {type, default}} */
static json_t *refused;         /* where: [key] */
static json_t *visited;         /* {section: {key}}: what the loaders told */
static json_t *wanted;          /* {section}: what they have keys for */

/* ---- the document ----------------------------------------------------------------------------- */

static void add_text(json_t *texts, const char *name, const char *line)
{
	char *whole CS_AUTOFREE = cs_xasprintf("%s%s\n", cs_json_str_or(texts, name, ""), line);
	json_object_set_new(texts, name, json_string(whole));
}

/* "### `rules[].when` of policies/NAME.yaml" without its quotes. */
static char *plain(const char *text)
{
	char *out = cs_xstrdup(text), *to = out;
	for (; *text; text++)
		if (*text != '`')
			*to++ = *text;
	*to = '\0';
	return out;
}

/* Cell N of a row of a table, malloc'ed. */
static char *cell(const char *row, int n)
{
	const char *p = row;
	for (int i = 0; i <= n && p; i++)
		p = strchr(p + (i > 0), '|');
	const char *end = p ? strchr(p + 1, '|') : NULL;
	if (!end)
		fail_msg("a row has no cell %d: %s", n, row);
	p += 1 + strspn(p + 1, " ");
	while (end > p && end[-1] == ' ')
		end--;
	return cs_xstrndup(p, (size_t)(end - p));
}

static void read_row(const char *section, const char *line)
{
	char *key CS_AUTOFREE = cell(line, 0), *type CS_AUTOFREE = cell(line, 1), *word CS_AUTOFREE = cell(line, 2);
	char *name CS_AUTOFREE = plain(key);
	json_t *keys = json_object_get(sections, section);
	if (!keys) {
		keys = json_object();
		json_object_set_new(sections, section, keys);
	}
	if (json_object_get(keys, name))
		fail_msg("%s has '%s' twice", section, name);
	json_object_set_new(keys, name, json_pack("{s:s, s:b}", "type", type, "required", strcmp(word, "required") == 0));
}

static void read_refused(const char *line)
{
	char *where CS_AUTOFREE = cell(line, 0), *keys CS_AUTOFREE = cell(line, 1);
	char *name CS_AUTOFREE = plain(where), *list CS_AUTOFREE = plain(keys), *rest = NULL;
	json_t *all = json_array();
	for (char *word = strtok_r(list, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
		json_array_append_new(all, json_string(word));
	json_object_set_new(refused, name, all);
}

/* In an example, or out of it: its first line names its file. */
static bool read_example(const char *line, bool *in, char **name)
{
	if (!*in && strcmp(line, "```yaml") != 0)
		return false;
	if (strncmp(line, "```", 3) == 0) {
		*in = !*in;
		free(*name);
		*name = NULL;
	} else if (!*name) {
		assert_true(strncmp(line, "# ", 2) == 0);
		*name = cs_xstrdup(line + 2);
	} else {
		add_text(examples, *name, line);
	}
	return true;
}

static void read_document(char *text)
{
	char *section CS_AUTOFREE = NULL, *name CS_AUTOFREE = NULL, *rest = NULL;
	bool in = false;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (read_example(line, &in, &name))
			continue;
		bool heading = strncmp(line, "## ", 3) == 0 || strncmp(line, "### ", 4) == 0;
		if (heading) {
			free(section);
			section = plain(strchr(line, ' ') + 1);
		} else if (section && strcmp(section, "Known and refused") == 0) {
			if (strncmp(line, "| `", 3) == 0 || strstr(line, ".yaml |") || strstr(line, ".yaml` |"))
				read_refused(line);
		} else if (section && strncmp(line, "| `", 3) == 0) {
			read_row(section, line);
		}
	}
}

static void write_file(const char *name, const char *text)
{
	char *path CS_AUTOFREE = cs_path_join(dir, name);
	char *folder CS_AUTOFREE = cs_xstrdup(path);
	cs_err err = { 0 };
	*strrchr(folder, '/') = '\0';
	assert_int_equal(cs_mkdir_p(folder, 0700, &err), CS_OK);
	FILE *f = fopen(path, "w");          /* nothing of it need last, and there are many */
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	const char *src = getenv("CS_TEST_SRCDIR"), *name;
	char *path CS_AUTOFREE = cs_xasprintf("%s/doc/workspace.md", src ? src : "..");
	cs_buf text CS_AUTOBUF;
	cs_err err = { 0 };
	json_t *example;
	cs_buf_init(&text, 1 << 20);
	snprintf(dir, sizeof dir, "/tmp/cs-workspace-doc-XXXXXX");
	if (!mkdtemp(dir) || cs_file_read(path, &text, &err) < 0)
		return -1;
	examples = json_object();
	sections = json_object();
	refused = json_object();
	visited = json_object();
	wanted = json_object();
	char *copy CS_AUTOFREE = cs_xstrdup(cs_buf_str(&text));
	read_document(copy);
	json_object_foreach(examples, name, example)
		write_file(name, json_string_value(example));
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	json_decref(examples);
	json_decref(sections);
	json_decref(refused);
	json_decref(visited);
	json_decref(wanted);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- asking the loaders ----------------------------------------------------------------------- */

/* What check says of DOC, a line each; malloc'ed. */
static char *check(const json_t *doc)
{
	char *text CS_AUTOFREE = json_dumps(doc, 0), *path CS_AUTOFREE = cs_path_join(dir, "probe.yaml");
	cs_diags d;
	cs_err err = { 0 };
	cs_buf said;
	write_file("probe.yaml", text);
	cs_diags_init(&d);
	cs_buf_init(&said, 1 << 20);
	(void)cs_workspace_check_file(NULL, path, &d, NULL, &err);
	assert_int_equal(cs_diags_write(&d, &said), 0);
	cs_diags_fini(&d);
	return cs_buf_steal(&said);
}

/* A mapping within an example. AT is within DOC, borrowed. */
typedef struct place {
	json_t *doc, *at;
	const char *path;       /* "rules[].when"; "": the whole */
	const char *file;       /* "policies/NAME.yaml" */
} place;

/* What check says of P's document while KEY of P's mapping is V (NULL: not there). */
static char *check_with(const place *p, const char *key, json_t *v)
{
	json_t *before = json_incref(json_object_get(p->at, key));
	if (v)
		json_object_set_new(p->at, key, v);
	else
		json_object_del(p->at, key);
	char *said = check(p->doc);
	if (before)
		json_object_set_new(p->at, key, before);
	else
		json_object_del(p->at, key);
	return said;
}

/* The text between BEGIN and END in SAID, malloc'ed; NULL: it is not there. */
static char *between(const char *said, const char *begin, const char *end)
{
	const char *p = strstr(said, begin), *q = p ? strstr(p + strlen(begin), end) : NULL;
	return q ? cs_xstrndup(p + strlen(begin), (size_t)(q - p) - strlen(begin)) : NULL;
}

/* The section of P; the duration's, where it is one. */
static char *section_of(const place *p, const char *said)
{
	if (strstr(said, "unknown key '" UNHEARD "' in a duration;"))
		return cs_xstrdup("Durations");
	if (!*p->path)
		return cs_xstrdup(p->file);
	return strcmp(p->file, "capstan.yaml") == 0 ? cs_xstrdup(p->path) : cs_xasprintf("%s of %s", p->path, p->file);
}

/* "mapping or text" of "a mapping or a text". */
static char *type_of(const place *p, const char *key)
{
	char *begin CS_AUTOFREE = cs_xasprintf("'%s' must be ", key), *said CS_AUTOFREE = check_with(p, key, json_null());
	char *words CS_AUTOFREE = between(said, begin, ", not null"), *rest = NULL;
	cs_buf out;
	cs_buf_init(&out, 4096);
	for (char *w = words ? strtok_r(words, " ", &rest) : NULL; w; w = strtok_r(NULL, " ", &rest))
		if (strcmp(w, "a") != 0)
			(void)cs_buf_addf(&out, "%s%s", out.len ? " " : "", w);
	if (!words)
		(void)cs_buf_adds(&out, "anything");
	return cs_buf_steal(&out);
}

/* Is it an error of the table of keys when KEY is not there? An agent's kind asks for its own key. */
static bool is_required(const place *p, const char *key)
{
	char *needs CS_AUTOFREE = cs_xasprintf(" needs '%s'\n", key), *said CS_AUTOFREE = check_with(p, key, NULL);
	bool by_kind = strstr(said, "an agent of kind '") != NULL;
	return (strstr(said, needs) && !by_kind) || strstr(said, "this is no file of a workspace");
}

/* Where KEY's value may be a mapping with keys of its own, these must be looked at somewhere. */
static void look_inside(const place *p, const char *key)
{
	static const char *const below[] = { "", "[]", ".NAME" };
	json_t *tries[] = { json_pack("{s:i}", UNHEARD, 1), json_pack("[{s:i}]", UNHEARD, 1), json_pack("{s:{s:i}}", "a", UNHEARD, 1) };
	for (size_t i = 0; i < CS_ARRAY_LEN(tries); i++) {
		char *path CS_AUTOFREE = cs_xasprintf("%s%s%s%s", p->path, *p->path ? "." : "", key, below[i]);
		const place inner = { .path = path, .file = p->file };
		char *said CS_AUTOFREE = check_with(p, key, tries[i]);
		char *section CS_AUTOFREE = section_of(&inner, said);
		if (strstr(said, "unknown key '" UNHEARD "'"))
			json_object_set_new(wanted, section, json_true());
	}
}

static void hold_key(const place *p, const char *section, const char *key)
{
	const json_t *row = json_object_get(json_object_get(sections, section), key);
	char *type CS_AUTOFREE = type_of(p, key);
	if (!row)
		fail_msg("%s: the document lacks '%s' (%s)", section, key, type);
	if (strcmp(cs_json_str(row, "type"), type) != 0)
		fail_msg("%s: '%s' is %s, not %s", section, key, type, cs_json_str(row, "type"));
	bool needed = json_object_get(p->at, key) && is_required(p, key);
	if (json_object_get(p->at, key) && needed != cs_json_true(row, "required"))
		fail_msg("%s: '%s' is %s", section, key, needed ? "required" : "not required");
	look_inside(p, key);
}

static void hold_refused(const place *p, const char *section)
{
	size_t i;
	const json_t *key;
	json_array_foreach(json_object_get(refused, section), i, key) {
		const char *name = json_string_value(key);
		char *want CS_AUTOFREE = cs_xasprintf("'%s' in ", name), *said CS_AUTOFREE = check_with(p, name, json_integer(1));
		if (!strstr(said, want) || !strstr(said, "is known, but this version does not obey it yet"))
			fail_msg("%s: '%s' is not refused by name: %s", section, name, said);
	}
}

/* The keys that the loader takes at P, if it has a table for it. */
static bool hold_table(const place *p)
{
	char *said CS_AUTOFREE = check_with(p, UNHEARD, json_integer(1));
	char *told CS_AUTOFREE = between(said, "unknown key '" UNHEARD "' in ", "\n"), *rest = NULL;
	char *list = told ? strstr(told, MAY_HAVE) : NULL;
	if (!list)
		return false;
	list += strlen(MAY_HAVE);
	char *section CS_AUTOFREE = section_of(p, said);
	json_t *keys = json_object();
	json_object_set_new(visited, section, keys);
	for (char *key = strtok_r(list, ", ", &rest); key; key = strtok_r(NULL, ", ", &rest)) {
		hold_key(p, section, key);
		json_object_set_new(keys, key, json_true());
	}
	hold_refused(p, section);
	return true;
}

static void walk(const place *p)
{
	bool table = hold_table(p);
	const char *key;
	json_t *v, *one;
	size_t i;
	json_object_foreach(p->at, key, v) {
		char *path CS_AUTOFREE = cs_xasprintf("%s%s%s", p->path, *p->path ? "." : "", table ? key : "NAME");
		char *item CS_AUTOFREE = cs_xasprintf("%s[]", path);
		if (json_is_object(v))
			walk(&(place){ .doc = p->doc, .at = v, .path = path, .file = p->file });
		json_array_foreach(v, i, one)
			if (json_is_object(one))
				walk(&(place){ .doc = p->doc, .at = one, .path = item, .file = p->file });
	}
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void the_examples_are_one_workspace_that_check_finds_nothing_in(void **state)
{
	(void)state;
	cs_diags d;
	cs_err err = { 0 };
	cs_workspace *w = NULL;
	cs_buf said CS_AUTOBUF;
	cs_diags_init(&d);
	cs_buf_init(&said, 1 << 20);
	int rc = cs_workspace_load(dir, false, &d, &w, &err);
	assert_int_equal(cs_diags_write(&d, &said), 0);
	if (rc != CS_OK || d.n > 0)
		fail_msg("%s\n%s", err.msg, cs_buf_str(&said));
	assert_int_equal(w->n_flows, 1);
	cs_diags_fini(&d);
	cs_workspace_free(w);
}

static void every_key_that_a_loader_takes_is_described_with_its_type(void **state)
{
	(void)state;
	const char *name, *section;
	json_t *text, *v;
	json_object_foreach(examples, name, text) {
		json_t *doc CS_AUTOJSON = NULL;
		cs_err err = { 0 };
		char *folder CS_AUTOFREE = cs_xstrndup(name, strcspn(name, "/"));
		char *file CS_AUTOFREE = strchr(name, '/') ? cs_xasprintf("%s/*.yaml", folder) : cs_xstrdup(name);
		assert_int_equal(cs_yaml_parse(name, json_string_value(text), json_string_length(text), &doc, NULL, &err), CS_OK);
		if (!json_object_get(doc, "document"))     /* flows have a page of their own */
			walk(&(place){ .doc = doc, .at = doc, .path = "", .file = file });
	}
	json_object_foreach(wanted, section, v)
		if (!json_object_get(visited, section))
			fail_msg("no example shows %s", section);
	json_object_foreach(refused, section, v)
		if (!json_object_get(visited, section))
			fail_msg("no example has %s, of which keys are said to be refused", section);
}

static void no_key_is_described_that_no_loader_takes(void **state)
{
	(void)state;
	const char *section, *key;
	json_t *keys, *row;
	assert_true(json_object_size(visited) > 30);
	json_object_foreach(sections, section, keys)
		json_object_foreach(keys, key, row)
			if (!json_object_get(json_object_get(visited, section), key))
				fail_msg("%s: no loader takes '%s'", section, key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_are_one_workspace_that_check_finds_nothing_in),
		cmocka_unit_test(every_key_that_a_loader_takes_is_described_with_its_type),
		cmocka_unit_test(no_key_is_described_that_no_loader_takes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
