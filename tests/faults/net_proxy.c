/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/net_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/faults/net_faults.h"

enum { CONNECTIONS_MAX = 128, IN_MAX = 16 << 10, OUT_MAX = 80 << 10, LIFE_S = 60 };

typedef struct connection {
	int fd;                      /* -1: free */
	size_t row;
	bool came, told, ended;
	char in[IN_MAX];
	size_t in_len;
	char out[OUT_MAX];
	size_t out_len, out_at, sent;
	int64_t next_ms;
	const net_fault *fault;      /* of this connection; NULL: passed on as it is */
} connection;

struct net_proxy {
	pthread_t thread;
	unsigned ledger_port, ports[NET_FAULTS];
	bool lasting;
	int listeners[NET_FAULTS];
	size_t rows;
	bool used[NET_FAULTS];       /* the row's fault has been done */
	atomic_bool stop;
	atomic_int tries[NET_FAULTS];
	atomic_size_t most[NET_FAULTS];
	connection *all;
};

static int64_t now_ms(void)
{
	return cs_clock_mono_ns() / 1000000;
}

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* ---- the ledger's side ------------------------------------------------------------------------------------ */

/* One exchange with the ledger, which answers at once; the length of the answer, 0 when there is none. */
static size_t pass_on(const net_proxy *p, const char *request, size_t n, char *out, size_t max)
{
	struct sockaddr_in a = loopback(p->ledger_port);
	struct timeval patience = { .tv_sec = 5 };
	size_t len = 0, need = max;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	bool there = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send(fd, request, n, MSG_NOSIGNAL) == (ssize_t)n;
	while (there && len < need) {
		ssize_t k = recv(fd, out + len, max - 1 - len, 0);
		if (k <= 0)
			break;
		len += (size_t)k;
		out[len] = '\0';
		const char *end = strstr(out, "\r\n\r\n"), *length = strcasestr(out, "Content-Length:");
		if (end != NULL && length != NULL)
			need = (size_t)(end - out) + 4 + (size_t)strtoul(length + 15, NULL, 10);
	}
	close(fd);
	return len == need ? len : 0;
}

/* ---- a connection ----------------------------------------------------------------------------------------- */

static void drop(net_proxy *p, connection *c, bool reset)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(c->fd);
	c->fd = -1;
	if (c->sent > atomic_load(&p->most[c->row]))
		atomic_store(&p->most[c->row], c->sent);
}

/* The bytes of the whole request, 0 while that is not known. */
static size_t whole(const connection *c)
{
	const char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "Content-Length:");
	if (end == NULL)
		return 0;
	return (size_t)(end - c->in) + 4 + (length != NULL && length < end ? (size_t)strtoul(length + 15, NULL, 10) : 0);
}

static void answer(net_proxy *p, connection *c, size_t need)
{
	const net_fault *f = c->fault;
	bool passes = f == NULL || f->forwards;
	c->told = true;
	c->out_at = 0;
	c->out_len = passes ? pass_on(p, c->in, need, c->out, sizeof c->out) : 0;
	if (f != NULL && f->say != NULL) {
		c->out_len = f->say_len;
		memcpy(c->out, f->say, f->say_len);
	}
	c->next_ms = now_ms() + (f != NULL ? f->wait_ms : 0);
	memmove(c->in, c->in + need, c->in_len - need);
	c->in_len -= need;
	c->in[c->in_len] = '\0';
}

/* What is read at once: a byte at a time where one must stay unread. */
static size_t room_of(const connection *c, net_cut cut)
{
	size_t room = sizeof c->in - 1 - c->in_len, most = cut == NET_CUT_FIRST ? 8 : cut == NET_CUT_LAST ? 1 : room;
	return most < room ? most : room;
}

static void hear(net_proxy *p, connection *c)
{
	net_cut cut = c->fault != NULL ? c->fault->cut : NET_CUT_NOWHERE;
	size_t room = room_of(c, cut);
	ssize_t k = room > 0 ? recv(c->fd, c->in + c->in_len, room, MSG_DONTWAIT) : 0;
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (k <= 0) {
		drop(p, c, false);
		return;
	}
	c->in_len += (size_t)k;
	c->in[c->in_len] = '\0';
	if (!c->came)
		atomic_fetch_add(&p->tries[c->row], 1);
	c->came = true;
	size_t need = whole(c);
	if (cut == NET_CUT_FIRST || (cut == NET_CUT_LAST && need > 0 && c->in_len + 1 >= need))
		drop(p, c, true);
	else if (need > 0 && c->in_len >= need && !c->told)
		answer(p, c, need);
}

/* What follows the last byte said. */
static void said(net_proxy *p, connection *c)
{
	const net_fault *f = c->fault;
	if (f != NULL && f->endless != NULL) {
		c->out_at = 0;
		c->out_len = 0;
		for (size_t n = strlen(f->endless); c->out_len + n <= (f->drip_ms > 0 ? n : sizeof c->out); c->out_len += n)
			memcpy(c->out + c->out_len, f->endless, n);
	} else if (f != NULL && f->after != NET_KEEP) {
		drop(p, c, f->after == NET_RST);
	} else if (f == NULL || f->say == NULL || f->known == NET_WHOLE) {
		c->told = c->came = false;         /* for another request */
		c->fault = NULL;
	} else {
		c->ended = true;         /* silence, until the other side goes */
	}
}

