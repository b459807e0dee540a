/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/core/play.h"

#include <string.h>

/* One document being written. */
struct writer {
	uint64_t seed;
	int64_t drawn;
	int names;
};

static uint64_t draw(struct writer *w, uint64_t below)
{
	return play_hash(w->seed, "flow", w->drawn++) % below;
}

static json_t *sequence(struct writer *w, int depth, int at_most);
static json_t *tasks(struct writer *w, int depth, int at_most);

static json_t *data(struct writer *w)
{
	return json_pack("{s:s, s:s, s:I}", "n", "${ $start.n }", "l", "${ $start.l }", "x", (json_int_t)draw(w, 100));
}

static json_t *a_set(struct writer *w, int depth)
{
	(void)depth;
	return json_pack("{s:o}", "set", data(w));
}

/* How a gate asks: with dates, and with what becomes of a refusal. */
static json_t *asking(struct writer *w)
{
	static const char *const words[] = { "raise", "continue", "end", "escalate" };
	json_t *ask = json_object();
	if (draw(w, 4) == 0)
		json_object_set_new(ask, "expire", json_string("PT2S"));
	if (draw(w, 4) == 0)
		json_object_set_new(ask, "remind", json_pack("[s, s]", "50%", "PT1S"));
	if (draw(w, 4) == 0)
		json_object_set_new(ask, "escalate", json_pack("[{s:s, s:s}, {s:s}]", "after", "PT3S", "to", "bob", "after", "PT1S"));
	if (draw(w, 3) == 0)
		json_object_set_new(ask, "on-reject", json_string(words[draw(w, 3)]));
	if (draw(w, 3) == 0)
		json_object_set_new(ask, "on-expiry", json_string(words[draw(w, 4)]));
	return ask;
}

static json_t *a_call(struct writer *w, int depth)
{
	static const char *const calls[] = { "out.free", "out.ask", "out.ask", "out.key", "out.look", "out.sure", "out.sure" };
	(void)depth;
	json_t *t = json_pack("{s:s, s:{s:s, s:i}}", "call", calls[draw(w, CS_ARRAY_LEN(calls))], "with", "n", "${ $start.n }", "x",
			      (int)draw(w, 9));
	if (draw(w, 3) == 0)
		json_object_set_new(json_object_get(t, "with"), "in", json_string("${ . }"));
	json_t *ask = asking(w);
	if (json_object_size(ask) > 0)
		json_object_set_new(t, "metadata", json_pack("{s:o}", "ask", ask));
	else
		json_decref(ask);
	return t;
}

static json_t *a_decision(struct writer *w, int depth)
{
	(void)depth;
	if (draw(w, 3) == 0)
		return json_pack("{s:s, s:{s:s, s:s, s:s}}", "call", "notify", "with", "title", "Look", "body", "it", "action", "none");
	return json_pack("{s:s, s:{s:s, s:s, s:[s,s,s,s]}}", "call", "approve", "with", "title", "Go on?", "show", "${ . }", "allow", "accept",
			 "edit", "reject", "respond");
}

static json_t *a_for(struct writer *w, int depth)
{
	json_t *t = json_pack("{s:{s:s, s:s}, s:o}", "for", "each", "x", "in", "$start.l", "do", sequence(w, depth - 1, 2));
	if (draw(w, 3) == 0)
		json_object_set_new(t, "while", json_string("$index < 2"));
	return t;
}

static json_t *a_fork(struct writer *w, int depth)
{
	return json_pack("{s:{s:b, s:o}}", "fork", "compete", (int)draw(w, 2), "branches", tasks(w, depth - 1, 3));
}

static json_t *a_try(struct writer *w, int depth)
{
	json_t *catch = json_pack("{s:s}", "as", "e");
	if (draw(w, 3) > 0)
		json_object_set_new(catch, "do", sequence(w, depth - 1, 2));
	if (draw(w, 2) == 0)
		json_object_set_new(catch, "retry", json_pack("{s:{s:i}, s:{s:{s:i}}}", "delay", "milliseconds", (int)draw(w, 900), "limit",
							      "attempt", "count", (int)draw(w, 3) + 1));
	if (draw(w, 3) == 0)
		json_object_set_new(catch, "errors", json_pack("{s:{s:i}}", "with", "status", draw(w, 2) == 0 ? 503 : 409));
	return json_pack("{s:o, s:o}", "try", sequence(w, depth - 1, 2), "catch", catch);
}

static json_t *a_raise(struct writer *w, int depth)
{
	(void)depth;
	if (draw(w, 3) > 0)
		return a_set(w, depth);
	return json_pack("{s:{s:{s:s, s:i, s:s}}}", "raise", "error", "type", "https://x.example/e", "status", 409, "title", "No");
}

static json_t *an_emit(struct writer *w, int depth)
{
	(void)w;
	(void)depth;
	return json_pack("{s:{s:{s:{s:s, s:s, s:s}}}}", "emit", "event", "with", "source", "https://x.example", "type", "x.y", "data", "${ $start.n }");
}

static json_t *a_wait(struct writer *w, int depth)
{
	(void)depth;
	return json_pack("{s:{s:i}}", "wait", "milliseconds", (int)draw(w, 3000));
}

