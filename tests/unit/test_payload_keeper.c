/*
 * Nothing that a payload has started outlives its pilot: each test starts a
 * pilot under a keeper, kills one of them, the other or both, and looks
 * whether the payload's processes are gone.
 */
#include "pilot/payload.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/clock.h"
#include "pilot/keeper.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

/* Longer than SETTLED_MS in pilot/workdir.c. */
#define LOOKED_THROUGH_MS 1700

/* A child in the same session, one in another, and a daemon (double fork in
 * another session); each tells its pid. */
static const char tree[] =
	"{\"shell\":\"sleep 1000 & echo $!; "
	"setsid sh -c 'echo $$; exec sleep 1000' & "
	"setsid sh -c '(echo; sleep 1000; :) & exec sh -c \\\"echo $!\\\"'; "
	"wait\"}";

struct scene {
	pid_t keeper, pilot;
	int child[4];
	int n;
	char *spool;
};

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	event_base_loopexit(arg, NULL);
}

/* Runs in the pilot: says its pid and the children's, then stays. */
_Noreturn static void be_pilot(int fd, const char *spool)
{
	struct kit_run r;
	struct event *term;
	char *out, line[64];
	int64_t len;
	int n;

	keeper_become();
	kit_settings.spool = spool;
	kit_open();
	term = evsignal_new(kit_settings.base, SIGTERM, on_signal,
			    kit_settings.base);
	event_add(term, NULL);
	kit_start(&r, tree, NULL);
	do {
		kit_wait_output(&r, PAYLOAD_STDOUT, 1);
		out = kit_output(&r, PAYLOAD_STDOUT, &len);
		n = 0;
		for (char *p = out; (p = strchr(p, '\n')); p++)
			n++;
		if (n < 4) {
			free(out);
			event_base_loop(kit_settings.base, EVLOOP_NONBLOCK);
		}
	} while (n < 4);
	n = snprintf(line, sizeof(line), "%d\n", (int)getpid());
	if (write(fd, line, (size_t)n) != n || write(fd, out, (size_t)len) < 0)
		_exit(99);
	close(fd);
	free(out);
	event_base_dispatch(kit_settings.base);
	/* SIGTERM: end the payload, then leave with a status of its own. */
	payload_kill(r.p, PAYLOAD_DRAIN, 0);
	kit_wait(&r.ended);
	kit_free(&r);
	payload_host_free(kit_host);
	_exit(42);
}

static void set_scene(struct scene *s)
{
	int fds[2];
	FILE *f;

	memset(s, 0, sizeof(*s));
	kit_defaults();
	s->spool = strdup(kit_settings.spool);
	REQUIRE(pipe(fds) == 0);
	s->keeper = fork();
	REQUIRE(s->keeper >= 0);
	if (s->keeper == 0) {
		close(fds[0]);
		be_pilot(fds[1], s->spool);
	}
	close(fds[1]);
	f = fdopen(fds[0], "r");
	REQUIRE(f != NULL && fscanf(f, "%d", &s->pilot) == 1);
	while (s->n < 4 && fscanf(f, "%d", &s->child[s->n]) == 1)
		s->n++;
	fclose(f);
	CHECK_INT_EQ(s->n, 3);
	for (int i = 0; i < s->n; i++)
		CHECK_INT_EQ(kill(s->child[i], 0), 0);
}

static int end_scene(struct scene *s)
{
	int status = 0;

	REQUIRE(waitpid(s->keeper, &status, 0) == s->keeper);
	free(s->spool);
	return status;
}

static void all_die(const struct scene *s)
{
	CHECK_TRUE(kit_dies(s->pilot));
	for (int i = 0; i < s->n; i++)
		CHECK_TRUE(kit_dies(s->child[i]));
}

static void killed_pilot_takes_everything_with_it(void)
{
	struct scene s;
	int status;

	set_scene(&s);
	kill(s.pilot, SIGKILL);
	status = end_scene(&s);
	/* The keeper goes last. */
	for (int i = 0; i < s.n; i++)
		CHECK_TRUE(kill(s.child[i], 0) != 0);
	CHECK_TRUE(WIFEXITED(status));
	CHECK_INT_EQ(WEXITSTATUS(status), 128 + SIGKILL);
}

static void killed_keeper_takes_everything_with_it(void)
{
	struct scene s;

	set_scene(&s);
	kill(s.keeper, SIGKILL);
	all_die(&s);
	CHECK_TRUE(WIFSIGNALED(end_scene(&s)));
}

static void next_pilot_ends_what_both_have_left(void)
{
	struct scene s;

	set_scene(&s);
	kill(s.keeper, SIGSTOP);
	kill(s.pilot, SIGKILL);
	kill(s.keeper, SIGKILL);
	CHECK_TRUE(kit_dies(s.pilot));
	CHECK_TRUE(kit_dies(s.keeper));
	kit_settings.spool = s.spool;
	kit_open();
	all_die(&s);
	kit_close();
	(void)end_scene(&s);
}

