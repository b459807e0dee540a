/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From OpenAPI documents of each version to the request of a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/openapi.h"
#include "tests/json.h"

#define OLD "{'swagger':'2.0','host':'a.example','basePath':'/v1','schemes':['http','https'],'paths':{'/p/{id}':{" \
	"'parameters':[{'name':'id','in':'path','required':true,'type':'string'}],'post':{'operationId':'op','parameters':[" \
	"{'$ref':'#/parameters/tags'},{'name':'X-Trace','in':'header','type':'string'},{'name':'it','in':'body'}," \
	"{'name':'size','in':'query','required':true,'default':10}]},'put':{'operationId':'form','parameters':[{'name':'name','in':'formData'}]}}}," \
	"'parameters':{'tags':{'name':'tags','in':'query','type':'array','collectionFormat':'pipes'}}}"
#define NEW "{'openapi':'3.1.0','servers':[{'url':'https://{region}.example/api/','variables':{'region':{'default':'eu'}}}],'paths':{" \
	"'/p/{id}':{'post':{'operationId':'op','parameters':[{'name':'id','in':'path','required':true},{'name':'tags','in':'query'}," \
	"{'name':'list','in':'query','explode':false},{'name':'c','in':'cookie'}],'requestBody':{'required':true,'content':{'application/json':{}}}}}," \
	"'/here':{'servers':[{'url':'v2'}],'get':{'operationId':'near'}},'/root':{'servers':[{'url':'/base'}],'get':{'operationId':'root'}}}}"

static const struct {
	const char *document, *with;
	const char *request, *vars;      /* request NULL: refused, and vars is in the sentence */
} table[] = {
	{ OLD, "{'document':'https://docs.example/swagger.json','operationId':'op','parameters':{'id':'7','tags':['a','b'],'X-Trace':'t','it':{'n':1}}}",
	  "{'method':'post','endpoint':'https://a.example/v1/p/{id}','query':{'tags':'a|b','size':10},'headers':{'X-Trace':'t'},"
	  "'output':'content','redirect':false,'body':{'n':1}}", "{'id':'7'}" },
	{ OLD, "{'document':'http://docs.example/s','operationId':'form','output':'raw','redirect':true,'parameters':{'id':'7','name':'x'}}",
	  "{'method':'put','endpoint':'http://a.example/v1/p/{id}','query':{},'headers':{'Content-Type':'application/x-www-form-urlencoded'},"
	  "'output':'raw','redirect':true,'body':{'name':'x'}}", "{'id':'7'}" },
	{ NEW, "{'document':'https://docs.example/x/openapi.yaml','operationId':'op','parameters':{'id':'7','tags':['a','b'],'list':['c','d'],'n':1}}",
	  "{'method':'post','endpoint':'https://eu.example/api/p/{id}','query':{'tags':['a','b'],'list':'c,d'},"
	  "'headers':{'Content-Type':'application/json'},'output':'content','redirect':false,'body':{'n':1}}", "{'id':'7'}" },
	{ NEW, "{'document':'https://docs.example/x/openapi.yaml','operationId':'op','parameters':{'id':'7','body':[1]}}",
	  "{'method':'post','endpoint':'https://eu.example/api/p/{id}','query':{},"
	  "'headers':{'Content-Type':'application/json'},'output':'content','redirect':false,'body':[1]}", "{'id':'7'}" },
	{ NEW, "{'document':'https://docs.example:8/x/openapi.yaml','operationId':'near'}",
	  "{'method':'get','endpoint':'https://docs.example:8/x/v2/here','query':{},'headers':{},'output':'content','redirect':false}", "{}" },
	{ NEW, "{'document':'https://docs.example:8/x/openapi.yaml','operationId':'root'}",
	  "{'method':'get','endpoint':'https://docs.example:8/base/root','query':{},'headers':{},'output':'content','redirect':false}", "{}" },
	{ NEW, "{'document':'file://./api.yaml','operationId':'op','parameters':{'id':'7','n':1,'c':'a b;é'}}",
	  "{'method':'post','endpoint':'https://eu.example/api/p/{id}','query':{},'headers':{'Content-Type':'application/json','Cookie':'c=a%20b%3B%C3%A9'},"
	  "'output':'content','redirect':false,'body':{'n':1}}", "{'id':'7'}" },
	{ "{'openapi':'3.0.0','paths':{'/a':{'get':{'operationId':'x','parameters':[{'name':'s','in':'cookie'},{'name':'t','in':'cookie'}]}}}}",
	  "{'document':'https://d.example/','operationId':'x','parameters':{'s':1,'t':['a','b']}}",
	  "{'method':'get','endpoint':'https://d.example/a','query':{},'headers':{'Cookie':'s=1; t=a%2Cb'},'output':'content','redirect':false}", "{}" },
	{ "{'swagger':'2.0','host':'a.example','paths':{'/a':{'get':{'operationId':'x'}}}}", "{'document':'file://./a.json','operationId':'x'}",
	  "{'method':'get','endpoint':'https://a.example/a','query':{},'headers':{},'output':'content','redirect':false}", "{}" },
	/* refused */
	{ NEW, "{'document':'https://d.example/','operationId':'none'}", NULL, "the document has no operation 'none'" },
	{ NEW, "{'document':'https://d.example/','operationId':'op','parameters':{'n':1}}", NULL, "needs the parameter 'id'" },
	{ NEW, "{'document':'https://d.example/','operationId':'op','parameters':{'id':1}}", NULL, "needs a body" },
	{ NEW, "{'document':'file://./a.json','operationId':'near'}", NULL, "names no server with a host" },
	{ "{'swagger':'2.0','paths':{'/a':{'get':{'operationId':'x'}}}}", "{'document':'file://./a.json','operationId':'x'}", NULL, "names no server" },
	{ "{'openapi':'3.0.0','paths':{'/a':{'get':{'operationId':'x','parameters':[{'name':'a=b','in':'cookie'}]}}}}",
	  "{'document':'https://d.example/','operationId':'x','parameters':{'a=b':1}}", NULL, "whose name cannot be sent" },
	{ NEW, "{'document':'https://d.example/','operationId':'near','parameters':{'id':1}}", NULL, "has no parameter 'id'" },
	{ OLD, "{'document':'https://d.example/','operationId':'form','parameters':{'id':1,'nam':1}}", NULL, "has no parameter 'nam'" },
	{ "{'openapi':'4.0.0'}", "{'operationId':'x'}", NULL, "neither swagger 2.0 nor openapi 3.0 or 3.1" },
	{ "{'openapi':'3.0.0','paths':{'/a':{'$ref':'#/paths/~1b'},'/b':{'$ref':'#/paths/~1a'}}}", "{'operationId':'x'}", NULL, "no operation" },
};

