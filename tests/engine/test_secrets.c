/* SPDX-License-Identifier: GPL-3.0-or-later */
/* I14 on the real engine: what the vault holds goes out where it is granted, and is nowhere else, whatever
 * the other side says back. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "tests/support/ledger.h"
#include "tests/support/world.h"
#include "vault/vault.h"

#define CANARY "C4n@ry+s3cret/9=z"
#define CANARY_PERCENT "C4n%40ry%2Bs3cret%2F9%3Dz"
#define USE "'use':{'secrets':['token','login']},"
#define FLOW(more, body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'}," more "'do':[" body "]}"

static ledger server;

typedef struct place {
	world w;
	char key_file[80], aside[88];
} place;

/* A live workspace whose vault opens by a key file. */
static int set_up(void **state)
{
	place *p = calloc(1, sizeof *p);
	world_new(&p->w, "workspace: test\nmode: live\napprovals: { grace: PT0S }\n");
	world_file(&p->w, "policies/p.yaml", "policy: p\nrules: [ { when: { effect: unsafe }, then: allow } ]\n");
	snprintf(p->key_file, sizeof p->key_file, "%s.key", p->w.dir);
	snprintf(p->aside, sizeof p->aside, "%s.aside", p->w.dir);
	CS_AUTOFREE char *dir = cs_path_join(p->w.dir, CS_STATE_DIR);
	assert_int_equal(cs_mkdir_p(dir, 0700, NULL), CS_OK);
	CS_CLEANUP(cs_vault_freep) cs_vault *v = cs_vault_new(dir);
	static const char login[] = "{\"username\":\"ada\",\"password\":\"" CANARY "\"}";
	assert_int_equal(cs_vault_create_with_file(v, p->key_file, NULL), CS_OK);
	assert_int_equal(cs_vault_set(v, "token", CANARY, strlen(CANARY), 1, NULL), CS_OK);
	assert_int_equal(cs_vault_set(v, "login", login, strlen(login), 1, NULL), CS_OK);
	*state = p;
	return 0;
}

static void go_live(place *p)
{
	world_start(&p->w);
	json_decref(world_ask(&p->w, json_pack("{s:s}", "cmd", "live")));
}

static int tear_down(void **state)
{
	place *p = *state;
	world_free(&p->w);
	unlink(p->key_file);
	unlink(p->aside);
	free(p);
	return 0;
}

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

/* ---- what is looked for ---- */

/* Every form of the canary, made here anew: the masks are not asked. */
static size_t forms(char *out[16])
{
	size_t n = 0;
	const size_t len = strlen(CANARY);
	out[n++] = cs_xstrdup(CANARY);
	out[n++] = cs_xstrdup(CANARY_PERCENT);
	out[n++] = cs_xcalloc(2 * len + 1, 1);
	cs_hex((const uint8_t *)CANARY, len, out[n - 1]);
	out[n] = cs_xstrdup(out[n - 1]);
	for (char *c = out[n]; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 32 : *c);
	n++;
	for (size_t before = 0; before < 3; before++) {
		CS_AUTOFREE char *text = cs_xasprintf("%.*s%s", (int)before, "xx", CANARY);
		CS_AUTOFREE char *base64 = cs_base64(text, before + len);
		out[n++] = cs_xstrndup(base64 + 4, 16);          /* from its second byte on, in any company */
	}
	return n;
}

static void holds_no_canary(const char *what, const char *bytes, size_t n)
{
	char *all[16];
	size_t count = forms(all);
	for (size_t i = 0; i < count; i++) {
		if (memmem(bytes, n, all[i], strlen(all[i])))
			fail_msg("%s holds %s", what, all[i]);
		free(all[i]);
	}
}

