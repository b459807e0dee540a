/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside core: one struct's members as an object of JSON, by its rows. A member that is 0, empty or NULL is left
 * out. JSON values stand once in a list, however many members share one, and are shared again when read. */
#ifndef CS_CORE_SNAPSHOT_VALUES_H
#define CS_CORE_SNAPSHOT_VALUES_H

#include "core/snapshot_rows.h"

typedef struct cs_saving {
	const cs_flow *flow;
	json_t *values;              /* array */
	json_t *known;               /* address -> number in VALUES */
} cs_saving;

/* New reference. */
json_t *cs_members_save(cs_saving *s, const cs_members *m, const void *from);

typedef struct cs_loading {
	const cs_flow *flow;
	const json_t *values;
	cs_err *err;
} cs_loading;

/* CS_EINVAL with the reason. */
int cs_misfit(const cs_loading *l, const char *what);
/* Fills INTO, a struct of M whose owned members are NULL or its own, from OBJECT, which may hold members named in MORE
 * (ended by NULL) besides. CS_EINVAL: it does not fit; INTO can be freed as ever. */
int cs_members_load(cs_loading *l, const cs_members *m, const json_t *object, const char *const *more, void *into);

#endif
