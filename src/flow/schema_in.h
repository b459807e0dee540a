/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rooms of the JSON Schema validator share; nobody else includes this.
 *
 * A document is cut into resources (a base URI, a dialect) and these into nodes, one for each
 * subschema, found again by document and JSON pointer. Compiling turns a node's keywords into
 * checks in the order of the keyword table; checking walks nodes and values together. */
#ifndef CS_FLOW_SCHEMA_IN_H
#define CS_FLOW_SCHEMA_IN_H

#include <stdint.h>
#include "base/buf.h"
#include "base/regex.h"
#include "flow/schema.h"

enum {
	CS_SCHEMA_DEPTH = 128,          /* levels of a schema document, and of in-place subschemas */
	CS_SCHEMA_NODES = 100000,
	CS_SCHEMA_DOCS = 256,
	CS_SCHEMA_ARENA = 64 << 20,     /* bytes of tables */
	CS_SCHEMA_FRAMES = 1500,        /* nested subschemas while checking; about 0.5 KiB of stack each */
	CS_SCHEMA_STEPS = 5000000,      /* subschemas and comparisons in one check */
	CS_SCHEMA_TEXT = 64 << 10,      /* bytes of one pointer or message */
};

enum {
	CS_VOCAB_CORE = 1, CS_VOCAB_APPLICATOR = 2, CS_VOCAB_UNEVALUATED = 4, CS_VOCAB_VALIDATION = 8,
	CS_VOCAB_FORMAT = 16, CS_VOCAB_FORMAT_ASSERT = 32, CS_VOCAB_OTHER = 64, CS_VOCAB_ALL = 31,
};

/* Types of a value, and what `type` accepts. */
enum {
	CS_KIND_NULL = 1, CS_KIND_BOOL = 2, CS_KIND_INTEGER = 4, CS_KIND_NUMBER = 8,
	CS_KIND_STRING = 16, CS_KIND_ARRAY = 32, CS_KIND_OBJECT = 64, CS_KIND_ANY = 127,
};

typedef struct cs_node cs_node;
typedef struct cs_check cs_check;
typedef struct cs_rule cs_rule;
typedef struct cs_run cs_run;
typedef struct cs_frame cs_frame;
typedef struct cs_compiler cs_compiler;
typedef struct cs_arena cs_arena;

typedef struct cs_dialect {
	cs_schema_draft draft;
	unsigned vocab;
} cs_dialect;

typedef struct cs_doc {
	json_t *json;               /* owned */
	const char *uri;            /* as it was asked for; "" for the one compiled */
	size_t number;
} cs_doc;

typedef struct cs_anchor {
	const char *name;
	const cs_node *node;
	struct cs_anchor *next;
} cs_anchor;

typedef struct cs_resource {
	const char *base;           /* absolute where the document says so; no fragment */
	const char *at;             /* JSON pointer in the document */
	cs_doc *doc;
	cs_dialect dialect;
	cs_anchor *dynamic;         /* its $dynamicAnchors */
} cs_resource;

struct cs_node {
	const char *at;             /* JSON pointer in the document */
	const json_t *json;
	cs_resource *home;
	cs_check *checks;
	size_t n;
	uint8_t mark;               /* while compiling: the search for circles */
	bool never;                 /* the schema `false` */
	bool unevaluated;           /* has unevaluatedItems or unevaluatedProperties */
};

typedef int cs_rule_compile(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k);
typedef int cs_rule_eval(cs_run *r, const cs_frame *f, const cs_check *k);

/* How subschemas stand under a keyword. */
typedef enum { CS_SUB_NONE, CS_SUB_ONE, CS_SUB_LIST, CS_SUB_MAP, CS_SUB_ONE_OR_LIST, CS_SUB_MAP_OR_NAMES } cs_sub;

enum { CS_ON_7 = 1 << CS_SCHEMA_DRAFT_7, CS_ON_2020 = 1 << CS_SCHEMA_2020_12, CS_ON_BOTH = 3 };

struct cs_rule {
	const char *name;
	unsigned drafts, vocab;
	unsigned kinds;             /* of value it says something about */
	cs_sub sub;
	bool in_place;              /* its subschemas see the same value */
	cs_rule_compile *compile;   /* 1 keep, 0 nothing to check, negative; NULL: subschemas only */
	cs_rule_eval *eval;         /* 1 holds, 0 does not, negative */
};

struct cs_check {
	const cs_rule *rule;
	cs_rule_eval *eval;         /* the rule's, unless its compile chose another */
	const json_t *value;        /* the keyword's value */
	size_t count, most;         /* a limit, a mask, a start; `most` for maxContains */
	const cs_node **kids;       /* subschemas */
	const char **keys;          /* their names, where they have some */
	cs_regex **regexes;
	size_t n;                   /* of kids, keys or regexes */
	const cs_check *near, *by;  /* checks beside it that it needs: properties, patternProperties */
	const void *extra;          /* a format; the name of a dynamic reference */
};

