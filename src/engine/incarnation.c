/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/incarnation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/engine_priv.h"
#include "engine/seen.h"

#define DATABASE "capstan.db"
#define PUT_BACK "put back"

int cs_incarnation_place(const char *dir, char ret[CS_HEX_SIZE], cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, DATABASE);
	char machine[CS_HEX_SIZE];
	struct statx st;
	cs_engine_machine(machine);
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) != 0)
		return cs_err_sys(err, errno, "%s", path);
	/* The number of the device is left out: it changes from one start of the machine to the next. */
	bool born = (st.stx_mask & STATX_BTIME) != 0;
	CS_AUTOFREE char *text = cs_xasprintf("%s\n%llu\n%lld.%09u", machine, (unsigned long long)st.stx_ino,
					      born ? (long long)st.stx_btime.tv_sec : 0, born ? (unsigned)st.stx_btime.tv_nsec : 0);
	cs_hash_hex(text, strlen(text), ret);
	return CS_OK;
}

static int number(cs_store *s, const char *setting, int64_t *ret, cs_err *err)
{
	CS_AUTOFREE char *text = NULL;
	int rc = cs_store_setting(s, setting, &text, err);
	if (rc == CS_OK)
		*ret = text != NULL ? strtoll(text, NULL, 10) : 0;
	return rc;
}

int cs_incarnation_is_copy(cs_store *s, const char *here, bool *ret, cs_err *err)
{
	CS_AUTOFREE char *live = NULL;
	CS_AUTOFREE char *place = NULL;
	char machine[CS_HEX_SIZE];
	int64_t n = 0;
	int rc = cs_store_setting(s, "live", &live, err);
	if (rc == CS_OK)
		rc = number(s, "incarnation", &n, err);
	if (rc == CS_OK)
		rc = cs_store_setting(s, "place", &place, err);
	if (rc != CS_OK)
		return rc;
	cs_engine_machine(machine);
	bool was_live = live != NULL && strcmp(live, "off") != 0;
	if (place != NULL)
		*ret = (was_live || n > 0) && strcmp(place, here) != 0;
	else                                 /* of a release that noted the machine alone */
		*ret = was_live && strstr(live, machine) == NULL;
	return CS_OK;
}

/* ---- another one ------------------------------------------------------------------------------------ */

/* Where it was live, for whoever is to be live next; *ret NULL: nowhere. */
static int was_live(cs_store *s, json_t **ret, cs_err *err)
{
	CS_AUTOFREE char *dir = NULL;
	CS_AUTOFREE char *place = NULL;
	CS_AUTOFREE char *live = NULL;
	int rc = cs_store_setting(s, "live", &live, err);
	if (rc == CS_OK)
		rc = cs_store_setting(s, "live.dir", &dir, err);
	if (rc == CS_OK)
		rc = cs_store_setting(s, "place", &place, err);
	if (rc == CS_OK && live != NULL && strcmp(live, "off") != 0 && dir != NULL && place != NULL)
		*ret = json_pack("{s:s, s:s}", "dir", dir, "place", place);
	return rc;
}

static const char copy_action[] = "See that the other does not go on (there: `capstan live --off`); then `capstan live` where it was "
				  "live, and `capstan release`. What began before that moment and was to be sent later comes into the "
				  "inbox: the other may have sent it. Clocks that came due meanwhile are asked about. Then dismiss this";
static const char put_back_action[] = "What was done here after that moment is not in this log any more. If that was not meant, stop the engine "
				      "and put the newer state back. Else `capstan live`, and `capstan release`: what began before that moment "
				      "and was to be sent later comes into the inbox, for it may have been sent. Then dismiss this";

static int say(cs_store *s, const cs_incarnation_order *o, int64_t n, const char *since, int64_t cause, cs_err *err)
{
	const char *what = strcmp(o->why, "restored") == 0 ? "is a restored copy of what it was" :
			   strcmp(o->why, PUT_BACK) == 0 ? "is an older state, put back over what was done here since, of what it was" :
			   strcmp(o->why, "copied") == 0 ? "is a second copy of what it was" : "was let go for another copy of it";
	CS_AUTOFREE char *title = cs_xasprintf("This workspace %s at %s (incarnation %lld); nothing leaves from here", what, since, (long long)n);
	const char *action = strcmp(o->why, PUT_BACK) == 0 ? put_back_action : copy_action;
	CS_AUTOJSON json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "item", o->item, "kind", "notice", "title", title, "next", "dismiss",
					     "call", "incarnation", "action", action);
	cs_event ev = { .at = o->at, .type = "item.opened", .actor = "engine", .cause = cause, .data = data };
	return cs_store_append(s, &ev, err);
}

