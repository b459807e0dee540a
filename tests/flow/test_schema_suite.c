/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The public JSON Schema test suite, whole, where it is present: CAPSTAN_SUITES, by default
 * shared/suites beside the checkout. Every required test of both drafts, none excused. */
#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/file.h"
#include "base/json.h"
#include "flow/schema.h"
#include "tests/data.h"

enum { FILE_MAX = 4 << 20 };

static const char REMOTES[] = "http://localhost:1234/";

typedef struct counts {
	cs_schema_draft draft;
	size_t files, groups, tests, failed;
} counts;

static int read_json(const char *path, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf text;

	cs_buf_init(&text, FILE_MAX);
	int rc = cs_file_read(path, &text, err);

	return rc < 0 ? rc : cs_json_parse(cs_buf_str(&text), text.len, ret, err);
}

static int load(void *ctx, const char *uri, json_t **ret, cs_err *err)
{
	(void)ctx;
	if (strncmp(uri, REMOTES, strlen(REMOTES)) != 0 || strstr(uri, "..") != NULL)
		return CS_ENOTFOUND;
	CS_AUTOFREE char *rest = cs_xasprintf("json-schema/remotes/%s", uri + strlen(REMOTES));
	CS_AUTOFREE char *path = data_path("suites", rest);

	return read_json(path, ret, err);
}

static void one_test(counts *c, const cs_schema *schema, const char *group, const json_t *test)
{
	cs_schema_error *errors = NULL;
	size_t n = 0;
	cs_err err = { 0 };
	bool want = cs_json_true(test, "valid");
	int rc = cs_schema_check(schema, json_object_get(test, "data"), 10, &errors, &n, &err);

	c->tests++;
	if (rc != (want ? 1 : 0)) {
		c->failed++;
		print_error("%s: %s: should be %s: %s\n", group, cs_json_str(test, "description"), want ? "valid" : "invalid",
			    rc < 0 ? err.msg : n > 0 ? errors[0].message : "is not");
	}
	/* Whatever is invalid is also explained, with places that exist. */
	if (rc == 0 && (n == 0 || errors[0].message[0] == '\0' ||
			(errors[0].rule[0] != '\0' && strchr(errors[0].rule, '/') == NULL))) {
		c->failed++;
		print_error("%s: %s: invalid without a reason\n", group, cs_json_str(test, "description"));
	}
	if (cs_schema_valid(schema, json_object_get(test, "data")) != want && rc == (want ? 1 : 0)) {
		c->failed++;
		print_error("%s: %s: two answers to one question\n", group, cs_json_str(test, "description"));
	}
	cs_schema_errors_free(errors, n);
}

static void one_group(counts *c, const char *file, const json_t *group)
{
	/* The suite's required tests take `format` for the annotation it is by default. */
	const cs_schema_loader loader = { .load = load, .format_is_note = true };
	CS_CLEANUP(cs_schema_freep) cs_schema *schema = NULL;
	CS_AUTOFREE char *name = cs_xasprintf("%s: %s", file, cs_json_str(group, "description"));
	const json_t *tests = json_object_get(group, "tests");
	cs_err err = { 0 };
	size_t i;
	json_t *test;

	c->groups++;
	if (cs_schema_new(json_object_get(group, "schema"), c->draft, &loader, &schema, &err) < 0) {
		print_error("%s: does not compile: %s\n", name, err.msg);
		c->tests += json_array_size(tests);
		c->failed += json_array_size(tests);
		return;
	}
	json_array_foreach(tests, i, test)
		one_test(c, schema, name, test);
}

static void one_file(counts *c, const char *dir, const char *name)
{
	CS_AUTOFREE char *path = cs_xasprintf("%s/%s", dir, name);
	CS_AUTOJSON json_t *groups = NULL;
	cs_err err = { 0 };
	size_t i;
	json_t *group;

	c->files++;
	if (read_json(path, &groups, &err) < 0) {
		c->failed++;
		print_error("%s: %s\n", path, err.msg);
		return;
	}
	json_array_foreach(groups, i, group)
		one_group(c, name, group);
}

static void walk(cs_schema_draft draft, const char *folder, size_t least)
{
	counts c = { .draft = draft };
	CS_AUTOFREE char *dir = data_path_or_skip("suites", folder);
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		size_t n = strlen(e->d_name);

		if (n > 5 && strcmp(e->d_name + n - 5, ".json") == 0)
			one_file(&c, dir, e->d_name);
	}
	closedir(d);
	print_message("%s: %zu files, %zu schemas, %zu tests, %zu failed\n", folder, c.files, c.groups, c.tests, c.failed);
	assert_int_equal(c.failed, 0);
	assert_true(c.tests >= least);
}

static void draft_2020_12_passes_whole(void **state)
{
	(void)state;
	walk(CS_SCHEMA_2020_12, "json-schema/tests/draft2020-12", 1000);
}

static void draft_7_passes_whole(void **state)
{
	(void)state;
	walk(CS_SCHEMA_DRAFT_7, "json-schema/tests/draft7", 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draft_2020_12_passes_whole),
		cmocka_unit_test(draft_7_passes_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
