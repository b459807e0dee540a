/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is played while the disk is taped: the workspace's files, and scenarios over them. */
#ifndef CS_TESTS_POWER_PLAYS_H
#define CS_TESTS_POWER_PLAYS_H

#include "tests/faults/power_site.h"

typedef struct power_file {
	const char *path, *text;
} power_file;

extern const power_file power_files[];       /* ended by a NULL path */

typedef struct power_play {
	const char *name;
	const char *const *verbs;            /* of the operator; NULL: yes to all */
	/* On a site with a live engine that was just started; stops early when the engine has ended by itself
	 * (false). What is left over is operated to its end by the caller. */
	bool (*play)(site *s);
} power_play;

extern const power_play power_plays[];       /* ended by a NULL name */
size_t power_plays_count(void);

/* Starts an engine on what is there, makes it live, plays, and operates to the end. False: it did not
 * start, refused, or ended by itself; `why` says why. It is still there, where it was started. */
bool power_play_run(site *s, const power_play *p);

#endif