struct cs_schema {
	cs_arena *arena;
	cs_doc **docs;
	size_t n_docs;
	cs_regex **regexes;
	size_t n_regexes, cap_regexes;
	const cs_node *root;
};

/* -- compiling ---------------------------------------------------------------------------- */

struct cs_compiler {
	cs_schema *s;
	const cs_schema_loader *loader;   /* may be NULL */
	cs_schema_draft draft;
	cs_node **nodes;
	size_t n_nodes, cap_nodes;
	cs_resource **resources;
	size_t n_resources;
	json_t *by_place;                 /* "DOC#POINTER" to an index in nodes */
	json_t *by_uri;                   /* base URI to an index in resources */
	json_t *by_anchor;                /* "URI#NAME" to {node, dynamic} */
	cs_err *err;
};

void *cs_schema_alloc(cs_compiler *c, size_t n, size_t size);   /* zeroed; NULL and c->err at the limit */
char *cs_schema_dup(cs_compiler *c, const char *s);
char *cs_schema_join(cs_compiler *c, const char *pointer, const char *token);   /* escapes TOKEN */
void cs_schema_arena_free(cs_arena *a);
/* Says that KEYWORD of the schema at NODE cannot be so; returns CS_EINVAL. */
int cs_schema_bad(cs_compiler *c, const cs_node *node, const char *keyword, const char *fmt, ...) CS_PRINTF(4, 5);
int cs_schema_regex(cs_compiler *c, const cs_node *node, const char *keyword, const char *pattern, cs_regex **ret);

/* The keyword table, in the order of evaluation. */
const cs_rule *cs_schema_rules(size_t *ret_n);
const cs_check *cs_schema_beside(const cs_node *node, const char *keyword);   /* compiled already, or NULL */
/* The node at POINTER + /KEYWORD + /TOKEN (TOKEN may be NULL). */
int cs_schema_child(cs_compiler *c, const cs_node *node, const char *keyword, const char *token, const cs_node **ret);

/* schema_scan.c: documents into resources and nodes */
int cs_schema_add_doc(cs_compiler *c, json_t *json, const char *uri, cs_doc **ret);   /* steals JSON */
int cs_schema_node_at(cs_compiler *c, cs_doc *doc, const char *pointer, const cs_node **ret);
/* schema_ref.c */
int cs_schema_resolve(cs_compiler *c, const cs_node *from, const char *keyword, const char *ref,
		      const cs_node **ret, bool *ret_dynamic);
int cs_schema_fetch(cs_compiler *c, const char *uri, cs_doc **ret);
int cs_schema_dialect(cs_compiler *c, const char *uri, cs_dialect *ret);
int cs_schema_loops(cs_compiler *c);   /* refuses in-place circles */
/* schema_uri.c: RFC 3986, section 5; malloc'ed, without fragment. */
char *cs_uri_resolve(const char *base, const char *ref);
/* malloc'ed fragment with %XX undone, "" when there is none; NULL when an escape is broken. */
char *cs_uri_fragment(const char *ref);
/* schema_meta.c: text of a built-in document, NULL when URI is none. */
const char *cs_schema_builtin(const char *uri);

/* -- checking ----------------------------------------------------------------------------- */

typedef struct cs_seen {     /* members or items that some subschema has looked at */
	const char *key;         /* as the value's iterator gives it: identity, not text */
	size_t from, to;         /* items */
} cs_seen;

/* How much a failure says about which form of an anyOf was meant. */
typedef enum {
	CS_SORT_DETAIL,          /* something about a value that is of the right sort */
	CS_SORT_KIND,            /* a value of another sort: type, enum */
	CS_SORT_TAG,             /* a value that tells forms apart: const, an enum of one, not */
} cs_sort;

typedef struct cs_fault {
	cs_schema_error e;
	char *must;              /* "be text" where the message is "must be text; is 5"; else NULL */
	size_t depth;            /* of the place in the value */
	cs_sort sort;
} cs_fault;

struct cs_run {
	const cs_schema *s;
	size_t steps;
	bool gather;             /* errors are wanted */
	size_t max, floor;       /* at most MAX faults from FLOOR on; each form of an anyOf has its own floor */
	cs_fault *faults;
	size_t n_faults, cap_faults;
	cs_seen *seen;
	size_t n_seen, cap_seen;
	cs_err *err;
};

typedef struct cs_scope {    /* resources entered: the dynamic scope */
	const cs_resource *resource;
	const struct cs_scope *up;
} cs_scope;

struct cs_frame {
	const cs_frame *up;
	const cs_node *node;
	const json_t *value;
	const char *key;         /* how VALUE was reached from up's: a member … */
	size_t index;            /* … or an item */
	bool moved;              /* false: up's value is the same one */
	bool track;              /* somebody wants to know what was looked at */
	unsigned depth;
	size_t mark;             /* the first of `seen` that is this node's */
	const cs_scope *scope;
};

