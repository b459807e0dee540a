/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_scenarios.h"

#include "base/mem.h"

#define DOC(name) "document: { dsl: '1.0.3', namespace: kill, name: " name ", version: 1.0.0 }\n"
#define CALL(op, step) "{ call: outside." op ", with: { n: '${ $start.n }', s: " step " } }"
#define DO(name, op, step) "  - " name ": " CALL(op, step) "\n"
#define OP(name, effect, more) "  " name ":\n    effect: " effect "\n    input: { type: object }\n" more \
	"    request: { method: POST, path: '/" name "/{n}/{s}', as: json, body: '${ . }' }\n"
#define RETRY "{ retry: { delay: { milliseconds: 5 }, limit: { attempt: { count: 50 } } } }"
#define RETRIED { "retry", "faulted", "run.retried", 60, 100 }

const kill_file kill_common_files[] = {
	{ "connectors/outside.yaml",
	  "connector: outside\nkind: http\nurl: https://outside.example\nidentity: me@example.com\nmode: live\noperations:\n"
	  OP("put", "unsafe", "    reverse: none\n") OP("cut", "unsafe", "    reverse: none\n") OP("no", "unsafe", "    reverse: none\n")
	  OP("once", "unsafe", "    reverse: none\n") OP("slow", "unsafe", "    reverse: none\n")
	  OP("asked", "unsafe", "    reverse: none\n")
	  OP("set", "keyed", "    keyed: { header: Idempotency-Key, window: PT24H }\n    retry: { attempts: 40, delay: PT0.01S }\n    reverse: none\n")
	  OP("flaky", "keyed", "    keyed: { header: Idempotency-Key, window: PT24H }\n    retry: { attempts: 40, delay: PT0.01S, backoff: exponential, jitter: 20% }\n"
	     "    reverse: none\n")
	  OP("get", "read", "    retry: { attempts: 40, delay: PT0.01S }\n")
	  OP("make", "unsafe", "    reverse: { call: outside.void, with: { n: '${ .input.n }', s: '${ .input.s }' } }\n")
	  OP("draft", "unsafe", "    reverse: { call: outside.once, with: { n: '${ .input.n }', s: '${ .input.s }' } }\n")
	  OP("void", "unsafe", "    reverse: none\n") OP("pay", "unsafe", "    once: '${ \"\\(.n)/\\(.s)\" }'\n    reverse: none\n")
	  OP("bill", "keyed", "    keyed: { header: Idempotency-Key, window: PT24H }\n    retry: { attempts: 40, delay: PT0.01S }\n    once: '${ .s }'\n"
	     "    reverse: { call: outside.void, with: { n: '${ .input.n }', s: '${ .input.s }' } }\n") },
	{ "connectors/weak.yaml",
	  "connector: weak\nkind: http\nurl: https://weak.example\nidentity: me@example.com\nmode: live\nbreaker: { failures: 2, within: PT1M, cool: PT1S }\noperations:\n"
	  OP("weak", "keyed", "    keyed: { header: Idempotency-Key, window: PT24H }\n    retry: { attempts: 60, delay: PT0.01S }\n    reverse: none\n") },
	{ "connectors/known.yaml",
	  "connector: known\nkind: http\nurl: https://known.example\nidentity: me@example.com\nmode: live\nbreaker: { failures: 100 }\noperations:\n"
	  OP("sure", "probe", "    timeout: PT1S\n    probe: { call: known.find, with: { n: '${ .n }', s: '${ .s }' }, found: '${ .found == true }' }\n"
	     "    retry: { attempts: 40, delay: PT0.01S }\n    reverse: none\n")
	  OP("find", "read", "") },
	{ "connectors/held.yaml",
	  "connector: held\nkind: http\nurl: https://held.example\nidentity: me@example.com\nmode: hold\noperations:\n" OP("put", "unsafe", "    reverse: none\n") },
	{ "policies/kill.yaml",
	  "policy: kill\nrules:\n  - { name: asked, when: { call: outside.asked }, then: ask }\n  - { name: all, when: { call: 'outside.*' }, then: allow }\n  - { name: weak, when: { call: 'weak.*' }, then: allow }\n  - { name: known, when: { call: 'known.*' }, then: allow }\n" },
	{ "agents/judge.yaml",
	  "agent: judge\nversion: 1.0.0\npurpose: Judges.\nkind: rules\ninput: { type: object }\noutput: { type: object }\n"
	  "rules:\n  - { field: .n, equals: none, give: { good: false } }\n  - { give: { good: true } }\n" },
	{ "agents/letter.yaml",
	  "agent: letter\nversion: 1.0.0\npurpose: Writes.\nkind: text\ninput: { type: object }\ntext: 'Dear ${ .n }'\n" },
};
const size_t kill_common_count = CS_ARRAY_LEN(kill_common_files);

