/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/clock.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/engine_priv.h"

enum { BOOT_MAX = 128 };

/* ---- the clocks ---------------------------------------------------------------------------------------- */

static bool watched(const cs_engine *e)
{
	return e->opts.clock.now_ms == NULL || e->opts.clock.boot_ms != NULL;
}

static int64_t wall_of(const cs_engine *e)
{
	return e->opts.clock.now_ms != NULL ? e->opts.clock.now_ms(e->opts.clock.ctx) : cs_clock_wall_ms();
}

static int64_t since_boot(const cs_engine *e)
{
	return e->opts.clock.boot_ms != NULL ? e->opts.clock.boot_ms(e->opts.clock.ctx) : cs_clock_boot_ms();
}

static int64_t offset_of(const cs_engine *e)
{
	return wall_of(e) - since_boot(e);
}

/* Which boot it is since which is counted; "": it cannot be told. */
static void boot_of(const cs_engine *e, char out[BOOT_MAX])
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, BOOT_MAX);
	out[0] = '\0';
	if (e->opts.clock.boot_ms != NULL)
		snprintf(out, BOOT_MAX, "%s", e->opts.clock.boot != NULL ? e->opts.clock.boot : "");
	else if (cs_file_read("/proc/sys/kernel/random/boot_id", &text, NULL) == CS_OK)
		snprintf(out, BOOT_MAX, "%.*s", (int)strcspn(cs_buf_str(&text), "\n"), cs_buf_str(&text));
}

static bool near(int64_t ms)
{
	return ms >= -CS_CLOCK_JUMP_MS && ms <= CS_CLOCK_JUMP_MS;
}

/* Is it where it is trusted to be? Where that is not known any more, all that can be told is that it is
 * not behind the log. */
static bool plain(const cs_engine *e)
{
	const cs_clock_watch *c = &e->clock;
	if (atomic_load(&c->held) && !c->known)
		return c->behind && wall_of(e) >= e->step.now - CS_CLOCK_JUMP_MS;
	return near(offset_of(e) - atomic_load(&c->base));
}

int64_t cs_engine_now(const cs_engine *e)
{
	if (watched(e) && atomic_load(&e->clock.held) && e->clock.known)
		return since_boot(e) + atomic_load(&e->clock.base);
	return wall_of(e);
}

bool cs_clock_open(const cs_engine *e)
{
	return !watched(e) || (!atomic_load(&e->clock.held) && near(offset_of(e) - atomic_load(&e->clock.base)));
}

/* ---- over a restart ------------------------------------------------------------------------------------- */

json_t *cs_clock_note(const cs_engine *e)
{
	char boot[BOOT_MAX];
	if (!watched(e))
		return NULL;
	boot_of(e, boot);
	if (atomic_load(&e->clock.held) && !e->clock.known)
		boot[0] = '\0';              /* what is counted from here says nothing */
	return json_pack("{s:s, s:I}", "boot", boot, "offset", (json_int_t)atomic_load(&e->clock.base));
}

static bool same_boot(const json_t *noted, const char *boot)
{
	return boot[0] != '\0' && strcmp(cs_json_str_or(noted, "boot", ""), boot) == 0 && json_is_integer(json_object_get(noted, "offset"));
}

static int noted_data(void *ctx, const cs_event *ev)
{
	*(json_t **)ctx = json_incref(json_object_get(ev->data, "clock"));
	return 1;
}

/* The item of an engine before this one that is open still, and what it was held for. */
static int find_item(cs_engine *e, json_t **ret_noted, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT id, published_seq FROM item WHERE kind = 'clock' AND state = 'open' LIMIT 1", NULL, &rows, err);
	const json_t *row = json_array_get(rows, 0);
	if (rc != CS_OK || row == NULL)
		return rc;
	snprintf(e->clock.item, sizeof e->clock.item, "%s", cs_json_str_or(row, "id", ""));
	rc = cs_reader_event(e->reader, cs_json_int_or(row, "published_seq", 0), noted_data, ret_noted, err);
	return rc == 1 ? CS_OK : rc;
}

static int read_noted(cs_engine *e, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT value FROM setting WHERE name = 'clock'", NULL, &rows, err);
	const char *text = cs_json_str(json_array_get(rows, 0), "value");
	if (rc == CS_OK && text != NULL)
		*ret = cs_json_lenient(text);
	return rc;
}

