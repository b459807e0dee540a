# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/cli/libcscli.a
src_cli_libcscli_a_SOURCES = \
	src/cli/args.c \
	src/cli/cli.c src/cli/cli.h src/cli/cli_priv.h \
	src/cli/cmd_archive.c \
	src/cli/cmd_ask.c \
	src/cli/cmd_backup.c \
	src/cli/cmd_check.c \
	src/cli/cmd_connectors.c src/cli/connector_test.c src/cli/connector_test.h \
	src/cli/cmd_control.c \
	src/cli/cmd_correct.c \
	src/cli/cmd_decide.c \
	src/cli/cmd_doctor.c \
	src/cli/cmd_emit.c \
	src/cli/cmd_inbox.c \
	src/cli/cmd_init.c \
	src/cli/cmd_log.c \
	src/cli/cmd_new.c \
	src/cli/cmd_reload.c \
	src/cli/cmd_replay.c \
	src/cli/cmd_run.c \
	src/cli/cmd_serve.c \
	src/cli/cmd_show.c \
	src/cli/cmd_test.c \
	src/cli/cmd_trace.c src/cli/cmd_transfer.c \
	src/cli/cmd_vault.c \
	src/cli/check_secrets.c src/cli/secret_input.c \
	src/cli/drive.c \
	src/cli/findings.c \
	src/cli/help.c \
	src/cli/input.c \
	src/cli/new_files.c src/cli/new_files.h \
	src/cli/out.c \
	src/cli/scenario.h src/cli/scenario_compare.c src/cli/scenario_play.c \
	src/cli/schedules.c \
	src/cli/session.c \
	src/cli/table.c
