/* Lays out what `sortie top` shows, so that each part gets a fair share of a
 * small terminal. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/table.h"
#include "clients/top.h"
#include "lib/clock.h"

/* Beside the rows of a part: a blank line and its heading. */
#define FRAME 2

struct part {
	const char *key; /* of its list in the answer */
	const struct table_column *columns;
	size_t n_columns;
	void (*row)(struct arena *a, struct table *t, struct json_object *item);
};

static struct json_object *object(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);

	return v != NULL && json_type(v) == JSON_OBJECT ? v : NULL;
}

static int64_t number(struct json_object *o, const char *key)
{
	return o != NULL ? json_get_int(o, key) : 0;
}

static void cell_count(struct table *t, int64_t n, bool about)
{
	struct buf b = BUF_INIT;

	if (about)
		buf_addc(&b, '~');
	human_count(&b, n);
	table_cell(t, n == 0 && !about ? "-" : buf_str(&b));
	buf_fini(&b);
}

static void cell_name(struct table *t, struct json_object *item,
		      const char *key)
{
	const char *name = json_get_str(item, key);

	table_cell(t, name == NULL || *name == '\0' ? "(none)" : name);
}

static void type_row(struct arena *a, struct table *t, struct json_object *item)
{
	static const char *const counts[] = { "waiting",  "queued",
					      "running",  "submitted",
					      "finished", "bad" };

	(void)a;
	cell_name(t, item, "name");
	for (size_t i = 0; i < CLI_N(counts); i++)
		cell_count(t, number(item, counts[i]), false);
}

static const struct table_column type_columns[] = {
	{ .head = "JOBTYPE", .flexible = true },
	{ .head = "WAITING", .right = true },
	{ .head = "QUEUED", .right = true },
	{ .head = "RUNNING", .right = true },
	{ .head = "10 MIN: NEW", .right = true },
	{ .head = "FINISHED", .right = true },
	{ .head = "BAD", .right = true },
};

static void priority_row(struct arena *a, struct table *t,
			 struct json_object *item)
{
	(void)a;
	table_cellf(t, "%" PRId64, number(item, "priority"));
	cell_count(t, number(item, "queued"), json_get_bool(item, "about"));
}

static const struct table_column priority_columns[] = {
	{ .head = "PRIORITY", .right = true },
	{ .head = "QUEUED", .right = true },
};

static void site_row(struct arena *a, struct table *t, struct json_object *item)
{
	(void)a;
	cell_name(t, item, "name");
	cell_count(t, number(item, "pilots"), false);
	cell_count(t, number(item, "slots"), false);
	cell_count(t, number(item, "used"), false);
}

static const struct table_column site_columns[] = {
	{ .head = "SITE", .flexible = true },
	{ .head = "PILOTS", .right = true },
	{ .head = "SLOTS", .right = true },
	{ .head = "USED", .right = true },
};

static void failure_row(struct arena *a, struct table *t,
			struct json_object *item)
{
	const char *at = json_get_str(item, "ended_at");
	struct buf age = BUF_INIT;
	int64_t ms;

	if (at != NULL && human_time_parse(at, &ms))
		human_age(&age, clock_wall_ms() - ms);
	table_cellf(t, "%" PRId64, number(item, "number"));
	cell_name(t, item, "jobtype");
	table_cell(t, list_text(a, item, "state"));
	table_cell(t, buf_str(&age));
	table_cell(t, list_text(a, item, "exit_code"));
	table_cell(t, list_text(a, item, "reason"));
	buf_fini(&age);
}

static const struct table_column failure_columns[] = {
	{ .head = "FAILED", .right = true },
	{ .head = "JOBTYPE", .flexible = true },
	{ .head = "STATE" },
	{ .head = "AGO", .right = true },
	{ .head = "EXIT", .right = true },
	{ .head = "REASON", .flexible = true },
};

static const struct part parts[] = {
	{ "jobtypes", type_columns, CLI_N(type_columns), type_row },
	{ "priorities", priority_columns, CLI_N(priority_columns),
	  priority_row },
	{ "sites", site_columns, CLI_N(site_columns), site_row },
	{ "failures", failure_columns, CLI_N(failure_columns), failure_row },
};

#define N_PARTS CLI_N(parts)

