/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model that most tests start from; times are relative to now. */
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "fake_source.h"

/* @N@ stands for N seconds ago, as RFC 3339; negative: ahead. */
static const char model[] =
"{'status':{'workspace':'agency','mode':'simulate','hold':false,'running':2},"
"'items':{"
"'01JAAAAAAAAAAAAAAAAAAAPROP':{'id':'01JAAAAAAAAAAAAAAAAAAAPROP','kind':'approval','title':'Send the proposal to Northwind','run':'01J9AAAAAAAAAAAAAAAAAAAAK4','flow':'consulting-order','task':'/do/3/delivery','subject':'northwind','state':'pending','digest':'d1','created':'@240@','expires':'@-14160@','simulated':true,"
"'allow':['accept','edit','respond','reject'],'value':{'to':'ops@northwind.example','subject':'Proposal: 3 days of audit','text':'Dear Ops,\\n\\nthree days of audit, from Monday.\\n\\nYours','priority':3},"
"'card':{'as':'mail.send as hello@agency.example','fields':[{'label':'To','value':'ops@northwind.example'},{'label':'Subject','value':'Proposal: 3 days of audit'}],'body':'Dear Ops,\\n\\nthree days of audit, from Monday.\\n\\nYours','why':'policy checkpoints/contracts','touches':'contract, message · 1 recipient','from':'untrusted mail #812 → qualifier → writer','undo':'30 s after approval; then none','cost':'0.03 USD','next':'invoice, remember','before':'14 of 15 like it approved'}},"
"'01JAAAAAAAAAAAAAAAAAAAINVO':{'id':'01JAAAAAAAAAAAAAAAAAAAINVO','kind':'approval','title':'Invoice 1 800.00 EUR','run':'01J9AAAAAAAAAAAAAAAAAAAAK4','flow':'consulting-order','task':'/do/4/invoice','state':'pending','digest':'d2','created':'@540@','expires':'@-82800@','simulated':false,"
"'allow':['accept','reject'],'confirm':'invoice','value':{'amount':180000,'currency':'EUR'},'card':{'as':'billing.invoice','fields':[{'label':'Amount','value':180000},{'label':'Currency','value':'EUR'}],'why':'policy money','touches':'billing','undo':null}},"
"'01JAAAAAAAAAAAAAAAAAAADOUB':{'id':'01JAAAAAAAAAAAAAAAAAAADOUB','kind':'in-doubt','title':'mail.send: did it happen?','run':'01J9AAAAAAAAAAAAAAAAAAAAN1','flow':'newsletter','task':'/do/2/send','state':'in-doubt','digest':'d3','created':'@720@','simulated':false,'allow':[],"
"'card':{'as':'mail.send to 412 readers','fields':[{'label':'Key','value':'nl-2026-47'}],'why':'the connection broke after the first byte','touches':'message'},'next':'look in the sent folder, then h or d'}},"
"'runs':["
"{'run':'01J9AAAAAAAAAAAAAAAAAAAAK4','flow':'consulting-order','version':'1.0.0','state':'waiting','subject':'northwind','started':'@600@','simulated':true,'cost':30000,'input':{'lead':{'name':'Ada','email':'ops@northwind.example'}}},"
"{'run':'01J9AAAAAAAAAAAAAAAAAAAAN1','flow':'newsletter','version':'1.2.0','state':'waiting','started':'@900@','simulated':false,'cost':120000,'input':{'issue':47}},"
"{'run':'01J9AAAAAAAAAAAAAAAAAAAAF7','flow':'lead-reply','version':'1.0.0','state':'faulted','subject':'contoso','started':'@4000@','ended':'@3990@','simulated':false,'cost':900,'input':{'text':'hello'},'error':{'type':'communication','status':503,'title':'the mail server said no'}},"
"{'run':'01J9AAAAAAAAAAAAAAAAAAAAP2','flow':'lead-reply','version':'1.0.0','state':'paused','started':'@5000@','simulated':false,'cost':0,'input':{}},"
"{'run':'01J9AAAAAAAAAAAAAAAAAAAAC3','flow':'client-onboarding','version':'1.0.0','state':'completed','subject':'fabrikam','started':'@9000@','ended':'@8960@','simulated':false,'cost':250000,'input':{'client':'fabrikam'},'output':{'ok':true}}],"
"'traces':{'*':["
"{'seq':11,'ref':'/do/0/intake','name':'intake','depth':0,'kind':'call','state':'completed','started':'@600@','ended':'@598@','actor':'agent:intake','call':'intake','attempts':1,'simulated':true},"
"{'seq':14,'ref':'/do/1/prepare','name':'prepare','depth':0,'kind':'do','state':'completed','started':'@598@','ended':'@590@','actor':'engine','attempts':1},"
"{'seq':15,'ref':'/do/1/prepare/do/0/a','name':'pick-template','depth':1,'kind':'set','state':'completed','started':'@598@','ended':'@597@','actor':'engine','attempts':1},"
"{'seq':16,'ref':'/do/1/prepare/do/1/b','name':'fill-fields','depth':1,'kind':'set','state':'completed','started':'@597@','ended':'@590@','actor':'engine','attempts':1},"
"{'seq':20,'ref':'/do/2/one','name':'one','depth':0,'kind':'set','state':'completed','started':'@590@','ended':'@590@','actor':'engine','attempts':1},"
"{'seq':21,'ref':'/do/2/two','name':'two','depth':0,'kind':'set','state':'completed','started':'@590@','ended':'@590@','actor':'engine','attempts':1},"
"{'seq':22,'ref':'/do/2/three','name':'three','depth':0,'kind':'set','state':'completed','started':'@590@','ended':'@589@','actor':'engine','attempts':1},"
"{'seq':25,'ref':'/do/3/lookup','name':'lookup','depth':0,'kind':'call','state':'faulted','started':'@589@','ended':'@500@','actor':'connector:crm','call':'crm.lookup','attempts':3,'error':{'type':'communication','status':503,'title':'crm did not answer'},'simulated':true},"
"{'seq':30,'ref':'/do/4/write','name':'write','depth':0,'kind':'call','state':'completed','started':'@500@','ended':'@400@','actor':'agent:writer','call':'writer','attempts':1,'cost':30000,'input':{'lead':{'name':'Ada'}},'output':{'text':'Dear Ops'},'simulated':true},"
"{'seq':33,'ref':'/do/5/delivery','name':'delivery','depth':0,'kind':'call','state':'waiting','started':'@240@','actor':'engine','call':'mail.send','attempts':1,'simulated':true}]},"
"'events':[{'seq':30,'type':'attempt.intent','task':'/do/4/write','at':'2026-11-22T17:00:00.000Z','actor':'agent:writer','cause':22,'data':{'key':'k'}},{'seq':31,'type':'task.completed','task':'/do/4/write','at':'2026-11-22T17:00:01.000Z','actor':'agent:writer','cause':30}],"
"'why':[{'seq':33,'type':'approval.published','task':'/do/5/delivery','at':'2026-11-22T17:00:02.000Z','actor':'engine','data':{'rule':'checkpoints/contracts'}},{'seq':31,'type':'task.completed','task':'/do/4/write','at':'2026-11-22T17:00:01.000Z','actor':'agent:writer'},{'seq':1,'type':'run.started','task':'','at':'2026-11-22T16:59:00.000Z','actor':'webhook:leads'}],"
"'diff':[{'task':'/do/0/intake','change':'same','old':{'ok':true},'new':{'ok':true}},{'task':'/do/4/write','change':'changed','old':{'text':'Dear Ops'},'new':{'text':'Dear Grace'}},{'task':'/do/5/delivery','change':'removed','old':{'sent':true}},{'task':'/do/6/thanks','change':'added','new':{'sent':false}},{'summary':{'same':1,'changed':1,'added':1,'removed':1,'effects':0}}],"
"'plan':[{'name':'intake','ref':'/do/0/intake','what':'reuse'},{'name':'write','ref':'/do/4/write','what':'run'},{'name':'delivery','ref':'/do/5/delivery','what':'capture'}]}";

char *fake_source_agency(void)
{
	CS_AUTOBUF cs_buf b = { 0 };
	int64_t now = cs_clock_wall_ms();

	cs_buf_init(&b, 1u << 20);
	for (const char *p = model; *p; p++) {
		char *end, at[CS_TIME_SIZE];

		if (*p != '@' || !strchr("-0123456789", p[1])) {
			(void)cs_buf_addc(&b, *p == '\'' ? '"' : *p);
			continue;
		}
		cs_time_format(now - strtol(p + 1, &end, 10) * 1000, at);
		if (*end != '@') {
			(void)cs_buf_addc(&b, *p);
			continue;
		}
		(void)cs_buf_adds(&b, at);
		p = end;
	}
	return cs_buf_steal(&b);
}
