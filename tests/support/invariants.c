/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "core/http_request.h"
#include "store/store.h"

enum { FINDINGS_MAX = 50 };

/* One reading of the log. */
struct reading {
	json_t *broken;
	const json_t *ledger;
	int64_t last_seq;
	json_t *keys;                /* key -> {state, class, intents, done, digest, by_hand, content} */
	json_t *items;               /* item -> {digest, gate, decision, by, grace_until, expires, consumed, used} */
	json_t *terminal;            /* run -> the word of its end */
	json_t *intents;             /* content -> [{at, key, class}] */
	json_t *seen;                /* content -> how often the ledger has it */
	json_t *sent_keys;           /* Idempotency-Key -> digest */
	json_t *reversals, *alone;   /* run -> [{key, state}]; run -> true: one alone is taken back */
	json_t *again;               /* run -> seq of the task that takes it up again, as the run was retried that awaits it */
};

static void broken(struct reading *r, const char *fmt, ...) CS_PRINTF(2, 3);
static void broken(struct reading *r, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	if (json_array_size(r->broken) >= FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_array_append_new(r->broken, json_string(text));
}

/* ---- what a request is, seen from both sides ------------------------------------------------------------ */

/* "POST /x?y SHA256": method, target and bytes, as the ledger writes them. */
static char *content_of_request(const json_t *request)
{
	const char *url = cs_json_str_or(request, "url", ""), *rest = strstr(url, "://");
	const char *path = rest != NULL ? rest + 3 + strcspn(rest + 3, "/?") : "/";
	char digest[CS_HEX_SIZE];
	CS_AUTOBUF cs_buf body;
	cs_buf_init(&body, (size_t)16 << 20);
	if (cs_http_render_body(request, &body, NULL) != CS_OK)
		cs_buf_reset(&body);
	cs_hash_hex(cs_buf_str(&body), body.len, digest);
	return cs_xasprintf("%s %s%s %s", cs_json_str_or(request, "method", ""), *path == '/' ? "" : "/", path, digest);
}

static char *content_of_entry(const json_t *entry)
{
	return cs_xasprintf("%s %s %s", cs_json_str_or(entry, "method", ""), cs_json_str_or(entry, "path", ""),
			    cs_json_str_or(entry, "digest", ""));
}

static void add(json_t *o, const char *name, json_int_t n)
{
	json_object_set_new(o, name, json_integer(cs_json_int_or(o, name, 0) + n));
}

/* ---- attempts -------------------------------------------------------------------------------------------- */

static bool sends(const char *class)
{
	return strcmp(class, "unsafe") == 0 || strcmp(class, "keyed") == 0 || strcmp(class, "probe") == 0;
}

/* What was decided of an item that an intent names: by a person, for just this, its grace over. */
static void check_decision(struct reading *r, const cs_event *ev, const json_t *item, bool again)
{
	long long seq = (long long)ev->seq;
	int64_t expires = cs_json_int_or(item, "expires", 0);
	if (strcmp(cs_json_str_or(item, "digest", ""), cs_json_str_or(ev->data, "digest", "?")) != 0)
		broken(r, "I7: seq %lld: approved was another digest", seq);
	if (strncmp(cs_json_str_or(item, "by", ""), "operator:", 9) != 0)
		broken(r, "I7: seq %lld: %s approved it, no person", seq, cs_json_str_or(item, "by", "nobody"));
	if (strcmp(cs_json_str_or(item, "kind", ""), "in-doubt") == 0)
		return;                  /* `repeat`, with the typed word */
	if (strcmp(cs_json_str_or(item, "decision", ""), "approval.approved") != 0 || cs_json_int_or(item, "consumed", 0) != 1)
		broken(r, "I7: seq %lld: its item is not approved and consumed once", seq);
	if (cs_json_int_or(item, "grace_until", 0) > ev->at)
		broken(r, "I7: seq %lld: the grace of its approval is not over", seq);
	if (expires > 0 && expires <= ev->at && !again)
		broken(r, "I7: seq %lld: its approval had expired", seq);
}

static void check_approval(struct reading *r, const cs_event *ev, const char *key, bool again)
{
	const char *id = cs_json_str(ev->data, "approval");
	json_t *item = id != NULL ? json_object_get(r->items, id) : NULL;
	if (id == NULL) {
		bool unsafe = strcmp(cs_json_str_or(ev->data, "class", ""), "unsafe") == 0;
		bool ruled = strncmp(cs_json_str_or(ev->data, "rule", ""), "policy ", 7) == 0;
		if (unsafe && !ruled && !again)
			broken(r, "I7: seq %lld: an unsafe effect without an approval or a rule that allows it", (long long)ev->seq);
		return;
	}
	if (item == NULL) {
		broken(r, "I7: seq %lld: the approval %s is not in the log", (long long)ev->seq, id);
		return;
	}
	const char *used_by = cs_json_str(item, "used_by");
	if (used_by != NULL && strcmp(used_by, key) != 0)
		broken(r, "I7: seq %lld: the approval %s is used a second time", (long long)ev->seq, id);
	json_object_set_new(item, "used_by", json_string(key));
	check_decision(r, ev, item, again);
}

static void on_intent(struct reading *r, const cs_event *ev, const char *key, json_t *k)
{
	const char *state = cs_json_str_or(k, "state", "");
	const char *class = cs_json_str_or(ev->data, "class", "");
	if (*state != '\0' && strcmp(state, "attempt.retry") != 0 && strcmp(state, "attempt.ambiguous") != 0)
		broken(r, "I3: seq %lld: the key %.12s is begun again after %s", (long long)ev->seq, key, state);
	if (cs_json_true(k, "probing"))
		broken(r, "I6: seq %lld: the key %.12s is begun again before its probe has answered", (long long)ev->seq, key);
	if (cs_json_true(k, "in_doubt"))
		broken(r, "I6: seq %lld: the key %.12s is begun again while in doubt", (long long)ev->seq, key);
	const char *digest = cs_json_str(k, "digest"), *now = cs_json_str_or(ev->data, "digest", "");
	if (digest != NULL && strcmp(digest, now) != 0)
		broken(r, "I3: seq %lld: the key %.12s goes with a second digest", (long long)ev->seq, key);
	bool again = digest != NULL;
	json_object_set_new(k, "digest", json_string(now));
	json_object_set_new(k, "class", json_string(class));
	if (ev->simulated)
		return;
	check_approval(r, ev, key, again);
	if (json_object_get(ev->data, "request") == NULL)
		return;
	CS_AUTOFREE char *content = content_of_request(json_object_get(ev->data, "request"));
	json_object_set_new(k, "content", json_string(content));
	if (json_object_get(r->intents, content) == NULL)
		json_object_set_new(r->intents, content, json_array());
	json_array_append_new(json_object_get(r->intents, content),
			      json_pack("{s:I, s:s, s:s}", "at", (json_int_t)ev->at, "key", key, "class", class));
}

static bool goes_to(const cs_event *ev, const char *state)
{
	return strcmp(ev->type, "attempt.ambiguous") == 0 && strcmp(cs_json_str_or(ev->data, "to", ""), state) == 0;
}

/* What waits for another try ends without it: it has failed, or is in doubt. */
static bool gives_up(const json_t *k, const cs_event *ev)
{
	const char *state = cs_json_str_or(k, "state", "");
	bool waits = strcmp(state, "attempt.retry") == 0 || (strcmp(state, "attempt.ambiguous") == 0 && !cs_json_true(k, "in_doubt"));
	if (cs_json_true(k, "probing"))              /* its probe has found it, or not, or does not know */
		return strcmp(ev->type, "attempt.ambiguous") != 0 || strcmp(cs_json_str_or(ev->data, "to", ""), "in-doubt") == 0;
	bool doubt = goes_to(ev, "in-doubt");
	return waits && (doubt || strcmp(ev->type, "attempt.failed") == 0);
}

static void on_attempt(struct reading *r, const cs_event *ev)
{
	const char *key = cs_json_str(ev->data, "key");
	if (key == NULL)
		return;                  /* a replay's: nothing was sent */
	json_t *k = json_object_get(r->keys, key);
	if (k == NULL) {
		k = json_object();
		json_object_set_new(r->keys, key, k);
	}
	bool intent = strcmp(ev->type, "attempt.intent") == 0, resolved = strcmp(ev->type, "attempt.resolved") == 0;
	if (intent)
		on_intent(r, ev, key, k);
	else if (!resolved && strcmp(cs_json_str_or(k, "state", ""), "attempt.intent") != 0 && !gives_up(k, ev))
		broken(r, "I5: seq %lld: %s without an open intent", (long long)ev->seq, ev->type);
	if (resolved && (!cs_json_true(k, "in_doubt") || strncmp(ev->actor, "operator:", 9) != 0))
		broken(r, "I6: seq %lld: %s resolves the key %.12s", (long long)ev->seq, ev->actor, key);
	else if (!resolved && !intent && cs_json_true(k, "in_doubt"))
		broken(r, "I6: seq %lld: %s ends what is in doubt", (long long)ev->seq, ev->type);
	json_object_set_new(k, "state", json_string(ev->type));
	json_object_set_new(k, "happened", json_boolean(resolved && strcmp(cs_json_str_or(ev->data, "how", ""), "happened") == 0));
	json_object_set_new(k, "probing", json_boolean(goes_to(ev, "probing")));
	json_object_set_new(k, "simulated", json_boolean(ev->simulated));
	json_object_set_new(k, "in_doubt", json_boolean(goes_to(ev, "in-doubt")));
}

/* ---- items and runs -------------------------------------------------------------------------------------- */

static void on_item(struct reading *r, const cs_event *ev)
{
	const char *id = cs_json_str_or(ev->data, "item", "");
	json_t *item = json_object_get(r->items, id);
	bool published = strcmp(ev->type, "approval.published") == 0 || strcmp(ev->type, "item.opened") == 0;
	if (published) {
		item = json_pack("{s:s, s:s, s:I}", "digest", cs_json_str_or(ev->data, "digest", ""), "kind",
				 cs_json_str_or(ev->data, "kind", ""), "expires", (json_int_t)cs_json_int_or(ev->data, "expires", 0));
		if (json_object_get(r->items, id) != NULL)
			broken(r, "I7: seq %lld: the item %s is published a second time", (long long)ev->seq, id);
		json_object_set_new(r->items, id, item);
		return;
	}
	if (item == NULL)
		return;
	if (strcmp(ev->type, "approval.consumed") == 0) {
		add(item, "consumed", 1);
		return;
	}
	static const char *const decisions[] = { "approval.approved", "approval.rejected", "approval.answered", "item.closed" };
	for (size_t i = 0; i < CS_ARRAY_LEN(decisions); i++) {
		if (strcmp(decisions[i], ev->type) != 0)
			continue;
		json_object_set_new(item, "decision", json_string(ev->type));
		json_object_set_new(item, "by", json_string(ev->actor));
		json_object_set_new(item, "grace_until", json_integer(cs_json_int_or(ev->data, "grace_until", 0)));
	}
	if (strcmp(ev->type, "approval.undone") == 0)
		json_object_del(item, "decision");
}

/* It ended well, or a person says that it did. */
static bool is_done(const json_t *k)
{
	return strcmp(cs_json_str_or(k, "state", ""), "attempt.done") == 0 || cs_json_true(k, "happened");
}

/* Per run: what can be taken back, {key, state}, in the order in which it was done. */
static void on_reversal(struct reading *r, const cs_event *ev)
{
	const char *key = cs_json_str_or(ev->data, "key", ""), *word = strchr(ev->type, '.') + 1;
	const json_t *done = json_object_get(r->keys, key);
	json_t *list = json_object_get(r->reversals, ev->run), *mine = NULL, *later = NULL, *v;
	size_t i;
	if (list == NULL)
		json_object_set_new(r->reversals, ev->run, list = json_array());
	json_array_foreach(list, i, v) {
		if (strcmp(cs_json_str_or(v, "key", ""), key) == 0)
			mine = v;
		else if (mine != NULL && strcmp(cs_json_str_or(v, "state", ""), "registered") == 0)
			later = v;
	}
	if (strcmp(word, "registered") == 0) {
		if (mine != NULL || !is_done(done))
			broken(r, "I8: seq %lld: a reversal of the key %.12s, which is not done, or twice", (long long)ev->seq, key);
		json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "key", key, "state", word, "seq", (json_int_t)ev->seq));
		return;
	}
	if (mine == NULL)
		broken(r, "I8: seq %lld: %s of the key %.12s, which nobody registered", (long long)ev->seq, ev->type, key);
	if (strcmp(cs_json_str_or(mine, "state", ""), "reversed") == 0)
		broken(r, "I8: seq %lld: %s of the key %.12s, which is taken back already", (long long)ev->seq, ev->type, key);
	if (strcmp(word, "begun") == 0 && later != NULL && json_object_get(r->alone, ev->run) == NULL)
		broken(r, "I8: seq %lld: the key %.12s is taken back before what came after it", (long long)ev->seq, key);
	json_object_set_new(mine, "state", json_string(word));
}

