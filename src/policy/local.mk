# SPDX-License-Identifier: GPL-3.0-or-later
noinst_LIBRARIES += src/policy/libcspolicy.a
src_policy_libcspolicy_a_SOURCES = src/policy/policy.c src/policy/policy.h
