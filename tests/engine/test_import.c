/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that go from one workspace to another as signed text: whole, or not at all; there they are looked at
 * and replayed, and never go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/transfer_lines.h"
#include "tests/support/acts.h"
#include "view/view.h"

#define INNER "document: { dsl: '1.0.3', namespace: test, name: inner, version: '1.0.0' }\ndo:\n" \
	"  - twice: { set: { n: '${ $start.n * 2 }' } }\n"
#define OUTER "document: { dsl: '1.0.3', namespace: test, name: outer, version: '1.0.0' }\ndo:\n" \
	"  - below: { run: { workflow: { namespace: test, name: inner, version: '1.0.0', input: { n: '${ $start.n }' } } } }\n" \
	"  - sorted: { call: sorter, with: { n: '${ .n }' } }\n" \
	"  - well: { call: approve, with: { title: Well?, show: '${ $start.text }' } }\n" \
	"  - end: { set: { n: '${ $tasks.sorted.n }', who: '${ $tasks.well.by }' } }\n"
#define SORTER "agent: sorter\nversion: 1.0.0\npurpose: Sorts.\nkind: rules\neffect: pure\n" \
	"input: { type: object, required: [ n ], properties: { n: { type: integer } } }\n" \
	"output: { type: object, required: [ n ], properties: { n: { type: integer } } }\n" \
	"rules: [ { give: { n: 7 } } ]\n"

typedef struct pair {
	world from, to;
	char path[96];               /* of the file between them */
	char *run;                   /* what was exported */
	char *text;                  /* the file */
	size_t len;
	char key[CS_HEX_SIZE];       /* the signer's */
} pair;

static void make(world *w)
{
	world_new(w, NULL);
	world_file(w, "flows/inner.yaml", INNER);
	world_file(w, "flows/outer.yaml", OUTER);
	world_file(w, "agents/sorter.yaml", SORTER);
	world_start(w);
}

static int set_up(void **state)
{
	pair *p = calloc(1, sizeof *p);
	make(&p->from);
	make(&p->to);
	snprintf(p->path, sizeof p->path, "%s/runs.jsonl", p->from.dir);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	pair *p = *state;
	world_free(&p->from);
	world_free(&p->to);
	free(p->run);
	free(p->text);
	free(p);
	return 0;
}

static char *state_dir(const world *w)
{
	return cs_path_join(w->dir, CS_STATE_DIR);
}

static void read_file(pair *p)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_TRANSFER_MAX);
	assert_int_equal(cs_file_read(p->path, &text, NULL), CS_OK);
	free(p->text);
	p->len = text.len;
	p->text = cs_buf_steal(&text);
}

static void write_file(const pair *p, const char *text, size_t len)
{
	assert_int_equal(cs_file_write(p->path, text, len, 0600, NULL), CS_OK);
}

/* RUN of the first workspace into the file. */
static void export(pair *p, const char *run)
{
	cs_reader *r = NULL;
	cs_err err = { 0 };
	uint8_t key[CS_SIGN_PUBLIC];
	CS_AUTOFREE char *dir = state_dir(&p->from);
	CS_AUTOJSON json_t *ids = json_pack("[s]", run);
	CS_AUTOJSON json_t *written = NULL;
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_TRANSFER_MAX);
	assert_int_equal(cs_reader_open(dir, &r, &err), CS_OK);
	if (cs_export_runs(dir, r, ids, "elsewhere", "1", &text, &written, &err) != CS_OK)
		fail_msg("%s", err.msg);
	cs_reader_close(r);
	write_file(p, text.data, text.len);
	assert_int_equal(cs_signer_public(dir, key, &err), CS_OK);
	cs_hex(key, sizeof key, p->key);
	read_file(p);
}

static json_t *long_input(void)
{
	char text[9000];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	return json_pack("{s:i, s:s}", "n", 21, "text", text);
}

/* A run of the first workspace that waits for its decision. */
static void begin(pair *p)
{
	CS_AUTOJSON json_t *ok = world_ask(&p->from, json_pack("{s:s, s:s, s:o, s:s}", "cmd", "run", "flow", "outer", "input", long_input(),
							       "key", "business 7"));
	p->run = cs_xstrdup(cs_json_str(ok, "run"));
	json_decref(world_await(&p->from, p->run, "waiting"));
	world_settle(&p->from);
}

