/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/event_bytes.h"
#include "store/transfer.h"
#include "store/transfer_lines.h"

void cs_line_sum(cs_sha256 *h, uint8_t sum[CS_HASH_LEN], const char *own, size_t len)
{
	cs_sha256_begin(h);
	cs_sha256_add(h, sum, CS_HASH_LEN);
	cs_sha256_add(h, own, len);
	cs_sha256_end(h, sum);
}

void cs_lines_message(int64_t lines, const uint8_t sum[CS_HASH_LEN], uint8_t ret[CS_LINES_MESSAGE])
{
	static const char context[32] = "capstan export 1";
	memcpy(ret, context, sizeof context);
	for (int i = 0; i < 8; i++)
		ret[sizeof context + (size_t)i] = (uint8_t)((uint64_t)lines >> (8 * (7 - i)));
	memcpy(ret + sizeof context + 8, sum, CS_HASH_LEN);
}

typedef struct line {
	int64_t seq;
	char *text;                  /* its own part: an object without the last brace */
} line;

typedef struct exporting {
	cs_reader *reader;
	json_t *runs;                /* array of ids */
	json_t *told;                /* array of {run, flow, state} */
	json_t *bodies;              /* hex -> text */
	line *events;
	size_t n, cap, size;
	cs_buf data, bytes;
	cs_err *err;
} exporting;

static void exporting_fini(exporting *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->events[i].text);
	free(x->events);
	json_decref(x->runs);
	json_decref(x->told);
	json_decref(x->bodies);
	cs_buf_fini(&x->data);
	cs_buf_fini(&x->bytes);
}

static int too_big(cs_err *err)
{
	return cs_err_set(err, CS_ETOOBIG, "these runs are more than the %zu MiB that one file holds; export fewer at once",
			  CS_TRANSFER_MAX >> 20);
}

/* ---- bodies -------------------------------------------------------------------------------- */

static int keep_body(void *ctx, const char *bytes, size_t n, char ret_hex[CS_HEX_SIZE], cs_err *err)
{
	exporting *x = ctx;
	cs_hash_hex(bytes, n, ret_hex);
	if (json_object_get(x->bodies, ret_hex))
		return CS_OK;
	x->size += n;
	json_t *text = x->size <= CS_TRANSFER_MAX ? json_stringn(bytes, n) : NULL;
	return text ? json_object_set_new(x->bodies, ret_hex, text) : too_big(err);
}

/* A definition, and those of the flows that it runs. */
static int keep_definition(exporting *x, const char *hex)
{
	CS_AUTOJSON json_t *doc = NULL;
	CS_AUTOBUF cs_buf text;
	char same[CS_HEX_SIZE];
	cs_buf_init(&text, CS_TRANSFER_MAX);
	if (json_object_get(x->bodies, hex))
		return CS_OK;
	int rc = cs_reader_body(x->reader, hex, &doc, x->err);
	if (!rc)
		rc = cs_json_canonical(doc, &text);
	if (!rc)
		rc = keep_body(x, text.data, text.len, same, x->err);
	if (rc)
		return rc;
	if (strcmp(same, hex) != 0)
		return cs_err_set(x->err, CS_EIO, "the definition %s is not what its name says; run capstan verify", hex);
	const char *name;
	json_t *hash;
	json_object_foreach(json_object_get(doc, "flows"), name, hash) {
		rc = json_is_string(hash) ? keep_definition(x, json_string_value(hash)) : CS_OK;
		if (rc)
			return rc;
	}
	return CS_OK;
}

static int keep_definitions(exporting *x, const cs_event *ev)
{
	static const struct { const char *type, *member; } names[] = {
		{ "run.created", "definition" }, { "run.adopted", "new" }, { "run.corrected", "new" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		const char *hex = strcmp(names[i].type, ev->type) == 0 ? cs_json_str(ev->data, names[i].member) : NULL;
		int rc = hex && strlen(hex) == CS_HEX_SIZE - 1 ? keep_definition(x, hex) : CS_OK;
		if (rc)
			return rc;
	}
	return CS_OK;
}

/* ---- events -------------------------------------------------------------------------------- */

static int keep_event(void *ctx, const cs_event *ev)
{
	exporting *x = ctx;
	char hex[CS_HEX_SIZE];
	int rc = cs_data_write(ev->data, keep_body, x, &x->data, x->err);
	if (!rc)
		rc = keep_definitions(x, ev);
	if (rc)
		return rc;
	cs_buf_reset(&x->bytes);
	cs_hex(ev->hash, CS_HASH_LEN, hex);
	cs_buf_adds(&x->bytes, "{\"event\":");
	cs_event_bytes(ev, x->data.data, x->data.len, &x->bytes);
	rc = cs_buf_addf(&x->bytes, ",\"hash\":\"%s\"", hex);
	x->size += x->bytes.len + CS_LINE_TAIL + 1;
	if (rc || x->size > CS_TRANSFER_MAX)
		return too_big(x->err);
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 256;
		x->events = cs_xrealloc(x->events, x->cap * sizeof *x->events);
	}
	x->events[x->n++] = (line){ ev->seq, cs_xstrndup(x->bytes.data, x->bytes.len) };
	return CS_OK;
}

