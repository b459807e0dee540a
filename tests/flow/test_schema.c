/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON Schema without the public suite: what is said to people and where, what a schema may
 * not say, and the answers that are easily wrong. In the tables ' stands for ". */
#include "flow/schema_in.h"
#include "tests/flow/schema_help.h"

/* -- what is said ------------------------------------------------------------------------- */

static const struct {
	const char *schema, *value, *instance, *rule, *message;
} SAID[] = {
	{ "{'enum':['yes','no','ask']}", "'maybe'", "", "/enum", "must be one of yes, no, ask; is \"maybe\"" },
	{ "{'enum':['two words',1,null]}", "2", "", "/enum", "must be one of \"two words\", 1, null; is 2" },
	{ "{'const':3}", "{'a':1}", "", "/const", "must be 3; is an object with a" },
	{ "{'type':'string'}", "[1,2]", "", "/type", "must be text; is a list of 2 items" },
	{ "{'type':['string','array','null']}", "5", "", "/type", "must be text, a list or null; is 5" },
	{ "{'type':'integer'}", "1.5", "", "/type", "must be a whole number; is 1.5" },
	{ "{'properties':{'a':{'items':{'minimum':3}}}}", "{'a':[3,2]}", "/a/1", "/properties/a/items/minimum",
	  "must be at least 3; is 2" },
	{ "{'exclusiveMaximum':10}", "10", "", "/exclusiveMaximum", "must be less than 10; is 10" },
	{ "{'multipleOf':0.1}", "0.25", "", "/multipleOf", "must be a multiple of 0.1; is 0.25" },
	{ "{'minLength':1}", "''", "", "/minLength", "must not be empty" },
	{ "{'maxLength':2}", "'é→😀'", "", "/maxLength", "must have at most 2 characters; has 3" },
	{ "{'pattern':'^a+$'}", "'ab'", "", "/pattern", "must match the pattern ^a+$; is \"ab\"" },
	{ "{'format':'date'}", "'2026-02-30'", "", "/format", "must be a date such as 2026-03-01; is \"2026-02-30\"" },
	{ "{'required':['to','text']}", "{'to':1}", "", "/required", "\"text\" is missing" },
	{ "{'dependentRequired':{'a':['b']}}", "{'a':1}", "", "/dependentRequired", "\"b\" is missing: it goes with \"a\"" },
	{ "{'properties':{'color':true},'additionalProperties':false}", "{'colour':1}", "/colour", "/additionalProperties",
	  "unknown key \"colour\"; did you mean \"color\"?" },
	{ "{'properties':{'mask':true,'task':true},'additionalProperties':false}", "{'bask':1}", "/bask", "/additionalProperties",
	  "unknown key \"bask\"; did you mean \"mask\"?" },
	{ "{'properties':{'color':true},'additionalProperties':false}", "{'size':1}", "/size", "/additionalProperties",
	  "unknown key \"size\"" },
	{ "{'$ref':'#/$defs/b','unevaluatedProperties':false,'$defs':{'b':{'properties':{'count':true}}}}", "{'cuont':1}",
	  "/cuont", "/unevaluatedProperties", "unknown key \"cuont\"; did you mean \"count\"?" },
	{ "{'properties':{'a/b~c':false}}", "{'a/b~c':1}", "/a~1b~0c", "/properties/a~1b~0c", "\"a/b~c\" is not allowed here" },
	{ "{'propertyNames':{'maxLength':1}}", "{'ab':1}", "", "/propertyNames", "the key \"ab\": must have at most 1 character; has 2" },
	{ "{'uniqueItems':true}", "[1,2,1.0]", "", "/uniqueItems", "items must differ; items 1 and 3 are both 1" },
	{ "{'prefixItems':[true],'items':false}", "[1,2]", "", "/items", "must have at most 1 item; has 2" },
	{ "{'contains':{'const':1}}", "[2]", "", "/contains", "must hold at least 1 item of the form the schema asks for; holds 0" },
	{ "{'not':{'required':['a']}}", "{'a':1}", "", "/not", "must not have \"a\"" },
	{ "{'maxProperties':1}", "{'a':1,'b':2}", "", "/maxProperties", "must have at most 1 key; has 2" },
	{ "{'pattern':'^x'}", "'\\u001b[2J\\u202e'", "", "/pattern", "must match the pattern ^x; is \"‹U+001B›[2J‹U+202E›\"" },
	/* Of several forms, the one that was meant. */
	{ "{'anyOf':[{'type':'string'},{'type':'array'}]}", "5", "", "/anyOf", "must be text, or a list; is 5" },
	{ "{'oneOf':[{'type':'string'},{'type':'object','required':['a']}]}", "{}", "", "/oneOf/1/required", "\"a\" is missing" },
	{ "{'oneOf':[{'properties':{'k':{'const':'a'},'n':{'type':'string'}}},{'properties':{'k':{'const':'b'},'n':{'maximum':3}}}]}",
	  "{'k':'b','n':4}", "/n", "/oneOf/1/properties/n/maximum", "must be at most 3; is 4" },
	{ "{'oneOf':[{'properties':{'k':{'const':'a'}}},{'properties':{'k':{'const':'b'}},'required':['n']}]}", "{'k':'b'}", "",
	  "/oneOf/1/required", "\"n\" is missing" },
	{ "{'oneOf':[{'required':['a']},{'required':['b']}]}", "{}", "", "/oneOf",
	  "fits none of the forms it may have: \"a\" is missing; or \"b\" is missing" },
	{ "{'oneOf':[{'minimum':1},{'maximum':9}]}", "5", "", "/oneOf",
	  "fits more than one of the 2 forms it may have; it must be clear which one is meant" },
};

