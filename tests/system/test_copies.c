/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup that is restored an hour late, and a second clone of a workspace, both alive: nothing that
 * was sent is sent again, all that is uncertain is in the inbox, and once it is resolved by what the
 * outside knows, each effect has happened exactly once. */
#include "tests/system/live.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "engine/incarnation.h"
#include "engine/restore.h"

#define HOUR INT64_C(3600000)

static _Atomic int64_t ahead;            /* the engines' clock goes before the wall's by this */

static int64_t clock_now(void *ctx)
{
	(void)ctx;
	return cs_clock_wall_ms() + atomic_load(&ahead);
}

typedef struct copies {
	live v;                      /* the first workspace, and the outside */
	world second;                /* dir "": none */
	char *pending, *going;       /* runs: one at an approval, one that waits for a clock */
} copies;

/* ---- the first workspace ------------------------------------------------------------------------ */

static const char child[] = "document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }\ndo: [ { c: { call: shop.post, with: { n: 50 } } } ]\n";
static const char heard[] = "document: { dsl: '1.0.3', namespace: test, name: heard, version: '1.0.0' }\ndo: [ { h: { call: shop.post, with: { n: 60 } } } ]\n";
static const char tick[] = "document: { dsl: '1.0.3', namespace: test, name: tick, version: '1.0.0' }\n"
			   "schedule: { every: { minutes: 20 } }\ndo: [ { t: { call: shop.book, with: { n: 70 } } } ]\n";
#define WAIT "{'w':{'wait':{'minutes':30}}}"

static void begin(copies *c, bool clock)
{
	atomic_store(&ahead, 0);
	live_begin(&c->v, "live", "PT0S");
	world_stop(&c->v.w);
	c->v.w.opts.clock.now_ms = clock_now;
	world_file(&c->v.w, "capstan.yaml", "workspace: test\nmode: live\napprovals: { grace: PT0S }\nflows: { heard: { starts: [ { on: { type: go.on } } ] } }\n");
	world_file(&c->v.w, "policies/more.yaml", "policy: more\nrules:\n  - { name: lost, when: { call: shop.lost }, then: allow }\n");
	world_file(&c->v.w, "flows/child.yaml", child);
	world_file(&c->v.w, "flows/heard.yaml", heard);
	if (clock)
		world_file(&c->v.w, "flows/tick.yaml", tick);
	world_start(&c->v.w);
}

/* Runs in every state that matters: over, in doubt, at an approval, before a clock with effects behind it. */
static void fill(copies *c)
{
	live *v = &c->v;
	CS_AUTOFREE char *over = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':1}}}"), "{}");
	CS_AUTOFREE char *lost = live_run(v, FLOW("{'a':{'call':'shop.lost','with':{'n':2}}}"), "{}");
	json_decref(world_await(&v->w, over, "completed"));
	json_decref(world_await(&v->w, lost, "waiting"));
	c->pending = live_run(v, FLOW("{'g':{'call':'shop.put','with':{'to':'ann','text':'hi'}}},{'b':{'call':'shop.post','with':{'n':3}}}"), "{}");
	c->going = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':10}}}," WAIT ",{'b':{'call':'shop.post','with':{'n':11}}},"
				    "{'c':{'call':'shop.book','with':{'n':12}}},{'d':{'for':{'in':'${ [1,2] }'},'do':[{'e':{'call':'shop.post','with':{'n':'${ $item + 20 }'}}}]}},"
				    "{'s':{'run':{'workflow':{'namespace':'test','name':'child','version':'1.0.0'}}}},"
				    "{'m':{'emit':{'event':{'with':{'source':'https://test.example','type':'go.on'}}}}}"), "{}");
	json_decref(world_await(&v->w, c->pending, "waiting"));
	json_decref(world_await(&v->w, c->going, "waiting"));
	world_settle(&v->w);
	json_decref(live_sent(v, "/post/", 2));
}

static char *state_of(const world *w)
{
	return cs_path_join(w->dir, CS_STATE_DIR);
}

