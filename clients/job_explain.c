/* `sortie job explain`: why a job waits, from what the server knows. */
#include <inttypes.h>
#include <stdio.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/facts.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/refs.h"

static void print_place(struct json_object *doc)
{
	struct buf b = BUF_INIT;

	if (json_get_int(doc, "place") <= 0)
		return;
	if (!json_get_bool(doc, "place_exact"))
		buf_addc(&b, '~');
	human_count(&b, json_get_int(doc, "place"));
	facts_text("place in line", buf_str(&b));
	buf_fini(&b);
}

static void add_json(struct buf *b, struct json_object *v)
{
	if (v == NULL)
		return;
	if (json_type(v) == JSON_STR)
		buf_adds(b, json_str(v));
	else
		json_write(b, v);
}

static void print_terms(struct json_object *terms)
{
	if (terms == NULL || json_type(terms) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(terms); i++) {
		struct json_object *t = json_at(terms, i);
		struct buf b = BUF_INIT;

		buf_addf(&b, "%s ", json_get_str(t, "term"));
		add_json(&b, json_get(t, "wants"));
		buf_adds(&b, ": fails on ");
		human_plural(&b, json_get_int(t, "pilots_failing"), "pilot");
		facts_text(i == 0 ? "asks for" : "", buf_str(&b));
		buf_fini(&b);
	}
}

static void print_limits(struct json_object *limits)
{
	if (limits == NULL || json_type(limits) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(limits); i++) {
		struct json_object *l = json_at(limits, i);
		struct json_object *holders = json_get(l, "holders");
		struct buf b = BUF_INIT;

		for (size_t h = 0;
		     holders != NULL && json_type(holders) == JSON_ARRAY &&
		     h < json_len(holders);
		     h++) {
			buf_adds(&b, h == 0 ? ", held by job " : ", ");
			add_json(&b, json_at(holders, h));
		}
		facts_printf(i == 0 ? "limits" : "",
			     "%s: %" PRId64 " of %" PRId64 " used%s",
			     json_get_str(l, "name"), json_get_int(l, "used"),
			     json_get_int(l, "capacity"), buf_str(&b));
		buf_fini(&b);
	}
}

static void print_pilots(struct json_object *pilots)
{
	if (pilots == NULL || json_type(pilots) != JSON_OBJECT)
		return;
	facts_printf("pilots",
		     "%" PRId64 " live, %" PRId64 " fit, %" PRId64
		     " of these have room now",
		     json_get_int(pilots, "live"),
		     json_get_int(pilots, "fitting"),
		     json_get_int(pilots, "fitting_free"));
}

static int run(struct cli *c)
{
	const struct cli_settings *s = c->settings;
	struct call_answer answer;
	struct err e = ERR_INIT;
	int64_t number;
	char path[80];

	if (!refs_resolve_one(c, c->args[0], &number, &e))
		return refs_fail(c, &e);
	snprintf(path, sizeof(path), "/api/v1/jobs/%" PRId64 "/explain",
		 number);
	if (!call_get(c, c->arena, path, &answer, &e))
		return cli_fail(c, &e);
	if (s->json || s->ndjson) {
		list_raw(answer.text, answer.len);
		return CLI_OK;
	}
	facts_printf("job", "%" PRId64 " (%s)", number,
		     json_get_str(answer.doc, "state"));
	facts_text("because", json_get_str(answer.doc, "first"));
	if (s->quiet)
		return CLI_OK;
	print_place(answer.doc);
	print_terms(json_get(answer.doc, "terms"));
	print_limits(json_get(answer.doc, "limits"));
	print_pilots(json_get(answer.doc, "pilots"));
	return CLI_OK;
}

const struct cli_command command_job_explain = {
	.path = "job explain",
	.args = "JOB",
	.brief = "tell why a job waits",
	.text = "Which of its terms fail on how many pilots, which limit is "
		"full and who holds it, and its place in the line.",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