static void says_what_was_expected_and_what_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(SAID); i++) {
		CS_CLEANUP(cs_schema_freep) cs_schema *s = compiled(SAID[i].schema);
		CS_AUTOJSON json_t *v = json(SAID[i].value);
		cs_schema_error *errors = NULL;
		size_t n = 0;

		assert_int_equal(cs_schema_check(s, v, 5, &errors, &n, NULL), 0);
		assert_int_equal(n, 1);
		assert_string_equal(errors[0].message, SAID[i].message);
		assert_string_equal(errors[0].instance, SAID[i].instance);
		assert_string_equal(errors[0].rule, SAID[i].rule);
		cs_schema_errors_free(errors, n);
	}
}

static void gathers_all_errors_up_to_the_maximum(void **state)
{
	(void)state;
	CS_CLEANUP(cs_schema_freep) cs_schema *s = compiled("{'properties':{'a':{'type':'string'}},'required':['x','y'],"
		"'additionalProperties':{'anyOf':[{'type':'null'},{'minimum':9}]}}");
	CS_AUTOJSON json_t *v = json("{'a':1,'b':2,'c':3}");

	for (size_t max = 1; max <= 6; max++) {
		cs_schema_error *errors = NULL;
		size_t n = 0;

		assert_int_equal(cs_schema_check(s, v, max, &errors, &n, NULL), 0);
		assert_int_equal(n, max < 5 ? max : 5);
		cs_schema_errors_free(errors, n);
	}
	CS_AUTOJSON json_t *good = json("{'a':'','x':null,'y':10}");
	cs_schema_error *untouched = (cs_schema_error *)&s;
	size_t n = 77;

	assert_int_equal(cs_schema_check(s, good, 5, &untouched, &n, NULL), 1);
	assert_ptr_equal(untouched, &s);
	assert_int_equal(n, 77);
}

/* -- what a schema may not say ------------------------------------------------------------ */