/* What an awaited run did joins the list of who awaited it, by the seq at which it was done. */
static void on_child(struct reading *r, const cs_event *ev)
{
	json_t *list = json_object_get(r->reversals, ev->run), *one, *v;
	size_t i, k;
	if (list == NULL)
		json_object_set_new(r->reversals, ev->run, list = json_array());
	json_array_foreach(json_object_get(ev->data, "reversals"), i, one) {
		bool there = false;
		size_t at = json_array_size(list);
		json_array_foreach(list, k, v) {
			there = there || strcmp(cs_json_str_or(v, "key", ""), cs_json_str_or(one, "key", "?")) == 0;
			if (cs_json_int_or(v, "seq", 0) > cs_json_int_or(one, "seq", 0) && k < at)
				at = k;
		}
		if (!there)
			json_array_insert_new(list, at, json_pack("{s:s, s:s, s:I}", "key", cs_json_str_or(one, "key", ""), "state", "registered",
								  "seq", (json_int_t)cs_json_int_or(one, "seq", 0)));
	}
}

/* A run is led only by one that takes back itself, and that left its own end by the operator's word, if it had one. */
static bool led(const struct reading *r, const cs_event *ev)
{
	const char *root = cs_json_str(ev->data, "root");
	return root != NULL && strcmp(ev->type, "run.compensating") == 0 && json_object_get(r->terminal, root) == NULL;
}

