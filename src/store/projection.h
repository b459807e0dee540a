/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fold: from an event to the rows of the projections. Append and rebuild go through the
 * same functions, which look at the event and the rows alone, never at a clock, a file or the
 * settings of this process: so folding the log again gives the same bytes (I9).
 *
 * What the fold makes of the events, beyond what their names say:
 * - run.updated and run.last_seq follow every event of the run; run.ended is set by completed,
 *   faulted and cancelled and cleared by retried; run.cost sums the cost of attempt events.
 * - run.retried puts the run to running and its faulted tasks to pending (no start, no end);
 *   what else was done stays done. run.corrected takes `new` as the run's definition.
 * - task.completed, skipped, faulted, cancelled without an earlier row: started = ended = at.
 * - task.attempts counts attempt.intent; the row is made when there is none.
 * - An attempt is (key, n, run): a shadow run has the keys of its original. Events after the
 *   intent go to the largest n of key and run. ambiguous: unsafe in-doubt, probe probing, else
 *   retry-wait. resolved: happened done, did-not failed, repeat superseded. attempt.ended is
 *   set in done, failed and superseded.
 * - item.state: proposed, pending (published, undone), approved, rejected, answered, edited,
 *   expired, withdrawn, void, consumed, settled; of item.*: open, closed. An item that names a
 *   previous one becomes its successor where it has none.
 * - item.level and item.reminded count its escalations and reminders, from 0; what is escalated is not
 *   put off any more.
 * - event_seen has the first event.emitted of each (source, id), of real runs and of simulated ones
 *   apart; a replay's are not in it.
 * - start_event has what was received for a start and is not over: neither passed nor of a gathering
 *   that ended. start_once has the run of each business value, of real runs and of simulated ones apart.
 * - once_key has the latest attempt under each business key, of whatever run; done becomes reversing and
 *   reversed by what takes it back, and done again where that is waived.
 * - What an imported run did (its actors begin with CS_IMPORTED_ACTOR) is in the row of the run alone, without its
 *   cost: no task, item, timer, attempt or key of it is in any table. run.imported is the seq of the event of that
 *   name; a run that was open there is cancelled here.
 * - setting: "signer:KEY" the workspace whose runs signed so were imported.
 * - breaker has a row for each connector and target that ever failed: state closed, open, half-open; failures,
 *   the times (JSON) of those that count while it is closed; until while it is open; trips, how often it
 *   opened since it was closed; item, the one in the inbox; error, the title of the last.
 * - setting: "hold" on|off, "hold.why", "live" on|off, "connector:NAME" and the mode. */
#ifndef CS_STORE_PROJECTION_H
#define CS_STORE_PROJECTION_H

#include <sqlite3.h>
#include "base/err.h"
#include "store/event_types.h"
#include "store/store.h"

typedef struct cs_fold cs_fold;

/* Folds into DB, which holds the projections and outlives it. */
cs_fold *cs_fold_new(sqlite3 *db);
void cs_fold_free(cs_fold *f);               /* NULL is fine */
/* One event of type T into the rows; EV's data with its bodies back. CS_EREFUSED where it
 * contradicts what is there, CS_EINVAL where it lacks what the fold needs: then nothing was written. */
int cs_fold_event(cs_fold *f, cs_event_type t, const cs_event *ev, cs_err *err);
/* Writes what is put off: run.updated and run.last_seq of the runs that had events since. Until then they are behind
 * in the rows, and nothing else is. Before what was folded is committed or read. */
int cs_fold_settle(cs_fold *f, cs_err *err);
/* What was put off is taken back with its group. */
void cs_fold_forget(cs_fold *f);

/* ---- for the rooms of the fold ------------------------------------------------------------ */