static json_t *a_sub(struct writer *w, int depth)
{
	(void)depth;
	json_t *t = json_pack("{s:{s:{s:s, s:s, s:s}, s:b}}", "run", "workflow", "namespace", "sim", "name", "other", "version", "1.0.0", "await",
			      draw(w, 3) > 0);
	if (draw(w, 2) == 0)
		json_object_set_new(json_object_get(json_object_get(t, "run"), "workflow"), "input", json_pack("{s:s}", "n", "${ $start.n }"));
	return t;
}

static json_t *a_do(struct writer *w, int depth)
{
	return json_pack("{s:o}", "do", sequence(w, depth - 1, 3));
}

static json_t *task(struct writer *w, int depth)
{
	static json_t *(*const kinds[])(struct writer *w, int depth) = {
		a_set, a_call, a_call, a_call, a_decision, a_raise, an_emit, a_wait, a_sub,    /* leaves */
		a_for, a_fork, a_fork, a_try, a_try, a_do,
	};
	enum { LEAVES = 9 };
	json_t *t = kinds[draw(w, depth > 0 ? CS_ARRAY_LEN(kinds) : LEAVES)](w, depth);
	if (draw(w, 8) == 0)
		json_object_set_new(t, "if", json_string("$start.n > 1"));
	if (draw(w, 10) == 0)
		json_object_set_new(t, "input", json_pack("{s:{s:s}}", "from", "n", "${ $start.n }"));
	if (draw(w, 10) == 0)
		json_object_set_new(t, "export", json_pack("{s:{s:s}}", "as", "seen", "${ $start.n }"));
	if (draw(w, 10) == 0)
		json_object_set_new(t, "output", json_pack("{s:{s:s}}", "as", "was", "${ . }"));
	if (draw(w, 12) == 0)
		json_object_set_new(t, "timeout", json_pack("{s:{s:i}}", "after", "milliseconds", (int)draw(w, 4000) + 1));
	if (draw(w, 30) == 0)
		json_object_set_new(t, "then", json_string("end"));
	return t;
}

static json_t *tasks(struct writer *w, int depth, int at_most)
{
	json_t *list = json_array();
	int n = (int)draw(w, (uint64_t)at_most) + 1;
	for (int i = 0; i < n; i++) {
		CS_AUTOFREE char *name = cs_xasprintf("k%d", w->names++);
		json_array_append_new(list, json_pack("{s:o}", name, task(w, depth)));
	}
	return list;
}

/* Some answers go back to a task before: beside a call, or in the `with` of a decision. */
static void add_back(struct writer *w, json_t *t, const char *to)
{
	const char *call = json_string_value(json_object_get(t, "call"));
	if (call == NULL || strcmp(call, "notify") == 0 || draw(w, 3) > 0)
		return;
	json_t *where = json_object_get(t, "with");
	if (strcmp(call, "approve") != 0) {
		if (json_object_get(t, "metadata") == NULL)
			json_object_set_new(t, "metadata", json_pack("{s:{}}", "ask"));
		where = json_object_get(json_object_get(t, "metadata"), "ask");
	}
	json_object_set_new(where, "back", json_string(to));
	json_object_set_new(where, "rounds", json_integer((json_int_t)draw(w, 2) + 1));
}

static json_t *sequence(struct writer *w, int depth, int at_most)
{
	json_t *list = tasks(w, depth, at_most);
	for (size_t i = 1; i < json_array_size(list); i++)
		add_back(w, json_object_iter_value(json_object_iter(json_array_get(list, i))),
			 json_object_iter_key(json_object_iter(json_array_get(list, draw(w, i)))));
	return list;
}

/* Around some kind of task, with what takes time, faults or leaves. */
static json_t *an_extension(struct writer *w)
{
	static const char *const extend[] = { "all", "call", "set", "composite", "for", "try", "wait", "run" };
	json_t *ext = json_pack("{s:s}", "extend", extend[draw(w, CS_ARRAY_LEN(extend))]);
	uint64_t parts = draw(w, 3);
	if (parts != 1)
		json_object_set_new(ext, "before", sequence(w, (int)draw(w, 2), 2));
	if (parts != 0)
		json_object_set_new(ext, "after", sequence(w, (int)draw(w, 2), 2));
	if (draw(w, 2) == 0)
		json_object_set_new(ext, "when", json_string(draw(w, 2) == 0 ? "$start.n > 1" : "$task.call == \"out.ask\""));
	json_t *first = json_object_iter_value(json_object_iter(json_array_get(json_object_get(ext, "before"), 0)));
	if (first != NULL && json_object_get(first, "then") == NULL && draw(w, 3) == 0)
		json_object_set_new(first, "then", json_string("exit"));
	return ext;
}

static json_t *extended(struct writer *w, json_t *doc)
{
	json_t *list = json_array();
	for (uint64_t n = draw(w, 3); n > 0; n--)
		json_array_append_new(list, json_pack("{s:o}", n == 1 ? "one" : "two", an_extension(w)));
	json_object_set_new(doc, "use", json_pack("{s:o}", "extensions", list));
	return doc;
}

json_t *random_flow(uint64_t seed)
{
	struct writer w = { .seed = seed };
	json_t *doc = json_pack("{s:{s:s, s:s, s:s, s:s}, s:o}", "document", "dsl", "1.0.3", "namespace", "sim", "name", "flow", "version", "1.0.0",
			 "do", sequence(&w, 3, 5));
	return seed % 3 == 0 ? extended(&w, doc) : doc;
}
