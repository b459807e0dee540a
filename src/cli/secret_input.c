/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A passphrase or a secret, from the terminal without an echo or from a descriptor: never from the argument
 * list or the environment, where others can read it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli_priv.h"

enum { KEY_INTERRUPT = 3, KEY_END = 4, KEY_BACKSPACE = 8, KEY_KILL = 21, KEY_DELETE = 127 };

/* One key: more to come, the end of the line, or the operator's no. */
typedef enum step { STEP_ON, STEP_END, STEP_CANCEL } step;

static step take_key(cs_buf *line, char c)
{
	switch (c) {
	case KEY_INTERRUPT:
		return STEP_CANCEL;
	case KEY_END:
	case '\r':
	case '\n':
		return STEP_END;
	case KEY_KILL:
		cs_buf_reset(line);
		return STEP_ON;
	case KEY_BACKSPACE:
	case KEY_DELETE:
		while (line->len > 0 && ((unsigned char)line->data[--line->len] & 0xc0) == 0x80)
			;                /* a whole character */
		return STEP_ON;
	default:
		(void)cs_buf_addc(line, c);
		return STEP_ON;
	}
}

static int read_line(int fd, cs_buf *line, cs_err *err)
{
	for (;;) {
		char c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_err_sys(err, errno, "the terminal cannot be read");
		step s = n == 0 ? STEP_CANCEL : take_key(line, c);
		if (s == STEP_CANCEL)
			return cs_err_set(err, CS_EREFUSED, _("broken off; nothing was changed"));
		if (s == STEP_END)
			return CS_OK;
	}
}

static void wipe(cs_buf *b)
{
	if (b->cap > 0)
		explicit_bzero(b->data, b->cap);
	cs_buf_fini(b);
}

static int take_text(cs_buf *b, char **ret, cs_err *err)
{
	if (b->failed)
		return cs_err_set(err, CS_ETOOBIG, _("that is longer than %zu bytes"), b->max - 1);
	if (b->len > 0 && memchr(b->data, '\0', b->len))
		return cs_err_set(err, CS_EINVAL, _("that is no text: it holds a NUL byte"));
	*ret = cs_xstrdup(cs_buf_str(b));
	return CS_OK;
}

int cs_cli_ask_secret(const char *prompt, char **ret, cs_err *err)
{
	CS_AUTOCLOSE int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios was, quiet;
	if (fd < 0 || tcgetattr(fd, &was) < 0)
		return cs_err_set(err, CS_EINVAL, _("there is no terminal to ask on; give it by a descriptor: --passphrase-fd 3 3<FILE"));
	quiet = was;
	quiet.c_lflag &= (tcflag_t)~(ECHO | ICANON | ISIG);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	cs_buf line;
	cs_buf_init(&line, CS_CLI_SECRET);
	(void)cs_buf_addc(&line, ' ');           /* all its memory at once, so that no copy is left behind */
	cs_buf_reset(&line);
	bool said = write(fd, prompt, strlen(prompt)) >= 0 && tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
	int rc = said ? read_line(fd, &line, err) : cs_err_sys(err, errno, "the terminal cannot be used");
	(void)tcsetattr(fd, TCSAFLUSH, &was);
	if (write(fd, "\n", 1) < 0 && rc == CS_OK)
		rc = cs_err_sys(err, errno, "the terminal cannot be used");
	if (rc == CS_OK)
		rc = take_text(&line, ret, err);
	wipe(&line);
	return rc;
}

int cs_cli_read_secret(int fd, char **ret, cs_err *err)
{
	char part[4096];
	cs_buf all;
	int rc = CS_OK;
	cs_buf_init(&all, CS_CLI_SECRET);
	for (;;) {
		ssize_t n = read(fd, part, sizeof part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = cs_err_sys(err, errno, "descriptor %d cannot be read", fd);
		if (n <= 0 || cs_buf_add(&all, part, (size_t)n) != CS_OK)
			break;
	}
	explicit_bzero(part, sizeof part);
	if (all.len > 0 && all.data[all.len - 1] == '\n')
		all.data[--all.len] = '\0';
	if (all.len > 0 && all.data[all.len - 1] == '\r')
		all.data[--all.len] = '\0';
	if (rc == CS_OK)
		rc = take_text(&all, ret, err);
	wipe(&all);
	return rc;
}

int cs_cli_passphrase(const cs_cli_args *a, bool twice, char **ret, cs_err *err)
{
	const char *said = cs_cli_arg(a, "--passphrase-fd");
	CS_AUTOSECRET char *first = NULL;
	CS_AUTOSECRET char *second = NULL;
	if (said) {
		char *end;
		long fd = strtol(said, &end, 10);
		if (!*said || *end || fd < 0 || fd > 1023)
			return cs_err_set(err, CS_EINVAL, _("--passphrase-fd is the number of an open descriptor, as in --passphrase-fd 3 3<FILE"));
		return cs_cli_read_secret((int)fd, ret, err);
	}
	int rc = cs_cli_ask_secret(twice ? _("New passphrase of the vault: ") : _("Passphrase of the vault: "), &first, err);
	if (rc == CS_OK && twice)
		rc = cs_cli_ask_secret(_("The same once more: "), &second, err);
	if (rc == CS_OK && twice && strcmp(first, second) != 0)
		rc = cs_err_set(err, CS_EINVAL, _("the two differ; nothing was made"));
	if (rc == CS_OK)
		*ret = CS_STEAL(first);
	return rc;
}
