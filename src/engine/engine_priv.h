/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the engine: one coordinator thread that owns the store's writer and every live run. */
#ifndef CS_ENGINE_ENGINE_PRIV_H
#define CS_ENGINE_ENGINE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/id.h"
#include "base/queue.h"
#include "core/run.h"
#include "engine/clock.h"
#include "engine/door.h"
#include "engine/engine.h"
#include "engine/lease.h"
#include "engine/server.h"
#include "engine/watch.h"
#include "engine/workers.h"
#include "flow/jq_pool.h"
#include "policy/policy.h"
#include "store/store.h"
#include "vault/vault.h"

typedef struct cs_outlet cs_outlet;          /* a connector (outlets.c), */
typedef struct cs_target cs_target;          /* and a host that it reaches (targets.c) */

/* A definition as a run pins it: the flow and the roles that it calls. */
typedef struct cs_bundle {
	char hash[CS_HEX_SIZE];
	cs_flow *flow;               /* a reference */
	json_t *doc;                 /* {flow, roles, functions, resources, flows} */
	cs_function **roles;
	size_t n_roles;
	bool stored;                 /* the body table has it */
	struct cs_hearers *hearers;  /* its runs that may listen (hearers.h); NULL: it has no listen task, or none yet */
	struct cs_bundle *next;
} cs_bundle;

/* A run in memory. */
typedef struct cs_live {
	cs_run *run;
	cs_bundle *bundle;
	bool ready;                  /* in the list of runs to step */
	bool gone;                   /* terminal: leaves memory after this group */
	bool parking;                /* only waits: leaves memory after this group, if it still does (parked.h) */
	bool background;             /* its lane: stepped after the others */
	struct cs_turn *turn;        /* whose places it shares; NULL: it needs none (turns.h) */
	bool placed;                 /* it has one */
	int64_t due;                 /* in the heap under this time; 0: not */
	size_t snapshot;             /* bytes of its last snapshot, written or not; 0: it has none (snapshot.h) */
	struct cs_hearers *heard_by; /* where it is listed as one that may listen; NULL: nowhere */
	struct cs_live *hears_before, *hears_after;
} cs_live;

/* A run that waits out of memory. */
typedef struct cs_parked {
	char run[CS_ID_SIZE];        /* "": none */
	bool unseen;                 /* this engine has not had it in memory: it knows no due time of it */
	int64_t due;                 /* wall ms, as in the heap; 0: none */
} cs_parked;

/* Runs to step, oldest first. */
typedef struct cs_ready {
	cs_live **list;
	size_t n, cap;
} cs_ready;

typedef struct cs_turn cs_turn;

typedef enum cs_message_kind { CS_MESSAGE_REQUEST, CS_MESSAGE_OUTCOME, CS_MESSAGE_ANSWER, CS_MESSAGE_STOP,
	CS_MESSAGE_CHANGED, CS_MESSAGE_LOADED } cs_message_kind;

/* The files, read and checked anew (reload.c). */
typedef struct cs_loaded cs_loaded;

/* What the mailbox holds. Everything is owned. */
typedef struct cs_message {
	cs_message_kind kind;
	json_t *request;
	cs_reply_fn *done;
	void *ctx;
	char run[CS_ID_SIZE];
	int task;
	cs_outcome *outcome;
	cs_outlet *outlet;           /* OUTCOME: through which it went; a reference, as its target; NULL: none */
	cs_target *target;
	struct cs_leash *leash;      /* OUTCOME: a reference (leash.h) */
	bool probe;                  /* OUTCOME: it was what a half-open breaker let through */
	cs_todo asked;               /* ANSWER: its run pointer is not used, its id is in `run` */
	json_t *value;
	char *failure;
	bool unasked;                /* ANSWER: no evaluator could be had */
	cs_loaded *loaded;
} cs_message;

/* A reply that waits for its group's commit. */
typedef struct cs_pending_reply {
	cs_reply_fn *done;
	void *ctx;
	json_t *reply;
} cs_pending_reply;

typedef struct cs_due {
	int64_t at;
	char run[CS_ID_SIZE];
} cs_due;

typedef struct cs_schedule cs_schedule;      /* schedule.c */

enum { CS_WATCHERS = 80 };