static void keeper_forwards_signals_and_the_exit_status(void)
{
	struct scene s;
	int status;

	set_scene(&s);
	kill(s.keeper, SIGTERM);
	status = end_scene(&s);
	CHECK_TRUE(WIFEXITED(status));
	CHECK_INT_EQ(WEXITSTATUS(status), 42);
	all_die(&s);
}

static void pilot_and_keeper_cannot_be_read_by_others(void)
{
	struct stat st;
	char path[64];
	struct scene s;

	set_scene(&s);
	/* What is undumpable belongs to root in /proc; as root there is
	 * nothing to see but the mode that forbids core files. */
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)s.pilot);
	if (CHECK_INT_EQ(stat(path, &st), 0))
		CHECK_INT_EQ(st.st_uid, 0);
	kill(s.pilot, SIGKILL);
	(void)end_scene(&s);
}

/* In a process of its own, for it becomes a pilot. */
static void run_and_reuse(void *arg)
{
	struct kit_run r;
	char *out;

	(void)arg;
	keeper_become();
	kit_open();
	for (int i = 0; i < 3; i++) {
		kit_run(&r, "{\"shell\":\"pwd | grep -c slot-0; cat "
			    "../stdout >&2\"}");
		out = kit_output(&r, PAYLOAD_STDOUT, NULL);
		if (strcmp(out, "1\n") != 0)
			_exit(1);
		free(out);
		kit_free(&r);
	}
	/* A daemon that has taken the run's name away keeps the directory
	 * from the next one. */
	kit_run(&r, "{\"shell\":\"(env -i setsid sh -c 'echo away; "
		    "exec sleep 1000' &); "
		    "until grep -q away ../stdout; do :; done\"}");
	kit_free(&r);
	kit_run(&r, "{\"shell\":\"pwd\"}");
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	if (strstr(out, "slot-0/"))
		_exit(2);
	free(out);
	kit_free(&r);
	payload_host_free(kit_host);
	_exit(7);
}

static void clean_directories_are_used_again(void)
{
	kit_defaults();
	CHECK_DIES(run_and_reuse, NULL, UNIT_EXIT(7), "");
}

/* The slot that a shell command ran in; -1 = it failed. */
static int slot_of(const char *definition)
{
	struct kit_run r;
	char *out, *at;
	int slot = -1;

	kit_run(&r, definition);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	at = strstr(out, "slot-");
	if (r.end.exit_code == 0 && at)
		slot = atoi(at + strlen("slot-"));
	free(out);
	kit_free(&r);
	return slot;
}

static void run_and_change(void *arg)
{
	int64_t until_ms = clock_mono_ms() + LOOKED_THROUGH_MS;

	(void)arg;
	keeper_become();
	kit_open();
	/* By then the directories are no longer looked through. */
	while (clock_mono_ms() < until_ms)
		if (slot_of("{\"argv\":[\"pwd\"]}") != 0)
			_exit(1);
	/* What is gone again does no harm; what is there does, and so does
	 * another name of the output. */
	if (slot_of("{\"shell\":\"pwd; touch a ../b; rm a ../b\"}") != 0 ||
	    slot_of("{\"shell\":\"pwd; touch a\"}") != 0)
		_exit(2);
	if (slot_of("{\"shell\":\"pwd; ! test -e a; touch ../b\"}") != 1)
		_exit(3);
	if (slot_of("{\"shell\":\"pwd; ln ../stdout ../../named\"}") != 2)
		_exit(4);
	if (slot_of("{\"argv\":[\"pwd\"]}") != 3)
		_exit(5);
	payload_host_free(kit_host);
	_exit(7);
}

static void changed_directory_is_not_used_again(void)
{
	kit_defaults();
	CHECK_DIES(run_and_change, NULL, UNIT_EXIT(7), "");
}

static const struct unit_test tests[] = {
	{ "a killed pilot takes everything with it",
	  killed_pilot_takes_everything_with_it },
	{ "a killed keeper takes everything with it",
	  killed_keeper_takes_everything_with_it },
	{ "the next pilot ends what both have left",
	  next_pilot_ends_what_both_have_left },
	{ "the keeper forwards signals and the exit status",
	  keeper_forwards_signals_and_the_exit_status },
	{ "pilot and keeper cannot be read by others",
	  pilot_and_keeper_cannot_be_read_by_others },
	{ "clean directories are used again",
	  clean_directories_are_used_again },
	{ "a changed directory is not used again",
	  changed_directory_is_not_used_again },
};

int main(void)
{
	return unit_main("payload_keeper", tests, UNIT_N(tests));
}
