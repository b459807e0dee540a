/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One segment of the log a request, so that nobody waits for long: who asks goes on as long as there is more. */
#include "base/json.h"
#include "engine/engine_priv.h"

int cs_command_archive(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	int64_t older = cs_json_int_or(req, "older", e->ws->archive_ms);
	cs_archive_step step;
	if (older < 0)
		return cs_err_set(err, CS_EINVAL, "what is older than %lld ms cannot be archived", (long long)older);
	int64_t before = older < e->step.now ? e->step.now - older : 0;
	int rc = cs_store_archive(e->store, before, e->step.now, e->step.actor, &step, err);
	if (rc == CS_OK)
		*ret = json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I}", "first", (json_int_t)step.first, "last", (json_int_t)step.last,
				 "file", step.file, "bytes", (json_int_t)step.bytes, "raw", (json_int_t)step.raw, "pruned", (json_int_t)step.pruned,
				 "bodies", (json_int_t)step.bodies, "more", (int)step.more, "database", (json_int_t)step.db_bytes, "free",
				 (json_int_t)step.db_free, "older", (json_int_t)older);
	return rc;
}
