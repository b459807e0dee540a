/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/shell.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include "agents/confine.h"
#include "agents/process.h"
#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { WORDS_MAX = 256, INPUT_MAX = 16 << 20, STDERR_MAX = 1 << 20, STDERR_SHOWN = 2000, RECORD_MAX = 64 << 10 };

/* One run of a program. */
struct shell_run {
	const cs_effect *effect;
	const json_t *shell;
	cs_args args;
	cs_buf in, out, errout;
	cs_child_result ended;
	int64_t ms;
};

static void run_fini(struct shell_run *r)
{
	cs_args_fini(&r->args);
	cs_buf_fini(&r->in);
	cs_buf_fini(&r->out);
	cs_buf_fini(&r->errout);
}

/* ---- checking ---- */

static const struct {
	const char *key;
	const char *words[4];          /* NULL first: checked elsewhere */
} keys[] = {
	{ "command", { NULL } },
	{ "stdin", { "json", "text", "none", NULL } },
	{ "stdout", { "json", "text", NULL } },
	{ "network", { "none", NULL } },
	{ "read", { NULL } },
	{ "write", { NULL } },
};

static int check_word(size_t row, const json_t *v, cs_err *err)
{
	const char *said = json_string_value(v);
	const char *const *w = keys[row].words;
	if (!w[0])
		return CS_OK;
	for (; *w; w++)
		if (said && strcmp(said, *w) == 0)
			return CS_OK;
	w = keys[row].words;
	return cs_err_set(err, CS_EINVAL, "shell: %s is %s%s%s%s%s", keys[row].key, w[0], w[1] ? ", " : "",
			  w[1] ? w[1] : "", w[1] && w[2] ? ", " : "", w[1] && w[2] ? w[2] : "");
}

static int check_command(const json_t *command, cs_err *err)
{
	if (!json_is_array(command) || json_array_size(command) == 0 || json_array_size(command) > WORDS_MAX)
		return cs_err_set(err, CS_EINVAL, "shell: command is a list of words, as in [ python3, tools/report.py ]");
	for (size_t i = 0; i < json_array_size(command); i++) {
		const json_t *w = json_array_get(command, i);
		if (!json_is_string(w) || strlen(json_string_value(w)) != json_string_length(w))
			return cs_err_set(err, CS_EINVAL, "shell: word %zu of the command is not text", i + 1);
	}
	return *json_string_value(json_array_get(command, 0))
		? CS_OK : cs_err_set(err, CS_EINVAL, "shell: the command's first word names the program");
}

int cs_shell_check(const json_t *shell, cs_err *err)
{
	const char *key;
	json_t *v;
	if (!json_is_object(shell))
		return cs_err_set(err, CS_EINVAL, "shell: a map with a command is needed");
	json_object_foreach((json_t *)(uintptr_t)shell, key, v) {
		size_t i = 0;
		while (i < CS_ARRAY_LEN(keys) && strcmp(keys[i].key, key) != 0)
			i++;
		if (i == CS_ARRAY_LEN(keys))
			return cs_err_set(err, CS_EINVAL,
					  "shell: \"%.64s\" is not known; write command, stdin, stdout, network, read or write", key);
		int rc = check_word(i, v, err);
		if (rc < 0)
			return rc;
	}
	return check_command(json_object_get(shell, "command"), err);
}

/* ---- before ---- */

static int write_stdin(struct shell_run *r, cs_err *err)
{
	const char *how = cs_json_str_or(r->shell, "stdin", "json");
	const json_t *input = r->effect->input;
	int rc = CS_OK;
	if (strcmp(how, "json") == 0) {
		rc = cs_json_write(input, &r->in);
		cs_buf_addc(&r->in, '\n');
	} else if (strcmp(how, "text") == 0) {
		const json_t *text = json_is_string(input) ? input : json_object_get(input, "text");
		if (!json_is_string(text))
			return cs_err_set(err, CS_EINVAL, "shell: stdin: text needs an input that is text, or has a text");
		cs_buf_add(&r->in, json_string_value(text), json_string_length(text));
	}
	if (rc < 0 || r->in.failed)
		return cs_err_set(err, CS_ETOOBIG, "shell: the input is larger than %d bytes", INPUT_MAX);
	return CS_OK;
}

