/* `sortie pilot list|show`: who offers room, and what runs there. */
#include <inttypes.h>
#include <stdio.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/facts.h"
#include "clients/human.h"
#include "clients/jobview.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "lib/id.h"
#include "lib/units.h"

struct opts {
	struct cli_settings common;
	const char **state;
	const char *host, *site, *owner;
	bool all;
	int64_t max;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_LIST,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "Only pilots in one of these states. Default: those that "
		  "live." },
	{ .name = "host",
	  .letter = 'H',
	  .kind = OPT_STR,
	  .offset = F(host),
	  .arg = "HOST",
	  .help = "Only pilots on this host." },
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "NAME",
	  .help = "Only pilots of this site." },
	{ .name = "owner",
	  .kind = OPT_STR,
	  .offset = F(owner),
	  .arg = "NAME",
	  .help = "Only pilots of this owner." },
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPT_FLAG,
	  .offset = F(all),
	  .help = "Those that have ended, too." },
	{ .name = "max",
	  .letter = 'n',
	  .kind = OPT_INT,
	  .offset = F(max),
	  .min = 1,
	  .max = 100000000,
	  .def = "1000",
	  .arg = "N",
	  .help = "At most N pilots." },
};

static const struct table_column columns[] = {
	{ .head = "PILOT", .right = true },
	{ .head = "STATE" },
	{ .head = "HOST", .flexible = true },
	{ .head = "SITE", .flexible = true },
	{ .head = "SLOTS", .right = true },
	{ .head = "CORES", .right = true },
	{ .head = "MEMORY", .right = true },
	{ .head = "JOBS", .right = true },
	{ .head = "AGE", .right = true },
	{ .head = "HEARD", .right = true },
	{ .head = "NOTE", .flexible = true },
};

static const char *text(struct json_object *o, const char *key)
{
	const char *s = json_get_str(o, key);

	return s != NULL && s[0] != '\0' ? s : NULL;
}

static void add_used(struct table *t, struct json_object *pilot,
		     const char *key)
{
	struct json_object *used = json_get(pilot, "used");

	table_cellf(t, "%" PRId64 "/%" PRId64,
		    used && json_type(used) == JSON_OBJECT
			    ? json_get_int(used, key)
			    : 0,
		    json_get_int(pilot, key));
}

static void add_age(struct table *t, struct json_object *o, const char *key)
{
	int64_t ms = jobview_span_ms(o, key, "absent");
	struct buf b = BUF_INIT;

	if (ms < 0) {
		table_cell(t, NULL);
		return;
	}
	human_age(&b, ms);
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static void row(struct table *t, struct json_object *pilot)
{
	const char *note = text(pilot, "reason");
	struct buf b = BUF_INIT;

	if (note == NULL)
		note = text(pilot, "order");
	table_cellf(t, "%" PRId64, json_get_int(pilot, "number"));
	table_cell(t, text(pilot, "state"));
	table_cell(t, text(pilot, "host"));
	table_cell(t, text(pilot, "site"));
	add_used(t, pilot, "slots");
	add_used(t, pilot, "cores");
	units_format_bytes(&b, json_get_int(pilot, "memory"));
	table_cell(t, buf_str(&b));
	table_cellf(t, "%" PRId64, json_get_int(pilot, "jobs_done"));
	add_age(t, pilot, "registered_at");
	add_age(t, pilot, "heard_at");
	table_cell(t, note ? note : text(pilot, "batch_id"));
	buf_fini(&b);
}

static int run_list(struct cli *c)
{
	static const char *const live[] = { "active", "idle", "busy",
					    "draining", NULL };
	const struct opts *o = CLI_OPTS(c, struct opts);
	const char *const *states = (const char *const *)o->state;
	struct buf path = BUF_INIT;
	struct list l = {
		.columns = columns,
		.n_columns = CLI_N(columns),
		.row = row,
		.id = "number",
		.max = o->max,
		.none = "no pilots: `sortie pilot start` starts one here, "
			"`sortie pilot list --all` shows ended ones",
	};
	int status;

	if ((states == NULL || states[0] == NULL) && !o->all)
		states = live;
	buf_adds(&path, "/api/v1/pilots");
	query_add_joined(&path, "state", states);
	query_add(&path, "host", o->host);
	query_add(&path, "site", o->site);
	query_add(&path, "owner", o->owner);
	l.path = buf_str(&path);
	status = list_print(c, &l);
	buf_fini(&path);
	return status;
}

static void print_runs(struct arena *a, struct json_object *pilot)
{
	static const struct table_column run_columns[] = {
		{ .head = "JOB", .right = true },
		{ .head = "RUN", .right = true },
		{ .head = "STATE" },
		{ .head = "AGE", .right = true },
	};
	struct json_object *runs = json_get(pilot, "runs");
	struct table *t;

	if (runs == NULL || json_type(runs) != JSON_ARRAY ||
	    json_len(runs) == 0)
		return;
	t = table_new(a, run_columns, CLI_N(run_columns));
	for (size_t i = 0; i < json_len(runs); i++) {
		struct json_object *run = json_at(runs, i);
		const char *attempt = list_text(a, run, "attempt");

		table_cell(t, list_text(a, run, "job"));
		table_cell(t, attempt);
		table_cell(t, text(run, "state"));
		add_age(t, run, "started_at");
	}
	putchar('\n');
	table_print(t, true);
}

static void add_types(struct buf *b, struct json_object *types, const char *key,
		      const char *before)
{
	struct json_object *list = json_get(types, key);
	size_t n = list != NULL ? json_len(list) : 0;

	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s%s", b->len > 0 ? ", " : "", before,
			 json_str(json_at(list, i)));
}

