/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the console gets its data and leaves its commands: one const vtable, so that the screens
 * know nothing of the engine, the store or the socket between them. Every call answers from what
 * is there now and never waits for the engine; replies come back through poll(). */
#ifndef CS_TUI_SOURCE_H
#define CS_TUI_SOURCE_H

#include <stdint.h>
#include <jansson.h>
#include "base/err.h"

/* Reads give a new reference in *ret, untouched on failure. Keys are those that DESIGN.md lets
 * scripts rely on; what is said beside them is read where it is present.
 *
 * An inbox row may carry "by" (who decided), "word" (what was decided), "simulated", "subject".
 * "snoozed_until" hides it until then; "replay_of" is the run that its run replays.
 * A card, from item(), is such a row and
 *   "card"    {fields: [{label, value}], body, why, touches, from, undo, as, next, cost}; values
 *             are text, or JSON shown as JSON. `undo` null or absent: nothing can be taken back,
 *             and then a typed word is asked for.
 *   "value"   what will be sent, as it will be sent
 *   "allow"   ["accept","edit","respond","reject"]
 *   "confirm" the word that must be typed, or null
 *   "grace_until" RFC 3339: until then a decision can be undone
 * A run row may carry "subject". A trace row is {seq, ref, name, depth, kind, state, started, ended,
 * actor, call, attempts, cost, simulated, error} and may carry "forkable" (absent: true when the
 * row has a ref), "input", "output".
 *
 * Commands: {cmd: "approve", id, digest, word?, batch?} · reject {id, digest, note} · respond {id, digest, note}
 * · edit {id, digest, value} · undo {id} · snooze {id, digest, until: ms} · dismiss {id, digest} · resolve {id, digest, how: happened|did-not|repeat, word?}
 * · correct {run, look} with ok {state, seen, places, context}, correct {run, seen?, set: [{in, path, value}], from?, dry?, retry?,
 * batch?} with ok {state, patch: [{in, path, old, value}]} · retry {run, seen?: its latest event as it was
 * shown; refused when there is another} · pause, resume, cancel {run} · replay {run, from?, set: [{path, value}]} with ok.run the
 * new run · replay-plan, the same arguments, with ok.plan rows {name, ref, what: reuse|depends|decision|run|capture}. */
typedef struct cs_source {
	void *ctx;
	int (*inbox)(void *ctx, json_t **ret_array, cs_err *err);   /* open items, most urgent first */
	int (*item)(void *ctx, const char *id, json_t **ret_card, cs_err *err);   /* also a decided one */
	/* Newest first, at most LIMIT older than before_id (NULL: from the newest). */
	int (*runs)(void *ctx, const char *before_id, int limit, json_t **ret_array, cs_err *err);
	int (*run)(void *ctx, const char *run, json_t **ret, cs_err *err);
	int (*trace)(void *ctx, const char *run, json_t **ret_rows, cs_err *err);
	int (*events)(void *ctx, const char *run, const char *ref, json_t **ret_array, cs_err *err);
	int (*why)(void *ctx, int64_t seq, json_t **ret_chain, cs_err *err);
	int (*diff)(void *ctx, const char *a, const char *b, json_t **ret_rows, cs_err *err);
	/* {workspace, mode, hold, running: runs that do something, going: runs that have not ended, waiting: open
	 * items, engine: "inside" (stops with this process), "attached", "gone" (only reading is left)} */
	int (*status)(void *ctx, json_t **ret, cs_err *err);
	/* The text of a runbook, malloc'ed. NULL: there are none. */
	int (*runbook)(void *ctx, const char *name, char **ret, cs_err *err);
	/* After {gone: why}: finds an engine again, or starts one here; may take seconds. NULL: no way. */
	int (*reattach)(void *ctx, cs_err *err);
	/* Takes COMMAND (borrowed) and returns at once; the reply carries *ret_tag. */
	int (*send)(void *ctx, json_t *command, unsigned *ret_tag, cs_err *err);
	int fd;   /* readable when poll() has something; -1: none, and then replies are there when send() returns */
	/* One message: {tag, ok} or {tag, error} for a command, {feed: {seq}} when the log has grown,
	 * {gone: why} once, when there is no engine any more.
	 * CS_EAGAIN: none now. */
	int (*poll)(void *ctx, json_t **ret_message, cs_err *err);
} cs_source;

#endif