#define ONE(name, body) { { "flows/f.yaml", DOC(name) body } }, "f"

const kill_scenario kill_scenarios[] = {
	{ "set and switch", NULL,
	  ONE("f", "do:\n  - a: { set: { n: '${ $start.n }', big: true } }\n"
	      "  - w: { switch: [ { yes: { when: '${ .big == true }', then: c } }, { else: { then: b } } ] }\n"
	      DO("b", "put", "never") DO("c", "put", "c") "  - d: { set: { done: true } }\n"),
	  { { 0 } }, { RETRIED }, "completed", "put/c", "put/never", NULL, 0, 0 },
	{ "for", NULL,
	  ONE("f", "do:\n  - a:\n      for: { each: x, in: '${ $start.items }' }\n      do:\n        - b: { call: outside.put, with: { n: '${ $start.n }', s: '${ $x }' } }\n"
	      "  - z: { set: { done: true } }\n"),
	  { { 0 } }, { RETRIED }, "completed", "put/one put/two put/three", NULL, NULL, 0, 0 },
	{ "fork", NULL,
	  ONE("f", "do:\n  - a: { fork: { branches: [ { x: " CALL("put", "x") " }, { y: " CALL("slow", "y") " }, { z: " CALL("set", "z") " } ] } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/x slow/y set/z put/b", NULL, NULL, 0, 0 },
	{ "race", NULL,
	  ONE("f", "do:\n  - a: { fork: { compete: true, branches: [ { x: " CALL("slow", "x") " }, { y: { do: [ { p: { wait: PT0.02S } }, { q: " CALL("put", "q") " } ] } } ] } }\n"
	      DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/b", NULL, NULL, 0, 0 },
	{ "try and catch", NULL,
	  ONE("f", "do:\n  - a: { try: [ { x: " CALL("no", "x") " } ], catch: { as: e, do: [ { y: " CALL("put", "y") " } ] } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/y put/b", NULL, NULL, 0, 0 },
	{ "retry", NULL,
	  ONE("f", "do:\n  - a: { try: [ { x: " CALL("once", "x") " } ], catch: " RETRY " }\n  - b: { try: [ { y: " CALL("put", "y") " } ], catch: " RETRY " }\n"),
	  { { 0 } }, { RETRIED }, "completed", "once/x put/y", NULL, "did-not", 0, 0 },
	{ "retry with backoff", NULL,
	  ONE("f", "do:\n" DO("a", "flaky", "a") DO("b", "flaky", "b") DO("c", "put", "c")),
	  { { 0 } }, { RETRIED }, "completed", "flaky/a flaky/b put/c", NULL, NULL, 0, 0 },
	{ "keyed", NULL,
	  ONE("f", "do:\n" DO("a", "set", "a") DO("b", "set", "b") DO("c", "set", "c")),
	  { { 0 } }, { RETRIED }, "completed", "set/a set/b set/c", NULL, NULL, 0, 0 },
	{ "read and pure", NULL,
	  ONE("f", "do:\n" DO("a", "get", "a") "  - t: { call: letter, with: { n: '${ $start.n }' } }\n  - j: { call: judge, with: { n: '${ $start.n }' } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/b", NULL, NULL, 0, 0 },
	{ "unsafe", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") DO("b", "put", "b") DO("c", "slow", "c") DO("d", "put", "d")),
	  { { 0 } }, { RETRIED }, "completed", "put/a put/b slow/c put/d", NULL, NULL, 0, 0 },
	{ "answers are lost", NULL,
	  ONE("f", "do:\n" DO("a", "cut", "a") DO("b", "put", "b") DO("c", "cut", "c")),
	  { { 0 } }, { RETRIED }, "completed", "cut/a put/b cut/c", NULL, NULL, 0, 0 },
	{ "gate, approved after an undo", "approvals: { grace: PT1S }\n",
	  ONE("f", "do:\n" DO("a", "asked", "a") DO("b", "put", "b")),
	  { { NULL, "approve undo approve", NULL } }, { RETRIED }, "completed", "asked/a put/b", NULL, NULL, 0, 0 },
	{ "gate, edited", NULL,
	  ONE("f", "do:\n" DO("a", "asked", "a") DO("b", "put", "b")),
	  { { NULL, "edit approve", "{'s':'edited'}" } }, { RETRIED }, "completed", "put/b", NULL, NULL, 0, 0 },
	{ "gate, rejected", NULL,
	  ONE("f", "do:\n  - a: { call: outside.asked, with: { n: '${ $start.n }', s: a }, metadata: { ask: { on-reject: continue } } }\n" DO("b", "put", "b")),
	  { { NULL, "reject", NULL } }, { RETRIED }, "completed", "put/b", "asked/a", NULL, 0, 0 },
	{ "gate, expired", NULL,
	  ONE("f", "do:\n  - a: { try: [ { x: { call: outside.asked, with: { n: '${ $start.n }', s: a }, metadata: { ask: { expire: PT3S, remind: [ PT1S ] } } } } ],\n"
	      "      catch: { errors: { with: { status: 408 } }, do: [ { y: " CALL("put", "y") " } ] } }\n"),
	  { { NULL, "leave", NULL } }, { RETRIED }, "completed", "put/y", "asked/a", NULL, 0, 0 },
	{ "gate, escalated", NULL,
	  ONE("f", "do:\n  - a: { call: outside.asked, with: { n: '${ $start.n }', s: a }, metadata: { ask: { escalate: [ { after: PT1S }, { after: PT2S } ], expire: PT4S, on-expiry: continue } } }\n"
	      DO("b", "put", "b")),
	  { { NULL, "snooze leave", NULL } }, { RETRIED }, "completed", "put/b", "asked/a", NULL, 0, 0 },
	{ "decisions", NULL,
	  ONE("f", "do:\n  - d: { call: approve, with: { title: Go on, show: { a: 1 } } }\n" DO("b", "put", "b")
	      "  - q: { call: ask, with: { title: How many, form: { type: object, required: [ n ], properties: { n: { type: integer } } } } }\n" DO("c", "put", "c")),
	  { { "d", "approve", NULL }, { "q", "respond", "{'n':3}" } }, { RETRIED }, "completed", "put/b put/c", NULL, NULL, 0, 0 },
	{ "waits", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") "  - w: { wait: PT2S }\n  - v: { wait: { milliseconds: 3 } }\n  - u: { call: until, with: { after: PT1S } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/a put/b", NULL, NULL, 0, 0 },
	{ "listen to one", NULL,
	  ONE("f", "do:\n  - l: { listen: { to: { one: { with: { type: kill.go } } } } }\n" DO("b", "put", "b")),
	  { { 0 } }, { { "emit", "waiting", "event.consumed", 1, 100 }, RETRIED }, "completed", "put/b", NULL, NULL, 0, 0 },
	{ "listen to any, each", NULL,
	  ONE("f", "do:\n  - l:\n      listen: { to: { any: [ { with: { type: kill.go } } ], until: '${ .[1] != null }' } }\n"
	      "      foreach: { item: e, at: i, do: [ { x: { call: outside.put, with: { n: '${ $start.n }', s: '${ $e.id }' } } } ] }\n" DO("b", "put", "b")),
	  { { 0 } }, { { "emit", "waiting", "event.consumed", 2, 100 }, RETRIED }, "completed", "put/b", NULL, NULL, 0, 0 },
	{ "events between runs", "flows: { g: { starts: [ { on: { type: kill.made }, with: '${ { n: .data.n } }', once: '${ .data.n }' } ] } }\n",
	  { { "flows/f.yaml", DOC("f") "do:\n" DO("a", "put", "a") "  - e: { emit: { event: { with: { type: kill.made, data: { n: '${ $start.n }' } } } } }\n"
	      "  - e2: { emit: { event: { with: { type: kill.made, data: { n: '${ $start.n }' } } } } }\n" },
	    { "flows/g.yaml", DOC("g") "do:\n" DO("b", "put", "g") } },
	  "f", { { 0 } }, { RETRIED }, "completed", "put/a put/g", NULL, NULL, 0, 0 },
	{ "timeouts", NULL,
	  ONE("f", "do:\n  - a: { try: [ { w: { wait: PT20S, timeout: { after: PT1S } } } ], catch: { errors: { with: { status: 408 } }, do: [ { x: " CALL("put", "x") " } ] } }\n"
	      "  - b: { try: [ { y: { call: outside.asked, with: { n: '${ $start.n }', s: y }, timeout: { after: PT2S } } } ], catch: { as: e, do: [ { z: " CALL("put", "z") " } ] } }\n"),
	  { { NULL, "leave", NULL } }, { RETRIED }, "completed", "put/x put/z", "asked/y", NULL, 0, 0 },
	{ "rollback", NULL,
	  ONE("f", "do:\n" DO("a", "make", "a") DO("b", "make", "b") DO("c", "put", "c") DO("d", "make", "d")),
	  { { 0 } }, { RETRIED, { "rollback", "completed", "run.compensating", 1, 70 }, { "retry", "stuck", "run.compensating", 60, 100 } },
	  "completed compensated", "make/a make/b put/c make/d", NULL, NULL, 0, 0 },
	{ "compensation on fault", "flows: { f: { on-fault: compensate } }\n",
	  ONE("f", "do:\n" DO("a", "make", "a") DO("b", "make", "b") DO("c", "no", "c")),
	  { { 0 } }, { { "retry", "stuck", "run.compensating", 60, 100 } }, "compensated faulted", NULL, "no/d", NULL, 0, 0 },
	{ "a reversal fails", "flows: { f: { on-fault: compensate } }\n",
	  ONE("f", "do:\n" DO("a", "make", "a") DO("b", "draft", "b") "  - c: { raise: { error: { type: https://x.example/e, status: 500, title: No more } } }\n"),
	  { { 0 } }, { { "waive", "stuck", "reversal.waived", 1, 40 }, { "retry", "stuck", "run.compensating", 60, 100 } }, "compensated faulted", NULL, NULL, NULL, 0, 0 },
	{ "sub-flow, awaited", NULL,
	  { { "flows/f.yaml", DOC("f") "do:\n" DO("a", "put", "a") "  - s: { run: { workflow: { namespace: kill, name: g, version: latest, input: { n: '${ $start.n }' } } } }\n" DO("b", "put", "b") },
	    { "flows/g.yaml", DOC("g") "do:\n" DO("a", "put", "g") "  - w: { wait: PT0.5S }\n" DO("b", "set", "h") } },
	  "f", { { 0 } }, { RETRIED, { "pause", "running waiting", "run.paused", 1, 20 }, { "resume", "paused", "run.resumed", 9, 100 } }, "completed", "put/a put/g set/h put/b", NULL, NULL, 0, 0 },
	{ "sub-flow, not awaited", NULL,
	  { { "flows/f.yaml", DOC("f") "do:\n" DO("a", "put", "a") "  - s: { run: { workflow: { namespace: kill, name: g, version: latest, input: { n: '${ $start.n }' } }, await: false } }\n" DO("b", "put", "b") },
	    { "flows/g.yaml", DOC("g") "do:\n" DO("a", "put", "g") DO("b", "set", "h") } },
	  "f", { { 0 } }, { RETRIED }, "completed", "put/a put/g set/h put/b", NULL, NULL, 0, 0 },
	{ "schedules", "flows: { f: { starts: [ { every: PT3S, with: { n: every } } ] } }\n",
	  { { "flows/f.yaml", DOC("f") "schedule: { every: { seconds: 2 } }\ndo:\n  - a: { call: outside.set, with: { n: '${ $workflow.id }', s: a } }\n" } },
	  NULL, { { 0 } }, { RETRIED }, "completed", NULL, NULL, NULL, 0, 6 },
	{ "turns", "flows: { f: { one-at-a-time: flow } }\n",
	  ONE("f", "do:\n" DO("a", "put", "a") "  - w: { wait: PT0.3S }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED, { "cancel", "created", "run.cancelling", 1, 30 } }, "completed cancelled", "put/a put/b", NULL, NULL, 0, 0 },
	{ "pause and resume", NULL,
	  ONE("f", "do:\n" DO("a", "slow", "a") DO("b", "put", "b") "  - w: { wait: PT0.2S }\n" DO("c", "slow", "c") DO("d", "asked", "d")),
	  { { NULL, "approve", NULL } }, { { "pause", "running waiting", "run.paused", 2, 90 }, { "resume", "paused", "run.resumed", 99, 100 }, RETRIED }, "completed", "slow/a put/b slow/c asked/d", NULL, NULL, 0, 0 },
	{ "cancel", "flows: { f: { on-fault: compensate } }\n",
	  ONE("f", "do:\n" DO("a", "make", "a") DO("b", "slow", "b") "  - w: { wait: PT1S }\n" DO("c", "make", "c") DO("d", "asked", "d")),
	  { { NULL, "approve", NULL } }, { { "cancel", "running waiting", "run.cancelling", 1, 80 }, RETRIED, { "retry", "stuck", "run.compensating", 60, 100 } },
	  "completed cancelled compensated faulted", "make/a slow/b make/c asked/d", NULL, NULL, 0, 0 },
	{ "resolve happened, did-not, repeat", NULL,
	  ONE("f", "do:\n  - a: { fork: { branches: [ { x: " CALL("slow", "x") " }, { y: " CALL("slow", "y") " }, { z: " CALL("cut", "z") " } ] } }\n"
	      "  - b: { try: [ { u: " CALL("slow", "u") " } ], catch: " RETRY " }\n"),
	  { { 0 } }, { RETRIED }, "completed", "slow/x slow/y cut/z slow/u", NULL, NULL, 0, 0 },
	{ "connector that holds", NULL,
	  ONE("f", "do:\n  - a: { call: held.put, with: { n: '${ $start.n }', s: a } }\n" DO("b", "put", "b")),
	  { { NULL, "approve", NULL } }, { RETRIED }, "completed", "put/a put/b", NULL, NULL, 0, 0 },
	{ "everything held", NULL,
	  ONE("f", "do:\n" DO("a", "slow", "a") DO("b", "set", "b") "  - w: { wait: PT0.2S }\n" DO("c", "put", "c")),
	  { { 0 } }, { { "hold", "running", "engine.hold", 8, 60 }, { "release", "waiting stuck compensating cancelling faulted completed", "engine.hold", 999, 100 }, RETRIED }, "completed", "slow/a set/b put/c", NULL, NULL, 0, 0 },
	{ "replay", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") DO("b", "get", "b") "  - j: { call: judge, with: { n: '${ $start.n }' } }\n" DO("c", "asked", "c")),
	  { { NULL, "approve", NULL } }, { { "replay", "completed", "run.created", 1, 60 }, RETRIED }, "completed", "put/a asked/c", NULL, NULL, 0, 0 },
	{ "expressions of jq", NULL,
	  ONE("f", "do:\n  - a: { set: { s: '${ $start.items | map(ascii_upcase) | join(\"-\") }' } }\n"
	      "  - b: { call: outside.put, with: { n: '${ $start.n }', s: '${ .s | ascii_downcase }' } }\n  - c: { set: { k: '${ [$start.items[] | length] | add }' } }\n"),
	  { { 0 } }, { RETRIED }, "completed", "put/one-two-three", NULL, NULL, 0, 0 },
	{ "business keys", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") "  - p: { call: outside.pay, with: { n: all, s: p } }\n  - q: { call: outside.bill, with: { n: all, s: q } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/a put/b", NULL, NULL, 0, 0 },
	{ "business keys, tried again", NULL,
	  ONE("f", "do:\n  - a: { try: [ { p: { call: outside.pay, with: { n: all, s: p } } } ], catch: " RETRY " }\n"
	      "  - k: { fork: { branches: [ { x: { call: outside.pay, with: { n: all, s: x } } }, { y: { call: outside.pay, with: { n: all, s: x } } } ] } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED, { "cancel", "waiting", "run.cancelling", 1, 20 } }, "completed cancelled", "put/b", NULL, NULL, 0, 0 },
	{ "correction", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") DO("c", "put", "wrong") DO("b", "put", "b")),
	  { { 0 } }, { { "correct", "faulted", "run.corrected", 1, 100 }, RETRIED }, "completed", "put/a put/right put/b", "put/wrong", "repeat", 0, 0 },
	{ "connector switched off and on", NULL,
	  ONE("f", "do:\n" DO("a", "slow", "a") DO("b", "set", "b") "  - w: { wait: PT0.2S }\n" DO("c", "put", "c")),
	  { { 0 } }, { { "off", "running", "connector.mode", 8, 60 }, { "live", "waiting stuck compensating cancelling faulted completed", "connector.mode", 999, 100 }, RETRIED }, "completed", "slow/a set/b put/c", NULL, NULL, 0, 0 },
	{ "extensions", NULL,
	  { { "flows/f.yaml", DOC("f") "use:\n  extensions:\n    - around: { extend: call, before: [ { pre: { set: { x: 1 } } } ], after: [ { post: { set: { y: 2 } } } ] }\n"
	      "do:\n" DO("a", "put", "a") "  - d: { do: [ { e: " CALL("slow", "e") " } ] }\n" } },
	  "f", { { 0 } }, { RETRIED }, "completed", "put/a slow/e", NULL, NULL, 0, 0 },
	{ "listen to all, correlated", NULL,
	  ONE("f", "do:\n  - l: { listen: { to: { all: [ { with: { type: kill.go } }, { with: { type: kill.go, data: '${ .id != null }' } } ] } } }\n" DO("b", "put", "b")),
	  { { 0 } }, { { "emit", "waiting", "event.consumed", 2, 100 }, RETRIED }, "completed", "put/b", NULL, NULL, 0, 0 },
	{ "shell", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") "  - s: { run: { shell: { command: 'echo done' } }, metadata: { effect: read } }\n" DO("b", "put", "b")),
	  { { 0 } }, { RETRIED }, "completed", "put/a put/b", NULL, NULL, 0, 0 },
	{ "awaited runs are taken back", "flows: { f: { on-fault: compensate } }\n",
	  { { "flows/f.yaml", DOC("f") "do:\n" DO("a", "make", "a") "  - s: { run: { workflow: { namespace: kill, name: g, version: latest, input: { n: '${ $start.n }' } } } }\n"
	      DO("b", "make", "b") DO("c", "no", "c") },
	    { "flows/g.yaml", DOC("g") "do:\n" DO("a", "make", "g") DO("b", "slow", "h") } },
	  "f", { { 0 } }, { { "waive", "stuck", "reversal.waived", 1, 30 }, { "retry", "stuck", "run.compensating", 60, 100 } }, "compensated faulted completed", NULL, NULL, NULL, 0, 0 },
	{ "awaited runs are rolled back", NULL,
	  { { "flows/f.yaml", DOC("f") "do:\n" DO("a", "make", "a") "  - s: { run: { workflow: { namespace: kill, name: g, version: latest, input: { n: '${ $start.n }' } } } }\n" DO("b", "make", "b") },
	    { "flows/g.yaml", DOC("g") "do:\n" DO("a", "make", "g") DO("b", "draft", "h") } },
	  "f", { { 0 } }, { RETRIED, { "rollback", "completed", "run.compensating", 1, 60 }, { "retry", "stuck", "run.compensating", 60, 100 } }, "completed compensated", NULL, NULL, NULL, 0, 0 },
	{ "large values", NULL,
	  ONE("f", "do:\n" DO("a", "put", "a") "  - s: { set: { n: '${ $start.n }', much: '${ $start.much }' } }\n"
	      "  - t: { set: { n: '${ .n }', again: '${ .much }' } }\n" DO("b", "set", "b") DO("c", "put", "c")),
	  { { 0 } }, { RETRIED }, "completed", "put/a set/b put/c", NULL, NULL, 100000, 0 },
	{ "a breaker opens", NULL,
	  ONE("f", "do:\n  - a: { call: weak.weak, with: { n: '${ $start.n }', s: a } }\n" DO("b", "put", "b") "  - c: { call: weak.weak, with: { n: '${ $start.n }', s: c } }\n"),
	  { { 0 } }, { RETRIED }, "completed", "weak/a put/b weak/c", NULL, NULL, 0, 0 },
	{ "asked whether it happened", NULL,
	  ONE("f", "do:\n  - a: { call: known.sure, with: { n: '${ $start.n }', s: a } }\n" DO("b", "put", "b") "  - c: { call: known.sure, with: { n: '${ $start.n }', s: c } }\n"),
	  { { 0 } }, { RETRIED }, "completed", "sure/a put/b sure/c", NULL, NULL, 0, 0 },
};
const size_t kill_scenario_count = CS_ARRAY_LEN(kill_scenarios);
