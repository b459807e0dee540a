/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan reload: what `serve` and the console do by themselves when files have changed. */
#include "cli/cli_priv.h"

static int take_files(cs_cli *c, json_t **ret_ok, cs_err *err)
{
	return cs_cli_call(c, json_pack("{s:s}", "cmd", "reload"), ret_ok, err);
}

int cs_cmd_reload(cs_cli *c, const cs_cli_args *a)
{
	(void)a;
	CS_AUTOJSON json_t *ok = NULL;
	cs_diags d;
	cs_err err = { 0 };
	int r = cs_cli_dir(c, &err);
	if (r < 0)
		return cs_cli_fail(c, "reload", &err);
	cs_diags_init(&d);
	r = cs_cli_check_all(c, &d, &err);
	if (d.errors > 0) {
		cs_cli_print_findings(c->dir, &d, stderr);
		cs_err_set(&err, CS_EINVAL, _("the files have findings; nothing was changed"));
	}
	bool broken = r < 0 || d.errors > 0;
	cs_diags_fini(&d);
	if (broken) {
		(void)cs_cli_fail(c, "reload", &err);
		return CS_EXIT_FAILED;
	}
	r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = take_files(c, &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, "reload", &err);
	if (c->json)
		cs_cli_print_json(ok);
	else
		puts(_("the files are taken; what runs already keeps the flow and the agents it began with"));
	return CS_EXIT_DONE;
}
