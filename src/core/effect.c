/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/effect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { DETAIL_MAX = 8192 };

static const char *const outcome_names[] = {
	[CS_OUTCOME_DONE] = "done",
	[CS_OUTCOME_NOT_SENT] = "not-sent",
	[CS_OUTCOME_REJECTED] = "rejected",
	[CS_OUTCOME_TRANSIENT] = "transient",
	[CS_OUTCOME_AMBIGUOUS] = "ambiguous",
};

/* Index of WORD in NAMES, or -1. */
static int find_word(const char *word, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, names[i]) == 0)
			return (int)i;
	return -1;
}

const char *cs_outcome_kind_name(cs_outcome_kind kind)
{
	return outcome_names[kind];
}

int cs_outcome_kind_parse(const char *word, cs_outcome_kind *ret, cs_err *err)
{
	int i = word ? find_word(word, outcome_names, CS_ARRAY_LEN(outcome_names)) : -1;
	if (i < 0)
		return cs_err_set(err, CS_EINVAL,
				  "outcome: \"%s\" is none of done, not-sent, rejected, transient, ambiguous",
				  word ? word : "");
	*ret = (cs_outcome_kind)i;
	return CS_OK;
}

cs_outcome *cs_outcome_new(cs_outcome_kind kind)
{
	cs_outcome *o = cs_xcalloc(1, sizeof *o);
	o->kind = kind;
	return o;
}

void cs_outcome_free(cs_outcome *o)
{
	if (!o)
		return;
	json_decref(o->result);
	json_decref(o->error);
	json_decref(o->record);
	free(o);
}

void cs_outcome_freep(cs_outcome **o)
{
	cs_outcome_free(*o);
	*o = NULL;
}

json_t *cs_effect_text(const char *s, size_t n, size_t max)
{
	size_t keep = n > max ? max : n;
	/* not in the middle of a character: at most three bytes of one may stand before the cut */
	for (int i = 0; keep < n && keep && i < 3 && ((unsigned char)s[keep] & 0xc0) == 0x80; i++)
		keep--;
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 12 * max + 64);   /* an escape is at most 12 bytes for one */
	if (cs_utf8_valid(s, keep) && !memchr(s, 0, keep))
		cs_buf_add(&b, s, keep);
	else
		cs_utf8_show(s, keep, true, &b);
	if (keep < n)
		cs_buf_adds(&b, " …");
	json_t *v = b.failed ? NULL : json_stringn(cs_buf_str(&b), b.len);
	return v ? v : json_string("text that cannot be shown");
}

cs_outcome *cs_outcome_failed(cs_outcome_kind kind, cs_error_type type, int status,
			      const char *title, const char *fmt, ...)
{
	char detail[DETAIL_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	cs_outcome *o = cs_outcome_new(kind);
	o->error = cs_error_object(type, status, title, detail);
	return o;
}
