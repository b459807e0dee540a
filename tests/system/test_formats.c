/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Databases that earlier formats left behind, with runs in every state, open and finish; one of a newer
 * format is refused, by a sentence that names both, and left as it is. */
#include "tests/system/live.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include <sqlite3.h>
#include "base/clock.h"
#include "base/file.h"
#include "store/backup.h"
#include "store/store.h"
#include "tests/system/formats.h"

static _Atomic int64_t ahead;            /* of the wall's clock */

static int64_t clock_now(void *ctx)
{
	(void)ctx;
	return cs_clock_wall_ms() + atomic_load(&ahead);
}

static void shell(const char *const *argv)
{
	cs_child_opts o = { .argv = argv };
	CS_AUTOBUF cs_buf out;
	cs_child_result r;
	cs_buf_init(&out, 65536);
	assert_int_equal(cs_child_run(&o, "", 0, &out, &out, cs_clock_mono_ns() + INT64_C(20000000000), NULL, &r, NULL), CS_OK);
}

/* ---- runs in every state ------------------------------------------------------------------------- */

static const char settings[] = "workspace: test\nmode: live\napprovals: { grace: PT0S }\nflows: { q: { one-at-a-time: flow } }\n";
static const char queued[] = "document: { dsl: '1.0.3', namespace: test, name: q, version: '1.0.0' }\ndo: [ { w: { wait: { minutes: 30 } } } ]\n";
static const char rules[] = "policy: more\nrules: [ { name: calm, when: { call: calm.wait }, then: allow },\n  { name: slowly, when: { call: calm.slowly }, then: allow } ]\n";
static const char operations[] =
	"operations:\n"
	"  wait:\n    effect: unsafe\n    request: { method: POST, path: /delay/4000, as: json, body: '${ . }' }\n    reverse: none\n"
	"  order:\n    effect: keyed\n    request: { method: POST, path: /order, as: json, body: '${ . }' }\n    reverse: { call: calm.back, with: { n: 1 } }\n"
	"  back:\n    effect: keyed\n    request: { method: POST, path: /back, as: json, body: '${ . }' }\n    reverse: none\n"
	"  pack:\n    effect: keyed\n    request: { method: POST, path: /pack, as: json, body: '${ . }' }\n    reverse: { call: calm.refuse, with: { n: 2 } }\n"
	"  refuse:\n    effect: keyed\n    request: { method: POST, path: /status/404, as: json, body: '${ . }' }\n    reverse: none\n"
	"  book:\n    effect: keyed\n    request: { method: POST, path: /book, as: json, body: '${ . }' }\n    reverse: { call: calm.slowly, with: { n: 3 } }\n"
	"  slowly:\n    effect: unsafe\n    request: { method: POST, path: /delay/4000, as: json, body: '${ . }' }\n    reverse: none\n";

#define CALL(op) FLOW("{'a':{'call':'" op "','with':{'n':1}}}")
#define WAIT FLOW("{'w':{'wait':{'minutes':30}}}")

static void control(world *w, const char *run, const char *verb)
{
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", verb, "why", "as it is")));
}

/* Runs FLOW until it is one of WORDS, does VERB to it (NULL: nothing), and waits for THEN. */
static void make(live *v, const char *flow, const char *words, const char *verb, const char *then)
{
	CS_AUTOFREE char *run = live_run(v, flow, "{}");
	json_decref(world_await(&v->w, run, words));
	if (verb == NULL)
		return;
	control(&v->w, run, verb);
	json_decref(world_await(&v->w, run, then));
}