static const struct {
	const char *schema;
	int code;
	const char *says;
} REFUSED[] = {
	{ "5", CS_EINVAL, "must be a schema" },
	{ "{'type':'text'}", CS_EINVAL, "/type: must be null, boolean" },
	{ "{'properties':{'a':{'minLength':-1}}}", CS_EINVAL, "/properties/a/minLength: must be a whole number, 0 or more" },
	{ "{'required':'a'}", CS_EINVAL, "/required: must be a list of names" },
	{ "{'multipleOf':0}", CS_EINVAL, "/multipleOf: must be a number over 0" },
	{ "{'pattern':'('}", CS_EINVAL, "/pattern: \"(\" is not a regular expression" },
	{ "{'anyOf':[]}", CS_EINVAL, "/anyOf: must be a list of at least one schema" },
	{ "{'items':[{}]}", CS_EINVAL, "/items: must be a schema" },
	{ "{'properties':[]}", CS_EINVAL, "/properties: must be an object of schemas" },
	{ "{'$ref':'#/$defs/x'}", CS_EINVAL, "/$ref: \"#/$defs/x\" leads nowhere" },
	{ "{'$ref':'#nowhere'}", CS_EINVAL, "leads nowhere" },
	{ "{'$ref':'#/%zz'}", CS_EINVAL, "broken % escape" },
	{ "{'$ref':'http://example.com/other.json'}", CS_EINVAL, "\"http://example.com/other.json\" is not here" },
	{ "{'$id':'http://e/#x'}", CS_EINVAL, "/$id: must not have a part after #" },
	{ "{'$defs':{'a':{'$anchor':'n'},'b':{'$anchor':'n'}}}", CS_EINVAL, "\"n\" is taken" },
	{ "{'$schema':'http://json-schema.org/draft-04/schema#'}", CS_EUNSUPPORTED, "draft 2020-12 or draft-07" },
	{ "{'$schema':'http://example.com/mine'}", CS_EUNSUPPORTED, "not known here" },
	/* Circles that never go down into the value. */
	{ "{'$ref':'#'}", CS_EINVAL, "leads back to itself" },
	{ "{'$defs':{'a':{'$ref':'#/$defs/b'},'b':{'anyOf':[{'$ref':'#/$defs/a'}]}}}", CS_EINVAL, "leads back to itself" },
	{ "{'if':true,'then':{'not':{'$ref':'#'}}}", CS_EINVAL, "leads back to itself" },
};

static void refuses_schemas_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(REFUSED); i++) {
		CS_AUTOJSON json_t *v = json(REFUSED[i].schema);
		cs_schema *s = NULL;
		cs_err err = { 0 };

		assert_int_equal(cs_schema_new(v, CS_SCHEMA_2020_12, NULL, &s, &err), REFUSED[i].code);
		assert_null(s);
		if (strstr(err.msg, REFUSED[i].says) == NULL)
			fail_msg("%s: says \"%s\", not \"%s\"", REFUSED[i].schema, err.msg, REFUSED[i].says);
	}
}

static void keeps_its_own_reference_and_gives_it_back(void **state)
{
	(void)state;
	json_t *v = json("{'properties':{'a':{'const':[1]}}}");
	cs_schema *s = NULL;

	assert_int_equal(cs_schema_new(v, CS_SCHEMA_2020_12, NULL, &s, NULL), 0);
	assert_int_equal(v->refcount, 2);
	cs_schema_free(s);
	assert_int_equal(v->refcount, 1);
	json_decref(v);
	cs_schema_free(NULL);
}

/* -- drafts, remotes, formats ------------------------------------------------------------- */

static void obeys_the_draft_the_document_names(void **state)
{
	(void)state;
	/* `items` with a list, and what stands beside a $ref, are draft 7's own. */
	const char *tuple = "{'$schema':'http://json-schema.org/draft-07/schema#','items':[{'type':'string'}],'additionalItems':false}";
	const char *beside = "{'$schema':'http://json-schema.org/draft-07/schema#','properties':{'a':{'$ref':'#/definitions/t','maxLength':1}},"
		"'definitions':{'t':{'type':'string'}}}";

	assert_int_equal(check(tuple, "['a']", NULL), 1);
	assert_int_equal(check(tuple, "['a',1]", NULL), 0);
	assert_int_equal(check(beside, "{'a':'long'}", NULL), 1);
	assert_int_equal(check("{'$ref':'#/$defs/t','maxLength':1,'$defs':{'t':{'type':'string'}}}", "'long'", NULL), 0);
	/* The metaschemas are built in. */
	assert_int_equal(check("{'$ref':'https://json-schema.org/draft/2020-12/schema'}", "{'type':['string','text']}", NULL), 0);
	assert_int_equal(check("{'$ref':'https://json-schema.org/draft/2020-12/schema'}", "{'items':{'items':{'minimum':'1'}}}", NULL), 0);
	assert_int_equal(check("{'$ref':'https://json-schema.org/draft/2020-12/schema'}", "{'items':{'items':{'minimum':1}}}", NULL), 1);
	assert_int_equal(check("{'$ref':'http://json-schema.org/draft-07/schema#'}", "{'dependencies':{'a':[1]}}", NULL), 0);
	assert_int_equal(check("{'$ref':'http://json-schema.org/draft-07/schema#'}", "{'dependencies':{'a':['b']}}", NULL), 1);
}