static void decide(pair *p)
{
	CS_AUTOJSON json_t *item = world_item(&p->from);
	json_decref(world_decide(&p->from, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str_or(item, "digest", ""))));
	json_decref(world_await(&p->from, p->run, "completed"));
	world_settle(&p->from);
}

static void complete(pair *p)
{
	begin(p);
	decide(p);
	export(p, p->run);
}

static json_t *request(const pair *p, const char *trust)
{
	return json_pack("{s:s, s:s, s:s*}", "cmd", "import", "file", p->path, "trust", trust);
}

static int64_t log_end(world *w)
{
	return world_number(w, "SELECT max(seq) AS n FROM event");
}

/* Refused with a message that has SAYS, and the log is as it was. */
static void refused_trusting(pair *p, const char *trust, const char *says)
{
	int64_t before = log_end(&p->to);
	CS_AUTOJSON json_t *error = world_refused(&p->to, request(p, trust));
	if (strstr(cs_json_str_or(error, "message", ""), says) == NULL)
		fail_msg("'%s' does not say '%s'", cs_json_str_or(error, "message", ""), says);
	assert_int_equal(log_end(&p->to), before);
}

static void refused(pair *p, const char *says)
{
	refused_trusting(p, p->key, says);
}

static json_t *view_of(world *w, const char *run)
{
	cs_reader *r = NULL;
	json_t *v = NULL;
	CS_AUTOFREE char *dir = state_dir(w);
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	assert_int_equal(cs_view_run(r, run, &v, NULL), CS_OK);
	cs_reader_close(r);
	return v;
}

/* ---- what comes over ----------------------------------------------------------------------------- */

static void a_run_is_shown_and_traced_elsewhere_as_it_was(void **state)
{
	pair *p = *state;
	complete(p);
	CS_AUTOJSON json_t *ok = world_ask(&p->to, request(p, p->key));
	assert_int_equal(json_array_size(json_object_get(ok, "runs")), 2);        /* with the one that it started */
	CS_AUTOJSON json_t *there = view_of(&p->from, p->run);
	CS_AUTOJSON json_t *here = view_of(&p->to, p->run);
	static const char *const same[] = { "flow", "version", "state", "input", "output", "started", "key" };
	for (size_t i = 0; i < CS_ARRAY_LEN(same); i++)
		assert_true(cs_json_equal(json_object_get(there, same[i]), json_object_get(here, same[i])));
	assert_true(cs_json_true(here, "simulated"));
	assert_true(cs_json_true(here, "imported"));
	assert_string_equal(cs_json_str(json_object_get(here, "import"), "signer"), p->key);
	assert_string_equal(cs_json_str(json_object_get(here, "import"), "workspace"), "elsewhere");
	CS_AUTOJSON json_t *log = world_rows(&p->to, "SELECT actor, run FROM event WHERE type = 'log.imported'");
	assert_int_equal(json_array_size(log), 1);
	assert_int_equal(world_number(&p->to, "SELECT count(*) AS n FROM event WHERE type <> 'run.imported' AND run <> '' AND actor NOT LIKE 'import:%'"), 0);
	assert_int_equal(world_number(&p->to, "SELECT count(*) AS n FROM event e WHERE run <> '' AND cause < (SELECT seq FROM event WHERE type = 'log.imported')"), 0);
	world_verify(&p->to);
}

static void nothing_of_it_is_in_the_tables_of_keys_items_and_clocks(void **state)
{
	static const char *const tables[] = { "attempt", "item", "timer", "start_key", "event_seen", "start_once", "task" };
	pair *p = *state;
	complete(p);
	json_decref(world_ask(&p->to, request(p, p->key)));
	for (size_t i = 0; i < CS_ARRAY_LEN(tables); i++) {
		CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM %s", tables[i]);
		assert_int_equal(world_number(&p->to, sql), 0);
	}
	assert_int_equal(world_number(&p->to, "SELECT sum(cost) AS n FROM run"), 0);
	/* The business key is free here. */
	CS_AUTOJSON json_t *ok = world_ask(&p->to, json_pack("{s:s, s:s, s:o, s:s}", "cmd", "run", "flow", "inner", "input",
							     json_pack("{s:i}", "n", 1), "key", "business 7"));
	assert_false(cs_json_true(ok, "existing"));
}

