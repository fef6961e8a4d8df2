/* Control groups bound a payload, as far as this machine has them. */
#include "pilot/cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pilot/cgroup_fs.h"
#include "pilot/payload.h"
#include "tests/unit/payload_kit.h"
#include "tests/unit/unit.h"

/* Takes 200 MB in one process. */
#define EAT "head -c 200000000 /dev/zero | tail | wc -c"

static bool have_cgroups(void)
{
	struct cgroups *c = cgroups_open(true);
	bool yes = strcmp(cgroups_kind(c), "none") != 0;

	printf("# control groups: %s\n", cgroups_kind(c));
	cgroups_close(c);
	if (!yes)
		puts("# skipped: no control groups to write here");
	return yes;
}

/* Where the pilot's groups will be made: to be asked for before they are, as
 * version 2 moves the process. */
static bool base_dir(char *out, size_t cap)
{
	char own[4096];

	if (!cgroup_fs_own("memory", own, sizeof(own)) &&
	    !cgroup_fs_own(NULL, own, sizeof(own)))
		return false;
	snprintf(out, cap, "%s/sortie-%d", own, (int)getpid());
	return true;
}

/* Whoever has prepared the machine says what it must be. */
static void kind_is_the_expected_one(void)
{
	const char *expected = getenv("SORTIE_TEST_CGROUPS");
	struct cgroups *c = cgroups_open(true);

	if (expected)
		CHECK_STR_EQ(cgroups_kind(c), expected);
	else
		puts("# skipped: SORTIE_TEST_CGROUPS is not set");
	cgroups_close(c);
}

static void closing_leaves_no_trace(void)
{
	char before[4200], after[4200], kind[8];
	struct cgroups *c;

	if (!have_cgroups())
		return;
	REQUIRE(base_dir(before, sizeof(before)));
	c = cgroups_open(true);
	snprintf(kind, sizeof(kind), "%s", cgroups_kind(c));
	CHECK_INT_EQ(access(before, F_OK), 0);
	cgroups_close(c);
	CHECK_TRUE(access(before, F_OK) != 0);
	REQUIRE(base_dir(after, sizeof(after)));
	CHECK_STR_EQ(after, before);
	c = cgroups_open(true);
	CHECK_STR_EQ(cgroups_kind(c), kind);
	cgroups_close(c);
}

static void check_file(const char *dir, const char *file, const char *want)
{
	char text[64];

	if (CHECK_TRUE(cgroup_fs_read(dir, file, text, sizeof(text))))
		CHECK_STR_EQ(text, want);
}

static void limits_are_the_kernels(void)
{
	char base[4200], dir[4300];
	struct err e = ERR_INIT;
	struct cgroups *c;
	struct cgroup *g;

	if (!have_cgroups())
		return;
	REQUIRE(base_dir(base, sizeof(base)));
	snprintf(dir, sizeof(dir), "%s/limit-test", base);
	c = cgroups_open(true);
	g = cgroup_make(c, "limit-test", 64 << 20, 50, &e);
	REQUIRE(g != NULL);
	if (strcmp(cgroups_kind(c), "v2") == 0) {
		check_file(dir, "memory.max", "67108864\n");
		check_file(dir, "memory.oom.group", "1\n");
		check_file(dir, "memory.swap.max", "0\n");
		check_file(dir, "pids.max", "50\n");
	} else {
		check_file(dir, "memory.limit_in_bytes", "67108864\n");
	}
	cgroup_free(g);
	CHECK_TRUE(access(dir, F_OK) != 0);
	cgroups_close(c);
}

static void group_made_by_a_payload_goes_too(void)
{
	char base[4200], inner[4300];
	struct err e = ERR_INIT;
	struct cgroups *c;
	struct cgroup *g;

	if (!have_cgroups())
		return;
	REQUIRE(base_dir(base, sizeof(base)));
	c = cgroups_open(true);
	g = cgroup_make(c, "nest-test", 64 << 20, 0, &e);
	REQUIRE(g != NULL);
	snprintf(inner, sizeof(inner), "%s/nest-test/its-own", base);
	REQUIRE(mkdir(inner, 0755) == 0);
	cgroup_free(g);
	CHECK_TRUE(access(inner, F_OK) != 0);
	cgroups_close(c);
	CHECK_TRUE(access(base, F_OK) != 0);
}

static void machine_without_groups_makes_none(void)
{
	struct cgroups *c = cgroups_open(false);
	struct err e = ERR_INIT;

	CHECK_STR_EQ(cgroups_kind(c), "none");
	CHECK_NULL(cgroup_make(c, "0123456789abcdef", 1 << 20, 10, &e));
	CHECK_INT_EQ(e.code, ERR_NONE);
	cgroups_close(c);
}

static pid_t start_in(struct cgroup *g, const char *shell)
{
	size_t n;
	const int *fd = cgroup_join_fds(g, &n);
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (size_t i = 0; i < n; i++)
		if (write(fd[i], "0", 1) != 1)
			_exit(126);
	execl("/bin/sh", "sh", "-c", shell, (char *)NULL);
	_exit(127);
}