static void on_run(struct reading *r, const cs_event *ev)
{
	static const char *const ends[] = { "run.completed", "run.faulted", "run.cancelled", "run.compensated" };
	if (ev->run[0] == '\0')
		return;
	const char *ended = json_string_value(json_object_get(r->terminal, ev->run));
	bool operators = strncmp(ev->actor, "operator:", 9) == 0, note = strcmp(ev->type, "item.opened") == 0;
	bool awaited = strcmp(ev->type, "run.retried") == 0 && cs_json_int_or(r->again, ev->run, 0) == ev->cause;
	if (strcmp(ev->type, "task.started") == 0 && cs_json_true(ev->data, "again") && cs_json_str(ev->data, "run") != NULL)
		json_object_set_new(r->again, cs_json_str(ev->data, "run"), json_integer(ev->seq));
	if (ended != NULL && !operators && !note && !awaited && !led(r, ev))
		broken(r, "I15: seq %lld: %s by %s after %s", (long long)ev->seq, ev->type, ev->actor, ended);
	if (strcmp(ev->type, "run.retried") == 0 || strcmp(ev->type, "run.compensating") == 0)
		json_object_del(r->terminal, ev->run);
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++)
		if (strcmp(ends[i], ev->type) == 0)
			json_object_set_new(r->terminal, ev->run, json_string(ev->type));
}