struct cs_engine {
	cs_workspace *ws;
	cs_engine_opts opts;
	char *dir, *state_dir;
	cs_lease *lease;
	cs_server *server;
	cs_store *store;
	cs_reader *reader;
	cs_policy *policy;
	cs_jq_pool *jq;
	cs_workers *agents, *evaluators, *loader;
	cs_watch *watch;             /* NULL: nobody looks */
	char notice[CS_ID_SIZE];     /* the open item about files that were not taken; "": none */
	char notice_title[400];
	cs_vault *vault;
	bool vault_shut;             /* the operator locked it: only they open it again */
	bool vault_wanted;           /* in this group: an effect waits for it */
	char vault_why[sizeof ((cs_err *)0)->msg];         /* why it did not open by itself; "" */
	char vault_item[CS_ID_SIZE]; /* the inbox item that asks to open it; "": none is open */
	uint8_t key[32];
	int64_t epoch;
	cs_idgen ids;

	cs_queue *mailbox;
	cs_door *door;               /* to it, for performers */
	pthread_t thread;
	_Atomic pthread_t coordinator;   /* the same, as the thread itself says it; 0: not yet */
	int64_t stop_at;             /* monotonic ns; 0: not stopping */

	bool live;                   /* this machine is the live one */
	int64_t copied_seq;          /* when this became a copy of another workspace (incarnation.h); 0: it is none */
	char token[33];              /* of this incarnation; "": it is the first */
	char *seen;                  /* the file of seen.h; NULL: there is none */
	int64_t seen_seq;            /* what this engine noted there last; 0: nothing */
	bool recovered;              /* what the first group found is committed */
	bool handed_over;            /* to another copy, since this engine began */
	bool resting;                /* a copy that the operator has not released: no clock starts anything */
	cs_clock_watch clock;
	atomic_bool hold, failed, closing;
	pthread_mutex_t lock;        /* failure text and watchers */
	char failure[sizeof ((cs_err *)0)->msg];
	struct { cs_feed_fn *fn; void *ctx; } watchers[CS_WATCHERS];

	void *runs;                  /* tsearch, cs_live by run id */
	size_t n_runs;
	void *once;                  /* tsearch: who waits for a business key (once.c) */
	void *topics;                /* tsearch: who may listen, by the type that they name (hearers.c) */
	unsigned life_of_runs;       /* the lifecycle events that runs in memory name, 1 << kind */
	cs_ready lanes[2];           /* interactive, background */
	cs_turn *turns;
	cs_live **gone; size_t n_gone, cap_gone;
	cs_parked *parked; size_t n_parked, cap_parked, untrimmed;   /* runs that wait out of memory (parked.c) */
	size_t n_unseen;             /* of these, those that are still to be stepped once */
	cs_open_run *open; size_t n_open, cap_open, next_open;       /* runs that the start found, oldest first; NULL: all have been seen */
	cs_live **parking; size_t n_parking, cap_parking;
	size_t folded;               /* events folded from the log for runs that came to memory, since the start */
	cs_due *heap; size_t n_heap, cap_heap;
	cs_schedule *schedules; size_t n_schedules;
	int64_t schedule_due;        /* wall ms of the next of them; 0: none */
	cs_bundle *bundles;
	cs_workspace **retired; size_t n_retired;   /* replaced by a reload, but not yet let go */

	cs_outlet **outlets; size_t n_outlets;      /* the connectors that were used, or of which something is known (outlets.h) */

	struct cs_starter **starters; size_t n_starters;   /* what waits for events that start runs */
	json_t *started;             /* ids of the runs that an emit under way has started; NULL: nobody asks */

	/* of the open group */
	cs_step step;
	int64_t group_seq;           /* last seq before it */
	bool unsafe_intent, idled;
	cs_todo *todos; size_t n_todos, cap_todos;
	cs_pending_reply *replies; size_t n_replies, cap_replies;
	json_t *group_keys;          /* start keys given in this group */
	int64_t import_group;        /* group_seq of the group that has an import; 0: none yet */
	json_t *group_events;        /* events emitted in this group, by their source and id */
	size_t in_flight, evaluating;
	struct cs_leash **leashes; size_t n_leashes, cap_leashes;   /* of the attempts that performers have (leash.h) */
	int64_t leash_look_ns;       /* when they are looked at next; monotonic */
};

