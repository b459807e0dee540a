/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one effect may take from the vault, taken: for performers, for the time of one attempt. The values
 * go into what is sent, and the mask over everything that comes back. */
#ifndef CS_CORE_GRANTED_H
#define CS_CORE_GRANTED_H

#include "base/mask.h"
#include "core/effect.h"
#include "flow/secret.h"

typedef struct cs_granted {
	cs_swaps swaps;
	cs_mask *mask;           /* NULL: nothing was taken */
} cs_granted;

/* Reads every secret of E that has a stand-in. CS_EUNAVAIL: the vault is locked; CS_ENOTFOUND: it has no
 * such secret; whatever else the vault says. RET is for cs_granted_fini either way. */
int cs_granted_take(const cs_effect *e, cs_granted *ret, cs_err *err);
/* The value of NAME, one of E's, masked from then on; for cs_secret_free. */
int cs_granted_value(const cs_effect *e, cs_granted *g, const char *name, char **ret, cs_err *err);
/* What was made of a value, and must not come back either. */
void cs_granted_hide(cs_granted *g, const char *text);
void cs_granted_fini(cs_granted *g);
void cs_granted_clean(const cs_granted *g, cs_outcome *o);   /* masks all that O holds */
/* The outcome of an attempt that got no secret: not sent, and the error that the standard has for it. */
cs_outcome *cs_granted_refused(int rc, const cs_err *err);

#endif
