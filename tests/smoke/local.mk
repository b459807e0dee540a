# SPDX-License-Identifier: GPL-3.0-or-later
TESTS += tests/smoke/program.sh
