/* `sortie inject`: a workflow or a job of each file that arrives. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/inject_ask.h"
#include "clients/inject_run.h"
#include "clients/list.h"
#include "clients/query.h"

struct opts {
	struct cli_settings common;
	struct inject_wish wish;
	const char **match, **state;
	const char *path;
	bool recursive, follow, inotify, again, once, status;
	int64_t min_size, max_age_s, settle_s, period_s, cycles, max_per_cycle,
		max;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "dag",
	  .kind = OPT_STR,
	  .offset = F(wish.dag),
	  .arg = "NAME",
	  .help = "Make a workflow of this dag of each file." },
	{ .name = "job",
	  .kind = OPT_STR,
	  .offset = F(wish.job),
	  .arg = "FILE",
	  .help = "Make the job that FILE describes of each file." },
	{ .name = "match",
	  .letter = 'm',
	  .kind = OPT_MULTI,
	  .offset = F(match),
	  .arg = "GLOB",
	  .help = "Only files whose name fits; several: any of them. "
		  "Default: all but those with a leading dot." },
	{ .name = "recursive",
	  .letter = 'r',
	  .kind = OPT_FLAG,
	  .offset = F(recursive),
	  .help = "Directories below, too, also those that come later." },
	{ .name = "follow",
	  .kind = OPT_FLAG,
	  .offset = F(follow),
	  .help = "Take what symbolic links lead to; without it they are "
		  "passed over." },
	{ .name = "min-size",
	  .kind = OPT_BYTES,
	  .offset = F(min_size),
	  .max = INT64_C(1) << 60,
	  .arg = "SIZE",
	  .help = "Only files of at least SIZE (\"1 MiB\"); smaller ones "
		  "wait until they have grown." },
	{ .name = "max-age",
	  .kind = OPT_SECONDS,
	  .offset = F(max_age_s),
	  .max = INT64_C(1000000000),
	  .arg = "TIME",
	  .help = "Pass over what has been there, unchanged, for longer than "
		  "TIME when it is found; what comes later is taken however "
		  "old it says to be." },
	{ .name = "settle",
	  .kind = OPT_SECONDS,
	  .offset = F(settle_s),
	  .max = 86400,
	  .def = "2",
	  .arg = "TIME",
	  .help = "A file is complete when nothing has happened to it for "
		  "TIME and nobody has it open for writing; one that is "
		  "renamed into its place is complete at once. With 0, as "
		  "soon as it is closed." },
	{ .name = "max-per-cycle",
	  .kind = OPT_INT,
	  .offset = F(max_per_cycle),
	  .max = 1000000000,
	  .def = "0",
	  .arg = "N",
	  .help = "Inject at most N files a period; 0: any number." },
	{ .name = "cycles",
	  .letter = 'c',
	  .kind = OPT_INT,
	  .offset = F(cycles),
	  .max = 1000000000,
	  .def = "0",
	  .arg = "N",
	  .help = "End after N periods; 0: go on for ever." },
	{ .name = "period",
	  .letter = 'p',
	  .kind = OPT_SECONDS,
	  .offset = F(period_s),
	  .min = 1,
	  .max = 86400,
	  .def = "5",
	  .arg = "TIME",
	  .help = "The length of a cycle, and the time between two looks "
		  "through the directories where inotify does not help." },
	{ .name = "edge",
	  .kind = OPT_MULTI,
	  .offset = F(wish.edges),
	  .arg = "NODE:NODE",
	  .help = "The edge of the dag that gets the file. Default: every "
		  "edge that leaves a noop without parents." },
	{ .name = "datatype",
	  .kind = OPT_STR,
	  .offset = F(wish.datatype),
	  .arg = "NAME",
	  .help = "The type of the datasets." },
	{ .name = "state",
	  .kind = OPT_LIST,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "`held` makes workflows or jobs that wait to be started by "
		  "hand. With --status, only files whose workflow or job is in "
		  "one of these states (`failed`, `ended`, ...)." },
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(wish.site),
	  .arg = "NAME",
	  .help = "The site that the files are at." },
	{ .name = "project",
	  .kind = OPT_STR,
	  .offset = F(wish.project),
	  .arg = "NAME",
	  .help = "The project of workflows or jobs." },
	{ .name = "priority",
	  .kind = OPT_STR,
	  .offset = F(wish.priority),
	  .arg = "N",
	  .help = "The priority of all jobs." },
	{ .name = "env",
	  .letter = 'e',
	  .kind = OPT_MULTI,
	  .offset = F(wish.env),
	  .arg = "NAME=VALUE",
	  .help = "A variable of all jobs' environment." },
	{ .name = "jobinfo",
	  .kind = OPT_STR,
	  .offset = F(wish.jobinfo),
	  .arg = "FILE|JSON",
	  .help = "What jobs of the dag get instead of what it says, by the "
		  "names of nodes." },
	{ .name = "again",
	  .kind = OPT_FLAG,
	  .offset = F(again),
	  .help = "A file that has changed since it was injected is a new "
		  "version, and is injected again." },
	{ .name = "name",
	  .kind = OPT_STR,
	  .offset = F(wish.name),
	  .arg = "STREAM",
	  .help = "What the server remembers the files under: injectors of "
		  "one name never inject a path twice, whatever their "
		  "directories. Default: the dag's name, or the job file's "
		  "path, and the site." },
	{ .name = "once",
	  .kind = OPT_FLAG,
	  .offset = F(once),
	  .help = "Inject what is there and end." },
	{ .name = "inotify",
	  .kind = OPT_FLAG,
	  .offset = F(inotify),
	  .def = "true",
	  .help = "Do not let the kernel tell of changes: look through the "
		  "directories every period, as on network file systems." },
	{ .name = "status",
	  .kind = OPT_FLAG,
	  .offset = F(status),
	  .help = "List what was injected under this name (without a name, "
		  "all), newest first; STATE is that of the workflow or "
		  "job." },
	{ .name = "path",
	  .kind = OPT_STR,
	  .offset = F(path),
	  .arg = "FILE",
	  .help = "With --status, only this file." },
	{ .name = "max",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = F(max),
	  .max = 100000000,
	  .arg = "N",
	  .help = "With --status, at most N files." },
};

static const struct cli_choice choices[] = {
	{ "state", CHOICE_JOB_STATES " template" },
	{ NULL, NULL },
};

static void made_cell(struct table *t, struct json_object *o, const char *key)
{
	int64_t workflow = json_get_int(o, "workflow");
	int64_t job = json_get_int(o, key);

	if (workflow > 0)
		table_cellf(t, "workflow %" PRId64, workflow);
	else if (job > 0)
		table_cellf(t, "job %" PRId64, job);
	else
		table_cell(t, NULL);
}

static const struct table_column columns[] = {
	{ .head = "FILE", .flexible = true, .key = "path" },
	{ .head = "VERSION", .right = true, .key = "version" },
	{ .head = "BYTES", .right = true, .key = "size" },
	{ .head = "SEEN", .key = "seen_at", .cell = list_time },
	{ .head = "COMPLETE", .key = "complete_at", .cell = list_time },
	{ .head = "INJECTED", .key = "made_at", .cell = list_time },
	{ .head = "AS", .key = "job", .cell = made_cell },
	{ .head = "STATE", .key = "state" },
};

static const struct list injections = {
	.path = "/api/v1/injections",
	.columns = columns,
	.n_columns = CLI_N(columns),
	.id = "path",
	.none = "nothing was injected",
};

/* As injectors tell it: links are followed where the file is still there. */
static const char *status_path(struct cli *c, const char *word)
{
	char *real = word != NULL ? realpath(word, NULL) : NULL;
	const char *path = word;

	if (real != NULL)
		path = arena_strdup(c->arena, real);
	free(real);
	return path;
}