static void it_is_replayed_there_with_what_was_decided(void **state)
{
	pair *p = *state;
	complete(p);
	json_decref(world_ask(&p->to, request(p, p->key)));
	CS_AUTOJSON json_t *ok = world_ask(&p->to, json_pack("{s:s, s:s}", "cmd", "replay", "run", p->run));
	const char *again = cs_json_str(ok, "run");
	json_decref(world_await(&p->to, again, "completed"));
	CS_AUTOJSON json_t *old = view_of(&p->to, p->run);
	CS_AUTOJSON json_t *new = view_of(&p->to, again);
	assert_true(cs_json_equal(json_object_get(old, "output"), json_object_get(new, "output")));
	assert_int_equal(world_count(&p->to, again, "approval.assumed"), 1);
	assert_int_equal(world_count(&p->to, again, "attempt.reused"), 1);
	assert_int_equal(world_count(&p->to, again, "attempt.intent"), 0);
	world_verify(&p->to);
}

static void what_was_open_there_is_over_here_and_never_goes_on(void **state)
{
	pair *p = *state;
	static const char *const verbs[] = { "pause", "resume", "cancel", "retry", "rollback", "waive" };
	begin(p);
	export(p, p->run);
	json_decref(world_ask(&p->to, request(p, p->key)));
	int64_t end = log_end(&p->to);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++) {
			CS_AUTOJSON json_t *error = world_refused(&p->to, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", p->run, "verb",
										   verbs[i], "why", "because"));
			assert_non_null(strstr(cs_json_str_or(error, "message", ""), "imported"));
		}
		static const char *const others[] = { "adopt", "correct" };
		for (size_t i = 0; i < CS_ARRAY_LEN(others); i++) {
			CS_AUTOJSON json_t *error = world_refused(&p->to, json_pack("{s:s, s:s}", "cmd", others[i], "run", p->run));
			assert_non_null(strstr(cs_json_str_or(error, "message", ""), "imported"));
		}
		CS_AUTOJSON json_t *run = view_of(&p->to, p->run);
		assert_string_equal(cs_json_str(run, "state"), "cancelled");
		assert_string_equal(cs_json_str(json_object_get(run, "import"), "state"), "waiting");
		assert_int_equal(json_array_size(json_object_get(run, "items")), 0);
		if (round == 0) {
			assert_int_equal(log_end(&p->to), end);
			world_stop(&p->to);
			world_start(&p->to);
		}
	}
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM event WHERE run <> '' AND seq > %lld", (long long)end);
	assert_int_equal(world_number(&p->to, sql), 0);
	CS_AUTOJSON json_t *status = world_ask(&p->to, json_pack("{s:s}", "cmd", "status"));
	assert_int_equal(cs_json_int_or(status, "runs", -1), 0);
	world_verify(&p->to);
}

/* ---- who signed --------------------------------------------------------------------------------- */

static void an_unknown_signer_is_named_and_must_be_trusted_once(void **state)
{
	pair *p = *state;
	char other[CS_HEX_SIZE];
	complete(p);
	refused_trusting(p, NULL, p->key);
	memset(other, 'a', sizeof other - 1);
	other[sizeof other - 1] = '\0';
	refused_trusting(p, other, "not by the key");
	json_decref(world_ask(&p->to, request(p, p->key)));
	CS_AUTOFREE char *other_run = world_run(&p->from, "inner", NULL, json_pack("{s:i}", "n", 3));
	json_decref(world_await(&p->from, other_run, "completed"));
	world_settle(&p->from);
	export(p, other_run);                /* of the same signer */
	json_decref(world_ask(&p->to, request(p, NULL)));
}

static void the_same_file_again_is_no_second_run_and_ones_own_are_refused(void **state)
{
	pair *p = *state;
	complete(p);
	json_decref(world_ask(&p->to, request(p, p->key)));
	int64_t end = log_end(&p->to);
	CS_AUTOJSON json_t *ok = world_ask(&p->to, request(p, NULL));
	assert_true(cs_json_true(ok, "existing"));
	assert_int_equal(log_end(&p->to), end);
	CS_AUTOJSON json_t *error = world_refused(&p->from, request(p, NULL));
	assert_non_null(strstr(cs_json_str_or(error, "message", ""), "own"));
	export(p, p->run);                   /* the same run in another file */
	refused(p, "from another file");
}

/* ---- what was changed ---------------------------------------------------------------------------- */

