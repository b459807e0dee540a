/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ctk/outside.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/yaml.h"

enum { REQUEST_MAX = 65536, HOSTS_MAX = 32, LISTENERS = 2 };

struct outside {
	SSL_CTX *tls;
	int fd[LISTENERS];           /* https, http */
	char address[LISTENERS][32];
	cs_http_stand_in hosts[HOSTS_MAX * LISTENERS];
	size_t n_hosts;
	pthread_t thread;
	atomic_bool stop;
	pthread_mutex_t lock;
	json_t *file;                /* {hosts, answers} */
	json_t *special;             /* answers that go before those of the file */
	json_t *asked;               /* [{ask, body, headers}] */
};

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "outside: %s failed\n", what);
	exit(1);
}

/* ---- certificates ------------------------------------------------------------------------------------------ */

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e != NULL && X509_add_ext(cert, e, -1) == 1, "an extension");
	X509_EXTENSION_free(e);
}

/* A certificate of NAME for KEY, good for an hour, and for NAMES; ISSUER NULL: by itself. */
static X509 *certificate(const char *name, const char *names, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *cert = X509_new();
	must(cert != NULL && X509_set_version(cert, 2) == 1, "a certificate");
	ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer == NULL ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(cert, key);
	if (issuer == NULL) {
		extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
		extend(cert, cert, NID_key_usage, "critical,keyCertSign");
	} else {
		extend(cert, issuer, NID_subject_alt_name, names);
	}
	must(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "signing");
	return cert;
}

static SSL_CTX *make_tls(const char *ca, const char *names)
{
	EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	must(authority_key != NULL && key != NULL, "a key");
	X509 *authority = certificate("capstan test authority", NULL, authority_key, NULL, authority_key);
	X509 *cert = certificate("capstan test server", names, key, authority, authority_key);
	FILE *f = fopen(ca, "w");
	must(f != NULL && PEM_write_X509(f, authority) == 1, "writing the authority");
	must(fclose(f) == 0, "writing the authority");
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	must(tls != NULL && SSL_CTX_use_certificate(tls, cert) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1, "TLS");
	X509_free(cert);
	X509_free(authority);
	EVP_PKEY_free(key);
	EVP_PKEY_free(authority_key);
	return tls;
}

/* ---- answers ------------------------------------------------------------------------------------------------- */

/* One request as it was read. */
struct request {
	char method[16], path[2048], host[256];
	const char *scheme, *head, *body;
};

/* The value of the header NAME in HEAD, or NULL; malloc'ed. */
static char *header(const char *head, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
			const char *value = line + 3 + n + strspn(line + 3 + n, " ");
			return cs_xstrndup(value, strcspn(value, "\r"));
		}
	return NULL;
}

static bool has_wanted(const json_t *answer, const char *head)
{
	const char *name;
	json_t *value;
	json_object_foreach(json_object_get(answer, "wants"), name, value) {
		CS_AUTOFREE char *have = header(head, name);
		if (have == NULL || strcmp(have, json_string_value(value)) != 0)
			return false;
	}
	return true;
}

/* The first of LIST that is for ASK and not used up; `times` counts down. */
static json_t *find(json_t *list, const char *ask, const char *head)
{
	size_t i;
	json_t *answer;
	json_array_foreach(list, i, answer) {
		json_t *times = json_object_get(answer, "times");
		if (strcmp(cs_json_str_or(answer, "ask", ""), ask) != 0 || (times != NULL && json_integer_value(times) == 0) ||
		    !has_wanted(answer, head))
			continue;
		if (times != NULL)
			json_integer_set(times, json_integer_value(times) - 1);
		return answer;
	}
	return NULL;
}

