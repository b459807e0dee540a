/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agents/confine.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "core/granted.h"

enum { OUTPUT_MAX = 4 << 20, SHOWN_MAX = 64 << 10, TAIL = 2000, ENVIRONMENT_MAX = 200, TIMEOUT_MS = 600000, CUT = 16 << 10, SCRIPT_MAX = 8 << 20 };

/* One run. */
struct process {
	const cs_effect *effect;
	const json_t *what;              /* shell or script */
	json_t *own;                     /* the same with the values of secrets in its input and environment; never recorded */
	cs_granted granted;
	cs_args args, environment;
	char file[64];                   /* of a script; "" none */
	cs_buf out, errout;
	cs_child_result ended;
	int64_t ms;
};

static void process_fini(struct process *p)
{
	if (p->file[0])
		unlink(p->file);
	for (size_t i = 0; i < p->environment.count; i++)
		explicit_bzero(p->environment.list[i], strlen(p->environment.list[i]));
	cs_args_fini(&p->args);
	cs_args_fini(&p->environment);
	cs_granted_fini(&p->granted);
	json_decref(p->own);
	cs_buf_fini(&p->out);
	cs_buf_fini(&p->errout);
}

/* A text as it is, another value as JSON; NULL for a text that no program can be given. */
static char *text_of(const json_t *v)
{
	if (!json_is_string(v))
		return cs_json_text(v);
	return strlen(json_string_value(v)) == json_string_length(v) ? cs_xstrdup(json_string_value(v)) : NULL;
}

static const struct {
	const char *language, *program, *suffix;
} interpreters[] = {
	{ "js", "node", ".mjs" }, { "python", "python3", ".py" },
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of MAP in order: a log gives its members back in an order of its own. Free the list. */
static const char **sorted_names(const json_t *map)
{
	size_t n = 0;
	const char **names = cs_xcalloc(json_object_size(map) + 1, sizeof *names), *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)map, name, v)
		names[n++] = name;
	qsort(names, n, sizeof *names, by_name);
	return names;
}

