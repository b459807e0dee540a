# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/flow/libcsflow.a
src_flow_libcsflow_a_SOURCES = \
	src/flow/effect_class.c src/flow/effect_class.h \
	src/flow/expr.c src/flow/expr.h src/flow/expr_internal.h src/flow/expr_eval.c src/flow/expr_lex.c \
	src/flow/expr_parse.c src/flow/expr_parse_term.c src/flow/expr_parse_text.c src/flow/expr_parser.h \
	src/flow/expr_value.c \
	src/flow/jq_child.c src/flow/jq_child.h src/flow/jq_names.c src/flow/jq_names.h src/flow/jq_pool.c src/flow/jq_pool.h \
	src/flow/jq_program.c src/flow/jq_program.h src/flow/jq_wire.c src/flow/jq_wire.h \
	src/flow/jq_worker.c \
	src/flow/template.c src/flow/template.h

# Documents: reading, checking, compiling.
src_flow_libcsflow_a_SOURCES += \
	src/flow/ahead.c src/flow/ahead.h \
	src/flow/ask.c src/flow/ask.h \
	src/flow/check.c src/flow/check.h src/flow/cron.c src/flow/cron.h \
	src/flow/diag.c src/flow/diag.h \
	src/flow/error.c src/flow/error.h \
	src/flow/flow_arguments.c src/flow/flow_auth.c src/flow/flow_call.c src/flow/flow_catch.c src/flow/flow_control.c src/flow/flow_extension.c src/flow/flow_function.c src/flow/flow_list.c src/flow/flow_listen.c \
	src/flow/flow_load.c src/flow/flow_metadata.c src/flow/flow_names.c src/flow/flow_openapi.c src/flow/flow_reach.c src/flow/flow_run.c src/flow/flow_schedule.c src/flow/flow_schedule_on.c src/flow/flow_task.c src/flow/flow_time.c \
	src/flow/flow_use.c src/flow/flow_value.c src/flow/flow.h src/flow/flow_priv.h \
	src/flow/hours.c src/flow/hours.h src/flow/outlet.c src/flow/outlet.h src/flow/function.c src/flow/function_agent.c src/flow/function_builtin.c src/flow/function_operation.c \
	src/flow/function.h src/flow/function_priv.h \
	src/flow/workspace.c src/flow/workspace_catalog.c src/flow/workspace_forms.c src/flow/workspace_load.c src/flow/workspace_names.c src/flow/workspace_settings.c src/flow/workspace_starts.c src/flow/workspace_subs.c src/flow/workspace_text.c \
	src/flow/workspace.h src/flow/workspace_priv.h \
	src/flow/places.c src/flow/places.h src/flow/portable.c src/flow/portable.h src/flow/scenario.c src/flow/scenario.h src/flow/flow_secret.c src/flow/secret.c src/flow/secret.h src/flow/source.c src/flow/source_priv.h src/flow/text.c src/flow/text.h \
	src/flow/yaml.c src/flow/yaml.h src/flow/yaml_scalar.c src/flow/yaml_scalar_priv.h

src_flow_libcsflow_a_SOURCES += \
	src/flow/schema.h src/flow/schema_in.h src/flow/schema_apply.c src/flow/schema_array.c \
	src/flow/schema_check.c src/flow/schema_compile.c src/flow/schema_error.c src/flow/schema_format.c \
	src/flow/schema_format_time.c src/flow/schema_format_uri.c src/flow/schema_keyword.c src/flow/schema_meta.c \
	src/flow/schema_number.c src/flow/schema_object.c src/flow/schema_ref.c src/flow/schema_rules.c \
	src/flow/schema_scan.c src/flow/schema_suggest.c src/flow/schema_unevaluated.c src/flow/schema_uri.c \
	src/flow/schema_value.c
