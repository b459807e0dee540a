/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an ASCII character is, whatever the locale says (ctype.h asks it, and takes no negative char). */
#ifndef CS_BASE_ASCII_H
#define CS_BASE_ASCII_H

#include <stdbool.h>

static inline bool cs_ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool cs_ascii_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The value of a hex digit of either case, or -1. */
static inline int cs_ascii_hex(char c)
{
	if (cs_ascii_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