static void note(outside *o, const char *ask, const struct request *q)
{
	json_t *body = NULL;
	CS_AUTOFREE char *type = header(q->head, "content-type");
	if (cs_json_parse(q->body, strlen(q->body), &body, NULL) != CS_OK)
		body = *q->body != '\0' ? json_string(q->body) : NULL;
	CS_AUTOFREE char *auth = header(q->head, "authorization");
	CS_AUTOFREE char *accept = header(q->head, "accept");
	json_array_append_new(o->asked, json_pack("{s:s, s:o*, s:s*, s:s*, s:s*}", "ask", ask, "body", body, "content-type", type,
						  "authorization", auth, "accept", accept));
}

static char *reply_to(outside *o, const struct request *q)
{
	CS_AUTOFREE char *ask = cs_xasprintf("%s %s://%s%s", q->method, q->scheme, q->host, q->path);
	CS_AUTOBUF cs_buf lines;
	cs_buf_init(&lines, REQUEST_MAX);
	pthread_mutex_lock(&o->lock);
	note(o, ask, q);
	const json_t *a = find(o->special, ask, q->head);
	if (a == NULL)
		a = find(json_object_get(o->file, "answers"), ask, q->head);
	const json_t *body = json_object_get(a, "body");
	CS_AUTOFREE char *text = json_is_string(body) ? cs_xstrdup(json_string_value(body))
				 : body != NULL	      ? cs_json_text(body)
				 : a != NULL	      ? cs_xstrdup("")
						      : cs_xstrdup("{\"code\":404,\"message\":\"not there\"}");
	const char *name;
	json_t *value;
	json_object_foreach(json_object_get(a, "headers"), name, value)
		(void)cs_buf_addf(&lines, "%s: %s\r\n", name, json_string_value(value));
	int status = (int)cs_json_int_or(a, "status", a != NULL ? 200 : 404);
	pthread_mutex_unlock(&o->lock);
	return cs_xasprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n%s",
			    status, strlen(text), cs_buf_str(&lines), text);
}

/* ---- connections --------------------------------------------------------------------------------------------- */

struct line {
	int fd;
	SSL *tls;                    /* NULL: plain */
};

static ssize_t take(const struct line *l, char *to, size_t n)
{
	return l->tls != NULL ? SSL_read(l->tls, to, (int)n) : recv(l->fd, to, n, 0);
}

static void give(const struct line *l, const char *text)
{
	ssize_t n = l->tls != NULL ? SSL_write(l->tls, text, (int)strlen(text)) : send(l->fd, text, strlen(text), MSG_NOSIGNAL);
	(void)n;                     /* who asked has gone: that is their business */
}

/* Is the request in TEXT whole? Cuts it where its body begins. */
static bool is_whole(char *text, size_t n, const char **ret_body)
{
	char *end = strstr(text, "\r\n\r\n");
	if (end == NULL)
		return false;
	CS_AUTOFREE char *length = header(text, "content-length");
	size_t want = length != NULL ? strtoul(length, NULL, 10) : 0;
	*ret_body = end + 4;
	return n - (size_t)(end + 4 - text) >= want;
}

static void serve_line(outside *o, const struct line *l, const char *scheme)
{
	CS_AUTOFREE char *text = cs_xcalloc(1, REQUEST_MAX + 1);
	struct request q = { .scheme = scheme, .head = text, .body = "" };
	size_t n = 0;
	while (n < REQUEST_MAX && !is_whole(text, n, &q.body)) {
		ssize_t got = take(l, text + n, REQUEST_MAX - n);
		if (got <= 0)
			return;
		n += (size_t)got;
	}
	CS_AUTOFREE char *host = header(text, "host");
	if (host == NULL || sscanf(text, "%15s %2047s HTTP/1.1", q.method, q.path) != 2)
		return;
	snprintf(q.host, sizeof q.host, "%.*s", (int)strcspn(host, ":"), host);
	CS_AUTOFREE char *reply = reply_to(o, &q);
	give(l, reply);
}

static void serve(outside *o, int fd, bool secure)
{
	struct timeval limit = { .tv_sec = 5 };
	struct line l = { .fd = fd };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (secure) {
		l.tls = SSL_new(o->tls);
		SSL_set_fd(l.tls, fd);
	}
	if (!secure || SSL_accept(l.tls) == 1)
		serve_line(o, &l, secure ? "https" : "http");
	if (secure) {
		SSL_shutdown(l.tls);
		SSL_free(l.tls);
	}
	close(fd);
}

