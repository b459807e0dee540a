/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/mem.h"
#include "net/address.h"
#include "net/header.h"

static void every_range_has_its_kind(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		cs_address_kind kind;
	} rows[] = {
		{ "8.8.8.8", CS_ADDRESS_PUBLIC }, { "11.0.0.1", CS_ADDRESS_PUBLIC }, { "172.32.0.1", CS_ADDRESS_PUBLIC },
		{ "2606:4700::1111", CS_ADDRESS_PUBLIC }, { "10.1.2.3", CS_ADDRESS_PRIVATE },
		{ "127.0.0.1", CS_ADDRESS_PRIVATE }, { "127.255.255.254", CS_ADDRESS_PRIVATE },
		{ "172.16.0.1", CS_ADDRESS_PRIVATE }, { "172.31.255.255", CS_ADDRESS_PRIVATE },
		{ "192.168.1.1", CS_ADDRESS_PRIVATE }, { "100.64.0.1", CS_ADDRESS_PRIVATE },
		{ "100.100.100.200", CS_ADDRESS_PRIVATE }, { "::1", CS_ADDRESS_PRIVATE }, { "[::1]", CS_ADDRESS_PRIVATE },
		{ "fd00::1", CS_ADDRESS_PRIVATE }, { "fc00::1", CS_ADDRESS_PRIVATE },
		{ "169.254.169.254", CS_ADDRESS_LINK }, { "fe80::1", CS_ADDRESS_LINK }, { "febf::1", CS_ADDRESS_LINK },
		{ "0.0.0.0", CS_ADDRESS_NEVER }, { "224.0.0.1", CS_ADDRESS_NEVER }, { "255.255.255.255", CS_ADDRESS_NEVER },
		{ "240.0.0.1", CS_ADDRESS_NEVER }, { "::", CS_ADDRESS_NEVER }, { "ff02::1", CS_ADDRESS_NEVER },
		/* an IPv4 address in IPv6 clothes is what it is */
		{ "::ffff:127.0.0.1", CS_ADDRESS_PRIVATE }, { "::ffff:169.254.169.254", CS_ADDRESS_LINK },
		{ "64:ff9b::a00:1", CS_ADDRESS_PRIVATE }, { "2002:7f00:1::", CS_ADDRESS_PRIVATE },
		{ "::ffff:8.8.8.8", CS_ADDRESS_PUBLIC }, { "::127.0.0.1", CS_ADDRESS_PRIVATE },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_address_kind kind;
		if (!cs_address_literal(rows[i].text, &kind))
			fail_msg("%s is an address", rows[i].text);
		if (kind != rows[i].kind)
			fail_msg("%s is %s, not %s", rows[i].text, cs_address_kind_name(rows[i].kind), cs_address_kind_name(kind));
	}
}

static void what_is_no_address_is_none(void **state)
{
	(void)state;
	cs_address_kind kind;
	assert_false(cs_address_literal("localhost", &kind));
	assert_false(cs_address_literal("127.1", &kind));
	assert_false(cs_address_literal("", &kind));
	assert_false(cs_address_literal("[]", &kind));
	struct sockaddr unix_one = { .sa_family = AF_UNIX };
	assert_int_equal(cs_address_kind_of(&unix_one), CS_ADDRESS_NEVER);
}

static void private_needs_its_name_and_link_local_its_address(void **state)
{
	(void)state;
	static const cs_allow list[] = {
		{ "intranet.example", 0, true }, { "169.254.169.254", 80, true }, { "shop.example", 443, false },
	};
	size_t n = CS_ARRAY_LEN(list);
	const cs_allow *named = cs_allow_find(list, n, "INTRANET.example", 8080);
	const cs_allow *metadata = cs_allow_find(list, n, "169.254.169.254", 80);
	const cs_allow *shop = cs_allow_find(list, n, "shop.example", 443);
	assert_non_null(named);
	assert_non_null(metadata);
	assert_non_null(shop);
	assert_null(cs_allow_find(list, n, "shop.example", 8443));
	assert_null(cs_allow_find(list, n, "intranet.example.evil.example", 80));
	assert_true(cs_allow_address(NULL, "any.example", CS_ADDRESS_PUBLIC));
	assert_false(cs_allow_address(NULL, "any.example", CS_ADDRESS_PRIVATE));
	assert_false(cs_allow_address(shop, "shop.example", CS_ADDRESS_PRIVATE));
	assert_true(cs_allow_address(named, "intranet.example", CS_ADDRESS_PRIVATE));
	assert_false(cs_allow_address(named, "intranet.example", CS_ADDRESS_LINK));
	assert_true(cs_allow_address(metadata, "169.254.169.254", CS_ADDRESS_LINK));
	assert_false(cs_allow_address(metadata, "169.254.169.254", CS_ADDRESS_NEVER));
}

static void a_header_cannot_start_another(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		size_t len;
	} bad[] = {
		{ "X", "a\r\nHost: evil", 13 }, { "X", "a\nb", 3 }, { "X", "a\0b", 3 }, { "X", "\x7f", 1 },
		{ "X: y\r\nZ", "a", 1 }, { "X Y", "a", 1 }, { "", "a", 1 }, { "X\xc3\xa9", "a", 1 },
		{ "Host", "a", 1 }, { "content-length", "1", 1 }, { "Transfer-Encoding", "chunked", 7 },
		{ "EXPECT", "100-continue", 12 }, { "Connection", "close", 5 },
	};
	cs_err err;
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		if (cs_header_check(bad[i].name, strlen(bad[i].name), bad[i].value, bad[i].len, &err) != CS_EINVAL)
			fail_msg("row %zu was taken", i);
	assert_int_equal(cs_header_check("X-Note", 6, "Gr\xc3\xbc\xc3\x9f\tGott", 11, &err), CS_OK);
	assert_int_equal(cs_header_check("Idempotency-Key", 15, "", 0, &err), CS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_range_has_its_kind),
		cmocka_unit_test(what_is_no_address_is_none),
		cmocka_unit_test(private_needs_its_name_and_link_local_its_address),
		cmocka_unit_test(a_header_cannot_start_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
