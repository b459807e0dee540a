/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "flow/source_priv.h"
#include "flow/yaml_scalar_priv.h"

enum {
	TEXT_MAX = 1 << 20,
	DEPTH_MAX = 64,
	NODES_MAX = 100000,
	BYTES_MAX = 4 << 20,      /* of scalars, after aliases: one long text aliased often is a bomb too */
	ANCHORS_MAX = 1000,
	WORD_SHOWN = 80,          /* bytes of the file's own words in a message */
};

typedef struct frame {
	json_t *value;            /* owned until it is handed to the parent */
	char *key;                /* in a mapping: the key that waits for its value */
	uint32_t node;
	unsigned key_line, key_col;
	size_t anchor;            /* index + 1 of the anchor on this collection; 0: none */
	size_t nodes_before, bytes_before;
	unsigned height;          /* levels below this one so far */
} frame;

typedef struct anchor {
	char *name;
	json_t *value;            /* NULL while the value is still open */
	size_t nodes, bytes;
	unsigned height;
} anchor;

typedef struct composer {
	const char *file;
	cs_source *src;
	cs_err *err;
	frame stack[DEPTH_MAX];
	unsigned depth;
	anchor *anchors;
	size_t n_anchors;
	size_t nodes, bytes;
	json_t *root;
	unsigned documents;
} composer;

static int fail(composer *c, int code, yaml_mark_t at, const char *what)
{
	return cs_err_at(c->err, code, c->file, (unsigned)at.line + 1, (unsigned)at.column + 1, "%s", what);
}

/* WHAT holds one %s, for a word of the file made safe to show. */
static int fail_word(composer *c, int code, yaml_mark_t at, const char *before, const char *word, const char *after)
{
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 8 * WORD_SHOWN);
	size_t len = strlen(word);
	cs_utf8_show(word, len < WORD_SHOWN ? len : WORD_SHOWN, false, &b);
	return cs_err_at(c->err, code, c->file, (unsigned)at.line + 1, (unsigned)at.column + 1, "%s'%s%s'%s",
			 before, cs_buf_str(&b), len < WORD_SHOWN ? "" : "…", after);
}

static int count(composer *c, yaml_mark_t at, size_t nodes, size_t bytes)
{
	c->nodes += nodes;
	c->bytes += bytes;
	if (c->nodes > NODES_MAX)
		return fail(c, CS_ETOOBIG, at, "the document holds more than 100000 values, aliases counted; split it");
	if (c->bytes > BYTES_MAX)
		return fail(c, CS_ETOOBIG, at, "the document's texts exceed 4 MiB, aliases counted; use fewer aliases");
	return CS_OK;
}

/* Anchors may be defined again; the latest wins (YAML 1.2, 3.2.2.2). */
static size_t find_anchor(const composer *c, const char *name)
{
	for (size_t i = c->n_anchors; i > 0; i--)
		if (strcmp(c->anchors[i - 1].name, name) == 0)
			return i;
	return 0;
}

static int add_anchor(composer *c, yaml_mark_t at, const yaml_char_t *name, size_t *ret)
{
	*ret = 0;
	if (!name)
		return CS_OK;
	if (c->n_anchors == ANCHORS_MAX)
		return fail(c, CS_ETOOBIG, at, "the document has more than 1000 anchors; use fewer");
	c->anchors = cs_xrealloc(c->anchors, (c->n_anchors + 1) * sizeof *c->anchors);
	c->anchors[c->n_anchors] = (anchor){ .name = cs_xstrdup((const char *)name) };
	*ret = ++c->n_anchors;
	return CS_OK;
}

/* Records the place of a value about to begin at AT. */
static uint32_t place(composer *c, yaml_mark_t at)
{
	const frame *f = c->depth ? &c->stack[c->depth - 1] : NULL;
	return cs_source_add(c->src, f ? f->node : CS_SOURCE_NONE, f ? f->key : NULL,
			     (unsigned)at.line + 1, (unsigned)at.column + 1,
			     f ? f->key_line : 0, f ? f->key_col : 0);
}

