/* Payloads start, end, are limited and killed as their owner is told. */
#include "pilot/payload.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/clock.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

static void exit_code_is_told(void)
{
	struct kit_run r;

	kit_defaults();
	kit_open();
	kit_run(&r, "{\"shell\":\"exit 7\"}");
	CHECK_TRUE(r.end.started);
	CHECK_TRUE(r.end.exited);
	CHECK_INT_EQ(r.end.exit_code, 7);
	CHECK_INT_EQ(r.end.why, PAYLOAD_BY_ITSELF);
	CHECK_STR_EQ(r.reason, "");
	CHECK_TRUE(r.end.max_rss > 0);
	kit_free(&r);
	kit_run(&r, "{\"payload\":\"true\"}");
	CHECK_TRUE(r.end.exited);
	CHECK_INT_EQ(r.end.exit_code, 0);
	kit_free(&r);
	kit_close();
}

static void signal_is_told(void)
{
	struct kit_run r;

	kit_defaults();
	kit_open();
	kit_run(&r, "{\"shell\":\"kill -SEGV $$\"}");
	CHECK_FALSE(r.end.exited);
	CHECK_INT_EQ(r.end.signal, SIGSEGV);
	CHECK_INT_EQ(r.end.why, PAYLOAD_BY_ITSELF);
	kit_free(&r);
	kit_close();
}

static void what_cannot_run_is_a_nonstarter(void)
{
	static const struct {
		const char *definition, *reason;
	} cases[] = {
		{ "{\"payload\":\"/no/such/program x\"}",
		  "nonstarter: cannot run '/no/such/program' on " },
		{ "{\"payload\":\"/no/such/program x\"}",
		  ": No such file or directory" },
		{ "{\"payload\":\"no-such-program-anywhere\"}",
		  "nonstarter: cannot run 'no-such-program-anywhere' on " },
		{ "{\"argv\":[\"/etc/passwd\"]}", ": Permission denied" },
		{ "{\"payload\":\"/tmp\"}", ": Permission denied" },
		{ "{\"payload\":\"'open quote\"}", "nonstarter: payload" },
		{ "{\"payload\":\"  \"}", "nonstarter: payload is empty" },
		{ "{\"argv\":[]}", "nonstarter: argv is empty" },
		{ "{\"name\":\"x\"}", "no payload, argv or shell" },
		{ "{\"payload\":\"true\",\"cwd\":\"/no/such/place\"}",
		  "nonstarter: cannot enter '/no/such/place' on " },
		{ "{\"payload\":\"true\",\"cwd\":\"/etc/passwd\"}",
		  "Not a directory" },
		{ "{\"payload\":\"true\",\"env\":{\"A=B\":\"c\"}}",
		  "'A=B' cannot be a variable's name" },
		{ "{\"payload\":\"true\",\"umask\":\"9\"}", "not a umask" },
		{ "{\"payload\":\"/none\",\"env\":{\"P3S_MODE\":\"COPY\"}}",
		  "nonstarter: cannot run '/none' on " },
	};

	kit_defaults();
	kit_open();
	for (size_t i = 0; i < UNIT_N(cases); i++) {
		struct kit_run r;

		kit_run(&r, cases[i].definition);
		CHECK_FALSE(r.end.started);
		CHECK_CONTAINS(r.reason, "nonstarter: ");
		CHECK_CONTAINS(r.reason, cases[i].reason);
		CHECK_INT_EQ(payload_pid(r.p), 0);
		payload_kill(r.p, PAYLOAD_CANCEL, -1);
		kit_free(&r);
	}
	kit_close();
}

static void missing_interpreter_is_named_as_the_cause(void)
{
	const char *text = "#!/no/such/interpreter\n";
	const char *path = unit_file(text, strlen(text));
	char def[512];
	struct kit_run r;

	if (kit_valgrind_keeps("execve"))
		return;
	REQUIRE(chmod(path, 0755) == 0);
	snprintf(def, sizeof(def), "{\"argv\":[\"%s\"]}", path);
	kit_defaults();
	kit_open();
	kit_run(&r, def);
	CHECK_FALSE(r.end.started);
	CHECK_CONTAINS(r.reason, "the interpreter that it names is not");
	kit_free(&r);
	kit_close();
}

