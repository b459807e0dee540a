/* SPDX-License-Identifier: GPL-3.0-or-later */
/* I17: after the disk has refused a write or a sync nothing leaves this engine, every request is
 * refused, the inbox says so once, and the next engine finds all that was acknowledged. */
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"
#include "store/reader.h"
#include "tests/support/bad_disk.h"
#include "tests/support/acts.h"

#define MAIL "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':[{'m':{'call':'mail.send','with':{'to':'x'}}}]}"

enum { RUNS_MOST = 40 };

/* Whom the performer was asked to send to, by key. On the coordinator's thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static json_t *sent;
static int doubled;

static int sent_count(void)
{
	pthread_mutex_lock(&lock);
	int n = (int)json_object_size(sent);
	pthread_mutex_unlock(&lock);
	return n;
}

static int send_it(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self, (void)err;
	if (e->gate == NULL || !e->gate(e->gate_ctx)) {
		done(ctx, cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_COMMUNICATION, 0, NULL, "%s", "held"));
		return CS_OK;
	}
	pthread_mutex_lock(&lock);
	doubled += json_object_get(sent, e->key) != NULL;
	json_object_set_new(sent, e->key, json_true());
	pthread_mutex_unlock(&lock);
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_object();
	done(ctx, o);
	return CS_OK;
}

static void set_up(world *w)
{
	world_new(w, "workspace: test\nmode: live\napprovals: { grace: PT0S }\n");
	world_mail(w, send_it);
	sent = json_object();
	doubled = 0;
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "live")));
}

static void tear_down(world *w)
{
	json_decref(sent);
	world_free(w);
}

static json_t *run_mail(world *w)
{
	return world_try(w, json_pack("{s:s, s:o, s:s}", "cmd", "run", "definition", world_json(MAIL), "flow", "test/t"));
}

/* Runs until one is refused; those that were acknowledged, as an array of ids. */
static json_t *run_until_refused(world *w)
{
	json_t *taken = json_array();
	for (int i = 0; i < RUNS_MOST; i++) {
		CS_AUTOJSON json_t *reply = run_mail(w);
		const char *id = cs_json_str(json_object_get(reply, "ok"), "run");
		if (id == NULL) {
			assert_string_equal(cs_json_str_or(json_object_get(reply, "error"), "code", ""), "unavailable");
			break;
		}
		json_array_append_new(taken, json_string(id));
	}
	return taken;
}

static int count_open(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM item WHERE kind = 'disk' AND state = 'open'");
	return (int)json_array_size(rows);
}

static void want_refused(world *w)
{
	char why[768];
	cs_engine_failure(w->engine, why, sizeof why);
	assert_true(why[0] != '\0');
	int before = sent_count();
	for (int i = 0; i < 3; i++) {
		CS_AUTOJSON json_t *error = world_refused(w, json_pack("{s:s}", "cmd", "status"));
		assert_string_equal(cs_json_str_or(error, "code", ""), "unavailable");
		CS_AUTOJSON json_t *reply = run_mail(w);
		assert_non_null(json_object_get(reply, "error"));
	}
	assert_int_equal(sent_count(), before);
}

static void want_all(world *w, const json_t *taken)
{
	size_t i;
	json_t *id;
	json_array_foreach(taken, i, id) {
		CS_AUTOJSON json_t *row = world_await(w, json_string_value(id), "completed waiting");
		if (strcmp(cs_json_str_or(row, "state", ""), "waiting") != 0)
			continue;
		CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM item WHERE run = '%s' AND kind = 'in-doubt' AND state = 'open'", json_string_value(id));
		CS_AUTOJSON json_t *rows = world_rows(w, sql);
		assert_int_equal(json_array_size(rows), 1);
	}
}