/* Hands VALUE (taken over) to the collection that is open; HEIGHT is how deep VALUE goes. */
static int deliver(composer *c, yaml_mark_t at, json_t *value, unsigned height)
{
	if (c->depth == 0) {
		c->root = value;
		return CS_OK;
	}
	frame *f = &c->stack[c->depth - 1];
	if (height + 1 > f->height)
		f->height = height + 1;
	int bad = f->key ? json_object_set_new(f->value, f->key, value) : json_array_append_new(f->value, value);
	free(f->key);
	f->key = NULL;
	return bad ? fail(c, CS_ENOMEM, at, "no memory for this document") : CS_OK;
}

static bool wants_key(const composer *c)
{
	const frame *f = c->depth ? &c->stack[c->depth - 1] : NULL;
	return f && json_is_object(f->value) && !f->key;
}

static int take_key(composer *c, const yaml_event_t *e, const json_t *v)
{
	frame *f = &c->stack[c->depth - 1];
	const char *word = (const char *)e->data.scalar.value;
	if (!json_is_string(v))
		return fail_word(c, CS_ESYNTAX, e->start_mark, "a key must be a text: put ", word, " in quotes");
	if (strcmp(word, "<<") == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return fail(c, CS_ESYNTAX, e->start_mark,
			    "the merge key '<<' is not part of YAML 1.2; write the keys out");
	if (json_object_get(f->value, word))
		return fail_word(c, CS_ESYNTAX, e->start_mark, "the key ", word, " stands here twice; keep one");
	f->key = cs_xstrdup(word);
	f->key_line = (unsigned)e->start_mark.line + 1;
	f->key_col = (unsigned)e->start_mark.column + 1;
	return CS_OK;
}

static int on_scalar(composer *c, const yaml_event_t *e)
{
	const char *why = NULL;
	const char *tag = (const char *)e->data.scalar.tag;
	bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	size_t len = e->data.scalar.length;
	int r = count(c, e->start_mark, 1, len);
	if (r < 0)
		return r;
	json_t *v CS_AUTOJSON = cs_yaml_scalar((const char *)e->data.scalar.value, len, tag, plain, &why);
	if (!v)
		return fail(c, CS_ESYNTAX, e->start_mark, why ? why : "no memory for this document");
	size_t id = 0;
	r = add_anchor(c, e->start_mark, e->data.scalar.anchor, &id);
	if (r < 0)
		return r;
	if (id) {
		c->anchors[id - 1].value = json_incref(v);
		c->anchors[id - 1].nodes = 1;
		c->anchors[id - 1].bytes = len;
	}
	if (wants_key(c))
		return take_key(c, e, v);
	place(c, e->start_mark);
	return deliver(c, e->start_mark, CS_STEAL(v), 0);
}

static int on_alias(composer *c, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	if (wants_key(c))
		return fail_word(c, CS_ESYNTAX, e->start_mark, "the alias ", name, " cannot be a key; write the key out");
	size_t id = find_anchor(c, name);
	if (!id)
		return fail_word(c, CS_ESYNTAX, e->start_mark, "the alias ", name, " has no anchor before it");
	const anchor *a = &c->anchors[id - 1];
	if (!a->value)
		return fail_word(c, CS_ESYNTAX, e->start_mark, "the alias ", name, " stands inside what it names; it would never end");
	int r = count(c, e->start_mark, a->nodes, a->bytes);
	if (r < 0)
		return r;
	if (c->depth + a->height > DEPTH_MAX)
		return fail(c, CS_ETOOBIG, e->start_mark, "the document is nested deeper than 64 levels");
	place(c, e->start_mark);
	return deliver(c, e->start_mark, json_incref(a->value), a->height);
}

static int on_open(composer *c, const yaml_event_t *e, json_t *value, const yaml_char_t *name, const yaml_char_t *tag,
		   const char *own_tag)
{
	json_t *v CS_AUTOJSON = value;
	if (tag && strcmp((const char *)tag, own_tag) != 0 && strcmp((const char *)tag, "!") != 0)
		return fail(c, CS_ESYNTAX, e->start_mark,
			    "tags beyond YAML's core schema (str, int, float, bool, null, map, seq) are not read; remove the tag");
	if (wants_key(c))
		return fail(c, CS_ESYNTAX, e->start_mark, "a key must be a text, not a list or a mapping");
	if (c->depth == DEPTH_MAX)
		return fail(c, CS_ETOOBIG, e->start_mark, "the document is nested deeper than 64 levels");
	frame f = { .nodes_before = c->nodes, .bytes_before = c->bytes, .height = 1 };
	int r = count(c, e->start_mark, 1, 0);
	if (r < 0)
		return r;
	r = add_anchor(c, e->start_mark, name, &f.anchor);
	if (r < 0)
		return r;
	f.node = place(c, e->start_mark);
	f.value = CS_STEAL(v);
	c->stack[c->depth++] = f;
	return CS_OK;
}

static int on_close(composer *c, const yaml_event_t *e)
{
	frame f = c->stack[--c->depth];
	if (f.anchor) {
		anchor *a = &c->anchors[f.anchor - 1];
		a->value = json_incref(f.value);
		a->nodes = c->nodes - f.nodes_before;
		a->bytes = c->bytes - f.bytes_before;
		a->height = f.height;
	}
	return deliver(c, e->end_mark, f.value, f.height);
}

static int on_document(composer *c, const yaml_event_t *e)
{
	const yaml_version_directive_t *v = e->data.document_start.version_directive;
	if (v && !(v->major == 1 && v->minor == 2))
		return fail(c, CS_ESYNTAX, e->start_mark, "files are read as YAML 1.2; remove the %YAML line");
	if (c->documents++)
		return fail(c, CS_ESYNTAX, e->start_mark, "a file holds one document; put the next in a file of its own");
	return CS_OK;
}

static int on_event(composer *c, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(c, e);
	case YAML_SCALAR_EVENT:
		return on_scalar(c, e);
	case YAML_ALIAS_EVENT:
		return on_alias(c, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(c, e, json_array(), e->data.sequence_start.anchor, e->data.sequence_start.tag,
			       YAML_SEQ_TAG);
	case YAML_MAPPING_START_EVENT:
		return on_open(c, e, json_object(), e->data.mapping_start.anchor, e->data.mapping_start.tag,
			       YAML_MAP_TAG);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(c, e);
	default:
		return CS_OK;
	}
}

static void composer_fini(composer *c)
{
	while (c->depth > 0) {
		frame *f = &c->stack[--c->depth];
		json_decref(f->value);
		free(f->key);
	}
	for (size_t i = 0; i < c->n_anchors; i++) {
		free(c->anchors[i].name);
		json_decref(c->anchors[i].value);
	}
	free(c->anchors);
	json_decref(c->root);
	cs_source_free(c->src);
}

/* Line and column, 1-based, of byte AT; columns count code points. */
static void byte_place(const char *text, size_t at, unsigned *line, unsigned *col)
{
	*line = *col = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			(*line)++;
			*col = 1;
		} else if (((unsigned char)text[i] & 0xC0) != 0x80) {
			(*col)++;
		}
	}
}

