/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "driver_priv.h"
#include "fake_source.h"
#include "tui/console.h"

#define PATIENCE_MS 20000   /* only a failure waits so long */
#define LATE_MS 3000        /* what a key says comes within, or not at all */

static int64_t now_ms(void)
{
	return cs_clock_mono_ns() / 1000000;
}

static void child_env(const char *const *env)
{
	(void)setenv("TERM", "xterm-256color", 1);
	(void)setenv("LC_ALL", "C.UTF-8", 1);
	(void)unsetenv("TMUX");
	(void)unsetenv("NO_COLOR");
	for (; env && *env; env++)
		(void)putenv((char *)*env);
}

static _Noreturn void console_child(const char *model, int control)
{
	char *text = model ? cs_xstrdup(model) : fake_source_agency();
	fake_source *f = fake_source_new(text, control);
	cs_console_opts opts = { .engine_inside = true, .workspace_dir = "/tmp/agency" };
	cs_err err = { 0 };
	int r = cs_console_run(fake_source_face(f), &opts, &err);

	if (r < 0)
		(void)fprintf(stderr, "%s\n", err.msg);
	fake_source_free(f);
	free(text);
	_exit(r < 0 ? 1 : 0);
}

static driver *start(int rows, int cols)
{
	driver *d = cs_xcalloc(1, sizeof(*d));

	d->rows = rows;
	d->cols = cols;
	d->control = -1;
	cs_buf_init(&d->raw, 1u << 26);
	cs_buf_init(&d->lines, 1u << 24);
	d->vt = vterm_new(rows, cols);
	vterm_set_utf8(d->vt, 1);
	d->screen = vterm_obtain_screen(d->vt);
	vterm_screen_enable_altscreen(d->screen, 1);
	vterm_screen_reset(d->screen, 1);
	return d;
}

driver *driver_console(int rows, int cols, const char *model, const char *const *env)
{
	driver *d = start(rows, cols);
	struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	d->pid = forkpty(&d->pty, NULL, NULL, &ws);
	if (d->pid == 0) {
		(void)close(pair[0]);
		child_env(env);
		console_child(model, pair[1]);
	}
	(void)close(pair[1]);
	d->control = pair[0];
	return d;
}

driver *driver_program(int rows, int cols, char *const *argv, const char *const *env)
{
	driver *d = start(rows, cols);
	struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	d->pid = forkpty(&d->pty, NULL, NULL, &ws);
	if (d->pid == 0) {
		child_env(env);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return d;
}

int driver_pid(const driver *d)
{
	return d->pid;
}

/* Takes what the program wrote, within MS; the bytes taken, 0 when the time is over or it ended. */
static size_t pump(driver *d, int ms)
{
	struct pollfd p = { d->pty, POLLIN, 0 };
	char b[16384], answer[256];
	ssize_t n;
	size_t k;

	if (d->pty < 0 || poll(&p, 1, ms) <= 0)
		return 0;
	n = read(d->pty, b, sizeof(b));
	if (n <= 0) {
		d->ended = true;
		return 0;
	}
	(void)cs_buf_add(&d->raw, b, (size_t)n);
	(void)vterm_input_write(d->vt, b, (size_t)n);
	while ((k = vterm_output_read(d->vt, answer, sizeof(answer))) > 0)
		if (write(d->pty, answer, k) < 0)
			break;
	return (size_t)n;
}

size_t driver_listen(driver *d, int ms)
{
	int64_t end = now_ms() + ms;
	size_t all = 0;

	while (now_ms() < end && !d->ended)
		all += pump(d, (int)(end - now_ms()));
	return all;
}

static bool wait_for(driver *d, const char *text, bool there)
{
	int64_t end = now_ms() + PATIENCE_MS;

	for (;;) {
		if ((driver_find(d, text) >= 0) == there)
			return true;
		if (now_ms() >= end || d->ended)
			break;
		(void)pump(d, 50);
	}
	{
		CS_AUTOFREE char *screen = driver_screen(d);

		(void)fprintf(stderr, "%s “%s” on:\n%s\n", there ? "did not see" : "still sees", text, screen);
	}
	return false;
}

bool driver_sees(driver *d, const char *text)
{
	return wait_for(d, text, true);
}

bool driver_loses(driver *d, const char *text)
{
	return wait_for(d, text, false);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

void driver_keys(driver *d, const char *bytes)
{
	write_all(d->pty, bytes, strlen(bytes));
}

void driver_paste(driver *d, const char *text)
{
	CS_AUTOFREE char *all = cs_xasprintf("\033[200~%s\033[201~", text);

	driver_keys(d, all);
}

bool driver_type(driver *d, const char *text)
{
	CS_AUTOFREE char *end = cs_xasprintf(" %s\n", text);
	int64_t deadline = now_ms() + PATIENCE_MS;

	for (const char *p = text; *p; p++) {
		char key[2] = { *p, '\0' };

		driver_keys(d, key);
		(void)pump(d, 10);
	}
	while (now_ms() < deadline && !d->ended) {
		CS_AUTOFREE char *screen = driver_screen(d);

		if (strstr(screen, end))
			return true;
		(void)pump(d, 50);
	}
	(void)fprintf(stderr, "“%s” was typed and does not stand there\n", text);
	return false;
}

void driver_settle(driver *d)
{
	driver_keys(d, ":");
	(void)driver_sees(d, "Esc leaves it");
	driver_keys(d, "\033");
	(void)driver_loses(d, "Esc leaves it");
}

bool driver_decide(driver *d, const char *key, const char *text)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (now_ms() < end && !d->ended) {
		/* a key without an action clears what the last try said */
		driver_keys(d, "Z");
		if (!driver_sees(d, "does nothing here"))
			return false;
		driver_keys(d, key);
		/* what it says comes late on a busy machine: the next key would clear it */
		for (int64_t late = now_ms() + LATE_MS; driver_find(d, text) < 0 && now_ms() < end;) {
			bool unsaid = driver_find(d, "does nothing here") >= 0;
			if (!unsaid && now_ms() > late)
				break;
			(void)pump(d, 50);
		}
		if (driver_find(d, text) >= 0)
			return true;
	}
	return driver_sees(d, text);
}

void driver_resize(driver *d, int rows, int cols)
{
	struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	d->rows = rows;
	d->cols = cols;
	vterm_set_size(d->vt, rows, cols);
	(void)ioctl(d->pty, TIOCSWINSZ, &ws);
}

void driver_hang_up(driver *d)
{
	(void)close(d->pty);
	d->pty = -1;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int driver_wait_exit(driver *d)
{
	int64_t end = now_ms() + PATIENCE_MS;
	int status = 0;

	while (now_ms() < end) {
		if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
			d->reaped = true;
			while (!d->ended && pump(d, 0))
				;
			return status_of(status);
		}
		if (d->pty < 0 || d->ended)
			(void)poll(NULL, 0, 5);
		else
			(void)pump(d, 5);
	}
	return -1;
}

int driver_stop(driver *d)
{
	int status = 0;

	if (!d->reaped) {
		(void)kill(d->pid, SIGKILL);
		(void)waitpid(d->pid, &status, 0);
	}
	if (d->pty >= 0)
		(void)close(d->pty);
	if (d->control >= 0)
		(void)close(d->control);
	vterm_free(d->vt);
	cs_buf_fini(&d->raw);
	cs_buf_fini(&d->lines);
	free(d);
	return status_of(status);
}

static void add_cell(driver *d, cs_buf *out, int y, int x)
{
	VTermScreenCell cell;

	if (!vterm_screen_get_cell(d->screen, (VTermPos){ .row = y, .col = x }, &cell))
		return;
	if (cell.chars[0] == 0)
		(void)cs_buf_addc(out, ' ');
	for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] && cell.chars[i] != (uint32_t)-1; i++)
		driver_add_utf8(out, cell.chars[i]);
}