static int by_seq(const void *a, const void *b)
{
	const line *x = a, *y = b;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* RUN and the runs below it, oldest first; those that are in the list already stay where they are. */
static int add_run(exporting *x, const char *run)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *rows = NULL;
	size_t i;
	json_t *row;
	int rc = cs_reader_query(x->reader, "WITH RECURSIVE tree(id) AS (SELECT id FROM run WHERE id = ?1 UNION"
				 " SELECT r.id FROM run r JOIN tree ON r.parent = tree.id AND r.kind = 'sub')"
				 " SELECT run.id, flow, state FROM run JOIN tree ON run.id = tree.id ORDER BY created_seq", params, &rows, x->err);
	if (!rc && json_array_size(rows) == 0)
		rc = cs_err_set(x->err, CS_ENOTFOUND, "there is no run %.80s; `capstan runs` lists them", run);
	if (rc)
		return rc;
	json_array_foreach(rows, i, row) {
		const char *id = cs_json_str_or(row, "id", "");
		if (cs_json_lists(x->runs, id))
			continue;
		if (json_array_size(x->runs) >= CS_TRANSFER_RUNS)
			return too_big(x->err);
		json_array_append_new(x->runs, json_string(id));
		json_array_append_new(x->told, json_pack("{s:s, s:O, s:O}", "run", id, "flow", json_object_get(row, "flow"), "state",
							 json_object_get(row, "state")));
		rc = cs_reader_events(x->reader, id, 1, INT64_MAX, keep_event, x, x->err);
		if (rc)
			return rc;
	}
	return CS_OK;
}

static int gather(exporting *x, const json_t *runs)
{
	size_t i;
	json_t *run;
	int rc = cs_reader_hold(x->reader, x->err);     /* one state of the log for all of them */
	if (rc)
		return rc;
	json_array_foreach((json_t *)runs, i, run)
		if (!rc)
			rc = add_run(x, json_string_value(run));
	cs_reader_release(x->reader);
	if (x->n > 0)
		qsort(x->events, x->n, sizeof *x->events, by_seq);
	return rc;
}

/* ---- the file ------------------------------------------------------------------------------ */

typedef struct writing {
	cs_buf *out;
	cs_sha256 *hasher;
	uint8_t sum[CS_HASH_LEN];
	int64_t lines;
} writing;

/* OWN: an object without its last brace. */
static int put_line(writing *w, const char *own, size_t len)
{
	char hex[CS_HEX_SIZE];
	cs_line_sum(w->hasher, w->sum, own, len);
	cs_hex(w->sum, CS_HASH_LEN, hex);
	w->lines++;
	cs_buf_add(w->out, own, len);
	return cs_buf_addf(w->out, "%s%s%s\n", CS_LINE_SUM, hex, CS_LINE_END);
}

/* V is an object. */
static int put_object(writing *w, const json_t *v)
{
	CS_AUTOFREE char *text = cs_json_text(v);
	return put_line(w, text, strlen(text) - 1);
}

static int put_all(writing *w, exporting *x, const json_t *header)
{
	const char *hex;
	json_t *text;
	int rc = put_object(w, header);
	json_object_foreach(x->bodies, hex, text) {
		CS_AUTOJSON json_t *body = json_pack("{s:s, s:O}", "body", hex, "text", text);
		if (!rc)
			rc = put_object(w, body);
	}
	for (size_t i = 0; !rc && i < x->n; i++)
		rc = put_line(w, x->events[i].text, strlen(x->events[i].text));
	return rc;
}

static int write_signed(exporting *x, const cs_signer *s, const json_t *header, cs_buf *out)
{
	writing w = { .out = out, .hasher = cs_sha256_new() };
	uint8_t message[CS_LINES_MESSAGE], signature[CS_SIGNATURE];
	char hex[2 * CS_SIGNATURE + 1];
	int rc = put_all(&w, x, header);
	cs_sha256_free(w.hasher);
	cs_lines_message(w.lines, w.sum, message);
	crypto_sign_detached(signature, NULL, message, sizeof message, s->secret);
	cs_hex(signature, sizeof signature, hex);
	if (!rc)
		rc = cs_buf_addf(out, "{\"lines\":%lld,\"signature\":\"%s\"}\n", (long long)w.lines, hex);
	return rc ? too_big(x->err) : CS_OK;
}

static json_t *header_of(const exporting *x, const cs_signer *s, const char *workspace, const char *version)
{
	char key[CS_HEX_SIZE], at[CS_TIME_SIZE];
	cs_hex(s->public, CS_SIGN_PUBLIC, key);
	cs_time_format(cs_clock_wall_ms(), at);
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:O, s:I, s:I}", "capstan", "export", "format", CS_TRANSFER_FORMAT, "workspace",
			 workspace, "key", key, "at", at, "version", version, "runs", x->told, "bodies",
			 (json_int_t)json_object_size(x->bodies), "events", (json_int_t)x->n);
}

int cs_export_runs(const char *dir, cs_reader *r, const json_t *runs, const char *workspace, const char *version, cs_buf *out,
		   json_t **ret_runs, cs_err *err)
{
	CS_CLEANUP(cs_signer_wipe) cs_signer signer = { 0 };
	CS_CLEANUP(exporting_fini) exporting x = { .reader = r, .runs = json_array(), .told = json_array(), .bodies = json_object(), .err = err };
	cs_buf_init(&x.data, CS_EVENT_MAX);
	cs_buf_init(&x.bytes, CS_EVENT_MAX + 4096);
	int rc = cs_signer_load(dir, &signer, err);
	if (!rc)
		rc = gather(&x, runs);
	if (rc)
		return rc;
	CS_AUTOJSON json_t *header = header_of(&x, &signer, workspace, version);
	if (!header)
		return cs_err_set(err, CS_EINVAL, "the name of the workspace is not UTF-8");
	rc = write_signed(&x, &signer, header, out);
	if (!rc)
		*ret_runs = CS_STEAL(x.runs);
	return rc;
}
