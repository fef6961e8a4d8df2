/*
 * The machine's limit for real payloads: how many /bin/true a loop of vfork
 * and exec gets through, two in flight.
 */
#include <err.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/bench/bench.h"

static void spawn(const char *program)
{
	char *const argv[] = { (char *)program, NULL };
	/* What a pilot does at best: the child does nothing but exec.
	 * NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
	pid_t pid = vfork();

	if (pid == 0) {
		execv(program, argv);
		_exit(127);
	}
	if (pid < 0)
		err(1, "vfork");
}

static void reap(const char *program)
{
	int status;

	if (wait(&status) < 0)
		err(1, "wait");
	if (status != 0)
		errx(1, "\"%s\" did not work", program);
}

int main(int argc, char **argv)
{
	int64_t count = 10000, in_flight = 2, start;
	const char *program = "/bin/true";

	bench_options(argc, argv,
		      (const struct bench_option[]){
			      { "count", NULL, &count },
			      { "in-flight", NULL, &in_flight },
			      { "program", &program, NULL },
			      { NULL, NULL, NULL } });
	start = clock_mono_us();
	for (int64_t i = 0; i < count + in_flight; i++) {
		if (i >= in_flight)
			reap(program);
		if (i < count)
			spawn(program);
	}
	bench_print("spawns_per_s",
		    (double)count * 1e6 / (double)(clock_mono_us() - start));
	return 0;
}