void driver_add_utf8(cs_buf *out, uint32_t c)
{
	char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (char)c;
	} else if (c < 0x800) {
		b[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		b[n++] = (char)(0xe0 | c >> 12);
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		b[n++] = (char)(0xf0 | c >> 18);
		b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		b[n++] = (char)(0x80 | (c & 0x3f));
	(void)cs_buf_add(out, b, n);
}

char *driver_row(driver *d, int y)
{
	CS_AUTOBUF cs_buf b = { 0 };

	cs_buf_init(&b, 1u << 16);
	for (int x = 0; x < d->cols; x++)
		add_cell(d, &b, y, x);
	while (b.len > 0 && b.data[b.len - 1] == ' ')
		b.data[--b.len] = '\0';
	return cs_buf_steal(&b);
}

char *driver_screen(driver *d)
{
	CS_AUTOBUF cs_buf b = { 0 };

	cs_buf_init(&b, 1u << 20);
	for (int y = 0; y < d->rows; y++) {
		CS_AUTOFREE char *row = driver_row(d, y);

		(void)cs_buf_addf(&b, "%s\n", row);
	}
	return cs_buf_steal(&b);
}

int driver_find(driver *d, const char *text)
{
	for (int y = 0; y < d->rows; y++) {
		CS_AUTOFREE char *row = driver_row(d, y);

		if (strstr(row, text))
			return y;
	}
	return -1;
}

bool driver_coloured(driver *d)
{
	VTermScreenCell cell;

	for (int y = 0; y < d->rows; y++)
		for (int x = 0; x < d->cols; x++)
			if (vterm_screen_get_cell(d->screen, (VTermPos){ .row = y, .col = x }, &cell) &&
			    (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg) || !VTERM_COLOR_IS_DEFAULT_BG(&cell.bg)))
				return true;
	return false;
}

const char *driver_raw(const driver *d, size_t *ret_len)
{
	*ret_len = d->raw.len;
	return cs_buf_str(&d->raw);
}

void driver_tell(driver *d, const char *merge)
{
	CS_AUTOFREE char *line = cs_xasprintf("{\"merge\":%s}\n", merge);

	write_all(d->control, line, strlen(line));
}

static json_t *next_sent(driver *d)
{
	char *nl = d->lines.len ? memchr(d->lines.data, '\n', d->lines.len) : NULL;
	json_t *v, *cmd;
	size_t n;

	if (!nl)
		return NULL;
	n = (size_t)(nl - d->lines.data) + 1;
	v = json_loadb(d->lines.data, n, 0, NULL);
	memmove(d->lines.data, d->lines.data + n, d->lines.len - n + 1);
	d->lines.len -= n;
	cmd = json_incref(json_object_get(v, "sent"));
	json_decref(v);
	return cmd;
}

json_t *driver_sent(driver *d, int ms)
{
	int64_t end = now_ms() + ms;

	for (;;) {
		char b[4096];
		json_t *cmd;
		ssize_t n = recv(d->control, b, sizeof(b), MSG_DONTWAIT);

		if (n > 0)
			(void)cs_buf_add(&d->lines, b, (size_t)n);
		cmd = next_sent(d);
		if (cmd || now_ms() >= end)
			return cmd;
		(void)pump(d, 5);
	}
}
