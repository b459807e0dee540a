/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan.yaml */
#include "flow/workspace.h"

#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/ask.h"
#include "flow/workspace_priv.h"

/* retention.archive where it is not said: 30 days. */
#define ARCHIVE_MS (INT64_C(30) * 24 * 3600 * 1000)

enum { GRACE_MS = 30000, WORKERS = 4, WORKERS_MAX = 64, MAILBOX = 10000, MAILBOX_MIN = 16, MAILBOX_MAX = 1000000, SNAPSHOT_EVERY = 200, SNAPSHOT_EVERY_MAX = 1000000 };

static const cs_key settings_keys[] = {
	{ "workspace", CS_IS_STRING | CS_KEY_REQUIRED }, { "mode", CS_IS_STRING }, { "operator", CS_IS_OBJECT },
	{ "approvals", CS_IS_OBJECT }, { "flows", CS_IS_OBJECT }, { "engine", CS_IS_OBJECT },
	{ "models", CS_IS_ANY | CS_KEY_LATER }, { "routes", CS_IS_ANY | CS_KEY_LATER },
	{ "budgets", CS_IS_ANY | CS_KEY_LATER }, { "channels", CS_IS_ANY | CS_KEY_LATER },
	{ "hours", CS_IS_OBJECT }, { "redact", CS_IS_ANY | CS_KEY_LATER },
	{ "retention", CS_IS_OBJECT }, { NULL, 0 },
};

void cs_settings_defaults(cs_workspace *w)
{
	w->grace_ms = GRACE_MS;
	w->archive_ms = ARCHIVE_MS;
	w->workers = WORKERS;
	w->snapshot_every = SNAPSHOT_EVERY;
	w->mailbox = MAILBOX;
	w->operator_name = cs_xstrdup("operator");
	w->timezone = cs_xstrdup("UTC");
	(void)cs_zone_load(NULL, w->timezone, &w->zone, NULL);
}

static void replace_text(char **text, const char *with)
{
	free(*text);
	*text = cs_xstrdup(with);
}

/* A machine without the tz database may have any name that has the form of one; then nothing can start by cron. */
static bool read_timezone(cs_workspace *w, const char *name)
{
	cs_zone *zone = NULL;
	char *utc CS_AUTOFREE = cs_path_join(CS_ZONE_FOLDER, "UTC");
	int rc = cs_zone_load(NULL, name, &zone, NULL);
	if (rc != CS_OK && !(rc == CS_ENOTFOUND && !cs_file_exists(utc)))
		return false;
	cs_zone_free(w->zone);
	w->zone = zone;
	replace_text(&w->timezone, name);
	return true;
}

static void read_operator(cs_workspace *w, cs_check *c, const json_t *doc)
{
	static const cs_key keys[] = { { "name", CS_IS_STRING }, { "timezone", CS_IS_STRING }, { NULL, 0 } };
	const json_t *v = json_object_get(doc, "operator");
	size_t mark = cs_check_push(c, "operator");
	if (v && cs_check_object(c, v, keys, "'operator'")) {
		const char *name = cs_json_str(v, "name"), *zone = cs_json_str(v, "timezone");
		if (name && *name)
			replace_text(&w->operator_name, name);
		if (zone && !read_timezone(w, zone)) {
			cs_check_push(c, "timezone");
			cs_check_error(c, "'%.64s' is not a time zone; write one like Europe/Paris or UTC", zone);
		}
	}
	cs_check_pop(c, mark);
}

static void read_approvals(cs_workspace *w, cs_check *c, const json_t *doc)
{
	static const cs_key keys[] = {
		{ "grace", CS_IS_STRING }, { "expire", CS_IS_STRING }, { "remind", CS_IS_ARRAY }, { "escalate", CS_IS_ARRAY }, { NULL, 0 },
	};
	const json_t *v = json_object_get(doc, "approvals");
	size_t mark = cs_check_push(c, "approvals");
	if (v && cs_check_object(c, v, keys, "'approvals'")) {
		cs_check_duration_key(c, v, "grace", &w->grace_ms);
		cs_check_duration_key(c, v, "expire", &w->expire_ms);
		cs_check_remind(c, v);
		cs_check_escalate(c, v);
	}
	cs_check_pop(c, mark);
}

