/* SPDX-License-Identifier: GPL-3.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/regex_ecma.h"

#define MAX_PATTERN 16384
#define MATCH_LIMIT 1000000       /* steps; a few milliseconds */
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KIB 16384

struct cs_regex {
	pcre2_code *code;
	pcre2_match_context *limits;  /* only read while matching */
};

void cs_regex_free(cs_regex *r)
{
	if (!r)
		return;
	pcre2_match_context_free(r->limits);
	pcre2_code_free(r->code);
	free(r);
}

void cs_regex_freep(cs_regex **r)
{
	cs_regex_free(*r);
	*r = NULL;
}

static int compile(const char *pattern, size_t len, uint32_t options, uint32_t extra, cs_regex **ret, cs_err *err)
{
	if (len > MAX_PATTERN)
		return cs_err_set(err, CS_ETOOBIG, "a pattern is longer than %d bytes; make it shorter", MAX_PATTERN);
	int number = 0;
	PCRE2_SIZE offset = 0;
	pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
	if (!ctx)
		abort();
	pcre2_set_compile_extra_options(ctx, extra);
	pcre2_set_parens_nest_limit(ctx, 100);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, len, options | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &number,
					 &offset, ctx);
	pcre2_compile_context_free(ctx);
	if (!code) {
		unsigned char why[160] = "";
		pcre2_get_error_message(number, why, sizeof why);
		return cs_err_at(err, CS_ESYNTAX, NULL, 1, (unsigned)offset + 1, "not a pattern: %s", (const char *)why);
	}
	/* Without a compiler for this processor the interpreter gives the same answers, slower. */
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	cs_regex *r = cs_xcalloc(1, sizeof *r);
	r->code = code;
	r->limits = pcre2_match_context_create(NULL);
	if (!r->limits)
		abort();
	pcre2_set_match_limit(r->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
	*ret = r;
	return 0;
}

int cs_regex_new(const char *pattern, unsigned flags, cs_regex **ret, cs_err *err)
{
	uint32_t options = flags & CS_REGEX_CASELESS ? PCRE2_CASELESS : 0;
	return compile(pattern, strlen(pattern), options, 0, ret, err);
}

int cs_regex_new_ecma(const char *pattern, cs_regex **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf b;
	/* The longest translation of one character is that of \S in a set. */
	cs_buf_init(&b, (size_t)MAX_PATTERN * 4);
	int r = cs_regex_from_ecma(pattern, &b, err);
	if (r < 0)
		return r;
	if (b.len > MAX_PATTERN)
		return cs_err_set(err, CS_ETOOBIG, "a pattern is too long; make it shorter");
	return compile(cs_buf_str(&b), b.len,
		       PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS, 0, ret, err);
}

static int code_of(int pcre)
{
	switch (pcre) {
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		return CS_ETOOBIG;
	case PCRE2_ERROR_NOMEMORY:
		return CS_ENOMEM;
	default:
		/* The text is not UTF-8, or START lies within a character. */
		return CS_EINVAL;
	}
}

int cs_regex_match(const cs_regex *r, const char *s, size_t len, size_t start, size_t *ret_begin, size_t *ret_end)
{
	if (start > len)
		return CS_EINVAL;
	/* Room for the whole match only: the groups are not asked for. */
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	if (!data)
		return CS_ENOMEM;
	int n = pcre2_match(r->code, (PCRE2_SPTR)s, len, start, 0, data, r->limits);
	/* The compiled form has 32 KiB of stack; the interpreter has the heap's limit. */
	if (n == PCRE2_ERROR_JIT_STACKLIMIT)
		n = pcre2_match(r->code, (PCRE2_SPTR)s, len, start, PCRE2_NO_JIT, data, r->limits);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
	if (n >= 0 && ret_begin)
		*ret_begin = at[0];
	if (n >= 0 && ret_end)
		*ret_end = at[1];
	pcre2_match_data_free(data);
	return n >= 0 ? 1 : n == PCRE2_ERROR_NOMATCH ? 0 : code_of(n);
}
