/* `sortie job wait`: until jobs have ended, with their exit status. */
#include "clients/commands.h"
#include "clients/wait.h"

struct opts {
	struct cli_settings common;
	int64_t timeout_s;
};

static const struct opt opts[] = {
	{ .name = "timeout",
	  .kind = OPT_SECONDS,
	  .offset = offsetof(struct opts, timeout_s),
	  .max = INT64_C(1000000000),
	  .arg = "TIME",
	  .help = "Give up after TIME, with exit status 6; the jobs go on." },
};

static int run(struct cli *c)
{
	struct err e = ERR_INIT;
	struct refs refs;

	if (!refs_resolve(c, c->args, c->n_args, &refs, &e))
		return refs_fail(c, &e);
	return wait_jobs(c, &refs, CLI_OPTS(c, struct opts)->timeout_s, true);
}

const struct cli_command command_job_wait = {
	.path = "job wait",
	.args = "JOB...",
	.brief = "wait until jobs have ended",
	.text = "The exit status is 0 when all have finished, else that of "
		"the first one (by number) that did not: its own exit code, "
		"128 + the signal that ended it, 124 for the time limit, 125 "
		"for all that is no fault of the payload. With --json it "
		"prints how many there are, have ended and are in which "
		"state, and the worst of them.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.own_exit = CLI_OWN,
	.run = run,
};
