/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values that the operator gives: JSON on the command line, in a file, on stdin; PATH=VALUE. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"

int cs_cli_stdin(cs_buf *out, cs_err *err)
{
	char chunk[16384];
	for (;;) {
		ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_err_sys(err, errno, _("cannot read standard input"));
		if (n == 0)
			return CS_OK;
		int r = cs_buf_add(out, chunk, (size_t)n);
		if (r < 0)
			return cs_err_set(err, r, _("standard input is over %zu bytes, the most that is taken; give less"), out->max);
	}
}

int cs_cli_input(const char *text, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, CS_CLI_INPUT);
	int r;
	if (strcmp(text, "-") == 0)
		r = cs_cli_stdin(&b, err);
	else if (text[0] == '@')
		r = cs_file_read(text + 1, &b, err);
	else
		r = cs_buf_adds(&b, text);
	if (r < 0)
		return r;
	r = cs_json_parse(cs_buf_str(&b), b.len, ret, err);
	if (r < 0 && err) {
		/* What the operator wrote is wrong usage; the place stays. */
		err->code = CS_EINVAL;
		if (text[0] == '@')
			(void)snprintf(err->file, sizeof err->file, "%s", text + 1);
		return CS_EINVAL;
	}
	return r;
}

int cs_cli_pairs(const cs_cli_args *a, const char *flag, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *sets = json_array();
	size_t at = 0;
	for (const char *set; (set = cs_cli_arg_each(a, flag, &at)); ) {
		const char *equals = strchr(set, '=');
		if (!equals || equals == set)
			return cs_err_set(err, CS_EINVAL, _("%s %s: give it as PATH=VALUE, a.b=3"), flag, set);
		CS_AUTOJSON json_t *value = cs_json_lenient(equals + 1);
		json_t *pair = value ? json_pack("{s:s%, s:O}", "path", set, (size_t)(equals - set), "value", value) : NULL;
		if (!pair)
			return cs_err_set(err, CS_EINVAL, _("%s: the value is not UTF-8 text"), flag);
		json_array_append_new(sets, pair);
	}
	*ret = CS_STEAL(sets);
	return CS_OK;
}

int cs_cli_sets(const cs_cli_args *a, json_t **ret, cs_err *err)
{
	return cs_cli_pairs(a, "--set", ret, err);
}

int cs_cli_flow_file(cs_cli *c, const char *path, json_t **ret_doc, cs_err *err)
{
	cs_diags d;
	cs_flow *flow = NULL;
	cs_diags_init(&d);
	int r = cs_workspace_check_file(c->ws, path, &d, &flow, err);
	if (d.n > 0)
		cs_cli_print_diags(&d, stderr);
	if (r < 0 && d.errors > 0)
		r = cs_err_set(err, CS_ESYNTAX, _("the file has findings; nothing was started"));
	else if (r == CS_OK && !flow)
		r = cs_err_set(err, CS_EINVAL, _("%s is not a flow"), path);
	if (r == CS_OK)
		*ret_doc = json_incref(flow->def);
	cs_flow_unref(flow);
	cs_diags_fini(&d);
	return r;
}

int cs_cli_flow_said(cs_cli *c, const cs_cli_args *a, json_t **ret_doc, cs_err *err)
{
	const char *path = cs_cli_arg(a, "--flow");
	int r = path ? cs_cli_load(c, err) : CS_OK;
	return r == CS_OK && path ? cs_cli_flow_file(c, path, ret_doc, err) : r;
}