static void shell(const char *const *argv)
{
	cs_child_opts o = { .argv = argv };
	CS_AUTOBUF cs_buf out;
	cs_child_result r;
	cs_buf_init(&out, 65536);
	assert_int_equal(cs_child_run(&o, "", 0, &out, &out, cs_clock_mono_ns() + INT64_C(20000000000), NULL, &r, NULL), CS_OK);
}

/* A place for a second one, with the files that the operator keeps in git. */
static void second_place(copies *c)
{
	char dir[] = "/tmp/capstan-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	snprintf(c->second.dir, sizeof c->second.dir, "%s", dir);
	c->second.opts = c->v.w.opts;
	c->second.engine = NULL;
}

static void copy_files(copies *c)
{
	static const char *const names[] = { "capstan.yaml", "flows", "connectors", "policies" };
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		CS_AUTOFREE char *from = cs_path_join(c->v.w.dir, names[i]);
		shell((const char *const[]){ "cp", "-a", "--", from, c->second.dir, NULL });
	}
}

/* ---- what the operator does in the copy ----------------------------------------------------------- */

static json_t *open_items(world *w)
{
	return world_rows(w, "SELECT i.id, i.kind, i.digest, i.state, json_extract(e.data, '$.card.to') AS target FROM item i JOIN event e"
			     " ON e.seq = i.published_seq WHERE i.state IN ('open', 'pending') AND i.kind <> 'notice' ORDER BY i.published_seq");
}

/* "POST http://127.0.0.1:1234/post/3" is known to the outside. */
static bool happened(copies *c, const char *target)
{
	const char *path = strstr(target, "://");
	CS_AUTOJSON json_t *all = ledger_entries(&c->v.l);
	size_t i;
	json_t *entry;
	path = path != NULL ? strchr(path + 3, '/') : NULL;
	assert_non_null(path);
	json_array_foreach(all, i, entry)
		if (strcmp(cs_json_str_or(entry, "path", ""), path) == 0)
			return true;
	return false;
}

static bool answer(copies *c, world *w, const json_t *item)
{
	json_t *d;
	if (strcmp(cs_json_str_or(item, "kind", ""), "approval") == 0)
		d = json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str_or(item, "digest", ""));
	else if (strcmp(cs_json_str_or(item, "kind", ""), "in-doubt") != 0)
		return false;
	else if (happened(c, cs_json_str_or(item, "target", "")))
		d = json_pack("{s:s, s:s, s:{}}", "verb", "resolve", "how", "happened", "value");
	else
		d = json_pack("{s:s, s:s, s:s}", "verb", "resolve", "how", "repeat", "word", "repeat");
	json_decref(world_decide(w, cs_json_str(item, "id"), d));
	return true;
}

/* Until nothing waits; how many questions there were. */
static int resolve_all(copies *c, world *w)
{
	int n = 0;
	for (int round = 0; round < 100; round++) {
		world_settle(w);
		CS_AUTOJSON json_t *items = open_items(w);
		if (json_array_size(items) == 0)
			return n;
		if (answer(c, w, json_array_get(items, 0)))
			n++;
	}
	fail_msg("the inbox does not become empty");
	return 0;
}

static json_int_t number(world *w, const char *sql)
{
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

static void each_effect_happened_once(copies *c)
{
	static const char *const paths[] = { "/post/10", "/post/11", "/book/12", "/post/21", "/post/22", "/post/50", "/post/60", "/put/ann", "/post/3", "/close" };
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++)
		if (ledger_count(&c->v.l, paths[i]) != 1)
			fail_msg("%s happened %zu times", paths[i], ledger_count(&c->v.l, paths[i]));
}

static void ask(world *w, const char *cmd, bool on)
{
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", cmd, "on", (int)on)));
}

static void want_refused(world *w, const char *says)
{
	CS_AUTOJSON json_t *error = world_refused(w, json_pack("{s:s}", "cmd", "live"));
	assert_string_equal(cs_json_str(error, "code"), "refused");
	if (!strstr(cs_json_str(error, "message"), says))
		fail_msg("%s", cs_json_str(error, "message"));
}

