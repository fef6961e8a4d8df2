/* `sortie job logs`: what a job has written, or writes (-f). */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/follow.h"
#include "clients/output.h"
#include "clients/refs.h"

struct opts {
	struct cli_settings common;
	bool follow, only_out, only_err;
	int64_t run;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "follow",
	  .letter = 'f',
	  .kind = OPT_FLAG,
	  .offset = F(follow),
	  .help = "Go on until the job has ended." },
	{ .name = "run",
	  .letter = 'r',
	  .kind = OPT_INT,
	  .offset = F(run),
	  .min = 0,
	  .max = 1000000,
	  .arg = "N",
	  .help = "Output of the job's Nth run instead of the last." },
	{ .name = "stdout",
	  .kind = OPT_FLAG,
	  .offset = F(only_out),
	  .help = "Only standard output." },
	{ .name = "stderr",
	  .kind = OPT_FLAG,
	  .offset = F(only_err),
	  .help = "Only standard error." },
};

/* The number of the run that is the last now, 1 before there is any. */
static bool last_run(struct cli *c, int64_t job, int64_t *attempt,
		     struct err *e)
{
	struct call_answer answer;
	struct json_object *runs;
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/jobs/%" PRId64, job);
	if (!call_get(c, c->arena, path, &answer, e))
		return false;
	runs = json_get(answer.doc, "runs");
	*attempt = 1;
	if (runs == NULL || json_type(runs) != JSON_ARRAY)
		return true;
	for (size_t i = 0; i < json_len(runs); i++) {
		int64_t n = json_get_int(json_at(runs, i), "attempt");

		if (n > *attempt)
			*attempt = n;
	}
	return true;
}

static bool follow(struct cli *c, int64_t job, int out_fd, int err_fd,
		   struct err *e)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct follow f = { .c = c,
			    .job = job,
			    .attempt = o->run,
			    .one_run = o->run > 0,
			    .out_fd = out_fd,
			    .err_fd = err_fd,
			    .arena = c->arena };

	if (o->run == 0 && !last_run(c, job, &f.attempt, e))
		return false;
	return follow_run(&f, e);
}

/* The server knows no last run of a job that has none. */
static bool explain_none(struct cli *c, int64_t job, struct err *e)
{
	struct call_answer answer;
	struct json_object *runs;
	char path[64];

	if (e->code != ERR_NOT_FOUND || CLI_OPTS(c, struct opts)->run != 0)
		return false;
	snprintf(path, sizeof(path), "/api/v1/jobs/%" PRId64, job);
	if (!call_get(c, c->arena, path, &answer, e))
		return false;
	runs = json_get(answer.doc, "runs");
	if (runs != NULL && json_type(runs) == JSON_ARRAY && json_len(runs) > 0)
		return false;
	return err_set(e, ERR_NOT_FOUND,
		       "job %" PRId64 " has not run yet (%s): `sortie job "
		       "explain %" PRId64 "` tells why",
		       job, json_get_str(answer.doc, "state"), job);
}

static bool print(struct cli *c, int64_t job, int out_fd, int err_fd,
		  struct err *e)
{
	struct output out = { .name = "stdout", .fd = out_fd };
	struct output err = { .name = "stderr", .fd = err_fd };
	int64_t attempt = CLI_OPTS(c, struct opts)->run;

	if (out_fd >= 0 && !output_copy(c, job, attempt, &out, e))
		return explain_none(c, job, e);
	if (err_fd >= 0 && !output_copy(c, job, attempt, &err, e))
		return explain_none(c, job, e);
	return true;
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	int out_fd = o->only_err && !o->only_out ? -1 : STDOUT_FILENO;
	int err_fd = o->only_out && !o->only_err ? -1 : STDERR_FILENO;
	struct err e = ERR_INIT;
	int64_t job;
	bool ok;

	/* One stream alone goes to standard output, where pipes take it. */
	if (out_fd < 0)
		err_fd = STDOUT_FILENO;
	if (!refs_resolve_one(c, c->args[0], &job, &e))
		return refs_fail(c, &e);
	ok = o->follow ? follow(c, job, out_fd, err_fd, &e)
		       : print(c, job, out_fd, err_fd, &e);
	return ok ? CLI_OK : cli_fail(c, &e);
}

const struct cli_command command_job_logs = {
	.path = "job logs",
	.args = "JOB",
	.brief = "print a job's output",
	.text = "Standard output goes to standard output, standard error to "
		"standard error; one alone (--stderr) goes to standard "
		"output. Output of a running job is there within two seconds. "
		"A stream that was longer than the server keeps has a note "
		"where its middle is missing.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
