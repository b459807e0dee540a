/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `call` may name beside the workspace's own, on the real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/support/ledger.h"
#include "tests/support/acts.h"

#define FLOW(use, body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'use':{" use "},'do':[" body "]}"

static int set_up(void **state)
{
	(void)world_for(state, NULL);
	return 0;
}

static int set_up_live(void **state)
{
	world *w = world_for(state, "workspace: test\nmode: live\napprovals: { grace: PT0S }\n");
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "live")));
	return 0;
}

/* Runs FLOW with INPUT to its end; the data of its last event. */
static json_t *end_of(world *w, const char *flow, const char *input, char **ret_run)
{
	CS_AUTOJSON json_t *doc = world_json(flow);
	char *run = world_run(w, NULL, doc, world_json(input));
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	json_t *data = world_event(w, run, strcmp(cs_json_str(row, "state"), "completed") == 0 ? "run.completed" : "run.faulted");
	if (ret_run != NULL)
		*ret_run = run;
	else
		free(run);
	return data;
}

static void gives(world *w, const char *flow, const char *input, const char *output)
{
	CS_AUTOJSON json_t *data = end_of(w, flow, input, NULL);
	CS_AUTOJSON json_t *want = world_json(output);
	CS_AUTOFREE char *text = cs_json_text(data);
	if (!cs_json_equal(json_object_get(data, "output"), want))
		fail_msg("ended with %s", text);
}

/* ---- functions ------------------------------------------------------------------------------------------- */

#define ADD "'functions':{'add':{'input':{'schema':{'document':{'type':'object','required':['a','b']," \
	"'properties':{'a':{'type':'integer'},'b':{'type':'integer'}}}}},'set':{'sum':'${ .a + .b }'}}}"

static void test_a_function_gets_with_as_its_input_and_gives_its_output(void **state)
{
	world_start(*state);
	gives(*state, FLOW(ADD, "{'x':{'call':'add','with':{'a':'${ .n }','b':2},'output':{'as':'{got: .sum}'}}}"), "{'n':1}", "{'got':3}");
	gives(*state, FLOW(ADD, "{'l':{'for':{'in':'.l'},'do':[{'x':{'call':'add','with':{'a':'${ $item }','b':'${ $index }'}}}]}}"),
	      "{'l':[5,6,7]}", "{'sum':9}");
	world_verify(*state);
}

static void test_a_function_checks_what_it_is_given(void **state)
{
	world_start(*state);
	CS_AUTOJSON json_t *data = end_of(*state, FLOW(ADD, "{'x':{'call':'add','with':{'a':1}}}"), "{}", NULL);
	const json_t *error = json_object_get(data, "error");
	assert_non_null(strstr(cs_json_str(error, "type"), "/validation"));
	assert_string_equal(cs_json_str(error, "instance"), "/do/0/x/call/add");
	gives(*state, FLOW(ADD, "{'t':{'try':[{'x':{'call':'add','with':{'a':1}}}],'catch':{'do':[{'h':{'set':{'caught':true}}}]}}}"),
	      "{}", "{'caught':true}");
	world_verify(*state);
}

static void test_functions_call_functions_and_end_only_themselves(void **state)
{
	world_start(*state);
	gives(*state,
	      FLOW("'functions':{'twice':{'do':[{'one':{'call':'inc','with':{'n':'${ .n }'}}},{'two':{'call':'inc','with':{'n':'${ .n }'},'then':'exit'}},"
		   "{'never':{'set':{'n':'0'}}}]},'inc':{'set':{'n':'${ .n + 1 }'}}}",
		   "{'a':{'call':'twice','with':{'n':'${ .n }'}}},{'b':{'call':'twice','with':{'n':'${ .n }'}}}"),
	      "{'n':1}", "{'n':5}");
	world_verify(*state);
}

