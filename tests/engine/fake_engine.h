/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's face without an engine behind it: takes the lease, listens, and answers a few
 * commands on a thread of its own, as the coordinator would.
 *   status -> {pid}; echo VALUE -> {value}; commit N -> {} after N calls of the feed;
 *   refuse -> error refused; fill N -> {text: N bytes} */
#ifndef TESTS_ENGINE_FAKE_ENGINE_H
#define TESTS_ENGINE_FAKE_ENGINE_H

#include "engine/engine.h"

/* A workspace with nothing but its folder. */
int fake_load(void *dir, cs_workspace **ret, cs_err *err);
/* Makes the engine stop by itself with that reason. */
void fake_fail(cs_engine *e, const char *why);
/* A new folder with .capstan in it; malloc'ed. */
char *fake_dir(void);
void fake_remove(char *dir);
/* A child process with such an engine, which has the lease and listens. */
pid_t fake_process(const char *dir);
void fake_end(pid_t pid);

#endif