/* ---- bundle.c ---- */
cs_bundle *cs_bundle_of_flow(cs_engine *e, const cs_flow *flow);
char *cs_bundle_sub_key(const cs_sub *s);                                    /* of `flows` in the document; new text */
cs_bundle *cs_bundle_by_hash(cs_engine *e, const char *hash, cs_err *err);   /* from memory or the store */
/* DOC as a definition that no run has yet; for cs_bundles_free. */
int cs_bundle_try(const char *hash, json_t *doc, cs_bundle **ret, cs_err *err);
int cs_bundle_store(cs_engine *e, cs_bundle *b, cs_err *err);                /* in the open group */
void cs_bundles_free(cs_bundle *b);

/* ---- runs.c ---- */
cs_live *cs_runs_add(cs_engine *e, cs_run *r, cs_bundle *b);                 /* takes R over */
cs_live *cs_runs_get(cs_engine *e, const char *id);                          /* in memory, or NULL */
cs_live *cs_runs_load(cs_engine *e, const char *id, cs_err *err);            /* in memory, or folded from the log */
void cs_runs_ready(cs_engine *e, cs_live *l);
int cs_runs_all_ready(cs_engine *e, cs_err *err);                            /* what was held may go on */
/* Takes at most MOST that are ready out of the lists, the interactive ones first; the background keeps
 * an eighth, so that it is never starved. */
size_t cs_runs_take(cs_engine *e, cs_live **ret, size_t most);
size_t cs_runs_waiting(const cs_engine *e);                                  /* how many are ready */
void cs_runs_due(cs_engine *e, cs_live *l);                                  /* notes when it is due by itself */
int cs_runs_fire(cs_engine *e, int64_t now, cs_err *err);                    /* what is due becomes ready */
int64_t cs_runs_next_due(cs_engine *e);                                      /* wall ms; 0: none */
void cs_runs_retire(cs_engine *e, cs_live *l);
void cs_runs_sweep(cs_engine *e);                                            /* frees the retired, parks what waits */
void cs_runs_leave(cs_engine *e, cs_live *l);                                /* out of memory; frees it */
void cs_runs_free(cs_engine *e);
/* All open runs are ready, or to come back by and by (parked.h). */
int cs_runs_recover(cs_engine *e, cs_err *err);
/* Some of those that the start left out of memory come back and are ready. */
int cs_runs_return(cs_engine *e, cs_err *err);
int cs_runs_crash(cs_engine *e, cs_err *err);                                /* ends what a crash left open in them */
/* Reads what RUN did into a record, for a replay of it. */
int cs_runs_record(cs_engine *e, const char *run, cs_record **ret, cs_err *err);

/* ---- env.c ---- */
void cs_env_init(cs_engine *e);
bool cs_engine_simulated(const cs_engine *e);

