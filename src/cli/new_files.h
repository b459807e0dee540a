/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `capstan new` begins with: texts with @NAME@, @WORKSPACE@, @TEXT@ (a quoted sentence),
 * @URL@ and @HOST@ (quoted) to be filled in. */
#ifndef CS_CLI_NEW_FILES_H
#define CS_CLI_NEW_FILES_H

typedef struct cs_new_file {
	const char *kind, *preset;   /* the first of a kind is its default */
	const char *folder;
	const char *text;
} cs_new_file;

extern const cs_new_file cs_new_files[];     /* ended by a NULL kind */

#endif
