# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/vault/test_vault
TESTS += tests/vault/test_vault
