/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The class a file gives an effect: what may be done after an ambiguous end. */
#ifndef CS_FLOW_EFFECT_CLASS_H
#define CS_FLOW_EFFECT_CLASS_H

#include <stdbool.h>
#include "base/err.h"

/* The default where nothing is said is unsafe. */
typedef enum cs_effect_class {
	CS_EFFECT_PURE,
	CS_EFFECT_READ,
	CS_EFFECT_KEYED,
	CS_EFFECT_PROBE,
	CS_EFFECT_UNSAFE,
} cs_effect_class;

/* "pure" "read" "keyed" "probe" "unsafe": the words of the files, the log and the screen. */
const char *cs_effect_class_name(cs_effect_class class);
/* CS_EINVAL for another word; NULL is unsafe. */
int cs_effect_class_parse(const char *word, cs_effect_class *ret, cs_err *err);
/* True for the classes that send: keyed, probe, unsafe. */
bool cs_effect_class_sends(cs_effect_class class);

#endif