static int prepare(struct shell_run *r, cs_err *err)
{
	const json_t *command = json_object_get(r->shell, "command");
	int rc = cs_shell_check(r->shell, err);
	if (rc < 0)
		return rc;
	if (!r->effect->workdir)
		return cs_err_set(err, CS_EINVAL, "shell: no workspace to run in");
	if (cs_confine_asked(r->shell) && (rc = cs_confine(r->shell, command, r->effect->workdir, &r->args, err)) < 0)
		return rc;
	for (size_t i = 0; i < json_array_size(command); i++)
		cs_args_add(&r->args, json_string_value(json_array_get(command, i)));
	if (r->args.full)
		return cs_err_set(err, CS_ETOOBIG, "shell: the command is longer than %d words", CS_ARGS_MAX);
	return write_stdin(r, err);
}

static int run(struct shell_run *r, cs_err *err)
{
	const cs_effect *e = r->effect;
	char *home CS_AUTOFREE = cs_xasprintf("HOME=%s", e->workdir);
	const char *envp[] = { "PATH=/usr/local/bin:/usr/bin:/bin", home, "LANG=C.UTF-8", NULL };
	const char *argv[CS_ARGS_MAX + 1] = { NULL };
	for (size_t i = 0; i < r->args.count; i++)
		argv[i] = r->args.list[i];
	cs_child_opts o = { .argv = argv, .envp = envp, .cwd = e->workdir, .die_with_parent = true };
	int64_t began = cs_clock_mono_ns();
	int64_t timeout = e->timeout_ms > 0 ? e->timeout_ms : CS_SHELL_TIMEOUT_MS;
	int rc = cs_child_run(&o, cs_buf_str(&r->in), r->in.len, &r->out, &r->errout, began + timeout * 1000000, NULL,
			      &r->ended, err);
	r->ms = (cs_clock_mono_ns() - began) / 1000000;
	return rc;
}

/* ---- after ---- */

