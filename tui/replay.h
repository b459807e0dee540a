/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The replay view: what its three faces share (choosing a run, preparing, comparing). */
#ifndef CS_TUI_REPLAY_H
#define CS_TUI_REPLAY_H

#include "tui/list.h"
#include "tui/pager.h"
#include "tui/shell.h"

typedef enum cs_replay_face { CS_REPLAY_CHOOSE, CS_REPLAY_SETUP, CS_REPLAY_COMPARE } cs_replay_face;

typedef struct cs_replay {
	cs_view view;
	cs_replay_face face;
	cs_list runs, steps, rows;   /* a list a face */
	cs_pager text;               /* what stands beside it */
	char *old_run, *new_run;
	json_t *run, *new_state;     /* the old run whole; the new one, when comparing */
	json_t *sets;                /* [{path, value}] */
	json_t *plan;                /* [{name, ref, what}], NULL: not told */
	char *plan_for;              /* the step and the changes it was asked for */
	json_t *summary;
} cs_replay;

cs_replay *cs_replay_of(const cs_shell *sh);
cs_list *cs_replay_list(cs_replay *r);             /* of the face that is shown */
void cs_replay_prepare(cs_replay *r, const char *run, const char *ref);
void cs_replay_compare(cs_replay *r, const char *old_run, const char *new_run);
const char *cs_replay_from(const cs_replay *r);    /* the step it would begin at; NULL: the start */

int cs_replay_load_setup(cs_replay *r, cs_err *err);
void cs_replay_draw_setup(cs_replay *r, cs_rect rect);
int cs_replay_load_compare(cs_replay *r, cs_err *err);
void cs_replay_draw_compare(cs_replay *r, cs_rect rect);
void cs_replay_row_text(void *ctx, const json_t *row, cs_buf *out);

#endif
