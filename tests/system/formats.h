/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The database as each earlier format had it: its tables as text, never changed again, and a writer that
 * puts what a database of today holds into them. */
#ifndef CS_TESTS_FORMATS_H
#define CS_TESTS_FORMATS_H

/* The last format whose tables stand here. A release that raises CS_STORE_VERSION adds the one before. */
enum { FORMATS = 9 };

/* Writes the database at TO, in FORMAT (1..FORMATS), with the rows of the one at FROM, which nobody has open. */
void formats_write(const char *from, const char *to, int format);

#endif