static int status(struct cli *c, const struct opts *o)
{
	struct buf path = BUF_INIT;
	int exit_status;

	buf_adds(&path, injections.path);
	query_add(&path, "stream", inject_stream(c->arena, &o->wish));
	query_add_joined(&path, "state", (const char *const *)o->state);
	query_add(&path, "path", status_path(c, o->path));
	exit_status = list_print(c, &injections, buf_str(&path), o->max);
	buf_fini(&path);
	return exit_status;
}

static bool find_dirs(struct cli *c, struct inject_plan *plan, struct err *e)
{
	const char **dirs = ARENA_ARRAY(c->arena, const char *, c->n_args + 1);
	struct stat st;

	for (size_t i = 0; i < c->n_args; i++) {
		char *path = realpath(c->args[i], NULL);

		if (path == NULL || stat(path, &st) != 0)
			return err_set_errno(e, ERR_NOT_FOUND,
					     "cannot watch \"%s\"", c->args[i]);
		if (!S_ISDIR(st.st_mode)) {
			free(path);
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\" is not a directory", c->args[i]);
		}
		dirs[i] = arena_strdup(c->arena, path);
		free(path);
	}
	plan->dirs = dirs;
	return true;
}

/* The state to make them in; NULL: as they are, or several were named. */
static const char *wanted_state(const char *const *list)
{
	static const char *const states[] = { "running", "defined", "held",
					      "template" };

	for (size_t i = 0;
	     list[0] != NULL && list[1] == NULL && i < CLI_N(states); i++)
		if (strcmp(list[0], states[i]) == 0)
			return states[i];
	return NULL;
}

