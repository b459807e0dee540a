/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain of causes, and one sentence for each type of event. */
#include <string.h>
#include "store/event_types.h"
#include "view/row.h"

/* {name} is a member of the event's data, or actor, task, run, name (of the task); [ … ] is left
 * out when one of the names in it is not there. */
static const char *const sentences[CS_EV_COUNT] = {
	[CS_EV_APPROVAL_ANSWERED] = "{by} answered[: {note}]",
	[CS_EV_APPROVAL_APPROVED] = "{by} approved it[: {note}]",
	[CS_EV_APPROVAL_ASSUMED] = "the replay took the recorded decision: {outcome}",
	[CS_EV_APPROVAL_CONSUMED] = "the approval took effect after its grace",
	[CS_EV_APPROVAL_DELEGATED] = "{actor} gave it to {to}",
	[CS_EV_APPROVAL_EDITED] = "{actor} edited it: item {next} took its place",
	[CS_EV_APPROVAL_ESCALATED] = "nobody has decided yet: it was escalated to level {level}[, to {to}]",
	[CS_EV_APPROVAL_EXPIRED] = "nobody decided in time: it expired",
	[CS_EV_APPROVAL_PROPOSED] = "{title} was proposed[ by {proposer}]",
	[CS_EV_APPROVAL_PUBLISHED] = "{title} was put before the operator[ because {rule} asks][: {why}][, proposed by {proposer}]",
	[CS_EV_APPROVAL_REJECTED] = "{by} rejected it[: {note}]",
	[CS_EV_APPROVAL_REMINDED] = "nobody has decided yet: a reminder",
	[CS_EV_APPROVAL_SETTLED] = "the decision took effect after its grace[: {decision}]",
	[CS_EV_APPROVAL_SNOOZED] = "{actor} put it off[ until {until}]",
	[CS_EV_APPROVAL_UNDONE] = "{actor} took the decision back within its grace",
	[CS_EV_APPROVAL_VOIDED] = "the proposal became void[: {why}]",
	[CS_EV_APPROVAL_WITHDRAWN] = "the proposal was withdrawn",
	[CS_EV_ATTEMPT_AMBIGUOUS] = "it is not known whether it happened[: {how}]",
	[CS_EV_ATTEMPT_AWAITS] = "{name} waits for what run {of} does under the same business key",
	[CS_EV_ATTEMPT_CAPTURED] = "the replay captured {call} and sent nothing[, answered from the {source}]",
	[CS_EV_ATTEMPT_DONE] = "{name} was answered",
	[CS_EV_ATTEMPT_FAILED] = "{name} failed[: {error.title}]",
	[CS_EV_ATTEMPT_INTENT] = "the engine set out to do {call}[ ({class})][, allowed by {rule}][, approved as item {approval}]",
	[CS_EV_ATTEMPT_RESOLVED] = "{actor} settled the doubt: {how}[ ({evidence})]",
	[CS_EV_ATTEMPT_RETRY] = "{name} did not get through and is tried again[: {error.title}]",
	[CS_EV_ATTEMPT_REUSED] = "the replay took the recorded result of {call}: input and definition are the same",
	[CS_EV_BREAKER_CLOSED] = "{target} answers again: what goes there by {connector} goes out",
	[CS_EV_BREAKER_FAILED] = "a call of {connector} to {target} failed, and counts for its breaker[: {error.title}]",
	[CS_EV_BREAKER_HALF_OPENED] = "one call of {connector} may try {target}",
	[CS_EV_BREAKER_OPENED] = "what goes to {target} by {connector} waits: it has failed too often[: {error.title}]",
	[CS_EV_CONNECTOR_MODE] = "{actor} set the connector {name} to {mode}",
	[CS_EV_ENGINE_HOLD] = "{actor} changed the hold[: {why}]",
	[CS_EV_ENGINE_INCARNATION] = "this state of the workspace is another incarnation than the one it was made from",
	[CS_EV_ENGINE_LIVE] = "{actor} made this machine the live one",
	[CS_EV_ENGINE_RELOADED] = "{actor} had changed files taken[: {files.0.file}][, {files.1.file}][, {files.2.file}][, {files.3.file} …]",
	[CS_EV_ENGINE_STARTED] = "the engine started",
	[CS_EV_ENGINE_STOPPED] = "the engine stopped",
	[CS_EV_EVENT_CONSUMED] = "{name} took the event[ {id}][ of {source}]",
	[CS_EV_EVENT_EMITTED] = "[{name}: ]an event was emitted[, of the type {event.type}]",
	[CS_EV_CHILD_ENDED] = "the run that {name} started is {state}[: {error.title}]",
	[CS_EV_EVENT_HANDLED] = "{name} is done with an event",
	[CS_EV_EVENT_PASSED] = "{name} let the event[ {id}][ of {source}] pass[: {why}]",
	[CS_EV_EVENT_RECEIVED] = "{name} received an event[ of the type {event.type}]",
	[CS_EV_ITEM_CLOSED] = "[{by} ]closed the item[: {how}]",
	[CS_EV_ITEM_OPENED] = "the operator was told: {title}",
	[CS_EV_LOG_ARCHIVED] = "{actor} archived events {first} to {last}",
	[CS_EV_LOG_IMPORTED] = "{actor} imported runs of the workspace {workspace}",
	[CS_EV_REVERSAL_BEGUN] = "the engine set out to take {name} back with {call}",
	[CS_EV_REVERSAL_FAILED] = "{name} could not be taken back[: {error.title}]",
	[CS_EV_REVERSAL_REGISTERED] = "{name} can be taken back with {call}",
	[CS_EV_REVERSAL_REVERSED] = "{name} was taken back",
	[CS_EV_REVERSAL_WAIVED] = "{actor} left {name} as it is[: {why}]",
	[CS_EV_RUN_ADOPTED] = "{actor} had the run take the flow as it is now[ ({version})][: {why}]",
	[CS_EV_RUN_BLOCKED] = "the run waits",
	[CS_EV_RUN_CANCELLED] = "the run was cancelled",
	[CS_EV_RUN_CANCELLING] = "{actor} cancelled the run[: {reason}]",
	[CS_EV_RUN_COMPENSATED] = "what the run did is taken back",
	[CS_EV_RUN_COMPENSATING] = "what the run did is being taken back[ ({why})][: {error.title}]",
	[CS_EV_RUN_COMPLETED] = "the run completed",
	[CS_EV_RUN_CORRECTED] = "{actor} corrected the run[: {patch.0.in} {patch.0.path}][ of {patch.0.task}][, {patch.1.in} {patch.1.path}][, {patch.2.in} {patch.2.path}][, {patch.3.in} {patch.3.path} …][; {why}]",
	[CS_EV_RUN_CREATED] = "{actor} began a run of {flow}[ {version}][, a replay of {parent}]",
	[CS_EV_RUN_FAULTED] = "the run faulted[ at {task}][: {error.title}]",
	[CS_EV_RUN_IMPORTED] = "the run was imported from the workspace {workspace}, where it was {state}",
	[CS_EV_RUN_PAUSED] = "the run is paused",
	[CS_EV_RUN_PAUSING] = "{actor} paused the run; what is open outside ends first",
	[CS_EV_RUN_RESUMED] = "{actor} resumed the run",
	[CS_EV_RUN_RETRIED] = "{actor} retried the run[: {why}]",
	[CS_EV_RUN_STARTED] = "the run started",
	[CS_EV_RUN_STUCK] = "something could not be taken back: the operator decides[: {error.title}]",
	[CS_EV_RUN_UNBLOCKED] = "the run went on",
	[CS_EV_START_CLEARED] = "what was gathered for {starter} was let go: its definition has changed",
	[CS_EV_START_CONSUMED] = "{starter} took the event",
	[CS_EV_START_ENDED] = "{starter}: {how}[, run {run}][: {why}]",
	[CS_EV_START_PASSED] = "{starter} let the event pass[: {why}]",
	[CS_EV_START_RECEIVED] = "{starter} received an event[ of the type {event.type}]",
	[CS_EV_TASK_CANCELLED] = "{name} was cancelled",
	[CS_EV_TASK_CAUGHT] = "{name} caught the error[: {error.title}]",
	[CS_EV_TASK_COMPLETED] = "{name} completed",
	[CS_EV_TASK_CORRECTED] = "the replay took over what was corrected[: {patch.0.in} {patch.0.path}][, {patch.1.in} {patch.1.path}][, {patch.2.in} {patch.2.path}][, {patch.3.in} {patch.3.path} …]",
	[CS_EV_TASK_FAULTED] = "{name} faulted[: {error.title}]",
	[CS_EV_TASK_SKIPPED] = "{name} was skipped: its condition is false",
	[CS_EV_TASK_STARTED] = "{name} began",
	[CS_EV_TIMER_ARMED] = "a timer was set",
	[CS_EV_TIMER_CANCELLED] = "a timer was cancelled",
	[CS_EV_TIMER_FIRED] = "a timer ran out",
};