static int one_remote(void *ctx, const char *uri, json_t **ret, cs_err *err)
{
	size_t *asked = ctx;

	++*asked;
	if (strcmp(uri, "http://example.com/far.json") != 0)
		return cs_err_set(err, CS_EUNAVAIL, "no such far place");
	*ret = json("{'$defs':{'small':{'maximum':3}}}");
	return 0;
}

static void asks_its_loader_once_for_each_document(void **state)
{
	(void)state;
	size_t asked = 0, n = 0;
	const cs_schema_loader loader = { .load = one_remote, .ctx = &asked };
	CS_AUTOJSON json_t *v = json("{'$id':'http://example.com/near.json','items':{'$ref':'far.json#/$defs/small'},'contains':{'$ref':'far.json'}}");
	CS_AUTOJSON json_t *lost = json("{'$ref':'http://example.com/lost.json'}");
	CS_AUTOJSON json_t *value = json("[1,4]");
	CS_CLEANUP(cs_schema_freep) cs_schema *s = NULL;
	cs_schema_error *errors = NULL;
	cs_err err = { 0 };

	assert_int_equal(cs_schema_new(v, CS_SCHEMA_2020_12, &loader, &s, &err), 0);
	assert_int_equal(asked, 1);
	assert_int_equal(cs_schema_check(s, value, 3, &errors, &n, NULL), 0);
	assert_string_equal(errors[0].instance, "/1");
	assert_string_equal(errors[0].rule, "http://example.com/far.json#/$defs/small/maximum");
	cs_schema_errors_free(errors, n);

	cs_schema *none = NULL;

	assert_int_equal(cs_schema_new(lost, CS_SCHEMA_2020_12, &loader, &none, &err), CS_EUNAVAIL);
	assert_string_equal(err.msg, "no such far place");
	assert_null(none);
}