/* NODE on the same value as F; TRACK: what it looks at counts for F. */
int cs_run_here(cs_run *r, const cs_frame *f, const cs_node *node, bool track);
int cs_run_member(cs_run *r, const cs_frame *f, const cs_node *node, const char *key, const json_t *value);
int cs_schema_item_run(cs_run *r, const cs_frame *f, const cs_node *node, size_t index, const json_t *value);
int cs_schema_step_run(cs_run *r, size_t n);   /* 0, or CS_ETOOBIG when the work is over the limit */
bool cs_run_enough(const cs_run *r);    /* one more failure would say nothing more */
unsigned cs_json_kind(const json_t *v); /* CS_KIND_*; an integral number is also an integer */

/* schema_unevaluated.c */
int cs_seen_key(cs_run *r, const cs_frame *f, const char *key);
int cs_seen_items(cs_run *r, const cs_frame *f, size_t from, size_t to);

/* schema_error.c: all return 0 (invalid), so that a rule may `return cs_fail(…)`; negative
 * only without memory. */
int cs_fail(cs_run *r, const cs_frame *f, const cs_check *k, const char *fmt, ...) CS_PRINTF(4, 5);
/* "must MUST; is …" */
int cs_fail_must(cs_run *r, const cs_frame *f, const cs_check *k, cs_sort sort, const char *must);
int cs_fail_never(cs_run *r, const cs_frame *f);                                       /* the schema `false` */
int cs_fail_unknown(cs_run *r, const cs_frame *f, const cs_check *k, const char *key); /* a member that may not be */
void cs_faults_drop(cs_run *r, size_t from, size_t to);
char *cs_schema_shown(const json_t *v);                /* malloc'ed, short, safe on one line */
char *cs_schema_cut(const char *s);                    /* the same of text, without quotes */
/* schema_suggest.c: the known member nearest to KEY at this node, or NULL; borrowed. */
const char *cs_schema_suggest(const cs_node *node, const char *key);

/* schema_number.c: exact, whatever mix of 64-bit integers and doubles. */
int cs_number_cmp(const json_t *a, const json_t *b);
bool cs_number_whole(const json_t *v);                 /* 1.0 and 1e308 are */
bool cs_number_multiple(const json_t *v, const json_t *of);
uint64_t cs_number_hash(const json_t *v);

/* schema_format.c: NULL for a name that is not checked. */
typedef struct cs_format {
	const char *name, *what;                           /* what: "a date such as 2026-03-01" */
	bool (*ok)(const char *s, size_t len);
} cs_format;
const cs_format *cs_schema_format(const char *name);
bool cs_format_date(const char *s, size_t len);        /* schema_format_time.c */
bool cs_format_time(const char *s, size_t len);
bool cs_format_date_time(const char *s, size_t len);
bool cs_format_duration(const char *s, size_t len);
bool cs_format_uri(const char *s, size_t len);         /* schema_format_uri.c */
bool cs_format_uri_reference(const char *s, size_t len);
bool cs_format_uri_template(const char *s, size_t len);
bool cs_format_ipv4(const char *s, size_t len);
bool cs_format_ipv6(const char *s, size_t len);
bool cs_format_hostname(const char *s, size_t len);
bool cs_format_email(const char *s, size_t len);

/* -- the rules ---------------------------------------------------------------------------- */
cs_rule_compile cs_compile_ref, cs_compile_dynamic_ref, cs_compile_type, cs_compile_value, cs_compile_enum,
	cs_compile_number, cs_compile_positive, cs_compile_count, cs_compile_pattern, cs_compile_format,
	cs_compile_true, cs_compile_names, cs_compile_name_lists, cs_compile_one, cs_compile_list, cs_compile_map,
	cs_compile_dependencies, cs_compile_patterns, cs_compile_additional, cs_compile_items,
	cs_compile_items_7, cs_compile_additional_items, cs_compile_contains, cs_compile_if;
cs_rule_eval cs_eval_ref, cs_eval_dynamic_ref, cs_eval_type, cs_eval_const, cs_eval_enum, cs_eval_multiple,
	cs_eval_maximum, cs_eval_minimum, cs_eval_above, cs_eval_below, cs_eval_max_length, cs_eval_min_length,
	cs_eval_pattern, cs_eval_format, cs_eval_max_items, cs_eval_min_items, cs_eval_unique,
	cs_eval_max_members, cs_eval_min_members, cs_eval_required, cs_eval_dependent_required,
	cs_eval_dependent, cs_eval_names, cs_eval_properties, cs_eval_patterns, cs_eval_additional,
	cs_eval_prefix, cs_eval_items, cs_eval_contains, cs_eval_all, cs_eval_any, cs_eval_one, cs_eval_not,
	cs_eval_if, cs_eval_unevaluated_items, cs_eval_unevaluated_members;

#endif
