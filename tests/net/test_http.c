/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "net/http.h"
#include "tests/support/ledger.h"

/* One exchange awaited. */
struct wait {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	cs_http_reply *reply;
};

static ledger server;
static cs_http *client;

static const cs_allow loopback[] = { { "127.0.0.1", 0, true }, { "localhost", 0, true } };

static void on_done(void *ctx, cs_http_reply *reply)
{
	struct wait *w = ctx;
	pthread_mutex_lock(&w->lock);
	w->reply = reply;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

static void wait_init(struct wait *w)
{
	*w = (struct wait){ .reply = NULL };
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->cond, NULL);
}

static cs_http_reply *await(struct wait *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->reply)
		pthread_cond_wait(&w->cond, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return w->reply;
}

static cs_http_reply *send_request(const cs_http_request *r)
{
	struct wait w;
	cs_err err = { 0 };
	wait_init(&w);
	if (cs_http_submit(client, r, on_done, &w, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return await(&w);
}

static cs_http_request to(const char *method, const char *url)
{
	return (cs_http_request){
		.method = method, .url = url, .allow = loopback, .allow_count = 2, .timeout_ms = 5000,
	};
}

static cs_http_reply *ask(const char *method, const char *path)
{
	char url[LEDGER_URL_SIZE];
	cs_http_request r = to(method, ledger_url(&server, path, url));
	return send_request(&r);
}

static void reply_freep(cs_http_reply **r)
{
	cs_http_reply_free(*r);
}
#define AUTOREPLY CS_CLEANUP(reply_freep)

static int setup(void **state)
{
	(void)state;
	ledger_start(&server);
	client = cs_http_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cs_http_free(client);
	ledger_stop(&server);
	return 0;
}

/* A port of loopback that nothing listens on, or (listening) one that takes and says nothing. */
static int silent_socket(unsigned *ret_port, bool listening)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	if (listening)
		assert_int_equal(listen(fd, 8), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void an_unused_client_starts_nothing(void **state)
{
	(void)state;
	cs_http *h = cs_http_new();
	assert_false(cs_http_started(h));
	cs_http_free(h);
}

static void a_whole_reply_is_complete(void **state)
{
	(void)state;
	static const char *const paths[] = { "/ok", "/chunked", "/stream", "/empty", "/status/500", "/status/404" };
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++) {
		cs_http_reply *r AUTOREPLY = ask("POST", paths[i]);
		if (r->phase != CS_HTTP_COMPLETE)
			fail_msg("%s: %s", paths[i], r->error);
		assert_string_equal(r->ip, "127.0.0.1");
	}
	cs_http_reply *r AUTOREPLY = ask("GET", "/text");
	assert_int_equal(r->status, 200);
	assert_string_equal(r->body, "gr\xc3\xbc\xc3\x9f Gott");
	assert_string_equal(cs_headers_get(&r->headers, "content-TYPE"), "text/plain; charset=utf-8");
}

static void what_breaks_after_the_first_byte_is_cut(void **state)
{
	(void)state;
	static const char *const paths[] = { "/reset", "/close", "/half", "/cut", "/cutchunk" };
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++) {
		cs_http_reply *r AUTOREPLY = ask("POST", paths[i]);
		if (r->phase != CS_HTTP_CUT)
			fail_msg("%s ended as %d", paths[i], (int)r->phase);
		assert_int_equal(r->reason, CS_HTTP_BROKEN);
		assert_int_equal(ledger_count(&server, paths[i]), 1);
	}
}

static void a_timeout_after_the_first_byte_is_cut(void **state)
{
	(void)state;
	static const char *const paths[] = { "/delay/3000", "/drip/300" };
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++) {
		char url[LEDGER_URL_SIZE];
		cs_http_request q = to("POST", ledger_url(&server, paths[i], url));
		q.timeout_ms = 300;
		cs_http_reply *r AUTOREPLY = send_request(&q);
		assert_int_equal(r->phase, CS_HTTP_CUT);
		assert_int_equal(r->reason, CS_HTTP_TIMEOUT);
		assert_true(r->ms < 2500);
	}
}

