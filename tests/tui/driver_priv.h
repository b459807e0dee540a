/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the driver and its pictures share. */
#ifndef CS_TESTS_DRIVER_PRIV_H
#define CS_TESTS_DRIVER_PRIV_H

#include <stdint.h>
#include <sys/types.h>
#include <vterm.h>
#include "base/buf.h"
#include "driver.h"

struct driver {
	pid_t pid;
	int pty, control, rows, cols;
	bool ended, reaped;
	VTerm *vt;
	VTermScreen *screen;
	cs_buf raw, lines;
};

void driver_add_utf8(cs_buf *out, uint32_t c);

#endif
