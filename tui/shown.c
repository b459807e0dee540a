/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "tui/shown.h"

void cs_shown_init(cs_shown *s, const char *text)
{
	*s = (cs_shown){ .text = text ? text : "" };
	s->len = strlen(s->text);
	s->taken = cs_xcalloc(s->len + 1, sizeof(*s->taken));
}

void cs_shown_fini(cs_shown *s)
{
	free(s->taken);
	*s = (cs_shown){ 0 };
}

static bool is_free(const cs_shown *s, size_t at, size_t len)
{
	for (size_t i = at; i < at + len; i++)
		if (s->taken[i])
			return false;
	return true;
}

bool cs_shown_take(cs_shown *s, const char *value)
{
	size_t len = strlen(value);
	const char *p = s->text;

	while (len > 0 && (p = strstr(p, value)) != NULL) {
		size_t at = (size_t)(p - s->text);
		char before = at ? p[-1] : '\n', after = p[len];

		if ((before == '\n' || before == ' ') && (after == '\0' || after == '\n') && is_free(s, at, len)) {
			memset(s->taken + at, 1, len);
			return true;
		}
		p++;
	}
	return false;
}