static void *run(void *arg)
{
	outside *o = arg;
	while (!atomic_load(&o->stop)) {
		struct pollfd ready[LISTENERS] = { { .fd = o->fd[0], .events = POLLIN }, { .fd = o->fd[1], .events = POLLIN } };
		if (poll(ready, LISTENERS, 100) < 1)
			continue;
		for (int i = 0; i < LISTENERS; i++) {
			int fd = ready[i].revents != 0 ? accept4(o->fd[i], NULL, NULL, SOCK_CLOEXEC) : -1;
			if (fd >= 0)
				serve(o, fd, i == 0);
		}
	}
	return NULL;
}

static void open_listener(outside *o, int i)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	o->fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(o->fd[i] >= 0 && bind(o->fd[i], (struct sockaddr *)&at, sizeof at) == 0 && listen(o->fd[i], 16) == 0, "listening");
	must(getsockname(o->fd[i], (struct sockaddr *)&at, &len) == 0, "a port");
	snprintf(o->address[i], sizeof o->address[i], "127.0.0.1:%u", ntohs(at.sin_port));
}

/* ---- the world ----------------------------------------------------------------------------------------------- */

static json_t *read_file(const char *path)
{
	CS_AUTOBUF cs_buf text;
	json_t *v = NULL;
	cs_err err = { 0 };
	cs_buf_init(&text, (size_t)1 << 20);
	if (cs_file_read(path, &text, &err) != CS_OK ||
	    cs_yaml_parse(path, cs_buf_str(&text), strlen(cs_buf_str(&text)), &v, NULL, &err) != CS_OK)
		must(0, err.msg);
	return v;
}

outside *outside_start(const char *file, const char *ca)
{
	outside *o = cs_xcalloc(1, sizeof *o);
	CS_AUTOBUF cs_buf names;
	size_t i;
	json_t *host;
	cs_buf_init(&names, 8192);
	o->file = read_file(file);
	o->special = json_array();
	o->asked = json_array();
	pthread_mutex_init(&o->lock, NULL);
	open_listener(o, 0);
	open_listener(o, 1);
	json_array_foreach(json_object_get(o->file, "hosts"), i, host) {
		must(i < HOSTS_MAX && json_is_string(host), "the list of hosts");
		(void)cs_buf_addf(&names, "%sDNS:%s", i > 0 ? "," : "", json_string_value(host));
		o->hosts[o->n_hosts++] = (cs_http_stand_in){ json_string_value(host), 443, o->address[0] };
		o->hosts[o->n_hosts++] = (cs_http_stand_in){ json_string_value(host), 80, o->address[1] };
	}
	o->tls = make_tls(ca, cs_buf_str(&names));
	must(pthread_create(&o->thread, NULL, run, o) == 0, "a thread");
	return o;
}

void outside_stop(outside *o)
{
	atomic_store(&o->stop, true);
	pthread_join(o->thread, NULL);
	close(o->fd[0]);
	close(o->fd[1]);
	SSL_CTX_free(o->tls);
	json_decref(o->file);
	json_decref(o->special);
	json_decref(o->asked);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

const cs_http_stand_in *outside_hosts(const outside *o, size_t *ret_n)
{
	*ret_n = o->n_hosts;
	return o->hosts;
}

void outside_answers(outside *o, const json_t *list)
{
	pthread_mutex_lock(&o->lock);
	json_decref(o->special);
	o->special = list != NULL ? json_deep_copy(list) : json_array();
	json_array_clear(o->asked);
	pthread_mutex_unlock(&o->lock);
}

json_t *outside_asked(outside *o)
{
	pthread_mutex_lock(&o->lock);
	json_t *asked = json_deep_copy(o->asked);
	pthread_mutex_unlock(&o->lock);
	return asked;
}
