/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/segment.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/segment_file.h"
#include "store/sql.h"

/* ---- which there are ------------------------------------------------------------------------ */

void cs_segments_fini(cs_segments *s)
{
	sqlite3_finalize(s->st);
	free(s->list);
	*s = (cs_segments){ .list = NULL };
}

int64_t cs_segments_last(const cs_segments *s)
{
	return s->n > 0 ? s->list[s->n - 1].last : 0;
}

char *cs_segment_name(const cs_segment *s)
{
	return cs_xasprintf("%s/%lld-%lld.zst", CS_ARCHIVE_DIR, (long long)s->first, (long long)s->last);
}

static int take_told(cs_segments *s, int64_t seq, const char *text, size_t len, cs_err *err)
{
	CS_AUTOJSON json_t *data = NULL;
	cs_segment one = { .first = 0 };
	uint8_t trailer[CS_HASH_LEN];
	bool ok = cs_json_parse(text, len, &data, NULL) == CS_OK && json_is_object(data);
	one.first = cs_json_int_or(data, "first", 0);
	one.last = cs_json_int_or(data, "last", 0);
	const char *hex = cs_json_str_or(data, "trailer", "");
	ok = ok && cs_unhex(cs_json_str_or(data, "before", ""), one.before, CS_HASH_LEN) == CS_OK &&
	     cs_unhex(cs_json_str_or(data, "hash", ""), one.hash, CS_HASH_LEN) == CS_OK && cs_unhex(hex, trailer, sizeof trailer) == CS_OK;
	if (!ok || one.first != cs_segments_last(s) + 1 || one.last < one.first || one.last >= seq)
		return cs_err_set(err, CS_EIO, "event %lld tells of a segment of the archive that does not follow the one before: it was changed; run "
				  "capstan verify", (long long)seq);
	memcpy(one.trailer, hex, CS_HEX_SIZE);
	s->list = cs_xrealloc(s->list, (s->n + 1) * sizeof *s->list);
	s->list[s->n++] = one;
	s->told = seq;
	return CS_OK;
}

int cs_segments_load(sqlite3 *db, cs_segments *s, cs_err *err)
{
	int step, rc = cs_sql_keep(db, "SELECT seq, data FROM event INDEXED BY event_archived WHERE type = 'log.archived' AND seq > ?1 ORDER BY seq", &s->st, err);
	if (rc)
		return rc;
	sqlite3_stmt *st = s->st;
	cs_sql_bind(st, "i", s->told);
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? take_told(s, sqlite3_column_int64(st, 0), cs_sql_text(st, 1), (size_t)sqlite3_column_bytes(st, 1), err)
					: cs_sql_err(err, db, "looking for the archive");
	sqlite3_reset(st);
	return rc;
}

/* ---- one file --------------------------------------------------------------------------------- */

typedef struct reading {
	const cs_segment *s;
	char *name;
	int fd;
	int64_t frames_end;            /* where the trailer begins */
	json_t *trailer, *bodies;
	cs_sha256 *hasher;
	int64_t from, to;
	const int64_t *seqs;           /* in order, those alone; NULL: all from FROM to TO */
	size_t n;
	cs_segment_fn *fn;
	void *ctx;
	cs_err *err;
} reading;

static void reading_fini(reading *r)
{
	free(r->name);
	if (r->fd >= 0)
		close(r->fd);
	json_decref(r->trailer);
	json_decref(r->bodies);
	cs_sha256_free(r->hasher);
}

static int changed(const reading *r, const char *what)
{
	return cs_err_set(r->err, CS_EIO, "%s: %s: it was changed or damaged; put it back from a backup", r->name, what);
}

