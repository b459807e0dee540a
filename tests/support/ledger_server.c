/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An HTTP server on loopback that writes every whole request into an append-only ledger before
 * it answers, and answers as the path asks (ledger_answers.h).
 *
 *   ledger_server FILE [SECONDS]
 *
 * Prints its port and serves until stdin ends or SECONDS (default 300) have passed. A line of the
 * ledger: {"n":1,"at":MS,"connection":1,"method":"POST","path":"/x","key":"…","digest":"…","bytes":12}
 * with the Idempotency-Key and the SHA-256 of the body. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/support/ledger_answers.h"

enum { HEAD_MAX = 64 << 10, BODY_MAX = 16 << 20, PATHS_MAX = 4096, LINE_MAX_BYTES = 8192 };

static struct {
	pthread_mutex_t lock;
	int fd;
	unsigned long n;
	struct {
		char *path;
		unsigned seen;
	} paths[PATHS_MAX];
	size_t path_count;
} ledger = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

struct connection {
	int fd;
	unsigned long id;
	char *buf;
	size_t len;
	bool lured;
};

/* Up to LEN more bytes into the buffer; false at the end of the connection. */
static bool more(struct connection *c, size_t cap)
{
	if (c->len >= cap)
		return false;
	ssize_t k;
	do
		k = recv(c->fd, c->buf + c->len, cap - c->len, 0);
	while (k < 0 && errno == EINTR);
	if (k <= 0)
		return false;
	c->len += (size_t)k;
	return true;
}

/* A header's value in HEAD, malloc'ed; "" when it is not there. */
static char *header(const char *head, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
			p += n + 1;
			p += strspn(p, " \t");
			return cs_xstrndup(p, strcspn(p, "\r\n"));
		}
	}
	return cs_xstrdup("");
}

/* What is written into a JSON string here: quotes and controls become '?'. */
static void plain(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e || *s == '"' || *s == '\\')
			*s = '?';
}

/* Under the lock. */
static unsigned count_path(const char *path)
{
	for (size_t i = 0; i < ledger.path_count; i++)
		if (strcmp(ledger.paths[i].path, path) == 0)
			return ++ledger.paths[i].seen;
	if (ledger.path_count < PATHS_MAX) {
		ledger.paths[ledger.path_count].path = cs_xstrdup(path);
		ledger.paths[ledger.path_count++].seen = 1;
	}
	return 1;
}

/* What came as a secret is kept as what can only be compared. */
static void header_digest(const char *head, const char *name, char out[CS_HEX_SIZE])
{
	char *value CS_AUTOFREE = header(head, name);
	cs_hash_hex(value, strlen(value), out);
}

static void enter(request *r, unsigned long connection)
{
	char line[LINE_MAX_BYTES], digest[CS_HEX_SIZE], authorization[CS_HEX_SIZE], token[CS_HEX_SIZE];
	char *key CS_AUTOFREE = header(r->head, "Idempotency-Key");
	char *path CS_AUTOFREE = cs_xstrndup(r->path, 4000);
	plain(key);
	plain(path);
	key[strnlen(key, 256)] = '\0';
	cs_hash_hex(r->body, r->body_len, digest);
	header_digest(r->head, "Authorization", authorization);
	header_digest(r->head, "X-Token", token);
	pthread_mutex_lock(&ledger.lock);
	r->n = ++ledger.n;
	r->seen = count_path(path);
	int k = snprintf(line, sizeof line,
			 "{\"n\":%lu,\"at\":%lld,\"connection\":%lu,\"method\":\"%s\",\"path\":\"%s\",\"key\":\"%s\",\"digest\":\"%s\",\"bytes\":%zu,"
			 "\"authorization\":\"%s\",\"token\":\"%s\"}\n",
			 r->n, (long long)cs_clock_wall_ms(), connection, r->method, path, key, digest, r->body_len, authorization, token);
	if (write(ledger.fd, line, (size_t)k) != k) {
		perror("ledger_server: the ledger cannot be written");
		_exit(1);
	}
	pthread_mutex_unlock(&ledger.lock);
}