static void what_was_altered_is_refused_at_its_line(void **state)
{
	pair *p = *state;
	char says[64];
	complete(p);
	unsigned line = 1;
	for (size_t i = 0; i < p->len; i++) {
		if (p->text[i] == '\n') {
			line++;
			continue;
		}
		if (i % 97 != 0 && p->text[i + 1] != '\n')       /* some of each line, and its last byte */
			continue;
		CS_AUTOFREE char *copy = cs_xstrndup(p->text, p->len);
		copy[i] = copy[i] == '0' ? '1' : '0';
		write_file(p, copy, p->len);
		snprintf(says, sizeof says, "line %u: ", line);
		refused(p, says);
	}
	write_file(p, p->text, p->len);
	json_decref(world_ask(&p->to, request(p, p->key)));
}

static void what_was_cut_off_or_put_in_another_order_is_refused(void **state)
{
	pair *p = *state;
	complete(p);
	for (size_t i = 0; i < p->len; i++) {
		if (p->text[i] != '\n' && i % 501 != 0)
			continue;
		write_file(p, p->text, i);
		refused(p, "line ");
	}
	CS_AUTOBUF cs_buf text;              /* a line is missing; a line is there twice; something behind the end */
	cs_buf_init(&text, CS_TRANSFER_MAX);
	const char *second = strchr(p->text, '\n') + 1, *third = strchr(second, '\n') + 1;
	cs_buf_add(&text, p->text, (size_t)(second - p->text));
	cs_buf_adds(&text, third);
	write_file(p, text.data, text.len);
	refused(p, "line 2: ");
	cs_buf_reset(&text);
	cs_buf_add(&text, p->text, (size_t)(third - p->text));
	cs_buf_adds(&text, second);
	write_file(p, text.data, text.len);
	refused(p, "line 3: ");
	cs_buf_reset(&text);
	cs_buf_add(&text, p->text, p->len);
	cs_buf_adds(&text, "{}\n");
	write_file(p, text.data, text.len);
	refused(p, "behind the signature");
}

/* ---- what a signer that is trusted may have written -------------------------------------------------- */

/* The lines of the file without sums and signature; new reference. */
static json_t *lines_of(const pair *p)
{
	json_t *lines = json_array();
	for (const char *at = p->text; *at != '\0';) {
		const char *end = strchr(at, '\n');
		json_t *v = NULL;
		assert_int_equal(cs_json_parse(at, (size_t)(end - at), &v, NULL), CS_OK);
		json_object_del(v, "sum");
		if (json_object_get(v, "signature") == NULL)
			json_array_append(lines, v);
		json_decref(v);
		at = end + 1;
	}
	return lines;
}

/* LINES, signed as the first workspace does. */
static void sign_lines(pair *p, const json_t *lines)
{
	CS_AUTOFREE char *dir = state_dir(&p->from);
	cs_signer s = { 0 };
	uint8_t sum[CS_HASH_LEN] = { 0 }, message[CS_LINES_MESSAGE], signature[CS_SIGNATURE];
	char hex[2 * CS_SIGNATURE + 1];
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, CS_TRANSFER_MAX);
	cs_sha256 *h = cs_sha256_new();
	size_t i;
	json_t *v;
	assert_int_equal(cs_signer_load(dir, &s, NULL), CS_OK);
	json_array_foreach((json_t *)lines, i, v) {
		CS_AUTOFREE char *text = cs_json_text(v);
		size_t own = strlen(text) - 1;
		cs_line_sum(h, sum, text, own);
		cs_hex(sum, sizeof sum, hex);
		cs_buf_add(&out, text, own);
		cs_buf_addf(&out, "%s%s%s\n", CS_LINE_SUM, hex, CS_LINE_END);
	}
	cs_lines_message((int64_t)json_array_size(lines), sum, message);
	crypto_sign_detached(signature, NULL, message, sizeof message, s.secret);
	cs_hex(signature, sizeof signature, hex);
	cs_buf_addf(&out, "{\"lines\":%d,\"signature\":\"%s\"}\n", (int)json_array_size(lines), hex);
	cs_signer_wipe(&s);
	cs_sha256_free(h);
	write_file(p, out.data, out.len);
}