static int read_at(const reading *r, int64_t at, void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(r->fd, (char *)p + done, n - done, at + (int64_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cs_err_sys(r->err, errno, "cannot read %s", r->name);
		if (got == 0)
			return changed(r, "it ends too early");
		done += (size_t)got;
	}
	return CS_OK;
}

static uint64_t get_le(const uint8_t *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* The index at the file's end, held to the hash that the log has of it. */
static int read_trailer(reading *r, int64_t size)
{
	uint8_t tail[8 + CS_TRAILER_WORD_LEN], head[8];
	char hex[CS_HEX_SIZE];
	if (size < (int64_t)sizeof tail + 8)
		return changed(r, "it is no segment");
	int rc = read_at(r, size - (int64_t)sizeof tail, tail, sizeof tail);
	if (rc)
		return rc;
	uint64_t len = get_le(tail, 8);
	if (memcmp(tail + 8, CS_TRAILER_WORD, CS_TRAILER_WORD_LEN) != 0 || len > CS_TRAILER_MAX || (int64_t)len > size - (int64_t)sizeof tail - 8)
		return changed(r, "its end is not one of a segment");
	CS_AUTOFREE char *text = cs_xcalloc(1, (size_t)len + 1);
	r->frames_end = size - (int64_t)sizeof tail - (int64_t)len - 8;
	rc = read_at(r, r->frames_end, head, sizeof head);
	if (!rc && (get_le(head, 4) != CS_TRAILER_FRAME || get_le(head + 4, 4) != len + sizeof tail))
		rc = changed(r, "its end is not one of a segment");
	if (!rc)
		rc = read_at(r, r->frames_end + 8, text, (size_t)len);
	if (rc)
		return rc;
	cs_hash_hex(text, (size_t)len, hex);
	if (strcmp(hex, r->s->trailer) != 0 || cs_json_parse(text, (size_t)len, &r->trailer, NULL) != CS_OK)
		return changed(r, "its index is not the one that the log tells of");
	return CS_OK;
}

static int open_segment(const char *dir, const cs_segment *s, reading *r, cs_err *err)
{
	struct stat st;
	*r = (reading){ .s = s, .fd = -1, .err = err, .name = cs_segment_name(s), .hasher = cs_sha256_new(), .bodies = json_object() };
	CS_AUTOFREE char *path = cs_path_join(dir, r->name);
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0 && errno == ENOENT)
		return cs_err_set(err, CS_EUNAVAIL, "%s is missing: events %lld to %lld are in it and nowhere else; put it back from a backup", path,
				  (long long)s->first, (long long)s->last);
	if (r->fd < 0 || fstat(r->fd, &st) != 0)
		return cs_err_sys(err, errno, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return changed(r, "it is no regular file");
	return read_trailer(r, st.st_size);
}

/* ---- one frame -------------------------------------------------------------------------------- */

typedef struct frame {
	int64_t first, end;            /* seqs: of its first event, behind its last */
	int64_t offset, stop;
	uint8_t before[CS_HASH_LEN], hash[CS_HASH_LEN];   /* that it begins and ends with */
} frame;

static int frame_at(const reading *r, const json_t *frames, size_t i, frame *ret)
{
	const json_t *one = json_array_get(frames, i), *next = json_array_get(frames, i + 1);
	const char *hex = json_string_value(json_array_get(one, 2)), *after = json_string_value(json_array_get(next, 2));
	*ret = (frame){ .first = json_integer_value(json_array_get(one, 0)), .offset = json_integer_value(json_array_get(one, 1)),
			.end = next ? json_integer_value(json_array_get(next, 0)) : r->s->last + 1,
			.stop = next ? json_integer_value(json_array_get(next, 1)) : r->frames_end };
	memcpy(ret->hash, r->s->hash, CS_HASH_LEN);
	if (!hex || cs_unhex(hex, ret->before, CS_HASH_LEN) || (next && (!after || cs_unhex(after, ret->hash, CS_HASH_LEN))) ||
	    ret->offset < 0 || ret->stop <= ret->offset || ret->stop > r->frames_end || ret->end <= ret->first ||
	    (i == 0 && (ret->first != r->s->first || memcmp(ret->before, r->s->before, CS_HASH_LEN) != 0)))
		return changed(r, "its index does not fit");
	return CS_OK;
}

static int unpack(const reading *r, const frame *f, char **ret, size_t *ret_len)
{
	size_t n = (size_t)(f->stop - f->offset);
	CS_AUTOFREE char *packed = malloc(n);
	if (!packed)
		return cs_err_set(r->err, CS_ENOMEM, "there is no memory to read %s", r->name);
	int rc = read_at(r, f->offset, packed, n);
	if (rc)
		return rc;
	unsigned long long size = ZSTD_getFrameContentSize(packed, n);
	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > CS_FRAME_MAX)
		return changed(r, "a part of it is not compressed as capstan does");
	CS_AUTOFREE char *text = malloc((size_t)size + 1);
	if (!text)
		return cs_err_set(r->err, CS_ENOMEM, "there is no memory to read %s", r->name);
	size_t got = ZSTD_decompress(text, (size_t)size, packed, n);
	if (ZSTD_isError(got) || got != size)
		return changed(r, "a part of it does not decompress");
	text[got] = '\0';
	*ret_len = got;
	*ret = CS_STEAL(text);
	return CS_OK;
}

/* A decimal number at *P, and what must stand behind it. */
static bool take_number(const char **p, const char *end, char behind, size_t *ret)
{
	size_t n = 0, digits = 0;
	for (; *p < end && **p >= '0' && **p <= '9' && digits < 12; (*p)++, digits++)
		n = n * 10 + (size_t)(**p - '0');
	if (digits == 0 || *p >= end || **p != behind)
		return false;
	(*p)++;
	*ret = n;
	return true;
}

static int take_body(reading *r, const char **p, const char *end)
{
	char hex[CS_HEX_SIZE], real[CS_HEX_SIZE];
	size_t n;
	*p += 2;
	if (end - *p < CS_HEX_SIZE)
		return changed(r, "a body in it is cut off");
	memcpy(hex, *p, CS_HEX_SIZE - 1);
	hex[CS_HEX_SIZE - 1] = '\0';
	*p += CS_HEX_SIZE;
	if (!take_number(p, end, '\n', &n) || (size_t)(end - *p) < n + 1)
		return changed(r, "a body in it is cut off");
	cs_hash_hex(*p, n, real);
	json_t *text = strcmp(real, hex) == 0 ? json_stringn(*p, n) : NULL;
	if (!text)
		return changed(r, "a body in it is not what its name says");
	json_object_set_new(r->bodies, hex, text);
	*p += n + 1;
	return CS_OK;
}

/* Whether an event from FROM to TO, both with them, is asked for. */
static bool asked(const reading *r, int64_t from, int64_t to)
{
	size_t low = 0, high = r->n;
	if (to < r->from || from > r->to)
		return false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (r->seqs[mid] < from)
			low = mid + 1;
		else
			high = mid;
	}
	return r->seqs == NULL || (low < r->n && r->seqs[low] <= to);
}

