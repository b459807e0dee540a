/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include "base/id.h"

static void test_ids_rise_within_a_millisecond_and_when_the_clock_steps_back(void **state)
{
	(void)state;
	cs_idgen g = { 0 };
	char last[CS_ID_SIZE] = "", id[CS_ID_SIZE];
	static const int64_t times[] = { 1000, 1000, 1001, 900, -5, 0, 1001, 1002 };
	for (int i = 0; i < 8000; i++) {
		cs_id_next(&g, times[i / 1000], id);
		assert_true(strcmp(last, id) < 0);
		assert_true(cs_id_valid(id));
		memcpy(last, id, sizeof id);
	}
}

static void test_the_time_comes_first(void **state)
{
	(void)state;
	cs_idgen g = { 0 }, h = { 0 };
	char id[CS_ID_SIZE];
	/* The example of the ULID specification. */
	cs_id_next(&g, 1469918176385, id);
	assert_memory_equal(id, "01ARYZ6S41", 10);
	cs_id_next(&h, 0, id);
	assert_memory_equal(id, "0000000000", 10);
	cs_id_next(&h, INT64_MAX, id);
	assert_memory_equal(id, "7ZZZZZZZZZ", 10);
}

static void test_when_the_random_part_is_spent_the_time_moves_on(void **state)
{
	(void)state;
	cs_idgen g = { .last_ms = 5, .seeded = true };
	memset(g.random, 0xFF, sizeof g.random);
	char id[CS_ID_SIZE];
	cs_id_next(&g, 5, id);
	assert_string_equal(id, "00000000060000000000000000");
}

static void test_generators_differ(void **state)
{
	(void)state;
	cs_idgen g = { 0 }, h = { 0 };
	char a[CS_ID_SIZE], b[CS_ID_SIZE];
	cs_id_next(&g, 1, a);
	cs_id_next(&h, 1, b);
	assert_string_not_equal(a, b);
	assert_memory_equal(a, b, 10);
}

static void test_only_ids_are_valid(void **state)
{
	(void)state;
	assert_true(cs_id_valid("01ARYZ6S41TSV4RRFFQ69G5FAV"));
	static const char *const bad[] = { "", "01ARYZ6S41TSV4RRFFQ69G5FA", "01ARYZ6S41TSV4RRFFQ69G5FAVX", "81ARYZ6S41TSV4RRFFQ69G5FAV",
					   "01aryz6s41tsv4rrffq69g5fav", "01ARYZ6S41TSV4RRFFQ69G5FAU", "01ARYZ6S41TSV4RRFFQ69G5FA/" };
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		assert_false(cs_id_valid(bad[i]));
	assert_false(cs_id_valid(NULL));
}

static void test_the_digits_of_an_id_are_the_alphabet(void **state)
{
	char id[] = "01ARYZ6S41TSV4RRFFQ69G5FAV";
	(void)state;
	for (int c = 1; c < 256; c++) {
		id[CS_ID_LEN - 1] = (char)c;
		assert_int_equal(cs_id_valid(id), strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c) != NULL);
	}
}

static void test_random_bytes_fill_all(void **state)
{
	(void)state;
	uint8_t seen[1000] = { 0 }, bytes[1000];
	for (int i = 0; i < 8; i++) {
		cs_random_bytes(bytes, sizeof bytes);
		for (size_t k = 0; k < sizeof bytes; k++)
			seen[k] |= bytes[k];
	}
	for (size_t k = 0; k < sizeof seen; k++)
		assert_true(seen[k] != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_rise_within_a_millisecond_and_when_the_clock_steps_back),
		cmocka_unit_test(test_the_time_comes_first),
		cmocka_unit_test(test_when_the_random_part_is_spent_the_time_moves_on),
		cmocka_unit_test(test_generators_differ),
		cmocka_unit_test(test_only_ids_are_valid),
		cmocka_unit_test(test_the_digits_of_an_id_are_the_alphabet),
		cmocka_unit_test(test_random_bytes_fill_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
