/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/snapshot_rows.h"

#include <stddef.h>

#define ROW(T, KIND, M) { #M, offsetof(T, M), sizeof(((T *)NULL)->M), CS_MEMBER_##KIND, NULL, NULL }
#define WORD(T, M, WORDS) { #M, offsetof(T, M), sizeof(((T *)NULL)->M), CS_MEMBER_WORD, WORDS, NULL }
#define APART(T, M, WHY) { #M, offsetof(T, M), sizeof(((T *)NULL)->M), CS_MEMBER_APART, NULL, WHY }
#define END { NULL, 0, 0, CS_MEMBER_APART, NULL, NULL }

static const char *const states[] = {
	[CS_RUN_CREATED] = "created", [CS_RUN_RUNNING] = "running", [CS_RUN_WAITING] = "waiting", [CS_RUN_PAUSING] = "pausing",
	[CS_RUN_PAUSED] = "paused", [CS_RUN_COMPLETED] = "completed", [CS_RUN_FAULTED] = "faulted", [CS_RUN_CANCELLING] = "cancelling",
	[CS_RUN_CANCELLED] = "cancelled", [CS_RUN_COMPENSATING] = "compensating", [CS_RUN_COMPENSATED] = "compensated",
	[CS_RUN_STUCK] = "stuck", NULL,
};
static const char *const phases[] = {
	[CS_CALL_PLANNED] = "planned", [CS_CALL_ASKING] = "asking", [CS_CALL_INTENT] = "intent", [CS_CALL_RETRY_WAIT] = "retry-wait",
	[CS_CALL_IN_DOUBT] = "in-doubt", [CS_CALL_PROBING] = "probing", [CS_CALL_DONE] = "done", [CS_CALL_FAILED] = "failed", NULL,
};
static const char *const ways[] = {
	[CS_WAY_NONE] = "none", [CS_WAY_BACK] = "back", [CS_WAY_CONTINUE] = "continue", [CS_WAY_END] = "end", NULL,
};
static const char *const classes[] = {
	[CS_EFFECT_PURE] = "pure", [CS_EFFECT_READ] = "read", [CS_EFFECT_KEYED] = "keyed", [CS_EFFECT_PROBE] = "probe",
	[CS_EFFECT_UNSAFE] = "unsafe", NULL,
};
static const char *const reversal_states[] = {
	[CS_REVERSAL_REGISTERED] = "registered", [CS_REVERSAL_OPEN] = "open", [CS_REVERSAL_REVERSED] = "reversed",
	[CS_REVERSAL_STUCK] = "stuck", [CS_REVERSAL_WAIVED] = "waived", NULL,
};

#define R(KIND, M) ROW(cs_run, KIND, M)
static const cs_member run_rows[] = {
	R(ID, id), R(ID, origin), R(ID, parent), R(ID, replays), R(BOOL, awaited),
	APART(cs_run, flow, "the snapshot is bound to its definition"),
	WORD(cs_run, state, states), R(BOOL, simulated), R(BOOL, shadow), R(BOOL, ask_again), R(BOOL, imported), R(TEXT, from), R(ARRAY, patch),
	APART(cs_run, record, "read again from the log of the run that is replayed"),
	R(JSON, input), R(JSON, start), R(BOOL, input_tainted), R(JSON, context), R(ARRAY, corrections), R(ARRAY, assumed), R(BOOL, context_tainted),
	R(JSON, output), R(JSON, error),
	APART(cs_run, occurrences, "an object by reference"),
	APART(cs_run, kept, "an object by reference, of hearings"),
	APART(cs_run, root, "the list of frames"),
	APART(cs_run, live, "follows from the list of frames"),
	R(TIME, created_at), R(TIME, started_at), R(TIME, deadline), R(TIME, clock), R(TIME, last_seq), R(BOOL, ending),
	APART(cs_run, cut_short, "of one step"),
	APART(cs_run, items, "a list"), APART(cs_run, n_items, "of that list"),
	APART(cs_run, reversals, "a list"), APART(cs_run, n_reversals, "of that list"),
	APART(cs_run, below, "a list"), APART(cs_run, n_below, "of that list"),
	R(HEX, only), R(TASK, within), R(ID, led_by),
	APART(cs_run, descriptor, "built again when it is asked for"),
	APART(cs_run, stand_ins, "built again when they are asked for"),
	APART(cs_run, stand_ins_of, "of the above"),
	R(TEXT, subject), R(TIME, created_seq), R(TIME, copied_seq), R(BOOL, doubtful), R(OBJECT, chain), R(OBJECT, fixtures),
	APART(cs_run, folded, "counts from here on"),
	APART(cs_run, exprs, "of a starter's probe, which is no run of the log"),
	APART(cs_run, owner, "the engine's own"), END,
};

