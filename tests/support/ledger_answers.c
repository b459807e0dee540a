/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/ledger_answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <jansson.h>
#include "base/hash.h"
#include "base/mem.h"

bool send_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	while (n) {
		ssize_t k = send(fd, s, n, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		s += k;
		n -= (size_t)k;
	}
	return true;
}

static answer_end reply(const request *r, int status, const char *more, const char *type, const void *body, size_t n)
{
	char head[1024];
	int k = snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
			 status, more, type, n);
	bool sent = send_all(r->fd, head, (size_t)k);
	if (sent && strcmp(r->method, "HEAD") != 0)
		sent = send_all(r->fd, body, n);
	return sent ? ANSWER_KEEP : ANSWER_CLOSE;
}

static answer_end reply_text(const request *r, int status, const char *more, const char *type, const char *body)
{
	return reply(r, status, more, type, body, strlen(body));
}

static answer_end ok(const request *r)
{
	char body[256];
	snprintf(body, sizeof body, "{\"ok\":true,\"n\":%lu,\"method\":\"%s\"}", r->n, r->method);
	return reply_text(r, 200, "", "application/json", body);
}

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* The nth number of the path, from 0: /status/503/2 has 503 and 2. */
static long number(const request *r, int nth)
{
	const char *p = r->path + 1;
	for (; nth >= 0 && p; nth--) {
		p = strchr(p, '/');
		p = p ? p + 1 : NULL;
	}
	return p ? strtol(p, NULL, 10) : 0;
}

static answer_end status(const request *r)
{
	char more[64] = "";
	long after = number(r, 1);
	if (after)
		snprintf(more, sizeof more, "Retry-After: %ld\r\n", after);
	return reply_text(r, (int)number(r, 0), more, "application/json", "{\"error\":\"as asked\"}");
}

static answer_end flaky(const request *r)
{
	if (r->seen > (unsigned)number(r, 0))
		return ok(r);
	return reply_text(r, (int)number(r, 1), "", "text/plain", "not yet");
}

static answer_end delay(const request *r)
{
	sleep_ms(number(r, 0));
	return ok(r);
}

