# SPDX-License-Identifier: GPL-3.0-or-later
STORE_TESTS = \
	tests/store/test_archive \
	tests/store/test_backup \
	tests/store/test_checkpoint \
	tests/store/test_log \
	tests/store/test_projection \
	tests/store/test_reader \
	tests/store/test_touched \
	tests/store/test_verify
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
tests_store_fixture = tests/store/fixture.c tests/store/fixture.h
tests_store_test_backup_SOURCES = tests/store/test_backup.c $(tests_store_fixture)
tests_store_test_checkpoint_SOURCES = tests/store/test_checkpoint.c $(tests_store_fixture)
tests_store_test_log_SOURCES = tests/store/test_log.c $(tests_store_fixture)
tests_store_test_projection_SOURCES = tests/store/test_projection.c $(tests_store_fixture)
tests_store_test_reader_SOURCES = tests/store/test_reader.c $(tests_store_fixture)
tests_store_test_touched_SOURCES = tests/store/test_touched.c $(tests_store_fixture)
tests_store_test_verify_SOURCES = tests/store/test_verify.c $(tests_store_fixture)
tests_store_test_archive_SOURCES = tests/store/test_archive.c $(tests_store_fixture)
