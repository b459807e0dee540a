/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data of a task on its way in and out, in the order of dsl.md, "Data Flow". */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

json_t *cs_schema_complaint(const cs_schema *schema, const json_t *value, const char *what, const char *instance)
{
	cs_schema_error *errors = NULL;
	size_t n = 0;
	cs_err why = { 0 };
	int rc = schema == NULL ? 1 : cs_schema_check(schema, value, 3, &errors, &n, &why);
	if (rc == 1)
		return NULL;
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 4096);
	(void)cs_buf_addf(&text, "%s breaks its schema:", what);
	if (rc < 0)
		(void)cs_buf_addf(&text, " %s", why.msg);
	for (size_t i = 0; i < n; i++)
		(void)cs_buf_addf(&text, "%s %s %s", i > 0 ? ";" : "",
				  errors[i].instance[0] != '\0' ? errors[i].instance : "the value", errors[i].message);
	cs_schema_errors_free(errors, n);
	return cs_error_new("validation", cs_buf_str(&text), instance);
}

int cs_step_raise(cs_run *r, cs_step *s, const cs_task *t, int occurrence, json_t *error, cs_err *err)
{
	CS_AUTOJSON json_t *whole = json_copy(error);
	if (cs_json_str(whole, "instance") == NULL)
		json_object_set_new(whole, "instance", json_string(t->ref));
	if (cs_frame_reverses(r->live[t->id]))
		return cs_reversal_fail(r, s, r->live[t->id], whole, err);
	return cs_run_write(r, s, "task.faulted", t, occurrence, json_pack("{s:O}", "error", whole), err);
}

int cs_step_raise_expr(cs_run *r, cs_step *s, const cs_task *t, int occurrence, const cs_err *why, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new("expression", why->msg, t->ref);
	return cs_step_raise(r, s, t, occurrence, error, err);
}

/* output.as, output.schema, export.as, export.schema. */
static int transform(cs_view_of *v, json_t *raw_output, json_t **ret_output, json_t **ret_context, json_t **ret_error, cs_err *why)
{
	const cs_task *t = v->shape != NULL ? v->shape : v->task;
	CS_AUTOJSON json_t *output = json_incref(raw_output);
	v->raw_output = raw_output;
	if (t->output_as != NULL) {
		json_t *out = NULL;
		int rc = cs_look(v, CS_PHASE_OUTPUT, t->output_as, raw_output, &out, why);
		if (rc != CS_OK)
			return rc;
		json_decref(output);
		output = out;
	}
	if ((*ret_error = cs_schema_complaint(t->output_schema, output, "The task's output", t->ref)) != NULL)
		return CS_OK;
	if (t->export_as != NULL) {
		v->output = output;
		int rc = cs_look(v, CS_PHASE_EXPORT, t->export_as, output, ret_context, why);
		v->output = NULL;
		if (rc != CS_OK)
			return rc;
		*ret_error = cs_schema_complaint(t->export_schema, *ret_context, "The exported context", t->ref);
	}
	*ret_output = CS_STEAL(output);
	return CS_OK;
}

int cs_step_finish(cs_view_of *v, int occurrence, json_t *raw_output, bool tainted, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *more = data != NULL ? data : json_object();
	CS_AUTOJSON json_t *output = NULL, *context = NULL, *error = NULL;
	cs_err why = { 0 };
	int rc = transform(v, raw_output, &output, &context, &error, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return cs_step_raise_expr(v->r, v->s, v->task, occurrence, &why, err);
	if (error != NULL)
		return cs_step_raise(v->r, v->s, v->task, occurrence, error, err);
	if (output != v->seq->last)       /* unchanged: it passes through, and is not written again */
		json_object_set(more, "output", output);
	if (context != NULL)
		json_object_set(more, "context", context);
	const cs_template *as = v->shape != NULL ? v->shape->output_as : v->task->output_as;
	if (as != NULL)
		tainted = tainted || cs_look_tainted(v, as, tainted);
	if (tainted)
		json_object_set_new(more, "tainted", json_true());
	return cs_run_write(v->r, v->s, "task.completed", v->task, occurrence, json_incref(more), err);
}
