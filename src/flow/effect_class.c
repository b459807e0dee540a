/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/effect_class.h"

#include <string.h>
#include "base/mem.h"

static const char *const class_names[] = {
	[CS_EFFECT_PURE] = "pure",
	[CS_EFFECT_READ] = "read",
	[CS_EFFECT_KEYED] = "keyed",
	[CS_EFFECT_PROBE] = "probe",
	[CS_EFFECT_UNSAFE] = "unsafe",
};

const char *cs_effect_class_name(cs_effect_class class)
{
	return class_names[class];
}

int cs_effect_class_parse(const char *word, cs_effect_class *ret, cs_err *err)
{
	if (!word) {
		*ret = CS_EFFECT_UNSAFE;
		return CS_OK;
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(class_names); i++) {
		if (strcmp(word, class_names[i]) == 0) {
			*ret = (cs_effect_class)i;
			return CS_OK;
		}
	}
	return cs_err_set(err, CS_EINVAL,
			  "effect: \"%s\" is not a class: write pure, read, keyed, probe or unsafe", word);
}

bool cs_effect_class_sends(cs_effect_class class)
{
	return class == CS_EFFECT_KEYED || class == CS_EFFECT_PROBE || class == CS_EFFECT_UNSAFE;
}