static int read_event(void *ctx, const cs_event *ev)
{
	struct reading *r = ctx;
	if (ev->seq != r->last_seq + 1)
		broken(r, "I1: seq %lld follows %lld", (long long)ev->seq, (long long)r->last_seq);
	if (ev->cause >= ev->seq)
		broken(r, "I1: seq %lld has a cause that comes later: %lld", (long long)ev->seq, (long long)ev->cause);
	r->last_seq = ev->seq;
	if (strncmp(ev->type, "attempt.", 8) == 0)
		on_attempt(r, ev);
	else if (strncmp(ev->type, "approval.", 9) == 0 || strncmp(ev->type, "item.", 5) == 0)
		on_item(r, ev);
	else if (strncmp(ev->type, "reversal.", 9) == 0)
		on_reversal(r, ev);
	else if (strcmp(ev->type, "child.ended") == 0)
		on_child(r, ev);
	else if (cs_json_str(ev->data, "only") != NULL || cs_json_str(ev->data, "within") != NULL)
		json_object_set_new(r->alone, ev->run, json_true());
	on_run(r, ev);
	return 0;
}

/* ---- the ledger ------------------------------------------------------------------------------------------ */

/* An intent of this content, and of this key where one was on the wire, from before the request. */
static bool intended(const struct reading *r, const char *content, const char *key, int64_t at)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(r->intents, content), i, one)
		if ((*key == '\0' || strcmp(key, cs_json_str_or(one, "key", "")) == 0) && cs_json_int_or(one, "at", 0) <= at)
			return true;
	return false;
}