#define CS_FOLD_STATEMENTS(X) \
	X(RUN_TOUCH, "UPDATE run SET updated = ?2, last_seq = ?3 WHERE id = ?1") \
	X(RUN_MOVE, "UPDATE run SET state = ?4, updated = ?2, last_seq = ?3 WHERE id = ?1") \
	X(RUN_CREATE, "INSERT INTO run (id, flow, name, version, definition, kind, state, updated," \
		" parent, origin, subject, title, key, simulated, cost, created, created_seq, input_seq," \
		" last_seq) VALUES (?1,?2,?3,?4,?5,?6,'created',?7,?8,?9,?10,?11,?12,?13,0,?7,?14,?15,?14)") \
	X(RUN_START, "UPDATE run SET state = 'running', started = coalesce(started, ?2), updated = ?2," \
		" last_seq = ?3, input_seq = coalesce(input_seq, ?4) WHERE id = ?1") \
	X(RUN_END, "UPDATE run SET state = ?4, ended = ?2, updated = ?2, end_seq = ?3, last_seq = ?3," \
		" error_title = ?5 WHERE id = ?1") \
	X(RUN_RETRY, "UPDATE run SET state = 'running', ended = NULL, end_seq = NULL," \
		" error_title = NULL, updated = ?2, last_seq = ?3 WHERE id = ?1") \
	X(RUN_COMPENSATE, "UPDATE run SET state = 'compensating', ended = NULL, end_seq = NULL," \
		" error_title = coalesce(?4, error_title), updated = ?2, last_seq = ?3 WHERE id = ?1") \
	X(RUN_RETRY_TASKS, "UPDATE task SET state = 'pending', started = NULL, ended = NULL, seq = ?2" \
		" WHERE run = ?1 AND state = 'faulted'") \
	X(RUN_ADOPT, "UPDATE run SET definition = coalesce(?4, definition), version = coalesce(?5, version)," \
		" updated = ?2, last_seq = ?3 WHERE id = ?1") \
	X(RUN_IMPORT, "UPDATE run SET state = CASE WHEN state IN ('completed','faulted','cancelled','compensated')" \
		" THEN state ELSE 'cancelled' END, ended = coalesce(ended, ?2), updated = ?2, last_seq = ?3, imported = ?3 WHERE id = ?1") \
	X(RUN_COST, "UPDATE run SET cost = cost + ?2 WHERE id = ?1") \
	X(START_KEY, "INSERT INTO start_key (key, run, digest) VALUES (?1, ?2, ?3)") \
	X(TASK_START, "INSERT INTO task (run, ref, occurrence, state, started, seq, attempts, cost)" \
		" VALUES (?1,?2,?3,'running',?4,?5,0,0) ON CONFLICT (run, ref, occurrence) DO UPDATE" \
		" SET state = 'running', started = excluded.started, ended = NULL, seq = excluded.seq") \
	X(TASK_END, "INSERT INTO task (run, ref, occurrence, state, started, ended, seq, attempts, cost)" \
		" VALUES (?1,?2,?3,?4,?5,?5,?6,0,0) ON CONFLICT (run, ref, occurrence) DO UPDATE" \
		" SET state = excluded.state, started = coalesce(started, excluded.started)," \
		" ended = excluded.ended, seq = excluded.seq") \
	X(TASK_TOUCH, "UPDATE task SET seq = ?4 WHERE run = ?1 AND ref = ?2 AND occurrence = ?3") \
	X(TASK_ATTEMPT, "INSERT INTO task (run, ref, occurrence, state, started, seq, attempts, cost)" \
		" VALUES (?1,?2,?3,'running',?4,?5,1,0) ON CONFLICT (run, ref, occurrence) DO UPDATE" \
		" SET attempts = attempts + 1, seq = excluded.seq") \
	X(TASK_COST, "UPDATE task SET cost = cost + ?4 WHERE run = ?1 AND ref = ?2 AND occurrence = ?3") \
	X(ATTEMPT_INTENT, "INSERT INTO attempt (key, n, run, task, occurrence, call, connector, class," \
		" digest, state, epoch, deadline, started, seq, approval, simulated, cost)" \
		" VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,'intent',?10,?11,?12,?13,?14,?15,0)") \
	X(ATTEMPT_FIND, "SELECT n, class FROM attempt WHERE key = ?1 AND run = ?2 ORDER BY n DESC LIMIT 1") \
	X(ATTEMPT_MOVE, "UPDATE attempt SET state = ?4, due = ?5, ended = ?6, seq = ?7, cost = cost + ?8" \
		" WHERE key = ?1 AND run = ?2 AND n = ?3") \
	X(ITEM_PUBLISH, "INSERT INTO item (id, kind, title, run, task, occurrence, state, digest, created," \
		" expires, grace, next, published_seq, simulated, confirm, previous, call)" \
		" VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)" \
		" ON CONFLICT (id) DO UPDATE SET state = excluded.state, published_seq = excluded.published_seq," \
		" kind = excluded.kind, title = excluded.title, digest = excluded.digest," \
		" expires = excluded.expires, grace = excluded.grace, next = excluded.next," \
		" confirm = excluded.confirm, previous = excluded.previous, call = excluded.call") \
	X(ITEM_SUCCEED, "UPDATE item SET successor = ?2 WHERE id = ?1 AND successor IS NULL") \
	X(ITEM_DECIDE, "UPDATE item SET state = ?2, decided_by = ?3, note = ?4, grace_until = ?5," \
		" decided_seq = ?6 WHERE id = ?1") \
	X(ITEM_MOVE, "UPDATE item SET state = ?2, grace_until = NULL," \
		" decided_seq = coalesce(decided_seq, ?3) WHERE id = ?1") \
	X(ITEM_UNDO, "UPDATE item SET state = 'pending', decided_by = NULL, note = NULL," \
		" grace_until = NULL, decided_seq = NULL WHERE id = ?1") \
	X(ITEM_EDIT, "UPDATE item SET state = 'edited', decided_by = ?3, decided_seq = ?4," \
		" successor = coalesce(?2, successor) WHERE id = ?1") \
	X(ITEM_SNOOZE, "UPDATE item SET snoozed_until = ?2 WHERE id = ?1") \
	X(ITEM_DELEGATE, "UPDATE item SET delegated_to = ?2 WHERE id = ?1") \
	X(ITEM_ESCALATE, "UPDATE item SET level = ?2, delegated_to = coalesce(?3, delegated_to)," \
		" snoozed_until = NULL WHERE id = ?1") \
	X(ITEM_REMIND, "UPDATE item SET reminded = ?2 WHERE id = ?1") \
	X(TIMER_ARM, "INSERT INTO timer (id, run, due, state, what, seq) VALUES (?1,?2,?3,'armed',?4,?5)" \
		" ON CONFLICT (id) DO UPDATE SET run = excluded.run, due = excluded.due, state = 'armed'," \
		" what = excluded.what, seq = excluded.seq") \
	X(TIMER_END, "UPDATE timer SET state = ?2, seq = ?3 WHERE id = ?1") \
	X(EVENT_SEE, "INSERT INTO event_seen (source, id, simulated, seq) VALUES (?1,?2,?3,?4)" \
		" ON CONFLICT (source, id, simulated) DO NOTHING") \
	X(START_RECEIVE, "INSERT INTO start_event (seq, starter) VALUES (?1, ?2)") \
	X(START_CONSUME, "UPDATE start_event SET consumed = ?2, gathering = ?3 WHERE seq = ?1") \
	X(START_PASS, "DELETE FROM start_event WHERE seq = ?1") \
	X(START_END, "DELETE FROM start_event WHERE starter = ?1 AND gathering = ?2") \
	X(START_CLEAR, "DELETE FROM start_event WHERE starter = ?1") \
	X(START_ONCE, "INSERT INTO start_once (value, simulated, run, seq) VALUES (?1,?2,?3,?4)" \
		" ON CONFLICT (value, simulated) DO NOTHING") \
	X(ONCE_INTENT, "INSERT INTO once_key (key, state, run, task, attempt, digest, n, seq) VALUES (?1,'intent',?2,?3,?4,?5,?6,?7)" \
		" ON CONFLICT (key) DO UPDATE SET state = 'intent', run = excluded.run, task = excluded.task, attempt = excluded.attempt," \
		" digest = excluded.digest, n = excluded.n, seq = excluded.seq") \
	X(ONCE_MOVE, "UPDATE once_key SET state = ?3, seq = ?4 WHERE key = ?1 AND attempt = ?2") \
	X(ONCE_REVERSE, "UPDATE once_key SET state = ?3 WHERE key = ?1 AND attempt = ?2") \
	X(BREAKER_MOVE, "INSERT INTO breaker (connector, target, state, failures, until, trips, item, error, seq)" \
		" VALUES (?1,?2,?3,?4,?5,coalesce(?6, 0),?7,?8,?9) ON CONFLICT (connector, target) DO UPDATE SET" \
		" state = excluded.state, failures = excluded.failures, until = excluded.until," \
		" trips = CASE WHEN excluded.state = 'closed' THEN 0 ELSE coalesce(?6, trips) END," \
		" item = CASE WHEN excluded.state = 'closed' THEN NULL ELSE coalesce(excluded.item, item) END," \
		" error = coalesce(excluded.error, error), seq = excluded.seq") \
	X(SETTING, "INSERT INTO setting (name, value) VALUES (?1, ?2)" \
		" ON CONFLICT (name) DO UPDATE SET value = excluded.value") \
	X(SETTING_DROP, "DELETE FROM setting WHERE name = ?1")