int cs_clock_start(cs_engine *e, int64_t last, cs_err *err)
{
	cs_clock_watch *c = &e->clock;
	CS_AUTOJSON json_t *noted = NULL;
	char boot[BOOT_MAX];
	if (!watched(e))
		return CS_OK;
	atomic_store(&c->base, offset_of(e));
	boot_of(e, boot);
	int rc = find_item(e, &noted, err);
	if (rc != CS_OK)
		return rc;
	bool held = c->item[0] != '\0';
	if (!held)
		rc = read_noted(e, &noted, err);
	if (rc != CS_OK)
		return rc;
	c->known = same_boot(noted, boot);
	if (c->known)
		atomic_store(&c->base, cs_json_int_or(noted, "offset", 0));
	c->jump = held ? cs_json_int_or(noted, "jump", 0) : 0;
	if (!held && c->known)
		c->jump = offset_of(e) - atomic_load(&c->base);
	else if (!held && wall_of(e) < last)
		c->jump = wall_of(e) - last;
	c->behind = c->jump < 0;
	atomic_store(&c->held, held || !near(c->jump));      /* said in the first group */
	return CS_OK;
}

/* ---- what is said --------------------------------------------------------------------------------------- */

bool cs_clock_moved(const cs_engine *e)
{
	if (!watched(e))
		return false;
	bool held = atomic_load(&e->clock.held);
	return held == plain(e) || (held && e->clock.item[0] == '\0');
}

static int say(cs_engine *e, cs_err *err)
{
	cs_clock_watch *c = &e->clock;
	char by[64], id[CS_ID_SIZE];
	int64_t minutes = ((c->jump < 0 ? -c->jump : c->jump) + 30000) / 60000;
	cs_duration_show(minutes * 60000, by, sizeof by);
	e->step.new_id(e, id);
	json_t *noted = cs_clock_note(e);
	json_object_set_new(noted, "jump", json_integer(c->jump));
	json_t *data = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o}", "item", id, "kind", "clock", "title",
				 c->known ? json_sprintf("The clock jumped %s %s: nothing that sends leaves", by, c->jump < 0 ? "back" : "forward")
					  : json_sprintf("The clock is %s behind the log: nothing that sends leaves", by),
				 "next", "release", "call", "clock", "action",
				 "Set the clock right, and it goes on by itself; where it is right as it is now, say so with `capstan release`", "clock", noted);
	int rc = cs_command_write(e, "item.opened", data, err);
	if (rc == CS_OK)
		memcpy(c->item, id, sizeof id);
	return rc;
}

/* What the item's end carries is what the next engine holds the clock against: it is not held again for what was
 * said to be right. */
static int let_go(cs_engine *e, const char *how, cs_err *err)
{
	cs_clock_watch *c = &e->clock;
	bool said = c->item[0] != '\0';
	json_t *data = json_pack("{s:s, s:s, s:s}", "item", c->item, "how", how, "by", e->step.actor != NULL ? e->step.actor : "engine");
	c->item[0] = '\0';
	c->known = true;
	c->behind = false;
	atomic_store(&c->base, offset_of(e));
	atomic_store(&c->held, false);
	json_object_set_new(data, "clock", cs_clock_note(e));
	int rc = said ? cs_command_write(e, "item.closed", json_incref(data), err) : CS_OK;
	json_decref(data);
	return rc == CS_OK ? cs_runs_all_ready(e, err) : rc;
}

int cs_clock_look(cs_engine *e, cs_err *err)
{
	cs_clock_watch *c = &e->clock;
	if (!watched(e))
		return CS_OK;
	bool held = atomic_load(&c->held);
	if (held && plain(e))
		return let_go(e, "the clock is back", err);
	if (!held && plain(e)) {
		atomic_store(&c->base, offset_of(e));    /* what is set right by little is followed */
		return CS_OK;
	}
	if (!held) {
		c->jump = offset_of(e) - atomic_load(&c->base);
		c->known = true;
		atomic_store(&c->held, true);            /* before anything of this group is done */
	}
	return c->item[0] == '\0' ? say(e, err) : CS_OK;
}

int cs_clock_accept(cs_engine *e, const char *how, cs_err *err)
{
	return watched(e) && atomic_load(&e->clock.held) ? let_go(e, how, err) : CS_OK;
}
