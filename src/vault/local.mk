# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/vault/libcsvault.a
src_vault_libcsvault_a_SOURCES = \
	src/vault/vault.c src/vault/vault.h src/vault/vault_priv.h \
	src/vault/vault_file.c \
	src/vault/vault_seal.c