static void make_runs(live *v)
{
	/* In doubt, by an engine that ended before it: a failure outside would be written by a breaker, too, which is of format 8. */
	make(v, CALL("calm.wait"), "running", NULL, NULL);
	world_stop(&v->w);
	world_start(&v->w);
	make(v, CALL("shop.post"), "completed", NULL, NULL);
	make(v, FLOW("{'x':{'raise':{'error':{'type':'https://x.example/e','status':500,'title':'No more'}}}}"), "faulted", NULL, NULL);
	make(v, FLOW("{'g':{'call':'shop.put','with':{'to':'ann','text':'hi'}}}"), "waiting", NULL, NULL);
	make(v, WAIT, "waiting", NULL, NULL);
	make(v, FLOW("{'l':{'listen':{'to':{'one':{'with':{'type':'go'}}}}}}"), "waiting", NULL, NULL);
	make(v, WAIT, "waiting", "pause", "paused");
	make(v, WAIT, "waiting", "cancel", "cancelled");
	make(v, CALL("calm.order"), "completed", "rollback", "compensated");
	make(v, CALL("calm.pack"), "completed", "rollback", "stuck");
	for (int i = 0; i < 2; i++)          /* the second waits for its turn */
		free(world_run(&v->w, "q", NULL, NULL));
	/* These are under way when the state is copied. */
	make(v, CALL("calm.book"), "completed", "rollback", "compensating");
	make(v, CALL("calm.wait"), "running", "pause", "pausing");
	make(v, CALL("calm.wait"), "running", "cancel", "cancelling");
	make(v, CALL("calm.wait"), "running", NULL, NULL);
}

static void begin(live *v)
{
	char url[LEDGER_URL_SIZE];
	atomic_store(&ahead, 0);
	live_begin(v, "live", "PT0S");
	world_stop(&v->w);
	CS_AUTOFREE char *calm = cs_xasprintf("connector: calm\nkind: http\nurl: %s\nmode: live\nallow: [ 127.0.0.1 ]\n%s", ledger_url(&v->l, "", url), operations);
	world_file(&v->w, "connectors/calm.yaml", calm);
	world_file(&v->w, "capstan.yaml", settings);
	world_file(&v->w, "policies/more.yaml", rules);
	world_file(&v->w, "flows/q.yaml", queued);
	/* Once more from nothing: the copies that follow are no copies for this. */
	CS_AUTOFREE char *state = cs_path_join(v->w.dir, CS_STATE_DIR);
	shell((const char *const[]){ "rm", "-rf", "--", state, NULL });
	v->w.opts.clock.now_ms = clock_now;
	v->w.opts.place = "the same";
	world_start(&v->w);
	json_decref(world_ask(&v->w, json_pack("{s:s}", "cmd", "live")));
}

/* The state as it is while its engine runs, in the folder "then" of the workspace. */
static char *copy_state(live *v)
{
	CS_AUTOFREE char *state = cs_path_join(v->w.dir, CS_STATE_DIR);
	CS_AUTOFREE char *file = cs_path_join(v->w.dir, "backup");
	char *then = cs_path_join(v->w.dir, "then");
	cs_backup b;
	cs_err err = { 0 };
	if (cs_backup_write(state, file, true, (cs_backup_ear){ 0 }, &b, &err) != CS_OK || cs_backup_unpack(file, then, (cs_backup_ear){ 0 }, &b, &err) != CS_OK)
		fail_msg("%s", err.msg);
	return then;
}

/* ---- a database of an earlier format -------------------------------------------------------------------- */

static json_int_t number(const char *dir, const char *sql)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_reader *r = NULL;
	cs_err err = { 0 };
	if (cs_reader_open(dir, &r, &err) != CS_OK || cs_reader_query(r, sql, NULL, &rows, &err) != CS_OK)
		fail_msg("%s", err.msg);
	cs_reader_close(r);
	return cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

/* Every column and every index that we made, by name. */
static char *shape(const char *dir)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_reader *r = NULL;
	cs_err err = { 0 };
	if (cs_reader_open(dir, &r, &err) != CS_OK ||
	    cs_reader_query(r, "SELECT m.name || '.' || p.name || ' ' || p.type AS c FROM sqlite_schema m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
			       " UNION SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%' ORDER BY 1", NULL, &rows, &err) != CS_OK)
		fail_msg("%s", err.msg);
	cs_reader_close(r);
	return cs_json_text(rows);
}