/* Alive, and yet nothing leaves. */
static void want_silent(copies *c, world *w)
{
	CS_AUTOJSON json_t *before = ledger_entries(&c->v.l);
	world_settle(w);
	CS_AUTOJSON json_t *status = world_ask(w, json_pack("{s:s}", "cmd", "status"));
	assert_string_equal(cs_json_str(status, "mode"), "simulate");
	assert_true(cs_json_true(status, "hold"));
	CS_AUTOJSON json_t *after = ledger_entries(&c->v.l);
	assert_int_equal(json_array_size(before), json_array_size(after));
	assert_int_equal(number(w, "SELECT count(*) AS n FROM item WHERE kind = 'notice' AND state = 'open' AND title LIKE '%copy%'"), 1);
}

static void drop(copies *c)
{
	if (c->second.dir[0] != '\0') {
		world_stop(&c->second);
		shell((const char *const[]){ "rm", "-rf", "--", c->second.dir, NULL });
	}
	world_free(&c->v.w);
	ledger_stop(&c->v.l);
	free(c->pending);
	free(c->going);
	free(c);
}

/* ---- the tests ---------------------------------------------------------------------------------------- */

static void restore_late(copies *c, const char *backup)
{
	cs_restored r;
	cs_err err = { 0 };
	second_place(c);
	copy_files(c);
	if (cs_restore(backup, c->second.dir, NULL, "operator:tester", (cs_backup_ear){ 0 }, &r, &err) != CS_OK)
		fail_msg("%s", err.msg);
	assert_int_equal(r.incarnation, 1);
	world_start(&c->second);
}

static void test_a_backup_restored_an_hour_late_repeats_nothing(void **state)
{
	(void)state;
	copies *c = calloc(1, sizeof *c);
	cs_backup made;
	cs_err err = { 0 };
	begin(c, true);
	fill(c);
	/* One is under way as the backup is made: its intent is open there. */
	CS_AUTOFREE char *slow = live_run(&c->v, FLOW("{'a':{'call':'shop.slow','with':{'n':4}}}"), "{}");
	CS_AUTOFREE char *state_dir = state_of(&c->v.w);
	CS_AUTOFREE char *file = cs_path_join(c->v.w.dir, "backup");
	assert_true(number(&c->v.w, "SELECT count(*) AS n FROM attempt WHERE state = 'intent'") == 1);
	if (cs_backup_write(state_dir, file, true, (cs_backup_ear){ 0 }, &made, &err) != CS_OK)
		fail_msg("%s", err.msg);
	/* It goes on for an hour, and does everything. */
	atomic_store(&ahead, HOUR);
	json_decref(world_await(&c->v.w, slow, "completed"));
	resolve_all(c, &c->v.w);
	json_decref(world_await(&c->v.w, c->going, "completed"));
	json_decref(world_await(&c->v.w, c->pending, "completed"));
	each_effect_happened_once(c);
	size_t ticks = ledger_count(&c->v.l, "/book/70");
	assert_true(ticks >= 1);
	/* While it stands there and is live, no copy of it is. */
	restore_late(c, file);
	want_silent(c, &c->second);
	want_refused(&c->second, "is live, and this is a copy of it");
	world_stop(&c->v.w);
	CS_AUTOFREE char *gone = cs_xasprintf("%s.gone", state_dir);
	assert_int_equal(rename(state_dir, gone), 0);
	ask(&c->second, "live", true);
	ask(&c->second, "hold", false);
	assert_int_equal(number(&c->second, "SELECT count(*) AS n FROM item WHERE state = 'open' AND title LIKE '%test/tick was due%'"), 1);
	/* The open intent, the old doubt, and all that it would have sent since. */
	assert_int_equal(resolve_all(c, &c->second), 11);
	json_decref(world_await(&c->second, c->going, "completed"));
	json_decref(world_await(&c->second, c->pending, "completed"));
	assert_int_equal(number(&c->second, "SELECT count(*) AS n FROM run WHERE ended IS NULL"), 0);
	each_effect_happened_once(c);
	assert_int_equal(ledger_count(&c->v.l, "/delay/"), 1);
	assert_int_equal(ledger_count(&c->v.l, "/book/70"), ticks);
	world_verify(&c->second);
	/* What begins from here on is its own. */
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'a':{'call':'shop.post','with':{'n':99}}}"));
	CS_AUTOFREE char *fresh = world_run(&c->second, NULL, doc, NULL);
	json_decref(world_await(&c->second, fresh, "completed"));
	assert_int_equal(ledger_count(&c->v.l, "/post/99"), 1);
	drop(c);
}

