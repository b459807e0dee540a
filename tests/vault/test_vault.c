/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "vault/vault.h"

#define CANARY "canary-7f3a-very-secret"
#define PASS "open sesame", 11

typedef struct place {
	char dir[64];
	char *file, *key_file;
} place;

static int make_place(void **state)
{
	place *p = calloc(1, sizeof *p);
	snprintf(p->dir, sizeof p->dir, "/tmp/capstan-vault-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->file = cs_path_join(p->dir, CS_VAULT_FILE);
	p->key_file = cs_path_join(p->dir, "vault.key");
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	place *p = *state;
	CS_AUTOFREE char *lock = cs_path_join(p->dir, CS_VAULT_FILE ".lock");
	unlink(lock);
	unlink(p->file);
	unlink(p->key_file);
	rmdir(p->dir);
	free(p->file);
	free(p->key_file);
	free(p);
	return 0;
}

/* A vault that opens by a key file (a passphrase takes a second), with one secret. */
static cs_vault *filled(const place *p)
{
	cs_vault *v = cs_vault_new(p->dir);
	assert_int_equal(cs_vault_create_with_file(v, p->key_file, NULL), CS_OK);
	assert_int_equal(cs_vault_set(v, "token", CANARY, strlen(CANARY), 1000, NULL), CS_OK);
	return v;
}

static void gets(cs_vault *v, const char *name, const char *want)
{
	CS_AUTOSECRET char *value = NULL;
	cs_err err = { 0 };
	if (cs_vault_get(v, name, &value, &err) != CS_OK)
		fail_msg("%s: %s", name, err.msg);
	assert_string_equal(value, want);
}

static void refuses(int rc, int code, const cs_err *err, const char *words)
{
	assert_int_equal(rc, code);
	if (!strstr(err->msg, words))
		fail_msg("\"%s\" does not say %s", err->msg, words);
	assert_null(strstr(err->msg, CANARY));
}

static void read_file(const char *path, cs_buf *out)
{
	cs_buf_init(out, 1 << 20);
	assert_int_equal(cs_file_read(path, out, NULL), CS_OK);
}

static void test_a_passphrase_opens_it_and_no_other_does(void **state)
{
	const place *p = *state;
	cs_err err = { 0 };
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(p->dir);
	refuses(cs_vault_look(v, &err), CS_ENOTFOUND, &err, "capstan vault init");
	refuses(cs_vault_create(v, "", 0, &err), CS_EINVAL, &err, "cannot be empty");
	assert_int_equal(cs_vault_create(v, PASS, NULL), CS_OK);
	assert_int_equal(cs_vault_set(v, "token", CANARY, strlen(CANARY), 1000, NULL), CS_OK);
	gets(v, "token", CANARY);
	refuses(cs_vault_create(v, PASS, &err), CS_EREFUSED, &err, "there is a vault already");

	CS_CLEANUP(cs_vault_freep) cs_vault *other = cs_vault_new(p->dir);
	char *value = NULL;
	refuses(cs_vault_get(other, "token", &value, &err), CS_EUNAVAIL, &err, "capstan vault unlock");
	refuses(cs_vault_unlock(other, "open sesamE", 11, &err), CS_EREFUSED, &err, "not the vault's passphrase");
	assert_false(cs_vault_unlocked(other));
	assert_null(value);
	assert_int_equal(cs_vault_unlock(other, PASS, NULL), CS_OK);
	gets(other, "token", CANARY);
	cs_vault_lock(other);
	assert_int_equal(cs_vault_get(other, "token", &value, NULL), CS_EUNAVAIL);
}

static void test_the_file_holds_no_value_and_is_the_owners_alone(void **state)
{
	const place *p = *state;
	cs_vault_free(filled(p));
	CS_AUTOBUF cs_buf text;
	struct stat st;
	read_file(p->file, &text);
	assert_null(strstr(cs_buf_str(&text), "canary"));
	assert_non_null(strstr(cs_buf_str(&text), "token"));
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(p->key_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_a_key_file_opens_it_unless_it_is_anothers_or_open_to_others(void **state)
{
	const place *p = *state;
	cs_err err = { 0 };
	cs_vault_free(filled(p));
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(p->dir);
	CS_AUTOFREE char *path = cs_vault_key_file(v);
	assert_string_equal(path, p->key_file);
	refuses(cs_vault_unlock(v, PASS, &err), CS_EREFUSED, &err, "by the key file");
	assert_int_equal(cs_vault_unlock_with_file(v, NULL), CS_OK);
	gets(v, "token", CANARY);
	cs_vault_lock(v);
	assert_int_equal(chmod(p->key_file, 0644), 0);
	refuses(cs_vault_unlock_with_file(v, &err), CS_EREFUSED, &err, "chmod 600");
	assert_int_equal(cs_file_write(p->key_file, "0123456789abcdef0123456789abcdef", 32, 0600, NULL), CS_OK);
	refuses(cs_vault_unlock_with_file(v, &err), CS_EREFUSED, &err, "does not belong");
	assert_int_equal(cs_file_write(p->key_file, "short", 5, 0600, NULL), CS_OK);
	refuses(cs_vault_unlock_with_file(v, &err), CS_EREFUSED, &err, "no key file");
}

/* Names and dates are there for everybody; what another process sets or removes is seen at once. */
static void test_processes_see_each_others_changes(void **state)
{
	const place *p = *state;
	uint8_t key[CS_VAULT_KEY];
	CS_CLEANUP(cs_vault_freep) cs_vault *a = filled(p), *b = cs_vault_new(p->dir);
	assert_int_equal(cs_vault_has(b, "token", NULL), CS_OK);
	assert_int_equal(cs_vault_has(b, "other", NULL), CS_ENOTFOUND);
	assert_int_equal(cs_vault_set(b, "other", "abcdef", 6, 1, NULL), CS_EUNAVAIL);
	assert_int_equal(cs_vault_key(a, key, NULL), CS_OK);
	assert_int_equal(cs_vault_unlock_with_key(b, key, NULL), CS_OK);
	assert_int_equal(cs_vault_set(b, "other", "abcdef", 6, 2000, NULL), CS_OK);
	assert_int_equal(cs_vault_set(a, "another", "ghijkl", 6, 3000, NULL), CS_OK);
	gets(a, "other", "abcdef");
	gets(b, "another", "ghijkl");
	CS_AUTOJSON json_t *list = NULL;
	assert_int_equal(cs_vault_list(b, &list, NULL), CS_OK);
	CS_AUTOFREE char *text = cs_json_text(list);
	assert_string_equal(text, "[{\"name\":\"another\",\"set\":3000},{\"name\":\"other\",\"set\":2000},{\"name\":\"token\",\"set\":1000}]");
	assert_int_equal(cs_vault_remove(a, "token", NULL), CS_OK);
	assert_int_equal(cs_vault_has(b, "token", NULL), CS_ENOTFOUND);
	cs_err err = { 0 };
	refuses(cs_vault_remove(a, "token", &err), CS_ENOTFOUND, &err, "capstan vault set token");
}

static void test_an_object_is_read_by_its_members(void **state)
{
	CS_CLEANUP(cs_vault_freep) cs_vault *v = filled(*state);
	static const char pair[] = "{\"username\":\"ada\",\"password\":\"lovelace\",\"n\":12}";
	char *value = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_vault_set(v, "login", pair, strlen(pair), 1, NULL), CS_OK);
	gets(v, "login.username", "ada");
	gets(v, "login.password", "lovelace");
	gets(v, "login.n", "12");
	refuses(cs_vault_get(v, "login.none", &value, &err), CS_ENOTFOUND, &err, "no text none");
	refuses(cs_vault_get(v, "token.x", &value, &err), CS_ENOTFOUND, &err, "no text x");
	assert_null(value);
}

static void test_what_cannot_be_a_secret_is_refused(void **state)
{
	CS_CLEANUP(cs_vault_freep) cs_vault *v = filled(*state);
	cs_err err = { 0 };
	static const char *const names[] = { "", "a.b", "a/b", "../x", "a b", "\xc3\xa9" };
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++)
		refuses(cs_vault_set(v, names[i], "abcdef", 6, 1, &err), CS_EINVAL, &err, "letters, digits");
	refuses(cs_vault_set(v, "a", "abc", 3, 1, &err), CS_EINVAL, &err, "masked");
	refuses(cs_vault_set(v, "a", "ab\0cd", 5, 1, &err), CS_EINVAL, &err, "UTF-8");
	refuses(cs_vault_set(v, "a", "\xff\xff\xff\xff", 4, 1, &err), CS_EINVAL, &err, "UTF-8");
	assert_int_equal(cs_vault_has(v, "a", NULL), CS_ENOTFOUND);
}

/* FROM becomes TO in the file. */
static void forge(const place *p, const char *from, const char *to)
{
	CS_AUTOBUF cs_buf text, out;
	read_file(p->file, &text);
	cs_buf_init(&out, 1 << 20);
	char *at = strstr(text.data, from);
	assert_non_null(at);
	cs_buf_add(&out, text.data, (size_t)(at - text.data));
	cs_buf_adds(&out, to);
	cs_buf_adds(&out, at + strlen(from));
	assert_int_equal(cs_file_write(p->file, out.data, out.len, 0600, NULL), CS_OK);
}

static void test_a_file_that_was_changed_gives_nothing(void **state)
{
	const place *p = *state;
	cs_err err = { 0 };
	CS_CLEANUP(cs_vault_freep) cs_vault *v = filled(p);
	char *value = NULL;
	forge(p, "\"token\"", "\"tokem\"");      /* a value under another name */
	refuses(cs_vault_get(v, "tokem", &value, &err), CS_EREFUSED, &err, "changed by something");
	assert_false(cs_vault_unlocked(v));
	refuses(cs_vault_unlock_with_file(v, &err), CS_EREFUSED, &err, "changed by something");
	assert_null(value);
}

static void test_a_torn_file_or_a_newer_one_is_said_and_kept(void **state)
{
	const place *p = *state;
	cs_err err = { 0 };
	cs_vault_free(filled(p));
	CS_AUTOBUF cs_buf whole, after;
	cs_buf_init(&after, 1);
	read_file(p->file, &whole);
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(p->dir);
	for (size_t n = 0; n + 2 < whole.len; n += 37) {
		assert_int_equal(cs_file_write(p->file, whole.data, n, 0600, NULL), CS_OK);
		refuses(cs_vault_look(v, &err), CS_EINVAL, &err, "damaged");
		refuses(cs_vault_set(v, "a", "abcdef", 6, 1, &err), CS_EUNAVAIL, &err, "locked");
		refuses(cs_vault_create_with_file(v, "/tmp/capstan-no-such-key", &err), CS_EREFUSED, &err, "already");
		cs_buf_fini(&after);
		read_file(p->file, &after);
		assert_int_equal(after.len, n);
	}
	assert_int_equal(cs_file_write(p->file, whole.data, whole.len, 0600, NULL), CS_OK);
	forge(p, "\"version\": 1", "\"version\": 2");
	refuses(cs_vault_look(v, &err), CS_EUNSUPPORTED, &err, "newer");
	forge(p, "\"version\": 2", "\"version\": 1");
	assert_int_equal(cs_vault_unlock_with_file(v, NULL), CS_OK);
	gets(v, "token", CANARY);
}

static void test_an_unlocked_vault_leaves_no_core(void **state)
{
	struct rlimit limit;
	cs_vault_free(filled(*state));
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_int_equal(limit.rlim_cur, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_passphrase_opens_it_and_no_other_does),
		TEST(test_the_file_holds_no_value_and_is_the_owners_alone),
		TEST(test_a_key_file_opens_it_unless_it_is_anothers_or_open_to_others),
		TEST(test_processes_see_each_others_changes),
		TEST(test_an_object_is_read_by_its_members),
		TEST(test_what_cannot_be_a_secret_is_refused),
		TEST(test_a_file_that_was_changed_gives_nothing),
		TEST(test_a_torn_file_or_a_newer_one_is_said_and_kept),
		TEST(test_an_unlocked_vault_leaves_no_core),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
