/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: a negative code for the program, a sentence for a person, and a place in a file.
 * A cs_err is the caller's, passed as the last argument; it may be NULL. Never thread-local. */
#ifndef CS_BASE_ERR_H
#define CS_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum {
	CS_OK = 0,
	CS_EINVAL = -1,    /* the caller or a file says something that cannot be */
	CS_ENOMEM = -2,
	CS_ETOOBIG = -3,   /* over a stated limit */
	CS_ENOTFOUND = -4,
	CS_EREFUSED = -5,  /* stale, not allowed, illegal transition, conflict */
	CS_EUNAVAIL = -6,  /* engine or store not to be had now */
	CS_EIO = -7,
	CS_ESYNTAX = -8,   /* text that does not parse; line and col are set */
	CS_ETIMEOUT = -9,
	CS_EAGAIN = -10,   /* not yet: an answer is on its way */
	CS_EINTERNAL = -11,
	CS_EUNSUPPORTED = -12, /* part of a format that this version does not obey */
};

typedef struct cs_err {
	int code;
	unsigned line, col;   /* 1-based; 0: none */
	char file[256];       /* "" : none */
	char msg[768];        /* what, why, what to do next; UTF-8 */
} cs_err;

#define CS_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Fills ERR (when not NULL) and returns CODE, so that `return cs_err_set(…)` reads well. */
int cs_err_set(cs_err *err, int code, const char *fmt, ...) CS_PRINTF(3, 4);
int cs_err_setv(cs_err *err, int code, const char *fmt, va_list ap);
int cs_err_at(cs_err *err, int code, const char *file, unsigned line, unsigned col, const char *fmt, ...) CS_PRINTF(6, 7);
/* As cs_err_set, with ": strerror(errnum)" appended. */
int cs_err_sys(cs_err *err, int errnum, const char *fmt, ...) CS_PRINTF(3, 4);
/* Short stable word for a code: "not-found", "refused", … (for JSON and logs). */
const char *cs_err_word(int code);
/* The process exit status that DESIGN.md gives a code: 0 1 2 3 4 5. */
int cs_err_exit(int code);

#endif