static void what_fails_before_the_first_byte_is_proven_not_sent(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	unsigned closed_port, mute_port;
	int closed = silent_socket(&closed_port, false), mute = silent_socket(&mute_port, true);

	snprintf(url, sizeof url, "http://127.0.0.1:%u/", closed_port);
	cs_http_request q = to("POST", url);
	cs_http_reply *refused AUTOREPLY = send_request(&q);
	assert_int_equal(refused->phase, CS_HTTP_NOT_SENT);
	assert_int_equal(refused->reason, CS_HTTP_CONNECT);

	/* a TLS greeting that nobody answers, until the clock ends it */
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", mute_port);
	q.timeout_ms = 300;
	cs_http_reply *mute_tls AUTOREPLY = send_request(&q);
	assert_int_equal(mute_tls->phase, CS_HTTP_NOT_SENT);
	assert_int_equal(mute_tls->reason, CS_HTTP_TIMEOUT);

	/* one that is answered in plain text */
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", server.port);
	q.timeout_ms = 5000;
	cs_http_reply *no_tls AUTOREPLY = send_request(&q);
	assert_int_equal(no_tls->phase, CS_HTTP_NOT_SENT);

	const cs_allow nowhere = { "nowhere.invalid", 0, true };
	q = to("POST", "http://nowhere.invalid/");
	q.allow = &nowhere;
	q.allow_count = 1;
	cs_http_reply *no_name AUTOREPLY = send_request(&q);
	assert_int_equal(no_name->phase, CS_HTTP_NOT_SENT);
	close(closed);
	close(mute);
}

static void a_mute_peer_after_connect_is_ambiguous(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	unsigned port;
	int mute = silent_socket(&port, true);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
	cs_http_request q = to("POST", url);
	q.timeout_ms = 300;
	cs_http_reply *r AUTOREPLY = send_request(&q);
	close(mute);
	assert_int_equal(r->phase, CS_HTTP_CUT);
}

/* curl sends a request again when a kept connection turns out dead. The server takes the second
 * request of such a connection, writes it into the ledger, and closes without a word. */
static void nothing_unsafe_is_sent_twice_on_a_dead_connection(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_http_reply *first AUTOREPLY = ask("GET", "/lure/a");
	assert_int_equal(first->phase, CS_HTTP_COMPLETE);
	cs_http_request q = to("POST", ledger_url(&server, "/after-lure/post", url));
	q.body = "x";
	q.body_len = 1;
	q.has_body = true;
	cs_http_reply *post AUTOREPLY = send_request(&q);
	assert_int_equal(ledger_count(&server, "/after-lure/post"), 1);
	assert_int_equal(post->phase, CS_HTTP_COMPLETE);    /* on a connection of its own */

	cs_http_reply *again AUTOREPLY = ask("GET", "/lure/b");
	assert_int_equal(again->phase, CS_HTTP_COMPLETE);
	q = to("GET", ledger_url(&server, "/after-lure/once", url));
	q.once = true;
	cs_http_reply *once AUTOREPLY = send_request(&q);
	assert_int_equal(ledger_count(&server, "/after-lure/once"), 1);
	assert_int_equal(once->phase, CS_HTTP_COMPLETE);
}

/* The bait works: a plain GET does reuse the connection, and curl does send it again. */
static void a_read_may_be_sent_again_on_a_dead_connection(void **state)
{
	(void)state;
	cs_http_reply *first AUTOREPLY = ask("GET", "/lure/c");
	assert_int_equal(first->phase, CS_HTTP_COMPLETE);
	cs_http_reply *read AUTOREPLY = ask("GET", "/after-lure/read");
	assert_int_equal(read->phase, CS_HTTP_COMPLETE);
	assert_int_equal(ledger_count(&server, "/after-lure/read"), 2);
}

