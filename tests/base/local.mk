# SPDX-License-Identifier: GPL-3.0-or-later
base_tests = \
	tests/base/test_buf tests/base/test_child tests/base/test_clock tests/base/test_err \
	tests/base/test_file tests/base/test_hash tests/base/test_id tests/base/test_json_number \
	tests/base/test_json_parse tests/base/test_json_path tests/base/test_json_write tests/base/test_mask \
	tests/base/test_queue tests/base/test_regex tests/base/test_utf8 tests/base/test_zone
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
EXTRA_DIST += tests/base/test.h
