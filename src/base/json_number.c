/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A positive double as 0.DIGITS times ten to the power POINT, without trailing zeros. */
struct decimal {
	char digits[20];
	int n, point;
};

/* Digits and exponent out of "d,ddde-xx": whatever the locale's decimal point is, it is skipped. */
static void take_apart(const char *text, struct decimal *d)
{
	d->n = 0;
	for (; *text && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9' && d->n < (int)sizeof d->digits)
			d->digits[d->n++] = *text;
	d->point = *text == 'e' ? (int)strtol(text + 1, NULL, 10) + 1 : 1;
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
}

/* The digits next above those in TEXT ("d.ddde-xx"), in place; false when they are all nines. */
static bool step_up(char *text)
{
	char *e = strchr(text, 'e');
	while (e && e > text) {
		e--;
		if (*e == '9')
			*e = '0';
		else if (*e >= '0' && *e < '9')
			return ++*e, true;
	}
	return false;
}

static bool round_trips(double v, int digits, char *text, size_t size)
{
	snprintf(text, size, "%.*e", digits - 1, v);
	return strtod(text, NULL) == v;
}

/* The fewest digits that read back as V; of those the nearest. Fifteen digits of a normal double
 * that read back hold every shorter form (DBL_DIG); a subnormal may have fewer. */
static void shortest(double v, struct decimal *d)
{
	char text[48];
	int digits = v < DBL_MIN ? 1 : DBL_DIG, exponent;
	for (; digits < 17; digits++) {
		if (round_trips(v, digits, text, sizeof text))
			break;
		/* Below a power of two the doubles lie twice as close as above it: the nearest 16
		 * digits may fall out of the interval on that side while the next above lie in it. */
		if (digits == 16 && frexp(v, &exponent) == 0.5 && step_up(text) && strtod(text, NULL) == v)
			break;
	}
	if (digits == 17)
		snprintf(text, sizeof text, "%.16e", v);
	take_apart(text, d);
}

static char *zeros(char *o, int n)
{
	for (; n > 0; n--)
		*o++ = '0';
	return o;
}

static char *copy(char *o, const char *p, int n)
{
	memcpy(o, p, (size_t)n);
	return o + n;
}

static char *exponent_form(char *o, const struct decimal *d)
{
	int e = d->point - 1;
	*o++ = d->digits[0];
	if (d->n > 1) {
		*o++ = '.';
		o = copy(o, d->digits + 1, d->n - 1);
	}
	*o++ = 'e';
	*o++ = e < 0 ? '-' : '+';
	e = e < 0 ? -e : e;
	if (e >= 100)
		*o++ = (char)('0' + e / 100);
	if (e >= 10)
		*o++ = (char)('0' + e / 10 % 10);
	*o++ = (char)('0' + e % 10);
	return o;
}

/* ECMA-262, Number::toString: where the point stands decides the form. */
static char *layout(char *o, const struct decimal *d)
{
	if (d->point > 21 || d->point <= -6)
		return exponent_form(o, d);
	if (d->point <= 0) {
		o = copy(o, "0.", 2);
		o = zeros(o, -d->point);
		return copy(o, d->digits, d->n);
	}
	if (d->n <= d->point) {
		o = copy(o, d->digits, d->n);
		return zeros(o, d->point - d->n);
	}
	o = copy(o, d->digits, d->point);
	*o++ = '.';
	return copy(o, d->digits + d->point, d->n - d->point);
}

int cs_json_number(double d, char *out, size_t size)
{
	char text[40], *o = text;
	if (!isfinite(d))
		return CS_EINVAL;
	if (d < 0)
		*o++ = '-';
	double v = fabs(d);
	if (v < 9007199254740992.0 && v == (double)(long long)v) {
		o += snprintf(o, sizeof text - 1, "%lld", (long long)v);
	} else {
		struct decimal dec;
		shortest(v, &dec);
		o = layout(o, &dec);
	}
	size_t n = (size_t)(o - text);
	if (n >= size)
		return CS_ETOOBIG;
	memcpy(out, text, n);
	out[n] = '\0';
	return (int)n;
}