/* Where a member of the data makes another event of it. */
static const struct {
	cs_event_type type;
	const char *member, *sentence;
} variants[] = {
	/* A run that a task of another started has that one for its parent, and replays what it says. */
	{ CS_EV_RUN_CREATED, "caller", "a task of run {parent} began a run of {flow}[ {version}][, a replay of {replays}]" },
	{ CS_EV_ATTEMPT_RETRY, "held", "{name} was held back before anything of it left" },
	{ CS_EV_TASK_SKIPPED, "outcome", "{name} was not done: its gate was {outcome.decision}[ by {outcome.by}][: {outcome.note}]" },
	{ CS_EV_REVERSAL_BEGUN, "of", "the engine set out to have {name} taken back by run {of}, which did it" },
	{ CS_EV_REVERSAL_REVERSED, "of", "{name} was taken back by run {of}, which did it" },
	{ CS_EV_REVERSAL_FAILED, "of", "{name} of run {of} could not be taken back[: {error.title}]" },
	{ CS_EV_REVERSAL_WAIVED, "of", "{actor} left {name} of run {of} as it is[: {why}]" },
	{ CS_EV_RUN_COMPENSATING, "root", "the run {root} has what this run did taken back" },
	{ CS_EV_ATTEMPT_INTENT, "probes", "the engine asked by {call} whether {name} had happened" },
	{ CS_EV_ATTEMPT_DONE, "probed", "its probe found that {name} had happened" },
	{ CS_EV_ATTEMPT_RETRY, "absent", "its probe found that {name} had not happened: it is tried again" },
	{ CS_EV_ATTEMPT_FAILED, "absent", "its probe found that {name} had not happened, and its tries are used up" },
	{ CS_EV_ATTEMPT_AMBIGUOUS, "probe", "it is not known whether {name} happened[: {how}]; {probe} is asked" },
	{ CS_EV_ATTEMPT_REUSED, "once", "{name} took what run {of} had done under the same business key: nothing was sent" },
	{ CS_EV_TASK_COMPLETED, "back", "the answer to {name} led back to {back}[: {output.note}]" },
};

