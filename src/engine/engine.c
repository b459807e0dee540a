/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's life: lease, store, key, recovery, thread, and the way back down. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/leash.h"
#include "engine/outlets.h"
#include "engine/schedule.h"
#include "engine/seen.h"
#include "engine/starters.h"
#include "store/anchor.h"
#include "store/backup.h"
#include "store/segment.h"

/* The workspace's own secret: what keys are made with. Made by init; made here where it is missing. */
static int load_key(cs_engine *e, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(e->state_dir, "key");
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, 4096);
	if (!cs_file_exists(path)) {
		if (cs_store_last_seq(e->store) > 0)
			return cs_err_set(err, CS_EUNAVAIL, "%s is gone, and the log of this workspace was written with it; restore it from a backup", path);
		cs_random_bytes(e->key, sizeof e->key);
		int made = cs_file_write(path, e->key, sizeof e->key, 0600, err);
		return made == CS_OK ? cs_store_take_key(e->store, err) : made;
	}
	int rc = cs_file_read(path, &bytes, err);
	if (rc != CS_OK)
		return rc;
	if (bytes.len != sizeof e->key)
		return cs_err_set(err, CS_EINVAL, "%s holds %zu bytes, not %zu: it is damaged; restore it from a backup", path, bytes.len, sizeof e->key);
	memcpy(e->key, bytes.data, sizeof e->key);
	return CS_OK;
}

/* A digest of the machine's own id: a copied state folder is not live elsewhere. */
void cs_engine_machine(char out[CS_HEX_SIZE])
{
	CS_AUTOBUF cs_buf id;
	cs_buf_init(&id, 4096);
	char host[256] = "";
	if (cs_file_read("/etc/machine-id", &id, NULL) != CS_OK || id.len == 0) {
		(void)gethostname(host, sizeof host - 1);
		(void)cs_buf_adds(&id, host);
	}
	cs_hash_hex(cs_buf_str(&id), id.len, out);
}

/* The files that whoever has the lease writes, and nobody else. */
static bool is_of_state(const char *base)
{
	static const char *const names[] = { CS_ANCHOR_FILE, CS_KEY_FILE, CS_PUBLIC_FILE };
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++)
		if (strcmp(base, names[i]) == 0)
			return true;
	return false;
}

/* "1-20000.zst" */
static bool is_segment(const char *base)
{
	size_t first = strspn(base, "0123456789");
	size_t last = base[first] == '-' ? strspn(base + first + 1, "0123456789") : 0;
	return first > 0 && last > 0 && strcmp(base + first + 1 + last, ".zst") == 0;
}

/* What a process that was killed had begun to write, and nobody goes on with. */
static void sweep(const cs_engine *e)
{
	CS_AUTOFREE char *archive = cs_path_join(e->state_dir, CS_ARCHIVE_DIR);
	cs_file_sweep(e->state_dir, is_of_state);
	cs_file_sweep(archive, is_segment);
	cs_backup_sweep(e->state_dir);
}

static int open_files(cs_engine *e, cs_err *err)
{
	int rc = cs_mkdir_p(e->state_dir, 0700, err);
	if (rc == CS_OK)
		rc = cs_lease_take(e->state_dir, &e->lease, err);
	if (rc == CS_OK)
		sweep(e);
	if (rc == CS_OK)
		rc = cs_store_open(e->state_dir, true, &e->store, err);
	if (rc == CS_OK)
		rc = load_key(e, err);
	if (rc == CS_OK)
		rc = cs_store_claim_epoch(e->store, &e->epoch, err);
	if (rc == CS_OK)
		rc = cs_disk_reserve(e, err);
	if (rc == CS_OK)
		rc = cs_reader_open(e->state_dir, &e->reader, err);
	return rc;
}

static int open_rules(cs_engine *e, cs_err *err)
{
	int rc = cs_policy_new(e->ws->policies, &e->policy, err);
	if (rc == CS_OK && e->opts.fixtures.load != NULL)
		rc = e->opts.fixtures.load(e->opts.fixtures.ctx, e->ws->fixtures, err);
	return rc;
}

/* Whatever is wrong with the files of the state: the engine cannot be had here. */
static int unavailable(int rc, cs_err *err)
{
	if (rc == CS_OK)
		return rc;
	if (err != NULL)
		err->code = CS_EUNAVAIL;
	return CS_EUNAVAIL;
}

