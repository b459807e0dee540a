/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conformance kit's scenarios and our own on the real engine, each once as it is and once with
 * the engine killed wherever it rests. What calls a host outside reaches a stand-in of ours. The kit
 * is at $CAPSTAN_OPENWORKFLOW, else beside the checkout; ours is in tests/ctk/features. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/ctk/gherkin.h"
#include "tests/ctk/kit.h"
#include "tests/ctk/steps.h"
#include "tests/data.h"

enum { FEATURES_MAX = 64, SCENARIOS_MAX = 512, OFFLINE = 12, ONLINE = 9 };

/* What one test plays. */
struct turn {
	const scenario *s;
	bool killed;
};

static feature features[FEATURES_MAX];
static size_t n_features, n_public;
static struct turn turns[SCENARIOS_MAX];
static struct CMUnitTest tests[SCENARIOS_MAX];
static size_t n_tests;

static void test_scenario(void **state)
{
	const struct turn *t = *state;
	scenario_play(t->s, t->killed ? DEATHS_AT_WORK : DEATHS_NONE);
}

/* The kit is whole: what stays here and what calls outside are as many as they should be. */
static void test_the_kit_has_its_21_scenarios(void **state)
{
	(void)state;
	size_t offline = 0, online = 0;
	for (size_t i = 0; i < n_public; i++)
		for (size_t k = 0; k < features[i].n; k++)
			*(scenario_host(&features[i].scenarios[k]) != NULL ? &online : &offline) += 1;
	assert_int_equal(offline, OFFLINE);
	assert_int_equal(online, ONLINE);
}

static void add(const scenario *s, bool killed)
{
	if (n_tests == SCENARIOS_MAX) {
		fprintf(stderr, "more than %d scenarios\n", SCENARIOS_MAX);
		exit(1);
	}
	turns[n_tests] = (struct turn){ s, killed };
	char *name = cs_xasprintf("%s: %s%s", s->feature, s->name, killed ? ", killed at every rest" : "");
	tests[n_tests] = (struct CMUnitTest){ .name = name, .test_func = test_scenario, .initial_state = &turns[n_tests] };
	n_tests++;
}

static void read_feature(const char *dir, const char *name)
{
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOBUF cs_buf text;
	cs_err err = { 0 };
	cs_buf_init(&text, (size_t)1 << 20);
	feature *f = &features[n_features];
	if (n_features == FEATURES_MAX || cs_file_read(path, &text, &err) != CS_OK ||
	    feature_parse(path, cs_buf_str(&text), f, &err) != CS_OK) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	n_features++;
	for (size_t i = 0; i < f->n; i++) {
		add(&f->scenarios[i], false);
		add(&f->scenarios[i], true);
	}
}

/* The number of feature files in DIR. */
static size_t read_features(const char *dir)
{
	CS_CLEANUP(cs_strv_freep) char **names = NULL;
	cs_err err = { 0 };
	size_t n = 0;
	if (cs_dir_list(dir, ".feature", &names, &err) == CS_OK)
		for (; names[n] != NULL; n++)
			read_feature(dir, names[n]);
	return n;
}

static void skip_public(void **state)
{
	(void)state;
	print_message("skipped: the public conformance kit is not there; name its folder in CAPSTAN_OPENWORKFLOW\n");
	skip();
}

static void read_kits(void)
{
	CS_AUTOFREE char *dir = data_path("openworkflow", "ctk"), *own = kit_path("features");
	n_public = read_features(dir);
	tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_the_kit_has_its_21_scenarios);
	if (n_public == 0)
		tests[n_tests - 1] = (struct CMUnitTest)cmocka_unit_test(skip_public);
	if (read_features(own) == 0) {
		fprintf(stderr, "our own kit is not in %s\n", own);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int status = 0;
	if (kit_is_engine(argc, argv, &status))
		return status;
	read_kits();
	int failed = kit_run("conformance", tests, n_tests, argc > 1 ? argv[1] : NULL);
	for (size_t i = 0; i < n_tests; i++)
		if (tests[i].initial_state != NULL)
			free((char *)(uintptr_t)tests[i].name);
	for (size_t i = 0; i < n_features; i++)
		feature_free(&features[i]);
	return failed;
}