static void test_a_function_of_a_catalog_is_kept_as_it_was_over_a_restart(void **state)
{
	world *w = *state;
	world_file(w, "lib/functions/greet/1.0.0/function.yaml",
		   "do:\n  - pause: { wait: { milliseconds: 300 } }\n  - say: { set: { text: '${ \"Hello \\(.who)\" }' } }\n");
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("'catalogs':{'team':{'endpoint':'file://./lib'}}",
						  "{'g':{'call':'greet:1.0.0@team','with':{'who':'${ .name }'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, world_json("{'name':'Ada'}"));
	world_file(w, "lib/functions/greet/1.0.0/function.yaml", "set: { text: changed }\n");
	world_stop(w);
	world_start(w);
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *data = world_event(w, run, "run.completed");
	assert_string_equal(cs_json_str(json_object_get(data, "output"), "text"), "Hello Ada");
	world_verify(w);
}

static void test_the_default_catalog_is_the_workspaces_own(void **state)
{
	world *w = *state;
	world_file(w, "catalog/functions/greet/1.0.0/function.yaml", "set: { text: '${ \"Hello \\(.who)\" }' }\n");
	world_file(w, "lib/functions/greet/1.0.0/function.yaml", "set: { text: other }\n");
	world_start(w);
	gives(w, FLOW("", "{'g':{'call':'greet:1.0.0@default','with':{'who':'${ .name }'}}}"), "{'name':'Ada'}", "{'text':'Hello Ada'}");
	gives(w, FLOW("'catalogs':{'default':{'endpoint':'file://./lib'}}", "{'g':{'call':'greet:1.0.0@default','with':{}}}"), "{}", "{'text':'other'}");
}

/* ---- authentication ---------------------------------------------------------------------------------------- */

static ledger server;

static int start_server(void **state)
{
	(void)state;
	ledger_start(&server);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	ledger_stop(&server);
	return 0;
}

/* A get of PATH with POLICY at its endpoint. */
static char *get(const char *use, const char *path, const char *policy)
{
	char url[LEDGER_URL_SIZE];
	return cs_xasprintf(FLOW("%s", "{'x':{'call':'http','with':{'method':'get','endpoint':{'uri':'%s','authentication':%s}}}}"),
			    use, ledger_url(&server, path, url), policy);
}

static void sends(world *w, const char *use, const char *policy, const char *header)
{
	CS_AUTOFREE char *flow = get(use, "/head", policy);
	CS_AUTOJSON json_t *data = end_of(w, flow, "{'user':'Aladdin','a':'open ','b':'sesame'}", NULL);
	CS_AUTOFREE char *text = cs_json_text(data);
	if (strstr(text, header) == NULL)
		fail_msg("%s is not in %s", header, text);
}

static void test_basic_and_bearer_are_sent_inline_and_by_reference(void **state)
{
	sends(*state, "", "{'basic':{'username':'${ .user }','password':'${ .a + .b }'}}", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	sends(*state, "", "{'bearer':{'token':'${ .user }'}}", "Authorization: Bearer Aladdin");
	sends(*state, "", "{'bearer':'${ [.user] | map(ascii_downcase) | .[0] }'}", "Authorization: Bearer aladdin");
	sends(*state, "'authentications':{'me':{'basic':{'username':'a','password':123}}}", "'me'", "Authorization: Basic YToxMjM=");
	sends(*state, "'authentications':{'me':{'bearer':{'token':'t'}}}", "{'use':'me'}", "Authorization: Bearer t");
	world_verify(*state);
}

static int count_credential(void *ctx, const cs_event *ev)
{
	CS_AUTOFREE char *text = ev->data != NULL ? cs_json_text(ev->data) : NULL;
	*(int *)ctx += text != NULL && (strstr(text, "opensesame") != NULL || strstr(text, "b3BlbnNlc2FtZQ") != NULL);
	return 0;
}

static void test_a_credential_is_in_no_event_and_no_digest(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *flow = get("", "/plain", "{'bearer':{'token':'${ .a + .b }'}}");
	CS_AUTOFREE char *run = NULL, *other = NULL;
	json_decref(end_of(w, flow, "{'a':'open','b':'sesame'}", &run));
	json_decref(end_of(w, flow, "{'a':'open','b':'barley'}", &other));
	CS_AUTOJSON json_t *first = world_event(w, run, "attempt.intent"), *second = world_event(w, other, "attempt.intent");
	assert_string_equal(cs_json_str(first, "digest"), cs_json_str(second, "digest"));
	CS_AUTOJSON json_t *done = world_event(w, run, "attempt.done");
	assert_string_equal(cs_json_str(json_object_get(json_object_get(json_object_get(done, "record"), "request"), "headers"), "Authorization"), "•••");
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", w->dir, CS_STATE_DIR);
	cs_reader *r = NULL;
	int seen = 0;
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_events(r, run, 0, INT64_MAX, count_credential, &seen, NULL), CS_OK);
	cs_reader_close(r);
	assert_int_equal(seen, 0);
}

static void faults_with(world *w, const char *policy, const char *type, const char *words)
{
	CS_AUTOFREE char *flow = get("", "/never", policy);
	CS_AUTOJSON json_t *data = end_of(w, flow, "{'a':'open sesame'}", NULL);
	const json_t *error = json_object_get(data, "error");
	CS_AUTOFREE char *text = cs_json_text(data);
	if (strstr(cs_json_str_or(error, "type", ""), type) == NULL || strstr(cs_json_str_or(error, "detail", ""), words) == NULL ||
	    strstr(cs_json_str_or(error, "detail", ""), "sesame") != NULL)
		fail_msg("ended with %s", text);
}

static void test_what_cannot_authenticate_sends_nothing_and_says_why(void **state)
{
	world *w = *state;
	faults_with(w, "{'oauth2':{'authority':'http://keycloak/realms/r','grant':'client_credentials','client':{'id':'a','secret':'b'}}}",
		    "/configuration", "authentication by oauth2 is not in this version");
	faults_with(w, "{'bearer':{'token':'${ .a | tonumber }'}}", "/expression", "its expression failed");
	faults_with(w, "{'basic':{'username':'a:b','password':'${ .a }'}}", "/expression", "cannot hold ':'");
	faults_with(w, "{'bearer':{'token':'${ .none }'}}", "/expression", "the token must be a text");
	assert_int_equal(ledger_count(&server, "/never"), 0);
}

/* ---- run --------------------------------------------------------------------------------------------------- */

static int set_up_allowed(void **state)
{
	world *w = world_for(state, "workspace: test\nmode: live\napprovals: { grace: PT0S }\n");
	world_file(w, "policies/p.yaml", "policy: p\nrules: [ { when: { call: 'run.*' }, then: allow } ]\n");
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "live")));
	return 0;
}