static answer_end drip(const request *r)
{
	static const char body[] = "0123456789";
	send_all(r->fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", 39);
	for (size_t i = 0; i < 10; i++) {
		sleep_ms(number(r, 0));
		if (!send_all(r->fd, body + i, 1))
			return ANSWER_CLOSE;
	}
	return ANSWER_KEEP;
}

static answer_end reset(const request *r)
{
	(void)r;
	return ANSWER_RESET;
}

static answer_end close_it(const request *r)
{
	(void)r;
	return ANSWER_CLOSE;
}

static answer_end send_and_close(const request *r, const char *text)
{
	send_all(r->fd, text, strlen(text));
	return ANSWER_CLOSE;
}

static answer_end half(const request *r)
{
	return send_and_close(r, "HTTP/1.1 200 OK\r\nContent-Len");
}

static answer_end cut(const request *r)
{
	return send_and_close(r, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
}

static answer_end cutchunk(const request *r)
{
	return send_and_close(r, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234");
}

static answer_end lengths(const request *r)
{
	static const char *const heads[] = {
		"Content-Length: 10\r\nContent-Length: 2", "Content-Length: 2\r\nContent-Length: 10", "Content-Length: 10, 2",
		"Content-Length: 10\r\ncontent-length: 010",
	};
	long which = number(r, 0);
	if (which < 0 || which >= (long)CS_ARRAY_LEN(heads))
		return ANSWER_CLOSE;
	char *text CS_AUTOFREE = cs_xasprintf("HTTP/1.1 200 OK\r\n%s\r\n\r\n0123456789", heads[which]);
	return send_and_close(r, text);
}

static answer_end chunked(const request *r)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
	return send_all(r->fd, text, sizeof text - 1) ? ANSWER_KEEP : ANSWER_CLOSE;
}

static answer_end stream(const request *r)
{
	return send_and_close(r, "HTTP/1.1 200 OK\r\n\r\n0123456789");
}

static answer_end redirect(const request *r)
{
	char more[64];
	long n = number(r, 0);
	if (n <= 0)
		return ok(r);
	snprintf(more, sizeof more, "Location: /redirect/%ld\r\n", n - 1);
	return reply_text(r, 302, more, "text/plain", "on");
}

static answer_end go_to(const request *r)
{
	char more[768];
	const char *q = strchr(r->path, '?');
	snprintf(more, sizeof more, "Location: %.700s\r\n", q ? q + 1 : "/");
	return reply_text(r, 302, more, "text/plain", "on");
}

static answer_end big(const request *r)
{
	size_t n = (size_t)number(r, 0);
	char *body CS_AUTOFREE = malloc(n ? n : 1);
	if (!body)
		return ANSWER_RESET;
	memset(body, 'x', n);
	return reply(r, 200, "", "text/plain", body, n);
}

static answer_end text(const request *r)
{
	return reply_text(r, 200, "Set-Cookie: id=hush\r\n", "text/plain; charset=utf-8", "gr\xc3\xbc\xc3\x9f Gott");
}

static answer_end binary(const request *r)
{
	return reply(r, 200, "", "application/octet-stream", "\xff\xfe\x00\x01", 4);
}

static answer_end badjson(const request *r)
{
	return reply_text(r, 200, "", "application/json", "{\"ok\":");
}

static answer_end empty(const request *r)
{
	return reply(r, 204, "", "text/plain", "", 0);
}

static answer_end head(const request *r)
{
	return reply_text(r, 200, "", "text/plain", r->head);
}

/* Everything that was said, said again in as many ways as programs do. */
static answer_end echo(const request *r)
{
	size_t n = strlen(r->head) + r->body_len;
	char *all CS_AUTOFREE = cs_xasprintf("%s%.*s", r->head, (int)r->body_len, r->body);
	char *base64 CS_AUTOFREE = cs_base64(all, n), *hex CS_AUTOFREE = cs_xcalloc(2 * n + 1, 1), *percent CS_AUTOFREE = cs_xcalloc(3 * n + 1, 1);
	cs_hex((const uint8_t *)all, n, hex);
	for (size_t i = 0; i < n; i++)
		snprintf(percent + 3 * i, 4, "%%%02X", (unsigned)(unsigned char)all[i]);
	json_t *whole CS_AUTOJSON = json_pack("{s:s, s:s, s:s, s:s, s:{s:i}}", "plain", all, "base64", base64, "hex", hex, "percent", percent, "names", r->path, 1);
	char *text CS_AUTOFREE = json_dumps(whole, JSON_COMPACT);
	char *more CS_AUTOFREE = cs_xasprintf("X-Path: %s\r\n", r->path);
	return reply_text(r, 200, more, "application/json", text);
}

static answer_end digest(const request *r)
{
	char more[256];
	if (strstr(r->head, "Authorization: Digest username=\"ada\"") && strstr(r->head, "nc=00000001") && strstr(r->head, "nonce=\"n0nce\""))
		return head(r);
	snprintf(more, sizeof more, "WWW-Authenticate: Digest realm=\"here\", nonce=\"n0nce\", qop=\"auth\", algorithm=%.20s\r\n", r->path + 8);
	return reply_text(r, 401, more, "text/plain", "who are you");
}

static answer_end lure(const request *r)
{
	answer_end e = ok(r);
	return e == ANSWER_KEEP ? ANSWER_LURE : e;
}

static const struct {
	const char *first;
	answer_end (*answer)(const request *r);
} answers[] = {
	{ "status", status }, { "flaky", flaky }, { "delay", delay }, { "drip", drip },
	{ "reset", reset }, { "close", close_it }, { "half", half }, { "cut", cut },
	{ "cutchunk", cutchunk }, { "lengths", lengths }, { "chunked", chunked }, { "stream", stream },
	{ "redirect", redirect }, { "goto", go_to }, { "big", big }, { "text", text },
	{ "binary", binary }, { "badjson", badjson }, { "empty", empty }, { "head", head }, { "echo", echo }, { "digest", digest }, { "lure", lure },
};

answer_end answer(const request *r)
{
	size_t n = r->path[0] == '/' ? strcspn(r->path + 1, "/?") : 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(answers); i++)
		if (strlen(answers[i].first) == n && memcmp(answers[i].first, r->path + 1, n) == 0)
			return answers[i].answer(r);
	return ok(r);
}
