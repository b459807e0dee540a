/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/segment.h"
#include "store/segment_file.h"

enum { FRAME_BYTES = 256 * 1024, LEVEL = 3 };

struct cs_segment_writer {
	int64_t first, next;           /* seq of its first event, and of the one to come */
	uint8_t before[CS_HASH_LEN], hash[CS_HASH_LEN];   /* before the first; of the last so far */
	uint8_t frame_before[CS_HASH_LEN];
	int64_t frame_first;
	json_t *frames;
	json_t *bodies;                /* those of the frame */
	cs_buf frame, out;
	size_t size;
};

cs_segment_writer *cs_segment_writer_new(int64_t first, const uint8_t before[CS_HASH_LEN])
{
	cs_segment_writer *w = cs_xcalloc(1, sizeof *w);
	w->first = w->next = w->frame_first = first;
	memcpy(w->before, before, CS_HASH_LEN);
	memcpy(w->hash, before, CS_HASH_LEN);
	memcpy(w->frame_before, before, CS_HASH_LEN);
	w->frames = json_array();
	w->bodies = json_object();
	cs_buf_init(&w->frame, CS_FRAME_MAX);
	cs_buf_init(&w->out, CS_FRAME_MAX * 2);
	return w;
}

void cs_segment_writer_free(cs_segment_writer *w)
{
	if (!w)
		return;
	json_decref(w->frames);
	json_decref(w->bodies);
	cs_buf_fini(&w->frame);
	cs_buf_fini(&w->out);
	free(w);
}

size_t cs_segment_size(const cs_segment_writer *w)
{
	return w->size;
}

static int end_frame(cs_segment_writer *w, cs_err *err)
{
	char hex[CS_HEX_SIZE];
	if (w->next == w->frame_first)
		return CS_OK;
	size_t bound = ZSTD_compressBound(w->frame.len);
	CS_AUTOFREE char *packed = malloc(bound);
	if (!packed)
		return cs_err_set(err, CS_ENOMEM, "there is no memory to compress events with");
	size_t n = ZSTD_compress(packed, bound, w->frame.data, w->frame.len, LEVEL);
	if (ZSTD_isError(n))
		return cs_err_set(err, CS_EINTERNAL, "compressing events: %s", ZSTD_getErrorName(n));
	cs_hex(w->frame_before, CS_HASH_LEN, hex);
	json_array_append_new(w->frames, json_pack("[I, I, s]", (json_int_t)w->frame_first, (json_int_t)w->out.len, hex));
	if (cs_buf_add(&w->out, packed, n) != CS_OK)
		return cs_err_set(err, CS_ETOOBIG, "a segment of the archive is too large");
	cs_buf_reset(&w->frame);
	json_object_clear(w->bodies);
	w->frame_first = w->next;
	memcpy(w->frame_before, w->hash, CS_HASH_LEN);
	return CS_OK;
}

static int put(cs_segment_writer *w, const void *p, size_t n, cs_err *err)
{
	cs_buf_add(&w->frame, p, n);
	w->size += n;
	return cs_buf_addc(&w->frame, '\n') ? cs_err_set(err, CS_ETOOBIG, "an event with its bodies is too large for the archive") : CS_OK;
}

int cs_segment_put_body(cs_segment_writer *w, const char *hex, const void *p, size_t n, cs_err *err)
{
	if (json_object_get(w->bodies, hex))
		return CS_OK;
	json_object_set_new(w->bodies, hex, json_true());
	cs_buf_addf(&w->frame, "B %s %zu\n", hex, n);
	return put(w, p, n, err);
}

int cs_segment_put_event(cs_segment_writer *w, const char *bytes, size_t len, const uint8_t hash[CS_HASH_LEN], cs_err *err)
{
	cs_buf_addf(&w->frame, "E %zu\n", len);
	int rc = put(w, bytes, len, err);
	if (rc)
		return rc;
	memcpy(w->hash, hash, CS_HASH_LEN);
	w->next++;
	return w->frame.len >= FRAME_BYTES ? end_frame(w, err) : CS_OK;
}

