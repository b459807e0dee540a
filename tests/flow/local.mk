# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/flow/test_yaml
TESTS += tests/flow/test_yaml
tests_flow_test_yaml_SOURCES = tests/flow/test_yaml.c

check_PROGRAMS += tests/flow/test_schema_suite
TESTS += tests/flow/test_schema_suite
tests_flow_test_schema_suite_SOURCES = tests/flow/test_schema_suite.c

check_PROGRAMS += tests/flow/test_schema
TESTS += tests/flow/test_schema
tests_flow_test_schema_SOURCES = tests/flow/test_schema.c tests/flow/schema_help.h

check_PROGRAMS += tests/flow/test_schema_hostile
TESTS += tests/flow/test_schema_hostile
tests_flow_test_schema_hostile_SOURCES = tests/flow/test_schema_hostile.c tests/flow/schema_help.h
