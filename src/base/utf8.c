/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"

/* Length and least code point by the first byte; RFC 3629. */
static size_t sequence(unsigned char lead, int32_t *least, int32_t *bits)
{
	if (lead < 0x80) {
		*bits = lead;
		*least = 0;
		return 1;
	}
	if (lead >= 0xC2 && lead <= 0xDF) {
		*bits = lead & 0x1F;
		*least = 0x80;
		return 2;
	}
	if (lead >= 0xE0 && lead <= 0xEF) {
		*bits = lead & 0x0F;
		*least = 0x800;
		return 3;
	}
	if (lead >= 0xF0 && lead <= 0xF4) {
		*bits = lead & 0x07;
		*least = 0x10000;
		return 4;
	}
	return 0;
}

int32_t cs_utf8_next(const char **s, const char *end)
{
	const unsigned char *p = (const unsigned char *)*s;
	int32_t least = 0, cp = 0;
	size_t n = sequence(*p, &least, &cp);
	++*s;
	if (n == 0 || (size_t)(end - (const char *)p) < n)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return -1;
		cp = (cp << 6) | (p[i] & 0x3F);
	}
	if (cp < least || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return -1;
	*s += n - 1;
	return cp;
}

bool cs_utf8_valid(const char *s, size_t len)
{
	const char *end = s + len;
	while (s < end) {
		if ((unsigned char)*s < 0x80)
			s++;
		else if (cs_utf8_next(&s, end) < 0)
			return false;
	}
	return true;
}

/* Format characters that have a shape of their own: the prepended concatenation marks. */
static bool is_visible_format(int32_t cp)
{
	return (cp >= 0x600 && cp <= 0x605) || cp == 0x6DD || cp == 0x70F || cp == 0x8E2 || cp == 0x110BD || cp == 0x110CD;
}

static bool is_emoji_selector(int32_t cp)
{
	return cp == 0xFE0E || cp == 0xFE0F;
}

bool cs_utf8_hostile(int32_t cp)
{
	if (cp >= 0x20 && cp < 0x7F)
		return false;
	if (cp < 0 || cp > 0x10FFFF)
		return true;
	if (is_emoji_selector(cp))
		return false;
	const utf8proc_property_t *p = utf8proc_get_property(cp);
	switch (p->category) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	case UTF8PROC_CATEGORY_CF:
		return !is_visible_format(cp);
	default:
		/* Fillers, joiners and selectors that are letters or marks by category. */
		return p->ignorable;
	}
}

static bool takes_selector(int32_t cp)
{
	if ((cp >= '0' && cp <= '9') || cp == '#' || cp == '*')
		return true;
	return cp > 0 && utf8proc_get_property(cp)->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

static bool is_mark(int32_t cp)
{
	utf8proc_category_t c = utf8proc_category(cp);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_ME;
}

/* Whether CP after BEFORE (0 at the start of a line) may be shown as it is. A mark with nothing
 * before it would sit on what the screen shows to the left of our text. */
static bool is_plain(int32_t cp, int32_t before)
{
	if (cp >= 0x20 && cp < 0x7F)
		return true;
	if (cs_utf8_hostile(cp))
		return false;
	if (is_emoji_selector(cp))
		return takes_selector(before);
	return before != 0 || !is_mark(cp);
}

int cs_utf8_show(const char *s, size_t len, bool keep_newlines, cs_buf *out)
{
	const char *end = s + len;
	int32_t before = 0;
	while (s < end) {
		const char *start = s;
		int32_t cp = cs_utf8_next(&s, end);
		if (cp < 0) {
			cs_buf_addf(out, "‹%02X›", (unsigned)(unsigned char)*start);
			before = '>';
		} else if (cp == '\n' && keep_newlines) {
			cs_buf_addc(out, '\n');
			before = 0;
		} else if (cp == '\t' && keep_newlines) {
			cs_buf_add(out, "    ", 4);
			before = ' ';
		} else if (is_plain(cp, before)) {
			cs_buf_add(out, start, (size_t)(s - start));
			before = cp;
		} else {
			cs_buf_addf(out, "‹U+%04X›", (unsigned)cp);
			before = '>';
		}
	}
	return out->failed;
}

char *cs_utf8_shown(const char *s)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, SIZE_MAX);
	if (cs_utf8_show(s, strlen(s), false, &b) < 0)
		abort();
	return cs_buf_steal(&b);
}

static int columns(int32_t cp)
{
	if (cp >= 0x20 && cp < 0x7F)
		return 1;
	return cp < 0 ? 1 : utf8proc_charwidth(cp);
}

int cs_utf8_width(const char *s, size_t len)
{
	const char *end = s + len;
	int cols = 0;
	while (s < end)
		cols += columns(cs_utf8_next(&s, end));
	return cols;
}

size_t cs_utf8_fit(const char *s, size_t len, int cols, int *ret_cols)
{
	const char *p = s, *end = s + len;
	size_t fits = 0;              /* bytes up to the last boundary within COLS */
	int used = 0, at_fits = 0;
	int32_t before = -1, state = 0;
	while (p < end) {
		const char *start = p;
		int32_t cp = cs_utf8_next(&p, end);
		if (before < 0 || cp < 0 || utf8proc_grapheme_break_stateful(before, cp, &state)) {
			fits = (size_t)(start - s);
			at_fits = used;
		}
		used += columns(cp);
		before = cp;
		if (used > cols)
			break;
	}
	if (used <= cols) {
		fits = len;
		at_fits = used;
	}
	*ret_cols = at_fits;
	return fits;
}
