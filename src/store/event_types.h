/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every type of event that may enter the log, in one place: the name and the fold that takes it
 * into the projections. A type that is not here is refused by append, so that a typing error
 * cannot enter the log. Sorted by name (strcmp); a test holds that.
 *
 * Members of data by type; * marks those without which the fold has nothing to work on. Times
 * are wall milliseconds or RFC 3339 text, cost is micro-dollars.
 *
 *   run.created    *flow "NAMESPACE/NAME", *name, *version, *definition (hash of a body), input,
 *                  parent, origin (first run of the lineage), subject, title, key, key_digest,
 *                  kind "flow"|"ask"|"sub" (parent started it: caller {task, occurrence}, detached,
 *                  replays (a run)), from (task reference), shadow; simulated is the event's
 *   run.started    input                     run.blocked on[] connectors[]   run.resumed to
 *   run.completed  *output                   run.faulted *error, *task
 *   run.imported   *file, *signer, *workspace, *state: all events of the run before came from there; it ended there
 *                  as STATE says, or else here
 *   run.adopted    old, *new (definition hashes), version, why, again[] (references of calls begun again)
 *   run.corrected  old, *new (definition hashes), version, why, batch, again[], patch: [{in "input"|"with"|"context",
 *                  task, path, value, old}]
 *   run.retried    segment, why, batch (those retried with it)
 *   run.compensating why "fault"|"rollback"|"cancel"|"retry"|"waive"|"root" (another run's list: root says which),
 *                  error, task, within (a task: what its runs did), only (a key: that
 *                  one alone)              run.compensated error, output    run.stuck error
 *   reversal.registered *key (of the attempt done), *call (what takes it back), result
 *   reversal.begun *key, *call, n            reversal.reversed *key
 *   reversal.failed *key, error              reversal.waived *key, why
 *                  of, name: the awaited run that did it and takes it back, and the task there
 *   task.completed output, context, then, raw, branch, back (the name of the task an answer led to)
 *   task.skipped   outcome, then, tainted: of a gate that was not passed
 *   task.started   input, items              task.faulted error     task.caught error, as
 *                  run (that it started), again (taken up, not begun), args (its input)
 *   task.corrected (a replay's) *patch (of run.corrected of what is replayed), *from: before the task begins, as the
 *                  occurrence that it had there with that; it stands for those since FROM
 *   child.ended    *run, *state, output|error, tainted, reversals [{key, run, name, seq}] (what can be taken back), open [RUN] (runs that it awaited, and that
 *                  are not over): how the run ended that the task started, or one of those
 *   attempt.intent *key, *digest, *call, *class, connector, n, logical, epoch, deadline, rule,
 *                  reason, approval, input, request
 *                  probes (key that it asks about: until that key's next event, the task's others are this one's)
 *                  once (business key), once_n (attempts under it so far, with this), once_value; once is then
 *                  in every event of the attempt and of its reversal
 *                  attempt.ambiguous to "probing": probe (what is asked), due, deadline; attempt.done probed; .retry, .failed absent
 *   attempt.awaits call, once, once_value, of (a run), of_task, in_doubt: another attempt is under way
 *   attempt.done   *key, result, record, cost       attempt.failed *key, error, record
 *   attempt.retry  *key, error, due, n, held (before its first byte: no try is spent)   attempt.ambiguous *key, how, class, error
 *   attempt.captured, .reused (a replay's) digest, call, class, source, from (seq), result|error
 *   attempt.reused (source "once": what another attempt under the business key gave) once, once_value, of, of_task
 *   approval.assumed (a replay's) item, decided, assumed, outcome, result|error
 *   attempt.resolved *key, how "happened"|"did-not"|"repeat", value, evidence
 *   approval.proposed, .published  *item, *kind, *title, digest, call, value, card, rule, why,
 *                  taint, touches, allow[], expires, grace (ms), next, confirm, connector,
 *                  proposer, editor, previous, final, function (hash), base (url of the connector),
 *                  remind[ms], escalate[{at, to, expiry}], back, round, rounds, on_reject, on_expiry
 *   approval.approved, .rejected, .answered  *item, digest, by, note, value, grace_until, batch
 *   approval.edited *item, next (the new item), value     approval.snoozed *item, until
 *   approval.delegated *item, to             approval.voided *item, why
 *   approval.consumed *item, key             approval.settled *item, decision, turn back|continue|end
 *   approval.expired *item, decision, turn   approval.reminded *item, *n (of the reminders that were due)
 *   approval.escalated *item, *level, to, expiry (instead of it)
 *   item.opened    *item, *kind, *title, next, task, and what the kind needs
 *   item.closed    *item, how, by, clock (of a clock that jumped: what it is held against from here on, as engine.started)
 *   timer.armed    *timer, *due, what        timer.fired *timer, due     timer.cancelled *timer, why
 *                  (without a run it is a schedule's: what {kind "schedule", schedule, flow, local, zone})
 *   event.emitted  *event (a CloudEvent), tainted, duplicate (in the log already: offered to nobody),
 *                  shadow (a replay's: offered to nobody, remembered by nobody)
 *   event.received *event, tainted: put in the inbox of a listen task, in the group that emitted it; one of the
 *                  lifecycle has no event.emitted, its cause is the entry that it tells of (core/life.h)
 *   event.consumed id, source, *filter (index), until, keys: the oldest of the inbox, taken
 *   event.passed   id, source, why: the oldest of the inbox, taken by no filter
 *   event.handled  output, context, tainted: what a foreach made of the event consumed last
 *   start.received *starter, *event, tainted, chain (flows that led to it): in the inbox of what starts a
 *                  run by events, in the group that emitted it
 *   start.consumed *starter, *received (seq), *gathering (seq of its first), *filter, until, keys
 *   start.passed   *starter, *received, why: taken by no filter
 *   start.ended    *starter, *gathering, *how "started"|"known"|"refused"|"failed"|"dropped", run, once, why
 *   start.cleared  *starter: what was gathered for a definition that is no more
 *   connector.mode *name, *mode
 *   breaker.failed *connector, *target, *failures[ms] (those that count, this one last), error
 *   breaker.opened *connector, *target, *until (ms), *trips (times in a row), item, error
 *   breaker.half_opened, .closed   *connector, *target
 *   log.archived   *first, *last, *before (hash), *hash, *trailer (SHA-256), *file, bytes: a segment of the log that is a
 *                  file now (segment.h)
 *   log.imported   *file (SHA-256), *signer (public key), *workspace, at, runs: [{run, state}]: runs of another
 *                  log, whose events follow in the same group (transfer.h)
 *   engine.hold    on, why                   engine.live on, machine, place, dir (where it was said)
 *   engine.incarnation *incarnation, *token, *why "restored"|"copied"|"put back"|"handed over", *place, machine, hold (why nothing leaves),
 *                  since (at of the last event before), file (of the backup), was {dir, place} (where it was live)
 *   engine.reloaded *files: [{file, old, new}] (SHA-256 of their bytes; null: there is none)
 *   engine.started epoch, version, recovered, clock {boot, offset: wall ms less ms since that boot} */
#ifndef CS_STORE_EVENT_TYPES_H
#define CS_STORE_EVENT_TYPES_H

/* X(NAME, "machine.event", fold function of projection.h without its cs_fold_) */
#define CS_EVENT_TYPES(X) \
	X(APPROVAL_ANSWERED, "approval.answered", item_decided) \
	X(APPROVAL_APPROVED, "approval.approved", item_decided) \
	X(APPROVAL_ASSUMED, "approval.assumed", nothing) \
	X(APPROVAL_CONSUMED, "approval.consumed", item_moved) \
	X(APPROVAL_DELEGATED, "approval.delegated", item_delegated) \
	X(APPROVAL_EDITED, "approval.edited", item_edited) \
	X(APPROVAL_ESCALATED, "approval.escalated", item_escalated) \
	X(APPROVAL_EXPIRED, "approval.expired", item_moved) \
	X(APPROVAL_PROPOSED, "approval.proposed", item_published) \
	X(APPROVAL_PUBLISHED, "approval.published", item_published) \
	X(APPROVAL_REJECTED, "approval.rejected", item_decided) \
	X(APPROVAL_REMINDED, "approval.reminded", item_reminded) \
	X(APPROVAL_SETTLED, "approval.settled", item_moved) \
	X(APPROVAL_SNOOZED, "approval.snoozed", item_snoozed) \
	X(APPROVAL_UNDONE, "approval.undone", item_undone) \
	X(APPROVAL_VOIDED, "approval.voided", item_moved) \
	X(APPROVAL_WITHDRAWN, "approval.withdrawn", item_moved) \
	X(ATTEMPT_AMBIGUOUS, "attempt.ambiguous", attempt_ambiguous) \
	X(ATTEMPT_AWAITS, "attempt.awaits", task_touched) \
	X(ATTEMPT_CAPTURED, "attempt.captured", attempt_shadow) \
	X(ATTEMPT_DONE, "attempt.done", attempt_ended) \
	X(ATTEMPT_FAILED, "attempt.failed", attempt_ended) \
	X(ATTEMPT_INTENT, "attempt.intent", attempt_intent) \
	X(ATTEMPT_RESOLVED, "attempt.resolved", attempt_resolved) \
	X(ATTEMPT_RETRY, "attempt.retry", attempt_retry) \
	X(ATTEMPT_REUSED, "attempt.reused", attempt_shadow) \
	X(BREAKER_CLOSED, "breaker.closed", breaker_moved) \
	X(BREAKER_FAILED, "breaker.failed", breaker_moved) \
	X(BREAKER_HALF_OPENED, "breaker.half_opened", breaker_moved) \
	X(BREAKER_OPENED, "breaker.opened", breaker_moved) \
	X(CHILD_ENDED, "child.ended", nothing) \
	X(CONNECTOR_MODE, "connector.mode", connector_mode) \
	X(ENGINE_HOLD, "engine.hold", engine_hold) \
	X(ENGINE_INCARNATION, "engine.incarnation", engine_incarnation) \
	X(ENGINE_LIVE, "engine.live", engine_live) \
	X(ENGINE_RELOADED, "engine.reloaded", nothing) \
	X(ENGINE_STARTED, "engine.started", engine_started) \
	X(ENGINE_STOPPED, "engine.stopped", nothing) \
	X(EVENT_CONSUMED, "event.consumed", nothing) \
	X(EVENT_EMITTED, "event.emitted", event_emitted) \
	X(EVENT_HANDLED, "event.handled", nothing) \
	X(EVENT_PASSED, "event.passed", nothing) \
	X(EVENT_RECEIVED, "event.received", nothing) \
	X(ITEM_CLOSED, "item.closed", item_closed) \
	X(ITEM_OPENED, "item.opened", item_published) \
	X(LOG_ARCHIVED, "log.archived", log_archived) \
	X(LOG_IMPORTED, "log.imported", log_imported) \
	X(REVERSAL_BEGUN, "reversal.begun", reversal_moved) \
	X(REVERSAL_FAILED, "reversal.failed", reversal_moved) \
	X(REVERSAL_REGISTERED, "reversal.registered", reversal_moved) \
	X(REVERSAL_REVERSED, "reversal.reversed", reversal_moved) \
	X(REVERSAL_WAIVED, "reversal.waived", reversal_moved) \
	X(RUN_ADOPTED, "run.adopted", run_adopted) \
	X(RUN_BLOCKED, "run.blocked", run_moved) \
	X(RUN_CANCELLED, "run.cancelled", run_ended) \
	X(RUN_CANCELLING, "run.cancelling", run_moved) \
	X(RUN_COMPENSATED, "run.compensated", run_ended) \
	X(RUN_COMPENSATING, "run.compensating", run_compensating) \
	X(RUN_COMPLETED, "run.completed", run_ended) \
	X(RUN_CORRECTED, "run.corrected", run_corrected) \
	X(RUN_CREATED, "run.created", run_created) \
	X(RUN_FAULTED, "run.faulted", run_ended) \
	X(RUN_IMPORTED, "run.imported", run_imported) \
	X(RUN_PAUSED, "run.paused", run_moved) \
	X(RUN_PAUSING, "run.pausing", run_moved) \
	X(RUN_RESUMED, "run.resumed", run_resumed) \
	X(RUN_RETRIED, "run.retried", run_retried) \
	X(RUN_STARTED, "run.started", run_started) \
	X(RUN_STUCK, "run.stuck", run_moved) \
	X(RUN_UNBLOCKED, "run.unblocked", run_moved) \
	X(START_CLEARED, "start.cleared", start_cleared) \
	X(START_CONSUMED, "start.consumed", start_consumed) \
	X(START_ENDED, "start.ended", start_ended) \
	X(START_PASSED, "start.passed", start_passed) \
	X(START_RECEIVED, "start.received", start_received) \
	X(TASK_CANCELLED, "task.cancelled", task_ended) \
	X(TASK_CAUGHT, "task.caught", task_touched) \
	X(TASK_COMPLETED, "task.completed", task_ended) \
	X(TASK_CORRECTED, "task.corrected", nothing) \
	X(TASK_FAULTED, "task.faulted", task_ended) \
	X(TASK_SKIPPED, "task.skipped", task_ended) \
	X(TASK_STARTED, "task.started", task_started) \
	X(TIMER_ARMED, "timer.armed", timer_armed) \
	X(TIMER_CANCELLED, "timer.cancelled", timer_ended) \
	X(TIMER_FIRED, "timer.fired", timer_ended)

typedef enum cs_event_type {
#define CS_EVENT_ENUM(name, word, fold) CS_EV_##name,
	CS_EVENT_TYPES(CS_EVENT_ENUM)
#undef CS_EVENT_ENUM
	CS_EV_COUNT
} cs_event_type;

/* The word of a type; NULL outside the table. */
const char *cs_event_type_word(cs_event_type t);
/* CS_EV_COUNT when WORD is not in the table. */
cs_event_type cs_event_type_find(const char *word);

#endif