static void test_a_shell_gets_arguments_input_and_environment(void **state)
{
	world *w = *state;
	gives(w, FLOW("", "{'x':{'run':{'shell':{'command':'cat; echo $1-$2-$FOO; pwd >&2','stdin':'${ .in }','arguments':['${ .a }',2],"
			  "'environment':{'FOO':'bar'}}},'output':{'as':'{o: .}'}}}"), "{'in':'text ','a':'one'}", "{'o':'text one-2-bar\\n'}");
	gives(w, FLOW("", "{'x':{'run':{'shell':{'command':'echo out; echo err >&2; exit 3'},'return':'all'}}}"), "{}",
	      "{'code':3,'stdout':'out\\n','stderr':'err\\n'}");
	gives(w, FLOW("", "{'x':{'run':{'shell':{'command':'exit 4'},'return':'code'}}}"), "{}", "4");
	gives(w, FLOW("", "{'x':{'run':{'shell':{'command':'echo err >&2'},'return':'stderr'}}}"), "{}", "'err\\n'");
	gives(w, FLOW("", "{'x':{'run':{'shell':{'command':'echo no'},'return':'none'}}}"), "{}", "null");
	CS_AUTOJSON json_t *data = end_of(w, FLOW("", "{'x':{'run':{'shell':{'command':'echo sad >&2; exit 1'}}}}"), "{}", NULL);
	assert_non_null(strstr(cs_json_str(json_object_get(data, "error"), "detail"), "status 1\nsad"));
	world_verify(w);
}