static const struct {
	const char *format;
	const char *good[8], *bad[12];
} FORMATS[] = {
	{ "date-time", { "2026-03-01T09:30:00Z", "2026-03-01t09:30:00.123+05:30", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60.1-08:00" },
	  { "2026-03-01 09:30:00Z", "2026-03-01T09:30:00", "2026-02-29T00:00:00Z", "2026-03-01T24:00:00Z", "1998-12-31T23:58:60Z",
	    "2026-03-01T09:30:00.Z", "2026-03-01T09:30:00+24:00", "2026-03-01T09:30Z" } },
	{ "date", { "2024-02-29", "0001-01-01" }, { "2023-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20260101", "2026-04-31" } },
	{ "time", { "09:30:00Z", "23:59:60Z", "00:29:60+00:30" }, { "09:30:00", "24:00:00Z", "09:60:00Z", "9:30:00Z", "22:59:60Z" } },
	{ "duration", { "P1D", "PT1H30M", "P1Y2M3DT4H5M6S", "P2W", "PT0S" },
	  { "P", "PT", "1D", "P1", "P1H", "PT1D", "P1Y3D", "P1W2D", "PT1H6S", "P2D1Y", "P-1D", "P1.5D" } },
	{ "email", { "a@b.example", "first.last+tag@example.com", "x@[192.0.2.1]", "x@[IPv6:::1]" },
	  { "a", "@b", "a@", ".a@b", "a.@b", "a..b@c", "a b@c", "a@-b", "x@[300.0.0.1]" } },
	{ "hostname", { "example.com", "a", "xn--4gbwdl.xn--wgbh1c", "1host" },
	  { "", "-a", "a-", "a..b", "a_b", "a.", "a b", "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd.e" } },
	{ "ipv4", { "192.0.2.1", "0.0.0.0" }, { "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.0.0.1", "1.2.3.4/8", "" } },
	{ "ipv6", { "::", "2001:db8::1", "::ffff:192.0.2.1" }, { "1::2::3", "12345::", "fe80::1%eth0", "1:2:3:4:5:6:7", ":1", "" } },
	{ "uri", { "https://a.example/b?c=d#e", "urn:isbn:123", "http://u:p@[::1]:80/", "mailto:a@b.example", "x:" },
	  { "/path", "//a/b", "http://a b", "http://a/%zz", "1x:y", "http://a/<b>", "http://[::1", "\\\\\\\\x", "http://a:x/", "a", "" } },
	{ "uri-reference", { "/path", "", "#frag", "//a/b", "a/b:c", "https://a.example/" }, { "a b", "1:b", "\\\\\\\\x\\\\y", "#a#b", "%" } },
	{ "uri-template", { "https://a.example/{id}", "{?a,b*}", "/x{/p:3}", "plain", "{+a.b}" },
	  { "{", "}", "{a", "{}", "{a:0}", "{a:12345}", "{a b}", "a b", "%2", "{a,}", "{.}", "{a**}" } },
	{ "uuid", { "123e4567-e89b-12d3-a456-426614174000", "2EB8AA08-AA98-11EA-B4AA-73B441D16380" },
	  { "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g", "123e4567-e89b-12d3-a456-4266141740000" } },
	{ "json-pointer", { "", "/a/b~0~1", "//" }, { "a", "/~2", "/a~", "#/a" } },
	{ "relative-json-pointer", { "0", "1/a", "2#", "10/" }, { "", "/a", "-1/a", "01/a", "1#x", "a" } },
	{ "regex", { "^a+$", "[0-9]{2}" }, { "(", "[a" } },
	{ "a-format-of-our-own", { "anything" }, { NULL } },
};

static bool has_format(const char *format, const char *text, bool note)
{
	const cs_schema_loader loader = { .format_is_note = note };
	CS_AUTOJSON json_t *v = json_pack("{s:s}", "format", format);
	CS_AUTOFREE char *quoted = cs_xasprintf("'%s'", text);
	CS_AUTOJSON json_t *value = json(quoted);
	CS_CLEANUP(cs_schema_freep) cs_schema *s = NULL;

	assert_int_equal(cs_schema_new(v, CS_SCHEMA_2020_12, &loader, &s, NULL), 0);
	return cs_schema_valid(s, value);
}

static void checks_formats_unless_they_are_notes(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(FORMATS); i++) {
		for (size_t j = 0; j < CS_ARRAY_LEN(FORMATS[i].good) && FORMATS[i].good[j] != NULL; j++)
			if (!has_format(FORMATS[i].format, FORMATS[i].good[j], false))
				fail_msg("%s: %s is one", FORMATS[i].format, FORMATS[i].good[j]);
		for (size_t j = 0; j < CS_ARRAY_LEN(FORMATS[i].bad) && FORMATS[i].bad[j] != NULL; j++) {
			if (has_format(FORMATS[i].format, FORMATS[i].bad[j], false))
				fail_msg("%s: %s is none", FORMATS[i].format, FORMATS[i].bad[j]);
			assert_true(has_format(FORMATS[i].format, FORMATS[i].bad[j], true));
		}
	}
	/* A format speaks of text; and no text is cut short at its NUL. */
	assert_int_equal(check("{'format':'date'}", "20260301", NULL), 1);
	assert_int_equal(check("{'format':'ipv4'}", "'192.0.2.1\\u0000x'", NULL), 0);
	assert_int_equal(check("{'format':'email'}", "'a@b\\u0000@c'", NULL), 0);
	assert_int_equal(check("{'format':'uri'}", "'http://a\\u0000 b'", NULL), 0);
}

