/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child that runs libjq. It has no file but its two pipes and can open none; whatever kills it, kills
 * nothing else. */
#include "flow/jq_pool.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <jq.h>
#include "base/buf.h"
#include "base/json.h"
#include "flow/jq_wire.h"

#define MESSAGE_MAX 600

static const char too_deep[] = "its value is nested more than 128 deep";
static const char too_long[] = "its value is over 8 MiB of JSON";

typedef struct worker {
	jq_state *slots[CS_JQ_SLOTS];
	cs_buf in, out;
	cs_buf messages;      /* what jq said while compiling */
} worker;

/* ---- confinement ------------------------------------------------------------------------ */

/* The parent has limited memory; here goes what the child can give up for itself. A limit that cannot be set is
 * a reason not to run. */
static int confine(void)
{
	static const struct { int which; rlim_t most; } limits[] = {
		{ RLIMIT_CORE, 0 }, { RLIMIT_NOFILE, 0 }, { RLIMIT_NPROC, 0 }, { RLIMIT_FSIZE, 0 },
	};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	for (size_t i = 0; i < CS_ARRAY_LEN(limits); i++) {
		struct rlimit rl = { limits[i].most, limits[i].most };
		if (setrlimit((__rlimit_resource_t)limits[i].which, &rl) < 0)
			return -1;
	}
	return 0;
}

/* ---- pipes ------------------------------------------------------------------------------ */

/* 1: all N bytes; 0: the pipe ended before the first; -1: anything else. */
static int read_all(void *to, size_t n)
{
	char *p = to;
	for (size_t got = 0; got < n;) {
		ssize_t r = read(0, p + got, n - got);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r == 0 && got == 0 ? 0 : -1;
		got += (size_t)r;
	}
	return 1;
}

static int read_frame(cs_buf *in)
{
	unsigned char head[4];
	char chunk[16384];
	int rc = read_all(head, sizeof(head));
	size_t left = rc == 1 ? cs_jq_frame_length(head) : 0;
	if (rc == 1 && (left < 2 || left > CS_JQ_FRAME_MAX))
		return -1;
	cs_buf_reset(in);
	while (rc == 1 && left) {
		size_t n = left < sizeof(chunk) ? left : sizeof(chunk);
		rc = read_all(chunk, n) == 1 && cs_buf_add(in, chunk, n) == 0 ? 1 : -1;
		left -= n;
	}
	return rc;
}

