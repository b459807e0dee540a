/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"

#define READ_AT_ONCE ((size_t)1 << 20)

void cs_wire_init(cs_wire *w, int fd)
{
	memset(w, 0, sizeof *w);
	w->fd = fd;
	cs_buf_init(&w->in, CS_WIRE_LINE + READ_AT_ONCE);
	cs_buf_init(&w->out, CS_WIRE_OUT);
}

void cs_wire_fini(cs_wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	cs_buf_fini(&w->in);
	cs_buf_fini(&w->out);
	w->fd = -1;
}

/* Takes away the lines that were handed out. */
static void drop_read(cs_wire *w)
{
	if (w->begin == 0)
		return;
	size_t left = w->in.len - w->begin;
	memmove(w->in.data, w->in.data + w->begin, left);
	w->in.len = left;
	w->scanned -= w->begin;
	w->begin = 0;
}

int cs_wire_read(cs_wire *w, cs_err *err)
{
	char chunk[65536];
	drop_read(w);
	for (size_t got = 0; got < READ_AT_ONCE && w->in.len <= CS_WIRE_LINE; ) {
		ssize_t n = recv(w->fd, chunk, sizeof chunk, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return CS_OK;
		if (n < 0)
			return cs_err_sys(err, errno, "reading from the socket");
		if (n == 0) {
			w->over = true;
			return CS_OK;
		}
		int r = cs_buf_add(&w->in, chunk, (size_t)n);
		if (r < 0)
			return cs_err_set(err, r, "no memory for a line of the socket");
		got += (size_t)n;
	}
	return CS_OK;
}

int cs_wire_next(cs_wire *w, json_t **ret, cs_err *err)
{
	*ret = NULL;
	if (w->in.len == w->scanned)
		return CS_OK;
	char *end = memchr(w->in.data + w->scanned, '\n', w->in.len - w->scanned);
	size_t stop = end ? (size_t)(end - w->in.data) : w->in.len;
	w->scanned = stop;
	if (stop - w->begin > CS_WIRE_LINE)
		return cs_err_set(err, CS_ETOOBIG, "a line on the socket is over %zu bytes; send less at once", CS_WIRE_LINE);
	if (!end)
		return CS_OK;
	const char *line = w->in.data + w->begin;
	size_t len = stop - w->begin;
	w->begin = w->scanned = stop + 1;
	CS_AUTOJSON json_t *v = NULL;
	int r = cs_json_parse(line, len, &v, err);
	if (r < 0)
		return r;
	if (!json_is_object(v))
		return cs_err_set(err, CS_EINVAL, "a line on the socket is not a JSON object");
	*ret = CS_STEAL(v);
	return CS_OK;
}

int cs_wire_put(cs_wire *w, const json_t *message, cs_err *err)
{
	if (w->written > 0 && w->written == w->out.len) {
		cs_buf_reset(&w->out);
		w->written = 0;
	}
	if (cs_json_write(message, &w->out) < 0 || cs_buf_addc(&w->out, '\n') < 0)
		return cs_err_set(err, CS_ETOOBIG, "more than %zu bytes wait to be read at the other end of the socket", CS_WIRE_OUT);
	return CS_OK;
}

int cs_wire_flush(cs_wire *w, cs_err *err)
{
	while (w->written < w->out.len) {
		ssize_t n = send(w->fd, w->out.data + w->written, w->out.len - w->written, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return CS_OK;
		if (n < 0)
			return cs_err_sys(err, errno, "writing to the socket");
		w->written += (size_t)n;
	}
	return CS_OK;
}

bool cs_wire_waiting(const cs_wire *w)
{
	return w->written < w->out.len;
}
