/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/jq_names.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"

/* NAME/ARGUMENTS. Those that an expression may not use are left out, and so are the rarer ones of
 * mathematics: nobody means them by a slip. */
static const char *const known[] = {
	"IN/1", "IN/2", "INDEX/1", "INDEX/2", "JOIN/2", "JOIN/3", "JOIN/4", "add/0", "all/0", "all/1", "all/2", "any/0",
	"any/1", "any/2", "arrays/0", "ascii_downcase/0", "ascii_upcase/0", "booleans/0", "bsearch/1", "capture/1",
	"capture/2", "ceil/0", "combinations/0", "combinations/1", "contains/1", "del/1", "delpaths/1", "empty/0",
	"endswith/1", "error/0", "error/1", "exp/0", "explode/0", "fabs/0", "finites/0", "first/0", "first/1", "flatten/0",
	"flatten/1", "floor/0", "format/1", "from_entries/0", "fromdate/0", "fromdateiso8601/0", "fromjson/0",
	"fromstream/1", "getpath/1", "gmtime/0", "group_by/1", "gsub/2", "gsub/3", "has/1", "implode/0", "in/1", "index/1",
	"indices/1", "infinite/0", "inside/1", "isempty/1", "isfinite/0", "isinfinite/0", "isnan/0", "isnormal/0",
	"iterables/0", "join/1", "keys/0", "keys_unsorted/0", "last/0", "last/1", "leaf_paths/0", "length/0", "limit/2",
	"log/0", "log10/0", "log2/0", "ltrimstr/1", "map/1", "map_values/1", "match/1", "match/2", "max/0", "max_by/1",
	"min/0", "min_by/1", "mktime/0", "nan/0", "normals/0", "not/0", "nth/1", "nth/2", "nulls/0", "numbers/0",
	"objects/0", "path/1", "paths/0", "paths/1", "pow/2", "range/1", "range/2", "range/3", "recurse/0", "recurse/1",
	"recurse/2", "recurse_down/0", "repeat/1", "reverse/0", "rindex/1", "round/0", "rtrimstr/1", "scalars/0",
	"scalars_or_empty/0", "scan/1", "select/1", "setpath/2", "sort/0", "sort_by/1", "split/1", "split/2", "splits/1",
	"splits/2", "sqrt/0", "startswith/1", "strftime/1", "strings/0", "strptime/1", "sub/2", "sub/3", "test/1", "test/2",
	"to_entries/0", "todate/0", "todateiso8601/0", "tojson/0", "tonumber/0", "tostream/0", "tostring/0", "transpose/0",
	"truncate_stream/1", "type/0", "unique/0", "unique_by/1", "until/2", "utf8bytelength/0", "values/0", "walk/1",
	"while/2", "with_entries/1", NULL,
};

enum { NAME_MAX_BYTES = 40 };

/* "NAME/N is not defined": the name, cut off at the slash. */
static bool undefined_name(const char *why, char name[NAME_MAX_BYTES])
{
	size_t n = strcspn(why, "/ ");
	if (why[n] != '/' || n == 0 || n >= NAME_MAX_BYTES || !strstr(why + n, " is not defined"))
		return false;
	memcpy(name, why, n);
	name[n] = '\0';
	return true;
}

/* How many arguments the functions named NAME take: "0, 1"; false when there is none. */
static bool arguments_of(const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;
	out[0] = '\0';
	for (const char *const *k = known; *k; k++) {
		if (strncmp(*k, name, len) != 0 || (*k)[len] != '/')
			continue;
		int w = snprintf(out + n, size - n, "%s%s", n ? " or " : "", *k + len + 1);
		n += w > 0 && (size_t)w < size - n ? (size_t)w : 0;
	}
	return n > 0;
}

/* The known function nearest to NAME; false: none is near. */
static bool nearest(const char *name, char ret[NAME_MAX_BYTES])
{
	char texts[CS_ARRAY_LEN(known)][NAME_MAX_BYTES];
	const char *names[CS_ARRAY_LEN(known)];
	size_t n = 0;
	for (; known[n]; n++) {
		snprintf(texts[n], sizeof texts[n], "%.*s", (int)strcspn(known[n], "/"), known[n]);
		names[n] = texts[n];
	}
	names[n] = NULL;
	const char *near = cs_suggest(name, names);
	if (near)
		memcpy(ret, near, strlen(near) + 1);
	return near != NULL;
}

void cs_jq_report(cs_diags *d, const char *file, unsigned line, unsigned col, const char *why)
{
	char name[NAME_MAX_BYTES], near[NAME_MAX_BYTES] = "", counts[40];
	if (!undefined_name(why, name)) {
		cs_diags_add(d, false, file, line, col, "%s", why);
		return;
	}
	const char *given = why + strlen(name) + 1;
	if (arguments_of(name, counts, sizeof counts))
		cs_diags_add(d, false, file, line, col, "jq's function '%s' takes %s argument%s, not %.*s; they are separated by ';'", name, counts,
			     strcmp(counts, "1") == 0 ? "" : "s", (int)strspn(given, "0123456789"), given);
	else if (nearest(name, near))
		cs_diags_add(d, false, file, line, col, "jq has no function '%s'; did you mean '%s'?", name, near);
	else
		cs_diags_add(d, false, file, line, col, "jq has no function '%s'; define it in the expression ('def %s: …;'), or write a text in quotes",
			     name, name);
	cs_diags_suggest(d, near[0] ? near : NULL);
}
