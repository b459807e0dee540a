/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One end of an engine's socket: JSON objects, one a line, both ways, without blocking and within
 * bounds. */
#ifndef CS_ENGINE_WIRE_H
#define CS_ENGINE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"

/* The text of an `ask` may be 1 MiB, and its JSON up to six times that. */
#define CS_WIRE_LINE ((size_t)8 << 20)
/* What may wait to be written: a reply of full size and some more. */
#define CS_WIRE_OUT (CS_WIRE_LINE + ((size_t)1 << 20))

typedef struct cs_wire {
	int fd;
	cs_buf in, out;
	size_t begin, scanned;    /* of `in`: where the next line begins; how far there is no newline */
	size_t written;           /* of `out` */
	bool over;                /* the other end has closed */
} cs_wire;

void cs_wire_init(cs_wire *w, int fd);      /* takes FD (non-blocking) over */
void cs_wire_fini(cs_wire *w);
/* Reads what is there, up to a line's maximum. CS_EIO: the connection is broken. */
int cs_wire_read(cs_wire *w, cs_err *err);
/* The next whole line as an object, owned; *ret NULL when there is none yet. CS_ETOOBIG: a line
 * is over the maximum, the connection cannot go on. CS_ESYNTAX, CS_EINVAL: that line was no object. */
int cs_wire_next(cs_wire *w, json_t **ret, cs_err *err);
/* Puts a line behind what waits to be written. CS_ETOOBIG: the other end reads too slowly. */
int cs_wire_put(cs_wire *w, const json_t *message, cs_err *err);
/* Writes what the socket takes now. */
int cs_wire_flush(cs_wire *w, cs_err *err);
bool cs_wire_waiting(const cs_wire *w);     /* there is something left to write */

#endif