static void read_ledger(struct reading *r)
{
	size_t i;
	json_t *entry;
	json_array_foreach(r->ledger, i, entry) {
		CS_AUTOFREE char *content = content_of_entry(entry);
		const char *key = cs_json_str_or(entry, "key", ""), *digest = cs_json_str_or(entry, "digest", "");
		if (!intended(r, content, key, cs_json_int_or(entry, "at", 0)))
			broken(r, "I2, I4: the outside knows of %s, which has no intent before it", content);
		add(r->seen, content, 1);
		const char *before = *key != '\0' ? cs_json_str(r->sent_keys, key) : NULL;
		if (before != NULL && strcmp(before, digest) != 0)
			broken(r, "I3: the key %.12s went with two bodies", key);
		if (*key != '\0')
			json_object_set_new(r->sent_keys, key, json_string(digest));
	}
}

/* As many requests of one content as there are keys that may have sent it once each. */
static void check_once(struct reading *r)
{
	const char *content;
	json_t *intents;
	json_object_foreach(r->intents, content, intents) {
		CS_AUTOJSON json_t *unsafe = json_object();
		size_t i, others = 0;
		json_t *one;
		json_array_foreach(intents, i, one) {
			if (strcmp(cs_json_str_or(one, "class", ""), "unsafe") == 0)
				json_object_set_new(unsafe, cs_json_str_or(one, "key", ""), json_true());
			else
				others++;
		}
		int64_t n = cs_json_int_or(r->seen, content, 0);
		if (others == 0 && n > (int64_t)json_object_size(unsafe))
			broken(r, "I3: %s went %lld times under %zu keys", content, (long long)n, json_object_size(unsafe));
	}
}

