/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connectors test NAME: a harmless read that it declares, or a look at whether its address answers. */
#ifndef CS_CLI_CONNECTOR_TEST_H
#define CS_CLI_CONNECTOR_TEST_H

#include "cli/cli_priv.h"
#include "flow/outlet.h"

/* DOC is the connector's, NULL for `http`. Says what came of it; an exit status. CS_EREFUSED: nothing may leave, and why. */
int cs_cli_connector_test(cs_cli *c, const char *name, const json_t *doc, cs_err *err);

#endif
