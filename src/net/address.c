/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"

static const struct {
	uint32_t net;
	unsigned bits;
	cs_address_kind kind;
} v4[] = {
	{ 0x00000000, 8, CS_ADDRESS_NEVER },      /* this network */
	{ 0x0a000000, 8, CS_ADDRESS_PRIVATE },
	{ 0x64400000, 10, CS_ADDRESS_PRIVATE },   /* shared; also a cloud's metadata (100.100.100.200) */
	{ 0x7f000000, 8, CS_ADDRESS_PRIVATE },
	{ 0xa9fe0000, 16, CS_ADDRESS_LINK },
	{ 0xac100000, 12, CS_ADDRESS_PRIVATE },
	{ 0xc0000000, 24, CS_ADDRESS_NEVER },     /* protocol assignments */
	{ 0xc0000200, 24, CS_ADDRESS_NEVER },     /* documentation */
	{ 0xc0a80000, 16, CS_ADDRESS_PRIVATE },
	{ 0xc6120000, 15, CS_ADDRESS_PRIVATE },   /* benchmarking */
	{ 0xc6336400, 24, CS_ADDRESS_NEVER },
	{ 0xcb007100, 24, CS_ADDRESS_NEVER },
	{ 0xe0000000, 4, CS_ADDRESS_NEVER },      /* multicast */
	{ 0xf0000000, 4, CS_ADDRESS_NEVER },      /* reserved, broadcast */
};

static const struct {
	uint8_t net[16];
	unsigned bits;
	cs_address_kind kind;
} v6[] = {
	{ { 0 }, 128, CS_ADDRESS_NEVER },
	{ { [15] = 1 }, 128, CS_ADDRESS_PRIVATE },
	{ { 0xfc }, 7, CS_ADDRESS_PRIVATE },
	{ { 0xfe, 0x80 }, 10, CS_ADDRESS_LINK },
	{ { 0xfe, 0xc0 }, 10, CS_ADDRESS_PRIVATE },          /* site-local, of old */
	{ { 0x01, 0x00 }, 64, CS_ADDRESS_NEVER },            /* discard */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, CS_ADDRESS_NEVER }, /* documentation */
	{ { 0x20, 0x01, 0x00, 0x00 }, 32, CS_ADDRESS_NEVER }, /* Teredo: hides an IPv4 address */
	{ { 0xff }, 8, CS_ADDRESS_NEVER },
};

static cs_address_kind kind4(uint32_t a)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(v4); i++)
		if ((a ^ v4[i].net) >> (32 - v4[i].bits) == 0)
			return v4[i].kind;
	return CS_ADDRESS_PUBLIC;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool has_prefix(const uint8_t *a, const uint8_t *net, unsigned bits)
{
	if (memcmp(a, net, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return rest == 0 || (a[bits / 8] ^ net[bits / 8]) >> (8 - rest) == 0;
}

static cs_address_kind kind6(const uint8_t a[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t six_to_four[2] = { 0x20, 0x02 };
	for (size_t i = 0; i < CS_ARRAY_LEN(v6); i++)
		if (has_prefix(a, v6[i].net, v6[i].bits))
			return v6[i].kind;
	static const uint8_t compatible[12] = { 0 };
	if (has_prefix(a, mapped, 96) || has_prefix(a, nat64, 96) || has_prefix(a, compatible, 96))
		return kind4(be32(a + 12));
	if (has_prefix(a, six_to_four, 16))
		return kind4(be32(a + 2));
	return CS_ADDRESS_PUBLIC;
}

cs_address_kind cs_address_kind_of(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof in);
		return kind4(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof in6);
		return kind6(in6.sin6_addr.s6_addr);
	}
	return CS_ADDRESS_NEVER;
}

bool cs_address_literal(const char *text, cs_address_kind *ret)
{
	char host[64];
	size_t n = strlen(text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof host)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	struct in_addr a4;
	struct in6_addr a6;
	if (inet_pton(AF_INET, host, &a4) == 1) {
		*ret = kind4(ntohl(a4.s_addr));
		return true;
	}
	if (inet_pton(AF_INET6, host, &a6) == 1) {
		*ret = kind6(a6.s6_addr);
		return true;
	}
	return false;
}

const char *cs_address_kind_name(cs_address_kind kind)
{
	static const char *const names[] = {
		[CS_ADDRESS_PUBLIC] = "public",
		[CS_ADDRESS_PRIVATE] = "private",
		[CS_ADDRESS_LINK] = "link-local",
		[CS_ADDRESS_NEVER] = "reserved",
	};
	return names[kind];
}

const cs_allow *cs_allow_find(const cs_allow *list, size_t n, const char *host, unsigned port)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i].host, host) == 0 && (list[i].port == 0 || list[i].port == port))
			return &list[i];
	return NULL;
}

bool cs_allow_address(const cs_allow *entry, const char *host, cs_address_kind kind)
{
	cs_address_kind literal;
	switch (kind) {
	case CS_ADDRESS_PUBLIC:
		return true;
	case CS_ADDRESS_PRIVATE:
		return entry && entry->private;
	case CS_ADDRESS_LINK:
		return entry && entry->private && cs_address_literal(host, &literal) && literal == kind;
	case CS_ADDRESS_NEVER:
		break;
	}
	return false;
}