static void kill_reaches_all_and_the_group_goes(void)
{
	struct cgroups *c;
	struct cgroup *g;
	struct err e = ERR_INIT;
	int status, fds[2];
	char byte;
	pid_t pid;

	if (!have_cgroups())
		return;
	c = cgroups_open(true);
	g = cgroup_make(c, "kill-test", 64 << 20, 50, &e);
	REQUIRE(g != NULL);
	CHECK_TRUE(cgroup_empty(g));
	REQUIRE(pipe(fds) == 0);
	REQUIRE(dup2(fds[1], 9) == 9);
	pid = start_in(g, "setsid sleep 1000 & echo >&9; wait");
	REQUIRE(read(fds[0], &byte, 1) == 1);
	CHECK_FALSE(cgroup_empty(g));
	cgroup_kill(g);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_TRUE(WIFSIGNALED(status));
	close(fds[1]);
	close(9);
	/* The pipe ends when the last process of the group is dead. */
	CHECK_INT_EQ(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	for (int i = 0; i < 1000 && !cgroup_empty(g); i++)
		sched_yield();
	cgroup_free(g);
	cgroups_close(c);
}

static void kill_works_process_by_process(void)
{
	struct cgroups *c;
	struct cgroup *g;
	struct err e = ERR_INIT;
	char base[4200], dir[4300];
	int status;
	pid_t pid;

	if (!have_cgroups())
		return;
	REQUIRE(base_dir(base, sizeof(base)));
	c = cgroups_open(true);
	g = cgroup_make(c, "each-test", 0, 0, &e);
	REQUIRE(g != NULL);
	pid = start_in(g, "exec sleep 1000");
	snprintf(dir, sizeof(dir), "%s/each-test", base);
	while (cgroup_empty(g))
		sched_yield();
	do {
		cgroup_fs_kill_each(dir);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	CHECK_TRUE(WIFSIGNALED(status));
	cgroup_free(g);
	cgroups_close(c);
}

static void payload_out_of_memory_says_so(void)
{
	struct kit_run r;

	if (!have_cgroups())
		return;
	kit_defaults();
	kit_settings.cgroups = true;
	kit_open();
	kit_run(&r, "{\"shell\":\"" EAT "; exit 1\",\"memory\":33554432}");
	CHECK_STR_EQ(r.reason, "out of memory (limit 32 MiB)");
	kit_free(&r);
	kit_run(&r, "{\"shell\":\"echo fits\",\"memory\":33554432}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	CHECK_STR_EQ(r.reason, "");
	kit_free(&r);
	kit_close();
}

static void group_ends_what_has_run_away(void)
{
	struct kit_run r;
	char *out;

	if (!have_cgroups())
		return;
	kit_defaults();
	kit_settings.cgroups = true;
	kit_open();
	kit_run(&r, "{\"shell\":\"env -i setsid sh -c 'sleep 1000 & "
		    "echo $!'\",\"memory\":33554432}");
	CHECK_INT_EQ(r.end.exit_code, 0);
	out = kit_output(&r, PAYLOAD_STDOUT, NULL);
	REQUIRE(atoi(out) > 1);
	CHECK_TRUE(kit_dies(atoi(out)));
	free(out);
	kit_free(&r);
	kit_close();
}

static void limit_holds_without_a_group_too(void)
{
	struct kit_run r;

	if (kit_valgrind_keeps("RLIMIT_DATA"))
		return;
	kit_defaults();
	kit_open();
	kit_run(&r, "{\"shell\":\"ulimit -d\",\"memory\":1073741824}");
	if (CHECK_INT_EQ(r.end.exit_code, 0)) {
		char *out = kit_output(&r, PAYLOAD_STDOUT, NULL);

		CHECK_STR_EQ(out, "1048576\n");
		free(out);
	}
	kit_free(&r);
	kit_close();
}

static void groups_of_a_dead_pilot_are_removed(void)
{
	char dir[4200], run[4300];
	struct cgroups *c;
	int status;
	pid_t pid;

	if (!have_cgroups())
		return;
	pid = fork();
	if (pid == 0)
		_exit(!(base_dir(dir, sizeof(dir)) && mkdir(dir, 0755) == 0));
	REQUIRE(waitpid(pid, &status, 0) == pid);
	REQUIRE(status == 0);
	REQUIRE(base_dir(dir, sizeof(dir)));
	snprintf(strrchr(dir, '-'), 16, "-%d", (int)pid);
	snprintf(run, sizeof(run), "%s/0123456789abcdef", dir);
	REQUIRE(mkdir(run, 0755) == 0);
	c = cgroups_open(true);
	CHECK_TRUE(access(dir, F_OK) != 0);
	cgroups_close(c);
}

static const struct unit_test tests[] = {
	{ "the kind is the expected one", kind_is_the_expected_one },
	{ "closing leaves no trace", closing_leaves_no_trace },
	{ "the limits are the kernel's", limits_are_the_kernels },
	{ "a group made by a payload goes too",
	  group_made_by_a_payload_goes_too },
	{ "a machine without groups makes none",
	  machine_without_groups_makes_none },
	{ "a kill reaches all and the group goes",
	  kill_reaches_all_and_the_group_goes },
	{ "the kill works process by process", kill_works_process_by_process },
	{ "a payload out of memory says so", payload_out_of_memory_says_so },
	{ "a group ends what has run away", group_ends_what_has_run_away },
	{ "groups of a dead pilot are removed",
	  groups_of_a_dead_pilot_are_removed },
	{ "the limit holds without a group too",
	  limit_holds_without_a_group_too },
};

int main(void)
{
	return unit_main("payload_cgroup", tests, UNIT_N(tests));
}
