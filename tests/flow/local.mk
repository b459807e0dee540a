# SPDX-License-Identifier: GPL-3.0-or-later
check_PROGRAMS += tests/flow/test_yaml tests/flow/test_flow_check tests/flow/test_function tests/flow/test_workspace
TESTS += tests/flow/test_yaml tests/flow/test_flow_check tests/flow/test_function tests/flow/test_workspace
tests_flow_test_yaml_SOURCES = tests/flow/test_yaml.c
tests_flow_test_flow_check_SOURCES = tests/flow/test_flow_check.c
tests_flow_test_function_SOURCES = tests/flow/test_function.c
tests_flow_test_workspace_SOURCES = tests/flow/test_workspace.c

check_PROGRAMS += tests/flow/test_text
TESTS += tests/flow/test_text
tests_flow_test_text_SOURCES = tests/flow/test_text.c

check_PROGRAMS += tests/flow/test_schema_suite
TESTS += tests/flow/test_schema_suite
tests_flow_test_schema_suite_SOURCES = tests/flow/test_schema_suite.c

check_PROGRAMS += tests/flow/test_schema
TESTS += tests/flow/test_schema
tests_flow_test_schema_SOURCES = tests/flow/test_schema.c tests/flow/schema_help.h

check_PROGRAMS += tests/flow/test_schema_hostile
TESTS += tests/flow/test_schema_hostile
tests_flow_test_schema_hostile_SOURCES = tests/flow/test_schema_hostile.c tests/flow/schema_help.h

check_PROGRAMS += tests/flow/test_expr tests/flow/test_template tests/flow/test_jq_pool tests/flow/test_expr_diff
TESTS += tests/flow/test_expr tests/flow/test_template tests/flow/test_jq_pool tests/flow/test_expr_diff
tests_flow_test_expr_SOURCES = tests/flow/test_expr.c
tests_flow_test_template_SOURCES = tests/flow/test_template.c
tests_flow_test_jq_pool_SOURCES = tests/flow/test_jq_pool.c
tests_flow_test_expr_diff_SOURCES = tests/flow/test_expr_diff.c

check_PROGRAMS += tests/flow/test_agency
TESTS += tests/flow/test_agency
tests_flow_test_agency_SOURCES = tests/flow/test_agency.c
check_PROGRAMS += tests/flow/test_flow_calls
TESTS += tests/flow/test_flow_calls
tests_flow_test_flow_calls_SOURCES = tests/flow/test_flow_calls.c

check_PROGRAMS += tests/flow/test_ahead
TESTS += tests/flow/test_ahead
tests_flow_test_ahead_SOURCES = tests/flow/test_ahead.c

check_PROGRAMS += tests/flow/test_findings
TESTS += tests/flow/test_findings
tests_flow_test_findings_SOURCES = tests/flow/test_findings.c
check_PROGRAMS += tests/flow/test_cron
TESTS += tests/flow/test_cron
tests_flow_test_cron_SOURCES = tests/flow/test_cron.c
check_PROGRAMS += tests/flow/test_hours
TESTS += tests/flow/test_hours
tests_flow_test_hours_SOURCES = tests/flow/test_hours.c
check_PROGRAMS += tests/flow/test_workspace_doc
TESTS += tests/flow/test_workspace_doc
tests_flow_test_workspace_doc_SOURCES = tests/flow/test_workspace_doc.c