/* A name that is no more than a name: it stands in a program. */
static bool is_identifier(const char *s)
{
	bool ok = *s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
	return ok && s[strspn(s, "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

/* Arguments by name are variables of a script, set before its first line. */
static int write_variables(const struct process *p, const char *language, cs_buf *out, cs_err *err)
{
	const json_t *map = json_object_get(p->what, "arguments");
	CS_AUTOFREE const char **names = json_is_object(map) ? sorted_names(map) : NULL;
	int rc = CS_OK;
	for (size_t i = 0; names != NULL && names[i] != NULL && rc == CS_OK; i++) {
		if (!is_identifier(names[i]))
			return cs_err_set(err, CS_EINVAL, "'%.64s' cannot be the name of a script's variable", names[i]);
		CS_AUTOFREE char *value = cs_json_text(json_object_get(map, names[i]));
		CS_AUTOJSON json_t *quoted = json_string(value);
		CS_AUTOFREE char *literal = cs_json_text(quoted);
		if (strcmp(language, "js") == 0)
			rc = cs_buf_addf(out, "const %s = JSON.parse(%s); ", names[i], literal);
		else
			rc = cs_buf_addf(out, "%s = __import__('json').loads(%s)\n", names[i], literal);
	}
	return rc == CS_OK ? rc : cs_err_set(err, rc, "the script has more than %d bytes with its arguments", SCRIPT_MAX);
}

static int write_file(const struct process *p, const char *language, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, SCRIPT_MAX);
	int rc = write_variables(p, language, &text, err);
	if (rc != CS_OK)
		return rc;
	if (cs_buf_adds(&text, cs_json_str_or(p->what, "code", "")) != CS_OK)
		return cs_err_set(err, CS_ETOOBIG, "the script has more than %d bytes with its arguments", SCRIPT_MAX);
	return cs_file_write(p->file, cs_buf_str(&text), text.len, 0600, err);
}

static int write_script(struct process *p, cs_err *err)
{
	const char *language = cs_json_str_or(p->what, "language", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(interpreters); i++) {
		if (strcmp(interpreters[i].language, language) != 0)
			continue;
		snprintf(p->file, sizeof p->file, "/tmp/capstan-script-XXXXXX%s", interpreters[i].suffix);
		int fd = mkstemps(p->file, (int)strlen(interpreters[i].suffix));
		if (fd < 0) {
			p->file[0] = '\0';
			return cs_err_set(err, CS_EIO, "no file can be made in /tmp for the script");
		}
		close(fd);
		cs_args_add(&p->args, interpreters[i].program);
		cs_args_add(&p->args, p->file);
		return write_file(p, language, err);
	}
	return cs_err_set(err, CS_EINVAL, "scripts are js or python, not %.40s", language);
}

/* Of a command: NAME=VALUE, or NAME alone where the value is null. */
static int add_named(struct process *p, const json_t *map, cs_err *err)
{
	CS_AUTOFREE const char **names = sorted_names(map);
	for (const char **n = names; *n; n++) {
		json_t *v = json_object_get(map, *n);
		CS_AUTOFREE char *text = json_is_null(v) ? cs_xstrdup("") : text_of(v);
		CS_AUTOFREE char *pair = text ? cs_xasprintf("%s%s%s", *n, json_is_null(v) ? "" : "=", text) : NULL;
		if (!pair)
			return cs_err_set(err, CS_EINVAL, "the argument '%.64s' holds a NUL byte", *n);
		cs_args_add(&p->args, pair);
	}
	return p->args.full ? cs_err_set(err, CS_ETOOBIG, "more than %d arguments", CS_ARGS_MAX) : CS_OK;
}

static int add_arguments(struct process *p, cs_err *err)
{
	const json_t *list = json_object_get(p->what, "arguments");
	size_t i;
	json_t *v;
	if (json_is_object(list))
		return p->file[0] ? CS_OK : add_named(p, list, err);
	if (list && !json_is_array(list) && !json_is_null(list))
		return cs_err_set(err, CS_EINVAL, "arguments are a list, or a map of names to values");
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		CS_AUTOFREE char *text = text_of(v);
		if (!text)
			return cs_err_set(err, CS_EINVAL, "argument %zu holds a NUL byte", i + 1);
		cs_args_add(&p->args, text);
	}
	return p->args.full ? cs_err_set(err, CS_ETOOBIG, "more than %d arguments", CS_ARGS_MAX) : CS_OK;
}

static int add_environment(struct process *p, cs_err *err)
{
	static const char *const own[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8" };
	const json_t *map = json_object_get(p->what, "environment");
	CS_AUTOFREE char *home = cs_xasprintf("HOME=%s", p->effect->workdir);
	const char *name;
	json_t *v;
	if (map && !json_is_object(map) && !json_is_null(map))
		return cs_err_set(err, CS_EINVAL, "the environment is a map of names to texts");
	if (json_object_size(map) > ENVIRONMENT_MAX)
		return cs_err_set(err, CS_ETOOBIG, "more than %d variables", ENVIRONMENT_MAX);
	json_object_foreach((json_t *)(uintptr_t)map, name, v) {
		CS_AUTOFREE char *text = text_of(v);
		if (!*name || strchr(name, '=') || !text)
			return cs_err_set(err, CS_EINVAL, "'%.64s' cannot be a variable's name, or its value a variable's", name);
		CS_AUTOFREE char *pair = cs_xasprintf("%s=%s", name, text);
		cs_args_add(&p->environment, pair);
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(own); i++) {
		CS_AUTOFREE char *key = cs_xstrndup(own[i], strcspn(own[i], "="));
		if (!json_object_get(map, key))
			cs_args_add(&p->environment, own[i]);
	}
	if (!json_object_get(map, "HOME"))
		cs_args_add(&p->environment, home);
	return CS_OK;
}

/* What a program is told by others' hands; its text and arguments everyone can read. */
static void put_secrets_in(struct process *p)
{
	static const char *const keys[] = { "stdin", "environment" };
	p->own = json_copy((json_t *)(uintptr_t)p->what);
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++)
		if (json_object_get(p->own, keys[i]))
			json_object_set_new(p->own, keys[i], cs_swaps_json(&p->granted.swaps, json_object_get(p->own, keys[i])));
	p->what = p->own;
}

/* Before anything of it is cut or kept. What was cut off already may end within a secret. */
static void mask_output(const struct process *p, cs_buf *b)
{
	cs_buf out;
	if (cs_mask_empty(p->granted.mask) || b->len == 0)
		return;
	size_t n = p->ended.too_big ? b->len - (b->len < CUT ? b->len : CUT) : b->len;
	cs_buf_init(&out, b->len * sizeof CS_MASK + 64);
	cs_mask_bytes(p->granted.mask, b->data, n, &out, NULL);
	explicit_bzero(b->data, b->len);
	cs_buf_fini(b);
	*b = out;
}

static int prepare(struct process *p, cs_err *err)
{
	const json_t *script = json_object_get(p->effect->def, "script");
	int rc = CS_OK;
	p->what = script ? script : json_object_get(p->effect->def, "shell");
	put_secrets_in(p);
	if (script) {
		rc = write_script(p, err);
	} else {
		const char *const words[] = { "/bin/sh", "-c", cs_json_str_or(p->what, "command", ""), "sh" };
		for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
			cs_args_add(&p->args, words[i]);
	}
	if (rc == CS_OK)
		rc = add_arguments(p, err);
	return rc == CS_OK ? add_environment(p, err) : rc;
}

static int start(struct process *p, cs_err *err)
{
	const json_t *in = json_object_get(p->what, "stdin");
	CS_AUTOFREE char *text = in && !json_is_string(in) && !json_is_null(in) ? cs_json_text(in) : NULL;
	const char *bytes = text ? text : json_is_string(in) ? json_string_value(in) : "";
	size_t n = text ? strlen(text) : json_is_string(in) ? json_string_length(in) : 0;
	p->args.list[p->args.count] = p->environment.list[p->environment.count] = NULL;
	cs_child_opts o = { .argv = (const char *const *)p->args.list, .envp = (const char *const *)p->environment.list,
			    .cwd = p->effect->workdir, .die_with_parent = true };
	int64_t began = cs_clock_mono_ns();
	int64_t timeout = p->effect->timeout_ms > 0 ? p->effect->timeout_ms : TIMEOUT_MS;
	int rc = cs_child_run(&o, bytes, n, &p->out, &p->errout, began + timeout * 1000000, NULL, &p->ended, err);
	p->ms = (cs_clock_mono_ns() - began) / 1000000;
	return rc;
}

static json_t *printed(const cs_buf *b)
{
	return cs_effect_text(b->len ? b->data : "", b->len, OUTPUT_MAX);
}

static cs_outcome *done(const struct process *p, int code)
{
	const char *what = cs_json_str_or(p->effect->def, "return", "stdout");
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	if (strcmp(what, "all") == 0)
		o->result = json_pack("{s:i, s:o, s:o}", "code", code, "stdout", printed(&p->out), "stderr", printed(&p->errout));
	else if (strcmp(what, "code") == 0)
		o->result = json_integer(code);
	else if (strcmp(what, "none") == 0)
		o->result = json_null();
	else
		o->result = printed(strcmp(what, "stderr") == 0 ? &p->errout : &p->out);
	return o;
}

static cs_outcome *outcome(const struct process *p)
{
	const char *what = cs_json_str_or(p->effect->def, "return", "stdout");
	size_t skip = p->errout.len > TAIL ? p->errout.len - TAIL : 0;
	CS_AUTOJSON json_t *tail = cs_effect_text(p->errout.len ? p->errout.data + skip : "", p->errout.len - skip, TAIL);
	const char *why = json_string_value(tail);
	int status = p->ended.status;
	if (p->ended.timed_out)
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_TIMEOUT, 0, "Not done in time",
					 "it was ended after %lld ms; what it had done by then stands\n%s", (long long)p->ms, why);
	if (p->ended.too_big)
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_RUNTIME, 0, "Too much output",
					 "it printed more than %d bytes and was ended", OUTPUT_MAX);
	if (!WIFEXITED(status))
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_RUNTIME, 0, "Ended by a signal", "it was ended by signal %d\n%s",
					 WIFSIGNALED(status) ? WTERMSIG(status) : 0, why);
	if (WEXITSTATUS(status) != 0 && strcmp(what, "code") != 0 && strcmp(what, "all") != 0)
		return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_RUNTIME, 0, "Process failed", "it exited with status %d\n%s",
					 WEXITSTATUS(status), why);
	return done(p, WEXITSTATUS(status));
}