static void folder_holds_no_canary(const char *dir)
{
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		CS_AUTOFREE char *path = cs_path_join(dir, e->d_name);
		CS_AUTOBUF cs_buf bytes;
		cs_buf_init(&bytes, 64 << 20);
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			folder_holds_no_canary(path);
		else if (e->d_type == DT_REG && cs_file_read(path, &bytes, NULL) == CS_OK)
			holds_no_canary(path, cs_buf_str(&bytes), bytes.len);
	}
	closedir(d);
}

/* The database, its log ahead, the vault, whatever else there is: while it is open, and after. */
static void state_holds_no_canary(place *p)
{
	CS_AUTOFREE char *dir = cs_path_join(p->w.dir, CS_STATE_DIR);
	folder_holds_no_canary(dir);
	world_verify(&p->w);
	world_stop(&p->w);
	folder_holds_no_canary(dir);
}

/* ---- running ---- */

static json_t *end_of(place *p, const char *flow, const char *input)
{
	CS_AUTOJSON json_t *doc = world_json(flow);
	CS_AUTOFREE char *run = world_run(&p->w, NULL, doc, world_json(input));
	CS_AUTOJSON json_t *row = world_await(&p->w, run, "completed faulted");
	return world_event(&p->w, run, strcmp(cs_json_str(row, "state"), "completed") == 0 ? "run.completed" : "run.faulted");
}

static void completes(place *p, const char *flow, const char *words)
{
	CS_AUTOJSON json_t *data = end_of(p, flow, "{}");
	CS_AUTOFREE char *text = cs_json_text(data);
	if (!json_object_get(data, "output") || !strstr(text, words))
		fail_msg("%s is not in %s", words, text);
	holds_no_canary("the output", text, strlen(text));
}

static void faults(place *p, const char *flow, const char *type, const char *words)
{
	CS_AUTOJSON json_t *data = end_of(p, flow, "{}");
	const json_t *error = json_object_get(data, "error");
	CS_AUTOFREE char *text = cs_json_text(data);
	if (!strstr(cs_json_str_or(error, "type", ""), type) || !strstr(cs_json_str_or(error, "detail", ""), words))
		fail_msg("ended with %s", text);
	holds_no_canary("the error", text, strlen(text));
}

/* The last entry whose path begins with PREFIX. New reference. */
static json_t *last_sent(const char *prefix)
{
	CS_AUTOJSON json_t *all = ledger_entries(&server);
	for (size_t i = json_array_size(all); i-- > 0;)
		if (strncmp(cs_json_str_or(json_array_get(all, i), "path", ""), prefix, strlen(prefix)) == 0)
			return json_incref(json_array_get(all, i));
	fail_msg("nothing was sent to %s", prefix);
	return NULL;
}

static void was_sent(const char *prefix, const char *member, const char *value)
{
	char digest[CS_HEX_SIZE];
	CS_AUTOJSON json_t *entry = last_sent(prefix);
	cs_hash_hex(value, strlen(value), digest);
	if (strcmp(cs_json_str_or(entry, member, ""), digest) != 0)
		fail_msg("the %s that came to %s was not %s", member, prefix, value);
}

static char *post(const char *use, const char *path, const char *more)
{
	char url[LEDGER_URL_SIZE];
	return cs_xasprintf(FLOW("%s", "{'x':{'call':'http','with':{'method':'post','endpoint':%s%s%s%s}}}"), use,
			    more[0] == '!' ? "{'uri':'" : "'", ledger_url(&server, path, url), more[0] == '!' ? "'," : "',", more + (more[0] == '!'));
}

/* ---- where it goes ---- */

static void test_a_request_carries_secrets_and_the_echo_of_it_is_masked(void **state)
{
	place *p = *state;
	go_live(p);
	CS_AUTOFREE char *flow = post(USE, "/echo", "'query':{'q':'${ $secrets.token }'},'headers':{'X-Token':'${ \\\"t \\\\($secrets.token)\\\" }'},"
				      "'body':{'list':['${ $secrets.token }'],'user':'${ $secrets.login.username }'},'output':'response'");
	completes(p, flow, "•••");
	was_sent("/echo?q=" CANARY_PERCENT, "token", "t " CANARY);
	was_sent("/echo?q=", "digest", "{\"list\":[\"" CANARY "\"],\"user\":\"ada\"}");
	state_holds_no_canary(p);
}