static void read_number(cs_check *c, const json_t *obj, const char *key, int64_t min, int64_t max, unsigned *ret)
{
	const json_t *v = json_object_get(obj, key);
	if (!v)
		return;
	int64_t n = json_integer_value(v);
	if (n >= min && n <= max) {
		*ret = (unsigned)n;
		return;
	}
	size_t mark = cs_check_push(c, key);
	cs_check_error(c, "'%s' must be between %lld and %lld", key, (long long)min, (long long)max);
	cs_check_pop(c, mark);
}

static void read_retention(cs_workspace *w, cs_check *c, const json_t *doc)
{
	static const cs_key keys[] = {
		{ "archive", CS_IS_STRING }, { "bodies", CS_IS_STRING | CS_KEY_LATER }, { "snapshot-every", CS_IS_INTEGER }, { NULL, 0 },
	};
	const json_t *v = json_object_get(doc, "retention");
	size_t mark = cs_check_push(c, "retention");
	if (v && cs_check_object(c, v, keys, "'retention'")) {
		cs_check_duration_key(c, v, "archive", &w->archive_ms);
		read_number(c, v, "snapshot-every", 0, SNAPSHOT_EVERY_MAX, &w->snapshot_every);
	}
	cs_check_pop(c, mark);
}

static void read_hours(cs_workspace *w, cs_check *c, const json_t *doc)
{
	static const cs_key keys[] = {
		{ "working", CS_IS_STRING | CS_KEY_REQUIRED }, { "closed", CS_IS_ARRAY }, { "quiet", CS_IS_STRING | CS_KEY_LATER }, { NULL, 0 },
	};
	const json_t *v = json_object_get(doc, "hours");
	size_t mark = cs_check_push(c, "hours");
	cs_err err = { 0 };
	int closed = -1;
	if (v && cs_check_object(c, v, keys, "'hours'") && !w->hours &&
	    cs_hours_new(cs_json_str(v, "working"), json_object_get(v, "closed"), &w->hours, &closed, &err) < 0) {
		cs_check_push(c, closed < 0 ? "working" : "closed");
		if (closed >= 0)
			cs_check_push_index(c, (size_t)closed);
		cs_check_error(c, "%s", err.msg);
	}
	cs_check_pop(c, mark);
}

static void read_engine(cs_workspace *w, cs_check *c, const json_t *doc)
{
	static const cs_key keys[] = { { "workers", CS_IS_INTEGER }, { "mailbox", CS_IS_INTEGER }, { NULL, 0 } };
	const json_t *v = json_object_get(doc, "engine");
	size_t mark = cs_check_push(c, "engine");
	if (v && cs_check_object(c, v, keys, "'engine'")) {
		read_number(c, v, "workers", 1, WORKERS_MAX, &w->workers);
		read_number(c, v, "mailbox", MAILBOX_MIN, MAILBOX_MAX, &w->mailbox);
	}
	cs_check_pop(c, mark);
}

typedef struct subject_place {
	cs_check *c;
	cs_workspace *w;
} subject_place;

static int only_start(void *ctx, const cs_expr *e, const char *pointer)
{
	const subject_place *at = ctx;
	cs_check *c = at->c;
	cs_places_note(&at->w->places, c, e, pointer);
	if (!cs_expr_is_plain(e))
		cs_check_error_below(c, pointer, "a subject is told before the run begins, so it must be a plain path or text, like '$start.who'; make it in 'with' of a start where it takes more");
	for (const char *const *v = cs_expr_vars(e); *v; v++)
		if (strcmp(*v, "start") != 0)
			cs_check_error_below(c, pointer, "'$%s' is not known here; a subject is said by '$start', the run's input", *v);
	return 0;
}

static void read_subject(cs_workspace *w, cs_check *c, const json_t *v, cs_template **ret)
{
	const json_t *subject = json_object_get(v, "subject");
	cs_err err = { 0 };
	if (!subject)
		return;
	size_t mark = cs_check_push(c, "subject");
	if (cs_template_new(w->exprs, subject, CS_TEMPLATE_STRICT, ret, &err, NULL) < 0)
		cs_check_error(c, "%s", err.msg);
	else
		cs_template_each(*ret, only_start, &(subject_place){ .c = c, .w = w });
	cs_check_pop(c, mark);
}