/* Everything that a crash left open is ended in one group, before anything else is taken. */
static int recover(cs_engine *e, cs_err *err)
{
	cs_env_init(e);
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT at FROM event ORDER BY seq DESC LIMIT 1", NULL, &rows, err);
	int64_t last = cs_json_int_or(json_array_get(rows, 0), "at", 0);
	if (rc == CS_OK)
		rc = cs_clock_start(e, last, err);
	e->step.now = cs_engine_now(e);
	if (rc == CS_OK)
		rc = cs_outlets_recover(e, err);
	if (rc == CS_OK)
		rc = cs_store_begin(e->store, err);
	if (rc != CS_OK)
		return rc;
	if (last > e->step.now)
		e->step.now = last;
	CS_AUTOJSON json_t *data = json_pack("{s:I, s:s}", "epoch", (json_int_t)e->epoch, "version", e->opts.version);
	rc = cs_incarnation_start(e, last, err);
	if (rc == CS_OK)
		rc = cs_runs_recover(e, err);
	if (rc == CS_OK)
		rc = cs_starters_recover(e, err);
	if (rc == CS_OK)
		rc = cs_runs_crash(e, err);
	json_t *clock = cs_clock_note(e);
	if (clock != NULL)
		json_object_set_new(data, "clock", clock);
	json_object_set_new(data, "recovered", json_integer((json_int_t)(e->n_runs + e->n_parked)));
	cs_event ev = { .at = e->step.now, .type = "engine.started", .actor = "engine", .data = data };
	if (rc == CS_OK)
		rc = cs_engine_append(e, &ev, err);
	if (rc == CS_OK)
		rc = cs_schedules_recover(e, err);
	if (rc != CS_OK) {
		cs_store_rollback(e->store);
		return rc;
	}
	rc = cs_store_commit(e->store, err);
	e->recovered = rc == CS_OK;
	cs_seen_note(e);
	return rc;
}

static int recover_or_tell(cs_engine *e, cs_err *err)
{
	cs_err why = { 0 };
	int rc = recover(e, &why);
	if (rc == CS_OK)
		return rc;
	cs_disk_failed(e, &why);
	if (err != NULL)
		*err = why;
	return rc;
}

static int open_or_tell(cs_engine *e, cs_err *err)
{
	cs_err why = { 0 };
	int rc = open_files(e, &why);
	if (rc == CS_OK)
		return rc;
	cs_env_init(e);
	cs_disk_failed(e, &why);
	if (err != NULL)
		*err = why;
	return rc;
}

static int start_thread(cs_engine *e, cs_err *err)
{
	sigset_t all, old;
	pthread_attr_t attr;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);        /* signals are the main thread's business */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)2 << 20);
	int rc = pthread_create(&e->thread, &attr, cs_engine_loop, e);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? CS_OK : cs_err_sys(err, rc, "starting the coordinator's thread");
}

/* The files: what another engine waits for. */
static void let_go(cs_engine *e)
{
	if (e->store != NULL)
		cs_seen_note(e);
	cs_reader_close(CS_STEAL(e->reader));
	cs_store_close(CS_STEAL(e->store));
	cs_lease_release(CS_STEAL(e->lease));
}