/* Reads one whole request into c->buf; *ret_head its head's length. False when there is none. */
static bool read_request(struct connection *c, size_t *ret_head, size_t *ret_body)
{
	char *end;
	c->buf[c->len] = '\0';
	while (!(end = strstr(c->buf, "\r\n\r\n"))) {
		if (!more(c, HEAD_MAX))
			return false;
		c->buf[c->len] = '\0';
	}
	*end = '\0';
	char *length CS_AUTOFREE = header(c->buf, "Content-Length");
	*end = '\r';
	size_t head = (size_t)(end - c->buf) + 4, body = (size_t)strtoul(length, NULL, 10);
	if (body > BODY_MAX)
		return false;
	while (c->len < head + body)
		if (!more(c, head + body))
			return false;
	*ret_head = head;
	*ret_body = body;
	return true;
}

static answer_end serve_one(struct connection *c)
{
	size_t head_len, body_len;
	if (!read_request(c, &head_len, &body_len))
		return ANSWER_CLOSE;
	char *head CS_AUTOFREE = cs_xstrndup(c->buf, head_len);
	char *words CS_AUTOFREE = cs_xstrndup(head, strcspn(head, "\r"));
	char *rest = NULL;
	const char *method = strtok_r(words, " ", &rest), *path = strtok_r(NULL, " ", &rest);
	if (!method || !path || strlen(method) > 32)
		return ANSWER_RESET;
	request r = { .fd = c->fd, .head = head, .method = method, .path = path,
		      .body = c->buf + head_len, .body_len = body_len };
	enter(&r, c->id);
	answer_end e = c->lured ? ANSWER_CLOSE : answer(&r);
	memmove(c->buf, c->buf + head_len + body_len, c->len - head_len - body_len);
	c->len -= head_len + body_len;
	return e;
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	answer_end e;
	while ((e = serve_one(c)) == ANSWER_KEEP || e == ANSWER_LURE)
		c->lured = c->lured || e == ANSWER_LURE;
	if (e == ANSWER_RESET) {
		struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	}
	close(c->fd);
	free(c->buf);
	free(c);
	return NULL;
}

static void take(int listener)
{
	static unsigned long last;
	int fd = accept(listener, NULL, NULL);
	if (fd < 0)
		return;
	struct timeval patience = { .tv_sec = 30 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	struct connection *c = cs_xcalloc(1, sizeof *c);
	*c = (struct connection){ .fd = fd, .id = ++last, .buf = cs_xcalloc(1, HEAD_MAX + BODY_MAX + 1) };
	pthread_t t;
	if (pthread_create(&t, NULL, serve, c) != 0) {
		close(fd);
		free(c->buf);
		free(c);
		return;
	}
	pthread_detach(t);
}

static int listen_on_loopback(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return -1;
	*ret_port = ntohs(a.sin_port);
	return fd;
}

int main(int argc, char **argv)
{
	int64_t seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 300;
	int64_t end = cs_clock_mono_ns() + seconds * 1000000000;
	unsigned port;
	char drop[64];
	if (argc < 2 || seconds <= 0 || seconds > 3600) {
		fprintf(stderr, "usage: ledger_server FILE [SECONDS]\n");
		return 2;
	}
	ledger.fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int listener = ledger.fd < 0 ? -1 : listen_on_loopback(&port);
	if (listener < 0) {
		perror("ledger_server");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	printf("%u\n", port);
	fflush(stdout);
	for (;;) {
		int64_t left = (end - cs_clock_mono_ns()) / 1000000;
		struct pollfd p[] = { { .fd = listener, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
		if (left <= 0)
			return 0;
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[1].revents && read(STDIN_FILENO, drop, sizeof drop) <= 0)
			return 0;
		if (p[0].revents)
			take(listener);
	}
}
