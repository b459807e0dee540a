/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are broken or mean harm, given to the real program: one clear message with its place,
 * status 1, within 100 ms, and nothing is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

enum { BUDGET_MS = 100, TRIES = 5, BRACKETS = 100 * 1024 };

static char dir[64];

/* ---- the files ---------------------------------------------------------------------------------------------- */

static void bomb(cs_buf *b)
{
	cs_buf_adds(b, "a: &a [x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c <= 'j'; c++) {
		cs_buf_addf(b, "%c: &%c [", c, c);
		for (int i = 0; i < 9; i++)
			cs_buf_addf(b, "%s*%c", i > 0 ? ", " : "", c - 1);
		cs_buf_adds(b, "]\n");
	}
}

static void brackets(cs_buf *b)
{
	for (int i = 0; i < BRACKETS; i++)
		cs_buf_addc(b, '[');
}

static void braces(cs_buf *b)
{
	for (int i = 0; i < BRACKETS; i++)
		cs_buf_adds(b, "{a: ");
}

#define HEAD "document: { dsl: '1.0.3', namespace: a, name: b, version: '1.0.0' }\n"

static void nul(cs_buf *b)
{
	cs_buf_add(b, HEAD "do: [ { x: { set: { y: \"\0\" } } } ]\n", sizeof HEAD "do: [ { x: { set: { y: \"\0\" } } } ]\n" - 1);
}

static void bad_utf8(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do: [ { x: { set: { y: \"\xff\xfe\" } } } ]\n");
}

static void wrong_type(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do: 7\n");
}

static void unknown_key(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do:\n  - x: { set: { y: 1 }, iff: true }\n");
}

static void twice(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do: [ { x: { set: { y: 1 } } } ]\ndo: [ { x: { set: { y: 2 } } } ]\n");
}

static void documents(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do: [ { x: { set: { y: 1 } } } ]\n---\na: 1\n");
}

static void tag(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do: [ { x: { set: { y: !!python/object/apply:os.system [ id ] } } } ]\n");
}

static void too_long(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do: [ { x: { set: { y: '");
	for (int i = 0; i < (1 << 20) + 100; i++)
		cs_buf_addc(b, 'y');
	cs_buf_adds(b, "' } } } ]\n");
}

static void empty(cs_buf *b)
{
	(void)b;
}

static void terminal(cs_buf *b)
{
	cs_buf_adds(b, HEAD "do:\n  - x: { set: { y: 1 }, \"\\e]0;owned\\a\\e[2J\": true }\n");
}

static const struct hostile {
	const char *name;
	void (*write)(cs_buf *b);
	const char *place;           /* of the finding; "" : the file as a whole */
	const char *says;
} files[] = {
	{ "bomb", bomb, ":6:8:", "100000 values" },            { "brackets", brackets, ":1:65:", "64 levels" },
	{ "braces", braces, ":1:", "64 levels" },              { "nul", nul, ":2:", "NUL" },
	{ "utf8", bad_utf8, ":2:", "0xFF" },                   { "type", wrong_type, ":2:5:", "must be a list" },
	{ "unknown", unknown_key, ":3:", "did you mean 'if'" }, { "twice", twice, ":3:1:", "'do'" },
	{ "documents", documents, ":", "one document" },       { "tag", tag, ":2:", "tag" },
	{ "long", too_long, ":", "1 MiB" },                    { "empty", empty, ":", "" },
	{ "terminal", terminal, ":3:", "unknown key" },
};

/* ---- the program ------------------------------------------------------------------------------------------- */

struct said {
	int status;
	int64_t ms;
	char *out;                   /* both streams */
};

static struct said program(const char *const *words)
{
	const char *exe = getenv("CS_TEST_CAPSTAN");
	const char *argv[16] = { exe != NULL ? exe : "./capstan", "-C", dir };
	const char *envp[] = { "LC_ALL=C.UTF-8", "TZ=UTC", NULL };
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, (size_t)1 << 20);
	for (size_t n = 3; *words != NULL && n < CS_ARRAY_LEN(argv) - 1; words++)
		argv[n++] = *words;
	cs_child_opts o = { .argv = argv, .envp = envp, .cwd = dir };
	cs_child_result r;
	int64_t from = cs_clock_mono_ns();
	assert_int_equal(cs_child_run(&o, "", 0, &out, &out, from + INT64_C(20000000000), NULL, &r, NULL), CS_OK);
	if (!WIFEXITED(r.status))
		fail_msg("%s %s ends with status 0x%x", words[-1], argv[3], (unsigned)r.status);
	return (struct said){ WEXITSTATUS(r.status), (cs_clock_mono_ns() - from) / 1000000, cs_buf_steal(&out) };
}

/* ---- the tree ----------------------------------------------------------------------------------------------- */

static json_t *tree;

static int note_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)ftw;
	char hash[CS_HEX_SIZE] = "";
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, (size_t)4 << 20);
	if (kind == FTW_F && cs_file_read(path, &text, NULL) == CS_OK)
		cs_hash_hex(cs_buf_str(&text), text.len, hash);
	json_object_set_new(tree, path, json_pack("{s:I, s:I, s:s}", "mode", (json_int_t)st->st_mode, "changed",
						  (json_int_t)(st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec), "hash", hash));
	return 0;
}

static json_t *read_tree(void)
{
	tree = json_object();
	assert_int_equal(nftw(dir, note_file, 16, FTW_PHYS), 0);
	return tree;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void put(const char *name, const struct hostile *h)
{
	CS_AUTOFREE char *path = cs_xasprintf("%s/%s", dir, name), *folder = cs_xstrdup(path);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, (size_t)2 << 20);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(cs_mkdir_p(folder, 0700, NULL), CS_OK);
	h->write(&text);
	assert_int_equal(text.failed, 0);
	assert_int_equal(cs_file_write(path, cs_buf_str(&text), text.len, 0600, NULL), CS_OK);
}

/* ---- the promise -------------------------------------------------------------------------------------------- */

static bool in_time(void)
{
	const char *sanitizer = getenv("CS_TEST_SANITIZER");
	return sanitizer == NULL || *sanitizer == '\0' || strcmp(sanitizer, "no") == 0;
}

static size_t findings(const char *text)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, ": error: ")) != NULL; p++)
		n++;
	return n;
}

