/* `sortie purge`: forgets ended jobs, in bounded steps, and writes them to a
 * file before. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/progress.h"
#include "lib/fd.h"
#include "lib/units.h"

struct opts {
	struct cli_settings common;
	const char *older, *state, *project, *export;
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
	{ .name = "export",
	  .letter = 'x',
	  .kind = OPT_STR,
	  .offset = F(export),
	  .arg = "FILE",
	  .help = "Write each job with its runs and events at the end of FILE, "
		  "a line of JSON each, before it goes; jobs go when their "
		  "lines are on disk. After an interruption some lines may "
		  "be there twice. Output is not written." },
};

static const struct cli_choice choices[] = {
	{ "state", CHOICE_JOB_ENDS },
	{ NULL, NULL },
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

/* On disk, where that means something. */
static bool keep(int fd, const char *name, const char *p, size_t len,
		 struct err *e)
{
	if (fd_write_all(fd, p, len) &&
	    (fdatasync(fd) == 0 || errno == EINVAL || errno == EROFS))
		return true;
	return err_set_errno(e, ERR_IO, "cannot write \"%s\"", name);
}

/* Asks with what the step before has told and is kept; the answer's last line
 * is about the step, the others are jobs. */
static bool export_step(struct cli *c, struct arena *a, const char *body,
			struct buf *exported, struct call_answer *jobs,
			struct json_object **step, struct err *e)
{
	struct buf with = BUF_INIT;
	struct call_request r = { .method = "POST",
				  .path = "/api/v1/purge",
				  .accept = "application/x-ndjson" };
	const char *last;
	bool ok;

	buf_add(&with, body, strlen(body) - 1);
	buf_json_kv_bool(&with, "export", true);
	if (exported->len > 0)
		buf_json_kv_str(&with, "exported", buf_str(exported));
	buf_addc(&with, '}');
	r.body = buf_str(&with);
	ok = call_send(c, a, &r, jobs, e);
	buf_fini(&with);
	if (!ok)
		return false;
	last = jobs->len > 1 ? memrchr(jobs->text, '\n', jobs->len - 1) : NULL;
	last = last != NULL ? last + 1 : jobs->text;
	if (!json_parse(a, last, jobs->len - (size_t)(last - jobs->text), step,
			e))
		return err_prefix(e, "the last line of the answer");
	jobs->len = (size_t)(last - jobs->text);
	return true;
}

static int export_to(struct cli *c, const char *body, const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct progress *bar;
	struct arena *a;
	struct buf exported = BUF_INIT;
	struct err e = ERR_INIT;
	int64_t n = 0;
	bool ok, more;

	if (fd < 0) {
		(void)err_set_errno(&e, ERR_IO, "cannot open \"%s\"", name);
		return cli_fail(c, &e);
	}
	bar = progress_new("exporting", 0, c->settings->quiet);
	a = arena_new();
	do {
		struct call_answer jobs;
		struct json_object *step;

		arena_reset(a);
		ok = export_step(c, a, body, &exported, &jobs, &step, &e);
		if (!ok)
			break;
		n += json_get_int(step, "deleted");
		progress_set(bar, n, NULL);
		more = json_get_bool(step, "more");
		buf_reset(&exported);
		if (more)
			buf_adds(&exported, json_get_str(step, "exported"));
		ok = keep(fd, name, jobs.text, jobs.len, &e);
	} while (ok && more);
	progress_free(bar);
	arena_free(a);
	buf_fini(&exported);
	(void)close(fd);
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
	status = o->export != NULL ? export_to(c, buf_str(&body), o->export)
				   : purge(c, buf_str(&body));
	buf_fini(&body);
	return status;
}

const struct cli_command command_purge = {
	.path = "purge",
	.brief = "forget ended jobs with their output",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.run = run,
};
