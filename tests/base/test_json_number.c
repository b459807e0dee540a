/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <locale.h>
#include <math.h>

#include "base/json.h"

static double from_bits(uint64_t bits)
{
	double d;
	memcpy(&d, &bits, sizeof d);
	return d;
}

/* RFC 8785, appendix B. */
static const struct {
	uint64_t bits;
	const char *text;
} vectors[] = {
	{ 0x0000000000000000, "0" },
	{ 0x8000000000000000, "0" },
	{ 0x0000000000000001, "5e-324" },
	{ 0x8000000000000001, "-5e-324" },
	{ 0x7fefffffffffffff, "1.7976931348623157e+308" },
	{ 0xffefffffffffffff, "-1.7976931348623157e+308" },
	{ 0x4340000000000000, "9007199254740992" },
	{ 0xc340000000000000, "-9007199254740992" },
	{ 0x4430000000000000, "295147905179352830000" },
	{ 0x44b52d02c7e14af5, "9.999999999999997e+22" },
	{ 0x44b52d02c7e14af6, "1e+23" },
	{ 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
	{ 0x444b1ae4d6e2ef4e, "999999999999999700000" },
	{ 0x444b1ae4d6e2ef4f, "999999999999999900000" },
	{ 0x444b1ae4d6e2ef50, "1e+21" },
	{ 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
	{ 0x3eb0c6f7a0b5ed8d, "0.000001" },
	{ 0x41b3de4355555553, "333333333.3333332" },
	{ 0x41b3de4355555554, "333333333.33333325" },
	{ 0x41b3de4355555555, "333333333.3333333" },
	{ 0x41b3de4355555556, "333333333.3333334" },
	{ 0x41b3de4355555557, "333333333.33333343" },
	{ 0xbecbf647612f3696, "-0.0000033333333333333333" },
	{ 0x43143ff3c1cb0959, "1424953923781206.2" },
	/* Powers of two, whose lower neighbour is nearer: not the nearest 16 digits, the shortest. */
	{ 0x3d30000000000000, "5.684341886080802e-14" },
	{ 0x0010000000000000, "2.2250738585072014e-308" },
	{ 0x000fffffffffffff, "2.225073858507201e-308" },
	{ 0x3fb999999999999a, "0.1" },
	{ 0x3e7ad7f29abcaf48, "1e-7" },
	{ 0x4024000000000000, "10" },
};

static void test_appendix_b_of_rfc_8785(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(vectors); i++) {
		char text[32];
		int n = cs_json_number(from_bits(vectors[i].bits), text, sizeof text);
		assert_string_equal(text, vectors[i].text);
		assert_int_equal(n, strlen(text));
	}
}

static void test_what_is_not_finite_is_refused(void **state)
{
	(void)state;
	char text[32] = "kept";
	assert_int_equal(cs_json_number(NAN, text, sizeof text), CS_EINVAL);
	assert_int_equal(cs_json_number(INFINITY, text, sizeof text), CS_EINVAL);
	assert_int_equal(cs_json_number(-INFINITY, text, sizeof text), CS_EINVAL);
	assert_int_equal(cs_json_number(0.5, text, 3), CS_ETOOBIG);
	assert_string_equal(text, "kept");
}

/* xorshift64*: the same numbers each time. */
static uint64_t next_bits(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 0x2545F4914F6CDD1D;
}

static size_t digits_of(const char *text)
{
	CS_AUTOFREE char *only = cs_xstrdup(text);
	size_t n = 0;
	for (const char *s = text; *s && *s != 'e'; s++)
		if (*s >= '0' && *s <= '9' && (n > 0 || *s != '0'))
			only[n++] = *s;
	while (n > 1 && only[n - 1] == '0')
		n--;
	return n;
}

static void check_shortest(double d)
{
	char text[32], shorter[40];
	assert_true(cs_json_number(d, text, sizeof text) > 0);
	uint64_t a, b;
	double back = strtod(text, NULL);
	memcpy(&a, &d, sizeof a);
	memcpy(&b, &back, sizeof b);
	if (a != b)
		fail_msg("%s does not read back as %.17g", text, d);
	size_t n = digits_of(text);
	if (n < 2)
		return;
	snprintf(shorter, sizeof shorter, "%.*e", (int)n - 2, d);
	memcpy(&b, &(double){ strtod(shorter, NULL) }, sizeof b);
	if (a == b)
		fail_msg("%s is shorter than %s", shorter, text);
}

static void test_random_doubles_read_back_and_are_shortest(void **state)
{
	(void)state;
	uint64_t seed = 8785;
	for (int i = 0; i < 100000; i++) {
		double d = from_bits(next_bits(&seed));
		if (isfinite(d) && (d < 0 || d > 0))
			check_shortest(d);
		check_shortest(from_bits(next_bits(&seed) >> 13 | 1));
		check_shortest((double)(next_bits(&seed) % 100000000 + 1) / 1000);
	}
	for (uint64_t exponent = 1; exponent < 2047; exponent++)
		check_shortest(from_bits(exponent << 52));
}

static void test_the_decimal_point_is_not_the_locale_s(void **state)
{
	(void)state;
	static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "nl_NL.UTF-8" };
	const char *set = NULL;
	for (size_t i = 0; i < CS_ARRAY_LEN(names) && !set; i++)
		set = setlocale(LC_NUMERIC, names[i]);
	if (!set)
		skip();
	char text[32];
	cs_json_number(2.5, text, sizeof text);
	setlocale(LC_NUMERIC, "C");
	assert_string_equal(text, "2.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appendix_b_of_rfc_8785),
		cmocka_unit_test(test_what_is_not_finite_is_refused),
		cmocka_unit_test(test_random_doubles_read_back_and_are_shortest),
		cmocka_unit_test(test_the_decimal_point_is_not_the_locale_s),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