static void check_keys(struct reading *r)
{
	const char *key;
	json_t *k;
	json_object_foreach(r->keys, key, k) {
		const char *state = cs_json_str_or(k, "state", ""), *content = cs_json_str(k, "content");
		if (strcmp(state, "attempt.intent") == 0)
			broken(r, "I5: the key %.12s is still in intent", key);
		if (strcmp(state, "attempt.done") != 0 || content == NULL || cs_json_true(k, "simulated"))
			continue;
		if (!sends(cs_json_str_or(k, "class", "")) || r->ledger == NULL)
			continue;
		if (cs_json_int_or(r->seen, content, 0) == 0)
			broken(r, "I4: the key %.12s is done, and the outside never saw %s", key, content);
	}
}

static void check_rest(struct reading *r, cs_reader *reader)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_err err = { 0 };
	if (cs_reader_query(reader, "SELECT key, state FROM attempt WHERE state IN ('intent','probing')", NULL, &rows, &err) != CS_OK)
		broken(r, "I5: %s", err.msg);
	else if (json_array_size(rows) > 0)
		broken(r, "I5: %zu attempts are in intent or probing", json_array_size(rows));
}

static int differs(void *ctx, const json_t *row)
{
	CS_AUTOFREE char *text = cs_json_text(row);
	broken(ctx, "I9: %s", text);
	return 0;
}

static void check_store(struct reading *r, const char *dir)
{
	cs_verify_report report;
	cs_err err = { 0 };
	if (cs_store_verify(dir, &report, &err) != CS_OK)
		broken(r, "I1: %s", err.msg);
	else if (report.finding[0] != '\0')
		broken(r, "I1: %s", report.finding);
	else if (report.events != r->last_seq)
		broken(r, "I1: %lld events, the last is %lld", (long long)report.events, (long long)r->last_seq);
	if (cs_store_rebuild_check(dir, differs, r, &err) != CS_OK)
		broken(r, "I9: %s", err.msg);
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

invariants *invariants_new(void)
{
	invariants *i = cs_xcalloc(1, sizeof *i);
	*i = (struct reading){ .broken = json_array(), .keys = json_object(), .items = json_object(), .terminal = json_object(),
			       .intents = json_object(), .seen = json_object(), .sent_keys = json_object(),
			       .reversals = json_object(), .alone = json_object(), .again = json_object() };
	return i;
}

void invariants_free(invariants *i)
{
	if (i == NULL)
		return;
	json_t *all[] = { i->broken, i->keys, i->items, i->terminal, i->intents, i->seen, i->sent_keys, i->reversals, i->alone, i->again };
	for (size_t k = 0; k < CS_ARRAY_LEN(all); k++)
		json_decref(all[k]);
	free(i);
}

int invariants_read_on(invariants *i, cs_reader *reader, cs_err *err)
{
	return cs_reader_events(reader, NULL, i->last_seq + 1, INT64_MAX, read_event, i, err);
}

void invariants_at_rest(invariants *i, cs_reader *reader, const char *state_dir, const json_t *ledger)
{
	i->ledger = ledger;
	read_ledger(i);
	check_once(i);
	check_keys(i);
	check_rest(i, reader);
	check_store(i, state_dir);
}

const json_t *invariants_found(const invariants *i)
{
	return i->broken;
}

const char *invariants_key(const invariants *i, const char *key)
{
	return cs_json_str_or(json_object_get(i->keys, key), "state", "");
}

json_t *invariants_broken(const char *state_dir, const json_t *ledger)
{
	invariants *i = invariants_new();
	cs_reader *reader = NULL;
	cs_err err = { 0 };
	int rc = cs_reader_open(state_dir, &reader, &err);
	if (rc == CS_OK)
		rc = invariants_read_on(i, reader, &err);
	if (rc == CS_OK) {
		invariants_at_rest(i, reader, state_dir, ledger);
	} else {
		broken(i, "I1: the log cannot be read: %s", err.msg);
		check_store(i, state_dir);
	}
	cs_reader_close(reader);
	json_t *found = json_incref(i->broken);
	invariants_free(i);
	return found;
}