static const char *sentence_of(cs_event_type t, const cs_event *ev)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(variants); i++)
		if (variants[i].type == t && json_object_get(ev->data, variants[i].member) != NULL)
			return variants[i].sentence;
	return sentences[t];
}

#define SAYS_MAX 1000

/* A value in the sentence: a text as it is, cut at a whole character; a number; else nothing. */
static bool add_value(cs_buf *out, const json_t *v)
{
	if (json_is_integer(v))
		return cs_buf_addf(out, "%lld", (long long)json_integer_value(v)) == CS_OK;
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	if (!s || n == 0)
		return false;
	if (n > 200) {
		for (n = 200; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			;
		return cs_buf_add(out, s, n) == CS_OK && cs_buf_adds(out, "…") == CS_OK;
	}
	return cs_buf_add(out, s, n) == CS_OK;
}

static bool add_text(cs_buf *out, const char *s)
{
	CS_AUTOJSON json_t *v = s ? json_string(s) : NULL;
	return add_value(out, v);
}

static bool add_name(cs_buf *out, const cs_event *ev, const char *name)
{
	const json_t *v = strchr(name, '.') ? cs_json_get_path(ev->data, name) : json_object_get(ev->data, name);
	if (v && add_value(out, v))
		return true;
	if (strcmp(name, "actor") == 0 || strcmp(name, "by") == 0)
		return add_text(out, ev->actor);
	if (strcmp(name, "run") == 0)
		return add_text(out, ev->run);
	if (!ev->task)
		return false;
	const char *slash = strrchr(ev->task, '/');
	if (strcmp(name, "name") == 0 || strcmp(name, "call") == 0)
		return add_text(out, slash ? slash + 1 : ev->task);
	return strcmp(name, "task") == 0 && add_text(out, ev->task);
}

/* One {name} at P; P moves behind it. */
static bool add_braced(cs_buf *out, const cs_event *ev, const char **p)
{
	char name[32];
	size_t n = strcspn(*p + 1, "}");
	snprintf(name, sizeof name, "%.*s", (int)n, *p + 1);
	*p += n + 2;
	return add_name(out, ev, name);
}

/* Up to END: a bracket's inside, or the whole sentence. False when a name is missing. */
static bool add_part(cs_buf *out, const cs_event *ev, const char *p, const char *end)
{
	bool whole = true;
	while (p < end) {
		if (*p == '{') {
			whole = add_braced(out, ev, &p) && whole;
		} else if (*p == '[') {
			const char *close = strchr(p, ']');
			size_t before = out->len;
			if (!add_part(out, ev, p + 1, close)) {
				out->len = before;
				if (out->data)
					out->data[before] = '\0';
			}
			p = close + 1;
		} else {
			cs_buf_addc(out, *p++);
		}
	}
	return whole;
}

json_t *cs_view_says(const cs_event *ev)
{
	cs_event_type t = cs_event_type_find(ev->type);
	const char *sentence = t == CS_EV_COUNT ? NULL : sentence_of(t, ev);
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, SAYS_MAX);
	if (!sentence)
		return json_string(ev->type);
	add_part(&out, ev, sentence, sentence + strlen(sentence));
	json_t *s = json_stringn(cs_buf_str(&out), out.len);
	return s ? s : json_string(ev->type);
}

typedef struct chain {
	json_t *list;
	int64_t cause;
} chain;

static int add_link(void *ctx, const cs_event *ev)
{
	chain *c = ctx;
	json_t *e = cs_view_event_json(ev);
	json_object_set_new(e, "says", cs_view_says(ev));
	json_array_append_new(c->list, e);
	/* Only backwards, whatever the row says: no circle. */
	c->cause = ev->cause < ev->seq ? ev->cause : 0;
	return 0;
}

int cs_view_why(cs_reader *r, int64_t seq, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *list = json_array();
	chain c = { list, seq };
	int rc = cs_view_take(&hold, r, err);
	if (!rc && seq < 1)
		rc = cs_err_set(err, CS_ENOTFOUND, "there is no event %lld", (long long)seq);
	while (!rc && c.cause > 0 && json_array_size(list) < CS_VIEW_WHY_MAX)
		rc = cs_reader_event(r, c.cause, add_link, &c, err);
	if (!rc)
		*ret = CS_STEAL(list);
	return rc;
}