/* The event of TYPE (its first) in LINES, and its line (or NULL). */
static json_t *event_in(json_t *lines, const char *type, size_t *ret_line)
{
	size_t i;
	json_t *v;
	json_array_foreach(lines, i, v)
		if (strcmp(cs_json_str_or(json_object_get(v, "event"), "type", ""), type) == 0) {
			if (ret_line != NULL)
				*ret_line = i + 1;
			return json_object_get(v, "event");
		}
	fail_msg("no event %s in the file", type);
	return NULL;
}

static void what_a_trusted_signer_writes_is_checked_all_the_same(void **state)
{
	pair *p = *state;
	static const struct {
		const char *type, *path, *value, *says;
	} changes[] = {
		{ "run.created", "type", "\"engine.live\"", "no event of a run" },
		{ "run.started", "type", "\"start.cleared\"", "no event of a run" },
		{ "run.started", "type", "\"log.imported\"", "no event of a run" },
		{ "run.started", "type", "\"nothing.known\"", "no event of a run" },
		{ "run.started", "type", "\"run.created\"", "there twice" },
		{ "run.created", "type", "\"run.started\"", "before its creation" },
		{ "run.created", "run", "\"nobody\"", "of no run" },
		{ "run.created", "at", "-1", "cannot be" },
		{ "run.created", "at", "9000000000000000", "cannot be" },
		{ "run.started", "cause", "4000000000000", "cannot be" },
		{ "run.started", "seq", "1", "another order" },
		{ "run.started", "occurrence", "5000000000", "cannot be" },
		{ "run.started", "actor", "\"\"", "cannot be" },
		{ "run.started", "actor", "7", "cannot be" },
		{ "run.started", "simulated", "1", "not an object" },
		{ "run.started", "data", "[]", "not an object" },
		{ "run.created", "data", "{}", "definition" },
		{ "run.created", "data.definition", "\"4a91\"", "is not in the file" },
		{ "run.created", "data.input@", "\"4a91\"", "is not in the file" },
		{ "task.completed", "task", "\"/do/99/nowhere\"", "does not fit" },
		{ "run.completed", "type", "\"run.resumed\"", "nothing was imported" },
	};
	complete(p);
	for (size_t i = 0; i < CS_ARRAY_LEN(changes); i++) {
		CS_AUTOJSON json_t *lines = lines_of(p);
		CS_AUTOJSON json_t *value = NULL;
		size_t line = 0;
		char where[32];
		json_t *changed = NULL, *ev = event_in(lines, changes[i].type, &line);
		assert_int_equal(cs_json_parse(changes[i].value, strlen(changes[i].value), &value, NULL), CS_OK);
		assert_int_equal(cs_json_with_path(ev, changes[i].path, value, &changed, NULL), CS_OK);
		json_object_update(ev, changed);
		json_decref(changed);
		if (strcmp(changes[i].says, "nothing was imported") == 0)
			json_object_set_new(json_object_get(ev, "data"), "to", json_string("anywhere"));
		sign_lines(p, lines);
		refused(p, changes[i].says);
		snprintf(where, sizeof where, "line %zu: ", line);
		refused(p, where);
	}
}

static void bodies_ids_and_headers_that_do_not_fit_are_refused(void **state)
{
	pair *p = *state;
	complete(p);
	CS_AUTOJSON json_t *twice = lines_of(p);
	json_array_insert(twice, 2, json_array_get(twice, 1));
	sign_lines(p, twice);
	refused(p, "there twice");
	CS_AUTOJSON json_t *other = lines_of(p);
	json_object_set_new(json_array_get(other, 1), "text", json_string("{}"));
	sign_lines(p, other);
	refused(p, "not the one that its name says");
	CS_AUTOJSON json_t *fewer = lines_of(p);
	json_array_remove(fewer, json_array_size(fewer) - 1);
	sign_lines(p, fewer);
	refused(p, "what the first line says");
	CS_AUTOJSON json_t *newer = lines_of(p);
	json_object_set_new(json_array_get(newer, 0), "format", json_integer(2));
	sign_lines(p, newer);
	refused(p, "update capstan");
	CS_AUTOJSON json_t *nothing = json_array();
	json_array_append(nothing, json_array_get(newer, 0));
	json_object_set_new(json_array_get(nothing, 0), "format", json_integer(1));
	sign_lines(p, nothing);
	refused(p, "what the first line says");
	write_file(p, "", 0);
	refused(p, "cut off");
	write_file(p, "hello\n", 6);
	refused(p, "line 1: ");
}

