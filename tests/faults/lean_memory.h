/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that is refused once, or from then on: to our own code (by the linker's --wrap), to jansson
 * (while nobody has told it to end the process), and to SQLite. What is counted and what is to
 * happen is shared with forked children. */
#ifndef CS_TESTS_LEAN_MEMORY_H
#define CS_TESTS_LEAN_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>

typedef enum lean_kind { LEAN_OURS, LEAN_SQLITE, LEAN_KINDS } lean_kind;

typedef struct lean_plan {
	atomic_long count[LEAN_KINDS];   /* how often it was asked for while counting */
	atomic_long left[LEAN_KINDS];    /* so many more are granted; negative: all */
	atomic_bool ever;                /* once refused, always refused */
	atomic_bool counting, hit;
	atomic_bool loose;               /* jansson was refused some, and lived on */
} lean_plan;

/* Before SQLite and jansson are used. The plan, for this process and its children; it lives as long as they. */
lean_plan *lean_install(void);
/* Grants all, counts from nothing. */
void lean_reset(lean_plan *p);

#endif