/* Nothing but text and its line ends may come out. */
static void assert_plain(const char *what, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\n') || *p == 0x7f)
			fail_msg("%s: the byte 0x%02x came out: %s", what, *p, text);
}

static void assert_refused(const char *file, const char *place, const char *says, const char *const *words)
{
	CS_AUTOJSON json_t *before = read_tree();
	int64_t best = INT64_MAX;
	CS_AUTOFREE char *where = cs_xasprintf("%s%s", file, place);
	for (int i = 0; i < TRIES && (i == 0 || best > BUDGET_MS); i++) {
		struct said s = program(words);
		CS_AUTOFREE char *out = s.out;
		best = s.ms < best ? s.ms : best;
		if (s.status != 1)
			fail_msg("%s %s ends with %d: %s", words[0], file, s.status, out);
		if (findings(out) != 1 || strstr(out, where) == NULL || strstr(out, says) == NULL)
			fail_msg("%s %s: not one message at %s about %s: %s", words[0], file, where, says, out);
		assert_plain(file, out);
	}
	if (in_time() && best > BUDGET_MS)
		fail_msg("%s %s takes %lld ms", words[0], file, (long long)best);
	CS_AUTOJSON json_t *after = read_tree();
	if (!json_equal(before, after)) {
		CS_AUTOFREE char *a = cs_json_text(before), *b = cs_json_text(after);
		fail_msg("%s %s changed the workspace:\n%s\n%s", words[0], file, a, b);
	}
}