static struct json_object *items(struct json_object *doc, const char *key)
{
	struct json_object *list = json_get(doc, key);

	return list != NULL && json_type(list) == JSON_ARRAY ? list : NULL;
}

static bool add_state(const char *state, struct json_object *n, void *arg)
{
	struct buf *b = arg;

	if (json_type(n) != JSON_INT || json_int(n) == 0)
		return true;
	if (b->len > 0)
		buf_adds(b, ", ");
	human_count(b, json_int(n));
	buf_addf(b, " %s", state);
	return true;
}

static void add_line(struct buf *out, const char *name, const char *text,
		     int width)
{
	struct buf line = BUF_INIT;

	buf_addf(&line, "%-10s%s", name, text);
	if (width > 0)
		table_add_text(out, buf_str(&line), width);
	else
		buf_adds(out, buf_str(&line));
	buf_addc(out, '\n');
	buf_fini(&line);
}

static void add_states(struct buf *out, struct json_object *doc,
		       const char *key, int width)
{
	struct json_object *o = object(doc, key);
	struct buf b = BUF_INIT;

	if (o != NULL)
		json_each(o, add_state, &b);
	add_line(out, key, b.len > 0 ? buf_str(&b) : "none", width);
	buf_fini(&b);
}

/* Tenths, for a queue that moves slowly moves, too. */
static void add_rate(struct buf *b, struct json_object *rates, const char *key)
{
	int64_t seconds = number(rates, "seconds");
	int64_t tenths = number(rates, key) * 10;

	if (seconds > 0)
		tenths /= seconds;
	if (b->len > 0)
		buf_adds(b, ", ");
	human_count(b, tenths / 10);
	buf_addf(b, ".%d %s", (int)(tenths % 10), key);
}

static void add_head(struct buf *out, struct json_object *doc, int width)
{
	struct json_object *slots = object(doc, "slots");
	struct json_object *rates = object(doc, "rates");
	struct buf b = BUF_INIT;

	add_states(out, doc, "jobs", width);
	add_states(out, doc, "pilots", width);
	human_count(&b, number(slots, "used"));
	buf_adds(&b, " of ");
	human_count(&b, number(slots, "total"));
	buf_adds(&b, " used");
	add_line(out, "slots", buf_str(&b), width);
	buf_reset(&b);
	add_rate(&b, rates, "submitted");
	add_rate(&b, rates, "started");
	add_rate(&b, rates, "finished");
	add_rate(&b, rates, "bad");
	add_line(out, "a second", buf_str(&b), width);
	buf_fini(&b);
}

#define HEAD_LINES 4

/* Rows for each part: one after the other takes one more, as long as there is
 * room; a part without room for its heading is left out. */
static void share(const size_t want[N_PARTS], int room, size_t give[N_PARTS])
{
	bool more = true;

	memset(give, 0, N_PARTS * sizeof(give[0]));
	while (more) {
		more = false;
		for (size_t i = 0; i < N_PARTS; i++) {
			int cost = give[i] == 0 ? FRAME + 1 : 1;

			if (give[i] == want[i] || cost > room)
				continue;
			give[i]++;
			room -= cost;
			more = true;
		}
	}
}

static void add_part(struct arena *a, const struct part *p,
		     struct json_object *list, size_t n, int width,
		     struct buf *out)
{
	struct table *t = table_new(a, p->columns, p->n_columns);

	for (size_t i = 0; i < n; i++)
		p->row(a, t, json_at(list, i));
	buf_addc(out, '\n');
	table_write(t, out, width, true);
}

void top_layout(struct arena *a, struct json_object *doc, int width, int height,
		struct buf *out)
{
	size_t want[N_PARTS], give[N_PARTS];

	for (size_t i = 0; i < N_PARTS; i++) {
		struct json_object *list = items(doc, parts[i].key);

		want[i] = list != NULL ? json_len(list) : 0;
	}
	if (height > 0)
		share(want, height - HEAD_LINES, give);
	else
		memcpy(give, want, sizeof(give));
	add_head(out, doc, width);
	for (size_t i = 0; i < N_PARTS; i++)
		if (give[i] > 0)
			add_part(a, &parts[i], items(doc, parts[i].key),
				 give[i], width, out);
}