static void test_a_redirect_that_echoes_is_masked(void **state)
{
	place *p = *state;
	char url[LEDGER_URL_SIZE];
	go_live(p);
	CS_AUTOFREE char *flow = cs_xasprintf(FLOW(USE, "{'x':{'call':'http','with':{'method':'get','endpoint':'%s','query':{'to':'${ $secrets.token }'},'output':'response','redirect':true}}}"),
					      ledger_url(&server, "/goto", url));
	completes(p, flow, "\"Location\":\"to=•••\"");
	state_holds_no_canary(p);
}

static void test_credentials_are_made_of_the_vaults_secrets(void **state)
{
	place *p = *state;
	static const struct {
		const char *policy, *path, *sent;
	} rows[] = {
		{ "{'bearer':{'use':'token'}}", "/echo/bearer", "Bearer " CANARY },
		{ "{'bearer':{'token':'${ $secrets.token }'}}", "/echo/token", "Bearer " CANARY },
		{ "{'basic':{'use':'login'}}", "/echo/basic", "Basic YWRhOkM0bkByeStzM2NyZXQvOT16" },
		{ "{'basic':{'username':'ada','password':'${ $secrets.login.password }'}}", "/echo/pair", "Basic YWRhOkM0bkByeStzM2NyZXQvOT16" },
	};
	go_live(p);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *more = cs_xasprintf("!'authentication':%s},'output':'response'", rows[i].policy);
		CS_AUTOFREE char *flow = post(USE, rows[i].path, more);
		completes(p, flow, "•••");
		was_sent(rows[i].path, "authorization", rows[i].sent);
	}
	state_holds_no_canary(p);
}

static void test_a_digest_challenge_is_answered_once(void **state)
{
	place *p = *state;
	go_live(p);
	CS_AUTOFREE char *flow = post(USE, "/digest/SHA-256", "!'authentication':{'digest':{'use':'login'}}}");
	completes(p, flow, "Authorization: ");
	assert_int_equal(ledger_count(&server, "/digest/SHA-256"), 2);
	CS_AUTOFREE char *plain = post("", "/digest/MD5", "!'authentication':{'digest':{'username':'ada','password':'x'}}}");
	completes(p, plain, "algorithm=MD5");
	CS_AUTOFREE char *other = post("", "/digest/SHA-512", "!'authentication':{'digest':{'username':'ada','password':'x'}}}");
	faults(p, other, "/communication", "who are you");
	state_holds_no_canary(p);
}

static void test_a_connector_signs_in_by_the_name_of_a_secret(void **state)
{
	place *p = *state;
	char url[LEDGER_URL_SIZE];
	static const struct {
		const char *auth, *path, *member, *sent;
	} rows[] = {
		{ "{ use: token }", "/echo/c0", "authorization", "Bearer " CANARY },
		{ "{ use: login, as: basic }", "/echo/c1", "authorization", "Basic YWRhOkM0bkByeStzM2NyZXQvOT16" },
		{ "{ use: token, as: { header: X-Token } }", "/echo/c2", "token", CANARY },
		{ "{ use: token, as: { query: key } }", "/echo/c3?a=b&key=" CANARY_PERCENT, "token", "" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *text = cs_xasprintf(
			"connector: c%zu\nkind: http\nurl: '%s'\nmode: live\nauth: %s\noperations:\n"
			"  send: { request: { method: POST, path: '/echo/c%zu', query: { a: b }, body: '${ . }' } }\n",
			i, ledger_url(&server, "", url), rows[i].auth, i);
		CS_AUTOFREE char *file = cs_xasprintf("connectors/c%zu.yaml", i);
		world_file(&p->w, file, text);
	}
	go_live(p);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf(FLOW(USE, "{'x':{'call':'c%zu.send','with':{'t':'${ $secrets.token }'}}}"), i);
		completes(p, flow, "•••");
		was_sent(rows[i].path, rows[i].member, rows[i].sent);
		was_sent(rows[i].path, "digest", "{\"t\":\"" CANARY "\"}");
	}
	state_holds_no_canary(p);
}