static void script_without_an_interpreter_runs_in_a_shell(void)
{
	const char *text = "echo \"got $1\"\nexit 3\n";
	const char *path = unit_file(text, strlen(text));
	char def[512], *out;
	struct kit_run r;

	REQUIRE(chmod(path, 0755) == 0);
	snprintf(def, sizeof(def), "{\"argv\":[\"%s\",\"it\"]}", path);
	kit_defaults();
	kit_open();
	kit_run(&r, def);
	CHECK_INT_EQ(r.end.exit_code, 3);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	CHECK_STR_EQ(out, "got it\n");
	free(out);
	kit_free(&r);
	kit_close();
}

static void time_limit_ends_what_ignores_sigterm(void)
{
	struct kit_run r;
	int64_t began = clock_mono_ms();

	kit_defaults();
	kit_settings.grace_ms = 200;
	kit_timeout = "1";
	kit_open();
	kit_run(&r,
		"{\"shell\":\"trap '' TERM; while :; do sleep 0.1; done\"}");
	CHECK_INT_EQ(r.end.why, PAYLOAD_TIMELIMIT);
	CHECK_FALSE(r.end.exited);
	CHECK_INT_EQ(r.end.signal, SIGKILL);
	/* Timers count from the loop's clock, which may lie some ms back; a
	 * busy machine takes its time. */
	CHECK_TRUE(r.end.wall_ms >= 1150 && r.end.wall_ms < 30000);
	CHECK_TRUE(clock_mono_ms() - began < 40000);
	kit_free(&r);
	kit_close();
}

static void exit_within_the_grace_is_told_with_its_cause(void)
{
	struct kit_run r;

	kit_defaults();
	kit_open();
	kit_start(&r,
		  "{\"shell\":\"trap 'echo bye; exit 0' TERM; echo up; "
		  "while :; do sleep 0.05; done\"}",
		  NULL);
	REQUIRE(kit_wait_output(&r, PAYLOAD_STDOUT, 3));
	payload_kill(r.p, PAYLOAD_DRAIN, 10000);
	payload_kill(r.p, PAYLOAD_CANCEL, 10000);
	CHECK_FALSE(r.ended);
	REQUIRE(kit_wait(&r.ended));
	CHECK_INT_EQ(r.end.why, PAYLOAD_DRAIN);
	CHECK_TRUE(r.end.exited);
	CHECK_INT_EQ(r.end.exit_code, 0);
	payload_kill(r.p, PAYLOAD_CANCEL, 0);
	CHECK_INT_EQ(payload_end(r.p)->why, PAYLOAD_DRAIN);
	kit_free(&r);
	kit_close();
}

static void kill_without_grace_is_at_once(void)
{
	struct kit_run r;

	kit_defaults();
	kit_open();
	kit_start(&r, "{\"payload\":\"sleep 1000\"}", NULL);
	CHECK_TRUE(payload_running(r.p));
	payload_kill(r.p, PAYLOAD_STALE, -1);
	payload_kill(r.p, PAYLOAD_STALE, 0);
	REQUIRE(kit_wait(&r.ended));
	CHECK_INT_EQ(r.end.why, PAYLOAD_STALE);
	CHECK_FALSE(r.end.exited);
	CHECK_TRUE(r.end.wall_ms < 5000);
	kit_free(&r);
	kit_close();
}

/* Reads a number that the payload has written on its own line. */
static int read_pid(struct kit_run *r)
{
	char *out = kit_output(r, PAYLOAD_STDOUT, NULL);
	int pid = atoi(out);

	free(out);
	return pid;
}

static void background_children_die_with_the_first_process(void)
{
	struct kit_run r;
	int pid;

	kit_defaults();
	kit_open();
	kit_run(&r, "{\"shell\":\"sleep 1000 & echo $!; exit 0\"}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	pid = read_pid(&r);
	REQUIRE(pid > 1);
	CHECK_TRUE(kit_dies(pid));
	kit_free(&r);
	kit_close();
}

static void kill_reaches_other_sessions(void)
{
	struct kit_run r;
	int pid;

	kit_defaults();
	kit_settings.grace_ms = 100;
	kit_open();
	kit_start(&r,
		  "{\"shell\":\"setsid sh -c 'trap \\\"\\\" TERM; echo $$; "
		  "while :; do sleep 1; done' & wait\"}",
		  NULL);
	REQUIRE(kit_wait_output(&r, PAYLOAD_STDOUT, 2));
	pid = read_pid(&r);
	REQUIRE(pid > 1);
	payload_kill(r.p, PAYLOAD_CANCEL, -1);
	REQUIRE(kit_wait(&r.ended));
	CHECK_TRUE(kit_dies(pid));
	kit_free(&r);
	kit_close();
}

static void child_starts_with_default_signals_and_no_descriptors(void)
{
	struct kit_run r;
	char *out;

	kit_defaults();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	kit_open();
	kit_run(&r, "{\"shell\":\"grep -E 'Sig(Blk|Ign)' /proc/self/status; "
		    "ls /proc/$$/fd; ulimit -c; umask; "
		    "set -- $(cat /proc/$$/stat); "
		    "test $5 = $$ && test $6 = $$ && echo leads\","
		    "\"umask\":\"027\"}");
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	CHECK_STR_EQ(out,
		     "SigBlk:\t0000000000000000\n"
		     "SigIgn:\t0000000000000000\n0\n1\n2\n0\n0027\nleads\n");
	free(out);
	kit_free(&r);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGUSR1, SIG_DFL);
	kit_close();
}

