# SPDX-License-Identifier: GPL-3.0-or-later
dist_man_MANS += doc/capstan.1
dist_doc_DATA = README.md doc/durability.md doc/flows.md doc/guide.md