static void test_a_hostile_file_by_its_name_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(files); i++) {
		CS_AUTOFREE char *name = cs_xasprintf("%s.yaml", files[i].name), *path = cs_xasprintf("%s/%s", dir, name);
		put(name, &files[i]);
		assert_refused(name, files[i].place, files[i].says, (const char *[]){ "check", name, NULL });
		assert_refused(name, files[i].place, files[i].says, (const char *[]){ "run", name, NULL });
		unlink(path);
	}
}

/* In each folder of the workspace: the whole of it is checked, and an engine does not start on
 * what is broken in agents, connectors, policies or the settings. */
static void test_a_hostile_file_in_the_workspace_is_refused(void **state)
{
	(void)state;
	static const char *const folders[] = { "flows", "agents", "connectors", "policies", "fixtures" };
	static const char *const any_kind[] = { "bomb", "brackets", "braces", "nul", "utf8", "twice", "documents", "tag", "long" };
	for (size_t f = 0; f < CS_ARRAY_LEN(folders); f++)
		for (size_t i = 0; i < CS_ARRAY_LEN(files); i++) {
			bool any = false;
			for (size_t k = 0; k < CS_ARRAY_LEN(any_kind); k++)
				any = any || strcmp(any_kind[k], files[i].name) == 0;
			if (!any)
				continue;
			CS_AUTOFREE char *name = cs_xasprintf("%s/%s.yaml", folders[f], files[i].name);
			CS_AUTOFREE char *path = cs_xasprintf("%s/%s", dir, name);
			put(name, &files[i]);
			assert_refused(name, files[i].place, files[i].says, (const char *[]){ "check", NULL });
			if (f > 0)
				assert_refused(name, files[i].place, files[i].says, (const char *[]){ "run", "good", NULL });
			unlink(path);
		}
}

static void test_a_folder_is_no_file(void **state)
{
	(void)state;
	CS_AUTOFREE char *path = cs_xasprintf("%s/folder.yaml", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused("folder.yaml", ":", "folder", (const char *[]){ "check", "folder.yaml", NULL });
	assert_refused("folder.yaml", ":", "folder", (const char *[]){ "run", "folder.yaml", NULL });
	rmdir(path);
}

static void test_a_pipe_does_not_keep_it_waiting(void **state)
{
	(void)state;
	CS_AUTOFREE char *path = cs_xasprintf("%s/pipe.yaml", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused("pipe.yaml", ":", "", (const char *[]){ "check", "pipe.yaml", NULL });
	unlink(path);
}

static void test_a_good_file_still_runs(void **state)
{
	(void)state;
	struct said s = program((const char *[]){ "run", "good", NULL });
	CS_AUTOFREE char *out = s.out;
	if (s.status != 0 || strstr(out, "\"y\":1") == NULL)
		fail_msg("it ends with %d: %s", s.status, out);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/capstan-hostile-XXXXXX");
	assert_non_null(mkdtemp(dir));
	static const struct {
		const char *path, *text;
	} good[] = {
		{ "capstan.yaml", "workspace: hostile\nmode: simulate\n" },
		{ "flows/good.yaml", "document: { dsl: '1.0.3', namespace: a, name: good, version: '1.0.0' }\ndo: [ { x: { set: { y: 1 } } } ]\n" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(good); i++) {
		CS_AUTOFREE char *path = cs_xasprintf("%s/%s", dir, good[i].path), *folder = cs_xstrdup(path);
		*strrchr(folder, '/') = '\0';
		assert_int_equal(cs_mkdir_p(folder, 0700, NULL), CS_OK);
		assert_int_equal(cs_file_write(path, good[i].text, strlen(good[i].text), 0600, NULL), CS_OK);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_hostile_file_by_its_name_is_refused),
		cmocka_unit_test(test_a_hostile_file_in_the_workspace_is_refused),
		cmocka_unit_test(test_a_folder_is_no_file),
		cmocka_unit_test(test_a_pipe_does_not_keep_it_waiting),
		cmocka_unit_test(test_a_good_file_still_runs),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
