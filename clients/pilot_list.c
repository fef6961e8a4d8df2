/* `sortie pilot list|show`: who offers room, and what runs there. */
#include <inttypes.h>
#include <stdio.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/each.h"
#include "clients/facts.h"
#include "clients/list.h"
#include "clients/query.h"
#include "clients/refs.h"
#include "lib/id.h"
#include "lib/units.h"

struct opts {
	struct list_opts list;
	const char **state;
	const char *host, *site, *owner;
	bool ended;
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
	  .offset = F(ended),
	  .help = "Those that have ended, too." },
	LIST_MAX("pilots", "1000"),
};

static const char *text(struct json_object *o, const char *key)
{
	const char *s = json_get_str(o, key);

	return s != NULL && s[0] != '\0' ? s : NULL;
}

static void used_cell(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *used = json_get(o, "used");

	table_cellf(t, "%" PRId64 "/%" PRId64,
		    used && json_type(used) == JSON_OBJECT
			    ? json_get_int(used, key)
			    : 0,
		    json_get_int(o, key));
}

static void note_cell(struct table *t, struct json_object *o, const char *key)
{
	const char *note = text(o, "reason");

	if (note == NULL)
		note = text(o, "order");
	table_cell(t, note ? note : text(o, key));
}

static const struct table_column columns[] = {
	{ .head = "PILOT", .right = true, .key = "number" },
	{ .head = "STATE", .key = "state" },
	{ .head = "HOST", .flexible = true, .key = "host" },
	{ .head = "SITE", .flexible = true, .key = "site" },
	{ .head = "SLOTS", .right = true, .key = "slots", .cell = used_cell },
	{ .head = "CORES", .right = true, .key = "cores", .cell = used_cell },
	{ .head = "MEMORY",
	  .right = true,
	  .key = "memory",
	  .cell = list_bytes },
	{ .head = "JOBS", .right = true, .key = "jobs_done" },
	{ .head = "AGE",
	  .right = true,
	  .key = "registered_at",
	  .cell = list_age },
	{ .head = "HEARD", .right = true, .key = "heard_at", .cell = list_age },
	{ .head = "NOTE",
	  .flexible = true,
	  .key = "batch_id",
	  .cell = note_cell },
};

static const struct list pilots = {
	.path = "/api/v1/pilots",
	.columns = columns,
	.n_columns = CLI_N(columns),
	.id = "number",
	.none = "no pilots: `sortie pilot start` starts one here, "
		"`sortie pilot list --all` shows ended ones",
};

static int run_list(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	int status;

	buf_adds(&path, pilots.path);
	if (!list_query(c, &path, c->command->n_opts, &e)) {
		buf_fini(&path);
		return refs_fail(c, &e);
	}
	if ((o->state == NULL || o->state[0] == NULL) && !o->ended)
		query_add(&path, "state", "live");
	status = list_print(c, &pilots, buf_str(&path), list_max(c));
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
		list_age(t, run, "started_at");
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

static bool show(struct cli *c, const char *word, void *arg, struct err *e)
{
	struct call_answer answer;
	struct buf path = BUF_INIT;
	bool *first = arg, ok;

	query_path(&path, "/api/v1/pilots/", word);
	ok = call_get(c, c->arena, buf_str(&path), &answer, e);
	buf_fini(&path);
	if (!ok)
		return false;
	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer.text, answer.len);
	} else if (c->settings->quiet) {
		printf("%" PRId64 "\n", json_get_int(answer.doc, "number"));
	} else {
		if (!*first)
			putchar('\n');
		print_pilot(c->arena, answer.doc);
	}
	*first = false;
	return true;
}

static int run_show(struct cli *c)
{
	bool first = true;

	for (size_t i = 0; i < c->n_args; i++)
		if (!refs_is_numbers(c->args[i]) && !id_uuid_valid(c->args[i]))
			return cli_misuse(c,
					  "\"%s\" does not name a pilot: "
					  "write its number or UUID",
					  c->args[i]);
	return each_named(c, "pilot", show, &first);
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
