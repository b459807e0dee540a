/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done with the state as a whole: a backup is made of it while the engine writes, it is lost and
 * restored from one, its log is archived, and somebody starts a second engine on it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/json.h"
#include "engine/incarnation.h"
#include "engine/restore.h"
#include "tests/faults/sim_disk.h"
#include "tests/faults/sim_site.h"
#include "tests/faults/simulation.h"

#define BACKUP "backup"
#define BACKUP_NEW "backup.new"

/* Where the state lies, as the engine and a restore are told: the file system's numbers come from no seed. */
static char place[24];

void sim_place(const simulation *s, char out[CS_HEX_SIZE])
{
	snprintf(place, sizeof place, "disk %u", s->restored);
	snprintf(out, CS_HEX_SIZE, "%s", place);
}

int __wrap_cs_incarnation_place(const char *dir, char ret[CS_HEX_SIZE], cs_err *err);
int __wrap_cs_incarnation_place(const char *dir, char ret[CS_HEX_SIZE], cs_err *err)
{
	(void)dir;
	(void)err;
	snprintf(ret, CS_HEX_SIZE, "%s", place);
	return CS_OK;
}

void sim_backup(simulation *s)
{
	const cs_backup_ear nobody = { 0 };
	cs_backup b = { 0 };
	cs_err err = { 0 };
	if (cs_backup_write(SIM_STATE, BACKUP_NEW, true, nobody, &b, &err) != CS_OK) {
		if (!sim_disk_failed())
			sim_wrong(s, "no backup can be made on a sound disk: %s", err.msg);
		return;
	}
	if (b.events < s->acked_seq)
		sim_wrong(s, "I1: a backup ends at event %lld, and %lld was acknowledged before it was made", (long long)b.events, (long long)s->acked_seq);
	if (rename(BACKUP_NEW, BACKUP) != 0)
		sim_wrong(s, "the backup cannot be renamed");
	s->backup = b;
	s->backup_ledger = json_array_size(s->net.ledger);
}

/* The log is another from here on: what came after the backup is known to the outside alone, where what has been
 * sent stays sent, and counts. */
static void look_anew(simulation *s)
{
	const char *key;
	json_t *unused;
	/* Of business keys that were used since, the copy knows nothing: a new run of it sends under them. Those that
	 * an old run has are asked about as all that it sends (sim_rules.h). */
	json_object_foreach(s->more_rules.business, key, unused)
		json_object_del(s->net.sent, key);
	invariants_free(s->rules);
	s->rules = invariants_new();
	sim_rules_anew(&s->more_rules, s->backup.events);
	while (json_array_size(s->net.ledger) > s->backup_ledger)
		json_array_remove(s->net.ledger, json_array_size(s->net.ledger) - 1);
	s->acked_seq = s->backup.events;
	memcpy(s->acked_hash, s->backup.head, sizeof s->acked_hash);
	s->live = false;
	s->net.held = true;          /* until it is released */
	s->net.off = false;
}

void sim_restore(simulation *s)
{
	const cs_backup_ear nobody = { 0 };
	cs_restored r = { 0 };
	cs_err err = { 0 };
	if (s->backup.events == 0)
		return;
	sim_crash(s, SIM_KILLED);
	sim_site_remove(SIM_STATE);
	sim_disk_forget();
	s->restored++;
	char where[CS_HEX_SIZE];
	sim_place(s, where);
	if (cs_restore(BACKUP, SIM_DIR, NULL, "operator:sim", nobody, &r, &err) != CS_OK)
		sim_wrong(s, "the backup is not restored: %s", err.msg);
	look_anew(s);
	if (!s->wrong)
		sim_start(s);
}

void sim_archive(simulation *s)
{
	static const int64_t ages[] = { 0, 1000, 10000 };
	sim_ask(s, json_pack("{s:s, s:I}", "cmd", "archive", "older", (json_int_t)ages[sim_draw(&s->chance, CS_ARRAY_LEN(ages))]));
}