/* -- numbers ------------------------------------------------------------------------------ */

static const struct {
	const char *schema, *value;
	int valid;
} NUMBERS[] = {
	{ "{'const':1}", "1.0", 1 },
	{ "{'const':0}", "false", 0 },
	{ "{'const':false}", "0", 0 },
	{ "{'const':[0]}", "[false]", 0 },
	{ "{'enum':[{'a':1}]}", "{'a':1.0}", 1 },
	{ "{'type':'integer'}", "1.0", 1 },
	{ "{'type':'integer'}", "1e308", 1 },
	{ "{'uniqueItems':true}", "[1,true,'1',[1],{'1':1}]", 1 },
	{ "{'uniqueItems':true}", "[{'a':1,'b':[2]},{'b':[2.0],'a':1}]", 0 },
	{ "{'uniqueItems':true}", "[9007199254740993,9007199254740992]", 1 },
	/* 2^53 + 1 is not 2^53, though doubles cannot tell. */
	{ "{'maximum':9007199254740992}", "9007199254740993", 0 },
	{ "{'maximum':9007199254740992.0}", "9007199254740993", 0 },
	{ "{'exclusiveMinimum':9007199254740992.0}", "9007199254740993", 1 },
	{ "{'maximum':9223372036854775807}", "9.3e18", 0 },
	{ "{'minimum':-9223372036854775808}", "-1e300", 0 },
	{ "{'minimum':1.5}", "1", 0 },
	{ "{'multipleOf':0.01}", "4.02", 1 },
	{ "{'multipleOf':0.01}", "4.025", 0 },
	{ "{'multipleOf':0.0001}", "0.0075", 1 },
	{ "{'multipleOf':0.3}", "0.9", 1 },
	{ "{'multipleOf':1e-8}", "12391239123", 1 },
	{ "{'multipleOf':0.123456789}", "1e308", 0 },
	{ "{'multipleOf':10}", "1e300", 1 },
	{ "{'multipleOf':3}", "9223372036854775807", 0 },
	{ "{'multipleOf':7}", "-9223372036854775807", 1 },
	{ "{'multipleOf':1e-300}", "5e-324", 0 },
	{ "{'multipleOf':2.5}", "0", 1 },
	{ "{'maxLength':2.0}", "'abc'", 0 },
	{ "{'maxLength':1e300}", "'abc'", 1 },
};

static void compares_and_divides_numbers_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(NUMBERS); i++)
		if (check(NUMBERS[i].schema, NUMBERS[i].value, NULL) != NUMBERS[i].valid)
			fail_msg("%s of %s should be %d", NUMBERS[i].schema, NUMBERS[i].value, NUMBERS[i].valid);
}

/* -- what subschemas have seen ------------------------------------------------------------ */

static const struct {
	const char *schema, *value;
	int valid;
} SEEN[] = {
	/* A form that does not fit has seen nothing … */
	{ "{'anyOf':[{'properties':{'a':true},'required':['z']},{'properties':{'b':true}}],'unevaluatedProperties':false}", "{'b':1}", 1 },
	{ "{'anyOf':[{'properties':{'a':true},'required':['z']},{'properties':{'b':true}}],'unevaluatedProperties':false}", "{'a':1}", 0 },
	{ "{'not':{'not':{'properties':{'a':true}}},'unevaluatedProperties':false}", "{'a':1}", 0 },
	/* … each that does counts, not only the first … */
	{ "{'anyOf':[{'properties':{'a':true}},{'properties':{'b':true}}],'unevaluatedProperties':false}", "{'a':1,'b':1}", 1 },
	/* … a neighbour's subschema does not … */
	{ "{'allOf':[{'properties':{'a':true}},{'unevaluatedProperties':false}]}", "{'a':1}", 0 },
	/* … nor does what was seen of the value of a member. */
	{ "{'properties':{'a':{'properties':{'b':true}}},'unevaluatedProperties':false}", "{'a':{'b':1},'b':1}", 0 },
	{ "{'if':{'properties':{'a':{'const':1}},'required':['a']},'then':{'properties':{'b':true}},'unevaluatedProperties':false}",
	  "{'a':1,'b':2}", 1 },
	{ "{'if':{'properties':{'a':{'const':1}},'required':['a']},'then':{'properties':{'b':true}},'unevaluatedProperties':false}",
	  "{'a':2}", 0 },
	{ "{'allOf':[{'prefixItems':[true]},{'contains':{'const':3}}],'unevaluatedItems':{'type':'string'}}", "[1,'x',3]", 1 },
	{ "{'allOf':[{'prefixItems':[true]},{'contains':{'const':3}}],'unevaluatedItems':{'type':'string'}}", "[1,2,3]", 0 },
	{ "{'$id':'http://e/s','$defs':{'closed':{'$dynamicAnchor':'n','properties':{'a':true},'unevaluatedProperties':false},"
	  "'list':{'$id':'list','items':{'$dynamicRef':'#n'},'$defs':{'any':{'$dynamicAnchor':'n'}}}},'$ref':'list'}", "[{'b':1}]", 0 },
	/* Two different values of one hash differ still. */
	{ "{'uniqueItems':true}", "[true,-4750120753280704516]", 1 },
};