/* ---- events.c ---- */
int cs_events_fresh(void *engine, const cs_run *from, const json_t *event, bool *ret, cs_err *err);   /* of cs_step */
int cs_events_offer(void *engine, const cs_run *from, json_t *event, bool tainted, int64_t cause, cs_err *err);
int cs_events_tell(void *engine, const cs_run *from, int kind, json_t *event, bool tainted, int64_t cause, cs_err *err);
int cs_command_emit(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- subs.c: runs that tasks start ---- */
int cs_subs_find(void *engine, const cs_run *r, const cs_task *t, const json_t *input, char ret_hash[CS_HEX_SIZE], cs_err *why);   /* of cs_step */
int cs_subs_begin(void *engine, cs_run *r, const cs_sub_order *o, cs_err *err);
int cs_subs_control(void *engine, cs_run *r, const char *id, const char *verb, cs_err *err);
int cs_subs_look(void *engine, const char *id, cs_sub_state *ret, json_t **ret_end, cs_err *err);
int cs_subs_reverse(void *engine, cs_run *r, const char *id, const char *key, const char *why, bool *ret_done, cs_err *why_not);
int cs_subs_reversed(void *engine, cs_run *r, const char *key, json_t *error, cs_err *err);
/* L has ended: the task that awaits it hears of it, in the same group. */
int cs_subs_tell(cs_engine *e, const cs_live *l, cs_err *err);
/* L, which another run awaited, has ended or is stuck: who takes something back, and may wait for L, looks again. */
void cs_subs_wake(cs_engine *e, const cs_live *l);

/* ---- once.c: business keys ---- */
int cs_once_find(void *engine, cs_run *r, const char *key, cs_once *ret, cs_err *err);   /* of cs_step */
void cs_once_note(cs_engine *e, const cs_event *ev);                         /* just appended: who waits for it is ready */
void cs_once_free(cs_engine *e);

/* ---- incarnation.c ---- */
/* In the first group: is this a copy of what it was? Then it is another incarnation from here on. Takes hold, live
 * and what the incarnation is from the settings. LAST: the time of the last event before, 0: none. */
int cs_incarnation_start(cs_engine *e, int64_t last, cs_err *err);
int cs_command_live(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- disk.c ---- */
/* Keeps some space for the day on which the disk is full. CS_EIO: there is none to keep. */
int cs_disk_reserve(cs_engine *e, cs_err *err);
/* After WHY has ended the engine: where it was the disk, lets the space go and leaves an item that says so. */
void cs_disk_failed(cs_engine *e, const cs_err *why);

/* ---- dispatch.c ---- */
void cs_dispatch_all(cs_engine *e);                                          /* after the commit */
json_t *cs_dispatch_fixture(cs_engine *e, const cs_run *r, const cs_function *fn, json_t *args);
const cs_performer *cs_performer_find(const cs_engine *e, const char *kind);

/* ---- secrets.c ---- */
/* Opens the vault where systemd hands its passphrase over; finds the item that an earlier engine opened. */
int cs_secrets_start(cs_engine *e, cs_err *err);
int cs_secrets_look(void *engine, const char *name, bool *ret_locked, cs_err *err);   /* of cs_step */
/* At the end of a group: the item that asks for the passphrase is opened, or closed. */
int cs_secrets_settle(cs_engine *e, cs_err *err);
int cs_secrets_dismissed(cs_engine *e, const char *item, cs_err *err);                   /* who still waits asks again */
int cs_command_unlock(cs_engine *e, json_t *req, json_t **ret, cs_err *err);
int cs_command_lock(cs_engine *e, json_t *req, json_t **ret, cs_err *err);
const char *cs_secrets_word(cs_engine *e);                                   /* "none" "locked" "open" */

/* ---- engine.c ---- */

/* ---- commands.c ---- */
/* Writes an event of the workspace, of no run. DATA is taken over. */
int cs_command_write(cs_engine *e, const char *type, json_t *data, cs_err *err);
/* Acts on one request in the open group. *ret is the `ok` object. */
/* The definition that a request names or brings along, borrowed; NULL with the reason. */
cs_bundle *cs_command_bundle(cs_engine *e, const json_t *req, cs_err *err);
int cs_command(cs_engine *e, json_t *request, json_t **ret, cs_err *err);
/* Is R as it was when what REQ decides was shown? Its `seen` is the seq of R's latest event then; without one, nothing
 * is asked. CS_EREFUSED says what came since. */
int cs_command_fresh(cs_engine *e, const cs_run *r, const json_t *req, cs_err *err);

/* ---- adopt.c ---- */
int cs_command_adopt(cs_engine *e, json_t *req, json_t **ret, cs_err *err);
int cs_command_correct(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- archive.c ---- */
int cs_command_archive(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- import.c ---- */
int cs_command_import(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- reload.c ---- */
/* Has the workspace's files read and checked on another thread; a CS_MESSAGE_LOADED follows, with
 * DONE (may be NULL) and CTX in it. */
void cs_reload_begin(cs_engine *e, const char *actor, cs_reply_fn *done, void *ctx);
/* Takes what was read, in the open group, or opens an item that says what is wrong: then WHY has it,
 * and nothing has changed. Negative: the group is lost. */
int cs_reload_take(cs_engine *e, cs_loaded *l, json_t **ret_ok, cs_err *why, cs_err *err);
/* Before the coordinator begins: finds the item of an earlier engine, and watches where that is wanted. */
int cs_reload_watch(cs_engine *e, cs_err *err);
void cs_loaded_free(cs_loaded *l);                                           /* NULL is fine */
void cs_retired_free(cs_engine *e);

/* ---- loop.c ---- */
void *cs_engine_loop(void *engine);
int cs_engine_append(void *engine, cs_event *ev, cs_err *err);
void cs_engine_fail(cs_engine *e, const cs_err *why);
void cs_message_free(cs_message *m);
int cs_engine_post(cs_engine *e, cs_message *m);                             /* takes M over */

#endif