/* Workflows run, jobs are defined; either word is understood, and p3s's. Of a
 * dag they would be held by themselves; a job file may say so itself. */
static const char *state_of(const struct inject_wish *w)
{
	if (w->state == NULL)
		return w->dag != NULL ? "running" : NULL;
	if (strcmp(w->state, "template") == 0 || strcmp(w->state, "held") == 0)
		return "held";
	return w->dag != NULL ? "running" : "defined";
}

static bool is_empty(const char *s)
{
	return s != NULL && *s == '\0';
}

static const char *misuse(const struct cli *c, const struct inject_wish *w)
{
	const struct opts *o = CLI_OPTS(c, struct opts);

	/* As a service's unset variable leaves them. */
	if (is_empty(w->dag) || is_empty(w->job) || is_empty(w->name))
		return "--dag, --job and --name must not be empty";
	if (c->n_args == 0)
		return "`sortie inject` needs a directory";
	if ((w->dag == NULL) == (w->job == NULL))
		return "what is to be made of a file: --dag or --job";
	if (w->job != NULL && w->jobinfo != NULL)
		return "--jobinfo is for dags";
	if (w->job != NULL && w->edges[0] != NULL)
		return "--edge is for dags";
	if (o->state[0] != NULL && w->state == NULL)
		return "--state is held, or running";
	if (o->path != NULL)
		return "--path goes with --status";
	return NULL;
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct inject_wish w = o->wish;
	const char *wrong;
	struct inject_plan plan = {
		.patterns = o->match,
		.recursive = o->recursive,
		.follow = o->follow,
		.no_inotify = !o->inotify,
		.again = o->again,
		.once = o->once,
		.min_size = o->min_size,
		.max_age_ms = o->max_age_s * 1000,
		.settle_ms = o->settle_s * 1000,
		.period_ms = o->period_s * 1000,
		.cycles = o->cycles,
		.max_per_cycle = o->max_per_cycle,
	};
	struct err e = ERR_INIT;

	if (o->status)
		return status(c, o);
	w.state = wanted_state((const char *const *)o->state);
	wrong = misuse(c, &w);
	if (wrong != NULL)
		return cli_misuse(c, "%s", wrong);
	w.state = state_of(&w);
	if (!find_dirs(c, &plan, &e) ||
	    !inject_order_make(c->arena, &w, &plan.order, &e)) {
		cli_note("%s", e.text);
		return CLI_USAGE;
	}
	if (!call_open(c, &e))
		return cli_fail(c, &e);
	/* A server that is away is waited for, but not for a single look. */
	if (!inject_ask(c, &w, &plan.order, &e) &&
	    (plan.once || e.code != ERR_UNAVAILABLE))
		return cli_fail(c, &e);
	return inject_run(c, &plan);
}

const struct cli_command command_inject = {
	.path = "inject",
	.args = "DIR...",
	.brief = "make a workflow or a job of each file that arrives",
	.text = "Watches directories until it is told to stop. Each file makes "
		"one dataset and one workflow, or job, whose jobs find its "
		"path in P3S_INPUT_FILE and in the dag's edges. The server "
		"remembers what was injected, so that nothing is injected "
		"twice, however often this is started, and wherever.\n\n"
		"On a terminal a line shows how far it is; elsewhere each "
		"file is a line of the log. With --json each file that was "
		"injected is a line of JSON on standard output.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.max_args = -1,
	.own_page = true,
	.run = run,
};
