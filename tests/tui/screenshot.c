/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of a program's screen, for the manual:
 *   screenshot COLSxROWS [see TEXT | keys TEXT | svg FILE | text]… [-- COMMAND…]
 * `see` waits until TEXT is on the screen; `keys` types (\e \r \t are escape, Enter, Tab), one key
 * at a time; without a command, the console on the tests' little agency. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "driver.h"

static void type(driver *d, const char *keys)
{
	for (const char *p = keys; *p; p++) {
		char key[2] = { *p, '\0' };

		if (*p == '\\' && p[1]) {
			p++;
			key[0] = *p == 'e' ? '\033' : *p == 'r' ? '\r' : *p == 't' ? '\t' : *p;
		}
		driver_keys(d, key);
		/* keys that come all at once are a paste to the console */
		(void)driver_listen(d, 120);
	}
}

static int step(driver *d, const char *verb, const char *arg)
{
	if (strcmp(verb, "see") == 0)
		return driver_sees(d, arg) ? 0 : 1;
	if (strcmp(verb, "keys") == 0) {
		type(d, arg);
		return 0;
	}
	if (strcmp(verb, "svg") == 0) {
		(void)driver_listen(d, 200);
		return driver_svg(d, arg) == 0 ? 0 : 1;
	}
	(void)fprintf(stderr, "screenshot: unknown step %s: see, keys, svg or text\n", verb);
	return 2;
}

int main(int argc, char **argv)
{
	int rows = 0, cols = 0, end = 2, r = 0;
	driver *d;

	if (argc < 2 || sscanf(argv[1], "%dx%d", &cols, &rows) != 2 || rows < 5 || cols < 20 || rows > 200 || cols > 400) {
		(void)fprintf(stderr, "usage: screenshot COLSxROWS [see TEXT | keys KEYS | svg FILE | text]... [-- COMMAND...]\n");
		return 2;
	}
	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	d = end + 1 < argc ? driver_program(rows, cols, argv + end + 1, NULL) : driver_console(rows, cols, NULL, NULL);
	for (int i = 2; i < end && r == 0; i++) {
		if (strcmp(argv[i], "text") == 0) {
			CS_AUTOFREE char *screen = driver_screen(d);

			(void)fputs(screen, stdout);
		} else if (i + 1 < end) {
			r = step(d, argv[i], argv[i + 1]);
			i++;
		}
	}
	(void)driver_stop(d);
	return r;
}
