/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command line and the console show, read from the store without an engine: runs, the
 * inbox, a trace, the chain of causes, the difference of two runs. Everything is JSON with the
 * keys that scripts may rely on; more may be added, none renamed. Times are RFC 3339 in UTC
 * with milliseconds or null, money is integer micro-dollars, states are the words of the state
 * machines. Each function reads one state of the database. *ret is a new reference, untouched
 * on failure. RUN and ITEM are whole ids (cs_reader_find_run, cs_reader_find_item shorten). */
#ifndef CS_VIEW_VIEW_H
#define CS_VIEW_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "store/store.h"
#include "store/transfer.h"

/* The event {seq, run, task, type, at, actor, cause, simulated, data, hash} and occurrence. */
json_t *cs_view_event_json(const cs_event *ev);

typedef struct cs_view_filter {
	const char *state;   /* NULL: any */
	const char *flow;    /* "NAMESPACE/NAME" or NAME; NULL: any */
	bool bare;           /* without input, output and error: then the log and its archive are not looked at */
} cs_view_filter;

/* Newest first, at most LIMIT older than BEFORE_ID (NULL: from the newest). Each {run, flow,
 * version, state, started, ended, input, output, error, parent, simulated, cost} with name,
 * kind, title, subject, key, origin, created, updated, definition, last_seq. FILTER may be NULL. What is in a segment of
 * the archive that cannot be read is null; then missing is there: [{segment, first, last, says: why, and what to do}]. */
int cs_view_runs(cs_reader *r, const cs_view_filter *filter, const char *before_id, int limit, json_t **ret, cs_err *err);
/* One of them, with items: what waits for the operator in it, and waits: what it waits for, each {for: approval,
 * in-doubt, grace (of a decision), timer, retry, event, hold, breaker (of its connector), limit or answer (of what is on its way outside), task, until, item}, changes: what the operator changed
 * in it, each an event with `says`, and happened: of one that faulted, the call whose effect is there all the same (a
 * retry sends it once more), or null. CS_ENOTFOUND. */
int cs_view_run(cs_reader *r, const char *run, json_t **ret, cs_err *err);
/* {runs: {state: n}, running, waiting, inbox, snoozed (of inbox, those put off), live, hold, hold_why, connectors: {name: mode}, last_seq, last_at}.
 * running and waiting count what is not over. */
int cs_view_status(cs_reader *r, json_t **ret, cs_err *err);

/* What the log knows of the connector NAME: {command (the mode set by command), breakers: [{target, state,
 * until, trips, error}] (those not closed), in_flight, last_used, last_error: {title, status,
 * at, run}}; each null where there is none. Simulated attempts do not count. */
int cs_view_connector(cs_reader *r, const char *name, json_t **ret, cs_err *err);

/* What waits, what expires first first; ALL: also what is decided or over, newest first after
 * it. Each {id, kind, title, run, flow, task, state, digest, created, expires, next} with
 * occurrence, subject, call, simulated, confirm, snoozed_until, delegated_to, by, word, note,
 * grace_until, previous, successor, replay_of (the run that its run replays, or null), level (how often it
 * was escalated; what is stands first), reminded, run_seq (its run's latest event). word is what
 * was decided, also when the item's state has gone on since. */
int cs_view_inbox(cs_reader *r, bool all, json_t **ret, cs_err *err);
/* ITEMS of cs_view_inbox with the faults that wait and have one cause (the same definition, place in it and
 * error; `cause` and `at`, the place, are members of every fault) as one row: the first of them with count, ids,
 * runs and run_seqs. A new array. */
json_t *cs_view_by_cause(const json_t *items);
/* How many rows of the inbox cs_view_by_cause makes go: the faults that wait, less their causes. */
int cs_view_joined(cs_reader *r, int64_t *ret, cs_err *err);
/* The row for all that have the cause of the fault ITEM; count, ids and runs are absent where it is alone.
 * CS_ENOTFOUND: it is no fault, or waits no more. */
int cs_view_cause_of(cs_reader *r, const char *item, json_t **ret, cs_err *err);
/* One of them, decided or not, with value (what will be sent, as it will be sent), allow,
 * card, rule, why, taint, proposer, editor, form, request, error, published_seq, decided_seq, back, round,
 * rounds and
 * history: [{seq, type, at, actor, says, note}]. The card has what its operation declares and as,
 * why, touches, from, undo (absent: nothing takes it back), answered, rejected, expired (what the run then does),
 * escalates, reminds (the dates), cost, before (how such items were decided). One of kind breaker has
 * breaker (its state), target, until (when it is tried again, while it is open) and trips. CS_ENOTFOUND. */
int cs_view_item(cs_reader *r, const char *item, json_t **ret, cs_err *err);

/* The tasks of a run as a tree, parents before children, in the order they began: {seq, ref,
 * name, depth, kind, state, occurrence, started, ended, actor, call, attempts, cost, simulated,
 * error, approval, input, output}. seq is the latest event of the task (what `why` asks about),
 * first_seq its first; approval is {item, state, by}. Where a segment
 * of the archive that has of it cannot be read, the rows are what the tables of tasks have, in their order, with seq as first_seq,
 * null for what is not in them, and missing: why, and what to do. CS_ENOTFOUND. */
int cs_view_trace(cs_reader *r, const char *run, json_t **ret, cs_err *err);
/* The events of a run, of one task when REF is not NULL. */
int cs_view_events(cs_reader *r, const char *run, const char *ref, json_t **ret, cs_err *err);
/* From the event by its causes to the root: events, each with says, one sentence. At most
 * CS_VIEW_WHY_MAX; a last one that still has a cause was cut there. CS_ENOTFOUND. */
#define CS_VIEW_WHY_MAX 500
int cs_view_why(cs_reader *r, int64_t seq, json_t **ret, cs_err *err);
/* The sentence for one event. New string, at most 1000 bytes; text from outside is in it as it is. */
json_t *cs_view_says(const cs_event *ev);

/* What differs from run OLD to run NEW, in order of completion: {task, occurrence, change:
 * same|added|removed|changed, old, new, effects: {old, new}} aligned by the longest common
 * subsequence of (task, occurrence), each branch of a fork by itself: branches have no order among them. old and new are the task's output, {error} when it faulted,
 * {skipped: true}; an effect is {call, digest, class, how: sent|simulated|done|captured|reused|failed}. Last
 * {summary: {steps: {same, changed, added, removed}, effects: {old, new, sent: {old, new}, changed}, cost: {old,
 * new}, time: {old, new} (ms), state: {old, new}, first (the first task that differs, or null),
 * output: same|changed}}. CS_ENOTFOUND. */
int cs_view_diff(cs_reader *r, const char *old_run, const char *new_run, json_t **ret, cs_err *err);

#endif