static void test_a_program_is_told_by_its_input_and_environment_alone(void **state)
{
	place *p = *state;
	go_live(p);
	completes(p, FLOW(USE, "{'x':{'run':{'shell':{'command':'cat; printf \\\" %s\\\" \\\"$T\\\"; printf %s \\\"$T\\\" | sha256sum; printf %s \\\"$T\\\" | base64; printf %s \\\"$T\\\" | od -An -tx1 | tr -d \\\" \\\\n\\\"; echo \\\"$T\\\" >&2',"
			     "'stdin':'${ $secrets.token }','environment':{'T':'${ $secrets.token }'}},'return':'all'}}}"),
		  "\"stderr\":\"•••\\n\"");
	faults(p, FLOW(USE, "{'x':{'input':{'from':'{ t: $secrets.token }'},'run':{'shell':{'command':'echo','arguments':['${ .t }']}}}}"),
	       "/authorization", "everyone on the machine");
	state_holds_no_canary(p);
}

/* ---- where it does not ---- */

static void test_what_is_not_granted_is_refused(void **state)
{
	place *p = *state;
	char url[LEDGER_URL_SIZE];
	go_live(p);
	CS_AUTOFREE char *passed = cs_xasprintf(
		FLOW(USE, "{'a':{'input':{'from':'{ t: $secrets.token }'},'set':{'t':'${ .t }'}}},"
		     "{'b':{'call':'http','with':{'method':'post','endpoint':'%s','headers':{'X-Token':'${ .t }'}}}}"), ledger_url(&server, "/never", url));
	faults(p, passed, "/authorization", "not granted the secret token");
	CS_AUTOFREE char *host = cs_xasprintf(FLOW(USE, "{'b':{'call':'http','with':{'method':'get','endpoint':'${ \\\"http://\\\\($secrets.token).example/never\\\" }'}}}"));
	faults(p, host, "/authorization", "would choose the host");
	CS_AUTOFREE char *around = cs_xasprintf(
		FLOW(USE, "{'a':{'input':{'from':'{ t: $secrets.token }'},'do':[{'b':{'call':'http','with':{'method':'post','endpoint':'%s','headers':{'X-Token':'${ .t }'}}}}]}}"),
		ledger_url(&server, "/around", url));
	completes(p, around, "ok");
	was_sent("/around", "token", CANARY);
	assert_int_equal(ledger_count(&server, "/never"), 0);
	state_holds_no_canary(p);
}

static void test_a_secret_that_is_not_there_is_an_authorization_error(void **state)
{
	place *p = *state;
	go_live(p);
	CS_AUTOFREE char *flow = post("'use':{'secrets':['nothing']},", "/never", "'headers':{'X-Token':'${ $secrets.nothing }'}");
	faults(p, flow, "/authorization", "capstan vault set nothing");
	CS_AUTOFREE char *member = post(USE, "/never", "'headers':{'X-Token':'${ $secrets.login.nothing }'}");
	faults(p, member, "/authorization", "no text nothing");
	CS_AUTOFREE char *use = post("'use':{'secrets':['nothing']},", "/never", "!'authentication':{'bearer':{'use':'nothing'}}}");
	faults(p, use, "/authorization", "capstan vault set nothing");
	assert_int_equal(ledger_count(&server, "/never"), 0);
}