static int differs(void *ctx, const json_t *row)
{
	CS_AUTOFREE char *text = cs_json_text(row);
	(void)ctx;
	fail_msg("%s", text);
	return 0;
}

/* Opened once to write, it is of today's format, and its tables are what its log says. */
static void bring_up_to_date(const char *dir, bool is)
{
	cs_store *s = NULL;
	cs_reader *r = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_reader_open(dir, &r, &err), is ? CS_OK : CS_EUNAVAIL);
	cs_reader_close(r);
	assert_true(is || strstr(err.msg, "older format") != NULL);
	if (cs_store_open(dir, false, &s, &err) != CS_OK)
		fail_msg("%s", err.msg);
	cs_store_close(s);
	assert_int_equal(number(dir, "SELECT user_version AS n FROM pragma_user_version"), CS_STORE_VERSION);
	assert_int_equal(cs_store_rebuild_check(dir, differs, NULL, &err), CS_OK);
	assert_int_equal(number(dir, "SELECT count(DISTINCT state) AS n FROM run"), 12);
}

/* Any command of today does the same. */
static void list_runs(const char *dir)
{
	const char *argv[] = { getenv("CS_TEST_CAPSTAN"), "-C", dir, "runs", "--json", NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	CS_AUTOBUF cs_buf out, said;
	cs_child_result r;
	cs_buf_init(&out, 1 << 20);
	cs_buf_init(&said, 65536);
	assert_non_null(argv[0]);
	assert_int_equal(cs_child_run(&o, "", 0, &out, &said, cs_clock_mono_ns() + INT64_C(20000000000), NULL, &r, NULL), CS_OK);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(cs_buf_str(&out), "compensating"));
}

static void place(live *v, world *w, const char *then, int format)
{
	static const char *const names[] = { "capstan.yaml", "flows", "connectors", "policies" };
	char dir[] = "/tmp/capstan-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	*w = (world){ .opts = v->w.opts };
	snprintf(w->dir, sizeof w->dir, "%s", dir);
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		CS_AUTOFREE char *from = cs_path_join(v->w.dir, names[i]);
		shell((const char *const[]){ "cp", "-a", "--", from, dir, NULL });
	}
	CS_AUTOFREE char *state = cs_path_join(dir, CS_STATE_DIR);
	CS_AUTOFREE char *key = cs_path_join(then, "key");
	CS_AUTOFREE char *from = cs_path_join(then, "capstan.db");
	CS_AUTOFREE char *to = cs_path_join(state, "capstan.db");
	assert_int_equal(cs_mkdir_p(state, 0700, NULL), CS_OK);
	shell((const char *const[]){ "cp", "--", key, state, NULL });
	formats_write(from, to, format);
	if (format % 2 == 0)
		list_runs(dir);
	bring_up_to_date(state, format % 2 == 0);
	CS_AUTOFREE char *today = shape(then);
	CS_AUTOFREE char *become = shape(state);
	assert_string_equal(become, today);
}

/* ---- and all of it finishes ---------------------------------------------------------------------------------- */

static void decide_all(world *w)
{
	CS_AUTOJSON json_t *items = world_rows(w, "SELECT id, kind, digest FROM item WHERE (kind = 'in-doubt' AND state = 'open') OR (kind = 'approval' AND state = 'pending')");
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item) {
		bool doubt = strcmp(cs_json_str_or(item, "kind", ""), "in-doubt") == 0;
		json_t *d = doubt ? json_pack("{s:s, s:s, s:{}}", "verb", "resolve", "how", "happened", "value")
				  : json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str_or(item, "digest", ""));
		json_decref(world_decide(w, cs_json_str(item, "id"), d));
	}
}

static void do_to_all(world *w, const char *state, const char *verb)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM run WHERE state = '%s'", state);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		control(w, cs_json_str(row, "id"), verb);
}

