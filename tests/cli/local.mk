# SPDX-License-Identifier: GPL-3.0-or-later
TESTS += tests/cli/way.sh tests/cli/refusals.sh tests/cli/ask.sh tests/cli/holder.sh tests/cli/demo.sh tests/cli/manual.sh
TESTS += tests/cli/check.sh
TESTS += tests/cli/scenarios.sh tests/cli/agency.sh
TESTS += tests/cli/connectors.sh
TESTS += tests/cli/new.sh
TESTS += tests/cli/reload.sh
TESTS += tests/cli/schedule.sh
TESTS += tests/cli/vault.sh
TESTS += tests/cli/asks.sh
TESTS += tests/cli/causes.sh
TESTS += tests/cli/disk.sh
TESTS += tests/cli/backup.sh
TESTS += tests/cli/held.sh tests/cli/transfer.sh
TESTS += tests/cli/archive.sh
TESTS += tests/cli/operator.sh
TESTS += tests/cli/happened.sh
TESTS += tests/cli/rests.sh