static void try_one(bad_disk_way way, int nth, int more)
{
	world w;
	set_up(&w);
	bad_disk_fail(way, nth, more);
	CS_AUTOJSON json_t *taken = run_until_refused(&w);
	bool hit = bad_disk_hit();
	/* It may have failed after the last reply. */
	for (int i = 0; hit && i < 5000; i++) {
		char why[768];
		cs_engine_failure(w.engine, why, sizeof why);
		if (why[0] != '\0')
			break;
		usleep(1000);
	}
	if (hit)
		want_refused(&w);
	bad_disk_mend();
	int told = hit ? count_open(&w) : 0;
	if (hit && more == 0)
		assert_int_equal(told, 1);
	world_stop(&w);
	world_start(&w);
	world_verify(&w);
	want_all(&w, taken);
	assert_int_equal(count_open(&w), told);
	assert_int_equal(doubled, 0);
	world_verify(&w);
	if (!hit)
		fail_msg("way %d: the call %d never came", (int)way, nth);
	tear_down(&w);
}

static void i17_nothing_leaves_after_a_refused_write_and_nothing_is_lost(void **state)
{
	static const int nth[] = { 1, 2, 5, 14, 40, 111 };
	(void)state;
	for (int way = BAD_DISK_FULL; way <= BAD_DISK_SHORT; way++)
		for (size_t i = 0; i < CS_ARRAY_LEN(nth); i++)
			try_one((bad_disk_way)way, nth[i], i % 2 == 0 ? 0 : INT_MAX);
}

static void i17_nothing_leaves_after_a_failed_sync_and_nothing_is_lost(void **state)
{
	(void)state;
	for (int nth = 1; nth <= 7; nth++)
		try_one(BAD_DISK_SYNC, nth, nth % 2 == 0 ? INT_MAX : 0);
}

static void the_disk_is_one_item_however_often_it_fails(void **state)
{
	world w;
	struct stat st;
	(void)state;
	set_up(&w);
	CS_AUTOFREE char *reserve = cs_xasprintf("%s/%s/reserve", w.dir, CS_STATE_DIR);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(stat(reserve, &st), 0);
		assert_int_equal(st.st_size, 4 << 20);
		assert_true(st.st_blocks * 512 >= st.st_size);
		bad_disk_fail(BAD_DISK_FULL, 1, 0);
		CS_AUTOJSON json_t *taken = run_until_refused(&w);
		assert_int_equal(json_array_size(taken), 0);
		assert_int_equal(count_open(&w), 1);
		assert_int_equal(stat(reserve, &st), -1);    /* let go */
		world_stop(&w);
		world_start(&w);
	}
	CS_AUTOJSON json_t *rows = world_rows(&w, "SELECT id, title FROM item WHERE kind = 'disk'");
	assert_int_equal(json_array_size(rows), 1);
	const json_t *row = json_array_get(rows, 0);
	assert_non_null(strstr(cs_json_str_or(row, "title", ""), "the disk is full"));
	CS_AUTOFREE char *id = cs_xstrdup(cs_json_str_or(row, "id", ""));
	json_decref(world_decide(&w, id, json_pack("{s:s}", "verb", "dismiss")));
	assert_int_equal(count_open(&w), 0);
	tear_down(&w);
}

static long wal_size(world *w)
{
	struct stat st;
	CS_AUTOFREE char *path = cs_xasprintf("%s/%s/capstan.db-wal", w->dir, CS_STATE_DIR);
	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* What a failed sync left is not trusted: it may lie in memory alone, and later syncs do not say so. */
static void the_next_engine_writes_once_more_what_came_last(void **state)
{
	world w;
	(void)state;
	set_up(&w);
	for (int i = 0; i < 20; i++) {
		CS_AUTOJSON json_t *reply = run_mail(&w);
		assert_non_null(json_object_get(reply, "ok"));
	}
	bad_disk_fail(BAD_DISK_SYNC, 1, INT_MAX);
	CS_AUTOJSON json_t *taken = run_until_refused(&w);
	assert_int_equal(json_array_size(taken), 0);
	world_stop(&w);
	long left = wal_size(&w);
	assert_true(left > 100000);
	bad_disk_mend();
	world_start(&w);
	world_verify(&w);
	assert_true(wal_size(&w) < left);    /* begun anew, not gone on with */
	tear_down(&w);
}

int main(void)
{
	bad_disk_install();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i17_nothing_leaves_after_a_refused_write_and_nothing_is_lost),
		cmocka_unit_test(i17_nothing_leaves_after_a_failed_sync_and_nothing_is_lost),
		cmocka_unit_test(the_next_engine_writes_once_more_what_came_last),
		cmocka_unit_test(the_disk_is_one_item_however_often_it_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
