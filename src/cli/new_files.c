/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/new_files.h"

#include <stddef.h>

/* How each connector begins. */
#define CONNECTOR \
	"# @TEXT@\n" \
	"# Flows call its operations with: call: @NAME@.OPERATION.\n" \
	"connector: @NAME@\n" \
	"kind: http\n" \
	"url: @URL@\n" \
	"identity: @NAME@                     # whom it acts as; stands on every card\n" \
	"mode: dry                            # off, dry (answered from fixtures), hold (everything asks), live\n" \
	"allow: [ @HOST@ ]\n" \
	"operations:\n"

const cs_new_file cs_new_files[] = {
	{ "flow", "steps", "flows",
	  "# @NAME@: what comes in is $start, what a task gave is $tasks.NAME.\n"
	  "#   capstan check             holds this file to the letter\n"
	  "#   capstan run @NAME@ --set subject=Test\n"
	  "document:\n"
	  "  dsl: '1.0.3'\n"
	  "  namespace: @WORKSPACE@\n"
	  "  name: @NAME@\n"
	  "  version: '0.1.0'\n"
	  "  summary: @TEXT@\n"
	  "input:\n"
	  "  schema:\n"
	  "    document:\n"
	  "      type: object\n"
	  "      required: [ subject ]\n"
	  "      properties: { subject: { type: string, minLength: 1 } }\n"
	  "do:\n"
	  "  - prepare: { set: { text: '${ \"About \\($start.subject)\" }' } }\n"
	  "  # A person decides. What nobody answered within a week counts as not accepted.\n"
	  "  - decide:\n"
	  "      call: approve\n"
	  "      with:\n"
	  "        title: '${ \"\\($start.subject)?\" }'\n"
	  "        show: '${ $tasks.prepare.text }'\n"
	  "        allow: [ accept, edit, reject ]\n"
	  "        expire: P7D\n"
	  "  - route:\n"
	  "      switch:\n"
	  "        - accepted: { when: '$tasks.decide.decision == \"accepted\"', then: done }\n"
	  "        - otherwise: { then: dropped }\n"
	  "  - done: { set: { stage: done, text: '${ $tasks.decide.value }' }, then: end }\n"
	  "  - dropped: { set: { stage: dropped, note: '${ $tasks.decide.note // \"\" }' } }\n" },
	{ "agent", "rules", "agents",
	  "# A flow calls it with: call: @NAME@. Rules are tried in order; the first whose field matches gives its answer.\n"
	  "agent: @NAME@\n"
	  "version: 0.1.0\n"
	  "purpose: @TEXT@\n"
	  "kind: rules\n"
	  "input: { type: object, required: [ text ], properties: { text: { type: string } } }\n"
	  "output: { type: object, required: [ label ], properties: { label: { type: string } } }\n"
	  "rules:\n"
	  "  - { field: .text, matches: '(?i)\\binvoice\\b', give: { label: billing } }\n"
	  "  - { give: { label: other } }       # without a field: everything else\n" },
	{ "agent", "shell", "agents",
	  "# A flow calls it with: call: @NAME@. The program gets its input as JSON on stdin and answers JSON on stdout,\n"
	  "# without network; in simulation fixtures/@NAME@.yaml answers instead.\n"
	  "agent: @NAME@\n"
	  "version: 0.1.0\n"
	  "purpose: @TEXT@\n"
	  "kind: shell\n"
	  "input: { type: object, required: [ text ], properties: { text: { type: string } } }\n"
	  "output: { type: object }\n"
	  "effect: read                         # it changes nothing outside\n"
	  "timeout: PT30S\n"
	  "shell: { command: [ sh, tools/@NAME@.sh ], stdin: json, stdout: json, network: none }\n" },
	{ "connector", "http", "connectors",
	  CONNECTOR
	  "  find:\n"
	  "    effect: read                     # changes nothing: may be repeated, is never asked about\n"
	  "    input: { type: object, required: [ id ], properties: { id: { type: string } } }\n"
	  "    request: { method: GET, path: '/items/{id}' }\n"
	  "  create:\n"
	  "    effect: unsafe                   # cannot be repeated, nor asked whether it happened: its gate asks\n"
	  "    touches: [ message ]\n"
	  "    input: { type: object, required: [ title ], properties: { title: { type: string } } }\n"
	  "    card: '${ \"Create \\(.title)\" }'\n"
	  "    request: { method: POST, path: /items, body: '${ . }' }\n"
	  "    reverse: none\n" },
	{ "connector", "mail", "connectors",
	  CONNECTOR
	  "  send:\n"
	  "    effect: unsafe                   # the provider cannot be asked whether a mail went out\n"
	  "    touches: [ message, personal ]\n"
	  "    input:\n"
	  "      type: object\n"
	  "      required: [ to, subject, text ]\n"
	  "      additionalProperties: false\n"
	  "      properties:\n"
	  "        to: { type: string, format: email }\n"
	  "        subject: { type: string, minLength: 1, maxLength: 200 }\n"
	  "        text: { type: string, minLength: 1, maxLength: 20000 }\n"
	  "    card: '${ \"To       \\(.to)\\nSubject  \\(.subject)\\n\\n\\(.text)\" }'\n"
	  "    request: { method: POST, path: /v1/messages, body: '${ { to: .to, subject: .subject, text: .text } }' }\n"
	  "    reach: { people: 1 }\n"
	  "    timeout: PT20S\n"
	  "    reverse: none                    # a mail cannot be called back\n" },
	{ "connector", "billing", "connectors",
	  CONNECTOR
	  "  create:\n"
	  "    effect: keyed                    # the same key twice gives the same invoice\n"
	  "    touches: [ billing ]\n"
	  "    input:\n"
	  "      type: object\n"
	  "      required: [ customer, amount, currency ]\n"
	  "      properties:\n"
	  "        customer: { type: string, minLength: 1 }\n"
	  "        amount: { type: number, exclusiveMinimum: 0 }\n"
	  "        currency: { enum: [ EUR, USD, GBP ] }\n"
	  "        memo: { type: string }\n"
	  "    card: '${ \"Invoice  \\(.amount) \\(.currency)\\nFor      \\(.customer)\\n\\n\\(.memo // \"\")\" }'\n"
	  "    request: { method: POST, path: /v1/invoices, body: '${ . }' }\n"
	  "    keyed: { header: Idempotency-Key, window: PT24H }\n"
	  "    retry: { attempts: 3, backoff: exponential, delay: PT1S, jitter: 20% }\n"
	  "    reach: { people: 1, money: '${ .amount }', currency: EUR }\n"
	  "    timeout: PT20S\n"
	  "    reverse: none                    # an issued invoice is only ever credited, by hand\n" },
	{ "connector", "calendar", "connectors",
	  CONNECTOR
	  "  free:\n"
	  "    effect: read\n"
	  "    input: { type: object, required: [ from, to ], properties: { from: { type: string, format: date-time }, to: { type: string, format: date-time } } }\n"
	  "    request: { method: GET, path: /v1/free, query: { from: '${ .from }', to: '${ .to }' } }\n"
	  "  book:\n"
	  "    effect: keyed                    # the same key twice is one appointment\n"
	  "    touches: [ message ]\n"
	  "    input:\n"
	  "      type: object\n"
	  "      required: [ title, start, end, who ]\n"
	  "      properties:\n"
	  "        title: { type: string, minLength: 1 }\n"
	  "        start: { type: string, format: date-time }\n"
	  "        end: { type: string, format: date-time }\n"
	  "        who: { type: string, format: email }\n"
	  "    card: '${ \"\\(.title)\\n\\(.start) to \\(.end)\\nwith \\(.who)\" }'\n"
	  "    request: { method: POST, path: /v1/events, body: '${ . }' }\n"
	  "    keyed: { header: Idempotency-Key, window: PT24H }\n"
	  "    reach: { people: 1 }\n"
	  "    reverse: none\n" },
	{ NULL, NULL, NULL, NULL },
};
