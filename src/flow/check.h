/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checking a document key by key: a cursor that knows its JSON pointer, and tables of the keys
 * an object may have. Findings go to a cs_diags with the place of the key or value. */
#ifndef CS_FLOW_CHECK_H
#define CS_FLOW_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "flow/cron.h"
#include "flow/diag.h"
#include "flow/yaml.h"

#define CS_CHECK_PATH 2048

typedef struct cs_check {
	const char *file;         /* borrowed; NULL: findings have no place */
	const cs_source *src;     /* borrowed; NULL: findings have no line */
	cs_diags *d;
	char path[CS_CHECK_PATH]; /* JSON pointer of the value being looked at */
	size_t len;               /* may pass CS_CHECK_PATH: the path then stops at the last part that fits */
} cs_check;

/* What a key's value may be. */
enum {
	CS_IS_STRING = 1, CS_IS_INTEGER = 2, CS_IS_NUMBER = 4, CS_IS_BOOL = 8, CS_IS_OBJECT = 16,
	CS_IS_ARRAY = 32, CS_IS_NULL = 64, CS_IS_ANY = 127,
	CS_KEY_REQUIRED = 256,
	CS_KEY_LATER = 512,       /* known, but not obeyed in this version: always an error */
};

typedef struct cs_key {
	const char *name;
	unsigned is;
} cs_key;

void cs_check_init(cs_check *c, const char *file, const cs_source *src, cs_diags *d);
/* Goes down; what comes back is handed to cs_check_pop. */
size_t cs_check_push(cs_check *c, const char *key);
size_t cs_check_push_index(cs_check *c, size_t index);
void cs_check_pop(cs_check *c, size_t mark);
/* At the value, at KEY of the value, or as a warning at KEY (NULL: at the value). */
void cs_check_error(cs_check *c, const char *fmt, ...) CS_PRINTF(2, 3);
void cs_check_error_key(cs_check *c, const char *key, const char *fmt, ...) CS_PRINTF(3, 4);
void cs_check_warn(cs_check *c, const char *key, const char *fmt, ...) CS_PRINTF(3, 4);
/* At POINTER below the value: for findings of an expression inside it. */
void cs_check_error_below(cs_check *c, const char *pointer, const char *fmt, ...) CS_PRINTF(3, 4);
void cs_check_warn_below(cs_check *c, const char *pointer, const char *fmt, ...) CS_PRINTF(3, 4);

/* Where POINTER below the value stands; 0 when it is not known. */
void cs_check_place(const cs_check *c, const char *pointer, unsigned *line, unsigned *col);

/* Is V an object with only KEYS (ended by a NULL name), each of its type, none missing? WHAT names
 * it in messages: "a task". Each finding is reported; false when there was one. */
bool cs_check_object(cs_check *c, const json_t *v, const cs_key *keys, const char *what);
/* Is the value one of IS? Reported as WHAT when not; where it was written, with what to write. */
bool cs_check_type(cs_check *c, const json_t *v, unsigned is, const char *what);
/* The index of the string member KEY in WORDS (NULL-terminated), -1 when it is absent or another
 * word; the latter is reported. */
int cs_check_word(cs_check *c, const json_t *obj, const char *key, const char *const *words);
/* Reports that NAME is none of NAMES, with the nearest. */
void cs_check_unknown(cs_check *c, const char *what, const char *name, const char *const *names);
/* A duration in ISO 8601 or as {days, hours, minutes, seconds, milliseconds}, in milliseconds;
 * the cursor stands on it. False when it was reported. */
bool cs_check_duration(cs_check *c, const json_t *v, int64_t *ret_ms);
/* The duration at KEY, when there is one. */
bool cs_check_duration_key(cs_check *c, const json_t *obj, const char *key, int64_t *ret_ms);
/* The same for an interval between starts: a second at least. */
bool cs_check_interval_key(cs_check *c, const json_t *obj, const char *key, int64_t *ret_ms);
/* The cron expression at KEY, when there is one. */
bool cs_check_cron_key(cs_check *c, const json_t *obj, const char *key, cs_cron *ret);

#endif
