/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and addresses: URIs (RFC 3986), URI templates (RFC 6570), IP addresses, host names
 * (RFC 1123), mail addresses (RFC 5321, without quoted and UTF-8 local parts). */
#include <arpa/inet.h>
#include <string.h>
#include "base/ascii.h"
#include "flow/schema_in.h"

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

#define UNRESERVED "-._~"
#define SUB_DELIMS "!$&'()*+,;="

/* Only letters, digits, whole %XX and what EXTRA lists. */
static bool made_of(const char *s, size_t n, const char *extra)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%') {
			if (n - i < 3 || cs_ascii_hex(s[i + 1]) < 0 || cs_ascii_hex(s[i + 2]) < 0)
				return false;
			i += 2;
		} else if (!cs_ascii_alpha(s[i]) && !cs_ascii_digit(s[i]) && !is_one_of(s[i], extra)) {
			return false;
		}
	}
	return true;
}

bool cs_format_ipv4(const char *s, size_t len)
{
	struct in_addr a;

	/* inet_pton takes exactly four decimal numbers without leading zeros. */
	return strlen(s) == len && inet_pton(AF_INET, s, &a) == 1;
}

bool cs_format_ipv6(const char *s, size_t len)
{
	struct in6_addr a;

	return strlen(s) == len && inet_pton(AF_INET6, s, &a) == 1;
}

static bool ip_literal(const char *s, size_t n)
{
	char text[64];

	if (n < 2 || n > sizeof text || s[n - 1] != ']')
		return false;
	if (s[1] == 'v' || s[1] == 'V') {
		size_t dot = 2;

		while (dot < n && cs_ascii_hex(s[dot]) >= 0)
			dot++;
		return dot > 2 && dot + 2 < n && s[dot] == '.' &&
			made_of(s + dot + 1, n - dot - 2, UNRESERVED SUB_DELIMS ":") && memchr(s, '%', n) == NULL;
	}
	memcpy(text, s + 1, n - 2);
	text[n - 2] = '\0';
	return cs_format_ipv6(text, n - 2);
}

/* [userinfo@]host[:port] */
static bool authority(const char *s, size_t n)
{
	const char *at = memchr(s, '@', n);

	if (at != NULL) {
		if (!made_of(s, (size_t)(at - s), UNRESERVED SUB_DELIMS ":"))
			return false;
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	size_t host = n;

	while (host > 0 && cs_ascii_digit(s[host - 1]))
		host--;
	host = host > 0 && s[host - 1] == ':' ? host - 1 : n;
	if (host > 0 && s[0] == '[')
		return ip_literal(s, host);
	return made_of(s, host, UNRESERVED SUB_DELIMS);
}

/* What follows the scheme. */
static bool hier_part(const char *s, bool may_begin_with_colon)
{
	if (s[0] == '/' && s[1] == '/') {
		size_t n = strcspn(s + 2, "/?#");

		if (!authority(s + 2, n))
			return false;
		s += 2 + n;
	}
	size_t n = strcspn(s, "?#");

	if (!made_of(s, n, UNRESERVED SUB_DELIMS ":@/"))
		return false;
	/* "a:b" would be a scheme. */
	if (!may_begin_with_colon && memchr(s, ':', strcspn(s, "/?#")) != NULL)
		return false;
	s += n;
	if (*s == '?') {
		n = strcspn(s + 1, "#");
		if (!made_of(s + 1, n, UNRESERVED SUB_DELIMS ":@/?"))
			return false;
		s += 1 + n;
	}
	return *s == '\0' || made_of(s + 1, strlen(s + 1), UNRESERVED SUB_DELIMS ":@/?");
}

bool cs_format_uri(const char *s, size_t len)
{
	size_t n = 1;

	if (strlen(s) != len || !cs_ascii_alpha(s[0]))
		return false;
	while (cs_ascii_alpha(s[n]) || cs_ascii_digit(s[n]) || is_one_of(s[n], "+-."))
		n++;
	return s[n] == ':' && hier_part(s + n + 1, true);
}

bool cs_format_uri_reference(const char *s, size_t len)
{
	return strlen(s) == len && (cs_format_uri(s, len) || hier_part(s, false));
}

/* Letters, digits, _ and %XX, in parts with single dots between them. */
static bool variable_name(const char *s, size_t n)
{
	if (n == 0 || s[0] == '.' || s[n - 1] == '.')
		return false;
	for (size_t i = 1; i < n; i++)
		if (s[i] == '.' && s[i - 1] == '.')
			return false;
	return made_of(s, n, "_.");
}

/* Nothing, * or :N with N from 1 to 9999. */
static bool modifier(const char *s, size_t n)
{
	if (n == 0 || (n == 1 && s[0] == '*'))
		return true;
	if (s[0] != ':' || n < 2 || n > 5 || s[1] == '0')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!cs_ascii_digit(s[i]))
			return false;
	return true;
}

