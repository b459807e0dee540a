/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { QUIET_MS = 200, LATEST_MS = 800, FOLDERS_MAX = 512 };

static const char *const definitions[] = { ".", "flows", "agents", "connectors", "policies", "fixtures", "scenarios" };

struct cs_watch {
	char *dir;
	int notes, wake;
	pthread_t thread;
	atomic_bool stop;
	pthread_mutex_t lock;        /* files */
	json_t *files;
	json_t *folders;             /* watch descriptor, as text -> folder below dir; the thread's own */
	void (*fn)(void *ctx);
	void *ctx;
};

static void add_folder(cs_watch *w, const char *folder)
{
	CS_AUTOFREE char *path = cs_path_join(w->dir, folder);
	char key[24];
	if (json_object_size(w->folders) >= FOLDERS_MAX)
		return;
	int wd = inotify_add_watch(w->notes, path, IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
	if (wd < 0)
		return;              /* not there yet: looked for again after each change */
	snprintf(key, sizeof key, "%d", wd);
	json_object_set_new(w->folders, key, json_string(folder));
}

static void add_folders(cs_watch *w)
{
	const char *path;
	json_t *any;
	for (size_t i = 0; i < CS_ARRAY_LEN(definitions); i++)
		add_folder(w, definitions[i]);
	pthread_mutex_lock(&w->lock);
	json_object_foreach(w->files, path, any) {
		const char *slash = strrchr(path, '/');
		CS_AUTOFREE char *folder = slash ? cs_xstrndup(path, (size_t)(slash - path)) : cs_xstrdup(".");
		add_folder(w, folder);
	}
	pthread_mutex_unlock(&w->lock);
}

static bool is_definitions(const char *folder)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(definitions); i++)
		if (strcmp(definitions[i], folder) == 0)
			return true;
	return false;
}

/* A folder that has come or gone: one of definitions, or one on the way to a text. */
static bool leads_to_ours(const cs_watch *w, const char *path)
{
	const char *file;
	json_t *any;
	size_t n = strlen(path);
	if (is_definitions(path))
		return true;
	json_object_foreach(w->files, file, any)
		if (strncmp(file, path, n) == 0 && file[n] == '/')
			return true;
	return false;
}

static bool is_ours(cs_watch *w, const struct inotify_event *e)
{
	char key[24];
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	snprintf(key, sizeof key, "%d", e->wd);
	const char *folder = cs_json_str(w->folders, key);
	if (!folder || e->len == 0 || e->name[0] == '.')
		return false;
	CS_AUTOFREE char *path = strcmp(folder, ".") == 0 ? cs_xstrdup(e->name) : cs_path_join(folder, e->name);
	size_t n = strlen(e->name);
	bool yaml = n > 5 && strcmp(e->name + n - 5, ".yaml") == 0 && is_definitions(folder);
	pthread_mutex_lock(&w->lock);
	bool ours = e->mask & IN_ISDIR ? leads_to_ours(w, path) : yaml || json_object_get(w->files, path) != NULL;
	pthread_mutex_unlock(&w->lock);
	return ours;
}

static bool read_notes(cs_watch *w)
{
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	for (ssize_t n; (n = read(w->notes, bytes, sizeof bytes)) > 0; ) {
		for (const char *p = bytes; p < bytes + n; ) {
			const struct inotify_event *e = (const void *)p;
			changed |= is_ours(w, e);
			p += sizeof *e + e->len;
		}
	}
	return changed;
}

/* True when something of ours has changed within MS (negative: for as long as it takes). */
static bool wait_for(cs_watch *w, int ms)
{
	struct pollfd p[2] = { { .fd = w->notes, .events = POLLIN }, { .fd = w->wake, .events = POLLIN } };
	eventfd_t woken;
	if (poll(p, 2, ms) <= 0)
		return false;
	if (p[1].revents && eventfd_read(w->wake, &woken) == 0)
		add_folders(w);
	return p[0].revents && read_notes(w);
}

static void *watching(void *arg)
{
	cs_watch *w = arg;
	while (!atomic_load(&w->stop)) {
		if (!wait_for(w, -1))
			continue;
		int64_t began = cs_clock_mono_ns() / 1000000, quiet = began + QUIET_MS, now = began;
		while (now < quiet && now < began + LATEST_MS && !atomic_load(&w->stop)) {
			bool more = wait_for(w, (int)(quiet - now));
			now = cs_clock_mono_ns() / 1000000;
			if (more)
				quiet = now + QUIET_MS;
		}
		add_folders(w);
		if (!atomic_load(&w->stop))
			w->fn(w->ctx);
	}
	return NULL;
}

static void watch_free(cs_watch *w)
{
	if (w->notes >= 0)
		close(w->notes);
	if (w->wake >= 0)
		close(w->wake);
	pthread_mutex_destroy(&w->lock);
	json_decref(w->files);
	json_decref(w->folders);
	free(w->dir);
	free(w);
}

int cs_watch_start(const char *dir, const json_t *files, void (*fn)(void *ctx), void *ctx, cs_watch **ret, cs_err *err)
{
	cs_watch *w = cs_xcalloc(1, sizeof *w);
	w->dir = cs_xstrdup(dir);
	w->fn = fn;
	w->ctx = ctx;
	w->files = json_deep_copy(files);
	w->folders = json_object();
	w->notes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&w->lock, NULL);
	sigset_t all, old;
	sigfillset(&all);
	int failed = w->notes < 0 || w->wake < 0 ? errno : 0;
	if (!failed) {
		add_folders(w);      /* before anyone can change a file and wait for it */
		pthread_sigmask(SIG_SETMASK, &all, &old);
		failed = pthread_create(&w->thread, NULL, watching, w);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (failed) {
		watch_free(w);
		return cs_err_sys(err, failed, "cannot watch the files of %s", dir);
	}
	*ret = w;
	return CS_OK;
}

void cs_watch_files(cs_watch *w, const json_t *files)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	json_decref(w->files);
	w->files = json_deep_copy(files);
	pthread_mutex_unlock(&w->lock);
	(void)eventfd_write(w->wake, 1);
}

void cs_watch_stop(cs_watch *w)
{
	if (!w)
		return;
	atomic_store(&w->stop, true);
	(void)eventfd_write(w->wake, 1);
	pthread_join(w->thread, NULL);
	watch_free(w);
}
