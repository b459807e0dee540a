/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemas and values that mean harm: all end soon, and none as "valid". */
#include <pthread.h>
#include <time.h>
#include "tests/flow/schema_help.h"

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* {KEY: {KEY: … {} }} */
static json_t *tower(const char *key, size_t floors)
{
	json_t *v = json_object();

	while (floors-- > 0) {
		json_t *up = json_object();

		json_object_set_new(up, key, v);
		v = up;
	}
	return v;
}

static void deep_schemas_and_values_are_refused(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *deep = tower("not", 5000);
	CS_AUTOJSON json_t *value = tower("a", 5000);
	cs_schema *none = NULL;
	cs_err err = { 0 };

	CS_AUTOJSON json_t *steps = tower("items", 200), *stairs = tower("items", 100);

	assert_int_equal(cs_schema_new(deep, CS_SCHEMA_2020_12, NULL, &none, &err), CS_ETOOBIG);
	assert_int_equal(cs_schema_new(steps, CS_SCHEMA_2020_12, NULL, &none, &err), CS_ETOOBIG);
	assert_int_equal(cs_schema_new(stairs, CS_SCHEMA_2020_12, NULL, &none, &err), 0);
	cs_schema_free(none);
	none = NULL;
	CS_CLEANUP(cs_schema_freep) cs_schema *s = compiled("{'properties':{'a':{'$ref':'#'}}}");
	CS_CLEANUP(cs_schema_freep) cs_schema *unique = compiled("{'items':true,'uniqueItems':true}");
	CS_AUTOJSON json_t *list = json_pack("[O, O]", value, value);

	assert_int_equal(cs_schema_check(s, value, 0, NULL, NULL, &err), CS_ETOOBIG);
	assert_false(cs_schema_valid(s, value));
	assert_int_equal(cs_schema_check(unique, list, 0, NULL, NULL, &err), CS_ETOOBIG);
	/* What the rest of the program lets in is not too deep. */
	CS_AUTOJSON json_t *fair = tower("a", CS_JSON_DEPTH - 1);

	assert_int_equal(cs_schema_check(s, fair, 0, NULL, NULL, &err), 1);
}

/* Twenty-five levels of "both of these", twice the same: 2^25 ways down. */
static void schemas_that_repeat_themselves_are_cut_short(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *defs = json_object();

	for (int i = 0; i < 40; i++) {
		CS_AUTOFREE char *name = cs_xasprintf("d%d", i);
		CS_AUTOFREE char *next = cs_xasprintf("#/$defs/d%d", i + 1);

		json_object_set_new(defs, name, json_pack("{s:[{s:s},{s:s}]}", "allOf", "$ref", next, "$ref", next));
	}
	json_object_set_new(defs, "d40", json_pack("{s:s}", "type", "string"));
	CS_AUTOJSON json_t *v = json_pack("{s:s, s:O}", "$ref", "#/$defs/d0", "$defs", defs);
	CS_AUTOJSON json_t *text = json("'x'");
	CS_CLEANUP(cs_schema_freep) cs_schema *s = NULL;
	cs_err err = { 0 };
	double begun = seconds();

	assert_int_equal(cs_schema_new(v, CS_SCHEMA_2020_12, NULL, &s, &err), 0);
	assert_int_equal(cs_schema_check(s, text, 0, NULL, NULL, &err), CS_ETOOBIG);
	assert_non_null(strstr(err.msg, "steps"));
	assert_true(seconds() - begun < 20);
}

/* One object in many places of itself: small in memory, endless on paper. */
static void schemas_that_share_their_parts_are_cut_short(void **state)
{
	(void)state;
	json_t *part = json("{'type':'string'}");

	for (int i = 0; i < 60; i++)
		part = json_pack("{s:[O,o]}", "allOf", part, part);
	cs_schema *s = NULL;
	cs_err err = { 0 };

	assert_int_equal(cs_schema_new(part, CS_SCHEMA_2020_12, NULL, &s, &err), CS_ETOOBIG);
	assert_null(s);
	json_decref(part);
}

/* Each of many places has a long name above it: the pointers alone would be gigabytes. */
static void schemas_with_long_names_are_cut_short(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *many = json_object();
	CS_AUTOFREE char *name = cs_xcalloc(100001, 1);

	memset(name, 'n', 100000);
	for (int i = 0; i < 20000; i++) {
		CS_AUTOFREE char *key = cs_xasprintf("%d", i);

		json_object_set_new(many, key, json_true());
	}
	CS_AUTOJSON json_t *v = json_pack("{s:{s:{s:O}}}", "properties", name, "properties", many);
	cs_schema *s = NULL;
	cs_err err = { 0 };

	assert_int_equal(cs_schema_new(v, CS_SCHEMA_2020_12, NULL, &s, &err), CS_ETOOBIG);
	assert_null(s);
}