static int write_frame(cs_buf *out)
{
	if (cs_jq_frame_end(out) < 0) {
		cs_jq_frame_begin(out, CS_JQ_BIG);
		cs_buf_adds(out, too_long);
		cs_jq_frame_end(out);
	}
	for (size_t done = 0; done < out->len;) {
		ssize_t n = write(1, out->data + done, out->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static void answer(cs_buf *out, char kind, const char *message)
{
	cs_jq_frame_begin(out, kind);
	cs_buf_adds(out, message);
}

/* ---- values ----------------------------------------------------------------------------- */

static const char *write_value(jv v, unsigned depth, cs_buf *out);

static void write_string(jv v, cs_buf *out)
{
	const char *s = jv_string_value(v);
	size_t n = (size_t)jv_string_length_bytes(jv_copy(v)), done = 0;
	cs_buf_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		cs_buf_add(out, s + done, i - done);
		cs_buf_addf(out, "\\u%04x", c);
		done = i + 1;
	}
	cs_buf_add(out, s + done, n - done);
	cs_buf_addc(out, '"');
}

/* An integer only within 2^53; beyond, the reader must see a double. */
static const char *write_number(double d, cs_buf *out)
{
	char text[40];
	if (isnan(d))
		return "its value holds NaN, which JSON cannot say";
	if (isinf(d))
		return "its value holds an infinite number, which JSON cannot say";
	bool whole = fabs(d) < 9223372036854775808.0 && d == (double)(long long)d;
	if (whole && fabs(d) <= 9007199254740992.0) {
		cs_buf_addf(out, "%lld", (long long)d);
		return NULL;
	}
	/* Written down, it would read as an integer that it is not. */
	if (whole)
		return "its value holds a whole number beyond 2^53, of which jq has lost digits";
	cs_json_number(d, text, sizeof(text));
	cs_buf_adds(out, text);
	if (!strpbrk(text, ".e"))
		cs_buf_adds(out, "e0");
	return NULL;
}

static const char *write_array(jv v, unsigned depth, cs_buf *out)
{
	const char *why = NULL;
	int n = jv_array_length(jv_copy(v));
	cs_buf_addc(out, '[');
	for (int i = 0; i < n && !why && !out->failed; i++) {
		if (i)
			cs_buf_addc(out, ',');
		jv item = jv_array_get(jv_copy(v), i);
		why = write_value(item, depth, out);
		jv_free(item);
	}
	cs_buf_addc(out, ']');
	return why;
}

static const char *write_object(jv v, unsigned depth, cs_buf *out)
{
	const char *why = NULL;
	bool first = true;
	cs_buf_addc(out, '{');
	for (int i = jv_object_iter(v); jv_object_iter_valid(v, i) && !why && !out->failed;
	     i = jv_object_iter_next(v, i)) {
		if (!first)
			cs_buf_addc(out, ',');
		first = false;
		jv key = jv_object_iter_key(v, i), item = jv_object_iter_value(v, i);
		write_string(key, out);
		cs_buf_addc(out, ':');
		why = write_value(item, depth, out);
		jv_free(key);
		jv_free(item);
	}
	cs_buf_addc(out, '}');
	return why;
}

/* Borrows V. NULL, or why it cannot be written. */
static const char *write_value(jv v, unsigned depth, cs_buf *out)
{
	if (depth == 0)
		return too_deep;
	switch (jv_get_kind(v)) {
	case JV_KIND_NULL:   cs_buf_adds(out, "null"); return NULL;
	case JV_KIND_FALSE:  cs_buf_adds(out, "false"); return NULL;
	case JV_KIND_TRUE:   cs_buf_adds(out, "true"); return NULL;
	case JV_KIND_NUMBER: return write_number(jv_number_value(v), out);
	case JV_KIND_STRING: write_string(v, out); return NULL;
	case JV_KIND_ARRAY:  return write_array(v, depth - 1, out);
	case JV_KIND_OBJECT: return write_object(v, depth - 1, out);
	default:             return "jq gave no value";
	}
}

/* ---- jq --------------------------------------------------------------------------------- */

static void on_message(void *ctx, jv message)
{
	cs_buf *to = ctx;
	if (jv_get_kind(message) == JV_KIND_STRING && to->len < MESSAGE_MAX)
		cs_buf_addf(to, "%s%.*s", to->len ? "\n" : "", MESSAGE_MAX, jv_string_value(message));
	jv_free(message);
}

static void load(worker *w, unsigned slot, const char *program)
{
	if (w->slots[slot])
		jq_teardown(&w->slots[slot]);
	jq_state *jq = jq_init();
	cs_buf_reset(&w->messages);
	if (!jq) {
		answer(&w->out, CS_JQ_ERROR, "jq has no memory to begin with");
		return;
	}
	jq_set_error_cb(jq, on_message, &w->messages);
	if (jq_compile(jq, program)) {
		w->slots[slot] = jq;
		answer(&w->out, CS_JQ_VALUE, "");
		return;
	}
	jq_teardown(&jq);
	answer(&w->out, CS_JQ_ERROR, cs_buf_str(&w->messages));
}

/* The message of an error that jq raised. Takes FAILED. */
static void answer_error(worker *w, jv failed)
{
	jv message = jv_invalid_get_msg(failed);
	cs_jq_frame_begin(&w->out, CS_JQ_ERROR);
	if (jv_get_kind(message) == JV_KIND_STRING) {
		cs_buf_addf(&w->out, "%.*s", MESSAGE_MAX, jv_string_value(message));
	} else {
		CS_AUTOBUF cs_buf text;
		cs_buf_init(&text, CS_JQ_FRAME_MAX);
		if (write_value(message, CS_JSON_DEPTH, &text))
			cs_buf_reset(&text);
		cs_buf_addf(&w->out, "an error that is not a string: %.*s", MESSAGE_MAX, cs_buf_str(&text));
	}
	jv_free(message);
}

/* The one value there must be. Takes it. */
static void answer_value(worker *w, jq_state *jq, jv value)
{
	cs_jq_frame_begin(&w->out, CS_JQ_VALUE);
	const char *why = write_value(value, CS_JSON_DEPTH, &w->out);
	bool too_big = w->out.failed;
	jv_free(value);
	if (too_big || why) {
		answer(&w->out, too_big || why == too_deep ? CS_JQ_BIG : CS_JQ_ERROR, too_big ? too_long : why);
		return;
	}
	jv second = jq_next(jq);
	if (jv_is_valid(second)) {
		answer(&w->out, CS_JQ_ERROR, "it yields more than one value; gather them with [ … ] or take one with first(…)");
		jv_free(second);
	} else if (jv_invalid_has_msg(jv_copy(second))) {
		answer_error(w, second);
	} else {
		jv_free(second);
	}
}

static void eval(worker *w, jq_state *jq, const char *text, size_t len)
{
	jv request = jv_parse_sized(text, (int)len);
	if (!jv_is_valid(request)) {
		jv_free(request);
		answer(&w->out, CS_JQ_ERROR, "jq cannot read what the expression is given");
		return;
	}
	jq_start(jq, request, 0);
	jv value = jq_next(jq);
	if (jv_is_valid(value))
		answer_value(w, jq, value);
	else if (jv_invalid_has_msg(jv_copy(value)))
		answer_error(w, value);
	else {
		jv_free(value);
		answer(&w->out, CS_JQ_ERROR, "it yields nothing; give a value for that case with `// …`");
	}
	/* Let go of everything before the answer: what dies of that, dies while it is known of whom. */
	jq_start(jq, jv_null(), 0);
}

static void handle(worker *w)
{
	unsigned slot = (unsigned char)w->in.data[1];
	const char *rest = w->in.data + 2;
	if (slot >= CS_JQ_SLOTS)
		answer(&w->out, CS_JQ_ERROR, "no such place for a program");
	else if (w->in.data[0] == CS_JQ_LOAD)
		load(w, slot, rest);
	else if (w->in.data[0] == CS_JQ_EVAL && w->slots[slot])
		eval(w, w->slots[slot], rest, w->in.len - 2);
	else
		answer(&w->out, CS_JQ_ERROR, "no program is there");
}

int cs_jq_worker_main(void)
{
	worker w = { 0 };
	int rc;
	if (confine() < 0)
		return 1;
	cs_buf_init(&w.in, CS_JQ_FRAME_MAX);
	cs_buf_init(&w.out, CS_JQ_FRAME_MAX + 4);
	cs_buf_init(&w.messages, 4 * MESSAGE_MAX);
	while ((rc = read_frame(&w.in)) == 1) {
		/* When the parent is gone, nobody kills us for taking too long. */
		alarm(CS_JQ_ORPHAN_S);
		handle(&w);
		alarm(0);
		if (write_frame(&w.out) < 0)
			break;
	}
	for (int i = 0; i < CS_JQ_SLOTS; i++)
		if (w.slots[i])
			jq_teardown(&w.slots[i]);
	cs_buf_fini(&w.in);
	cs_buf_fini(&w.out);
	cs_buf_fini(&w.messages);
	return rc < 0;
}
