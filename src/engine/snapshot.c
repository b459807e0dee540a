/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/json.h"
#include "core/snapshot.h"

/* What is written is at most so many bytes for each event since the last one, so that all snapshots of a run are in
 * proportion to its log, however large its state is. */
enum { BYTES_OF_EVENT = 1024, STATE_MAX = 16 << 20 };

static const char context[] = "capstan snapshot 1";

/* The program and what it makes of a state: another one passes it over. */
static void layout_of(const cs_engine *e, char ret[CS_HEX_SIZE])
{
	char rows[CS_HEX_SIZE];
	cs_snapshot_layout(rows);
	CS_AUTOFREE char *text = cs_xasprintf("%s\n%s", rows, e->opts.version != NULL ? e->opts.version : "");
	cs_hash_hex(text, strlen(text), ret);
}

/* Under a key of its own, so that no other text which is signed with the workspace's could stand for it. */
static void mac_of(const cs_engine *e, const cs_snapshot_row *row, char ret[CS_HEX_SIZE])
{
	uint8_t key[CS_HASH_LEN], state[CS_HASH_LEN], mac[CS_HASH_LEN];
	char digest[CS_HEX_SIZE];
	cs_hmac(e->key, sizeof e->key, context, sizeof context - 1, key);
	cs_hash(row->state, row->size, state);
	cs_hex(state, sizeof state, digest);
	CS_AUTOFREE char *text = cs_xasprintf("%s\n%lld\n%s\n%s\n%s\n%s", row->run, (long long)row->seq, row->hash, row->definition,
					      row->layout, digest);
	cs_hmac(key, sizeof key, text, strlen(text), mac);
	cs_hex(mac, sizeof mac, ret);
	explicit_bzero(key, sizeof key);
}

/* ---- making --------------------------------------------------------------------------------------------- */

static int put(cs_engine *e, cs_live *l, const cs_buf *text, cs_err *err)
{
	char hash[CS_HEX_SIZE], layout[CS_HEX_SIZE], mac[CS_HEX_SIZE];
	cs_snapshot_row row = { .run = l->run->id, .seq = l->run->last_seq, .hash = hash, .definition = l->bundle->hash, .layout = layout,
				.mac = mac, .state = cs_buf_str(text), .size = text->len };
	int rc = cs_store_event_hash(e->store, row.seq, hash, err);
	if (rc != CS_OK)
		return rc;
	layout_of(e, layout);
	mac_of(e, &row, mac);
	rc = cs_store_put_snapshot(e->store, &row, err);
	if (rc == CS_OK)
		l->run->folded = 0;
	return rc;
}

/* The last one's size is what the next one's is taken for; one that has grown out of its due is not written. */
static int make(cs_engine *e, cs_live *l, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	CS_AUTOJSON json_t *doc = cs_snapshot_save(l->run);
	cs_buf_init(&text, STATE_MAX);
	bool fits = cs_json_write(doc, &text) == CS_OK;
	l->snapshot = fits ? text.len : STATE_MAX;
	return fits && text.len / BYTES_OF_EVENT <= l->run->folded ? put(e, l, &text, err) : CS_OK;
}

int cs_snapshot_note(cs_engine *e, cs_live *l, cs_err *err)
{
	size_t every = e->ws->snapshot_every;
	if (l->snapshot > 0 && cs_run_state_terminal(cs_run_state_name(l->run->state))) {
		l->snapshot = 0;
		return cs_store_drop_snapshot(e->store, l->run->id, err);
	}
	/* Without an event nothing is committed in this group. */
	if (every == 0 || l->run->folded < every || l->snapshot / BYTES_OF_EVENT > l->run->folded || l->run->shadow ||
	    cs_store_last_seq(e->store) == e->group_seq || !cs_snapshot_may(l->run))
		return CS_OK;
	return make(e, l, err);
}

/* ---- taking ----------------------------------------------------------------------------------------------- */

/* In the same time, wherever they differ: it tells nobody how near a guess came. */
static bool same_mac(const char *a, const char *b)
{
	unsigned differs = 0;
	for (size_t i = 0; i < CS_HEX_SIZE - 1; i++)
		differs |= (unsigned char)a[i] ^ (unsigned char)b[i];
	return differs == 0;
}

static bool genuine(const cs_engine *e, const cs_snapshot_row *row)
{
	char layout[CS_HEX_SIZE], mac[CS_HEX_SIZE];
	layout_of(e, layout);
	if (strcmp(row->layout, layout) != 0 || strlen(row->mac) != sizeof mac - 1)
		return false;
	mac_of(e, row, mac);
	return same_mac(mac, row->mac);
}

/* Is the event there that it was made at, as it was then? */
static bool of_this_log(cs_engine *e, const cs_snapshot_row *row)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[I, s]", (json_int_t)row->seq, row->run);
	if (cs_reader_query(e->reader, "SELECT lower(hex(hash)) AS hash FROM event WHERE seq = ?1 AND run = ?2", params, &rows, NULL) != CS_OK)
		return false;
	return strcmp(cs_json_str_or(json_array_get(rows, 0), "hash", ""), row->hash) == 0;
}

static int take(cs_engine *e, const cs_snapshot_row *row, cs_run **ret, cs_bundle **ret_bundle)
{
	CS_AUTOJSON json_t *doc = NULL;
	cs_run *r = NULL;
	cs_bundle *b = cs_bundle_by_hash(e, row->definition, NULL);
	if (b == NULL || cs_json_parse(row->state, row->size, &doc, NULL) != CS_OK ||
	    cs_snapshot_load(row->run, b->flow, doc, &r, NULL) != CS_OK)
		return CS_ENOTFOUND;
	/* What was doubted follows from when this became a copy of another workspace. */
	if (r->last_seq != row->seq || r->copied_seq != e->copied_seq) {
		cs_run_free(r);
		return CS_ENOTFOUND;
	}
	*ret = r;
	*ret_bundle = b;
	return CS_OK;
}

int cs_snapshot_find(cs_engine *e, const char *id, const char *definition, cs_run **ret, cs_bundle **ret_bundle, size_t *ret_size)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", id);
	if (definition == NULL || cs_reader_query(e->reader, "SELECT seq, hash, definition, layout, mac, state FROM snapshot WHERE run = ?1",
						  params, &rows, NULL) != CS_OK)
		return CS_ENOTFOUND;
	const json_t *o = json_array_get(rows, 0);
	const json_t *state = json_object_get(o, "state");
	if (!json_is_string(state))
		return CS_ENOTFOUND;
	cs_snapshot_row row = { .run = id, .seq = cs_json_int_or(o, "seq", 0), .hash = cs_json_str_or(o, "hash", ""),
				.definition = cs_json_str_or(o, "definition", ""), .layout = cs_json_str_or(o, "layout", ""),
				.mac = cs_json_str_or(o, "mac", ""), .state = json_string_value(state), .size = json_string_length(state) };
	*ret_size = row.size > 0 ? row.size : 1;
	if (e->ws->snapshot_every == 0 || row.size > STATE_MAX || strcmp(row.definition, definition) != 0 || !genuine(e, &row) ||
	    !of_this_log(e, &row))
		return CS_ENOTFOUND;
	return take(e, &row, ret, ret_bundle);
}