/* Refuses, with its place, what no editor should have written. */
static int check_bytes(const char *file, const char *text, size_t len, cs_err *err)
{
	unsigned line, col;
	if (len > TEXT_MAX)
		return cs_err_at(err, CS_ETOOBIG, file, 0, 0, "the file is larger than 1 MiB; split it");
	if (len >= 2 && ((memcmp(text, "\xFE\xFF", 2) == 0) || (memcmp(text, "\xFF\xFE", 2) == 0)))
		return cs_err_at(err, CS_ESYNTAX, file, 1, 1, "the file is UTF-16; save it as UTF-8");
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		return cs_err_at(err, CS_ESYNTAX, file, 1, 1, "the file begins with a byte order mark; save it as UTF-8 without one");
	const char *nul = memchr(text, '\0', len);
	if (nul) {
		byte_place(text, (size_t)(nul - text), &line, &col);
		return cs_err_at(err, CS_ESYNTAX, file, line, col, "the file holds a NUL byte; it is not a text file");
	}
	if (cs_utf8_valid(text, len))
		return CS_OK;
	for (const char *p = text; p < text + len;) {
		const char *at = p;
		if (cs_utf8_next(&p, text + len) >= 0)
			continue;
		byte_place(text, (size_t)(at - text), &line, &col);
		return cs_err_at(err, CS_ESYNTAX, file, line, col, "the byte 0x%02X is not UTF-8; save the file as UTF-8",
				 (unsigned)(unsigned char)*at);
	}
	return cs_err_at(err, CS_ESYNTAX, file, 0, 0, "the file is not UTF-8; save it as UTF-8");
}

