/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands: what is here is what help, the completion and the dispatcher know. */
#include <string.h>

#include "cli/cli_priv.h"

#define DECIDE_MORE N_("Several ids at once are a batch: one that is stale drops out alone. A decision is bound to what\n" \
		       "waits at this moment; look first with `capstan inbox show ID`.")

const cs_cli_command cs_cli_commands[] = {
	{ "console", "[--plain]", N_("the console (also without a command)"), cs_cmd_console, cs_cli_flags_console, 0, 0, NULL },
	{ "init", "DIR [--from agency|empty]", N_("make a new workspace"), cs_cmd_init, cs_cli_flags_init, 1, 1,
	  N_("Nothing that is there already is overwritten.") },
	{ "new", "flow|agent|connector NAME [--preset NAME] [--purpose TEXT] [--url URL]", N_("make a file to begin with"), cs_cmd_new,
	  cs_cli_flags_new, 2, 2, N_("On a terminal it asks; elsewhere the options say it. Nothing that is there already is overwritten.") },
	{ "check", "[FILE...] [--portable]", N_("validate flows, agents, connectors, policies, fixtures"), cs_cmd_check,
	  cs_cli_flags_check, 0, -1,
	  N_("Findings are FILE:LINE:COL: error: what is wrong, with the line and a caret; the exit status is then 1.\n"
	     "With --json one object a finding, for editors.") },
	{ "ask", "TITLE [--form FILE] [--expire D] [--subject S] | --resume ID", N_("ask the operator; stdin is shown"), cs_cmd_ask,
	  cs_cli_flags_ask, 0, 1,
	  N_("Waits until it is decided, over restarts. Accepted (or edited) bytes go to stdout: exit 0. Rejected: exit 1.\n"
	     "Expired: exit 75. Ctrl-C leaves it waiting; --resume takes it up again.") },
	{ "run", "FLOW [--input JSON|@FILE|-] [--set PATH=VALUE]... [--key KEY] [--each FILE|-] [--detach]",
	  N_("start a run and follow it until it rests"), cs_cmd_run, cs_cli_flags_run, 1, 1,
	  N_("FLOW is a name, NAMESPACE/NAME:VERSION, or a file. On stdout: the output as JSON when completed, else the\n"
	     "run's id. Exit status 0: completed or waiting; 1: faulted or cancelled. The same --key with the same input\n"
	     "is the same run; with another input it is refused (exit 4).") },
	{ "test", "[SCENARIO...] | --record RUN", N_("play scenarios on a clock that jumps to the next timer"), cs_cmd_test, cs_cli_flags_test,
	  0, -1,
	  N_("Each in a state of its own, always simulated, with fixtures; exit status 1 when one differs. --record writes\n"
	     "one from a run.") },
	{ "serve", "", N_("the engine without a screen, until SIGTERM or Ctrl-C"), cs_cmd_serve, NULL, 0, 0, NULL },
	{ "live", "[--off]", N_("this machine is the live one: effects may leave"), cs_cmd_live, cs_cli_flags_live, 0, 0,
	  N_("Needs `mode: live` in capstan.yaml too. --off: it is not any more, and another copy may be. A copy is refused\n"
	     "while the workspace that it was made of can be seen here and is live.") },
	{ "emit", "TYPE [--data JSON|@FILE|-] [--source S] [--id ID] [--subject S] [--tainted]",
	  N_("say that something happened, to every run that listens"), cs_cmd_emit, cs_cli_flags_emit, 1, 1,
	  N_("Prints the event's id. The same --source and --id again are the same event: it is said so on stderr, nothing\n"
	     "is delivered, exit 0. What untrusted people wrote is --tainted: policies then ask.") },
	{ "reload", "", N_("have the engine take changed files"), cs_cmd_reload, NULL, 0, 0,
	  N_("Only when all of them pass `check`; `serve` does it by itself. What runs already keeps its flow and agents.") },
	{ "runs", "[--state STATE] [--flow FLOW] [--limit N]", N_("list the runs, newest first"), cs_cmd_runs, cs_cli_flags_runs, 0, 0,
	  NULL },
	{ "show", "RUN", N_("one run's state"), cs_cmd_show, NULL, 1, 1, NULL },
	{ "trace", "RUN [--format tree|json] [--follow]", N_("what happened in a run"), cs_cmd_trace, cs_cli_flags_trace, 1, 1, NULL },
	{ "why", "SEQ", N_("the chain of causes of an event"), cs_cmd_why, NULL, 1, 1, NULL },
	{ "inbox", "[show ID] [--all]", N_("what waits for the operator"), cs_cmd_inbox, cs_cli_flags_inbox, 0, 2, NULL },
	{ "approve", "ID... [--note TEXT] [--word WORD]", N_("let it go out as shown"), cs_cmd_decide, cs_cli_flags_decide, 1, -1,
	  DECIDE_MORE },
	{ "reject", "ID... [--note TEXT]", N_("refuse it"), cs_cmd_decide, cs_cli_flags_decide, 1, -1, DECIDE_MORE },
	{ "respond", "ID --value JSON|--note TEXT", N_("answer a question, or send it back with a note"), cs_cmd_decide,
	  cs_cli_flags_respond, 1, -1, DECIDE_MORE },
	{ "edit", "ID --value JSON|@FILE|-", N_("propose it changed; prints the new id"), cs_cmd_decide, cs_cli_flags_respond, 1, 1, NULL },
	{ "snooze", "ID... --for D|--until TIME", N_("hide it until then"), cs_cmd_decide, cs_cli_flags_snooze, 1, -1, NULL },
	{ "delegate", "ID... --to NAME", N_("give it to another"), cs_cmd_decide, cs_cli_flags_delegate, 1, -1, NULL },
	{ "undo", "ID...", N_("take a decision back while its grace runs"), cs_cmd_decide, cs_cli_flags_decide, 1, -1, NULL },
	{ "dismiss", "ID...", N_("close a notice or a fault"), cs_cmd_decide, cs_cli_flags_decide, 1, -1,
	  N_("A fault is closed with all that wait for the same cause.") },
	{ "resolve", "ID happened|did-not|repeat [--value JSON] [--word repeat]", N_("say what became of an effect in doubt"),
	  cs_cmd_resolve, cs_cli_flags_resolve, 2, 2,
	  N_("happened: it went out, --value is its result. did-not: the flow gets an error. repeat: it is sent once\n"
	     "more with a new key; confirm with --word repeat.") },
	{ "pause", "RUN...", N_("let no further step begin"), cs_cmd_control, cs_cli_flags_control, 1, -1, NULL },
	{ "resume", "RUN...", N_("go on after pause"), cs_cmd_control, cs_cli_flags_control, 1, -1, NULL },
	{ "cancel", "RUN... [--note TEXT]", N_("end a run"), cs_cmd_control, cs_cli_flags_control, 1, -1, NULL },
	{ "retry", "RUN|ITEM... [--adopt] [--word repeat] [--note TEXT]", N_("go on where a run faulted, or is stuck"), cs_cmd_control, cs_cli_flags_retry, 1, -1,
	  N_("The item of a fault stands for every run that waits in the inbox for the same cause: all are retried. --adopt\n"
	     "has each take its flow as it is now first; one that cannot drops out alone. Where the effect was answered, and so\n"
	     "has happened, it would be sent once more: that is refused unless confirmed with --word repeat.") },
	{ "rollback", "RUN [--task TASK] [--note TEXT]", N_("take back what a run did that is over"), cs_cmd_control, cs_cli_flags_rollback, 1, 1,
	  N_("In reverse order, by what its operations declare as `reverse`; --task takes back the latest of one task alone.") },
	{ "waive", "RUN --note TEXT", N_("leave what could not be taken back as it is"), cs_cmd_control, cs_cli_flags_control, 1, 1,
	  N_("For a run that is stuck: the rest is taken back. The reason is kept in the log.") },
	{ "adopt", "RUN|ITEM... [--note TEXT]", N_("have a run take its flow as it is now"), cs_cmd_control, cs_cli_flags_control, 1, -1,
	  N_("What it has done must stand in the new definition as it was; else it is refused and says which task stands in\n"
	     "the way. What waits with other content is asked about again.") },
	{ "correct", "RUN|ITEM... [--set PATH=VALUE]... [--with PATH=VALUE]... [--context PATH=VALUE]... [--from TASK] [--flow FILE]",
	  N_("change what a run has not used yet"), cs_cmd_correct, cs_cli_flags_correct, 1, -1,
	  N_("For a run that is paused, waits or has faulted; the item of a fault stands for all of its cause. --set is what\n"
	     "comes in to the task where it rests, --with what that is called with; what is done stays. It says what is\n"
	     "changed and which command goes on; --retry goes on at once (with --word repeat where `retry` asks for it).") },
	{ "replay", "RUN [--from TASK] [--set PATH=VALUE]... [--flow FILE] [--ask]", N_("run it again; nothing is sent"), cs_cmd_replay,
	  cs_cli_flags_replay, 1, 1,
	  N_("Prints the new run's id, then what `diff OLD NEW` prints. --set goes into the run's input, or with --from\n"
	     "into that task's.") },
	{ "diff", "RUN RUN", N_("what differs between two runs"), cs_cmd_diff, NULL, 2, 2, NULL },
	{ "archive", "[--older-than DURATION]", N_("move old events out of the database"), cs_cmd_archive, cs_cli_flags_archive, 0, 0,
	  N_("Into signed, compressed segments in .capstan/archive, each read back before anything is deleted: what runs did\n"
	     "that ended before then and wait for nothing. All commands read them there too. Without --older-than what\n"
	     "capstan.yaml says as retention.archive, or 30 days.") },
	{ "export", "RUN... [--output FILE|-]", N_("write runs as signed text"), cs_cmd_export, cs_cli_flags_export, 1, -1,
	  N_("With the runs that their tasks started, and their definitions; without key, vault or secrets. One that is not\n"
	     "over is written as it stands. A file that is there already is not overwritten.") },
	{ "import", "FILE [--trust KEY]", N_("take runs of another workspace in, to look at and replay"), cs_cmd_import, cs_cli_flags_import,
	  1, 1,
	  N_("All of it or nothing: what was altered or cut off is refused with its line. --trust names the signer's key\n"
	     "(the line of their .capstan/key.pub, or its 64 hex digits) the first time. Imported runs are marked, never go on, and can be\n"
	     "shown, traced, compared and replayed.") },
	{ "hold", "[--note TEXT]", N_("nothing leaves any more"), cs_cmd_hold, cs_cli_flags_hold, 0, 0, NULL },
	{ "release", "[--note TEXT]", N_("effects may leave again"), cs_cmd_release, cs_cli_flags_hold, 0, 0, NULL },
	{ "connectors", "[list | test NAME | mode NAME off|dry|hold|live]", N_("what leaves through each, and its mode"), cs_cmd_connectors, NULL, 0, 3,
	  N_("Of a connector's mode in its file and the one set here the more careful holds: off, then dry (rendered and\n"
	     "simulated), then hold (each effect asks), then live. `http` is the connector of what flows write out.\n"
	     "test makes one harmless call, a read that the connector declares, else a look at whether its address\n"
	     "answers, as a run of its own; where nothing may leave, it says why and sends nothing.") },
	{ "vault", "init [--key-file FILE] | set NAME | list | rm NAME | unlock | lock", N_("secrets, for connectors and flows"), cs_cmd_vault,
	  cs_cli_flags_vault, 1, 2,
	  N_("set reads the value from stdin, or asks for it. It never comes out again: list shows names, dates and who\n"
	     "uses them. unlock opens the vault in the engine that runs, lock closes it there; what needs a secret\n"
	     "waits meanwhile.") },
	{ "verify", "", N_("check the log: chain, bodies, anchor"), cs_cmd_verify, NULL, 0, 0, NULL },
	{ "rebuild", "[--check]", N_("make the tables again from the log"), cs_cmd_rebuild, cs_cli_flags_rebuild, 0, 0, NULL },
	{ "backup", "FILE [--without-key]", N_("the state in one file, while an engine runs too"), cs_cmd_backup, cs_cli_flags_backup, 1, 1,
	  N_("Nothing is overwritten. The copy is opened and checked, the file is read back, before it has its name. It\n"
	     "holds the database, the workspace's key and its sealed vault; not the files that you write.") },
	{ "restore", "FILE [DIR] [--key-file FILE]", N_("the state out of a backup"), cs_cmd_restore, cs_cli_flags_restore, 1, 2,
	  N_("Into this workspace, or DIR, where there is no database yet. It is another incarnation, simulated and held:\n"
	     "see that the other does not go on, then `capstan live` and `capstan release`.") },
	{ "doctor", "", N_("look at the machine and the workspace"), cs_cmd_doctor, NULL, 0, 0, NULL },
	{ "stats", "", N_("counts"), cs_cmd_stats, NULL, 0, 0, NULL },
	{ "help", "[COMMAND]", N_("this, or one command"), cs_cmd_help, NULL, 0, 1, NULL },
	{ "completion", "bash|zsh", N_("print the shell's completion"), cs_cmd_completion, NULL, 1, 1, NULL },
	{ "version", "", N_("the version and the licence"), cs_cmd_version, NULL, 0, 0, NULL },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};

const char *const cs_cli_commands_later[] = {
	"promote", "eval", "memory",
	"away", "mcp", NULL,
};

const cs_cli_command *cs_cli_command_find(const char *name)
{
	for (const cs_cli_command *k = cs_cli_commands; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}