static void each_operation_becomes_its_request_or_a_sentence(void **state)
{
	(void)state;
	unsigned failed = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		CS_AUTOJSON json_t *document = json_quoted(table[i].document), *with = json_quoted(table[i].with);
		CS_AUTOJSON json_t *request = NULL, *vars = NULL;
		cs_err err = { 0 };
		int rc = cs_openapi_request(document, with, &request, &vars, &err);
		bool ok = rc == CS_EUNSUPPORTED && table[i].request == NULL && strstr(err.msg, table[i].vars) != NULL;
		if (table[i].request != NULL && rc == CS_OK) {
			CS_AUTOJSON json_t *want = json_quoted(table[i].request), *want_vars = json_quoted(table[i].vars);
			ok = cs_json_equal(request, want) && cs_json_equal(vars, want_vars);
		}
		CS_AUTOFREE char *text = request != NULL ? cs_json_text(request) : NULL;
		if (!ok)
			print_error("%zu: %d %s %s\n", i, rc, err.msg, text != NULL ? text : "");
		failed += !ok;
	}
	assert_int_equal(failed, 0);
}

static void a_document_is_an_object_or_its_text(void **state)
{
	(void)state;
	static const char *const good[] = { "{\"openapi\":\"3.0.0\"}", "openapi: 3.0.0\npaths: {}\n" };
	static const char *const bad[] = { "", "[1]", "just words", "a: [" };
	for (size_t i = 0; i < CS_ARRAY_LEN(good); i++) {
		CS_AUTOJSON json_t *text = json_string(good[i]), *doc = NULL;
		assert_int_equal(cs_openapi_read(text, &doc, NULL), CS_OK);
		assert_string_equal(cs_json_str(doc, "openapi"), "3.0.0");
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		CS_AUTOJSON json_t *text = json_string(bad[i]), *doc = NULL;
		assert_int_equal(cs_openapi_read(text, &doc, NULL), CS_EUNSUPPORTED);
		assert_null(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_operation_becomes_its_request_or_a_sentence),
		cmocka_unit_test(a_document_is_an_object_or_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
