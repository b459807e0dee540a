/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats that are checked (Validation 2020-12, section 7.3); names not in the table are
 * notes to people. */
#include <string.h>
#include "base/ascii.h"
#include "base/mem.h"
#include "flow/schema_in.h"

/* RFC 4122: 8-4-4-4-12 hex digits. */
static bool uuid(const char *s, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : cs_ascii_hex(s[i]) < 0)
			return false;
	}
	return true;
}

/* RFC 6901 */
static bool json_pointer(const char *s, size_t len)
{
	if (len > 0 && s[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] == '~' && (i + 1 == len || (s[i + 1] != '0' && s[i + 1] != '1')))
			return false;
	return true;
}

/* How many levels up, then # or a pointer. */
static bool relative_json_pointer(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && cs_ascii_digit(s[n]))
		n++;
	if (n == 0 || (n > 1 && s[0] == '0'))
		return false;
	if (len == n + 1 && s[n] == '#')
		return true;
	return json_pointer(s + n, len - n);
}

static bool regex(const char *s, size_t len)
{
	CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;

	return strlen(s) == len && cs_regex_new_ecma(s, &r, NULL) >= 0;
}

static const cs_format FORMATS[] = {
	{ "date-time", "a date and time such as 2026-03-01T09:30:00Z", cs_format_date_time },
	{ "date", "a date such as 2026-03-01", cs_format_date },
	{ "time", "a time with an offset such as 09:30:00Z", cs_format_time },
	{ "duration", "a duration such as PT30M or P2D", cs_format_duration },
	{ "email", "a mail address such as name@example.com", cs_format_email },
	{ "hostname", "a host name such as www.example.com", cs_format_hostname },
	{ "ipv4", "an IPv4 address such as 192.0.2.1", cs_format_ipv4 },
	{ "ipv6", "an IPv6 address such as 2001:db8::1", cs_format_ipv6 },
	{ "uri", "a full URI such as https://example.com/path", cs_format_uri },
	{ "uri-reference", "a URI or a part of one such as /path", cs_format_uri_reference },
	{ "uri-template", "a URI template such as https://example.com/{id}", cs_format_uri_template },
	{ "uuid", "a UUID such as 123e4567-e89b-12d3-a456-426614174000", uuid },
	{ "json-pointer", "a JSON pointer such as /items/0", json_pointer },
	{ "relative-json-pointer", "a relative JSON pointer such as 1/name", relative_json_pointer },
	{ "regex", "a regular expression", regex },
};

const cs_format *cs_schema_format(const char *name)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(FORMATS); i++)
		if (strcmp(FORMATS[i].name, name) == 0)
			return &FORMATS[i];
	return NULL;
}