/* The hash after PREV for the event at P; it becomes PREV. */
static int take_event(reading *r, int64_t seq, const char **p, const char *end, uint8_t prev[CS_HASH_LEN])
{
	uint8_t hash[CS_HASH_LEN];
	size_t n;
	*p += 2;
	if (!take_number(p, end, '\n', &n) || (size_t)(end - *p) < n + 1)
		return changed(r, "an event in it is cut off");
	cs_sha256_begin(r->hasher);
	cs_sha256_add(r->hasher, prev, CS_HASH_LEN);
	cs_sha256_add(r->hasher, *p, n);
	cs_sha256_end(r->hasher, hash);
	const cs_segment_row row = { .seq = seq, .bytes = *p, .len = n, .before = prev, .hash = hash, .bodies = r->bodies };
	int rc = r->fn && asked(r, seq, seq) ? r->fn(r->ctx, &row) : CS_OK;
	memcpy(prev, hash, CS_HASH_LEN);
	*p += n + 1;
	return rc;
}

/* Twice: what does not end as it should is handed to nobody. */
static int walk_frame(reading *r, const frame *f, const char *text, size_t len)
{
	uint8_t hash[CS_HASH_LEN];
	const char *p = text, *end = text + len;
	int64_t seq = f->first;
	int rc = CS_OK;
	memcpy(hash, f->before, CS_HASH_LEN);
	json_object_clear(r->bodies);
	while (!rc && end - p > 2) {
		if (p[0] == 'B' && p[1] == ' ')
			rc = take_body(r, &p, end);
		else if (p[0] == 'E' && p[1] == ' ')
			rc = take_event(r, seq++, &p, end, hash);
		else
			rc = changed(r, "there is neither a body nor an event in it where one should be");
	}
	if (!rc && (p != end || seq != f->end || memcmp(hash, f->hash, CS_HASH_LEN) != 0))
		rc = changed(r, "an event in it does not match its hash");
	return rc;
}

