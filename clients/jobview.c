/* Words and columns for jobs, so that all commands speak of them alike. */
#include "clients/jobview.h"

#include <inttypes.h>
#include <string.h>
#include "clients/commands.h"
#include "clients/human.h"
#include "lib/clock.h"
#include "lib/units.h"

static void add_signal(struct buf *b, int64_t number)
{
	const char *name = sigabbrev_np((int)number);

	if (name != NULL)
		buf_addf(b, "SIG%s", name);
	else
		buf_addf(b, "signal %" PRId64, number);
}

void jobview_end(struct buf *b, struct json_object *o)
{
	if (json_get_int(o, "signal") > 0)
		add_signal(b, json_get_int(o, "signal"));
	else if (json_get_int(o, "exit_code") != 0)
		buf_addf(b, "exit %" PRId64, json_get_int(o, "exit_code"));
}

int64_t jobview_span_ms(struct json_object *o, const char *from, const char *to)
{
	const char *begin = json_get_str(o, from);
	const char *end = json_get_str(o, to);
	int64_t begin_ms, end_ms;

	if (begin == NULL || !human_time_parse(begin, &begin_ms))
		return -1;
	if (end == NULL || !human_time_parse(end, &end_ms))
		end_ms = clock_wall_ms();
	return end_ms > begin_ms ? end_ms - begin_ms : 0;
}

static const char *text_or_null(struct json_object *o, const char *key)
{
	const char *s = json_get_str(o, key);

	return s != NULL && s[0] != '\0' ? s : NULL;
}

/* The reason, unless state or signal, which stand beside it, say the same. */
static const char *reason_or_null(struct json_object *o)
{
	const char *reason = text_or_null(o, "reason");
	const char *state = text_or_null(o, "state");

	if (reason == NULL || (state != NULL && strcmp(reason, state) == 0) ||
	    (strncmp(reason, "signal ", 7) == 0 &&
	     json_get_int(o, "signal") > 0))
		return NULL;
	return reason;
}

static void state_cell(struct table *t, struct json_object *o, const char *key)
{
	table_cell(t, json_get_bool(o, "cancelling") ? "cancelling"
						     : json_get_str(o, key));
}

static void host_cell(struct table *t, struct json_object *o, const char *key)
{
	struct json_object *pilot = json_get(o, "pilot");

	table_cell(t, pilot && json_type(pilot) == JSON_OBJECT
			      ? text_or_null(pilot, key)
			      : NULL);
}

static void end_cell(struct table *t, struct json_object *o, const char *key)
{
	const char *reason = reason_or_null(o);
	struct buf b = BUF_INIT;

	(void)key;
	jobview_end(&b, o);
	if (reason != NULL)
		buf_addf(&b, "%s%s", b.len ? ", " : "", reason);
	table_cell(t, buf_str(&b));
	buf_fini(&b);
}

static const struct table_column columns[] = {
	{ .head = "JOB", .right = true, .key = "number" },
	{ .head = "NAME", .flexible = true, .key = "name" },
	{ .head = "TYPE", .flexible = true, .key = "jobtype" },
	{ .head = "PROJECT", .flexible = true, .key = "project" },
	{ .head = "PRIO", .right = true, .key = "priority" },
	{ .head = "STATE", .key = "state", .cell = state_cell },
	{ .head = "AGE",
	  .right = true,
	  .key = "submitted_at",
	  .cell = list_age },
	{ .head = "TIME", .right = true, .cell = list_span },
	{ .head = "HOST", .flexible = true, .key = "host", .cell = host_cell },
	{ .head = "END", .flexible = true, .cell = end_cell },
};

const struct list jobview_list = {
	.path = "/api/v1/jobs",
	.columns = columns,
	.n_columns = CLI_N(columns),
	.id = "number",
	.none = "no such jobs",
};

int jobview_exit(struct json_object *o)
{
	const char *state = json_get_str(o, "state");
	int64_t code = json_get_int(o, "exit_code");
	int64_t signal = json_get_int(o, "signal");

	if (state == NULL)
		return CLI_OWN;
	if (strcmp(state, "finished") == 0)
		return CLI_OK;
	if (strcmp(state, "timelimit") == 0)
		return CLI_TIMELIMIT;
	if (strcmp(state, "failed") != 0)
		return CLI_OWN;
	if (signal > 0 && signal < 128)
		return CLI_SIGNAL + (int)signal;
	if (code > 0 && code < 256)
		return (int)code;
	return CLI_OWN;
}

void jobview_sentence(struct buf *b, struct json_object *o)
{
	const char *state = json_get_str(o, "state");
	const char *reason = reason_or_null(o);
	struct buf end = BUF_INIT;

	buf_addf(b, "job %" PRId64 " ended as %s", json_get_int(o, "number"),
		 state ? state : "unknown");
	jobview_end(&end, o);
	if (end.len > 0)
		buf_addf(b, " (%s)", buf_str(&end));
	if (reason != NULL)
		buf_addf(b, ": %s", reason);
	buf_fini(&end);
}