typedef enum cs_fold_statement {
#define CS_FOLD_ENUM(name, sql) CS_FOLD_##name,
	CS_FOLD_STATEMENTS(CS_FOLD_ENUM)
#undef CS_FOLD_ENUM
	CS_FOLD_COUNT
} cs_fold_statement;

/* A statement by its number, reset, prepared when it is first asked for. */
int cs_fold_get(cs_fold *f, cs_fold_statement which, sqlite3_stmt **ret, cs_err *err);
/* Binds by the format of cs_sql_bind and runs it. */
int cs_fold_do(cs_fold *f, cs_fold_statement which, cs_err *err, const char *format, ...);
/* The event's clock, if it has one: what the next engine holds the wall clock against. */
int cs_fold_clock(cs_fold *f, const cs_event *ev, cs_err *err);
/* A string member the fold cannot do without: NULL, and ERR says which of which event. */
const char *cs_fold_need(const cs_event *ev, const char *member, cs_err *err);
/* A time member: integer ms or RFC 3339 text. False when absent or not a time. */
bool cs_fold_time(const cs_event *ev, const char *member, int64_t *ret);
/* As cs_sql_bind's i, but null when the member is absent. */
void cs_fold_bind_time(sqlite3_stmt *st, int column, const cs_event *ev, const char *member);
/* It was done in another workspace, and came here by an import. */
bool cs_fold_imported(const cs_event *ev);
/* The word after the dot of the event's type: "completed". */
const char *cs_fold_verb(const cs_event *ev);
/* The state that an event leads to: by TABLE (ends with a NULL verb) where its name is not the
 * state's, else its verb. */
