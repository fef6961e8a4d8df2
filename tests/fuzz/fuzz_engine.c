/*
 * Any words of a batch system, in the environment and in the files that it
 * names: numbers that can be used come of it, whatever stands there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lib/log.h"
#include "pilot/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOW_S INT64_C(1790000000)

/* A line of the input sets the variable that its first byte chooses. */
static const char *const names[] = {
	"SLURM_JOB_ID",        "SLURM_ARRAY_JOB_ID",  "SLURM_ARRAY_TASK_ID",
	"SLURM_TMPDIR",        "SLURM_STEP_ID",       "SLURM_STEP_NUM_TASKS",
	"SLURM_CPUS_ON_NODE",  "SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_CPU",
	"SLURM_MEM_PER_NODE",  "SLURM_JOB_END_TIME",  "TMPDIR",
	"_CONDOR_SCRATCH_DIR",
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* What stands behind an empty line is the file of both ads. */
static const char *ad_of(const char *text)
{
	static char path[64];
	static int fd = -1;
	size_t len = strlen(text);

	if (fd < 0) {
		fd = memfd_create("ad", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, len, 0) != (ssize_t)len)
		log_die("the file in memory cannot be written");
	return path;
}

static void set_environment(struct arena *a, char *text)
{
	char **env = ARENA_ARRAY(a, char *, N_NAMES + 3);
	size_t n = 0;

	while (*text != '\0' && *text != '\n' && n < N_NAMES) {
		size_t len = strcspn(text, "\n");
		const char *name = names[(unsigned char)*text % N_NAMES];

		env[n++] = arena_printf(a, "%s=%.*s", name, (int)len - 1,
					text + 1);
		text += len;
		text += *text == '\n';
	}
	if (*text == '\n') {
		const char *path = ad_of(text + 1);

		env[n++] = arena_printf(a, "_CONDOR_MACHINE_AD=%s", path);
		env[n++] = arena_printf(a, "_CONDOR_JOB_AD=%s", path);
	}
	environ = env;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	char **old = environ;
	struct engine out;

	set_environment(a, arena_strndup(a, (const char *)data, len));
	engine_detect(a, NOW_S, &out);
	environ = old;
	if (out.cores < 0 || out.memory < 0 || out.lifetime_s < 0)
		BUG("%lld cores, %lld bytes, %lld s", (long long)out.cores,
		    (long long)out.memory, (long long)out.lifetime_s);
	if (out.name == NULL && (out.batch_id != NULL || out.cores > 0))
		BUG("a word of no batch system");
	arena_free(a);
	return 0;
}