static json_int_t open_runs(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT count(*) AS n FROM run WHERE state NOT IN ('completed', 'faulted', 'cancelled', 'compensated')");
	return cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

static void finish(world *w)
{
	do_to_all(w, "faulted", "retry");
	json_decref(world_ask(w, world_json("{'cmd':'emit','event':{'type':'go','source':'https://x.example','id':'1'}}")));
	for (int round = 0; open_runs(w) > 0; round++) {
		if (round == 20)
			fail_msg("%d runs do not end", (int)open_runs(w));
		atomic_fetch_add(&ahead, INT64_C(1860000));
		json_decref(world_ask(w, json_pack("{s:s}", "cmd", "status")));
		world_settle(w);
		decide_all(w);
		world_settle(w);
		do_to_all(w, "paused", "resume");
		do_to_all(w, "stuck", "waive");
		world_settle(w);
	}
}

static void each_earlier_format_opens_with_runs_in_every_state_and_finishes(void **state)
{
	(void)state;
	live *v = calloc(1, sizeof *v);
	begin(v);
	make_runs(v);
	CS_AUTOFREE char *then = copy_state(v);
	assert_int_equal(number(then, "SELECT count(DISTINCT state) AS n FROM run"), 12);
	assert_true(number(then, "SELECT count(*) AS n FROM attempt WHERE state = 'intent'") == 4);
	world_stop(&v->w);
	if (CS_STORE_VERSION > FORMATS + 1)
		fail_msg("the tables of format %d do not stand in formats.c", CS_STORE_VERSION - 1);
	for (int format = 1; format < CS_STORE_VERSION; format++) {
		world w;
		place(v, &w, then, format);
		world_start(&w);
		finish(&w);
		world_verify(&w);
		world_stop(&w);
		shell((const char *const[]){ "rm", "-rf", "--", w.dir, NULL });
	}
	world_free(&v->w);
	ledger_stop(&v->l);
	free(v);
}

static void a_newer_format_is_refused_and_left_as_it_is(void **state)
{
	(void)state;
	world w;
	cs_err err = { 0 };
	char before[CS_HEX_SIZE], after[CS_HEX_SIZE];
	CS_AUTOBUF cs_buf bytes;
	world_new(&w, NULL);
	world_start(&w);
	world_stop(&w);
	CS_AUTOFREE char *dir = cs_path_join(w.dir, CS_STATE_DIR);
	CS_AUTOFREE char *path = cs_path_join(dir, "capstan.db");
	CS_AUTOFREE char *both = cs_xasprintf("(format %d, this one knows %d)", CS_STORE_VERSION + 1, CS_STORE_VERSION);
	CS_AUTOFREE char *raise = cs_xasprintf("PRAGMA user_version=%d", CS_STORE_VERSION + 1);
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, raise, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	cs_buf_init(&bytes, (size_t)64 << 20);
	assert_int_equal(cs_file_read(path, &bytes, NULL), CS_OK);
	cs_hash_hex(bytes.data, bytes.len, before);

	cs_diags d;
	cs_diags_init(&d);
	cs_workspace *ws = NULL;
	assert_int_equal(cs_workspace_load(w.dir, false, &d, &ws, &err), CS_OK);
	cs_diags_fini(&d);
	assert_int_equal(cs_engine_start(ws, &w.opts, &w.engine, &err), CS_EUNAVAIL);      /* exit 5 */
	assert_non_null(strstr(err.msg, both));
	cs_reader *r = NULL;
	assert_int_not_equal(cs_reader_open(dir, &r, &err), CS_OK);
	assert_non_null(strstr(err.msg, both));
	cs_buf_reset(&bytes);
	assert_int_equal(cs_file_read(path, &bytes, NULL), CS_OK);
	cs_hash_hex(bytes.data, bytes.len, after);
	assert_string_equal(before, after);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_earlier_format_opens_with_runs_in_every_state_and_finishes),
		cmocka_unit_test(a_newer_format_is_refused_and_left_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
