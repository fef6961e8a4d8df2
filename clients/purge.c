/* `sortie purge`: forgets ended jobs, in bounded steps. */
#include <inttypes.h>
#include <stdio.h>
#include "clients/call.h"
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/progress.h"
#include "lib/units.h"

struct opts {
	struct cli_settings common;
	const char *older, *state, *project;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "older",
	  .kind = OPT_STR,
	  .offset = F(older),
	  .arg = "TIME",
	  .help = "Only jobs that ended longer ago than TIME (\"7 d\"). "
		  "Needed, so that nothing goes by mistake; 0 means all." },
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_STR,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "Only jobs that ended in this state." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "Only jobs of this project." },
};

static int tell(struct cli *c, int64_t n, const struct err *e)
{
	struct buf b = BUF_INIT;

	if (e != NULL && n == 0)
		return cli_fail(c, e);
	if (c->settings->json || c->settings->ndjson) {
		printf("{\"deleted\":%" PRId64 "}\n", n);
	} else if (c->settings->quiet) {
		printf("%" PRId64 "\n", n);
	} else {
		human_plural(&b, n, "job");
		printf("%s deleted\n", buf_str(&b));
		buf_fini(&b);
	}
	return e ? cli_fail(c, e) : CLI_OK;
}

static int purge(struct cli *c, const char *body)
{
	struct progress *bar = progress_new("purging", 0, c->settings->quiet);
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	int64_t n = 0;
	bool ok, more;

	do {
		struct call_answer answer;

		arena_reset(a);
		more = false;
		ok = call_post(c, a, "/api/v1/purge", body, &answer, &e);
		if (ok) {
			n += json_get_int(answer.doc, "deleted");
			more = json_get_bool(answer.doc, "more");
			progress_set(bar, n, NULL);
		}
	} while (more);
	progress_free(bar);
	arena_free(a);
	return tell(c, n, ok ? NULL : &e);
}

static int run(struct cli *c)
{
	const struct opts *o = CLI_OPTS(c, struct opts);
	struct buf body = BUF_INIT;
	struct err e = ERR_INIT;
	int64_t older_s;
	int status;

	if (o->older == NULL)
		return cli_misuse(c, "say how old jobs must be: --older \"7 "
				     "d\"");
	if (!units_parse_seconds(o->older, &older_s, &e))
		return cli_misuse(c, "--older: %s", e.text);
	buf_addc(&body, '{');
	buf_json_kv_i64(&body, "older_s", older_s);
	if (o->state != NULL)
		buf_json_kv_str(&body, "state", o->state);
	if (o->project != NULL)
		buf_json_kv_str(&body, "project", o->project);
	buf_addc(&body, '}');
	status = purge(c, buf_str(&body));
	buf_fini(&body);
	return status;
}

const struct cli_command command_purge = {
	.path = "purge",
	.brief = "forget ended jobs with their output",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.run = run,
};