/* A model's memory and a program's log are nobody's to clean. */
static void test_an_agent_sees_neither_a_secret_nor_its_stand_in(void **state)
{
	place *p = *state;
	world_file(&p->w, "agents/teller.yaml",
		   "agent: teller\nversion: 1.0.0\npurpose: Tells.\nkind: shell\neffect: read\ninput: { type: object }\noutput: { type: object }\nshell: { command: [ cat ] }\n");
	go_live(p);
	completes(p, FLOW(USE, "{'x':{'input':{'from':'{ t: $secrets.token }'},'call':'teller','with':{'said':'${ .t }'}}}"), "\"said\":\"•••\"");
	CS_AUTOJSON json_t *doc = world_json(FLOW(USE, "{'x':{'call':'teller','with':{'said':'${ $secrets.token }'}}}"));
	CS_AUTOJSON json_t *refused = world_try(&p->w, json_pack("{s:s, s:O}", "cmd", "run", "definition", doc));
	assert_non_null(json_object_get(refused, "error") ? refused : json_object_get(refused, "ok"));
	state_holds_no_canary(p);
}

static void test_in_simulation_the_vault_is_not_looked_at(void **state)
{
	place *p = *state;
	assert_int_equal(rename(p->key_file, p->aside), 0);
	world_start(&p->w);                        /* not said to be live */
	CS_AUTOFREE char *flow = post("'use':{'secrets':['nothing','token']},", "/never",
				      "'headers':{'X-Token':'${ $secrets.nothing }','Y':'${ $secrets.token }'}");
	completes(p, flow, "simulated");
	CS_AUTOJSON json_t *items = world_rows(&p->w, "SELECT id FROM item");
	assert_int_equal(json_array_size(items), 0);
	assert_int_equal(ledger_count(&server, "/never"), 0);
	world_verify(&p->w);
}

/* ---- locked ---- */

static void test_what_needs_a_locked_vault_waits_with_one_item_over_a_restart(void **state)
{
	place *p = *state;
	go_live(p);
	json_decref(world_ask(&p->w, json_pack("{s:s}", "cmd", "lock")));
	CS_AUTOFREE char *text = post(USE, "/locked", "'headers':{'X-Token':'${ $secrets.token }'}");
	CS_AUTOJSON json_t *doc = world_json(text);
	CS_AUTOFREE char *one = world_run(&p->w, NULL, doc, json_object()), *two = world_run(&p->w, NULL, doc, json_object());
	CS_AUTOJSON json_t *item = world_item(&p->w);
	assert_string_equal(cs_json_str(item, "kind"), "login");
	assert_string_equal(cs_json_str(item, "next"), "capstan vault unlock");
	assert_int_equal(rename(p->key_file, p->aside), 0);
	world_stop(&p->w);
	world_start(&p->w);
	json_decref(world_refused(&p->w, json_pack("{s:s}", "cmd", "unlock")));
	CS_AUTOJSON json_t *open = world_rows(&p->w, "SELECT id FROM item WHERE state = 'open'");
	assert_int_equal(json_array_size(open), 1);
	assert_int_equal(ledger_count(&server, "/locked"), 0);
	assert_int_equal(rename(p->aside, p->key_file), 0);
	json_decref(world_ask(&p->w, json_pack("{s:s}", "cmd", "unlock")));
	json_decref(world_await(&p->w, one, "completed"));
	json_decref(world_await(&p->w, two, "completed"));
	was_sent("/locked", "token", CANARY);
	CS_AUTOJSON json_t *left = world_rows(&p->w, "SELECT id FROM item WHERE state = 'open'");
	assert_int_equal(json_array_size(left), 0);
	assert_int_equal(ledger_count(&server, "/locked"), 2);
	state_holds_no_canary(p);
}