static void thousand_payloads_leave_no_descriptor(void)
{
	struct kit_run r[8];
	int before, failed = 0;

	kit_defaults();
	kit_open();
	kit_run(&r[0], "{\"payload\":\"/bin/true\"}");
	kit_free(&r[0]);
	before = kit_open_descriptors();
	for (int round = 0; round < 125; round++) {
		for (int i = 0; i < 8; i++)
			kit_start(&r[i],
				  i == 3 ? "{\"payload\":\"/none\"}"
					 : "{\"payload\":\"/bin/true\"}",
				  NULL);
		for (int i = 0; i < 8; i++) {
			REQUIRE(kit_wait(&r[i].ended));
			failed += r[i].end.started ? r[i].end.exit_code : 1;
			kit_free(&r[i]);
		}
	}
	CHECK_INT_EQ(failed, 125);
	CHECK_INT_EQ(kit_open_descriptors(), before);
	kit_close();
}

static void grants_that_cannot_be_right_are_refused(void)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "[]", "not an object" },
		{ "{\"run\":\"12\"}", "16 hexadecimal digits" },
		{ "{\"run\":\"0123456789abcdef\"}", "names no job" },
		{ "{\"run\":\"0123456789abcdef\",\"job\":1,\"id\":\"x\"}",
		  "not a UUID" },
		{ "{\"run\":\"0123456789abcdef\",\"job\":1,"
		  "\"id\":\"0192f0c1-1111-7000-8000-000000000001\"}",
		  "no definition" },
		{ "{\"run\":\"0123456789abcdef\",\"job\":1,"
		  "\"id\":\"0192f0c1-1111-7000-8000-000000000001\","
		  "\"definition\":{\"image\":\"debian\"}}",
		  "cannot run 'image'" },
		{ "{\"run\":\"0123456789abcdef\",\"job\":1,"
		  "\"id\":\"0192f0c1-1111-7000-8000-000000000001\","
		  "\"timeout_s\":-1,\"definition\":{}}",
		  "time limit" },
	};

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		struct arena *a = arena_new();
		struct err e = ERR_INIT;
		struct payload_grant g;
		struct json_object *o;

		REQUIRE(json_parse(a, cases[i].text, strlen(cases[i].text), &o,
				   &e));
		CHECK_FALSE(payload_grant_read(a, o, &g, &e));
		CHECK_CONTAINS(e.text, cases[i].part);
		arena_free(a);
	}
}

static const struct unit_test tests[] = {
	{ "an exit code is told", exit_code_is_told },
	{ "a signal is told", signal_is_told },
	{ "what cannot run is a nonstarter", what_cannot_run_is_a_nonstarter },
	{ "a missing interpreter is named as the cause",
	  missing_interpreter_is_named_as_the_cause },
	{ "a script without an interpreter runs in a shell",
	  script_without_an_interpreter_runs_in_a_shell },
	{ "the time limit ends what ignores SIGTERM",
	  time_limit_ends_what_ignores_sigterm },
	{ "an exit within the grace is told with its cause",
	  exit_within_the_grace_is_told_with_its_cause },
	{ "a kill without grace is at once", kill_without_grace_is_at_once },
	{ "background children die with the first process",
	  background_children_die_with_the_first_process },
	{ "a kill reaches other sessions", kill_reaches_other_sessions },
	{ "a child starts with default signals and no descriptors",
	  child_starts_with_default_signals_and_no_descriptors },
	{ "a thousand payloads leave no descriptor",
	  thousand_payloads_leave_no_descriptor },
	{ "grants that cannot be right are refused",
	  grants_that_cannot_be_right_are_refused },
};

int main(void)
{
	return unit_main("payload_life", tests, UNIT_N(tests));
}