typedef struct cs_fold_word {
	const char *verb, *state;
} cs_fold_word;
const char *cs_fold_state(const cs_fold_word *table, const cs_event *ev);

typedef int cs_fold_fn(cs_fold *f, const cs_event *ev, cs_err *err);
cs_fold_fn cs_fold_nothing, cs_fold_run_created, cs_fold_run_started, cs_fold_run_moved,
	cs_fold_run_resumed, cs_fold_run_compensating, cs_fold_run_ended, cs_fold_run_retried, cs_fold_run_corrected, cs_fold_run_adopted,
	cs_fold_run_imported, cs_fold_log_imported, cs_fold_log_archived,
	cs_fold_task_started, cs_fold_task_ended, cs_fold_task_touched, cs_fold_attempt_intent,
	cs_fold_attempt_ended, cs_fold_attempt_retry, cs_fold_attempt_ambiguous,
	cs_fold_attempt_resolved, cs_fold_attempt_shadow, cs_fold_item_published, cs_fold_item_decided, cs_fold_item_moved,
	cs_fold_item_undone, cs_fold_item_edited, cs_fold_item_snoozed, cs_fold_item_delegated,
	cs_fold_item_closed, cs_fold_item_escalated, cs_fold_item_reminded, cs_fold_timer_armed, cs_fold_timer_ended, cs_fold_connector_mode,
	cs_fold_breaker_moved, cs_fold_engine_started, cs_fold_engine_hold, cs_fold_engine_incarnation, cs_fold_engine_live, cs_fold_event_emitted, cs_fold_start_received, cs_fold_start_consumed,
	cs_fold_start_passed, cs_fold_start_ended, cs_fold_start_cleared,
	cs_fold_reversal_moved;
/* Folds the events of LOG, the database in DIR, and of its segments into F, in order, and settles it. DIR NULL: of a log without an
 * archive; then those of TYPE alone where one is given. */
int cs_fold_log(sqlite3 *log, const char *dir, cs_fold *f, const char *type, cs_err *err);

#endif
