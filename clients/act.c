/* Sends actions on jobs and pilots and tells what became of each. */
#include "clients/act.h"

#include <inttypes.h>
#include <stdio.h>
#include "clients/call.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/query.h"

#define NUMBERS_MAX 10000
/* The server names so many refusals at a person; the rest is a number. */
#define REFUSALS_SHOWN 20

struct outcome {
	const char *noun, *verb;
	int64_t done, refused;
};

static void tell_refused(struct outcome *out, struct json_object *answer)
{
	struct json_object *refused = json_get(answer, "refused");

	if (refused == NULL || json_type(refused) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(refused); i++, out->refused++)
		if (out->refused < REFUSALS_SHOWN)
			cli_note("%s",
				 json_get_str(json_at(refused, i), "message"));
}

static bool send_one(struct cli *c, const char *path, const char *body,
		     struct outcome *out, struct err *e)
{
	const struct cli_settings *s = c->settings;
	struct arena *a = arena_new();
	struct call_answer answer;
	bool ok = call_post(c, a, path, body, &answer, e);

	if (ok && (s->json || s->ndjson))
		list_raw(answer.text, answer.len);
	if (ok) {
		out->done += json_get_int(answer.doc, "done");
		tell_refused(out, answer.doc);
	}
	arena_free(a);
	return ok;
}

static int tell(struct cli *c, const struct outcome *out)
{
	struct buf b = BUF_INIT;

	human_plural(&b, out->done, out->noun);
	cli_say(c, "%s %s", buf_str(&b), out->verb);
	buf_fini(&b);
	if (out->refused > REFUSALS_SHOWN)
		cli_note("and %" PRId64 " more were refused",
			 out->refused - REFUSALS_SHOWN);
	return out->refused > 0 ? CLI_FAILED : CLI_OK;
}

int act_once(struct cli *c, const char *path, const char *body,
	     const char *noun, const char *verb)
{
	struct outcome out = { .noun = noun, .verb = verb };
	struct err e = ERR_INIT;

	if (!send_one(c, path, body, &out, &e))
		return cli_fail(c, &e);
	return tell(c, &out);
}

static void write_body(struct buf *b, const char *action,
		       const struct refs *part, const char *extra)
{
	struct buf numbers = BUF_INIT;

	buf_reset(b);
	buf_addc(b, '{');
	buf_json_kv_str(b, "action", action);
	refs_write(&numbers, part);
	buf_json_kv_str(b, "jobs", buf_str(&numbers));
	buf_fini(&numbers);
	if (extra != NULL)
		buf_addf(b, ",%s", extra);
	buf_addc(b, '}');
}

int act_jobs(struct cli *c, const char *action, const char *verb,
	     struct refs *refs, const char *extra)
{
	struct outcome out = { .noun = "job", .verb = verb };
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	struct refs part;
	bool ok = true;

	while (ok && refs_take(c->arena, refs, &part, NUMBERS_MAX)) {
		write_body(&body, action, &part, extra);
		ok = send_one(c, "/api/v1/jobs/actions", buf_str(&body), &out,
			      &e);
	}
	buf_fini(&body);
	if (ok)
		return tell(c, &out);
	if (out.done > 0)
		tell(c, &out);
	return cli_fail(c, &e);
}

int act_delete(struct cli *c, const char *prefix, const char *what,
	       const char *done)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < c->n_args; i++) {
		struct buf path = BUF_INIT;
		struct call_request r = { .method = "DELETE" };
		struct call_answer answer;
		bool ok;

		query_path(&path, prefix, c->args[i]);
		r.path = buf_str(&path);
		ok = call_send(c, c->arena, &r, &answer, &e);
		buf_fini(&path);
		if (!ok)
			return cli_fail(c, &e);
		cli_say(c, "%s %s %s", what, c->args[i], done);
	}
	return CLI_OK;
}

int act_named(struct cli *c, const char *method, const char *prefix,
	      const char *name, const char *body, const char *said)
{
	struct buf path = BUF_INIT;
	struct call_request r = { .method = method, .body = body };
	struct call_answer answer;
	struct err e = ERR_INIT;
	bool ok;

	query_path(&path, prefix, name);
	r.path = buf_str(&path);
	ok = call_send(c, c->arena, &r, &answer, &e);
	buf_fini(&path);
	if (!ok)
		return cli_fail(c, &e);
	if ((c->settings->json || c->settings->ndjson) && answer.len > 0)
		list_raw(answer.text, answer.len);
	else if (c->settings->quiet)
		printf("%s\n", name);
	else
		cli_say(c, "%s %s", name, said);
	return CLI_OK;
}