/* What is not installed is a configuration error that names it. */
static void test_scripts_run_where_their_interpreter_is(void **state)
{
	static const struct {
		const char *language, *code;
	} rows[] = {
		{ "js", "import { readFileSync } from 'node:fs'; const [_, __, a] = process.argv; console.log(a + readFileSync(0, 'utf8') + process.env.FOO)" },
		{ "python", "import sys, os\nprint(sys.argv[1] + sys.stdin.read() + os.environ['FOO'])" },
	};
	for (size_t i = 0; i < 2; i++) {
		CS_AUTOJSON json_t *doc = world_json(FLOW("", "{'x':{'run':{'script':{'language':'l','code':'c','stdin':'-in-','arguments':['arg'],'environment':{'FOO':'bar'}}}}}"));
		json_t *script = json_object_get(json_object_get(json_object_get(json_array_get(json_object_get(doc, "do"), 0), "x"), "run"), "script");
		json_object_set_new(script, "language", json_string(rows[i].language));
		json_object_set_new(script, "code", json_string(rows[i].code));
		CS_AUTOFREE char *run = world_run(*state, NULL, doc, json_object());
		CS_AUTOJSON json_t *row = world_await(*state, run, "completed faulted");
		bool completed = strcmp(cs_json_str(row, "state"), "completed") == 0;
		CS_AUTOJSON json_t *data = world_event(*state, run, completed ? "run.completed" : "run.faulted");
		CS_AUTOFREE char *text = cs_json_text(data);
		if (strstr(text, completed ? "\"arg-in-bar\\n\"" : "/configuration") == NULL)
			fail_msg("%s ended with %s", rows[i].language, text);
	}
}

static json_t *script(const char *language, const char *rest)
{
	CS_AUTOFREE char *text = cs_xasprintf(FLOW("", "{'x':{'run':{'script':{'language':'%s',%s}}}}"), language, rest);
	return world_json(text);
}

static void gives_or_is_not_there(world *w, json_t *doc, const char *want)
{
	CS_AUTOJSON json_t *owned = doc;
	CS_AUTOFREE char *run = world_run(w, NULL, owned, world_json("{'n':[1,true,null,'é\\\\\\'']}"));
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	bool completed = strcmp(cs_json_str(row, "state"), "completed") == 0;
	CS_AUTOJSON json_t *data = world_event(w, run, completed ? "run.completed" : "run.faulted");
	CS_AUTOFREE char *text = cs_json_text(data);
	if (strstr(text, completed ? want : "/configuration") == NULL)
		fail_msg("ended with %s", text);
}

static void test_arguments_by_name_are_variables_of_a_script_and_pairs_of_a_command(void **state)
{
	world *w = *state;
	gives(w, FLOW("", "{'x':{'run':{'shell':{'command':'echo $1 $2 $3','arguments':{'--b':'${ .a }','--a':2,'c':null}}}}}"), "{'a':'one'}", "'--a=2 --b=one c\\n'");
	gives_or_is_not_there(w, script("js", "'code':'console.log(word, n[0], n[1], n[2], n[3])','arguments':{'word':'hi','n':'${ .n }'}"), "\"hi 1 true null é");
	gives_or_is_not_there(w, script("python", "'code':'print(word, n[0], n[1], n[2], n[3])','arguments':{'word':'hi','n':'${ .n }'}"), "\"hi 1 True None é");
	CS_AUTOJSON json_t *data = end_of(w, FLOW("", "{'x':{'run':{'script':{'language':'python','code':'print(1)','arguments':'${ .args }'}}}}"),
					  "{'args':{'a=print(2);b':1}}", NULL);
	assert_non_null(strstr(cs_json_str(json_object_get(data, "error"), "detail"), "cannot be the name of a script's variable"));
	world_verify(w);
}

