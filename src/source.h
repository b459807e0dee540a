/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the console sees: the views over a reader, and commands over a client, as one cs_source. */
#ifndef CS_SOURCE_H
#define CS_SOURCE_H

#include "cli/cli.h"
#include "tui/source.h"
#include "view/view.h"

typedef struct cs_live_source {
	cs_source source;            /* what the console gets; its ctx is this object */
	const cs_cli_facts *facts;
	cs_client *client;           /* borrowed; replaced when its engine goes away */
	cs_reader *reader;
	bool held;                   /* no other engine was to be had: said once */
} cs_live_source;

/* FACTS and CLIENT are borrowed. */
int cs_live_source_init(cs_live_source *s, const cs_cli_facts *facts, cs_client *client, cs_err *err);
void cs_live_source_fini(cs_live_source *s);

#endif
