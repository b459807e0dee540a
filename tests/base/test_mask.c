/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mask.h"

#define SECRET "p@ss \"w\\rd\"/9+"

static void masks(const cs_mask *m, const char *in, const char *out)
{
	CS_AUTOFREE char *got = cs_mask_text(m, in);
	assert_string_equal(got, out);
}

static void test_a_secret_is_masked_in_every_form_that_it_is_written_in(void **state)
{
	(void)state;
	CS_AUTOMASK cs_mask *m = cs_mask_new();
	cs_mask_add(m, SECRET);
	masks(m, SECRET, CS_MASK);
	masks(m, "before " SECRET " after " SECRET, "before " CS_MASK " after " CS_MASK);
	masks(m, "p%40ss%20%22w%5Crd%22%2F9%2B", CS_MASK);
	masks(m, "p%40ss+%22w%5crd%22/9%2b", CS_MASK);
	masks(m, "{\"a\":\"p@ss \\\"w\\\\rd\\\"\\/9+\"}", "{\"a\":\"" CS_MASK "\"}");
	masks(m, "\\u0070@ss\\u0020\\\"w\\u005Crd\\\"/9+", CS_MASK);
	char hex[64];
	cs_hex((const uint8_t *)SECRET, strlen(SECRET), hex);
	CS_AUTOFREE char *around = cs_xasprintf("0a%sff", hex);
	masks(m, around, "0a" CS_MASK "ff");
	for (char *c = hex; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 32 : *c);
	masks(m, hex, CS_MASK);
}

/* Whatever stands before and after it, no more of its base64 is left than the bits it shares with them. */
static void test_base64_of_something_that_holds_it_is_masked(void **state)
{
	(void)state;
	static const char *const before[] = { "", "a", "ab", "user:", "longer user:" }, *const after[] = { "", "x", "xy", "xyz" };
	CS_AUTOMASK cs_mask *m = cs_mask_new();
	cs_mask_add(m, "correct horse");
	for (size_t i = 0; i < CS_ARRAY_LEN(before); i++)
		for (size_t k = 0; k < CS_ARRAY_LEN(after); k++) {
			CS_AUTOFREE char *plain = cs_xasprintf("%scorrect horse%s", before[i], after[k]);
			CS_AUTOFREE char *text = cs_base64(plain, strlen(plain));
			CS_AUTOFREE char *got = cs_mask_text(m, text);
			assert_non_null(strstr(got, CS_MASK));
			assert_null(strstr(got, "Jyb2N0"));
			assert_true(strlen(got) <= strlen(text) - 16 + sizeof CS_MASK);
		}
	cs_mask_add(m, "?" "?" "?>>>~~~");
	masks(m, "Pz8_Pj4-fn5-", CS_MASK);       /* the alphabet of URLs */
	masks(m, "Pz8/Pj4+fn5+", CS_MASK);
}

static void test_what_is_no_secret_stays(void **state)
{
	(void)state;
	CS_AUTOMASK cs_mask *m = cs_mask_new();
	CS_AUTOJSON json_t *v = json_pack("{s:s, s:[s, i, n]}", "a", "some text", "b", "more", 1);
	masks(m, "nothing is looked for", "nothing is looked for");
	assert_true(cs_mask_empty(m));
	cs_mask_add(m, "abc");                   /* too short to tell from chance */
	assert_true(cs_mask_empty(m));
	cs_mask_add(m, "abcd");
	masks(m, "abc", "abc");
	masks(m, "abcabcd", "abc" CS_MASK);
	masks(m, "%61%6", "%61%6");
	masks(m, "%61b\\u006", "%61b\\u006");
	CS_AUTOJSON json_t *same = cs_mask_json(m, v);
	assert_ptr_equal(same, v);
}

static void test_json_is_masked_in_texts_and_in_names(void **state)
{
	(void)state;
	CS_AUTOMASK cs_mask *m = cs_mask_new();
	cs_mask_add(m, "hunter22");
	CS_AUTOJSON json_t *v = json_pack("{s:[{s:s}], s:s, s:i}", "list", "token hunter22", "x", "y", "hunter22", "n", 5);
	CS_AUTOJSON json_t *masked = cs_mask_json(m, v);
	CS_AUTOFREE char *text = cs_json_text(masked);
	assert_string_equal(text, "{\"list\":[{\"token " CS_MASK "\":\"x\"}],\"y\":\"" CS_MASK "\",\"n\":5}");
	CS_AUTOFREE char *before = cs_json_text(v);
	assert_non_null(strstr(before, "hunter22"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_is_masked_in_every_form_that_it_is_written_in),
		cmocka_unit_test(test_base64_of_something_that_holds_it_is_masked),
		cmocka_unit_test(test_what_is_no_secret_stays),
		cmocka_unit_test(test_json_is_masked_in_texts_and_in_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
