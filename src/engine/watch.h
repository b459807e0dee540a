/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notices that files of the workspace have changed: a thread on inotify, which lets whoever writes
 * several files finish first. */
#ifndef CS_ENGINE_WATCH_H
#define CS_ENGINE_WATCH_H

#include <jansson.h>
#include "base/err.h"

typedef struct cs_watch cs_watch;

/* From here on no change is missed of the folders of definitions and of FILES (as in cs_watch_files).
 * FN is called on the watch's own thread. DIR is copied. */
int cs_watch_start(const char *dir, const json_t *files, void (*fn)(void *ctx), void *ctx, cs_watch **ret, cs_err *err);
/* FILES: path below DIR -> anything; what counts beside the folders of definitions. Any thread. */
void cs_watch_files(cs_watch *w, const json_t *files);      /* W NULL is fine */
void cs_watch_stop(cs_watch *w);                            /* NULL is fine; waits for the thread */

#endif
