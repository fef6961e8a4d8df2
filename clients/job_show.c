/* `sortie job show`: all that is known of a job: definition and every run. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/facts.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "clients/refs.h"
#include "lib/units.h"

static const struct table_column run_columns[] = {
	{ .head = "RUN", .right = true },
	{ .head = "STATE" },
	{ .head = "HOST", .flexible = true },
	{ .head = "STARTED" },
	{ .head = "WALL", .right = true },
	{ .head = "CPU", .right = true },
	{ .head = "MEMORY", .right = true },
	{ .head = "STDOUT", .right = true },
	{ .head = "STDERR", .right = true },
	{ .head = "END", .flexible = true },
};

static void print_end(struct json_object *job)
{
	struct buf b = BUF_INIT;

	jobview_end(&b, job);
	facts_text("end", buf_str(&b));
	buf_fini(&b);
}

static void print_head(struct json_object *job)
{
	static const char *const members[][2] = {
		{ "id", "id" },
		{ "name", "name" },
		{ "description", "description" },
		{ "comment", "comment" },
		{ "key", "key" },
		{ "project", "project" },
		{ "owner", "owner" },
		{ "jobtype", "jobtype" },
		{ "site", "site" },
		{ "priority", "priority" },
		{ "index", "index" },
		{ "tags", "tags" },
	};

	facts_printf("job", "%" PRId64, json_get_int(job, "number"));
	for (size_t i = 0; i < CLI_N(members); i++)
		facts_member(members[i][0], job, members[i][1]);
	facts_printf("state", "%s%s", json_get_str(job, "state"),
		     json_get_bool(job, "cancelling") ? " (cancelling)" : "");
	facts_member("reason", job, "reason");
	print_end(job);
	facts_time("submitted", job, "submitted_at");
	facts_time("started", job, "started_at");
	facts_time("ended", job, "ended_at");
}

static void add_stream(struct table *t, struct json_object *run,
		       const char *name)
{
	struct json_object *s = json_get(run, name);
	struct buf b = BUF_INIT;

	if (s == NULL || json_type(s) != JSON_OBJECT) {
		table_cell(t, NULL);
		return;
	}
	units_format_bytes(&b, json_get_int(s, "size"));
	if (json_get_int(s, "left_out") > 0)
		buf_adds(&b, " cut");
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static void add_ms(struct table *t, struct json_object *run, int64_t ms)
{
	struct buf b = BUF_INIT;

	if (json_get(run, "wall_ms") == NULL) {
		table_cell(t, NULL);
		return;
	}
	units_format_ms(&b, ms);
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static void add_run(struct table *t, struct json_object *run)
{
	struct json_object *pilot = json_get(run, "pilot");
	const char *reason = json_get_str(run, "reason");
	struct buf b = BUF_INIT;

	table_cellf(t, "%" PRId64, json_get_int(run, "attempt"));
	table_cell(t, json_get_str(run, "state"));
	table_cell(t, pilot && json_type(pilot) == JSON_OBJECT
			      ? json_get_str(pilot, "host")
			      : NULL);
	list_time(t, run, "started_at");
	add_ms(t, run, json_get_int(run, "wall_ms"));
	add_ms(t, run,
	       json_get_int(run, "user_ms") + json_get_int(run, "system_ms"));
	if (json_get_int(run, "max_rss") > 0) {
		units_format_bytes(&b, json_get_int(run, "max_rss"));
		table_cell(t, buf_str(&b));
	} else {
		table_cell(t, NULL);
	}
	add_stream(t, run, "stdout");
	add_stream(t, run, "stderr");
	buf_reset(&b);
	jobview_end(&b, run);
	if (reason != NULL && reason[0] != '\0')
		buf_addf(&b, "%s%s", b.len ? ", " : "", reason);
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static void print_runs(struct arena *a, struct json_object *job)
{
	struct json_object *runs = json_get(job, "runs");
	struct table *t;

	if (runs == NULL || json_type(runs) != JSON_ARRAY ||
	    json_len(runs) == 0)
		return;
	t = table_new(a, run_columns, CLI_N(run_columns));
	for (size_t i = 0; i < json_len(runs); i++)
		add_run(t, json_at(runs, i));
	putchar('\n');
	table_print(t, true);
}

static void print_meta(struct json_object *job)
{
	struct json_object *meta = json_get(job, "meta");

	if (meta == NULL || json_type(meta) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(meta); i++) {
		struct json_object *line = json_at(meta, i);

		if (json_type(line) == JSON_OBJECT)
			facts_object(i == 0 ? "meta" : "", line);
		else if (json_type(line) == JSON_STR)
			facts_text(i == 0 ? "meta" : "", json_str(line));
	}
}

static bool is_time(const char *key)
{
	return strcmp(key, "timeout") == 0 || strcmp(key, "timelimit") == 0 ||
	       strcmp(key, "retry_delay") == 0;
}

static bool print_definition_member(const char *key, struct json_object *v,
				    void *arg)
{
	static const char *const shown[] = {
		"name",    "description", "comment",  "project",
		"jobtype", "site",        "priority", "tags",
	};
	struct json_object *definition = arg;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < CLI_N(shown); i++)
		if (strcmp(shown[i], key) == 0)
			return true;
	if (strcmp(key, "env") == 0)
		facts_object(key, v);
	else if (json_type(v) == JSON_INT && strcmp(key, "memory") == 0)
		units_format_bytes(&b, json_int(v));
	else if (json_type(v) == JSON_INT && is_time(key))
		buf_addf(&b, "%" PRId64 " s", json_int(v));
	else
		facts_member(key, definition, key);
	facts_text(key, buf_str(&b));
	buf_fini(&b);
	return true;
}

static void print_job(struct arena *a, struct json_object *job)
{
	struct json_object *definition = json_get(job, "definition");

	print_head(job);
	if (definition != NULL && json_type(definition) == JSON_OBJECT)
		json_each(definition, print_definition_member, definition);
	print_meta(job);
	print_runs(a, job);
}

static int print_number(struct cli *c, int64_t number, bool first)
{
	const struct cli_settings *s = c->settings;
	struct arena *a = arena_new();
	struct call_answer answer;
	struct err e = ERR_INIT;
	char path[64];
	int status = CLI_OK;

	snprintf(path, sizeof(path), "/api/v1/jobs/%" PRId64, number);
	if (!call_get(c, a, path, &answer, &e)) {
		status = cli_fail(c, &e);
	} else if (s->json || s->ndjson) {
		list_raw(answer.text, answer.len);
	} else if (s->quiet) {
		printf("%" PRId64 "\n", number);
	} else {
		if (!first)
			putchar('\n');
		print_job(a, answer.doc);
	}
	arena_free(a);
	return status;
}

static int run(struct cli *c)
{
	struct err e = ERR_INIT;
	struct refs refs;
	bool first = true;
	int status = CLI_OK;

	if (!refs_resolve(c, c->args, c->n_args, &refs, &e))
		return refs_fail(c, &e);
	for (size_t i = 0; i < refs.n; i++)
		for (int64_t n = refs.ranges[i].first; n <= refs.ranges[i].last;
		     n++) {
			int s = print_number(c, n, first);

			first = false;
			if (status == CLI_OK)
				status = s;
		}
	return status;
}

const struct cli_command command_job_show = {
	.path = "job show",
	.args = "JOB...",
	.brief = "show all that is known of jobs, with every run",
	.text = "With --json, one document a job.",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