static bool variable(const char *s, size_t n)
{
	size_t name = 0;

	while (name < n && s[name] != ':' && s[name] != '*')
		name++;
	return variable_name(s, name) && modifier(s + name, n - name);
}

static bool expression(const char *s, size_t n)
{
	if (n > 0 && is_one_of(s[0], "+#./;?&")) {
		s++;
		n--;
	}
	while (n > 0) {
		const char *comma = memchr(s, ',', n);
		size_t one = comma != NULL ? (size_t)(comma - s) : n;

		if (!variable(s, one))
			return false;
		if (comma == NULL)
			return true;
		s += one + 1;
		n -= one + 1;
	}
	return false;
}

bool cs_format_uri_template(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '{') {
			const char *close = memchr(s + i, '}', len - i);

			if (close == NULL || !expression(s + i + 1, (size_t)(close - s) - i - 1))
				return false;
			i = (size_t)(close - s);
		} else if (c == '%') {
			if (len - i < 3 || cs_ascii_hex(s[i + 1]) < 0 || cs_ascii_hex(s[i + 2]) < 0)
				return false;
		} else if (c <= 0x20 || c == 0x7f || is_one_of((char)c, "\"'<>\\^`|}")) {
			return false;
		}
	}
	return true;
}

static bool label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!cs_ascii_alpha(s[i]) && !cs_ascii_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool cs_format_hostname(const char *s, size_t len)
{
	if (len == 0 || len > 253)
		return false;
	for (;;) {
		const char *dot = memchr(s, '.', len);
		size_t n = dot != NULL ? (size_t)(dot - s) : len;

		if (!label(s, n))
			return false;
		if (dot == NULL)
			return true;
		s += n + 1;
		len -= n + 1;
	}
}

static bool mail_domain(const char *s, size_t n)
{
	char text[64];

	if (n < 3 || s[0] != '[')
		return cs_format_hostname(s, n);
	if (n - 1 > sizeof text || s[n - 1] != ']')
		return false;
	memcpy(text, s + 1, n - 2);
	text[n - 2] = '\0';
	if (strncmp(text, "IPv6:", 5) == 0)
		return cs_format_ipv6(text + 5, n - 7);
	return cs_format_ipv4(text, n - 2);
}

bool cs_format_email(const char *s, size_t len)
{
	const char *at = strrchr(s, '@');

	if (strlen(s) != len || at == NULL || at == s || at - s > 64 || s[0] == '.' || at[-1] == '.')
		return false;
	for (const char *p = s; p < at; p++) {
		if (!cs_ascii_alpha(*p) && !cs_ascii_digit(*p) && !is_one_of(*p, ".!#$%&'*+/=?^_`{|}~-"))
			return false;
		if (*p == '.' && p[1] == '.')
			return false;
	}
	return mail_domain(at + 1, len - (size_t)(at + 1 - s));
}