/* The same as it is, by cp -a: the first goes on where it is, the other rests. */
static void test_a_second_clone_with_both_alive_repeats_nothing(void **state)
{
	(void)state;
	copies *c = calloc(1, sizeof *c);
	begin(c, false);
	fill(c);
	world_stop(&c->v.w);
	second_place(c);
	CS_AUTOFREE char *all = cs_xasprintf("%s/.", c->v.w.dir);
	shell((const char *const[]){ "cp", "-a", "--", all, c->second.dir, NULL });
	world_start(&c->v.w);
	world_start(&c->second);
	want_silent(c, &c->second);
	assert_int_equal(number(&c->v.w, "SELECT count(*) AS n FROM event WHERE type = 'engine.incarnation'"), 0);
	want_refused(&c->second, "is live, and this is a copy of it");
	/* The first does a part of it: the approval; then the other is made the live one. */
	CS_AUTOJSON json_t *items = world_rows(&c->v.w, "SELECT id, kind, digest FROM item WHERE kind = 'approval' AND state = 'pending'");
	assert_true(answer(c, &c->v.w, json_array_get(items, 0)));
	json_decref(world_await(&c->v.w, c->pending, "completed"));
	ask(&c->v.w, "live", false);
	ask(&c->v.w, "hold", false);             /* not live, that alone keeps what is real here */
	ask(&c->second, "live", true);
	ask(&c->second, "hold", false);
	/* Both are alive as the clock comes; what began while the first was live does not go on there. */
	atomic_store(&ahead, HOUR);
	json_decref(world_ask(&c->v.w, json_pack("{s:s}", "cmd", "status")));
	json_decref(world_ask(&c->second, json_pack("{s:s}", "cmd", "status")));
	world_settle(&c->v.w);
	assert_int_equal(ledger_count(&c->v.l, "/post/11"), 0);
	resolve_all(c, &c->second);
	json_decref(world_await(&c->second, c->going, "completed"));
	json_decref(world_await(&c->second, c->pending, "completed"));
	world_settle(&c->v.w);
	each_effect_happened_once(c);
	json_decref(world_await(&c->v.w, c->going, "waiting running"));
	/* And back again: now the first is the one that cannot know. */
	want_refused(&c->v.w, "start the engine again");
	ask(&c->second, "live", false);
	ask(&c->v.w, "hold", true);
	world_stop(&c->v.w);
	world_start(&c->v.w);
	want_silent(c, &c->v.w);
	ask(&c->v.w, "live", true);
	ask(&c->v.w, "hold", false);
	assert_true(resolve_all(c, &c->v.w) >= 7);
	json_decref(world_await(&c->v.w, c->going, "completed"));
	each_effect_happened_once(c);
	world_verify(&c->v.w);
	world_verify(&c->second);
	drop(c);
}

static void test_moving_the_folder_makes_no_copy_and_a_copy_of_a_copy_is_the_next(void **state)
{
	(void)state;
	copies *c = calloc(1, sizeof *c);
	begin(c, false);
	world_stop(&c->v.w);
	CS_AUTOFREE char *first = cs_xstrdup(c->v.w.dir);
	CS_AUTOFREE char *moved = cs_xasprintf("%s-m", first);
	assert_int_equal(rename(first, moved), 0);
	snprintf(c->v.w.dir, sizeof c->v.w.dir, "%s", moved);
	world_start(&c->v.w);
	CS_AUTOJSON json_t *status = world_ask(&c->v.w, json_pack("{s:s}", "cmd", "status"));
	assert_string_equal(cs_json_str(status, "mode"), "live");
	world_stop(&c->v.w);
	for (int n = 1; n <= 2; n++) {
		second_place(c);
		CS_AUTOFREE char *all = cs_xasprintf("%s/.", c->v.w.dir);
		shell((const char *const[]){ "cp", "-a", "--", all, c->second.dir, NULL });
		world_start(&c->second);
		assert_int_equal(number(&c->second, "SELECT CAST(value AS INTEGER) AS n FROM setting WHERE name = 'incarnation'"), n);
		world_stop(&c->second);
		world_start(&c->second);             /* the same one again is no other */
		assert_int_equal(number(&c->second, "SELECT count(*) AS n FROM event WHERE type = 'engine.incarnation'"), n);
		world_stop(&c->second);
		shell((const char *const[]){ "rm", "-rf", "--", c->v.w.dir, NULL });
		snprintf(c->v.w.dir, sizeof c->v.w.dir, "%s", c->second.dir);
		c->second.dir[0] = '\0';
	}
	drop(c);
}

