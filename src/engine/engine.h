/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's face: commands in, a change feed out; the same whether the engine is in this
 * process or behind the socket of another. Requests and replies are JSON objects.
 *
 * Request {cmd, …, actor}; reply {ok: {…}} or {error: {code, message}} with code a word of
 * cs_err_word. Commands:
 *   run      flow (name) or definition (a document), input, key, set: [{path, value}], title, kind,
 *            subject                        -> {run, existing}
 *   decide   item, decision: {verb, digest, note, value, until, to, how, word, batch} -> {item, next}
 *   control  run, verb: pause|resume|cancel|retry, why, batch -> {run, state}
 *   adopt    run, why                       -> {run, state, existing}   it takes the workspace's definition of its flow
 *   correct  run, set: [{in: input|with|context, path, value}], from (a task), definition (a document), why, batch,
 *            retry: bool (it goes on at once), dry: bool (nothing is written)
 *                                           -> {run, state, old, new, version, patch, again}   (core/correct.h);
 *            with look: true and the run alone -> {run, state, places, context}   what could be changed
 *   replay   run, from, set: [{path, value}], definition, ask -> {run}
 *   hold     on: bool, why                  -> {}
 *   connector name, mode: off|dry|hold|live -> {name, mode (that holds), file, command}   the more careful holds
 *   live     on: bool (true)                -> {live}   this machine is the live one, or not any more
 *   emit     event (a CloudEvent; id, source, time are filled in), tainted
 *                                           -> {id, source, existing, runs: [those that received it],
 *                                               started: [those that it started, as far as told at once]}
 *   status   -> {epoch, mode, live, hold, runs, ready, parked (of runs, those out of memory), folded (events of the log, for runs
 *               that came to memory), pid, vault: none|locked|open}
 *   unlock   key (64 hex digits: the vault's own) or nothing, for a vault with a key file -> {vault}
 *   lock     -> {vault}
 *   settle   -> {busy, due, scheduled}      busy: something goes on by itself; due: wall ms of the next clock of a run, or of a connector that one waits for;
 *                                           scheduled: of the next start by a schedule; 0 none
 *   archive  older (ms; without it retention.archive) -> {first, last, file, bytes, raw, pruned, bodies, more, database, free,
 *                                           older}   one segment of what is older; first 0: there was nothing
 *   import   file (absolute), trust (a public key)
 *                                           -> {file, signer, workspace, existing, runs: [id]}   runs of another workspace,
 *                                           as `capstan export` writes them; a signer that is not known must be in trust
 *   reload   -> {flows, functions, files: [{file, old, new}]}   the workspace's files are read again, or nothing changes
 *   stop     -> {}                          the engine ends when what is open outside has ended
 */
#ifndef CS_ENGINE_ENGINE_H
#define CS_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "core/effect.h"
#include "flow/workspace.h"

#define CS_STATE_DIR ".capstan"

/* The scripted answers behind the performer "fixture", whose documents come with the workspace.
 * Every function may be NULL. */
typedef struct cs_fixture_port {
	void *ctx;
	int (*load)(void *ctx, const json_t *docs, cs_err *err);
	void (*used)(void *ctx, const char *run, const char *function, size_t answer);
	void (*forget)(void *ctx, const char *run);
	bool (*has)(void *ctx, const char *function);
} cs_fixture_port;

/* Where the engine's time comes from. NULL: the wall clock. */
typedef struct cs_engine_clock {
	int64_t (*now_ms)(void *ctx);        /* wall ms; any thread; what it says only moves on after a request */
	int64_t (*boot_ms)(void *ctx);       /* ms since boot, any thread: jumps are told by it. NULL with now_ms: they are not */
	const char *boot;                    /* with boot_ms: which boot that is */
	void *ctx;
} cs_engine_clock;

/* Who does what takes its time: blocking performers, expressions that need jq, reading the files.
 * GIVE has RUN called with JOB once, on any thread; or DROP, which is all that is allowed once the
 * engine is gone. NULL: threads of the engine's own. */
typedef void cs_job_fn(void *job);
typedef struct cs_engine_jobs {
	void (*give)(void *ctx, cs_job_fn *run, cs_job_fn *drop, void *job, bool background);
	void *ctx;
} cs_engine_jobs;

typedef struct cs_engine_opts {
	cs_engine_clock clock;
	cs_engine_jobs jobs;
	const char *state_dir;               /* NULL: CS_STATE_DIR in the workspace; outlives the engine's start */
	cs_fixture_port fixtures;
	const char *schedules_of;            /* NULL: every schedule starts runs; else those of this flow alone ("": none) */
	const cs_performer *performers;      /* by kind; the table main.c builds; outlives the engine */
	size_t n_performers;
	const char *exe;                     /* this program, for the jq children */
	const char *version;
	bool watch;                          /* takes changed files by itself */
	const char *place;                   /* where the state lies, as cs_incarnation_place tells; NULL: it is looked at */
	int64_t overdue_ms;                  /* a performer this long past its operation's timeout is given up; 0: 60000 */
	size_t keep_runs;                    /* as many stay in memory though they only wait; 0: 1000 */
} cs_engine_opts;

/* ---- the engine in this process ------------------------------------------------------------------ */

typedef struct cs_engine cs_engine;

/* Takes the lease of WS (CS_EUNAVAIL names the holder), opens the store, recovers, and starts the
 * coordinator's thread and the socket. WS is taken over. */
int cs_engine_start(cs_workspace *ws, const cs_engine_opts *opts, cs_engine **ret, cs_err *err);
/* The same without a thread of its own and without a socket: it does what it does in the calls of
 * cs_engine_turn and, where its jobs are given to the caller, nowhere else. Ends by cs_engine_drop alone. */
int cs_engine_open(cs_workspace *ws, const cs_engine_opts *opts, cs_engine **ret, cs_err *err);
/* One pass of the coordinator, on always the same thread: what has come, what is due, what is ready, in
 * one commit, and then what that lets out. False: there was nothing to do. */
bool cs_engine_turn(cs_engine *e);
/* Lets go of everything without waiting for what is open outside. NULL is fine. */
void cs_engine_drop(cs_engine *e);
/* Stops taking commands, waits up to grace_ms for what is open outside, lets go. NULL is fine. */
void cs_engine_stop(cs_engine *e, int64_t grace_ms);
/* Puts a request in the mailbox; DONE is called once, on the coordinator's thread, after the commit
 * that it caused, with a reply that it takes over. REQUEST is taken over. CS_EUNAVAIL: stopped. */
typedef void cs_reply_fn(void *ctx, json_t *reply);
int cs_engine_send(cs_engine *e, json_t *request, cs_reply_fn *done, void *ctx, cs_err *err);
/* Called on the coordinator's thread after each commit with the last seq. Set before others send. */
typedef void cs_feed_fn(void *ctx, int64_t seq);
int cs_engine_watch(cs_engine *e, cs_feed_fn *fn, void *ctx);       /* returns a handle >= 0 */
void cs_engine_unwatch(cs_engine *e, int handle);
/* A digest of this machine's own id: what `capstan live` notes in the setting of that name. */
void cs_engine_machine(char out[CS_HEX_SIZE]);
/* Why it stopped by itself ("" : it runs): a store error, a lost lease. Any thread. */
void cs_engine_failure(cs_engine *e, char *out, size_t size);

/* ---- one face for both --------------------------------------------------------------------------- */

typedef struct cs_client cs_client;

enum {
	CS_CLIENT_READ = 1,        /* only read: no engine is started or asked */
	CS_CLIENT_ATTACH = 2,      /* only the socket of another: CS_EUNAVAIL when there is none */
};
/* Attaches to the engine that holds the workspace in DIR, or starts one here (LOAD is called for the
 * workspace then). CS_EUNAVAIL names a holder that does not answer. */
typedef int cs_client_load_fn(void *ctx, cs_workspace **ret, cs_err *err);
int cs_client_open(const char *dir, unsigned flags, const cs_engine_opts *opts, cs_client_load_fn *load, void *ctx,
		   cs_client **ret, cs_err *err);
void cs_client_close(cs_client *c);          /* stops an engine of its own, waiting for what is open */
bool cs_client_is_engine(const cs_client *c);   /* the engine is in this process */
/* Sends and waits for the reply (timeout_ms < 0: as long as it takes). *ret_ok is the `ok` object;
 * an error reply comes back as its code and message. CS_EUNAVAIL: the engine is gone, the request
 * was not taken; CS_EIO: it went before it answered, whether the request was taken is not known. */
int cs_client_call(cs_client *c, json_t *request, int timeout_ms, json_t **ret_ok, cs_err *err);
/* Does not wait: the reply comes through cs_client_next as {tag, ok|error}. */
int cs_client_send(cs_client *c, json_t *request, unsigned *ret_tag, cs_err *err);
/* Readable when there is a message. */
int cs_client_fd(cs_client *c);
/* Next message: {tag, ok|error}, {feed: {seq}}, {gone: why}. CS_EAGAIN: none within timeout_ms. */
int cs_client_next(cs_client *c, int timeout_ms, json_t **ret, cs_err *err);

#endif