static void read_flow(cs_workspace *w, cs_check *c, const char *name, json_t *v)
{
	static const cs_key keys[] = {
		{ "subject", CS_IS_STRING }, { "on-fault", CS_IS_STRING }, { "one-at-a-time", CS_IS_STRING },
		{ "concurrent", CS_IS_INTEGER }, { "lane", CS_IS_STRING },
		{ "starts", CS_IS_ARRAY }, { NULL, 0 },
	};
	bool ok = cs_check_object(c, v, keys, "a flow's settings");
	if (!ok && !json_is_object(v))
		return;
	static const char *const faults[] = { "keep", "compensate", NULL };
	w->flow_settings = cs_xrealloc(w->flow_settings, (w->n_flow_settings + 1) * sizeof *w->flow_settings);
	cs_flow_settings *s = &w->flow_settings[w->n_flow_settings++];
	*s = (cs_flow_settings){ .flow = cs_xstrdup(name), .compensate = cs_check_word(c, v, "on-fault", faults) == 1 };
	read_subject(w, c, v, &s->subject);
	cs_settings_read_starts(w, c, v, s);
}

static void read_flows(cs_workspace *w, cs_check *c, const json_t *doc)
{
	const char *name;
	json_t *v;
	size_t mark = cs_check_push(c, "flows");
	json_object_foreach(json_object_get(doc, "flows"), name, v) {
		size_t inner = cs_check_push(c, name);
		read_flow(w, c, name, v);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

void cs_settings_read(cs_workspace *w, json_t *doc, const cs_source *src, cs_diags *d)
{
	static const char *const modes[] = { "simulate", "live", NULL };
	cs_check c;
	cs_check_init(&c, NULL, src, d);
	cs_check_object(&c, doc, settings_keys, "capstan.yaml");
	const char *name = cs_json_str(doc, "workspace");
	if (name && *name)
		replace_text(&w->name, name);
	else if (name)
		cs_check_error_key(&c, "workspace", "'workspace' is empty; give it a name");
	w->live_wish = cs_check_word(&c, doc, "mode", modes) == 1;
	read_operator(w, &c, doc);
	read_approvals(w, &c, doc);
	read_retention(w, &c, doc);
	read_engine(w, &c, doc);
	read_hours(w, &c, doc);
	read_flows(w, &c, doc);
	cs_gather(d->ask, &w->places, w->exprs);
}

static bool starts_by_cron(const cs_workspace *w)
{
	for (size_t i = 0; i < w->n_flows; i++)
		if (w->flows[i]->schedule && w->flows[i]->schedule->cron)
			return true;
	for (size_t i = 0; i < w->n_flow_settings; i++)
		for (size_t k = 0; k < w->flow_settings[i].n_starts; k++)
			if (w->flow_settings[i].starts[k].cron)
				return true;
	return false;
}

void cs_settings_check_flows(const cs_workspace *w, const cs_source *src, cs_diags *d)
{
	cs_check c;
	cs_check_init(&c, NULL, src, d);
	const char **names CS_AUTOFREE = cs_xcalloc(w->n_flows + 1, sizeof *names);
	for (size_t i = 0; i < w->n_flows; i++)
		names[i] = w->flows[i]->name;
	if (!w->zone && starts_by_cron(w))
		cs_check_error_key(&c, "operator", "a cron expression needs the clock of %.64s, and this machine has no time zones; "
				   "install the package tzdata, or write 'timezone: UTC'", w->timezone);
	cs_check_push(&c, "flows");
	for (size_t i = 0; i < w->n_flow_settings; i++) {
		const char *name = w->flow_settings[i].flow;
		size_t k = 0;
		while (k < w->n_flows && strcmp(names[k], name) != 0)
			k++;
		if (k < w->n_flows)
			continue;
		const char *near = cs_suggest(name, names);
		cs_check_error_key(&c, name, "no flow in flows/ is named '%.80s'%s%s%s", name, near ? "; did you mean '" : "",
				   near ? near : "", near ? "'?" : "");
		cs_diags_suggest(d, near);
	}
}