int cs_incarnation_begin(cs_store *s, const char *place, const cs_incarnation_order *o, cs_err *err)
{
	uint8_t bytes[16];
	char token[2 * sizeof bytes + 1], machine[CS_HEX_SIZE], since[CS_TIME_SIZE];
	json_t *was = NULL;
	int64_t n = 0;
	int rc = number(s, "incarnation", &n, err);
	if (rc == CS_OK && strcmp(o->why, PUT_BACK) != 0)    /* there is no other that could be live: it was here */
		rc = was_live(s, &was, err);
	if (rc != CS_OK)
		return rc;
	n++;
	cs_random_bytes(bytes, sizeof bytes);
	cs_hex(bytes, sizeof bytes, token);
	cs_engine_machine(machine);
	cs_time_format(o->since, since);
	CS_AUTOFREE char *hold = cs_xasprintf("%s: incarnation %lld, of what the workspace was at %s", o->why, (long long)n, since);
	CS_AUTOJSON json_t *data = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "incarnation", (json_int_t)n, "token", token, "why", o->why,
					     "place", place, "machine", machine, "hold", hold, "since", (json_int_t)o->since);
	if (o->file != NULL)
		json_object_set_new(data, "file", json_string(o->file));
	if (was != NULL)
		json_object_set_new(data, "was", was);
	cs_event ev = { .at = o->at, .type = "engine.incarnation", .actor = o->actor, .data = data };
	rc = cs_store_append(s, &ev, err);
	return rc == CS_OK ? say(s, o, n, since, ev.seq, err) : rc;
}

/* ---- in the engine --------------------------------------------------------------------------------------- */

/* *ret stays NULL where it is not set, or off. What cannot be read is not taken for unset. */
static int look(cs_store *s, const char *name, char **ret, cs_err *err)
{
	int rc = cs_store_setting(s, name, ret, err);
	if (rc == CS_OK && *ret != NULL && strcmp(*ret, "off") == 0)
		cs_freep(ret);
	return rc;
}

static int read_settings(cs_engine *e, cs_err *err)
{
	CS_AUTOFREE char *hold = NULL;
	CS_AUTOFREE char *live = NULL;
	CS_AUTOFREE char *token = NULL;
	CS_AUTOFREE char *resting = NULL;
	CS_AUTOFREE char *seq = NULL;
	const struct {
		const char *name;
		char **value;
	} all[] = { { "hold", &hold }, { "live", &live }, { "incarnation.token", &token }, { "incarnation.resting", &resting }, { "incarnation.seq", &seq } };
	char machine[CS_HEX_SIZE];
	for (size_t i = 0; i < CS_ARRAY_LEN(all); i++) {
		int rc = look(e->store, all[i].name, all[i].value, err);
		if (rc != CS_OK)
			return rc;
	}
	cs_engine_machine(machine);
	atomic_store(&e->hold, hold != NULL);
	e->live = live != NULL && strstr(live, machine) != NULL;
	e->resting = resting != NULL;
	e->copied_seq = seq != NULL ? strtoll(seq, NULL, 10) : 0;
	snprintf(e->token, sizeof e->token, "%s", token != NULL ? token : "");
	e->step.token = e->token[0] != '\0' ? e->token : NULL;
	return CS_OK;
}

static int find_place(cs_engine *e, char ret[CS_HEX_SIZE], cs_err *err)
{
	if (e->opts.place == NULL)
		return cs_incarnation_place(e->state_dir, ret, err);
	snprintf(ret, CS_HEX_SIZE, "%s", e->opts.place);
	return CS_OK;
}

static int write_live(cs_engine *e, const char *actor, bool on, cs_err *err)
{
	char machine[CS_HEX_SIZE], place[CS_HEX_SIZE];
	CS_AUTOFREE char *dir = realpath(e->dir, NULL);
	int rc = find_place(e, place, err);
	if (rc != CS_OK)
		return rc;
	cs_engine_machine(machine);
	CS_AUTOJSON json_t *data = on ? json_pack("{s:b, s:s, s:s}", "on", 1, "machine", machine, "place", place) : json_pack("{s:b}", "on", 0);
	if (on && e->opts.place == NULL)
		json_object_set_new(data, "dir", json_string(dir != NULL ? dir : e->dir));
	cs_event ev = { .at = e->step.now, .type = "engine.live", .actor = actor, .data = data };
	return cs_engine_append(e, &ev, err);
}

