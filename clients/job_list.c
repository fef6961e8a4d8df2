/* `sortie job list`: which jobs there are, newest first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/refs.h"

struct opts {
	struct list_opts list;
	const char **state, **tag;
	const char *project, *jobtype, *owner, *name, *key, *pilot, *workflow;
	int64_t since_s, watch_s;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_LIST,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "Only jobs in one of these states; `live` means all that "
		  "have not ended, `ended` all that have." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "Only jobs of this project." },
	{ .name = "jobtype",
	  .letter = 't',
	  .kind = OPT_STR,
	  .offset = F(jobtype),
	  .arg = "NAME",
	  .help = "Only jobs of this type." },
	{ .name = "owner",
	  .kind = OPT_STR,
	  .offset = F(owner),
	  .arg = "NAME",
	  .help = "Only jobs of this owner." },
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = F(name),
	  .arg = "NAME",
	  .help = "Only jobs of this name." },
	{ .name = "key",
	  .kind = OPT_STR,
	  .offset = F(key),
	  .arg = "KEY",
	  .help = "Only the job with this key." },
	{ .name = "tag",
	  .kind = OPT_MULTI,
	  .offset = F(tag),
	  .arg = "K:V",
	  .help = "Only jobs with this tag (K=V means the same)." },
	{ .name = "pilot",
	  .kind = OPT_STR,
	  .offset = F(pilot),
	  .arg = "PILOT",
	  .help = "Only jobs that ran on this pilot." },
	{ .name = "workflow",
	  .kind = OPT_STR,
	  .offset = F(workflow),
	  .arg = "WORKFLOW",
	  .help = "Only jobs of this workflow." },
	{ .name = "since",
	  .kind = OPT_SECONDS,
	  .offset = F(since_s),
	  .max = INT64_C(1000000000),
	  .arg = "TIME",
	  .help = "Only jobs submitted within the last TIME (\"2 h\")." },
	LIST_MAX("jobs", "100"),
	LIST_ALL,
	{ .name = "watch",
	  .letter = 'w',
	  .kind = OPT_SECONDS,
	  .offset = F(watch_s),
	  .max = 86400,
	  .arg = "TIME",
	  .help = "Show the list again every TIME until interrupted." },
};

/* The last option is none of the query. */
#define N_QUERY (CLI_N(opts) - 1)

static bool add_jobs(struct cli *c, struct buf *path, struct err *e)
{
	struct refs refs;
	struct buf b = BUF_INIT;

	if (c->n_args == 0)
		return true;
	if (!refs_resolve(c, c->args, c->n_args, &refs, e))
		return false;
	refs_write(&b, &refs);
	query_add(path, "jobs", buf_str(&b));
	buf_fini(&b);
	return true;
}

static void add_tags(struct cli *c, struct buf *path, const char *const *tags)
{
	for (; tags != NULL && *tags != NULL; tags++) {
		char *tag = arena_strdup(c->arena, *tags);
		char *equals = strchr(tag, '=');

		if (equals != NULL && strchr(tag, ':') == NULL)
			*equals = ':';
		query_add(path, "tag", tag);
	}
}

static void pause_s(int64_t s)
{
	struct timespec t = { s, 0 };

	nanosleep(&t, NULL);
}

static int watch(struct cli *c, const char *path, int64_t every_s)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (;;) {
		int status;

		if (terminal)
			fputs("\x1b[H\x1b[2J", stdout);
		status = cli_end(
			list_print(c, c->command->list, path, list_max(c)));
		if (status != CLI_OK)
			return status;
		if (!terminal) {
			putchar('\n');
			fflush(stdout);
		}
		pause_s(every_s);
	}
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	buf_adds(&path, "/api/v1/jobs");
	add_tags(c, &path, (const char *const *)o->tag);
	if (!list_query(c, &path, N_QUERY, &e) || !add_jobs(c, &path, &e)) {
		buf_fini(&path);
		return refs_fail(c, &e);
	}
	status = o->watch_s > 0 ? watch(c, buf_str(&path), o->watch_s)
				: list_print(c, c->command->list,
					     buf_str(&path), list_max(c));
	buf_fini(&path);
	return status;
}

const struct cli_command command_job_list = {
	.path = "job list",
	.args = "[JOB...]",
	.brief = "list jobs, newest first",
	.text = "Without JOB, the newest 100 jobs that the token may see. "
		"END tells the exit status, the signal or the reason of jobs "
		"that did not end well.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choice_job_states,
	.max_args = -1,
	.list = &jobview_list,
	.run = run,
};