static void copy_over(const char *from, const char *to)
{
	CS_AUTOFREE char *all = cs_xasprintf("%s/.", from);
	shell((const char *const[]){ "cp", "-a", "--", all, to, NULL });
}

/* The same files, overwritten where they lie: number and time of birth are those of before. */
static void test_an_older_state_put_back_over_itself_repeats_nothing(void **state)
{
	(void)state;
	copies *c = calloc(1, sizeof *c);
	char before[CS_HEX_SIZE], after[CS_HEX_SIZE];
	begin(c, false);
	fill(c);
	world_stop(&c->v.w);
	CS_AUTOFREE char *state_dir = state_of(&c->v.w);
	CS_AUTOFREE char *kept = cs_path_join(c->v.w.dir, "kept");
	assert_int_equal(mkdir(kept, 0700), 0);
	copy_over(state_dir, kept);
	assert_int_equal(cs_incarnation_place(state_dir, before, NULL), CS_OK);
	/* As it was, over itself, with nothing done in between: that is no older one. */
	copy_over(kept, state_dir);
	world_start(&c->v.w);
	assert_int_equal(number(&c->v.w, "SELECT count(*) AS n FROM event WHERE type = 'engine.incarnation'"), 0);
	/* It goes on for an hour, and does everything. */
	atomic_store(&ahead, HOUR);
	resolve_all(c, &c->v.w);
	json_decref(world_await(&c->v.w, c->going, "completed"));
	json_decref(world_await(&c->v.w, c->pending, "completed"));
	each_effect_happened_once(c);
	for (int n = 1; n <= 2; n++) {
		world_stop(&c->v.w);
		copy_over(kept, state_dir);
		assert_int_equal(cs_incarnation_place(state_dir, after, NULL), CS_OK);
		assert_string_equal(before, after);
		world_start(&c->v.w);
		assert_int_equal(number(&c->v.w, "SELECT count(*) AS n FROM event WHERE type = 'engine.incarnation'"), 1);
		CS_AUTOJSON json_t *status = world_ask(&c->v.w, json_pack("{s:s}", "cmd", "status"));
		assert_string_equal(cs_json_str(status, "mode"), "simulate");
		assert_true(cs_json_true(status, "hold"));
		assert_int_equal(number(&c->v.w, "SELECT count(*) AS n FROM item WHERE kind = 'notice' AND state = 'open' AND title LIKE '%put back over%'"), 1);
		ask(&c->v.w, "live", true);
		ask(&c->v.w, "hold", false);
		assert_true(resolve_all(c, &c->v.w) >= 9);
		json_decref(world_await(&c->v.w, c->going, "completed"));
		json_decref(world_await(&c->v.w, c->pending, "completed"));
		each_effect_happened_once(c);
		world_verify(&c->v.w);
		/* Known once: the same one again is no other. */
		world_stop(&c->v.w);
		world_start(&c->v.w);
		assert_int_equal(number(&c->v.w, "SELECT count(*) AS n FROM event WHERE type = 'engine.incarnation'"), 1);
	}
	drop(c);
}