static int read_frame(reading *r, const frame *f)
{
	CS_AUTOFREE char *text = NULL;
	size_t len = 0;
	cs_segment_fn *fn = r->fn;
	int rc = unpack(r, f, &text, &len);
	r->fn = NULL;
	if (!rc)
		rc = walk_frame(r, f, text, len);
	r->fn = fn;
	return rc || !fn ? rc : walk_frame(r, f, text, len);
}

static int read_asked(reading *r)
{
	const json_t *frames = json_object_get(r->trailer, "frames");
	int rc = CS_OK;
	for (size_t i = 0; !rc && i < json_array_size(frames); i++) {
		frame f;
		rc = frame_at(r, frames, i, &f);
		if (!rc && asked(r, f.first, f.end - 1))
			rc = read_frame(r, &f);
	}
	return rc;
}

int cs_segment_read(const char *dir, const cs_segment *s, int64_t from, int64_t to, cs_segment_fn *fn, void *ctx, cs_err *err)
{
	CS_CLEANUP(reading_fini) reading r = { .fd = -1 };
	int rc = open_segment(dir, s, &r, err);
	r.from = from;
	r.to = to;
	r.fn = fn;
	r.ctx = ctx;
	return rc ? rc : read_asked(&r);
}

int cs_segment_pick(const char *dir, const cs_segment *s, const int64_t *seqs, size_t n, cs_segment_fn *fn, void *ctx, cs_err *err)
{
	CS_CLEANUP(reading_fini) reading r = { .fd = -1 };
	int rc = open_segment(dir, s, &r, err);
	r.from = s->first;
	r.to = s->last;
	r.seqs = seqs;
	r.n = n;
	r.fn = fn;
	r.ctx = ctx;
	return rc ? rc : read_asked(&r);
}

int cs_segment_signed(const char *dir, const cs_segment *s, const uint8_t public[CS_SIGN_PUBLIC], cs_err *err)
{
	CS_CLEANUP(reading_fini) reading r = { .fd = -1 };
	uint8_t message[CS_TRAILER_MESSAGE], signature[CS_SIGNATURE];
	int rc = open_segment(dir, s, &r, err);
	if (rc)
		return rc;
	cs_trailer_message(r.trailer, message);
	if (cs_unhex(cs_json_str_or(r.trailer, "signature", ""), signature, sizeof signature) || sodium_init() < 0 ||
	    crypto_sign_verify_detached(signature, message, sizeof message, public) != 0)
		return cs_err_set(err, CS_EIO, "%s is forged: the key of this workspace did not sign it", r.name);
	if (cs_json_int_or(r.trailer, "first", 0) != s->first || cs_json_int_or(r.trailer, "last", 0) != s->last)
		return changed(&r, "it is of other events than its name says");
	return CS_OK;
}

/* ---- a row taken apart ------------------------------------------------------------------------- */

static const char data_begins[] = ",\"data\":", data_ends[] = ",\"occurrence\":";

