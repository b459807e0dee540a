/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <pthread.h>

#include "base/hash.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* FIPS 180-4. */
static void test_sha256_vectors(void **state)
{
	(void)state;
	char hex[CS_HEX_SIZE];
	cs_hash_hex("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	cs_hash_hex("abc", 3, hex);
	assert_string_equal(hex, ABC);
}

static void test_a_hasher_is_used_again(void **state)
{
	(void)state;
	cs_sha256 *h = cs_sha256_new();
	uint8_t out[CS_HASH_LEN];
	char hex[CS_HEX_SIZE];
	for (int i = 0; i < 3; i++) {
		cs_sha256_begin(h);
		cs_sha256_add(h, "thrown away", i == 1 ? 11 : 0);
		if (i == 1)
			cs_sha256_begin(h);
		cs_sha256_add(h, "a", 1);
		cs_sha256_add(h, "bc", 2);
		cs_sha256_end(h, out);
		cs_hex(out, sizeof out, hex);
		assert_string_equal(hex, ABC);
	}
	cs_sha256_free(h);
	cs_sha256_free(NULL);
}

/* RFC 4231. */
static void test_hmac_vectors(void **state)
{
	(void)state;
	uint8_t key[131], out[CS_HASH_LEN];
	char hex[CS_HEX_SIZE];
	memset(key, 0x0b, 20);
	cs_hmac(key, 20, "Hi There", 8, out);
	cs_hex(out, sizeof out, hex);
	assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	cs_hmac("Jefe", 4, "what do ya want for nothing?", 28, out);
	cs_hex(out, sizeof out, hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	cs_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
	cs_hex(out, sizeof out, hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	cs_hmac("", 0, "", 0, out);
	cs_hex(out, sizeof out, hex);
	assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	cs_hmac(NULL, 0, NULL, 0, out);
	cs_hex(out, sizeof out, hex);
	assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_unhex_takes_exactly_its_digits(void **state)
{
	(void)state;
	uint8_t out[3] = { 1, 2, 3 };
	assert_int_equal(cs_unhex("00fFa9", out, 3), 0);
	assert_memory_equal(out, "\x00\xff\xa9", 3);
	static const char *const bad[] = { "", "00fFa", "00fFa90", "00fFag", "00fF-1", "0x00ff" };
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		assert_int_equal(cs_unhex(bad[i], out, 3), CS_EINVAL);
	assert_memory_equal(out, "\x00\xff\xa9", 3);
}

/* RFC 4648, section 10. */
static void test_base64_vectors(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
					       { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xfe", "+//+" } };
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *text = cs_base64(rows[i][0], strlen(rows[i][0]));
		assert_string_equal(text, rows[i][1]);
	}
}

static void *hash_often(void *arg)
{
	char hex[CS_HEX_SIZE];
	for (int i = 0; i < 1000; i++) {
		cs_hash_hex("abc", 3, hex);
		if (strcmp(hex, ABC) != 0)
			return arg;
	}
	return NULL;
}

static void test_threads_hash_at_once(void **state)
{
	(void)state;
	pthread_t threads[3];
	for (size_t i = 0; i < CS_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_often, threads), 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(threads); i++) {
		void *wrong = threads;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_hash_at_once),
		cmocka_unit_test(test_sha256_vectors),
		cmocka_unit_test(test_a_hasher_is_used_again),
		cmocka_unit_test(test_hmac_vectors),
		cmocka_unit_test(test_unhex_takes_exactly_its_digits),
		cmocka_unit_test(test_base64_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