/* ---- the trailer ---------------------------------------------------------------------------- */

void cs_trailer_message(const json_t *trailer, uint8_t ret[CS_TRAILER_MESSAGE])
{
	static const char context[32] = "capstan segment 1";
	CS_AUTOJSON json_t *bare = json_copy((json_t *)trailer);
	char hex[CS_HEX_SIZE];
	json_object_del(bare, "signature");
	cs_json_digest(bare, hex);
	memcpy(ret, context, sizeof context);
	memcpy(ret + sizeof context, hex, CS_HEX_SIZE - 1);
}

static json_t *trailer_of(const cs_segment_writer *w, const cs_signer *signer)
{
	char before[CS_HEX_SIZE], hash[CS_HEX_SIZE], content[CS_HEX_SIZE], key[CS_HEX_SIZE], hex[2 * CS_SIGNATURE + 1];
	uint8_t message[CS_TRAILER_MESSAGE], signature[CS_SIGNATURE];
	cs_hex(w->before, CS_HASH_LEN, before);
	cs_hex(w->hash, CS_HASH_LEN, hash);
	cs_hash_hex(w->out.data, w->out.len, content);
	cs_hex(signer->public, CS_SIGN_PUBLIC, key);
	json_t *t = json_pack("{s:s, s:i, s:I, s:I, s:s, s:s, s:O, s:s, s:s}", "capstan", "segment", "format", CS_SEGMENT_FORMAT, "first",
			      (json_int_t)w->first, "last", (json_int_t)(w->next - 1), "before", before, "hash", hash, "frames", w->frames,
			      "content", content, "key", key);
	cs_trailer_message(t, message);
	crypto_sign_detached(signature, NULL, message, sizeof message, signer->secret);
	cs_hex(signature, sizeof signature, hex);
	json_object_set_new(t, "signature", json_string(hex));
	return t;
}

static void put_le(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* The frame that decompressors skip: its size, the text, the text's length, the last word. */
static int put_trailer(cs_segment_writer *w, const cs_buf *text, cs_err *err)
{
	uint8_t head[8], length[8];
	put_le(head, CS_TRAILER_FRAME, 4);
	put_le(head + 4, text->len + sizeof length + CS_TRAILER_WORD_LEN, 4);
	put_le(length, text->len, 8);
	cs_buf_add(&w->out, head, sizeof head);
	cs_buf_add(&w->out, text->data, text->len);
	cs_buf_add(&w->out, length, sizeof length);
	return cs_buf_add(&w->out, CS_TRAILER_WORD, CS_TRAILER_WORD_LEN) ? cs_err_set(err, CS_ETOOBIG, "a segment of the archive is too large") : CS_OK;
}

static int write_out(cs_segment_writer *w, const char *dir, const cs_segment *s, cs_err *err)
{
	CS_AUTOFREE char *folder = cs_path_join(dir, CS_ARCHIVE_DIR);
	CS_AUTOFREE char *name = cs_segment_name(s);
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	int rc = cs_mkdir_p(folder, 0700, err);
	return rc ? rc : cs_file_write(path, w->out.data, w->out.len, 0600, err);
}

int cs_segment_finish(cs_segment_writer *w, const char *dir, const cs_signer *signer, cs_segment *ret, int64_t *ret_bytes, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_TRAILER_MAX);
	int rc = end_frame(w, err);
	if (rc)
		return rc;
	CS_AUTOJSON json_t *trailer = trailer_of(w, signer);
	rc = cs_json_canonical(trailer, &text);
	if (rc)
		return cs_err_set(err, rc, "the index of a segment is too large");
	*ret = (cs_segment){ .first = w->first, .last = w->next - 1 };
	memcpy(ret->before, w->before, CS_HASH_LEN);
	memcpy(ret->hash, w->hash, CS_HASH_LEN);
	cs_hash_hex(text.data, text.len, ret->trailer);
	rc = put_trailer(w, &text, err);
	if (!rc)
		rc = write_out(w, dir, ret, err);
	*ret_bytes = (int64_t)w->out.len;
	return rc;
}