static void say(net_proxy *p, connection *c)
{
	const net_fault *f = c->fault;
	size_t n = f != NULL && f->drip_ms > 0 && c->out_len > 0 ? 1 : c->out_len - c->out_at;
	ssize_t k = n > 0 ? send(c->fd, c->out + c->out_at, n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (k < 0) {
		drop(p, c, false);
		return;
	}
	c->out_at += (size_t)k;
	c->sent += (size_t)k;
	c->next_ms = now_ms() + (f != NULL ? f->drip_ms : 0);
	if (c->out_at == c->out_len)
		said(p, c);
}

static void take(net_proxy *p, size_t row)
{
	int fd = accept4(p->listeners[row], NULL, NULL, SOCK_CLOEXEC);
	connection *c = NULL;
	for (size_t i = 0; fd >= 0 && i < CONNECTIONS_MAX && c == NULL; i++)
		if (p->all[i].fd < 0)
			c = &p->all[i];
	if (c == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	memset(c, 0, offsetof(connection, in));
	c->fd = fd;
	c->row = row;
	c->in_len = c->out_len = c->out_at = c->sent = 0;
	c->in[0] = '\0';
	/* What never gets through has no first time: a broken greeting stays one. */
	c->fault = !p->used[row] || p->lasting || net_faults()[row].tls ? &net_faults()[row] : NULL;
	p->used[row] = true;
	if (c->fault != NULL && c->fault->cut == NET_CUT_HALF)
		shutdown(fd, SHUT_WR);
}

/* ---- the thread ------------------------------------------------------------------------------------------- */

static short wants(const connection *c, int64_t now, int *wait)
{
	if (!c->told || c->ended)
		return POLLIN;
	if (now >= c->next_ms)
		return POLLOUT;
	if (c->next_ms - now < *wait)
		*wait = (int)(c->next_ms - now);
	return 0;
}

static void turn(net_proxy *p)
{
	struct pollfd fds[NET_FAULTS + CONNECTIONS_MAX];
	int wait = 20;
	int64_t now = now_ms();
	for (size_t i = 0; i < p->rows; i++)
		fds[i] = (struct pollfd){ .fd = net_faults()[i].cut == NET_CUT_REFUSED ? -1 : p->listeners[i], .events = POLLIN };
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		fds[p->rows + i] = (struct pollfd){ .fd = p->all[i].fd, .events = p->all[i].fd >= 0 ? wants(&p->all[i], now, &wait) : 0 };
	if (poll(fds, p->rows + CONNECTIONS_MAX, wait) <= 0)
		return;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		connection *c = &p->all[i];
		short got = fds[p->rows + i].revents;
		if (c->fd < 0 || got == 0)
			continue;
		if (got & POLLOUT)
			say(p, c);
		else if (got & POLLIN)
			hear(p, c);
		else
			drop(p, c, false);
	}
	for (size_t i = 0; i < p->rows; i++)
		if (fds[i].revents & POLLIN)
			take(p, i);
}

static void *work(void *arg)
{
	net_proxy *p = arg;
	int64_t end = now_ms() + LIFE_S * 1000;
	while (!atomic_load(&p->stop) && now_ms() < end)
		turn(p);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (p->all[i].fd >= 0)
			drop(p, &p->all[i], true);
	return NULL;
}

/* ---- the test's thread ------------------------------------------------------------------------------------ */

net_proxy *net_proxy_new(unsigned ledger_port, bool lasting)
{
	net_proxy *p = cs_xcalloc(1, sizeof *p);
	p->ledger_port = ledger_port;
	p->lasting = lasting;
	p->rows = net_faults_count();
	p->all = cs_xcalloc(CONNECTIONS_MAX, sizeof *p->all);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		p->all[i].fd = -1;
	for (size_t i = 0; i < p->rows; i++) {
		struct sockaddr_in a = loopback(0);
		socklen_t n = sizeof a;
		p->listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(p->listeners[i] >= 0 && bind(p->listeners[i], (struct sockaddr *)&a, n) == 0 &&
			    getsockname(p->listeners[i], (struct sockaddr *)&a, &n) == 0);
		if (net_faults()[i].cut != NET_CUT_REFUSED)
			assert_int_equal(listen(p->listeners[i], 16), 0);
		p->ports[i] = ntohs(a.sin_port);
	}
	assert_int_equal(pthread_create(&p->thread, NULL, work, p), 0);
	return p;
}

void net_proxy_free(net_proxy *p)
{
	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	for (size_t i = 0; i < p->rows; i++)
		close(p->listeners[i]);
	free(p->all);
	free(p);
}

unsigned net_proxy_port(const net_proxy *p, size_t row)
{
	return p->ports[row];
}

int net_proxy_tries(net_proxy *p, size_t row)
{
	return atomic_load(&p->tries[row]);
}

size_t net_proxy_most(net_proxy *p, size_t row)
{
	return atomic_load(&p->most[row]);
}
