/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An HTTP request as data, before anything is sent: from an operation's `request` or a
 * `call: http` to the exact method, URL, headers and body that a card shows, a digest covers and
 * the connector sends. And what a reply's status means for an effect. Pure. */
#ifndef CS_CORE_HTTP_REQUEST_H
#define CS_CORE_HTTP_REQUEST_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "core/effect.h"

typedef struct cs_http_source {
	/* Expressions evaluated, borrowed. With BASE: {method, path, query, headers, as, body} of an
	 * operation; without: the `with` of a call to http (DSL reference, "HTTP Call"). */
	const json_t *request;
	const char *base;        /* the connector's url, or NULL */
	const json_t *vars;      /* object for the {x} of the path; may be NULL */
	/* The host stands in a file as it is, not computed by an expression. A {x} in it unsays this. */
	bool host_written;
} cs_http_source;

/* Renders to {method, url, headers: {}, body, as, output, redirect, named}. `body` is absent
 * when there is none; `as` json | form | multipart | text; `output` content | response | raw; `named`: the host counts
 * as named by the operator. Variables by simple string expansion (RFC 6570, 3.2.2); in an operation, and
 * in a call to http whose method is not safe, a missing or empty one is an error; else it is an empty string, as
 * the DSL says.
 * Members are in the order of RFC 8785, as the log gives them back: the bytes are the same before and
 * after a restart. New reference in *ret. CS_EINVAL for what cannot be sent (the flow sees `expression` for a
 * variable, `validation` else), CS_EUNSUPPORTED for what this version does not obey
 * (`configuration`), CS_ETOOBIG. */
int cs_http_render(const cs_http_source *s, json_t **ret, cs_err *err);

/* The bytes of a rendered body; none leaves OUT empty. OUT holds the maximum. */
int cs_http_render_body(const json_t *rendered, cs_buf *out, cs_err *err);

/* Expands {x} in TEMPLATE into OUT, percent-encoding all but unreserved characters; with STRICT
 * a missing or empty variable is CS_EINVAL. */
int cs_uri_expand(const char *template, const json_t *vars, bool strict, cs_buf *out, cs_err *err);

/* What a method is when nothing is declared: GET and HEAD read, the rest unsafe. */
cs_effect_class cs_http_default_class(const char *method);

/* The kind that STATES.md gives a complete reply. REDIRECT: 3xx counts as success (DSL,
 * `redirect: true`). A 3xx else refuses a read; for what sends it does not prove that nothing
 * happened, so it is ambiguous, as 409 is for all. */
cs_outcome_kind cs_http_outcome_kind(cs_effect_class class, int status, bool retry_after, bool redirect);

#endif
