/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shell around the views: the loop, the back stack, notices, prompts, overlays, search,
 * commands on their way, and the rules that keep a stray key from deciding. */
#ifndef CS_TUI_SHELL_H
#define CS_TUI_SHELL_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/regex.h"
#include "tui/console.h"
#include "tui/line.h"
#include "tui/menu.h"
#include "tui/pager.h"
#include "tui/view.h"

#define CS_ARM_MS 400       /* decision keys arm this long after what they decide was first drawn */
#define CS_FRAME_MS 16      /* between two frames, at least */
#define CS_RELOAD_MS 100    /* between two reads because the log has grown, at least */

/* A prompt's end: what it is bound to, and what was typed. */
typedef void cs_prompt_fn(cs_shell *sh, const json_t *bound, const char *text);
/* A command's end. OK is NULL when ERROR is not. */
typedef void cs_reply_fn(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error);

typedef struct cs_prompt {
	bool on;
	char *label;
	char *word;             /* the word to be typed; pastes do not count. NULL: any text */
	const char *keys;       /* one of these keys answers at once, nothing is typed. NULL: text */
	cs_line line;
	json_t *bound;
	cs_prompt_fn *done;
} cs_prompt;

enum { CS_OVER_NONE, CS_OVER_MENU, CS_OVER_TEXT };

typedef struct cs_place { int view, focus; char *place; } cs_place;
typedef struct cs_sent { unsigned tag; json_t *cmd; cs_reply_fn *done; struct cs_sent *next; } cs_sent;

#define CS_STACK_MAX 64

struct cs_shell {
	const cs_source *src;
	const cs_console_opts *opts;
	cs_term *term;
	cs_view *views[CS_VIEW_COUNT];
	int at;
	cs_place stack[CS_STACK_MAX];
	size_t depth;
	json_t *status;
	long open_items, live_runs, going;   /* for the tabs: what waits, what does something, what has not ended */
	char *gone;                    /* why there is no engine any more; NULL: there is one */

	char *notice;
	unsigned notice_style;
	cs_prompt prompt;
	int over;
	cs_menu menu;
	void (*menu_done)(cs_shell *sh, int id);
	cs_pager text;
	char *text_title;

	cs_regex *search;
	char *search_text;
	size_t search_at, search_total;

	cs_sent *sent;
	int last;                      /* the action `.` repeats, -1 */

	char *subject;                 /* what is on the screen and could be decided */
	int64_t subject_ms;            /* since when, monotonic */
	int64_t hush_ms;               /* decisions wait CS_ARM_MS after this: a paste, a burst */
	bool burst;                    /* this key came together with others */

	bool stale, dirty, quit, quit_asked;
	bool asked;                    /* something was sent: its answer may be there without a wake-up */
	int64_t reload_ms, frame_ms, tick_ms;   /* monotonic; tick_ms: when the picture ages, 0 never */
};

int64_t cs_shell_now(void);                       /* monotonic milliseconds */
bool cs_shell_engine_inside(const cs_shell *sh);  /* it stops with this process */
cs_view *cs_shell_view(const cs_shell *sh);
unsigned cs_shell_can(const cs_shell *sh);
/* Why a decision key does not decide right now, translated; NULL: it does. */
const char *cs_shell_unarmed(const cs_shell *sh);

/* A notice, until the next key. TEXT says what happened and names the one thing to do. */
void cs_shell_say(cs_shell *sh, unsigned style, const char *text);
void cs_shell_sayf(cs_shell *sh, unsigned style, const char *fmt, ...) CS_PRINTF(3, 4);
void cs_shell_say_err(cs_shell *sh, const cs_err *err);

void cs_shell_ask(cs_shell *sh, const char *label, const char *text, json_t *bound, cs_prompt_fn *done);   /* takes BOUND */
/* A question with a key for each answer, which is handed over as text; Esc leaves it. */
void cs_shell_choose(cs_shell *sh, const char *label, const char *keys, json_t *bound, cs_prompt_fn *done);
void cs_shell_ask_word(cs_shell *sh, const char *word, json_t *bound, cs_prompt_fn *done);

void cs_shell_go(cs_shell *sh, int view, const char *place, bool remember);
void cs_shell_back(cs_shell *sh);
void cs_shell_menu(cs_shell *sh, void (*done)(cs_shell *sh, int id));   /* the items are in sh->menu */
void cs_shell_text(cs_shell *sh, const char *title);                   /* the lines are in sh->text */

/* Sends CMD (taken); DONE is called with its reply. */
void cs_shell_send(cs_shell *sh, json_t *cmd, cs_reply_fn *done);
/* Takes every message of the source; true when something changed. */
bool cs_shell_poll(cs_shell *sh);
void cs_shell_forget_sent(cs_shell *sh);
void cs_shell_load(cs_shell *sh);

/* What is drawn now is different in MS: wakes then. Views call it for each clock they draw. */
void cs_shell_ages(cs_shell *sh, int64_t ms);
void cs_shell_paint(cs_shell *sh);
void cs_shell_key(cs_shell *sh, cs_key key);
void cs_shell_paste(cs_shell *sh, const char *text);
void cs_shell_search_count(cs_shell *sh);

/* Opens TEXT in the operator's editor; *ret the text afterwards, malloc'ed. */
int cs_shell_editor(cs_shell *sh, const char *text, const char *suffix, char **ret, cs_err *err);

#endif