/* The end of stderr, which is where programs say why. */
static const char *stderr_tail(const struct shell_run *r)
{
	const char *s = cs_buf_str(&r->errout);
	size_t n = r->errout.len > STDERR_SHOWN ? r->errout.len - STDERR_SHOWN : 0;
	while (n && n < r->errout.len && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return s + n;
}

static json_t *record(const struct shell_run *r)
{
	int status = r->ended.status;
	json_t *request = json_object(), *reply = json_object(), *o = json_object();
	json_object_set(request, "command", json_object_get(r->shell, "command"));
	json_object_set_new(request, "stdin", cs_effect_text(cs_buf_str(&r->in), r->in.len, RECORD_MAX));
	json_object_set_new(request, "confined", json_boolean(cs_confine_asked(r->shell)));
	if (WIFEXITED(status))
		json_object_set_new(reply, "exit", json_integer(WEXITSTATUS(status)));
	else if (WIFSIGNALED(status))
		json_object_set_new(reply, "signal", json_integer(WTERMSIG(status)));
	json_object_set_new(reply, "stdout", cs_effect_text(cs_buf_str(&r->out), r->out.len, RECORD_MAX));
	if (r->errout.len)
		json_object_set_new(reply, "stderr", cs_effect_text(stderr_tail(r), strlen(stderr_tail(r)), RECORD_MAX));
	json_object_set_new(reply, "ms", json_integer(r->ms));
	json_object_set_new(o, "request", request);
	json_object_set_new(o, "reply", reply);
	return o;
}

static int read_stdout(const struct shell_run *r, json_t **ret, cs_err *err)
{
	const char *s = cs_buf_str(&r->out);
	size_t n = r->out.len;
	if (strcmp(cs_json_str_or(r->shell, "stdout", "json"), "json") == 0) {
		if (strspn(s, " \t\r\n") == n)
			return cs_err_set(err, CS_EINVAL, "it printed nothing; with stdout: json it prints one JSON value");
		return cs_json_parse(s, n, ret, err);
	}
	if (n && s[n - 1] == '\n')
		n--;
	if (!cs_utf8_valid(s, n) || memchr(s, 0, n))
		return cs_err_set(err, CS_EINVAL, "it printed bytes that are not UTF-8 text");
	*ret = json_stringn(s, n);
	return *ret ? CS_OK : cs_err_set(err, CS_ENOMEM, "no memory for its output");
}

static cs_outcome *succeeded(const struct shell_run *r)
{
	const cs_effect *e = r->effect;
	json_t *value = NULL;
	cs_err err = { 0 };
	if (read_stdout(r, &value, &err) < 0)
		return cs_outcome_failed(cs_effect_class_sends(e->class) ? CS_OUTCOME_AMBIGUOUS : CS_OUTCOME_REJECTED,
					 CS_ERROR_VALIDATION, 0, "Output that is not as declared",
					 "%s ended well, but its output cannot be read: %s", e->call, err.msg);
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = value;
	return o;
}

static cs_outcome *outcome(const struct shell_run *r)
{
	const char *call = r->effect->call;
	int status = r->ended.status;
	if (r->ended.timed_out)
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_TIMEOUT, 0, "Not done in time",
					 "%s was ended after %lld ms; what it had done by then stands\n%s", call,
					 (long long)r->ms, stderr_tail(r));
	if (r->ended.too_big)
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_RUNTIME, 0, "Too much output",
					 "%s printed more than %zu bytes (stderr: %d) and was ended", call,
					 CS_SHELL_OUTPUT_MAX, STDERR_MAX);
	if (!WIFEXITED(status))
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_RUNTIME, 0, "Ended by a signal",
					 "%s was ended by signal %d\n%s", call, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
					 stderr_tail(r));
	if (WEXITSTATUS(status) != 0)
		return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_RUNTIME, 0, "Command failed",
					 "%s exited with status %d\n%s", call, WEXITSTATUS(status), stderr_tail(r));
	return succeeded(r);
}

static cs_outcome *not_started(const cs_effect *e, const cs_err *err)
{
	return cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_CONFIGURATION, 0, "Command not started", "%s: %s", e->call,
				 err->msg);
}

static cs_outcome *perform_one(const cs_effect *e)
{
	struct shell_run r CS_CLEANUP(run_fini) = { .effect = e, .shell = json_object_get(e->def, "shell") };
	cs_err err = { 0 };
	cs_buf_init(&r.in, INPUT_MAX);
	cs_buf_init(&r.out, CS_SHELL_OUTPUT_MAX);
	cs_buf_init(&r.errout, STDERR_MAX);
	if (prepare(&r, &err) < 0)
		return not_started(e, &err);
	if (e->gate && !e->gate(e->gate_ctx))
		return cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_RUNTIME, 0, "Held", "%s was held before it began",
					 e->call);
	if (run(&r, &err) < 0)
		return not_started(e, &err);
	cs_outcome *o = outcome(&r);
	o->record = record(&r);
	return o;
}

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	if (e->simulated)
		return cs_err_set(err, CS_EREFUSED, "shell: %s is simulated; nothing may be started", e->call);
	bool own = strncmp(e->call, "run.", 4) == 0;       /* written out in the flow, not an agent's */
	done(ctx, own ? cs_process_run(e) : perform_one(e));
	return CS_OK;
}

cs_performer cs_shell_performer(void)
{
	return (cs_performer){ .kind = "shell", .blocking = true, .perform = perform, .self = NULL };
}
