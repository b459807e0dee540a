/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "ledger: %s: %s\n", what, why);
	exit(99);
}

void ledger_start(ledger *l)
{
	ledger_start_for(l, 120);
}

void ledger_start_for(ledger *l, unsigned seconds)
{
	char life[16];
	const char *build = getenv("CS_TEST_BUILDDIR");
	char *program CS_AUTOFREE = cs_xasprintf("%s/tests/support/ledger_server", build ? build : ".");
	char line[16] = "";
	cs_err err = { 0 };
	*l = (ledger){ .dir = "/tmp/cs-ledger-XXXXXX" };
	if (!mkdtemp(l->dir))
		give_up("a folder cannot be made", l->dir);
	snprintf(life, sizeof life, "%u", seconds);
	snprintf(l->file, sizeof l->file, "%s/ledger", l->dir);
	const char *argv[] = { program, l->file, life, NULL };
	cs_child_opts o = { .argv = argv, .die_with_parent = true };
	if (cs_child_start(&o, &l->child, &err) < 0)
		give_up("it does not start", err.msg);
	size_t n = 0;
	while (n < sizeof line - 1 && !memchr(line, '\n', n)) {
		ssize_t k = read(l->child.out, line + n, sizeof line - 1 - n);
		if (k <= 0)
			give_up("it ended", "without saying its port");
		n += (size_t)k;
	}
	l->port = (unsigned)strtoul(line, NULL, 10);
}

void ledger_stop(ledger *l)
{
	cs_child_kill(&l->child);
	unlink(l->file);
	rmdir(l->dir);
}

const char *ledger_url(const ledger *l, const char *path, char out[LEDGER_URL_SIZE])
{
	snprintf(out, LEDGER_URL_SIZE, "http://127.0.0.1:%u%s", l->port, path);
	return out;
}

json_t *ledger_entries(const ledger *l)
{
	cs_buf b CS_AUTOBUF;
	cs_err err = { 0 };
	cs_buf_init(&b, (size_t)64 << 20);
	if (cs_file_read(l->file, &b, &err) < 0)
		give_up("it cannot be read", err.msg);
	json_t *list = json_array();
	for (const char *p = cs_buf_str(&b); *p;) {
		size_t n = strcspn(p, "\n");
		json_t *v;
		if (cs_json_parse(p, n, &v, &err) < 0)
			give_up("an entry is not JSON", err.msg);
		json_array_append_new(list, v);
		p += n + (p[n] == '\n');
	}
	return list;
}

size_t ledger_count(const ledger *l, const char *prefix)
{
	json_t *list CS_AUTOJSON = ledger_entries(l);
	size_t i, n = 0;
	json_t *v;
	json_array_foreach(list, i, v)
		n += strncmp(cs_json_str_or(v, "path", ""), prefix, strlen(prefix)) == 0;
	return n;
}