static int parser_error(const composer *c, const yaml_parser_t *p, const char *text, size_t len, cs_err *err)
{
	unsigned line = (unsigned)p->problem_mark.line + 1, col = (unsigned)p->problem_mark.column + 1;
	if (p->error == YAML_MEMORY_ERROR)
		return cs_err_at(err, CS_ENOMEM, c->file, 0, 0, "no memory for this document");
	if (p->error == YAML_READER_ERROR && p->problem_offset <= len)
		byte_place(text, p->problem_offset, &line, &col);
	return cs_err_at(err, CS_ESYNTAX, c->file, line, col, "not valid YAML: %s%s%s", p->problem ? p->problem : "cannot be read",
			 p->context ? " " : "", p->context ? p->context : "");
}

static int compose(composer *c, yaml_parser_t *parser, const char *text, size_t len)
{
	for (;;) {
		yaml_event_t e;
		if (!yaml_parser_parse(parser, &e))
			return parser_error(c, parser, text, len, c->err);
		bool end = e.type == YAML_STREAM_END_EVENT;
		int r = on_event(c, &e);
		yaml_event_delete(&e);
		if (r < 0)
			return r;
		if (end)
			break;
	}
	if (!c->root)
		return cs_err_at(c->err, CS_ESYNTAX, c->file, 1, 1, "the file is empty");
	return CS_OK;
}

int cs_yaml_parse(const char *file, const char *text, size_t len, json_t **ret, cs_source **ret_source, cs_err *err)
{
	int r = check_bytes(file, text, len, err);
	if (r < 0)
		return r;
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return cs_err_at(err, CS_ENOMEM, file, 0, 0, "no memory for this document");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	composer c = { .file = file, .src = cs_source_new(file), .err = err };
	r = compose(&c, &parser, text, len);
	if (r == CS_OK) {
		*ret = CS_STEAL(c.root);
		cs_source_seal(c.src);
		if (ret_source)
			*ret_source = CS_STEAL(c.src);
	}
	yaml_parser_delete(&parser);
	composer_fini(&c);
	return r;
}

int cs_yaml_load(const char *path, const char *shown, json_t **ret, cs_source **ret_source, cs_err *err)
{
	return cs_yaml_load_hashed(path, shown, ret, ret_source, NULL, err);
}

int cs_yaml_load_hashed(const char *path, const char *shown, json_t **ret, cs_source **ret_source, char hash[CS_HEX_SIZE], cs_err *err)
{
	const char *file = shown ? shown : path;
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, TEXT_MAX);
	cs_err why = { 0 };
	int r = cs_file_read(path, &b, &why);
	if (r == CS_ETOOBIG)
		return cs_err_at(err, r, file, 0, 0, "the file is larger than 1 MiB; split it");
	if (r < 0)
		return cs_err_at(err, r, file, 0, 0, "%s", why.msg);
	r = cs_yaml_parse(file, cs_buf_str(&b), b.len, ret, ret_source, err);
	if (r == CS_OK && hash)
		cs_hash_hex(cs_buf_str(&b), b.len, hash);
	return r;
}