/* No folder, none that can be written, a file that is not ours: it starts, and sends. */
static void test_without_a_place_to_note_it_everything_goes_on(void **state)
{
	(void)state;
	CS_AUTOFREE char *was = getenv("XDG_STATE_HOME") != NULL ? cs_xstrdup(getenv("XDG_STATE_HOME")) : NULL;
	copies *c = calloc(1, sizeof *c);
	begin(c, false);
	world_stop(&c->v.w);
	CS_AUTOFREE char *file = cs_path_join(c->v.w.dir, "capstan.yaml");
	CS_AUTOFREE char *fresh = cs_path_join(c->v.w.dir, "home");
	const char *const homes[] = { file, "/proc/none", fresh };
	for (size_t i = 0; i < CS_ARRAY_LEN(homes); i++) {
		setenv("XDG_STATE_HOME", homes[i], 1);
		world_start(&c->v.w);
		CS_AUTOFREE char *run = live_run(&c->v, FLOW("{'a':{'call':'shop.post','with':{'n':77}}}"), "{}");
		json_decref(world_await(&c->v.w, run, "completed"));
		world_stop(&c->v.w);
	}
	assert_int_equal(ledger_count(&c->v.l, "/post/77"), CS_ARRAY_LEN(homes));
	CS_AUTOFREE char *noted = cs_path_join(fresh, "capstan");
	struct stat st;
	assert_int_equal(stat(noted, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	char **names = NULL;
	assert_int_equal(cs_dir_list(noted, "", &names, NULL), CS_OK);
	assert_non_null(names[0]);
	assert_null(names[1]);
	CS_AUTOFREE char *one = cs_path_join(noted, names[0]);
	assert_int_equal(stat(one, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	static const char *const bad[] = { "", "\n", "capstan-seen 1 ", "capstan-seen 1 999999999999999999999999 00\n", "capstan-seen 1 9999999 00\n", "capstan-seen 1 -5 x\n" };
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		assert_int_equal(cs_file_write(one, bad[i], strlen(bad[i]), 0600, NULL), CS_OK);
		world_start(&c->v.w);
		assert_int_equal(number(&c->v.w, "SELECT count(*) AS n FROM event WHERE type = 'engine.incarnation'"), 0);
		world_stop(&c->v.w);
	}
	cs_strv_freep(&names);
	if (was != NULL)
		setenv("XDG_STATE_HOME", was, 1);
	else
		unsetenv("XDG_STATE_HOME");
	drop(c);
}

static void say_live(cs_store *s, const char *machine, const char *place)
{
	CS_AUTOJSON json_t *data = json_pack("{s:b, s:s}", "on", 1, "machine", machine);
	if (place != NULL)
		json_object_set_new(data, "place", json_string(place));
	cs_event ev = { .at = 1, .type = "engine.live", .actor = "operator:x", .data = data };
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	assert_int_equal(cs_store_append(s, &ev, NULL), CS_OK);
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
}

static bool is_copy(cs_store *s, const char *place)
{
	bool copy = false;
	assert_int_equal(cs_incarnation_is_copy(s, place, &copy, NULL), CS_OK);
	return copy;
}

static void test_another_machine_or_another_place_is_a_copy(void **state)
{
	(void)state;
	char dir[] = "/tmp/capstan-test-XXXXXX", machine[CS_HEX_SIZE], place[CS_HEX_SIZE];
	cs_store *s = NULL;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(cs_store_open(dir, true, &s, NULL), CS_OK);
	cs_engine_machine(machine);
	assert_int_equal(cs_incarnation_place(dir, place, NULL), CS_OK);
	assert_false(is_copy(s, place));           /* never live: a copy does no harm */
	say_live(s, machine, NULL);
	assert_false(is_copy(s, place));           /* as an earlier release said it */
	say_live(s, "another", NULL);
	assert_true(is_copy(s, place));
	say_live(s, machine, place);
	assert_false(is_copy(s, place));
	say_live(s, machine, "elsewhere");
	assert_true(is_copy(s, place));
	cs_store_close(s);
	shell((const char *const[]){ "rm", "-rf", "--", dir, NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_backup_restored_an_hour_late_repeats_nothing),
		cmocka_unit_test(test_a_second_clone_with_both_alive_repeats_nothing),
		cmocka_unit_test(test_an_older_state_put_back_over_itself_repeats_nothing),
		cmocka_unit_test(test_without_a_place_to_note_it_everything_goes_on),
		cmocka_unit_test(test_moving_the_folder_makes_no_copy_and_a_copy_of_a_copy_is_the_next),
		cmocka_unit_test(test_another_machine_or_another_place_is_a_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
