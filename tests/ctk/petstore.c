/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ctk/petstore.h"

#include <arpa/inet.h>
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
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/mem.h"

enum { HEAD_MAX = 8192 };

static const char petstore_name[] = "petstore.swagger.io", httpbin_name[] = "httpbin.org";

struct petstore {
	SSL_CTX *tls;
	int fd;
	char address[32];
	cs_http_stand_in hosts[2];
	pthread_t thread;
	atomic_bool stop;
};

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "petstore: %s failed\n", what);
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

/* A certificate of NAME for KEY, good for an hour; ISSUER NULL: by itself. */
static X509 *certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, long serial)
{
	X509 *cert = X509_new();
	must(cert != NULL && X509_set_version(cert, 2) == 1, "a certificate");
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
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
		CS_AUTOFREE char *names = cs_xasprintf("DNS:%s,DNS:%s", petstore_name, httpbin_name);
		extend(cert, issuer, NID_subject_alt_name, names);
	}
	must(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "signing");
	return cert;
}

static SSL_CTX *make_tls(const char *ca)
{
	EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	must(authority_key != NULL && key != NULL, "a key");
	X509 *authority = certificate("capstan test authority", authority_key, NULL, authority_key, 1);
	X509 *cert = certificate(petstore_name, key, authority, authority_key, 2);
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

static const char document[] =
	"{\"swagger\":\"2.0\",\"host\":\"petstore.swagger.io\",\"basePath\":\"/v2\",\"schemes\":[\"https\",\"http\"],\"paths\":{"
	"\"/pet/findByStatus\":{\"get\":{\"operationId\":\"findPetsByStatus\",\"parameters\":[{\"name\":\"status\",\"in\":\"query\","
	"\"required\":true,\"type\":\"array\",\"items\":{\"type\":\"string\"},\"collectionFormat\":\"multi\"}]}},"
	"\"/pet/{petId}\":{\"get\":{\"operationId\":\"getPetById\",\"parameters\":[{\"name\":\"petId\",\"in\":\"path\","
	"\"required\":true,\"type\":\"integer\"}]}}}}";

struct answer {
	int status;
	char body[1024];
	const char *text;            /* in place of body */
};

/* PATH is of httpbin: /basic-auth/USER/PASSWORD wants exactly these. */
static void answer_basic(const char *path, const char *head, struct answer *a)
{
	CS_AUTOFREE char *pair = cs_xstrdup(path + strlen("/basic-auth/"));
	char *slash = strchr(pair, '/');
	if (slash != NULL)
		*slash = ':';
	unsigned char b64[512];
	must(strlen(pair) < 300, "a short password");
	EVP_EncodeBlock(b64, (const unsigned char *)pair, (int)strlen(pair));
	CS_AUTOFREE char *line = cs_xasprintf("\r\nAuthorization: Basic %s\r\n", (const char *)b64);
	a->status = strstr(head, line) != NULL ? 200 : 401;
	snprintf(a->body, sizeof a->body, "{\"authenticated\":%s}", a->status == 200 ? "true" : "false");
}

static void answer_path(const char *host, const char *path, const char *head, struct answer *a)
{
	static const char find[] = "/v2/pet/findByStatus?status=available", pet[] = "/v2/pet/";
	char *end;
	*a = (struct answer){ .status = 404, .body = "{\"code\":404,\"message\":\"not there\"}" };
	if (strcmp(host, httpbin_name) == 0) {
		if (strncmp(path, "/basic-auth/", 12) == 0)
			answer_basic(path, head, a);
		return;
	}
	if (strcmp(path, "/v2/swagger.json") == 0) {
		a->status = 200;
		a->text = document;
	} else if (strcmp(path, find) == 0) {
		a->status = 200;
		a->text = "[{\"id\":1,\"name\":\"doggie\",\"status\":\"available\"},{\"id\":2,\"name\":\"kitty\",\"status\":\"available\"}]";
	} else if (strncmp(path, pet, sizeof pet - 1) == 0) {
		unsigned long id = strtoul(path + sizeof pet - 1, &end, 10);
		if (end == path + sizeof pet - 1 || *end != '\0')
			return;
		a->status = 200;
		snprintf(a->body, sizeof a->body, "{\"id\":%lu,\"name\":\"doggie\",\"status\":\"available\"}", id);
	}
}

/* One request, if it is a GET of a host that we are. */
static void answer_one(SSL *tls, const char *head)
{
	char path[1024], host[256] = "";
	struct answer a;
	const char *h = strstr(head, "\r\nHost: ");
	if (sscanf(head, "GET %1023s HTTP/1.1", path) != 1 || h == NULL || sscanf(h, "\r\nHost: %255[^\r]", host) != 1)
		return;
	answer_path(host, path, head, &a);
	const char *body = a.text != NULL ? a.text : a.body;
	CS_AUTOFREE char *reply = cs_xasprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
					       a.status, strlen(body), body);
	(void)SSL_write(tls, reply, (int)strlen(reply));
}

static void serve(petstore *p, int fd)
{
	char head[HEAD_MAX + 1];
	size_t n = 0;
	struct timeval limit = { .tv_sec = 5 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	SSL *tls = SSL_new(p->tls);
	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1) {
		int got = 1;
		head[0] = '\0';
		while (n < HEAD_MAX && strstr(head, "\r\n\r\n") == NULL && got > 0) {
			got = SSL_read(tls, head + n, (int)(HEAD_MAX - n));
			n += got > 0 ? (size_t)got : 0;
			head[n] = '\0';
		}
		if (got > 0)
			answer_one(tls, head);
		SSL_shutdown(tls);
	}
	SSL_free(tls);
	close(fd);
}

static void *run(void *arg)
{
	petstore *p = arg;
	while (!atomic_load(&p->stop)) {
		struct pollfd ready = { .fd = p->fd, .events = POLLIN };
		if (poll(&ready, 1, 100) != 1)
			continue;
		int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(p, fd);
	}
	return NULL;
}

petstore *petstore_start(const char *ca)
{
	petstore *p = cs_xcalloc(1, sizeof *p);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	p->tls = make_tls(ca);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(p->fd, 16) == 0, "listening");
	must(getsockname(p->fd, (struct sockaddr *)&at, &len) == 0, "a port");
	snprintf(p->address, sizeof p->address, "127.0.0.1:%u", ntohs(at.sin_port));
	p->hosts[0] = (cs_http_stand_in){ petstore_name, 443, p->address };
	p->hosts[1] = (cs_http_stand_in){ httpbin_name, 443, p->address };
	must(pthread_create(&p->thread, NULL, run, p) == 0, "a thread");
	return p;
}

void petstore_stop(petstore *p)
{
	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	close(p->fd);
	SSL_CTX_free(p->tls);
	free(p);
}

const cs_http_stand_in *petstore_hosts(const petstore *p, size_t *ret_n)
{
	*ret_n = CS_ARRAY_LEN(p->hosts);
	return p->hosts;
}