/* ---- the gate ---- */

struct gate {
	atomic_int asked;
	int open;               /* answers true this many times */
};

static bool gate(void *ctx)
{
	struct gate *g = ctx;
	return atomic_fetch_add(&g->asked, 1) < g->open;
}

static void a_shut_gate_lets_no_byte_leave(void **state)
{
	(void)state;
	for (int open = 0; open < 2; open++) {      /* shut before the connection; before the first byte */
		char url[LEDGER_URL_SIZE];
		struct gate g = { .open = open };
		cs_http_request q = to("POST", ledger_url(&server, "/gated", url));
		q.gate = gate;
		q.gate_ctx = &g;
		cs_http_reply *r AUTOREPLY = send_request(&q);
		assert_int_equal(r->phase, CS_HTTP_NOT_SENT);
		assert_int_equal(r->reason, CS_HTTP_HELD);
		assert_int_equal(g.asked, open + 1);
	}
	assert_int_equal(ledger_count(&server, "/gated"), 0);
	struct gate wide = { .open = 100 };
	char url[LEDGER_URL_SIZE];
	cs_http_request q = to("POST", ledger_url(&server, "/gated", url));
	q.gate = gate;
	q.gate_ctx = &wide;
	cs_http_reply *r AUTOREPLY = send_request(&q);
	assert_int_equal(r->phase, CS_HTTP_COMPLETE);
	assert_int_equal(ledger_count(&server, "/gated"), 1);
}

/* ---- where it may go ---- */

static void an_address_that_is_not_named_gets_no_byte(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_http_request q = to("GET", ledger_url(&server, "/unnamed", url));
	q.allow = NULL;
	q.allow_count = 0;
	cs_http_reply *by_address AUTOREPLY = send_request(&q);
	assert_int_equal(by_address->phase, CS_HTTP_NOT_SENT);
	assert_int_equal(by_address->reason, CS_HTTP_ADDRESS);
	assert_non_null(strstr(by_address->error, "private"));

	/* a name that resolves to it, named as public only */
	const cs_allow name = { "localhost", 0, false };
	snprintf(url, sizeof url, "http://localhost:%u/unnamed", server.port);
	q.allow = &name;
	q.allow_count = 1;
	cs_http_reply *by_name AUTOREPLY = send_request(&q);
	assert_int_equal(by_name->phase, CS_HTTP_NOT_SENT);
	assert_int_equal(by_name->reason, CS_HTTP_ADDRESS);

	/* other spellings of the same address */
	static const char *const spellings[] = { "2130706433", "0x7f.1", "127.1" };
	for (size_t i = 0; i < CS_ARRAY_LEN(spellings); i++) {
		snprintf(url, sizeof url, "http://%s:%u/unnamed", spellings[i], server.port);
		q.allow = NULL;
		q.allow_count = 0;
		cs_http_reply *r AUTOREPLY = send_request(&q);
		assert_int_equal(r->reason, CS_HTTP_ADDRESS);
	}
	assert_int_equal(ledger_count(&server, "/unnamed"), 0);
}

/* A connection that one request was allowed must not carry another that is not. */
static void a_kept_connection_is_no_way_around_the_filter(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_http_reply *allowed AUTOREPLY = ask("GET", "/kept");
	assert_int_equal(allowed->phase, CS_HTTP_COMPLETE);
	cs_http_request q = to("GET", ledger_url(&server, "/sneaked", url));
	q.allow = NULL;
	q.allow_count = 0;
	cs_http_reply *r AUTOREPLY = send_request(&q);
	assert_int_equal(r->phase, CS_HTTP_NOT_SENT);
	assert_int_equal(r->reason, CS_HTTP_ADDRESS);
	assert_int_equal(ledger_count(&server, "/sneaked"), 0);
}

