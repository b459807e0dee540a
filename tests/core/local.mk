# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/core/test_http_request
TESTS += tests/core/test_http_request
