/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Playing a scenario: an engine of its own in a temporary folder, always simulated, on a clock that
 * jumps to the next timer. */
#ifndef CS_CLI_SCENARIO_H
#define CS_CLI_SCENARIO_H

#include "cli/cli_priv.h"

/* Plays DOC, which has been checked. *ret is {scenario, flow, ok, skipped (why, or null), differences: [text]}; CS_OK
 * also when it differs, negative when it could not be played. */
int cs_scenario_play(cs_cli *c, const json_t *doc, json_t **ret, cs_err *err);
/* What RUN of the workspace did, as a scenario's document. */
int cs_scenario_record(cs_reader *reader, const char *run, json_t **ret, cs_err *err);
/* What of EXPECT does not hold in the run as READER shows it: texts are added to DIFFERENCES. */
int cs_scenario_compare(cs_reader *reader, const char *run, const json_t *expect, json_t *differences, cs_err *err);

#endif