static void what_cannot_be_a_request_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *method, *url;
		int code;
	} rows[] = {
		{ "GET", "file:///etc/passwd", CS_EINVAL }, { "GET", "gopher://127.0.0.1/", CS_EINVAL },
		{ "GET", "ftp://127.0.0.1/", CS_EINVAL }, { "GET", "http://", CS_EINVAL }, { "GET", "/path", CS_EINVAL },
		{ "GET", "http://user:pw@127.0.0.1/", CS_EINVAL }, { "get", "http://127.0.0.1/", CS_EINVAL },
		{ "GET /x HTTP/1.1\r\nX:", "http://127.0.0.1/", CS_EINVAL }, { "CONNECT", "http://127.0.0.1/", CS_EINVAL },
		{ "GET", "http://example.com/", CS_EREFUSED },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_http_request q = to(rows[i].method, rows[i].url);
		cs_err err = { 0 };
		if (cs_http_submit(client, &q, on_done, NULL, NULL, &err) != rows[i].code)
			fail_msg("row %zu: %s", i, err.msg);
	}
	char url[LEDGER_URL_SIZE];
	cs_header evil = { (char *)(uintptr_t)"X", (char *)(uintptr_t)"a\r\nX-Evil: 1" };
	cs_http_request q = to("GET", ledger_url(&server, "/evil", url));
	q.headers = &evil;
	q.header_count = 1;
	assert_int_equal(cs_http_submit(client, &q, on_done, NULL, NULL, NULL), CS_EINVAL);
	assert_int_equal(ledger_count(&server, "/evil"), 0);
}

/* ---- redirects ---- */

static void a_read_follows_a_bounded_number_of_redirects(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_http_request q = to("GET", ledger_url(&server, "/redirect/3", url));
	q.redirects = 3;
	cs_http_reply *followed AUTOREPLY = send_request(&q);
	assert_int_equal(followed->status, 200);
	assert_int_equal(followed->hops, 3);
	assert_non_null(strstr(followed->url, "/redirect/0"));
	q.redirects = 2;
	cs_http_reply *stopped AUTOREPLY = send_request(&q);
	assert_int_equal(stopped->phase, CS_HTTP_COMPLETE);
	assert_int_equal(stopped->status, 302);
	assert_non_null(strstr(stopped->error, "more than 2 redirects"));
}

static void what_is_sent_once_follows_no_redirect(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_http_request q = to("POST", ledger_url(&server, "/redirect/1", url));
	q.redirects = 5;
	cs_http_reply *r AUTOREPLY = send_request(&q);
	assert_int_equal(r->status, 302);
	assert_int_equal(r->hops, 0);
}

static void every_hop_is_checked(void **state)
{
	(void)state;
	static const char *const targets[] = {
		"http://example.com/", "file:///etc/passwd", "http://169.254.169.254/latest", "http://u:p@127.0.0.1/",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(targets); i++) {
		char url[LEDGER_URL_SIZE];
		char *path CS_AUTOFREE = cs_xasprintf("/goto?%s", targets[i]);
		cs_http_request q = to("GET", ledger_url(&server, path, url));
		q.redirects = 5;
		cs_http_reply *r AUTOREPLY = send_request(&q);
		if (r->phase != CS_HTTP_COMPLETE || r->status != 302 || !*r->error)
			fail_msg("%s was followed", targets[i]);
	}
	/* allowed by the list, refused by the address: named as public, and it is not */
	const cs_allow list[] = { { "127.0.0.1", server.port, true }, { "localhost", 0, false } };
	char url[LEDGER_URL_SIZE];
	char *path CS_AUTOFREE = cs_xasprintf("/goto?http://localhost:%u/inner", server.port);
	cs_http_request q = to("GET", ledger_url(&server, path, url));
	q.allow = list;
	q.redirects = 5;
	cs_http_reply *r AUTOREPLY = send_request(&q);
	assert_int_equal(r->reason, CS_HTTP_ADDRESS);
	assert_int_equal(r->phase, CS_HTTP_CUT);     /* the first hop did leave */
	assert_int_equal(ledger_count(&server, "/inner"), 0);
}

