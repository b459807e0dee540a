/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/event_bytes.h"
#include <string.h>
#include "base/json.h"
#include "store/sql.h"

/* RFC 8785 3.2.2.2: the short escapes, \u00xx for the other controls, all else as it is. */
static const char *short_escape(unsigned char c)
{
	switch (c) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\t': return "\\t";
	case '\n': return "\\n";
	case '\f': return "\\f";
	case '\r': return "\\r";
	default: return NULL;
	}
}

static int add_string(cs_buf *out, const char *s)
{
	const char *start = s;
	cs_buf_addc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		cs_buf_add(out, start, (size_t)(s - start));
		const char *esc = short_escape(c);
		if (esc)
			cs_buf_adds(out, esc);
		else
			cs_buf_addf(out, "\\u%04x", c);
		start = s + 1;
	}
	cs_buf_add(out, start, (size_t)(s - start));
	return cs_buf_addc(out, '"');
}

static int add_int(cs_buf *out, int64_t v)
{
	char digits[24], *p = digits + sizeof digits;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--p = '-';
	return cs_buf_add(out, p, (size_t)(digits + sizeof digits - p));
}

#define ADD(out, literal) cs_buf_add(out, literal, sizeof literal - 1)

int cs_event_bytes(const cs_event *ev, const char *data, size_t data_len, cs_buf *out)
{
	ADD(out, "{\"actor\":");
	add_string(out, ev->actor);
	ADD(out, ",\"at\":");
	add_int(out, ev->at);
	ADD(out, ",\"cause\":");
	add_int(out, ev->cause);
	ADD(out, ",\"data\":");
	cs_buf_add(out, data, data_len);
	ADD(out, ",\"occurrence\":");
	add_int(out, ev->occurrence);
	ADD(out, ",\"run\":");
	add_string(out, ev->run);
	ADD(out, ",\"seq\":");
	add_int(out, ev->seq);
	cs_buf_adds(out, ev->simulated ? ",\"simulated\":true" : ",\"simulated\":false");
	ADD(out, ",\"task\":");
	if (ev->task)
		add_string(out, ev->task);
	else
		ADD(out, "null");
	ADD(out, ",\"type\":");
	add_string(out, ev->type);
	return ADD(out, "}");
}

int cs_event_hash(cs_sha256 *h, const uint8_t prev[CS_HASH_LEN], const cs_event *ev, const char *data,
		  size_t data_len, cs_buf *scratch, uint8_t ret[CS_HASH_LEN])
{
	cs_buf_reset(scratch);
	int rc = cs_event_bytes(ev, data, data_len, scratch);
	if (rc)
		return rc;
	cs_sha256_begin(h);
	cs_sha256_add(h, prev, CS_HASH_LEN);
	cs_sha256_add(h, scratch->data, scratch->len);
	cs_sha256_end(h, ret);
	return CS_OK;
}

static bool is_body_name(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && name[n - 1] == '@';
}

static int check_names(const json_t *data, cs_err *err)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)data, name, value) {
		if (is_body_name(name))
			return cs_err_set(err, CS_EINVAL, "event data: the name %s ends in @, which is kept for bodies", name);
	}
	return CS_OK;
}

/* A member at a time; TEXT is the scratch for its canonical form. */
static int split_member(json_t *into, const char *name, json_t *value, cs_body_fn *put, void *ctx, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_EVENT_MAX);
	int rc = cs_json_canonical(value, &text);
	if (rc)
		return cs_err_set(err, rc, "event data: the member %s is too large", name);
	if (text.len <= CS_STORE_INLINE) {
		json_object_set(into, name, value);
		return CS_OK;
	}
	char hex[CS_HEX_SIZE];
	rc = put(ctx, text.data, text.len, hex, err);
	if (rc)
		return rc;
	CS_AUTOFREE char *at = cs_xasprintf("%s@", name);
	json_object_set_new(into, at, json_string(hex));
	return CS_OK;
}

static int write_split(const json_t *data, cs_body_fn *put, void *ctx, cs_buf *out, cs_err *err)
{
	CS_AUTOJSON json_t *stored = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)data, name, value) {
		int rc = split_member(stored, name, value, put, ctx, err);
		if (rc)
			return rc;
	}
	cs_buf_reset(out);
	int rc = cs_json_canonical(stored, out);
	return rc ? cs_err_set(err, rc, "event data: too large") : CS_OK;
}

int cs_data_write(const json_t *data, cs_body_fn *put, void *ctx, cs_buf *out, cs_err *err)
{
	cs_buf_reset(out);
	if (!data)
		return ADD(out, "{}");
	if (!json_is_object(data))
		return cs_err_set(err, CS_EINVAL, "event data: is not an object");
	int rc = check_names(data, err);
	if (rc)
		return rc;
	rc = cs_json_canonical(data, out);
	if (rc)
		return cs_err_set(err, rc, "event data: larger than %zu bytes, or no JSON", CS_EVENT_MAX);
	/* Where the whole fits inline, each member does. */
	return out->len <= CS_STORE_INLINE ? CS_OK : write_split(data, put, ctx, out, err);
}