/* The credential is the vault's too, and after a restart nothing of it is in memory. */
static void test_an_approval_is_not_used_up_while_the_vault_is_locked(void **state)
{
	place *p = *state;
	world_file(&p->w, "policies/p.yaml", "policy: p\nrules: [ { when: { effect: unsafe }, then: ask } ]\n");
	go_live(p);
	CS_AUTOFREE char *text = post(USE, "/gated", "!'authentication':{'bearer':{'token':'${ $secrets.token }'}}}");
	CS_AUTOJSON json_t *doc = world_json(text);
	CS_AUTOFREE char *run = world_run(&p->w, NULL, doc, json_object());
	json_decref(world_await(&p->w, run, "waiting"));
	CS_AUTOJSON json_t *item = world_item(&p->w);
	assert_int_equal(rename(p->key_file, p->aside), 0);
	world_stop(&p->w);
	world_start(&p->w);
	json_decref(world_decide(&p->w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str(item, "digest"))));
	CS_AUTOJSON json_t *login = NULL;
	for (int i = 0; i < 500 && json_array_size(login) == 0; i++) {
		json_decref(login);
		login = world_rows(&p->w, "SELECT id FROM item WHERE kind = 'login' AND state = 'open'");
		json_decref(world_ask(&p->w, json_pack("{s:s}", "cmd", "settle")));
	}
	assert_int_equal(json_array_size(login), 1);
	assert_int_equal(world_count(&p->w, run, "approval.consumed"), 0);
	/* Dismissed while it is still needed, it is asked again. */
	const char *id = cs_json_str(json_array_get(login, 0), "id");
	json_decref(world_decide(&p->w, id, json_pack("{s:s}", "verb", "dismiss")));
	CS_AUTOJSON json_t *again = world_rows(&p->w, "SELECT id FROM item WHERE kind = 'login' AND state = 'open'");
	assert_int_equal(json_array_size(again), 1);
	assert_string_not_equal(cs_json_str(json_array_get(again, 0), "id"), id);
	assert_int_equal(ledger_count(&server, "/gated"), 0);
	assert_int_equal(rename(p->aside, p->key_file), 0);
	json_decref(world_ask(&p->w, json_pack("{s:s}", "cmd", "unlock")));
	json_decref(world_await(&p->w, run, "completed"));
	was_sent("/gated", "authorization", "Bearer " CANARY);
	assert_int_equal(ledger_count(&server, "/gated"), 1);
	assert_int_equal(world_count(&p->w, run, "approval.consumed"), 1);
	state_holds_no_canary(p);
}

/* A digest is over the stand-in, which is the lineage's own: a replay finds what it did. */
static void test_a_replay_reuses_what_was_sent_with_a_secret(void **state)
{
	place *p = *state;
	go_live(p);
	CS_AUTOFREE char *text = post(USE, "/replayed", "'headers':{'X-Token':'${ $secrets.token }'}");
	CS_AUTOJSON json_t *doc = world_json(text);
	CS_AUTOFREE char *run = world_run(&p->w, NULL, doc, json_object());
	json_decref(world_await(&p->w, run, "completed"));
	CS_AUTOJSON json_t *ok = world_ask(&p->w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	const char *replay = cs_json_str(ok, "run");
	json_decref(world_await(&p->w, replay, "completed"));
	assert_int_equal(world_count(&p->w, replay, "attempt.reused"), 1);
	assert_int_equal(ledger_count(&server, "/replayed"), 1);
	state_holds_no_canary(p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_carries_secrets_and_the_echo_of_it_is_masked),
		TEST(test_a_redirect_that_echoes_is_masked),
		TEST(test_credentials_are_made_of_the_vaults_secrets),
		TEST(test_a_digest_challenge_is_answered_once),
		TEST(test_a_connector_signs_in_by_the_name_of_a_secret),
		TEST(test_a_program_is_told_by_its_input_and_environment_alone),
		TEST(test_what_is_not_granted_is_refused),
		TEST(test_a_secret_that_is_not_there_is_an_authorization_error),
		TEST(test_an_agent_sees_neither_a_secret_nor_its_stand_in),
		TEST(test_in_simulation_the_vault_is_not_looked_at),
		TEST(test_what_needs_a_locked_vault_waits_with_one_item_over_a_restart),
		TEST(test_an_approval_is_not_used_up_while_the_vault_is_locked),
		TEST(test_a_replay_reuses_what_was_sent_with_a_secret),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
