/* SPDX-License-Identifier: GPL-3.0-or-later */
#undef _FORTIFY_SOURCE
#include "tests/faults/lean_memory.h"

#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static lean_plan *plan;
static sqlite3_mem_methods sqlite;

static bool refused(lean_kind kind)
{
	if (plan == NULL || !plan->counting)
		return false;
	atomic_fetch_add(&plan->count[kind], 1);
	if (plan->left[kind] < 0)
		return false;
	if (plan->left[kind] > 0) {
		atomic_fetch_sub(&plan->left[kind], 1);
		return false;
	}
	if (!plan->ever)
		plan->left[kind] = -1;
	plan->hit = true;
	errno = ENOMEM;
	return true;
}

/* ---- ours: the linker puts these where our libraries say malloc, calloc, … ------------------------------------ */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strndup(const char *s, size_t n);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *fmt, va_list ap);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strndup(const char *s, size_t n);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int __wrap___vasprintf_chk(char **ret, int flag, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

void *__wrap_malloc(size_t n)
{
	return refused(LEAN_OURS) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused(LEAN_OURS) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refused(LEAN_OURS) ? NULL : __real_realloc(p, n);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return refused(LEAN_OURS) ? NULL : __real_strndup(s, n);
}

char *__wrap_strdup(const char *s)
{
	return refused(LEAN_OURS) ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
	return refused(LEAN_OURS) ? -1 : __real_vasprintf(ret, fmt, ap);
}

/* The same, where the compiler checks more. */
int __wrap___vasprintf_chk(char **ret, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return __wrap_vasprintf(ret, fmt, ap);
}

/* ---- jansson, until somebody is stricter ------------------------------------------------------------------------ */

static void *loose_memory(size_t n)
{
	if (!refused(LEAN_OURS))
		return __real_malloc(n);
	plan->loose = true;
	return NULL;
}

/* ---- SQLite ------------------------------------------------------------------------------------------------------ */

static void *sqlite_memory(int n)
{
	return refused(LEAN_SQLITE) ? NULL : sqlite.xMalloc(n);
}

static void *sqlite_more(void *p, int n)
{
	return refused(LEAN_SQLITE) ? NULL : sqlite.xRealloc(p, n);
}

lean_plan *lean_install(void)
{
	void *p = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite) != SQLITE_OK)
		abort();
	sqlite3_mem_methods mine = sqlite;
	mine.xMalloc = sqlite_memory;
	mine.xRealloc = sqlite_more;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) != SQLITE_OK)
		abort();
	json_set_alloc_funcs(loose_memory, free);
	plan = p;
	lean_reset(plan);
	return plan;
}

void lean_reset(lean_plan *p)
{
	for (int i = 0; i < LEAN_KINDS; i++) {
		p->count[i] = 0;
		p->left[i] = -1;
	}
	p->ever = p->hit = p->counting = p->loose = false;
}
