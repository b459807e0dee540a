/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON over jansson's json_t: parsing with limits, shortest numbers, the canonical form of
 * RFC 8785, paths. A value is immutable once another thread can see it. Integers keep 64 bits. */
#ifndef CS_BASE_JSON_H
#define CS_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define CS_JSON_DEPTH 128                 /* deepest value accepted from outside */

/* Parses exactly one value (scalars too); duplicate keys, NUL in keys, bad UTF-8, depth and
 * trailing text are refused with line and column. New reference in *ret. U+0000 in a string value
 * is kept (json_string_length counts it); a raw NUL byte is refused. An integer outside 64 bits is
 * refused, unless its digits are exactly what cs_json_number writes for a double (1e20 is written
 * 100000000000000000000): then it is that real, so what we write we also read. */
int cs_json_parse(const char *text, size_t len, json_t **ret, cs_err *err);
/* Compact text, keys in insertion order, shortest round-trip numbers. */
int cs_json_write(const json_t *v, cs_buf *out);
/* As cs_json_write over lines of two spaces, for people. */
int cs_json_write_pretty(const json_t *v, cs_buf *out);
/* RFC 8785: keys sorted by UTF-16 code units, ECMAScript numbers (integers beyond 2^53 keep
 * their digits: they are ours, not IEEE). */
int cs_json_canonical(const json_t *v, cs_buf *out);
/* malloc'ed compact text; aborts only when there is no memory. */
char *cs_json_text(const json_t *v);
/* SHA-256 of the canonical form as 64 hex digits plus NUL. */
void cs_json_digest(const json_t *v, char ret_hex[65]);
/* ECMAScript shortest form of a finite double ("0.1", "1e+21"); 32 bytes are always enough. The
 * length; CS_EINVAL when not finite, CS_ETOOBIG when SIZE is too small. */
int cs_json_number(double d, char *out, size_t size);

/* "a.b.0" down objects and arrays ("" is V itself); borrowed, NULL when absent. */
json_t *cs_json_get_path(const json_t *v, const char *dotted);
/* Copy of V with VALUE (borrowed) at the dotted path, making objects where there is nothing or
 * null. In an array the number may be its length, which appends. CS_EINVAL below other values. */
int cs_json_with_path(const json_t *v, const char *dotted, json_t *value, json_t **ret, cs_err *err);
/* RFC 6901; borrowed, NULL when absent. */
json_t *cs_json_pointer(const json_t *v, const char *pointer);
/* Equal by JSON value: 1 and 1.0 are equal. */
bool cs_json_equal(const json_t *a, const json_t *b);
/* Parses TEXT as JSON; where it does not parse, the string itself (--set, --value). NULL when
 * it is not UTF-8. */
json_t *cs_json_lenient(const char *text);

/* SLOT holds a new reference to VALUE (NULL: nothing) in place of the one it had; they may be the
 * same. */
void cs_json_put(json_t **slot, json_t *value);

/* Borrowed string member or NULL / DEF; integer member or DEF. */
const char *cs_json_str(const json_t *obj, const char *key);
const char *cs_json_str_or(const json_t *obj, const char *key, const char *def);
int64_t cs_json_int_or(const json_t *obj, const char *key, int64_t def);
bool cs_json_true(const json_t *obj, const char *key);   /* member present and true */
/* Is WORD (NULL is not) one of the texts in LIST? What is no array has none. */
bool cs_json_lists(const json_t *list, const char *word);

#endif
