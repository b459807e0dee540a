/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One YAML scalar to JSON by the core schema of YAML 1.2 (section 10.3.2). */
#ifndef CS_FLOW_YAML_SCALAR_PRIV_H
#define CS_FLOW_YAML_SCALAR_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

/* New reference; NULL: *ret_why says what is wrong (a static text). TAG is the full tag or NULL;
 * PLAIN: written without quotes. TEXT is valid UTF-8. */
json_t *cs_yaml_scalar(const char *text, size_t len, const char *tag, bool plain, const char **ret_why);

#endif