/* In a text a quote is escaped: the first of the one and the last of the other are the event's own. */
const char *cs_segment_data(const cs_segment_row *row, size_t *len)
{
	size_t n = sizeof data_begins - 1, m = sizeof data_ends - 1;
	const char *begin = row->len > n + m ? memmem(row->bytes, row->len, data_begins, n) : NULL;
	for (const char *p = row->bytes + row->len - m; begin && p > begin; p--) {
		if (memcmp(p, data_ends, m) != 0)
			continue;
		*len = (size_t)(p - begin) - n;
		return begin + n;
	}
	return NULL;
}

static int not_ours(const cs_segment_row *row, cs_err *err)
{
	return cs_err_set(err, CS_EIO, "event %lld of the archive is not one of capstan's; run capstan verify", (long long)row->seq);
}

/* Members that went to bodies of their own come back. */
static int join(const cs_segment_row *row, json_t *stored, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *whole = json_object();
	const char *name;
	json_t *value;
	json_object_foreach(stored, name, value) {
		size_t n = strlen(name);
		if (n == 0 || name[n - 1] != '@') {
			json_object_set(whole, name, value);
			continue;
		}
		json_t *back = NULL;
		const json_t *text = json_object_get(row->bodies, json_is_string(value) ? json_string_value(value) : "");
		CS_AUTOFREE char *plain = cs_xstrndup(name, n - 1);
		if (!text || cs_json_parse(json_string_value(text), json_string_length(text), &back, NULL))
			return not_ours(row, err);
		json_object_set_new(whole, plain, back);
	}
	*ret = CS_STEAL(whole);
	return CS_OK;
}

static int read_data(const cs_segment_row *row, const char *text, size_t len, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *stored = NULL;
	if (cs_json_parse(text, len, &stored, NULL) || !json_is_object(stored))
		return not_ours(row, err);
	if (cs_data_may_have_body(text, len))
		return join(row, stored, ret, err);
	*ret = CS_STEAL(stored);
	return CS_OK;
}

static void fill(const cs_segment_row *row, const json_t *head, cs_event *ev)
{
	*ev = (cs_event){
		.seq = row->seq, .at = cs_json_int_or(head, "at", 0), .task = cs_json_str(head, "task"),
		.occurrence = (int)cs_json_int_or(head, "occurrence", 0), .type = cs_json_str_or(head, "type", ""),
		.actor = cs_json_str_or(head, "actor", ""), .cause = cs_json_int_or(head, "cause", 0), .simulated = cs_json_true(head, "simulated"),
	};
	const char *run = cs_json_str_or(head, "run", "");
	if (strlen(run) == CS_ID_LEN)
		memcpy(ev->run, run, CS_ID_SIZE);
	memcpy(ev->hash, row->hash, CS_HASH_LEN);
}

int cs_segment_event_of(const cs_segment_row *row, bool whole, cs_segment_event *ret, cs_err *err)
{
	CS_AUTOBUF cs_buf head;
	size_t len;
	cs_buf_init(&head, CS_EVENT_MAX);
	*ret = (cs_segment_event){ .head = NULL };
	const char *data = cs_segment_data(row, &len);
	if (!data)
		return not_ours(row, err);
	cs_buf_add(&head, row->bytes, (size_t)(data - row->bytes) - (sizeof data_begins - 1));
	cs_buf_add(&head, data + len, row->len - (size_t)(data - row->bytes) - len);
	if (head.failed || cs_json_parse(head.data, head.len, &ret->head, NULL) || cs_json_int_or(ret->head, "seq", 0) != row->seq)
		return not_ours(row, err);
	int rc = whole ? read_data(row, data, len, &ret->data, err) : CS_OK;
	fill(row, ret->head, &ret->ev);
	ret->ev.data = ret->data;
	return rc;
}

void cs_segment_event_fini(cs_segment_event *e)
{
	json_decref(e->head);
	json_decref(e->data);
	*e = (cs_segment_event){ .head = NULL };
}
