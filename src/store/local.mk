# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += libcsstore.a
libcsstore_a_SOURCES = \
	src/store/anchor.c src/store/anchor.h \
	src/store/archive.c src/store/backup_archive.c \
	src/store/segment.c src/store/segment.h src/store/segment_file.h src/store/segment_write.c \
	src/store/verify_archive.c src/store/verify_impl.h \
	src/store/backup.c src/store/backup.h \
	src/store/backup_file.c src/store/backup_file.h \
	src/store/checkpoint.c src/store/checkpoint.h \
	src/store/event_bytes.c src/store/event_bytes.h \
	src/store/event_types.h \
	src/store/export.c src/store/import.c \
	src/store/projection.c src/store/projection.h \
	src/store/projection_engine.c src/store/projection_start.c \
	src/store/projection_item.c \
	src/store/projection_run.c \
	src/store/projection_task.c \
	src/store/reader.c src/store/reader_open.c src/store/reader_pick.c src/store/reader.h \
	src/store/rebuild.c \
	src/store/schema.c src/store/schema.h \
	src/store/snapshot.c src/store/sql.c src/store/sql.h \
	src/store/store.c src/store/store.h src/store/store_impl.h \
	src/store/touched.c src/store/touched.h \
	src/store/transfer.h src/store/transfer_lines.h \
	src/store/verify.c
