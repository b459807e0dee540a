/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/zone_rule.h"

/* FAR: further than any clock on the wall is from UTC; RFC 8536 knows offsets of up to 26 h. */
enum { FILE_MAX = 256 * 1024, HEADER = 44, TYPE = 6, CHANGES_MAX = 10000, TYPES_MAX = 256, FAR = 26 * 3600, RULE_MAX = 128 };

struct cs_zone {
	char *name;
	int64_t *at;                 /* n changes, ascending */
	uint8_t *type;               /* the type that holds from there */
	size_t n;
	int32_t *offsets;            /* by type */
	size_t n_types;
	bool ruled;                  /* there is a rule for what comes after the last change */
	cs_zone_rule rule;
};

/* ---- names ------------------------------------------------------------------------------------------------- */

bool cs_zone_is_name(const char *name)
{
	if (!cs_ascii_alpha(name[0]) || strlen(name) > CS_ZONE_NAME_MAX || strstr(name, "//") != NULL)
		return false;
	for (const char *p = name; *p; p++)
		if (!cs_ascii_alpha(*p) && !cs_ascii_digit(*p) && (strchr("/_+-", *p) == NULL))
			return false;
	return name[strlen(name) - 1] != '/';
}

/* ---- the file ---------------------------------------------------------------------------------------------- */

static uint64_t big(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

typedef struct header {
	uint8_t version;
	size_t isut, isstd, leap, changes, types, chars;
} header;

static bool read_header(const uint8_t *p, size_t n, header *ret)
{
	if (n < HEADER || memcmp(p, "TZif", 4) != 0)
		return false;
	const uint8_t *c = p + 20;
	*ret = (header){ .version = p[4], .isut = big(c, 4), .isstd = big(c + 4, 4), .leap = big(c + 8, 4),
			 .changes = big(c + 12, 4), .types = big(c + 16, 4), .chars = big(c + 20, 4) };
	return ret->isut <= TYPES_MAX && ret->isstd <= TYPES_MAX && ret->leap <= CHANGES_MAX && ret->changes <= CHANGES_MAX &&
	       ret->types >= 1 && ret->types <= TYPES_MAX && ret->chars <= FILE_MAX;
}

/* How long the block behind a header is whose times have WIDTH bytes. */
static size_t block(const header *h, size_t width)
{
	return h->changes * (width + 1) + h->types * TYPE + h->chars + h->leap * (width + 4) + h->isstd + h->isut;
}

static bool read_block(cs_zone *z, const header *h, const uint8_t *p)
{
	const uint8_t *types = p + h->changes * 8, *infos = types + h->changes;
	z->n = h->changes;
	z->at = cs_xcalloc(h->changes + 1, sizeof *z->at);
	z->type = cs_xcalloc(h->changes + 1, sizeof *z->type);
	z->n_types = h->types;
	z->offsets = cs_xcalloc(h->types, sizeof *z->offsets);
	for (size_t i = 0; i < h->types; i++) {
		z->offsets[i] = (int32_t)(uint32_t)big(infos + i * TYPE, 4);
		if (z->offsets[i] < -FAR || z->offsets[i] > FAR)
			return false;
	}
	for (size_t i = 0; i < h->changes; i++) {
		z->at[i] = (int64_t)big(p + i * 8, 8);
		z->type[i] = types[i];
		if (types[i] >= h->types || (i > 0 && z->at[i] <= z->at[i - 1]))
			return false;
	}
	return true;
}

static bool read_rule(cs_zone *z, const uint8_t *p, size_t n)
{
	char text[RULE_MAX];
	const uint8_t *end = n > 1 && p[0] == '\n' ? memchr(p + 1, '\n', n - 1) : NULL;
	if (end == NULL || (size_t)(end - p) > sizeof text)
		return false;
	size_t length = (size_t)(end - p) - 1;
	memcpy(text, p + 1, length);
	text[length] = '\0';
	z->ruled = length > 0;
	return strlen(text) == length && (!z->ruled || cs_zone_rule_parse(text, &z->rule));
}

static bool read_all(cs_zone *z, const uint8_t *p, size_t n)
{
	header h;
	if (!read_header(p, n, &h) || h.version < '2')
		return false;
	size_t skipped = HEADER + block(&h, 4);          /* the same once more, in 32 bits, for older readers */
	if (skipped > n || !read_header(p + skipped, n - skipped, &h) || h.leap > 0)
		return false;
	size_t body = skipped + HEADER, length = block(&h, 8);
	return body + length <= n && read_block(z, &h, p + body) && read_rule(z, p + body + length, n - body - length);
}

static void zone_freep(cs_zone **z)
{
	cs_zone_free(*z);
}

int cs_zone_parse(const char *name, const void *bytes, size_t n, cs_zone **ret, cs_err *err)
{
	CS_CLEANUP(zone_freep) cs_zone *z = cs_xcalloc(1, sizeof *z);
	z->name = cs_xstrdup(name);
	if (!read_all(z, bytes, n))
		return cs_err_set(err, CS_EINVAL, "the file of the time zone %.64s is damaged, or of a form that is not read "
				  "(TZif before version 2, or with leap seconds); install the package tzdata again", name);
	*ret = CS_STEAL(z);
	return CS_OK;
}

int cs_zone_load(const char *folder, const char *name, cs_zone **ret, cs_err *err)
{
	if (!cs_zone_is_name(name))
		return cs_err_set(err, CS_EINVAL, "'%.64s' is not a time zone; write one like Europe/Paris or UTC", name);
	if (strcmp(name, "UTC") == 0) {
		cs_zone *z = cs_xcalloc(1, sizeof *z);
		z->name = cs_xstrdup(name);
		z->offsets = cs_xcalloc(1, sizeof *z->offsets);
		z->n_types = 1;
		*ret = z;
		return CS_OK;
	}
	CS_AUTOFREE char *path = cs_path_join(folder != NULL ? folder : CS_ZONE_FOLDER, name);
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, FILE_MAX);
	if (!cs_file_exists(path))
		return cs_err_set(err, CS_ENOTFOUND, "the time zone %s is not in the database of this machine; "
				  "write another one, or install the package tzdata", name);
	int rc = cs_file_read(path, &bytes, err);
	return rc != CS_OK ? rc : cs_zone_parse(name, bytes.data, bytes.len, ret, err);
}

void cs_zone_free(cs_zone *z)
{
	if (z == NULL)
		return;
	free(z->name);
	free(z->at);
	free(z->type);
	free(z->offsets);
	free(z);
}

const char *cs_zone_name(const cs_zone *z)
{
	return z->name;
}

/* ---- what it says ------------------------------------------------------------------------------------------- */

int32_t cs_zone_offset(const cs_zone *z, int64_t t, int64_t *ret_until)
{
	size_t low = 0, high = z->n;
	while (low < high) {         /* the first change after T */
		size_t mid = low + (high - low) / 2;
		if (z->at[mid] <= t)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == z->n && z->ruled)
		return cs_zone_rule_offset(&z->rule, t, ret_until);
	if (ret_until != NULL)
		*ret_until = low < z->n ? z->at[low] : INT64_MAX;
	return z->offsets[low > 0 ? z->type[low - 1] : 0];
}

int64_t cs_zone_first(const cs_zone *z, int64_t local)
{
	for (int64_t t = local - FAR;;) {        /* before that no clock shows as much */
		int64_t until;
		int64_t there = local - cs_zone_offset(z, t, &until);
		if (there <= t)
			return t;
		if (there < until)
			return there;
		t = until;
	}
}