static void engine_free(cs_engine *e)
{
	if (e == NULL)
		return;
	let_go(e);
	cs_runs_free(e);
	cs_schedules_free(e);
	cs_starters_free(e);
	cs_outlets_free(e);
	cs_bundles_free(e->bundles);
	cs_policy_free(e->policy);
	cs_vault_free(e->vault);
	cs_queue_free(e->mailbox);
	cs_leashes_free(e);
	cs_door_unref(e->door);
	cs_watch_stop(e->watch);
	cs_retired_free(e);
	cs_workspace_free(e->ws);
	json_decref(e->group_keys);
	json_decref(e->group_events);
	for (size_t i = 0; i < e->n_todos; i++) {       /* of a group that could not be committed */
		json_decref(e->todos[i].dot);
		json_decref(e->todos[i].vars);
	}
	free(e->todos);
	free(e->replies);
	free(e->dir);
	free(e->state_dir);
	free(e->seen);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static void engine_freep(cs_engine **e)
{
	engine_free(*e);
}

int cs_engine_open(cs_workspace *ws, const cs_engine_opts *opts, cs_engine **ret, cs_err *err)
{
	cs_mem_strict();
	CS_CLEANUP(engine_freep) cs_engine *e = cs_xcalloc(1, sizeof *e);
	e->ws = ws;
	e->opts = *opts;
	e->dir = cs_xstrdup(ws->dir);
	e->state_dir = opts->state_dir != NULL ? cs_xstrdup(opts->state_dir) : cs_path_join(ws->dir, CS_STATE_DIR);
	e->mailbox = cs_queue_new(ws->mailbox > 0 ? ws->mailbox : 10000);
	e->door = cs_door_new(e);
	e->vault = cs_vault_new(e->state_dir);
	e->group_keys = json_object();
	e->group_events = json_object();
	pthread_mutex_init(&e->lock, NULL);
	int rc = unavailable(open_or_tell(e, err), err);
	if (rc == CS_OK)
		rc = open_rules(e, err);
	if (rc == CS_OK)
		rc = unavailable(cs_secrets_start(e, err), err);
	if (rc == CS_OK)
		rc = unavailable(recover_or_tell(e, err), err);
	if (rc == CS_OK)
		rc = unavailable(cs_reload_watch(e, err), err);
	if (rc == CS_OK)
		*ret = CS_STEAL(e);
	return rc;
}

int cs_engine_start(cs_workspace *ws, const cs_engine_opts *opts, cs_engine **ret, cs_err *err)
{
	CS_CLEANUP(engine_freep) cs_engine *e = NULL;
	int rc = cs_engine_open(ws, opts, &e, err);
	if (rc == CS_OK)
		rc = start_thread(e, err);
	if (rc != CS_OK)
		return rc;
	rc = unavailable(cs_server_start(e, e->state_dir, &e->server, err), err);
	if (rc != CS_OK) {
		cs_engine_stop(CS_STEAL(e), 0);
		return rc;
	}
	*ret = CS_STEAL(e);
	return CS_OK;
}

void cs_engine_stop(cs_engine *e, int64_t grace_ms)
{
	if (e == NULL)
		return;
	cs_server_stop(e->server);
	e->server = NULL;
	cs_watch_stop(CS_STEAL(e->watch));
	atomic_store(&e->closing, true);
	cs_message *m = cs_xcalloc(1, sizeof *m);
	m->kind = CS_MESSAGE_STOP;
	m->task = grace_ms > 0 ? (int)grace_ms : -1;
	(void)cs_engine_post(e, m);
	pthread_join(e->thread, NULL);
	cs_engine_drop(e);
}

void cs_engine_drop(cs_engine *e)
{
	if (e == NULL)
		return;
	cs_queue_close(e->mailbox);
	cs_door_close(e->door);
	/* An expression ends within its time; its child may not be taken from under it. */
	bool alone = cs_workers_stop(e->evaluators, cs_clock_mono_ns() + INT64_C(3000000000));
	if (alone)
		cs_jq_pool_free(CS_STEAL(e->jq));
	if (!cs_workers_stop(e->loader, cs_clock_mono_ns() + INT64_C(2000000000)))
		alone = false;
	if (!cs_workers_stop(e->agents, cs_clock_mono_ns() + INT64_C(2000000000)))
		alone = false;
	cs_message *left[64];
	for (size_t n; (n = cs_queue_take(e->mailbox, (void **)left, 64, 0)) > 0;)
		for (size_t i = 0; i < n; i++)
			cs_message_free(left[i]);
	if (alone)
		engine_free(e);
	else
		let_go(e);           /* the rest stays for a thread that is still busy with it */
}

int cs_engine_send(cs_engine *e, json_t *request, cs_reply_fn *done, void *ctx, cs_err *err)
{
	cs_message *m = cs_xcalloc(1, sizeof *m);
	m->kind = CS_MESSAGE_REQUEST;
	m->request = request;
	m->done = done;
	m->ctx = ctx;
	if (cs_engine_post(e, m) == CS_OK)
		return CS_OK;
	return cs_err_set(err, CS_EUNAVAIL, "the engine has stopped; start it again");
}

int cs_engine_watch(cs_engine *e, cs_feed_fn *fn, void *ctx)
{
	int handle = -1;
	pthread_mutex_lock(&e->lock);
	for (int i = 0; i < CS_WATCHERS && handle < 0; i++)
		if (e->watchers[i].fn == NULL) {
			e->watchers[i].fn = fn;
			e->watchers[i].ctx = ctx;
			handle = i;
		}
	pthread_mutex_unlock(&e->lock);
	return handle;
}

void cs_engine_unwatch(cs_engine *e, int handle)
{
	if (handle < 0 || handle >= CS_WATCHERS)
		return;
	pthread_mutex_lock(&e->lock);
	e->watchers[handle].fn = NULL;
	pthread_mutex_unlock(&e->lock);
}

void cs_engine_failure(cs_engine *e, char *out, size_t size)
{
	pthread_mutex_lock(&e->lock);
	snprintf(out, size, "%s", e->failure);
	pthread_mutex_unlock(&e->lock);
}
