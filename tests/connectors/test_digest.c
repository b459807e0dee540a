/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "connectors/digest.h"

/* RFC 7616, 3.9.1. */
#define REALM "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
#define NONCE "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
static const cs_digest_login mufasa = {
	.user = "Mufasa", .password = "Circle of Life", .method = "GET", .target = "/dir/index.html",
	.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
};

static void challenged(cs_headers *h, const char *challenge)
{
	cs_headers_add(h, "www-authenticate", 16, challenge, strlen(challenge));
}

static void answers(const cs_headers *h, const char *want)
{
	char *answer CS_AUTOSECRET = NULL;
	cs_err err = { 0 };
	if (cs_digest_answer(h, &mufasa, &answer, &err) != CS_OK)
		fail_msg("%s", err.msg);
	if (!strstr(answer, want))
		fail_msg("%s is not in %s", want, answer);
}

static void test_the_rfcs_examples_are_answered(void **state)
{
	(void)state;
	cs_headers md5 CS_CLEANUP(cs_headers_fini) = { 0 }, both CS_CLEANUP(cs_headers_fini) = { 0 };
	challenged(&md5, "Digest " REALM "algorithm=MD5, " NONCE);
	answers(&md5, "response=\"8ca523f5e9506fed4657c9700eebdbec\"");
	answers(&md5, "username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"7ypf/");
	answers(&md5, "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"f2/w");
	challenged(&both, "Basic realm=\"x\"");
	challenged(&both, "Digest " REALM "algorithm=MD5, " NONCE);
	challenged(&both, "Digest " REALM "algorithm=SHA-256, " NONCE);
	answers(&both, "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
}

/* RFC 2069: without qop there is no count and no cnonce, and MD5 is meant. */
static void test_an_old_challenge_is_answered_in_the_old_way(void **state)
{
	(void)state;
	cs_headers h CS_CLEANUP(cs_headers_fini) = { 0 };
	char *answer CS_AUTOSECRET = NULL;
	challenged(&h, "Digest realm=\"a \\\"b\\\"\",nonce=n");
	assert_int_equal(cs_digest_answer(&h, &mufasa, &answer, NULL), CS_OK);
	assert_non_null(strstr(answer, "realm=\"a \\\"b\\\"\", nonce=\"n\", uri=\"/dir/index.html\", response=\""));
	assert_null(strstr(answer, "cnonce"));
	assert_null(strstr(answer, "qop"));
	assert_null(strstr(answer, "Circle"));
}

static void test_what_cannot_be_answered_is_said(void **state)
{
	(void)state;
	static const struct {
		const char *challenge;
		int code;
	} rows[] = {
		{ "Basic realm=\"x\"", CS_ENOTFOUND }, { "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512-256", CS_EUNSUPPORTED },
		{ "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"", CS_EUNSUPPORTED }, { "Digest realm=\"x\"", CS_EUNSUPPORTED },
		{ "Digest realm=\"x", CS_EUNSUPPORTED }, { "Digest ,,,=", CS_EUNSUPPORTED }, { "Digest \\\"", CS_EUNSUPPORTED },
		{ "", CS_ENOTFOUND }, { "digest", CS_ENOTFOUND },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_headers h CS_CLEANUP(cs_headers_fini) = { 0 };
		char *answer = NULL;
		challenged(&h, rows[i].challenge);
		if (cs_digest_answer(&h, &mufasa, &answer, NULL) != rows[i].code || answer)
			fail_msg("%s", rows[i].challenge);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rfcs_examples_are_answered),
		cmocka_unit_test(test_an_old_challenge_is_answered_in_the_old_way),
		cmocka_unit_test(test_what_cannot_be_answered_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
