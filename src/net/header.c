/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"

/* Fields that decide where a message goes or where it ends. */
static const char *const ours[] = {
	"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection",
	"Proxy-Authorization", "Expect", "Upgrade", "TE", "Trailer",
};

void cs_headers_fini(cs_headers *h)
{
	for (size_t i = 0; i < h->count; i++) {
		free(h->list[i].name);
		free(h->list[i].value);
	}
	free(h->list);
	*h = (cs_headers){ 0 };
}

void cs_headers_add(cs_headers *h, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (h->count == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 16;
		h->list = cs_xrealloc(h->list, h->cap * sizeof *h->list);
	}
	h->list[h->count++] = (cs_header){ cs_xstrndup(name, name_len), cs_xstrndup(value, value_len) };
}

const char *cs_headers_get(const cs_headers *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (strcasecmp(h->list[i].name, name) == 0)
			return h->list[i].value;
	return NULL;
}

/* Each number of LIST is *SEEN (*LEN digits without leading zeros), which the first of all sets. */
static bool same_number(const char *list, const char **seen, size_t *len)
{
	for (const char *p = list;; p++) {
		p += strspn(p, " \t");
		size_t digits = strspn(p, "0123456789"), zeros = strspn(p, "0");
		if (digits == 0)
			return false;
		zeros -= zeros == digits;
		if (*seen && (digits - zeros != *len || memcmp(p + zeros, *seen, *len) != 0))
			return false;
		*seen = p + zeros;
		*len = digits - zeros;
		p += digits;
		p += strspn(p, " \t");
		if (*p != ',')
			return *p == '\0';
	}
}

bool cs_headers_length_plain(const cs_headers *h)
{
	const char *seen = NULL;
	size_t len = 0;
	for (size_t i = 0; i < h->count; i++)
		if (strcasecmp(h->list[i].name, "Content-Length") == 0 && !same_number(h->list[i].value, &seen, &len))
			return false;
	return true;
}

static bool token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

int cs_header_check(const char *name, size_t name_len, const char *value, size_t len, cs_err *err)
{
	if (name_len == 0 || name_len > 256)
		return cs_err_set(err, CS_EINVAL, "header: a name has 1 to 256 characters");
	for (size_t i = 0; i < name_len; i++)
		if (!token_char((unsigned char)name[i]))
			return cs_err_set(err, CS_EINVAL,
					  "header: a name has letters, digits and !#$%%&'*+-.^_`|~ only; character %zu is not one",
					  i + 1);
	for (size_t i = 0; i < CS_ARRAY_LEN(ours); i++)
		if (strlen(ours[i]) == name_len && strncasecmp(ours[i], name, name_len) == 0)
			return cs_err_set(err, CS_EINVAL, "header: %s is written by capstan itself; leave it out",
					  ours[i]);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return cs_err_set(err, CS_EINVAL,
					  "header: the value of %.*s has a control character (0x%02x) at byte %zu; it would start a new header",
					  (int)name_len, name, c, i + 1);
	}
	return CS_OK;
}

bool cs_method_ok(const char *method)
{
	size_t n = strlen(method);
	if (n == 0 || n > 32)
		return false;
	for (size_t i = 0; i < n; i++)
		if (method[i] != '-' && (method[i] < 'A' || method[i] > 'Z'))
			return false;
	return strcmp(method, "CONNECT") != 0;
}

bool cs_method_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}
