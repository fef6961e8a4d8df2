/* What a pilot reads from Slurm's and HTCondor's environment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "pilot/engine.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1700000000)
#define MIB INT64_C(1048576)

static const char *const names[] = {
	"SLURM_JOB_ID",         "SLURM_ARRAY_JOB_ID",  "SLURM_ARRAY_TASK_ID",
	"SLURM_CPUS_ON_NODE",   "SLURM_CPUS_PER_TASK", "SLURM_STEP_ID",
	"SLURM_STEP_NUM_TASKS", "SLURM_MEM_PER_NODE",  "SLURM_MEM_PER_CPU",
	"SLURM_JOB_END_TIME",   "SLURM_TMPDIR",        "TMPDIR",
	"_CONDOR_SCRATCH_DIR",  "_CONDOR_MACHINE_AD",  "_CONDOR_JOB_AD",
};

static struct arena *arena;
static struct engine got;

/* Pairs of name and value, ended by NULL, are the whole environment. */
static void detect(const char *const *env)
{
	for (size_t i = 0; i < UNIT_N(names); i++)
		unsetenv(names[i]);
	for (; *env; env += 2)
		setenv(env[0], env[1], 1);
	arena_free(arena);
	arena = arena_new();
	engine_detect(arena, NOW, &got);
}

static const char *file(const char *text)
{
	return unit_file(text, strlen(text));
}

static void no_batch_system_says_nothing(void)
{
	static const char *const env[] = { "TMPDIR", "/tmp", NULL };

	detect(env);
	CHECK_NULL(got.name);
	CHECK_NULL(got.batch_id);
	CHECK_NULL(got.scratch);
	CHECK_INT_EQ(got.cores, 0);
	CHECK_INT_EQ(got.memory, 0);
	CHECK_INT_EQ(got.lifetime_s, 0);
}

static void slurm_tells_everything(void)
{
	static const char *const env[] = { "SLURM_JOB_ID",
					   "4711",
					   "SLURM_CPUS_ON_NODE",
					   "16",
					   "SLURM_MEM_PER_NODE",
					   "2048",
					   "SLURM_JOB_END_TIME",
					   "1700003600",
					   "SLURM_TMPDIR",
					   "/scratch/4711",
					   NULL };

	detect(env);
	CHECK_STR_EQ(got.name, "slurm");
	CHECK_STR_EQ(got.batch_id, "4711");
	CHECK_STR_EQ(got.scratch, "/scratch/4711");
	CHECK_INT_EQ(got.cores, 16);
	CHECK_INT_EQ(got.memory, 2048 * MIB);
	CHECK_INT_EQ(got.lifetime_s, 3600);
}

static void a_task_of_a_step_has_its_share(void)
{
	static const char *const env[] = { "SLURM_JOB_ID",
					   "1",
					   "SLURM_CPUS_ON_NODE",
					   "16",
					   "SLURM_STEP_ID",
					   "0",
					   "SLURM_STEP_NUM_TASKS",
					   "4",
					   "SLURM_CPUS_PER_TASK",
					   "4",
					   "SLURM_MEM_PER_CPU",
					   "100",
					   NULL };

	detect(env);
	CHECK_INT_EQ(got.cores, 4);
	CHECK_INT_EQ(got.memory, 400 * MIB);
}

static void an_array_task_is_named_as_slurm_names_it(void)
{
	static const char *const env[] = { "SLURM_JOB_ID",
					   "12",
					   "SLURM_ARRAY_JOB_ID",
					   "10",
					   "SLURM_ARRAY_TASK_ID",
					   "2",
					   "TMPDIR",
					   "/tmp/x",
					   NULL };

	detect(env);
	CHECK_STR_EQ(got.batch_id, "10_2");
	CHECK_STR_EQ(got.scratch, "/tmp/x");
}

static void an_allocation_that_is_over_has_a_second_left(void)
{
	static const char *const env[] = { "SLURM_JOB_ID", "1",
					   "SLURM_JOB_END_TIME", "1699999999",
					   NULL };

	detect(env);
	CHECK_INT_EQ(got.lifetime_s, 1);
}

static void nonsense_counts_as_unknown(void)
{
	static const char *const env[] = { "SLURM_JOB_ID",
					   "1",
					   "SLURM_CPUS_ON_NODE",
					   "many",
					   "SLURM_MEM_PER_NODE",
					   "99999999999999999999",
					   "SLURM_JOB_END_TIME",
					   "-5",
					   NULL };

	detect(env);
	CHECK_INT_EQ(got.cores, 0);
	CHECK_INT_EQ(got.memory, 0);
	CHECK_INT_EQ(got.lifetime_s, 0);
}

static void condor_tells_by_its_ads(void)
{
	const char *env[] = { "_CONDOR_SCRATCH_DIR",
			      "/var/execute/dir_1",
			      "_CONDOR_MACHINE_AD",
			      NULL,
			      "_CONDOR_JOB_AD",
			      NULL,
			      NULL };

	env[3] = file("CpusX = 9\ncpus = 4\nMemory = 1000\nName = \"x\"\n");
	env[5] = file("ClusterId = 55\nProcId = 3\nMaxRuntime = 90000\n"
		      "JobCurrentStartDate = 1699999000\n"
		      "AllowedJobDuration = UNDEFINED\n");
	detect(env);
	CHECK_STR_EQ(got.name, "condor");
	CHECK_STR_EQ(got.batch_id, "55.3");
	CHECK_STR_EQ(got.scratch, "/var/execute/dir_1");
	CHECK_INT_EQ(got.cores, 4);
	CHECK_INT_EQ(got.memory, 1000 * MIB);
	CHECK_INT_EQ(got.lifetime_s, 89000);
}

static void missing_ads_leave_gaps(void)
{
	static const char *const env[] = { "_CONDOR_SCRATCH_DIR", "/x",
					   "_CONDOR_JOB_AD", "/nonexistent/ad",
					   NULL };

	detect(env);
	CHECK_STR_EQ(got.name, "condor");
	CHECK_NULL(got.batch_id);
	CHECK_INT_EQ(got.cores, 0);
	CHECK_INT_EQ(got.lifetime_s, 0);
}

static const struct unit_test tests[] = {
	{ "no batch system says nothing", no_batch_system_says_nothing },
	{ "Slurm tells everything", slurm_tells_everything },
	{ "a task of a step has its share", a_task_of_a_step_has_its_share },
	{ "an array task is named as Slurm names it",
	  an_array_task_is_named_as_slurm_names_it },
	{ "an allocation that is over has a second left",
	  an_allocation_that_is_over_has_a_second_left },
	{ "nonsense counts as unknown", nonsense_counts_as_unknown },
	{ "HTCondor tells by its ads", condor_tells_by_its_ads },
	{ "missing ads leave gaps", missing_ads_leave_gaps },
};

int main(void)
{
	int status = unit_main("pilot_engine", tests, UNIT_N(tests));

	arena_free(arena);
	return status;
}