static void no_run_is_named_twice_or_below_itself(void **state)
{
	static const char *const says[] = { "is its own parent", "has a parent that is created after it", "is no run" };
	pair *p = *state;
	complete(p);
	for (size_t i = 0; i < CS_ARRAY_LEN(says); i++) {
		CS_AUTOJSON json_t *lines = lines_of(p);
		json_t *told = json_object_get(json_array_get(lines, 0), "runs"), *ev = event_in(lines, "run.created", NULL);
		const char *id = cs_json_str_or(json_array_get(told, i), "run", "nobody");    /* itself, the one that it started, none */
		json_object_set_new(json_object_get(ev, "data"), "parent", json_string(id));
		sign_lines(p, lines);
		refused(p, says[i]);
	}
	CS_AUTOJSON json_t *lines = lines_of(p);
	json_t *told = json_object_get(json_array_get(lines, 0), "runs");
	json_array_set(told, 1, json_array_get(told, 0));
	sign_lines(p, lines);
	refused(p, "is named twice");
}

static void a_mark_of_import_is_no_end_of_a_run(void **state)
{
	pair *p = *state;
	complete(p);
	for (int named = 0; named < 2; named++) {
		CS_AUTOJSON json_t *lines = lines_of(p);
		json_t *ev = event_in(lines, "run.completed", NULL), *data = json_object_get(ev, "data");
		json_object_set_new(ev, "type", json_string("run.imported"));
		if (named)
			json_object_update_new(data, json_pack("{s:s, s:s, s:s, s:s}", "file", "f", "signer", "s", "workspace", "w", "state", "completed"));
		sign_lines(p, lines);
		refused(p, "was not imported");
	}
}

/* It goes on to a third, from where nothing was left out and nothing can be put behind it. */
static void an_imported_run_goes_on_to_a_third_workspace(void **state)
{
	pair *p = *state;
	complete(p);
	json_decref(world_ask(&p->to, request(p, p->key)));
	world_settle(&p->to);
	world first = p->from;
	p->from = p->to;
	make(&p->to);
	export(p, p->run);
	CS_AUTOJSON json_t *lines = lines_of(p);
	json_object_del(json_object_get(event_in(lines, "run.imported", NULL), "data"), "state");
	sign_lines(p, lines);
	refused(p, "run.imported has no text state");
	CS_AUTOJSON json_t *behind = lines_of(p);
	size_t last = json_array_size(behind) - 1;
	json_t *mark = json_object_get(json_array_get(behind, last), "event");
	json_t *more = json_deep_copy(json_array_get(behind, last)), *ev = json_object_get(more, "event");
	json_object_set_new(ev, "seq", json_integer(cs_json_int_or(mark, "seq", 0) + 1));
	json_object_set_new(ev, "type", json_string("run.paused"));
	json_array_append_new(behind, more);
	json_object_set_new(json_array_get(behind, 0), "events",
			    json_integer(cs_json_int_or(json_array_get(behind, 0), "events", 0) + 1));
	sign_lines(p, behind);
	refused(p, "nothing follows that");
	write_file(p, p->text, p->len);
	json_decref(world_ask(&p->to, request(p, p->key)));
	CS_AUTOJSON json_t *run = view_of(&p->to, p->run);
	assert_string_equal(cs_json_str(run, "state"), "completed");
	world_verify(&p->to);
	world_free(&first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_run_is_shown_and_traced_elsewhere_as_it_was),
		TEST(nothing_of_it_is_in_the_tables_of_keys_items_and_clocks),
		TEST(it_is_replayed_there_with_what_was_decided),
		TEST(what_was_open_there_is_over_here_and_never_goes_on),
		TEST(an_unknown_signer_is_named_and_must_be_trusted_once),
		TEST(the_same_file_again_is_no_second_run_and_ones_own_are_refused),
		TEST(what_was_altered_is_refused_at_its_line),
		TEST(what_was_cut_off_or_put_in_another_order_is_refused),
		TEST(what_a_trusted_signer_writes_is_checked_all_the_same),
		TEST(bodies_ids_and_headers_that_do_not_fit_are_refused),
		TEST(no_run_is_named_twice_or_below_itself),
		TEST(a_mark_of_import_is_no_end_of_a_run),
		TEST(an_imported_run_goes_on_to_a_third_workspace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
