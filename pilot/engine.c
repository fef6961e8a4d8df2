/* Reads the batch system's word about cores, memory, time and place. */
#include "pilot/engine.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MIB INT64_C(1048576)
#define AD_LINE_MAX 4096

static const char *env_text(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

/* The leading whole number ("2(x3)" gives 2); 0 when there is none. */
static int64_t number(const char *s)
{
	char *end;
	long long v;

	if (!s)
		return 0;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (end == s || errno || v < 0 || v > INT64_MAX / MIB)
		return 0;
	return v;
}

static int64_t env_number(const char *name)
{
	return number(env_text(name));
}

/* Time that is left until end_s; something, even when it is over. */
static int64_t time_left(int64_t end_s, int64_t now_s)
{
	if (end_s <= 0)
		return 0;
	return end_s > now_s ? end_s - now_s : 1;
}

static int64_t slurm_cores(void)
{
	int64_t per_task = env_number("SLURM_CPUS_PER_TASK");

	/* In a step of several tasks each pilot has one task's share; else the
	 * pilot has what the allocation holds of this node. */
	if (env_text("SLURM_STEP_ID") && env_number("SLURM_STEP_NUM_TASKS") > 1)
		return per_task ? per_task : 1;
	if (env_number("SLURM_CPUS_ON_NODE"))
		return env_number("SLURM_CPUS_ON_NODE");
	return per_task;
}

static int64_t slurm_memory(int64_t cores)
{
	int64_t per_cpu = env_number("SLURM_MEM_PER_CPU"), all;

	if (!per_cpu)
		return env_number("SLURM_MEM_PER_NODE") * MIB;
	/* More than there is memory in the world is no word of Slurm's. */
	if (__builtin_mul_overflow(per_cpu * MIB, cores ? cores : 1, &all))
		return 0;
	return all;
}

static bool slurm_detect(struct arena *a, int64_t now_s, struct engine *out)
{
	const char *array = env_text("SLURM_ARRAY_JOB_ID");
	const char *task = env_text("SLURM_ARRAY_TASK_ID");
	const char *id = env_text("SLURM_JOB_ID");
	const char *scratch = env_text("SLURM_TMPDIR");

	if (!id)
		return false;
	out->name = "slurm";
	out->batch_id = array && task ? arena_printf(a, "%s_%s", array, task)
				      : arena_strdup(a, id);
	out->scratch = arena_strdup(a, scratch ? scratch : env_text("TMPDIR"));
	out->cores = slurm_cores();
	out->memory = slurm_memory(out->cores);
	out->lifetime_s = time_left(env_number("SLURM_JOB_END_TIME"), now_s);
	return true;
}

/* One attribute of a ClassAd file ("Name = 12"), names in any case. */
static int64_t ad_number(const char *path, const char *name)
{
	char line[AD_LINE_MAX];
	size_t len = strlen(name);
	int64_t found = -1;
	FILE *f = path ? fopen(path, "re") : NULL;

	if (!f)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), f)) {
		const char *s = line;

		while (isspace((unsigned char)*s))
			s++;
		if (strncasecmp(s, name, len) != 0)
			continue;
		s += len;
		while (isspace((unsigned char)*s))
			s++;
		if (*s++ != '=')
			continue;
		while (isspace((unsigned char)*s))
			s++;
		if (isdigit((unsigned char)*s))
			found = number(s);
	}
	fclose(f);
	return found;
}

/* The nearest of the ends that a pool may set for a job; the start of its
 * clock is when the job began to run, which is told, or now. */
static int64_t condor_lifetime(const char *ad, int64_t now_s)
{
	static const char *const bounds[] = { "AllowedJobDuration",
					      "AllowedExecuteDuration",
					      "MaxRuntime" };
	int64_t start = ad_number(ad, "JobCurrentStartDate"), least = 0;

	if (start <= 0)
		start = now_s;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		int64_t v = ad_number(ad, bounds[i]);

		if (v > 0 && (!least || v < least))
			least = v;
	}
	return least ? time_left(start + least, now_s) : 0;
}

static bool condor_detect(struct arena *a, int64_t now_s, struct engine *out)
{
	const char *scratch = env_text("_CONDOR_SCRATCH_DIR");
	const char *machine = env_text("_CONDOR_MACHINE_AD");
	const char *job = env_text("_CONDOR_JOB_AD");
	int64_t cluster, proc, v;

	if (!scratch && !machine && !job)
		return false;
	out->name = "condor";
	out->scratch = arena_strdup(a, scratch);
	cluster = ad_number(job, "ClusterId");
	proc = ad_number(job, "ProcId");
	if (cluster >= 0)
		out->batch_id = arena_printf(a, "%lld.%lld", (long long)cluster,
					     (long long)(proc < 0 ? 0 : proc));
	v = ad_number(machine, "Cpus");
	out->cores = v > 0 ? v : 0;
	v = ad_number(machine, "Memory");
	out->memory = v > 0 ? v * MIB : 0;
	out->lifetime_s = condor_lifetime(job, now_s);
	return true;
}

void engine_detect(struct arena *a, int64_t now_s, struct engine *out)
{
	*out = (struct engine){ 0 };
	if (!slurm_detect(a, now_s, out))
		condor_detect(a, now_s, out);
}