/* As --jobtypes takes them; nothing when all are taken. */
static void print_types(struct json_object *pilot)
{
	struct json_object *types = json_get(pilot, "jobtypes");
	struct buf b = BUF_INIT;

	if (types != NULL) {
		add_types(&b, types, "accept", "");
		add_types(&b, types, "refuse", "!");
	}
	facts_text("jobtypes", buf_str(&b));
	buf_fini(&b);
}

static void print_pilot(struct arena *a, struct json_object *pilot)
{
	static const char *const before[] = {
		"id",   "state", "order", "reason", "owner", "everybody",
		"host", "site",  "pools", "labels", "slots", "cores",
	};
	struct buf b = BUF_INIT;

	facts_printf("pilot", "%" PRId64, json_get_int(pilot, "number"));
	for (size_t i = 0; i < CLI_N(before); i++)
		facts_member(before[i], pilot, before[i]);
	units_format_bytes(&b, json_get_int(pilot, "memory"));
	facts_text("memory", buf_str(&b));
	buf_fini(&b);
	print_types(pilot);
	facts_member("used", pilot, "used");
	facts_member("batch id", pilot, "batch_id");
	facts_member("version", pilot, "version");
	facts_member("jobs done", pilot, "jobs_done");
	facts_time("registered", pilot, "registered_at");
	facts_time("heard", pilot, "heard_at");
	facts_time("ended", pilot, "ended_at");
	print_runs(a, pilot);
}

static int show_path(struct cli *c, const char *path)
{
	struct call_answer answer;
	struct err e = ERR_INIT;

	if (!call_get(c, c->arena, path, &answer, &e))
		return cli_fail(c, &e);
	if (c->settings->json || c->settings->ndjson)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%" PRId64 "\n", json_get_int(answer.doc, "number"));
	else
		print_pilot(c->arena, answer.doc);
	return CLI_OK;
}

static int show_numbers(struct cli *c, const struct refs *refs, bool *first)
{
	int status = CLI_OK;
	char path[64];

	for (size_t i = 0; i < refs->n; i++)
		for (int64_t n = refs->ranges[i].first;
		     n <= refs->ranges[i].last; n++) {
			int s;

			snprintf(path, sizeof(path), "/api/v1/pilots/%" PRId64,
				 n);
			if (!*first && !c->settings->json)
				putchar('\n');
			*first = false;
			s = show_path(c, path);
			if (status == CLI_OK)
				status = s;
		}
	return status;
}

static int run_show(struct cli *c)
{
	int status = CLI_OK;
	bool first = true;

	for (size_t i = 0; i < c->n_args; i++) {
		struct refs refs = { 0 };
		struct err e = ERR_INIT;
		char path[80];
		int s;

		if (id_uuid_valid(c->args[i])) {
			snprintf(path, sizeof(path), "/api/v1/pilots/%s",
				 c->args[i]);
			s = show_path(c, path);
		} else if (refs_add_text(c->arena, &refs, c->args[i], &e)) {
			s = show_numbers(c, &refs, &first);
		} else {
			return cli_misuse(c,
					  "\"%s\" does not name a pilot: "
					  "write its number or UUID",
					  c->args[i]);
		}
		if (status == CLI_OK)
			status = s;
	}
	return status;
}

const struct cli_command command_pilot_list = {
	.path = "pilot list",
	.brief = "list pilots",
	.text = "SLOTS and CORES tell used and offered ones, HEARD when the "
		"server last heard of it.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choice_pilot_states,
	.run = run_list,
};

const struct cli_command command_pilot_show = {
	.path = "pilot show",
	.args = "PILOT...",
	.brief = "show all that is known of pilots and their runs",
	.min_args = 1,
	.max_args = -1,
	.run = run_show,
};
