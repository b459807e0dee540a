/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	int code, status;
	const char *word;
} codes[] = {
	{ CS_OK, 0, "ok" },
	{ CS_EINVAL, 2, "invalid" },
	{ CS_ENOMEM, 5, "no-memory" },
	{ CS_ETOOBIG, 1, "too-big" },
	{ CS_ENOTFOUND, 3, "not-found" },
	{ CS_EREFUSED, 4, "refused" },
	{ CS_EUNAVAIL, 5, "unavailable" },
	{ CS_EIO, 5, "io" },
	{ CS_ESYNTAX, 1, "syntax" },
	{ CS_ETIMEOUT, 5, "timeout" },
	{ CS_EAGAIN, 5, "not-yet" },
	{ CS_EINTERNAL, 1, "internal" },
	{ CS_EUNSUPPORTED, 1, "unsupported" },
};

static const struct {
	int errnum, code;
} system_codes[] = {
	{ ENOENT, CS_ENOTFOUND }, { ENOMEM, CS_ENOMEM }, { EACCES, CS_EREFUSED },
	{ EPERM, CS_EREFUSED }, { EROFS, CS_EREFUSED }, { EEXIST, CS_EREFUSED },
	{ ENOTEMPTY, CS_EREFUSED }, { EINVAL, CS_EINVAL }, { EISDIR, CS_EINVAL },
	{ ENOTDIR, CS_EINVAL }, { ENAMETOOLONG, CS_EINVAL }, { ELOOP, CS_EINVAL },
	{ EFBIG, CS_ETOOBIG }, { ETIMEDOUT, CS_ETIMEOUT }, { EAGAIN, CS_EAGAIN },
	{ ECONNREFUSED, CS_EUNAVAIL }, { ECONNRESET, CS_EUNAVAIL },
};

/* A sentence that was cut must not end within a character. */
static void trim_partial(char *s)
{
	size_t n = strlen(s), back = 0;
	while (back < n && back < 3 && ((unsigned char)s[n - 1 - back] & 0xC0) == 0x80)
		back++;
	if (back == n)
		return;
	unsigned char lead = (unsigned char)s[n - 1 - back];
	size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
	if (want > back)
		s[n - 1 - back] = '\0';
}

static void fill(cs_err *err, int code, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static void fill(cs_err *err, int code, const char *fmt, va_list ap)
{
	/* Formatted first: an argument may be the message that is being replaced. */
	char msg[sizeof err->msg];
	int n = vsnprintf(msg, sizeof msg, fmt, ap);
	if (n < 0)
		msg[0] = '\0';
	else if ((size_t)n >= sizeof msg)
		trim_partial(msg);
	memset(err, 0, sizeof *err);
	err->code = code;
	memcpy(err->msg, msg, strlen(msg) + 1);
}

int cs_err_setv(cs_err *err, int code, const char *fmt, va_list ap)
{
	if (err)
		fill(err, code, fmt, ap);
	return code;
}

int cs_err_set(cs_err *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	cs_err_setv(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int cs_err_at(cs_err *err, int code, const char *file, unsigned line, unsigned col, const char *fmt, ...)
{
	if (!err)
		return code;
	char where[sizeof err->file] = "";
	if (file && snprintf(where, sizeof where, "%s", file) >= (int)sizeof where)
		trim_partial(where);
	va_list ap;
	va_start(ap, fmt);
	fill(err, code, fmt, ap);
	va_end(ap);
	memcpy(err->file, where, sizeof where);
	err->line = line;
	err->col = col;
	return code;
}

int cs_err_sys(cs_err *err, int errnum, const char *fmt, ...)
{
	int code = CS_EIO;
	for (size_t i = 0; i < CS_ARRAY_LEN(system_codes); i++)
		if (system_codes[i].errnum == errnum)
			code = system_codes[i].code;
	if (!err)
		return code;
	va_list ap;
	va_start(ap, fmt);
	fill(err, code, fmt, ap);
	va_end(ap);
	char why[128];
	size_t len = strlen(err->msg), room = sizeof err->msg - len;
	if (snprintf(err->msg + len, room, ": %s", strerror_r(errnum, why, sizeof why)) >= (int)room)
		trim_partial(err->msg);
	return code;
}

const char *cs_err_word(int code)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].word;
	return "unknown";
}

int cs_err_exit(int code)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].status;
	return code < 0 ? 1 : 0;
}