static json_t *record(const struct process *p)
{
	json_t *reply = json_pack("{s:i, s:o, s:o, s:I}", "exit", WIFEXITED(p->ended.status) ? WEXITSTATUS(p->ended.status) : -1,
				  "stdout", cs_effect_text(p->out.len ? p->out.data : "", p->out.len, SHOWN_MAX),
				  "stderr", cs_effect_text(p->errout.len ? p->errout.data : "", p->errout.len, SHOWN_MAX), "ms", (json_int_t)p->ms);
	return json_pack("{s:O, s:o}", "request", p->effect->def, "reply", reply);
}

static cs_outcome *not_started(const cs_err *err)
{
	return cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_CONFIGURATION, 0, "Process not started", "%s", err->msg);
}

cs_outcome *cs_process_run(const cs_effect *e)
{
	struct process p CS_CLEANUP(process_fini) = { .effect = e };
	cs_err err = { 0 };
	cs_buf_init(&p.out, OUTPUT_MAX);
	cs_buf_init(&p.errout, OUTPUT_MAX);
	int rc = cs_granted_take(e, &p.granted, &err);
	if (rc < 0)
		return cs_granted_refused(rc, &err);
	if (prepare(&p, &err) < 0)
		return not_started(&err);
	if (e->gate && !e->gate(e->gate_ctx))
		return cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_RUNTIME, 0, "Held", "it was held before it began");
	if (start(&p, &err) < 0)
		return not_started(&err);
	mask_output(&p, &p.out);
	mask_output(&p, &p.errout);
	cs_outcome *o = outcome(&p);
	o->record = record(&p);
	cs_granted_clean(&p.granted, o);
	return o;
}
