/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts from files: `{ file: prompts/editor.md }` where a text stands is replaced by the file's
 * text before the document is compiled, so that it is hashed, pinned and checked with it. */
#include "flow/workspace_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "flow/text.h"

enum { TEXT_MAX = 256 * 1024 };

/* A document whose texts are read. */
typedef struct reading {
	cs_workspace *w;          /* NULL: no workspace, no texts */
	const cs_source *src;
	const char *shown;
	cs_diags *d;
} reading;

static bool is_file(const json_t *v)
{
	const char *name = json_object_size(v) == 1 ? cs_json_str(v, "file") : NULL;
	return name && !strstr(name, "${");
}

/* Below the workspace, links followed, and not of its state. */
static int locate(const cs_workspace *w, const char *name, char **ret, cs_err *err)
{
	char *path CS_AUTOFREE = cs_path_join(w->dir, name);
	if (!*name || *name == '/')
		return cs_err_set(err, CS_EREFUSED, "'%.200s' must be a path below the workspace, like prompts/editor.md", name);
	char *real CS_AUTOFREE = realpath(path, NULL);
	if (!real)
		return cs_err_set(err, CS_ENOTFOUND, "the text %.200s is not there, or cannot be read; write it, or mend the path", name);
	size_t n = strlen(w->dir);
	if (strncmp(real, w->dir, n) != 0 || real[n] != '/')
		return cs_err_set(err, CS_EREFUSED, "the text %.200s stands outside of the workspace; copy it below %s", name, w->dir);
	if (strncmp(real + n, "/.capstan/", 10) == 0 || strcmp(real + n, "/.capstan") == 0)
		return cs_err_set(err, CS_EREFUSED, "%.200s is of the workspace's state; no text is read from there", name);
	*ret = CS_STEAL(real);
	return CS_OK;
}

static int read_text(cs_workspace *w, const char *name, json_t **ret, cs_err *err)
{
	CS_AUTOFREE char *real = NULL;
	CS_AUTOBUF cs_buf b;
	char hash[CS_HEX_SIZE];
	cs_buf_init(&b, TEXT_MAX);
	int rc = locate(w, name, &real, err);
	if (rc == CS_OK)
		rc = cs_file_read(real, &b, err);
	if (rc != CS_OK)
		return rc;
	if (!cs_utf8_valid(cs_buf_str(&b), b.len) || strlen(cs_buf_str(&b)) != b.len)
		return cs_err_set(err, CS_ESYNTAX, "the text %.200s is not UTF-8, or holds a NUL; save it as UTF-8", name);
	cs_hash_hex(cs_buf_str(&b), b.len, hash);
	json_object_set_new(w->files, real + strlen(w->dir) + 1, json_string(hash));
	*ret = json_stringn(cs_buf_str(&b), b.len);
	return CS_OK;
}

static void report(const reading *in, const char *pointer, const cs_err *why)
{
	unsigned line = 0, col = 0;
	if (in->src)
		cs_source_at(in->src, pointer, 0, &line, &col);
	cs_diags_add(in->d, false, in->shown, line, col, "%s", why->msg);
}

/* OBJ[KEY], when it is a file, becomes its text; FLOW: as the value that a flow's `with` takes. */
static void take(const reading *in, json_t *obj, const char *key, const char *pointer, bool flow)
{
	const json_t *v = json_object_get(obj, key);
	CS_AUTOJSON json_t *text = NULL;
	CS_AUTOJSON json_t *value = NULL;
	cs_err why = { 0 };
	if (!is_file(v))
		return;
	int rc = in->w ? read_text(in->w, cs_json_str(v, "file"), &text, &why)
		       : cs_err_set(&why, CS_EINVAL, "a text from a file is read only in a workspace; write the text here");
	if (rc == CS_OK && flow)
		rc = cs_text_value(json_string_value(text), true, &value, &why);
	if (rc != CS_OK) {
		char *whole CS_AUTOFREE = cs_xasprintf("%s/%s/file", pointer, key);
		report(in, whole, &why);
		json_object_set_new(obj, key, json_string(""));       /* said once */
		return;
	}
	json_object_set(obj, key, value ? value : text);
}

static void take_operations(const reading *in, json_t *doc)
{
	const char *name;
	json_t *op;
	json_object_foreach(json_object_get(doc, "operations"), name, op) {
		char *at CS_AUTOFREE = cs_xasprintf("/operations/%s", name);
		char *request CS_AUTOFREE = cs_xasprintf("%s/request", at);
		take(in, op, "card", at, false);
		take(in, json_object_get(op, "request"), "body", request, false);
	}
}

/* The built-ins' arguments that are texts. What goes to a function of the operator's is data. */
static void take_with(const reading *in, json_t *task, const char *pointer)
{
	static const struct {
		const char *call, *key;
	} texts[] = { { "approve", "title" }, { "approve", "summary" }, { "ask", "title" }, { "notify", "title" }, { "notify", "body" } };
	const char *call = cs_json_str_or(task, "call", "");
	char *with CS_AUTOFREE = cs_xasprintf("%s/with", pointer);
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].call, call) == 0)
			take(in, json_object_get(task, "with"), texts[i].key, with, true);
}

/* Wherever tasks stand: a task is known by its `call`. */
static void take_tasks(const reading *in, json_t *v, const char *pointer)
{
	size_t i;
	const char *key;
	json_t *inner;
	if (cs_json_str(v, "call"))
		take_with(in, v, pointer);
	json_array_foreach(v, i, inner) {
		char *at CS_AUTOFREE = cs_xasprintf("%s/%zu", pointer, i);
		take_tasks(in, inner, at);
	}
	json_object_foreach(v, key, inner) {
		bool nested = json_is_object(inner) || json_is_array(inner);
		char *at CS_AUTOFREE = nested ? cs_xasprintf("%s/%s", pointer, key) : NULL;
		if (nested && strcmp(key, "with") != 0 && strcmp(key, "set") != 0)
			take_tasks(in, inner, at);
	}
}

void cs_workspace_texts(cs_workspace *w, json_t *doc, const cs_source *src, const char *shown, cs_diags *d)
{
	const reading in = { .w = w, .src = src, .shown = shown, .d = d };
	if (json_object_get(doc, "agent")) {
		take(&in, doc, "text", "", false);
		take(&in, json_object_get(doc, "model"), "prompt", "/model", false);
	} else if (json_object_get(doc, "connector")) {
		take_operations(&in, doc);
	} else if (json_object_get(doc, "document")) {
		take_tasks(&in, json_object_get(doc, "do"), "/do");
		take_tasks(&in, json_object_get(doc, "use"), "/use");
	}
}
