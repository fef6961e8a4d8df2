/* `sortie summary`: what there is now, and what happened lately. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/facts.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/table.h"

static const char *const windows[] = { "60", "600", "3600", "86400" };

static const char *const ends[] = {
	"finished", "failed", "timelimit", "cancelled", "lost", "skipped",
};

static const char *const live[] = {
	"held", "waiting", "defined", "dispatched", "running",
};

static struct json_object *object(struct json_object *o, const char *key)
{
	struct json_object *v = o ? json_get(o, key) : NULL;

	return v != NULL && json_type(v) == JSON_OBJECT ? v : NULL;
}

static int64_t number(struct json_object *o, const char *key)
{
	return o ? json_get_int(o, key) : 0;
}

static bool add_count(const char *name, struct json_object *n, void *arg)
{
	struct buf *b = arg;

	if (json_type(n) != JSON_INT || json_int(n) == 0)
		return true;
	if (b->len > 0)
		buf_adds(b, ", ");
	human_count(b, json_int(n));
	buf_addf(b, " %s", name);
	return true;
}

static void print_counts(const char *name, struct json_object *counts)
{
	struct buf b = BUF_INIT;

	if (counts != NULL)
		json_each(counts, add_count, &b);
	facts_text(name, b.len ? buf_str(&b) : "none");
	buf_fini(&b);
}

static void print_now(struct json_object *now)
{
	struct json_object *slots = object(now, "slots");

	print_counts("jobs", object(now, "jobs"));
	print_counts("pilots", object(now, "pilots"));
	facts_printf("slots", "%" PRId64 " of %" PRId64 " used",
		     number(slots, "used"), number(slots, "total"));
}

static void add_cell(struct table *t, int64_t n)
{
	struct buf b = BUF_INIT;

	if (n == 0) {
		table_cell(t, "-");
		return;
	}
	human_count(&b, n);
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static void print_windows(struct arena *a, struct json_object *doc)
{
	static const struct table_column columns[] = {
		{ .head = "WITHIN" },
		{ .head = "1 MIN", .right = true },
		{ .head = "10 MIN", .right = true },
		{ .head = "1 H", .right = true },
		{ .head = "24 H", .right = true },
	};
	static const char *const counts[] = { "submitted", "started" };
	struct json_object *all = object(doc, "windows");
	struct table *t = table_new(a, columns, CLI_N(columns));

	for (size_t i = 0; i < CLI_N(counts); i++) {
		table_cell(t, counts[i]);
		for (size_t w = 0; w < CLI_N(windows); w++)
			add_cell(t, number(object(all, windows[w]), counts[i]));
	}
	for (size_t i = 0; i < CLI_N(ends); i++) {
		table_cell(t, ends[i]);
		for (size_t w = 0; w < CLI_N(windows); w++)
			add_cell(t, number(object(object(all, windows[w]),
						  "ended"),
					   ends[i]));
	}
	putchar('\n');
	table_print(t, true);
}

/* The types that appear anywhere in the answer, in order of their names. */
struct types {
	struct arena *arena;
	const char **names;
	size_t n, cap;
};

static bool add_type(const char *name, struct json_object *v, void *arg)
{
	struct types *t = arg;

	(void)v;
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->names[i], name) == 0)
			return true;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		const char **more = ARENA_ARRAY(t->arena, const char *, cap);

		if (t->n > 0)
			memcpy(more, t->names, t->n * sizeof(*more));
		t->names = more;
		t->cap = cap;
	}
	t->names[t->n++] = name;
	return true;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Of one window a type has either numbers by state or one number. */
static int64_t ended_of(struct json_object *window, const char *type)
{
	struct json_object *types = object(window, "jobtypes");
	struct json_object *v = types ? json_get(types, type) : NULL;
	struct json_object *states;
	int64_t n = 0;

	if (v == NULL)
		return 0;
	if (json_type(v) == JSON_INT)
		return json_int(v);
	if (json_type(v) != JSON_OBJECT)
		return 0;
	states = object(v, "ended") ? object(v, "ended") : v;
	for (size_t i = 0; i < CLI_N(ends); i++)
		n += number(states, ends[i]);
	return n;
}

static void type_row(struct table *t, struct json_object *doc, const char *type)
{
	struct json_object *now =
		object(object(object(doc, "now"), "jobtypes"), type);

	table_cell(t, type[0] ? type : "(none)");
	add_cell(t, number(now, "held") + number(now, "waiting") +
			    number(now, "defined"));
	add_cell(t, number(now, "dispatched") + number(now, "running"));
	for (size_t w = 0; w < CLI_N(windows); w++)
		add_cell(t, ended_of(object(object(doc, "windows"), windows[w]),
				     type));
}

static void print_types(struct arena *a, struct json_object *doc)
{
	static const struct table_column columns[] = {
		{ .head = "JOBTYPE", .flexible = true },
		{ .head = "QUEUED", .right = true },
		{ .head = "RUNNING", .right = true },
		{ .head = "ENDED 1 MIN", .right = true },
		{ .head = "10 MIN", .right = true },
		{ .head = "1 H", .right = true },
		{ .head = "24 H", .right = true },
	};
	struct types types = { .arena = a };
	struct json_object *now = object(object(doc, "now"), "jobtypes");
	struct table *t;

	if (now != NULL)
		json_each(now, add_type, &types);
	for (size_t w = 0; w < CLI_N(windows); w++) {
		struct json_object *o = object(
			object(object(doc, "windows"), windows[w]), "jobtypes");

		if (o != NULL)
			json_each(o, add_type, &types);
	}
	if (types.n == 0)
		return;
	qsort(types.names, types.n, sizeof(*types.names), by_name);
	t = table_new(a, columns, CLI_N(columns));
	for (size_t i = 0; i < types.n; i++)
		type_row(t, doc, types.names[i]);
	putchar('\n');
	table_print(t, true);
}

static int run(struct cli *c)
{
	struct call_answer answer;
	struct err e = ERR_INIT;
	struct json_object *jobs;

	if (!call_get(c, c->arena, "/api/v1/summary", &answer, &e))
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	jobs = object(object(answer.doc, "now"), "jobs");
	if (c->settings->quiet) {
		int64_t n = 0;

		for (size_t i = 0; i < CLI_N(live); i++)
			n += number(jobs, live[i]);
		printf("%" PRId64 "\n", n);
		return CLI_OK;
	}
	print_now(object(answer.doc, "now"));
	print_windows(c->arena, answer.doc);
	print_types(c->arena, answer.doc);
	return CLI_OK;
}

const struct cli_command command_summary = {
	.path = "summary",
	.brief = "count jobs by state and type, now and lately",
	.text = "Over 1 minute, 10 minutes, 1 hour and 24 hours. With -q only "
		"the number of jobs that have not ended.",
	.run = run,
};
