/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agents of kind "text": a template over the input. Pure. */
#ifndef CS_AGENTS_TEXT_H
#define CS_AGENTS_TEXT_H

#include "core/effect.h"

/* The text was made where expressions are evaluated, and comes in `rendered.text`; it is the result. */
cs_performer cs_text_performer(void);

#endif
