/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine is killed at: workspaces with a flow to run, and what the operator does when they
 * see what. Everything here is data. */
#ifndef CS_TESTS_KILL_SCENARIOS_H
#define CS_TESTS_KILL_SCENARIOS_H

#include <stddef.h>

/* What the operator does with an item of the task TASK (NULL: any), one after the other in HOW: approve, reject,
 * respond, edit, undo (what was approved), snooze, leave (it expires). The last word stays. VALUE is JSON with ' for ". */
typedef struct kill_answer {
	const char *task, *how, *value;
} kill_answer;

/* What the operator does with a run in one of STATES, for as long as the log has less than MOST events of TYPE in it,
 * with SHARE of 100 runs. "hold" and "release" are of the whole workspace, "emit" is an event of type
 * kill.go, "replay" is of what has ended. */
typedef struct kill_act {
	const char *verb, *states, *type;
	unsigned most, share;
} kill_act;

typedef struct kill_file {
	const char *path, *text;
} kill_file;

enum { KILL_ANSWERS = 3, KILL_ACTS = 4, KILL_FILES = 4 };

typedef struct kill_scenario {
	const char *name;
	const char *settings;        /* more lines of capstan.yaml */
	kill_file files[KILL_FILES];
	const char *flow;            /* that the operator starts; NULL: something else does */
	kill_answer answers[KILL_ANSWERS];
	kill_act acts[KILL_ACTS];
	const char *ends;            /* how its runs may end */
	/* "OPERATION/STEP …" of each run that completes: what has happened outside, each once; and what never has. */
	const char *wants, *never;
	const char *task_doubt;      /* what did not happen is said so ("did-not") or done again ("repeat"); NULL: by turns */
	unsigned weight;             /* bytes more in each input; the operator then rests now and then, so that the log's tail is taken in */
	unsigned least;              /* events of the flow's own making (runs) before it is over, where nobody starts it */
} kill_scenario;

extern const kill_scenario kill_scenarios[];
extern const size_t kill_scenario_count;

/* Connectors, policies and agents that all of them have. */
extern const kill_file kill_common_files[];
extern const size_t kill_common_count;

#endif