#define F(KIND, M) ROW(cs_frame, KIND, M)
static const cs_member frame_rows[] = {
	APART(cs_frame, task, "by its reference"), F(BOOL, lane), F(INT, occurrence),
	APART(cs_frame, parent, "by its place in the list"),
	APART(cs_frame, kids, "each names its parent"), APART(cs_frame, child, "it names its parent"),
	F(TIME, started_at), F(TIME, started_seq), F(TIME, deadline), F(TIME, due), F(ID, timer), F(JSON, raw), F(JSON, input),
	F(BOOL, input_tainted), F(OBJECT, vars), F(BOOL, vars_tainted), F(OBJECT, done), F(OBJECT, tainted), F(JSON, last), F(BOOL, last_tainted),
	F(TASK, next), F(BOOL, handler), F(BOOL, applied), F(BOOL, exited), F(BOOL, returns), F(THEN, leads), F(UNSIGNED, retries),
	F(TIME, retry_due), F(TIME, retry_since), F(ARRAY, items), F(SIZE, iteration), F(BOOL, iterating), F(INT, winner),
	APART(cs_frame, stopped, "found out again"),
	F(JSON, fault), F(TEXT, fault_ref),
	APART(cs_frame, call, "an object in it"), APART(cs_frame, hearing, "an object in it"),
	F(OBJECT, rounds), F(OBJECT, came), F(ID, sub_id), F(OBJECT, sub_end), F(ID, sub_again), F(OBJECT, emitted),
	APART(cs_frame, answers, "asked for again"), APART(cs_frame, n_answers, "of the above"),
	APART(cs_frame, generation, "nothing is asked for"), APART(cs_frame, asked, "nothing is asked for"), END,
};

#define C(KIND, M) ROW(cs_call, KIND, M)
static const cs_member call_rows[] = {
	WORD(cs_call, phase, phases), APART(cs_call, fn, "looked up anew"), C(JSON, args), C(BOOL, args_tainted), C(ARRAY, tainted_args),
	WORD(cs_call, effect, classes), C(HEX, digest), C(HEX, key), C(HEX, once), C(UNSIGNED, once_n), C(JSON, once_value), C(BOOL, awaits),
	C(UNSIGNED, logical), C(UNSIGNED, tries), C(BOOL, ambiguous), C(TIME, first_intent_at), C(TIME, due), C(TIME, deadline), C(JSON, request),
	APART(cs_call, policy, "never leaves memory"), APART(cs_call, credential, "never leaves memory"),
	C(ID, item), C(ID, next_item), C(ID, previous), C(TEXT, editor), C(ID, approval), C(JSON, result), C(JSON, error), C(BOOL, result_tainted),
	WORD(cs_call, turn, ways), C(TIME, intent_seq),
	APART(cs_call, dispatched, "by this process"),
	C(BOOL, simulated), C(UNSIGNED, spared), APART(cs_call, held, "found out again"), C(TEXT, name), C(HEX, reverses), C(BOOL, registered),
	C(BOOL, cleared), C(BOOL, probed), APART(cs_call, outer, "an object in it"), END,
};

#define H(KIND, M) ROW(cs_hearing, KIND, M)
static const cs_member hearing_rows[] = {
	H(ARRAY, inbox), H(ARRAY, items), H(OBJECT, keys),
	APART(cs_hearing, met, "the numbers of those that are"), APART(cs_hearing, until_met, "the numbers of those that are"),
	APART(cs_hearing, n_met, "counted"), APART(cs_hearing, n_until_met, "counted"),
	H(SIZE, received), APART(cs_hearing, checked, "found out again"), H(BOOL, tainted), H(BOOL, handling), H(OBJECT, current),
	H(INT, current_filter), H(BOOL, over), END,
};

#define I(KIND, M) ROW(cs_item, KIND, M)
static const cs_member item_rows[] = {
	I(ID, id), APART(cs_item, kind, "follows from what was published"), APART(cs_item, state, "a word"), I(TASK, task), I(HEX, digest),
	I(OBJECT, published), I(OBJECT, decision), APART(cs_item, decided_by, "follows from the decision"),
	I(TIME, grace_until), I(TIME, expires), I(TIME, snoozed_until), I(UNSIGNED, level), I(UNSIGNED, reminded), I(TIME, published_seq),
	I(TIME, decided_seq), END,
};

#define V(KIND, M) ROW(cs_reversal, KIND, M)
static const cs_member reversal_rows[] = {
	WORD(cs_reversal, state, reversal_states), V(HEX, key), V(HEX, once), V(ID, run), V(TEXT, name), V(TASK, task), V(INT, occurrence),
	V(JSON, input), V(JSON, result), V(BOOL, tainted), V(UNSIGNED, tries), V(TIME, seq), V(JSON, error), END,
};

#define B(KIND, M) ROW(cs_below, KIND, M)
static const cs_member below_rows[] = {
	B(ID, run), B(ID, of), B(TASK, task), B(INT, occurrence), END,
};

const cs_members cs_snapshot_run = { "cs_run", sizeof(cs_run), run_rows };
const cs_members cs_snapshot_frame = { "cs_frame", sizeof(cs_frame), frame_rows };
const cs_members cs_snapshot_call = { "cs_call", sizeof(cs_call), call_rows };
const cs_members cs_snapshot_hearing = { "cs_hearing", sizeof(cs_hearing), hearing_rows };
const cs_members cs_snapshot_item = { "cs_item", sizeof(cs_item), item_rows };
const cs_members cs_snapshot_reversal = { "cs_reversal", sizeof(cs_reversal), reversal_rows };
const cs_members cs_snapshot_below = { "cs_below", sizeof(cs_below), below_rows };

const cs_members *const cs_snapshot_structs[] = {
	&cs_snapshot_run, &cs_snapshot_frame, &cs_snapshot_call, &cs_snapshot_hearing, &cs_snapshot_item, &cs_snapshot_reversal,
	&cs_snapshot_below, NULL,
};