static void secrets_do_not_follow_to_another_origin(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_header list[] = {
		{ (char *)(uintptr_t)"Authorization", (char *)(uintptr_t)"Bearer hush" },
		{ (char *)(uintptr_t)"X-Api-Key", (char *)(uintptr_t)"hush" },
		{ (char *)(uintptr_t)"Accept", (char *)(uintptr_t)"text/x" },
	};
	char *path CS_AUTOFREE = cs_xasprintf("/goto?http://localhost:%u/head", server.port);
	cs_http_request q = to("GET", ledger_url(&server, path, url));
	q.redirects = 5;
	q.headers = list;
	q.header_count = 3;
	cs_http_reply *other AUTOREPLY = send_request(&q);
	assert_int_equal(other->status, 200);
	assert_null(strstr(other->body, "hush"));
	assert_non_null(strstr(other->body, "Accept: text/x"));
	q = to("GET", ledger_url(&server, "/goto?/head", url));
	q.redirects = 5;
	q.headers = list;
	q.header_count = 3;
	cs_http_reply *same AUTOREPLY = send_request(&q);
	assert_non_null(strstr(same->body, "Bearer hush"));
}

/* ---- sizes, form, ends ---- */

static void a_reply_over_its_maximum_is_cut(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	cs_http_request q = to("POST", ledger_url(&server, "/big/100001", url));
	q.max_reply = 100000;
	cs_http_reply *over AUTOREPLY = send_request(&q);
	assert_int_equal(over->phase, CS_HTTP_CUT);
	assert_int_equal(over->reason, CS_HTTP_TOO_BIG);
	q.max_reply = 100001;
	cs_http_reply *fits AUTOREPLY = send_request(&q);
	assert_int_equal(fits->phase, CS_HTTP_COMPLETE);
	assert_int_equal(fits->body_len, 100001);
}

static void nothing_is_added_to_a_request_that_nobody_wrote(void **state)
{
	(void)state;
	setenv("http_proxy", "http://127.0.0.1:9/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:9/", 1);
	char url[LEDGER_URL_SIZE];
	cs_http_request q = to("POST", ledger_url(&server, "/head", url));
	q.body = "";
	q.has_body = true;
	cs_http_reply *r AUTOREPLY = send_request(&q);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(r->phase, CS_HTTP_COMPLETE);
	assert_null(strcasestr(r->body, "Content-Type"));
	assert_null(strcasestr(r->body, "Expect"));
	assert_null(strcasestr(r->body, "Cookie"));
	assert_non_null(strstr(r->body, "Content-Length: 0"));
}

static void a_path_is_sent_as_it_was_approved(void **state)
{
	(void)state;
	cs_http_reply *r AUTOREPLY = ask("GET", "/a/../b/./c%2Fd?x=1");
	assert_int_equal(r->phase, CS_HTTP_COMPLETE);
	assert_int_equal(ledger_count(&server, "/a/../b/./c%2Fd?x=1"), 1);
}

static void a_cancelled_request_says_how_far_it_came(void **state)
{
	(void)state;
	char url[LEDGER_URL_SIZE];
	struct wait w;
	uint64_t id;
	wait_init(&w);
	cs_http_request q = to("POST", ledger_url(&server, "/delay/4000", url));
	size_t before = ledger_count(&server, "/delay/4000");
	assert_int_equal(cs_http_submit(client, &q, on_done, &w, &id, NULL), CS_OK);
	while (ledger_count(&server, "/delay/4000") == before)     /* until the server has it */
		usleep(2000);
	cs_http_cancel(client, id);
	cs_http_reply *r AUTOREPLY = await(&w);
	assert_int_equal(r->id, id);
	assert_int_equal(r->reason, CS_HTTP_CANCELLED);
	assert_int_equal(r->phase, CS_HTTP_CUT);
	assert_true(r->ms < 3500);
	cs_http_cancel(client, id);
	cs_http_cancel(client, 123456);
}