static void test_a_script_from_a_file_is_kept_as_it_was(void **state)
{
	world *w = *state;
	world_file(w, "scripts/x.py", "print('first')\n");
	world_file(w, "flows/source.yaml", "document: { dsl: '1.0.3', namespace: test, name: source, version: '1.0.0' }\ndo:\n"
		   "  - g: { call: approve, with: { title: Go } }\n  - x: { run: { script: { language: python, source: { endpoint: 'file://./scripts/x.py' } } } }\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	CS_AUTOFREE char *run = world_run(w, "source", NULL, json_object());
	json_decref(world_await(w, run, "waiting"));
	world_file(w, "scripts/x.py", "print('second')\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	world_stop(w);
	world_start(w);
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O}", "verb", "approve", "digest", json_object_get(item, "digest"))));
	json_decref(world_await(w, run, "completed faulted"));
	CS_AUTOJSON json_t *started = world_event(w, run, "task.started");
	const json_t *args = json_object_get(json_object_get(started, "args"), "script");
	assert_string_equal(cs_json_str(args, "code"), "print('first')\n");
	world_file(w, "flows/source.yaml", "document: { dsl: '1.0.3', namespace: test, name: source, version: '1.0.0' }\ndo:\n"
		   "  - x: { run: { script: { language: python, source: { endpoint: 'file:///etc/passwd' } } } }\n");
	CS_AUTOJSON json_t *refused = world_refused(w, json_pack("{s:s}", "cmd", "reload"));
	assert_non_null(strstr(cs_json_str(refused, "message"), "outside of the workspace"));
}

#define CALL(op) "document: { dsl: '1.0.3', namespace: test, name: api, version: '1.0.0' }\ndo:\n  - g: { call: approve, with: { title: Go } }\n" \
	"  - x: { call: openapi, with: { document: { endpoint: 'file://./api.yaml' }, operationId: " op ", parameters: { X-Who: Ada, c: 'a b' } } }\n"

static void write_document(world *w, const char *path)
{
	char url[LEDGER_URL_SIZE];
	CS_AUTOFREE char *text = cs_xasprintf("openapi: 3.1.0\nservers: [ { url: '%s' } ]\npaths:\n  %s:\n    get: { operationId: head, parameters: "
					      "[ { name: X-Who, in: header }, { name: c, in: cookie } ] }\n", ledger_url(&server, "", url), path);
	world_file(w, "api.yaml", text);
}

/* The document is the one that stood there when the run began: what is there later is another server's for all it knows. */
static void test_an_openapi_document_in_a_file_is_kept_and_names_its_server(void **state)
{
	world *w = *state;
	write_document(w, "/head");
	world_file(w, "flows/api.yaml", CALL("head"));
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	CS_AUTOFREE char *run = world_run(w, "api", NULL, json_object());
	json_decref(world_await(w, run, "waiting"));
	write_document(w, "/never");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	world_stop(w);
	world_start(w);
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O}", "verb", "approve", "digest", json_object_get(item, "digest"))));
	json_decref(world_await(w, run, "completed faulted"));
	CS_AUTOJSON json_t *data = world_event(w, run, "run.completed");
	CS_AUTOFREE char *text = cs_json_text(data);
	if (strstr(text, "X-Who: Ada") == NULL || strstr(text, "Cookie: c=a%20b") == NULL)
		fail_msg("%s", text);
	assert_int_equal(ledger_count(&server, "/never"), 0);
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT seq FROM event WHERE data LIKE '%operationId: head, parameters%'");
	assert_int_equal(json_array_size(rows), 0);          /* kept with the definition, and in no event */
	world_verify(w);
	world_file(w, "flows/api.yaml", CALL("had"));
	CS_AUTOJSON json_t *refused = world_refused(w, json_pack("{s:s}", "cmd", "reload"));
	assert_non_null(strstr(cs_json_str(refused, "message"), "has no operation 'had'"));
#undef CALL
}

static void test_a_process_is_of_the_class_that_its_task_says(void **state)
{
	world *w = *state;
	CS_AUTOJSON json_t *doc = world_json(FLOW("", "{'x':{'run':{'shell':{'command':'echo'}},'metadata':{'effect':'read'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, json_object());
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *intent = world_event(w, run, "attempt.intent");
	assert_string_equal(cs_json_str(intent, "class"), "read");
	CS_AUTOJSON json_t *done = world_event(w, run, "attempt.done");
	assert_true(cs_json_true(done, "tainted"));      /* what it read is the outside's word */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_function_gets_with_as_its_input_and_gives_its_output, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_function_checks_what_it_is_given, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_functions_call_functions_and_end_only_themselves, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_function_of_a_catalog_is_kept_as_it_was_over_a_restart, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_the_default_catalog_is_the_workspaces_own, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_basic_and_bearer_are_sent_inline_and_by_reference, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_credential_is_in_no_event_and_no_digest, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_authenticate_sends_nothing_and_says_why, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_shell_gets_arguments_input_and_environment, set_up_allowed, world_tear_down),
		cmocka_unit_test_setup_teardown(test_scripts_run_where_their_interpreter_is, set_up_allowed, world_tear_down),
		cmocka_unit_test_setup_teardown(test_arguments_by_name_are_variables_of_a_script_and_pairs_of_a_command, set_up_allowed, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_script_from_a_file_is_kept_as_it_was, set_up_allowed, world_tear_down),
		cmocka_unit_test_setup_teardown(test_an_openapi_document_in_a_file_is_kept_and_names_its_server, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_process_is_of_the_class_that_its_task_says, set_up_allowed, world_tear_down),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
