/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading of a workspace, from the inside: one row for each kind of file. */
#ifndef CS_FLOW_WORKSPACE_PRIV_H
#define CS_FLOW_WORKSPACE_PRIV_H

#include "flow/check.h"
#include "flow/workspace.h"

/* workspace_settings.c: capstan.yaml into W; what is wrong is reported and keeps its default. */
void cs_settings_read(cs_workspace *w, json_t *doc, const cs_source *src, cs_diags *d);
/* What can only be held against the flows once they are known. */
void cs_settings_check_flows(const cs_workspace *w, const cs_source *src, cs_diags *d);
void cs_settings_defaults(cs_workspace *w);

/* workspace_starts.c: `starts` and what holds runs of one flow apart, of flows.NAME; the cursor is on it. */
void cs_settings_read_starts(cs_workspace *w, cs_check *c, json_t *v, cs_flow_settings *s);
void cs_starts_free(cs_start *starts, size_t n);

/* workspace_forms.c: documents that others obey; here their form is checked. */
/* W may be NULL: then any function, and any flow, may be meant. */
bool cs_policy_check(const cs_workspace *w, const json_t *doc, const cs_source *src, cs_diags *d);
bool cs_fixture_check(const cs_workspace *w, const json_t *doc, const cs_source *src, cs_diags *d);

/* workspace_names.c: do the functions, flows and words that a rule's `when` names exist? A name that nobody
 * has is an error, a pattern or a word that nothing fits a warning. The cursor is on `when`. */
void cs_policy_check_names(cs_check *c, const cs_workspace *w, const json_t *when);

/* workspace_text.c: texts that stand in files, into DOC. W NULL: there is no workspace, and each is a finding. */
void cs_workspace_texts(cs_workspace *w, json_t *doc, const cs_source *src, const char *shown, cs_diags *d);

/* workspace.c: one YAML file of W, by its path below it; notes its hash. */
int cs_workspace_read(cs_workspace *w, const char *shown, json_t **ret, cs_source **ret_src, cs_err *err);

/* workspace_load.c: the folders of W->dir into W, in the order in which they need each other. */
int cs_workspace_load_folders(cs_workspace *w, cs_diags *d, cs_err *err);
/* Sorts the functions and gathers the callable names. */
void cs_workspace_index(cs_workspace *w);

/* workspace_subs.c: where flows run flows; held against all of them once they are loaded. */
typedef struct cs_sub_place {
	const cs_flow *flow;         /* borrowed */
	int task;
	char *file;
	unsigned line, col;
} cs_sub_place;
typedef struct cs_sub_places {
	cs_sub_place *list; size_t n;
} cs_sub_places;
void cs_sub_places_note(cs_sub_places *l, const cs_flow *f, const cs_source *src, const char *file);
void cs_sub_places_check(const cs_sub_places *l, const cs_workspace *w, cs_diags *d);
void cs_sub_places_fini(cs_sub_places *l);

#endif