int cs_incarnation_start(cs_engine *e, int64_t last, cs_err *err)
{
	CS_AUTOFREE char *place = NULL;
	char here[CS_HEX_SIZE];
	bool copy = false, back = false;
	int rc = find_place(e, here, err);
	if (rc == CS_OK)
		rc = cs_incarnation_is_copy(e->store, here, &copy, err);
	if (rc == CS_OK)
		cs_seen_open(e, here);
	if (rc == CS_OK && !copy)
		rc = cs_seen_is_behind(e, cs_store_last_seq(e->store), &back, err);
	if (rc == CS_OK && (copy || back)) {
		cs_incarnation_order o = { .why = copy ? "copied" : PUT_BACK, .actor = "engine", .at = e->step.now, .since = last };
		e->step.new_id(e, o.item);
		rc = cs_incarnation_begin(e->store, here, &o, err);
	}
	if (rc == CS_OK)
		rc = read_settings(e, err);
	if (rc == CS_OK)
		rc = look(e->store, "place", &place, err);
	if (rc == CS_OK && e->live && place == NULL)         /* said to a release that did not note where */
		rc = write_live(e, "engine", true, err);
	return rc;
}

/* ---- one of them is live ------------------------------------------------------------------------------------ */

static int64_t count(cs_reader *r, const char *sql, int64_t def)
{
	CS_AUTOJSON json_t *rows = NULL;
	if (cs_reader_query(r, sql, NULL, &rows, NULL) != CS_OK)
		return def;
	return cs_json_int_or(json_array_get(rows, 0), "n", def);
}

/* The workspace that this is a copy of, where it can be seen from here: it must have let go. */
static int other_let_go(cs_engine *e, cs_err *err)
{
	CS_AUTOFREE char *dir = NULL;
	CS_AUTOFREE char *place = NULL;
	char there[CS_HEX_SIZE];
	cs_reader *r = NULL;
	int rc = look(e->store, "was.dir", &dir, err);
	if (rc == CS_OK)
		rc = look(e->store, "was.place", &place, err);
	if (rc != CS_OK || dir == NULL || place == NULL)
		return rc;
	CS_AUTOFREE char *state = cs_path_join(dir, CS_STATE_DIR);
	if (cs_incarnation_place(state, there, NULL) != CS_OK || strcmp(there, place) != 0)
		return CS_OK;        /* it is not there any more, or on another machine: nobody here can know */
	rc = cs_reader_open(state, &r, err);
	if (rc != CS_OK)
		return cs_err_set(err, CS_EREFUSED, "this is a copy of %s, which was live and cannot be read: nobody knows whether it still is; see to "
				  "it there first", dir);
	bool live = count(r, "SELECT count(*) AS n FROM setting WHERE name = 'live' AND value <> 'off'", 1) > 0;
	int64_t open = count(r, "SELECT count(*) AS n FROM attempt WHERE state = 'intent' AND simulated = 0", 1);
	cs_reader_close(r);
	if (live)
		return cs_err_set(err, CS_EREFUSED, "%s is live, and this is a copy of it: both would do everything; let it go there first, with "
				  "`capstan -C %s live --off`", dir, dir);
	if (open > 0)
		return cs_err_set(err, CS_EREFUSED, "%s, of which this is a copy, is not live any more, but %lld effects of it are under way; start it "
				  "once, so that their end is known, and try again", dir, (long long)open);
	return CS_OK;
}

/* Another copy goes on from here: this one is another incarnation, should it ever go on itself. */
static int let_go(cs_engine *e, const char *actor, cs_err *err)
{
	cs_incarnation_order o = { .why = "handed over", .actor = actor, .at = e->step.now, .since = e->step.now };
	char here[CS_HEX_SIZE];
	int rc = find_place(e, here, err);
	if (rc != CS_OK || !e->live)
		return rc;
	atomic_store(&e->hold, true);        /* before it is even written */
	rc = write_live(e, actor, false, err);
	e->step.new_id(e, o.item);
	if (rc == CS_OK)
		rc = cs_incarnation_begin(e->store, here, &o, err);
	if (rc != CS_OK)
		return rc;
	e->live = false;
	e->resting = e->handed_over = true;
	return CS_OK;
}

static int go_live(cs_engine *e, const char *actor, cs_err *err)
{
	if (!e->ws->live_wish)
		return cs_err_set(err, CS_EREFUSED, "capstan.yaml says mode: simulate; write `mode: live` there first");
	/* Its runs would not know that another may have gone on with them. */
	if (e->handed_over)
		return cs_err_set(err, CS_EREFUSED, "this workspace was let go for another copy of it while this engine ran; start the engine again first");
	int rc = other_let_go(e, err);
	if (rc == CS_OK)
		rc = write_live(e, actor, true, err);
	if (rc != CS_OK)
		return rc;
	e->live = true;
	return cs_runs_all_ready(e, err);    /* what began while it was live goes on */
}

int cs_command_live(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	const char *actor = e->step.actor != NULL ? e->step.actor : "engine";
	int rc = json_is_false(json_object_get(req, "on")) ? let_go(e, actor, err) : go_live(e, actor, err);
	if (rc == CS_OK)
		*ret = json_pack("{s:b}", "live", (int)e->live);
	return rc;
}