static void unevaluated_members_are_those_nobody_has_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(SEEN); i++)
		if (check(SEEN[i].schema, SEEN[i].value, NULL) != SEEN[i].valid)
			fail_msg("%s of %s should be %d", SEEN[i].schema, SEEN[i].value, SEEN[i].valid);
}

/* RFC 3986, section 5.4, against http://a/b/c/d;p?q; without fragments. */
static const char *const RESOLVED[][2] = {
	{ "g:h", "g:h" }, { "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" }, { "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" },
	{ "//g", "http://g" }, { "?y", "http://a/b/c/d;p?y" }, { "g?y", "http://a/b/c/g?y" }, { "#s", "http://a/b/c/d;p?q" },
	{ "g#s", "http://a/b/c/g" }, { ";x", "http://a/b/c/;x" }, { "", "http://a/b/c/d;p?q" }, { ".", "http://a/b/c/" },
	{ "./", "http://a/b/c/" }, { "..", "http://a/b/" }, { "../", "http://a/b/" }, { "../g", "http://a/b/g" }, { "../..", "http://a/" },
	{ "../../", "http://a/" }, { "../../g", "http://a/g" }, { "../../../g", "http://a/g" }, { "../../../../g", "http://a/g" },
	{ "/./g", "http://a/g" }, { "/../g", "http://a/g" }, { "g.", "http://a/b/c/g." }, { ".g", "http://a/b/c/.g" },
	{ "g..", "http://a/b/c/g.." }, { "..g", "http://a/b/c/..g" }, { "./../g", "http://a/b/g" }, { "./g/.", "http://a/b/c/g/" },
	{ "g/./h", "http://a/b/c/g/h" }, { "g/../h", "http://a/b/c/h" }, { "g;x=1/../y", "http://a/b/c/y" },
	{ "g?y/./x", "http://a/b/c/g?y/./x" },
};

static void references_resolve_as_the_rfc_shows(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(RESOLVED); i++) {
		CS_AUTOFREE char *uri = cs_uri_resolve("http://a/b/c/d;p?q", RESOLVED[i][0]);

		assert_string_equal(uri, RESOLVED[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_was_expected_and_what_is_there),
		cmocka_unit_test(gathers_all_errors_up_to_the_maximum),
		cmocka_unit_test(refuses_schemas_that_cannot_be),
		cmocka_unit_test(keeps_its_own_reference_and_gives_it_back),
		cmocka_unit_test(obeys_the_draft_the_document_names),
		cmocka_unit_test(asks_its_loader_once_for_each_document),
		cmocka_unit_test(checks_formats_unless_they_are_notes),
		cmocka_unit_test(compares_and_divides_numbers_exactly),
		cmocka_unit_test(unevaluated_members_are_those_nobody_has_seen),
		cmocka_unit_test(references_resolve_as_the_rfc_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
