/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A workspace on disk and the real program on it: for tests and measures of the whole console. */
#ifndef CS_TESTS_SITE_H
#define CS_TESTS_SITE_H

#include <sys/types.h>
#include "driver.h"

typedef struct site {
	char dir[128];
} site;

/* A simulated workspace with the flows `letter` (a gate), `broken` (faults), `parcel` (a notice),
 * `look` (a decision on its input, titled by it), `set` (nothing waits). */
void site_new(site *s);
void site_free(site *s);                     /* the folder goes; nobody may be in it any more */
void site_file(const site *s, const char *path, const char *text);

/* capstan -C DIR and ARGS (NULL-terminated) to its end; its exit status. *ret_out (may be NULL): stdout. */
int site_run(const site *s, char **ret_out, const char *const *args);
#define SITE_RUN(s, out, ...) site_run(s, out, (const char *const[]){ __VA_ARGS__, NULL })
/* The id of the first item that waits, malloc'ed. */
char *site_item(const site *s);

driver *site_console(const site *s, int rows, int cols);
driver *site_console_with(const site *s, int rows, int cols, const char *const *env);   /* NAME=VALUE… more */
/* `capstan serve`, ready; ended by the caller. */
pid_t site_serve(const site *s);
/* Waits for a child of ours to end. */
void site_end(pid_t pid, int signal);
pid_t site_holder(const site *s);            /* the process that holds the workspace, 0: none */

#endif
