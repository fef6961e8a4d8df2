/* `sortie workflow wait`: until workflows have ended, with a bar over their
 * jobs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/each.h"
#include "clients/human.h"
#include "clients/list.h"
#include "clients/progress.h"
#include "clients/query.h"
#include "clients/workflow.h"
#include "lib/clock.h"

#define OPEN_HINT                                                           \
	": its jobs have, but it is open: `sortie workflow close` lets it " \
	"end"
#define POLL_S 30

struct opts {
	struct cli_settings common;
	int64_t timeout_s;
};

static const struct opt opts[] = {
	{ .name = "timeout",
	  .kind = OPT_SECONDS,
	  .offset = offsetof(struct opts, timeout_s),
	  .max = INT64_C(1000000000),
	  .arg = "TIME",
	  .help = "Give up after TIME, with exit status 6; the workflows go "
		  "on." },
};

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

void workflow_states(struct buf *b, struct json_object *view)
{
	struct json_object *states = json_get(view, "states");

	if (states != NULL && json_type(states) == JSON_OBJECT)
		json_each(states, add_state, b);
}

int workflow_exit(struct json_object *view)
{
	const char *state = json_get_str(view, "state");

	return state != NULL && strcmp(state, "finished") == 0 ? CLI_OK
							       : CLI_FAILED;
}

static bool has_ended(struct json_object *view)
{
	const char *state = json_get_str(view, "state");

	return state == NULL ||
	       (strcmp(state, "held") != 0 && strcmp(state, "running") != 0);
}

static void show(struct progress *bar, struct json_object *view)
{
	struct buf note = BUF_INIT;

	workflow_states(&note, view);
	progress_set(bar, json_get_int(view, "ended"), buf_str(&note));
	buf_fini(&note);
}

static int tell(struct cli *c, const char *word,
		const struct call_answer *answer)
{
	const char *state = json_get_str(answer->doc, "state");
	struct buf b = BUF_INIT;

	if (c->settings->json || c->settings->ndjson) {
		list_raw(answer->text, answer->len);
		return workflow_exit(answer->doc);
	}
	workflow_states(&b, answer->doc);
	if (workflow_exit(answer->doc) == CLI_OK)
		cli_say(c, "workflow %s finished: %s", word, buf_str(&b));
	else
		cli_note("workflow %s has ended as %s: %s; `sortie workflow "
			 "show %s` tells which jobs",
			 word, state != NULL ? state : "?", buf_str(&b), word);
	buf_fini(&b);
	return workflow_exit(answer->doc);
}

/* How long the next poll may take; false when time is over. */
static bool poll_s(int64_t deadline_ms, int64_t *s)
{
	int64_t left_ms;

	*s = POLL_S;
	if (deadline_ms == 0)
		return true;
	left_ms = deadline_ms - clock_mono_ms();
	if (left_ms <= 0)
		return false;
	if ((left_ms + 999) / 1000 < POLL_S)
		*s = (left_ms + 999) / 1000;
	return true;
}

/* *status: its end's, or CLI_GAVE_UP. */
static bool wait_until(struct cli *c, const char *word, int64_t deadline_ms,
		       int *status, struct err *e)
{
	struct arena *a = arena_new();
	struct progress *bar = NULL;
	struct call_answer answer;
	int64_t seen = -1;
	bool ok = true, over_but_open = false;

	*status = -1;
	while (ok && *status < 0) {
		struct call_request r = { .method = "GET" };
		struct buf path = BUF_INIT;

		if (seen >= 0 && !poll_s(deadline_ms, &r.wait_s)) {
			progress_hide(bar);
			cli_note("gave up: workflow %s has not ended in time%s",
				 word, over_but_open ? OPEN_HINT : "");
			*status = CLI_GAVE_UP;
			break;
		}
		workflow_path(&path, word, "");
		if (seen >= 0) {
			query_add_i64(&path, "wait", r.wait_s);
			query_add_i64(&path, "seen_ended", seen);
		}
		r.path = buf_str(&path);
		arena_reset(a);
		ok = call_send(c, a, &r, &answer, e);
		buf_fini(&path);
		if (!ok)
			break;
		seen = json_get_int(answer.doc, "ended");
		over_but_open = json_get_bool(answer.doc, "open") &&
				seen == json_get_int(answer.doc, "jobs");
		if (bar == NULL)
			bar = progress_new("waiting",
					   json_get_int(answer.doc, "jobs"),
					   c->settings->quiet);
		show(bar, answer.doc);
		if (has_ended(answer.doc)) {
			progress_hide(bar);
			*status = tell(c, word, &answer);
		}
	}
	progress_free(bar);
	arena_free(a);
	return ok;
}

static int64_t deadline(int64_t timeout_s)
{
	return timeout_s > 0 ? clock_mono_ms() + timeout_s * 1000 : 0;
}

int workflow_wait(struct cli *c, const char *word, int64_t timeout_s)
{
	struct err e = ERR_INIT;
	int status;

	if (!wait_until(c, word, deadline(timeout_s), &status, &e))
		return cli_fail(c, &e);
	return status;
}

struct waiting {
	int64_t end_ms;
	int status;
};

static bool wait_one(struct cli *c, const char *word, void *arg, struct err *e)
{
	struct waiting *w = arg;
	int status;

	if (w->status == CLI_GAVE_UP)
		return true;
	if (!wait_until(c, word, w->end_ms, &status, e))
		return false;
	if (w->status == CLI_OK || status == CLI_GAVE_UP)
		w->status = status;
	return true;
}

static int run(struct cli *c)
{
	struct waiting w = { .end_ms = deadline(
				     CLI_OPTS(c, struct opts)->timeout_s) };
	int status = each_named(c, "workflow", wait_one, &w);

	return w.status != CLI_OK ? w.status : status;
}

const struct cli_command command_workflow_wait = {
	.path = "workflow wait",
	.args = "WORKFLOW...",
	.brief = "wait until workflows have ended",
	.text = "The exit status is 0 when all have finished, 1 when one "
		"failed or was cancelled. An open workflow ends only after it "
		"was closed.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