static void dynamic_circles_cannot_be_decided(void **state)
{
	(void)state;
	cs_err err = { 0 };

	assert_int_equal(check("{'$dynamicAnchor':'n','anyOf':[{'$dynamicRef':'#n'}]}", "1", &err), CS_EINVAL);
	assert_non_null(strstr(err.msg, "leads back to itself"));
	/* Going down is no circle. */
	assert_int_equal(check("{'$dynamicAnchor':'n','type':'array','items':{'$dynamicRef':'#n'}}", "[[[]],[]]", &err), 1);
	assert_int_equal(check("{'$dynamicAnchor':'n','type':'array','items':{'$dynamicRef':'#n'}}", "[[[1]],[]]", &err), 0);
}

static void catastrophic_patterns_are_cut_short(void **state)
{
	(void)state;
	const char *text = "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'";
	CS_AUTOFREE char *member = cs_xasprintf("{%s:1}", text);
	cs_err err = { 0 };
	double begun = seconds();

	assert_int_equal(check("{'pattern':'^(([a-z])+.)+[A-Z]([a-z])+$'}", text, &err), CS_ETOOBIG);
	assert_non_null(strstr(err.msg, "write a simpler one"));
	assert_int_equal(check("{'patternProperties':{'^(([a-z])+.)+[A-Z]([a-z])+$':true}}", member, &err), CS_ETOOBIG);
	/* Not even where failing would make it valid. */
	assert_true(check("{'not':{'pattern':'^(([a-z])+.)+[A-Z]([a-z])+$'}}", text, &err) < 0);
	assert_true(seconds() - begun < 20);
}

static void large_values_are_checked_in_time(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *list = json_array(), *object = json_object();
	CS_CLEANUP(cs_schema_freep) cs_schema *unique = compiled("{'uniqueItems':true,'items':{'type':'integer'}}");
	CS_CLEANUP(cs_schema_freep) cs_schema *closed = compiled("{'allOf':[{'patternProperties':{'^k':true}}],'unevaluatedProperties':false}");
	double begun = seconds();

	for (int i = 0; i < 100000; i++) {
		CS_AUTOFREE char *key = cs_xasprintf("k%d", i);

		json_array_append_new(list, json_integer(i));
		json_object_set_new(object, key, json_null());
	}
	assert_true(cs_schema_valid(unique, list));
	assert_true(cs_schema_valid(closed, object));
	json_array_append_new(list, json_real(77));
	json_object_set_new(object, "other", json_null());
	assert_int_equal(cs_schema_check(unique, list, 0, NULL, NULL, NULL), 0);
	assert_int_equal(cs_schema_check(closed, object, 0, NULL, NULL, NULL), 0);
	assert_true(seconds() - begun < 20);
}

/* -- threads ------------------------------------------------------------------------------ */

static const char *const SHARED_VALUES[] = { "{'a':[1,2,3],'b':'xx'}", "{'a':[1,2,'3']}", "{'b':'y'}", "{'c':1}" };

static void *use(void *arg)
{
	const cs_schema *s = arg;
	size_t right = 0;

	for (size_t i = 0; i < 2000; i++) {
		CS_AUTOJSON json_t *v = json(SHARED_VALUES[i % 4]);
		cs_schema_error *errors = NULL;
		size_t n = 0;

		right += cs_schema_check(s, v, 3, &errors, &n, NULL) == (i % 4 == 0);
		cs_schema_errors_free(errors, n);
	}
	return (void *)right;
}

static void several_threads_use_one_schema(void **state)
{
	(void)state;
	CS_CLEANUP(cs_schema_freep) cs_schema *s = compiled("{'properties':{'a':{'items':{'type':'integer'},'uniqueItems':true},"
		"'b':{'anyOf':[{'pattern':'^x'},{'type':'null'}]}},'unevaluatedProperties':false}");
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, s), 0);
	for (size_t i = 0; i < 4; i++) {
		void *right = NULL;

		pthread_join(threads[i], &right);
		assert_int_equal((size_t)right, 2000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_schemas_and_values_are_refused),
		cmocka_unit_test(schemas_that_repeat_themselves_are_cut_short),
		cmocka_unit_test(schemas_that_share_their_parts_are_cut_short),
		cmocka_unit_test(schemas_with_long_names_are_cut_short),
		cmocka_unit_test(dynamic_circles_cannot_be_decided),
		cmocka_unit_test(catastrophic_patterns_are_cut_short),
		cmocka_unit_test(large_values_are_checked_in_time),
		cmocka_unit_test(several_threads_use_one_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
