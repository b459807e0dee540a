/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contract between the engine and whatever acts for it outside: one attempt at an effect
 * goes in, one outcome in the words of STATES.md ("Attempt at an effect") comes out. The engine
 * decides when an effect may leave; a performer says how far it came, and errs to ambiguous. */
#ifndef CS_CORE_EFFECT_H
#define CS_CORE_EFFECT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "flow/effect_class.h"
#include "flow/error.h"

typedef enum cs_outcome_kind {
	CS_OUTCOME_DONE,
	CS_OUTCOME_NOT_SENT,   /* proof: failed before the first byte left, or the child did not start */
	CS_OUTCOME_REJECTED,   /* a complete definitive refusal; it did not happen */
	CS_OUTCOME_TRANSIENT,  /* a complete "later"; only for read, keyed and probe */
	CS_OUTCOME_AMBIGUOUS,  /* anything else after the first byte */
} cs_outcome_kind;

/* "done" "not-sent" "rejected" "transient" "ambiguous". */
const char *cs_outcome_kind_name(cs_outcome_kind kind);
/* CS_EINVAL for another word. */
int cs_outcome_kind_parse(const char *word, cs_outcome_kind *ret, cs_err *err);

/* One attempt, deep-copied by the engine and valid until done is called. The JSON is borrowed
 * and never changed by a performer. */
typedef struct cs_effect {
	char run[CS_ID_SIZE];
	const char *task;        /* the standard's reference, "/do/0/name" */
	const char *key;         /* 64 hex digits */
	const char *call;        /* the function's name: "qualifier", "billing.create", "http" */
	cs_effect_class class;
	json_t *def;             /* the operation, agent or http call, as in its file */
	json_t *connector;       /* the connector's document, or NULL */
	json_t *input;           /* validated */
	json_t *rendered;        /* http: what core/http_request.h made; text: {text}; else NULL */
	const char *credential;  /* http: the value of `Authorization`, or NULL; never recorded */
	/* What of the vault may be put in: {NAME or NAME.MEMBER: its stand-in, or null for a credential's}; NULL:
	 * nothing. SECRET gives the value, on any thread, for free() after overwriting; it may wait for a file. */
	json_t *secrets;
	int (*secret)(void *ctx, const char *name, char **ret, cs_err *err);
	void *secret_ctx;
	json_t *policy;          /* http: {SCHEME: {…}} with stand-ins, or {use: NAME}, for a credential made here; NULL */
	bool simulated;
	int64_t timeout_ms;      /* 0: the performer's own default */
	const char *workdir;     /* the workspace's folder */
	/* Asked just before the first byte leaves, on the performer's thread: must not block.
	 * False: the attempt ends NOT_SENT. NULL: nobody to ask. */
	bool (*gate)(void *ctx);
	void *gate_ctx;
	unsigned attempt;        /* 1 is the first */
} cs_effect;

typedef struct cs_outcome {
	cs_outcome_kind kind;
	json_t *result;          /* owned; the raw result of the call; set when done */
	json_t *error;           /* owned; {type, status, title, detail}; set when not done */
	json_t *record;          /* owned; what the trace shows: request, reply, ms; secrets masked, bodies bounded */
	int64_t cost_micro;      /* micro-dollars */
	int64_t retry_after_ms;  /* what the other side asked for; 0: nothing */
	bool held;               /* not sent because the gate said no: set by the engine */
} cs_outcome;

cs_outcome *cs_outcome_new(cs_outcome_kind kind);
void cs_outcome_free(cs_outcome *o);          /* takes NULL */
void cs_outcome_freep(cs_outcome **o);
#define CS_AUTOOUTCOME CS_CLEANUP(cs_outcome_freep)

/* Called exactly once per begun effect; OUTCOME is taken over. */
typedef void cs_outcome_fn(void *ctx, cs_outcome *outcome);

typedef struct cs_performer {
	const char *kind;        /* "http" "shell" "rules" "fixture" */
	/* True: called on a worker thread, calls done before it returns. False: returns at once,
	 * done comes from another thread later (or before it returns). */
	bool blocking;
	/* Negative: nothing was begun, done is never called; the engine takes it as NOT_SENT. */
	int (*perform)(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err);
	void *self;
} cs_performer;

/* A JSON string of whatever bytes S holds: as it is when it is UTF-8 without NUL, else escaped for
 * reading; over MAX bytes cut at a character, with " …" after it. */
json_t *cs_effect_text(const char *s, size_t n, size_t max);
/* An outcome with such an error; STATUS 0 and TITLE NULL are the type's own, the detail by printf. */
cs_outcome *cs_outcome_failed(cs_outcome_kind kind, cs_error_type type, int status,
			      const char *title, const char *fmt, ...) CS_PRINTF(5, 6);

#endif
