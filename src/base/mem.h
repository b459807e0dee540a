/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cleanup by attribute, stealing, and allocation that aborts: for small fixed sizes only.
 * Anything sized by input goes through base/buf.h, which has a maximum. */
#ifndef CS_BASE_MEM_H
#define CS_BASE_MEM_H

#include <stddef.h>
#include <jansson.h>

#define CS_CLEANUP(fn) __attribute__((cleanup(fn)))
/* Hands over a pointer and leaves NULL behind. */
#define CS_STEAL(p) __extension__({ __typeof__(p) cs_stolen_ = (p); (p) = NULL; cs_stolen_; })

/* From now on jansson, too, ends the process when there is no memory. By itself it leaves out what it
 * cannot hold, and the rest would be taken for the whole and written into the log. */
void cs_mem_strict(void);
void *cs_xcalloc(size_t n, size_t size);   /* zeroed; aborts when there is no memory */
void *cs_xrealloc(void *p, size_t size);
char *cs_xstrdup(const char *s);           /* NULL gives NULL */
char *cs_xstrndup(const char *s, size_t n);
char *cs_xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void cs_freep(void *pp);                   /* free(*pp) for any pointer variable */
void cs_json_decrefp(json_t **pp);
void cs_closep(int *fd);                   /* closes when >= 0 */

void cs_secret_free(char *secret);         /* overwrites the text and frees it; takes NULL */
void cs_secret_freep(char **secret);

#define CS_AUTOSECRET CS_CLEANUP(cs_secret_freep)
#define CS_AUTOFREE CS_CLEANUP(cs_freep)
#define CS_AUTOJSON CS_CLEANUP(cs_json_decrefp)
#define CS_AUTOCLOSE CS_CLEANUP(cs_closep)

#define CS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
