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
#include "engine/engine.h"

#define DATABASE "capstan.db"

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

static int64_t number(cs_store *s, const char *setting)
{
	CS_AUTOFREE char *text = NULL;
	if (cs_store_setting(s, setting, &text, NULL) != CS_OK || text == NULL)
		return 0;
	return strtoll(text, NULL, 10);
}

int cs_incarnation_is_copy(cs_store *s, const char *dir, bool *ret, cs_err *err)
{
	CS_AUTOFREE char *live = NULL;
	CS_AUTOFREE char *place = NULL;
	char machine[CS_HEX_SIZE], here[CS_HEX_SIZE];
	int rc = cs_store_setting(s, "live", &live, err);
	if (rc == CS_OK)
		rc = cs_store_setting(s, "place", &place, err);
	if (rc == CS_OK)
		rc = cs_incarnation_place(dir, here, err);
	if (rc != CS_OK)
		return rc;
	cs_engine_machine(machine);
	bool was_live = live != NULL && strcmp(live, "off") != 0;
	if (place != NULL)
		*ret = (was_live || number(s, "incarnation") > 0) && strcmp(place, here) != 0;
	else                                 /* of a release that noted the machine alone */
		*ret = was_live && strstr(live, machine) == NULL;
	return CS_OK;
}

/* ---- another one ------------------------------------------------------------------------------------ */

static json_t *was_live(cs_store *s)
{
	CS_AUTOFREE char *dir = NULL;
	CS_AUTOFREE char *place = NULL;
	CS_AUTOFREE char *live = NULL;
	if (cs_store_setting(s, "live", &live, NULL) != CS_OK || live == NULL || strcmp(live, "off") == 0)
		return NULL;
	if (cs_store_setting(s, "live.dir", &dir, NULL) != CS_OK || cs_store_setting(s, "place", &place, NULL) != CS_OK || !dir || !place)
		return NULL;
	return json_pack("{s:s, s:s}", "dir", dir, "place", place);
}

static int say(cs_store *s, const cs_incarnation_order *o, int64_t n, const char *since, int64_t cause, cs_err *err)
{
	bool restored = strcmp(o->why, "restored") == 0;
	CS_AUTOFREE char *title = cs_xasprintf("This workspace is a %s copy (incarnation %lld) of what it was at %s; nothing leaves from here",
					       restored ? "restored" : "second", (long long)n, since);
	CS_AUTOFREE char *action = cs_xasprintf("See that the other does not go on (there: `capstan live --off`); then `capstan live` where it was "
						"live, and `capstan release`. What began before that moment and was to be sent later comes into the "
						"inbox: the other may have sent it. Clocks that came due meanwhile are asked about. Then dismiss this");
	CS_AUTOJSON json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "item", o->item, "kind", "notice", "title", title, "next", "dismiss",
					     "call", "incarnation", "action", action);
	cs_event ev = { .at = o->at, .type = "item.opened", .actor = "engine", .cause = cause, .data = data };
	return cs_store_append(s, &ev, err);
}

int cs_incarnation_begin(cs_store *s, const char *dir, const cs_incarnation_order *o, cs_err *err)
{
	uint8_t bytes[16];
	char token[2 * sizeof bytes + 1], place[CS_HEX_SIZE], machine[CS_HEX_SIZE], since[CS_TIME_SIZE];
	int64_t n = number(s, "incarnation") + 1;
	int rc = cs_incarnation_place(dir, place, err);
	if (rc != CS_OK)
		return rc;
	cs_random_bytes(bytes, sizeof bytes);
	cs_hex(bytes, sizeof bytes, token);
	cs_engine_machine(machine);
	cs_time_format(o->since, since);
	CS_AUTOFREE char *hold = cs_xasprintf("%s: incarnation %lld, a copy of what the workspace was at %s", o->why, (long long)n, since);
	CS_AUTOJSON json_t *data = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "incarnation", (json_int_t)n, "token", token, "why", o->why,
					     "place", place, "machine", machine, "hold", hold, "since", (json_int_t)o->since);
	if (o->file != NULL)
		json_object_set_new(data, "file", json_string(o->file));
	json_t *was = was_live(s);
	if (was != NULL)
		json_object_set_new(data, "was", was);
	cs_event ev = { .at = o->at, .type = "engine.incarnation", .actor = o->actor, .data = data };
	rc = cs_store_append(s, &ev, err);
	return rc == CS_OK ? say(s, o, n, since, ev.seq, err) : rc;
}