bool cs_data_may_have_body(const char *text, size_t len)
{
	/* Inside a string the quotes would be escaped, so only a name that ends in @ looks so. */
	return len >= CS_HEX_SIZE && memmem(text, len, "@\":\"", 4) != NULL;
}

int cs_body_read(sqlite3 *db, sqlite3_stmt **slot, const char *hex, cs_buf *out, cs_err *err)
{
	uint8_t name[CS_HASH_LEN], real[CS_HASH_LEN];
	if (!hex || strlen(hex) != CS_HEX_SIZE - 1 || cs_unhex(hex, name, sizeof name))
		return cs_err_set(err, CS_EINVAL, "a body's name is 64 hex digits");
	int rc = cs_sql_keep(db, "SELECT bytes FROM body WHERE hash = ?1", slot, err);
	if (rc)
		return rc;
	cs_sql_bind(*slot, "b", (const void *)name, sizeof name);
	rc = sqlite3_step(*slot);
	if (rc == SQLITE_ROW) {
		rc = cs_buf_add(out, sqlite3_column_blob(*slot, 0), (size_t)sqlite3_column_bytes(*slot, 0));
		if (rc)
			cs_err_set(err, rc, "the body %s is too large", hex);
	} else if (rc == SQLITE_DONE) {
		rc = cs_err_set(err, CS_ENOTFOUND, "the body %s is not in the database; run capstan verify", hex);
	} else {
		rc = cs_sql_err(err, db, "reading a body");
	}
	sqlite3_reset(*slot);
	if (rc)
		return rc;
	cs_hash(out->data, out->len, real);
	if (memcmp(real, name, sizeof name) != 0)
		return cs_err_set(err, CS_EIO, "the body %s has been changed; run capstan verify", hex);
	return CS_OK;
}

static int put_back(sqlite3 *db, sqlite3_stmt **slot, json_t *into, const char *name, const char *hex, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_EVENT_MAX);
	int rc = cs_body_read(db, slot, hex, &text, err);
	if (rc == CS_ENOTFOUND)
		return cs_err_set(err, CS_EIO, "the body %s of an event is not in the database; run capstan verify", hex);
	if (rc)
		return rc;
	json_t *value;
	rc = cs_json_parse(text.data, text.len, &value, err);
	if (rc)
		return rc;
	CS_AUTOFREE char *plain = cs_xstrndup(name, strlen(name) - 1);
	json_object_set_new(into, plain, value);
	return CS_OK;
}

static int join(sqlite3 *db, sqlite3_stmt **slot, json_t *stored, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *whole = json_object();
	const char *name;
	json_t *value;
	json_object_foreach(stored, name, value) {
		int rc = CS_OK;
		if (is_body_name(name))
			rc = put_back(db, slot, whole, name, json_string_value(value), err);
		else
			json_object_set(whole, name, value);
		if (rc)
			return rc;
	}
	*ret = CS_STEAL(whole);
	return CS_OK;
}

int cs_data_read(sqlite3 *db, sqlite3_stmt **slot, const char *text, size_t len, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *stored = NULL;
	int rc = cs_json_parse(text, len, &stored, err);
	if (rc)
		return rc;
	if (!json_is_object(stored))
		return cs_err_set(err, CS_EIO, "an event's data is not an object; run capstan verify");
	if (!cs_data_may_have_body(text, len)) {
		*ret = CS_STEAL(stored);
		return CS_OK;
	}
	return join(db, slot, stored, ret, err);
}

void cs_event_from_row(sqlite3_stmt *st, cs_event *ev)
{
	*ev = (cs_event){
		.seq = sqlite3_column_int64(st, 0),
		.at = sqlite3_column_int64(st, 1),
		.task = (const char *)sqlite3_column_text(st, 3),
		.occurrence = sqlite3_column_int(st, 4),
		.type = cs_sql_text(st, 5),
		.actor = cs_sql_text(st, 6),
		.cause = sqlite3_column_int64(st, 7),
		.simulated = sqlite3_column_int(st, 8) != 0,
	};
	/* A longer text is not one we wrote; cut, it no longer matches its hash, and verify says so. */
	memccpy(ev->run, cs_sql_text(st, 2), 0, sizeof ev->run - 1);
	if (sqlite3_column_bytes(st, CS_EVENT_DATA_COLUMN + 1) == CS_HASH_LEN)
		memcpy(ev->hash, sqlite3_column_blob(st, CS_EVENT_DATA_COLUMN + 1), CS_HASH_LEN);
}