static void closing_the_client_answers_everyone(void **state)
{
	(void)state;
	enum { N = 20 };
	struct wait w[N];
	char url[LEDGER_URL_SIZE];
	cs_http *h = cs_http_new();
	cs_http_request q = to("POST", ledger_url(&server, "/delay/4000/close", url));
	for (int i = 0; i < N; i++) {
		wait_init(&w[i]);
		assert_int_equal(cs_http_submit(h, &q, on_done, &w[i], NULL, NULL), CS_OK);
	}
	int64_t began = cs_clock_mono_ns();
	cs_http_free(h);
	assert_true(cs_clock_mono_ns() - began < INT64_C(3500000000));
	for (int i = 0; i < N; i++) {
		cs_http_reply *r AUTOREPLY = await(&w[i]);
		assert_int_equal(r->reason, CS_HTTP_CANCELLED);
		assert_int_not_equal(r->phase, CS_HTTP_COMPLETE);
	}
}

static void many_at_once_each_get_their_own_reply(void **state)
{
	(void)state;
	enum { N = 200 };
	static struct wait w[N];
	static char urls[N][LEDGER_URL_SIZE];
	for (int i = 0; i < N; i++) {
		char path[64];
		snprintf(path, sizeof path, "/many/%d", i);
		wait_init(&w[i]);
		cs_http_request q = to(i % 2 ? "POST" : "GET", ledger_url(&server, path, urls[i]));
		q.timeout_ms = 60000;            /* the last waits for all before it, on a slow machine too */
		assert_int_equal(cs_http_submit(client, &q, on_done, &w[i], NULL, NULL), CS_OK);
	}
	for (int i = 0; i < N; i++) {
		cs_http_reply *r AUTOREPLY = await(&w[i]);
		assert_int_equal(r->status, 200);
		assert_string_equal(r->url, urls[i]);
	}
	assert_int_equal(ledger_count(&server, "/many/"), N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_client_starts_nothing),
		cmocka_unit_test(a_whole_reply_is_complete),
		cmocka_unit_test(what_breaks_after_the_first_byte_is_cut),
		cmocka_unit_test(a_timeout_after_the_first_byte_is_cut),
		cmocka_unit_test(what_fails_before_the_first_byte_is_proven_not_sent),
		cmocka_unit_test(a_mute_peer_after_connect_is_ambiguous),
		cmocka_unit_test(nothing_unsafe_is_sent_twice_on_a_dead_connection),
		cmocka_unit_test(a_read_may_be_sent_again_on_a_dead_connection),
		cmocka_unit_test(a_shut_gate_lets_no_byte_leave),
		cmocka_unit_test(an_address_that_is_not_named_gets_no_byte),
		cmocka_unit_test(a_kept_connection_is_no_way_around_the_filter),
		cmocka_unit_test(what_cannot_be_a_request_is_refused),
		cmocka_unit_test(a_read_follows_a_bounded_number_of_redirects),
		cmocka_unit_test(what_is_sent_once_follows_no_redirect),
		cmocka_unit_test(every_hop_is_checked),
		cmocka_unit_test(secrets_do_not_follow_to_another_origin),
		cmocka_unit_test(a_reply_over_its_maximum_is_cut),
		cmocka_unit_test(nothing_is_added_to_a_request_that_nobody_wrote),
		cmocka_unit_test(a_path_is_sent_as_it_was_approved),
		cmocka_unit_test(a_cancelled_request_says_how_far_it_came),
		cmocka_unit_test(closing_the_client_answers_everyone),
		cmocka_unit_test(many_at_once_each_get_their_own_reply),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
