/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drives a program on a pseudo-terminal: feeds keys, reads cells with libvterm, waits for what is
 * to be seen with a deadline, and writes the screen as SVG. */
#ifndef CS_TESTS_DRIVER_H
#define CS_TESTS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

typedef struct driver driver;

/* The console on the little agency, or on MODEL when not NULL. ENV: NAME=VALUE strings, NULL-terminated. */
driver *driver_console(int rows, int cols, const char *model, const char *const *env);
driver *driver_program(int rows, int cols, char *const *argv, const char *const *env);
int driver_stop(driver *d);                  /* ends the child if it still runs; its exit status, or 128 + signal */
int driver_wait_exit(driver *d);             /* waits for the child to end by itself; as driver_stop, -1 when it does not */

void driver_keys(driver *d, const char *bytes);
/* Types TEXT key by key and waits until a row ends with it, as a prompt's does. */
bool driver_type(driver *d, const char *text);
void driver_paste(driver *d, const char *text);   /* between the marks of a bracketed paste */
void driver_resize(driver *d, int rows, int cols);
void driver_hang_up(driver *d);              /* the terminal is gone */
int driver_pid(const driver *d);

/* True as soon as the screen holds (does not hold) TEXT; false when five seconds went by. */
bool driver_sees(driver *d, const char *text);
bool driver_loses(driver *d, const char *text);
/* The keys typed so far are taken: opens the palette, sees it, closes it. */
void driver_settle(driver *d);
/* Presses a decision key until it is armed, and waits for TEXT, which it brings; false: never. */
bool driver_decide(driver *d, const char *key, const char *text);
/* What comes is read for MS milliseconds: to see that nothing does. The number of bytes. */
size_t driver_listen(driver *d, int ms);

char *driver_row(driver *d, int y);          /* malloc'ed, trailing spaces cut */
char *driver_screen(driver *d);              /* rows with line feeds, malloc'ed */
int driver_find(driver *d, const char *text);   /* its row, -1 */
bool driver_coloured(driver *d);             /* a cell has a colour that is not the terminal's own */
const char *driver_raw(const driver *d, size_t *ret_len);   /* every byte the program wrote */

void driver_tell(driver *d, const char *merge);   /* JSON merged into the model */
json_t *driver_sent(driver *d, int ms);      /* the next command that was sent; NULL: none within MS */

int driver_svg(driver *d, const char *path); /* 0, or -1 with errno */

#endif
