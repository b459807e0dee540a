/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was last done from here, noted outside the workspace: a state that is put back over itself, in
 * place, takes its log and its anchor back with it, and looks like one that nothing has happened to.
 * One small file for each state that is live, in $XDG_STATE_HOME/capstan (~/.local/state/capstan), of
 * one line: "capstan-seen 1 SEQ HASH PATH". It is never ahead of a synced log, is not synced itself, and
 * where it cannot be kept everything goes on without it. */
#ifndef CS_ENGINE_SEEN_H
#define CS_ENGINE_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"
#include "engine/engine.h"

/* The folder, malloc'ed, made when it is not there. CS_ENOTFOUND: there is no home to have it in; else why it
 * cannot be written. */
int cs_seen_folder(char **ret, cs_err *err);

/* Finds the file for the state in PLACE (incarnation.h); from then on it can be read and noted. Without a folder
 * there is none, and that is no error. */
void cs_seen_open(cs_engine *e, const char *place);
/* *ret true: it names an event that the log, whose last is LAST, has not, or has another in its stead. A file that
 * cannot be read, is not one of ours or could not be written again says nothing. */
int cs_seen_is_behind(cs_engine *e, int64_t last, bool *ret, cs_err *err);
/* Notes the last committed event, where this state is live or a copy of one; only once it has been recovered.
 * It cannot fail what it is noted for. */
void cs_seen_note(cs_engine *e);

#endif
