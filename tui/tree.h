/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of a trace as they are shown: finished quiet steps folded, failures never. Pure. */
#ifndef CS_TUI_TREE_H
#define CS_TUI_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

/* ROWS are a trace's, in order. OPEN says for a key whether the operator unfolded (true) or folded
 * it. Only steps up to seq QUIET_UNTIL fold by themselves, so that nothing folds away under the
 * cursor while it is being watched. OUTSIDE: only effects on the outside, and failures.
 * A new array of copies, each with "key", and where it stands for others "folds" (how many) or
 * "open" (a parent that is unfolded). */
json_t *cs_tree_rows(const json_t *rows, const json_t *open, int64_t quiet_until, bool outside);

bool cs_tree_failed(const json_t *row);

#endif
