/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON numbers compared and divided exactly: a 64-bit integer is never rounded into a double,
 * and 0.0075 is the decimal fraction that was written, not the double nearest to it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "flow/schema_in.h"

__extension__ typedef unsigned __int128 wide;

#define TWO_63 9223372036854775808.0

static int cmp_double(double a, double b)
{
	return (a > b) - (a < b);
}

static int cmp_mixed(json_int_t i, double d)
{
	if (d >= TWO_63)
		return -1;
	if (d < -TWO_63)
		return 1;
	double whole = trunc(d);
	json_int_t w = (json_int_t)whole;

	if (i != w)
		return i < w ? -1 : 1;
	return cmp_double(whole, d);
}

int cs_number_cmp(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a), y = json_integer_value(b);

		return (x > y) - (x < y);
	}
	if (json_is_integer(a))
		return cmp_mixed(json_integer_value(a), json_real_value(b));
	if (json_is_integer(b))
		return -cmp_mixed(json_integer_value(b), json_real_value(a));
	return cmp_double(json_real_value(a), json_real_value(b));
}

bool cs_number_whole(const json_t *v)
{
	double d = json_number_value(v);

	return json_is_integer(v) || cmp_double(trunc(d), d) == 0;
}

/* digits × 10^exp, sign left out: it does not matter for division. */
typedef struct decimal {
	uint64_t digits;
	int exp;
} decimal;

static decimal decimal_of_text(const char *s)
{
	decimal d = { 0, 0 };
	bool fraction = false;

	for (; *s != '\0' && *s != 'e' && *s != 'E'; s++) {
		if (*s == '.')
			fraction = true;
		if (*s < '0' || *s > '9')
			continue;
		/* The shortest form has at most 17 digits that count; zeros after them do not. */
		if (d.digits >= UINT64_MAX / 10 - 9) {
			d.exp += fraction ? 0 : 1;
			continue;
		}
		d.digits = d.digits * 10 + (uint64_t)(*s - '0');
		d.exp -= fraction ? 1 : 0;
	}
	if (*s != '\0')
		d.exp += (int)strtol(s + 1, NULL, 10);
	return d;
}

static decimal decimal_of(const json_t *v)
{
	char text[32];
	decimal d = { 0, 0 };

	if (json_is_integer(v)) {
		json_int_t i = json_integer_value(v);

		d.digits = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	} else if (cs_json_number(json_real_value(v), text, sizeof text) >= 0) {
		d = decimal_of_text(text);
	}
	for (; d.digits != 0 && d.digits % 10 == 0; d.digits /= 10)
		d.exp++;
	return d;
}

/* base × 10^e mod m */
static uint64_t scaled_mod(uint64_t base, unsigned e, uint64_t m)
{
	wide result = base % m, ten = 10 % m;

	for (; e > 0; e >>= 1) {
		if (e & 1)
			result = result * ten % m;
		ten = ten * ten % m;
	}
	return (uint64_t)result;
}

bool cs_number_multiple(const json_t *v, const json_t *of)
{
	decimal a = decimal_of(v), b = decimal_of(of);

	if (a.digits == 0)
		return true;
	if (b.digits == 0)
		return false;
	if (a.exp >= b.exp)
		return scaled_mod(a.digits, (unsigned)(a.exp - b.exp), b.digits) == 0;
	/* A's digits do not end in 0, so no power of ten is left in them to divide by. */
	return false;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

uint64_t cs_number_hash(const json_t *v)
{
	if (json_is_integer(v))
		return mix((uint64_t)json_integer_value(v));
	double d = json_real_value(v);

	if (d >= -TWO_63 && d < TWO_63 && cs_number_whole(v))
		return mix((uint64_t)(json_int_t)d);
	uint64_t bits;

	memcpy(&bits, &d, sizeof bits);
	return mix(bits);
}
