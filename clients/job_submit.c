/* `sortie job submit`: job files to queued jobs, all of them or none. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/body.h"
#include "clients/call.h"
#include "clients/choice.h"
#include "clients/commands.h"
#include "clients/human.h"
#include "clients/jobfile.h"
#include "clients/last.h"
#include "clients/list.h"
#include "clients/parts.h"
#include "clients/patch.h"
#include "clients/sendfile.h"
#include "clients/submission.h"
#include "clients/wait.h"
#include "lib/jobspec.h"

#define PART_LEN (768 * 1024)
#define PART_JOBS 5000

struct opts {
	struct cli_settings common;
	int64_t replicas;
	const char **set, **env, **tag, **input, **send;
	const char *project, *priority, *jobtype, *site, *state, *key, *text;
	bool hold, wait;
};

#define F(name) offsetof(struct opts, name)

static const struct opt opts[] = {
	{ .name = "json-text",
	  .letter = 'j',
	  .kind = OPT_STR,
	  .offset = F(text),
	  .arg = "JSON",
	  .help = "The jobs themselves instead of a file." },
	{ .name = "replicas",
	  .letter = 'N',
	  .kind = OPT_INT,
	  .offset = F(replicas),
	  .min = 1,
	  .max = JOBSPEC_REPLICAS_MAX,
	  .arg = "N",
	  .help = "Make N of each job; SORTIE_INDEX tells them apart, from "
		  "0." },
	{ .name = "set",
	  .kind = OPT_MULTI,
	  .offset = F(set),
	  .arg = "KEY=VALUE",
	  .help = "Set a key of each job; VALUE is JSON, or else text. May be "
		  "given several times." },
	{ .name = "env",
	  .letter = 'E',
	  .kind = OPT_MULTI,
	  .offset = F(env),
	  .arg = "NAME=VALUE",
	  .help = "Set a variable in each job's environment. May be given "
		  "several times." },
	{ .name = "tag",
	  .kind = OPT_MULTI,
	  .offset = F(tag),
	  .arg = "NAME=VALUE",
	  .help = "Give each job a tag. May be given several times." },
	{ .name = "project",
	  .letter = 'p',
	  .kind = OPT_STR,
	  .offset = F(project),
	  .arg = "NAME",
	  .help = "Put the jobs into this project." },
	{ .name = "priority",
	  .letter = 'P',
	  .kind = OPT_STR,
	  .offset = F(priority),
	  .arg = "N",
	  .help = "Their priority; higher goes first." },
	{ .name = "jobtype",
	  .letter = 'T',
	  .kind = OPT_STR,
	  .offset = F(jobtype),
	  .arg = "NAME",
	  .help = "Their type." },
	{ .name = "site",
	  .kind = OPT_STR,
	  .offset = F(site),
	  .arg = "NAME",
	  .help = "Run them only at this site." },
	{ .name = "state",
	  .letter = 's',
	  .kind = OPT_STR,
	  .offset = F(state),
	  .arg = "STATE",
	  .help = "`defined` (queued), or `held` (`template` means the "
		  "same)." },
	{ .name = "hold",
	  .kind = OPT_FLAG,
	  .offset = F(hold),
	  .help = "Submit them held: `sortie job release` lets them start." },
	{ .name = "key",
	  .kind = OPT_STR,
	  .offset = F(key),
	  .arg = "KEY",
	  .help = "Your own identifier of the one job that is submitted; the "
		  "same key again makes nothing new." },
	{ .name = "input",
	  .letter = 'f',
	  .kind = OPT_LIST,
	  .offset = F(input),
	  .arg = "A,B,C",
	  .help = "Make one job per input, with P3S_INPUT_FILE set to it." },
	{ .name = "send",
	  .kind = OPT_MULTI,
	  .offset = F(send),
	  .arg = "FILE[:NAME]",
	  .help = "Put FILE (at most 1 MiB) into the working directory, as "
		  "NAME. May be given several times." },
	{ .name = "wait",
	  .letter = 'w',
	  .kind = OPT_FLAG,
	  .offset = F(wait),
	  .help = "Wait until all have ended; exit status as of `job "
		  "wait`." },
};

static const struct cli_choice choices[] = {
	{ "state", CHOICE_NEW_JOB },
	{ NULL, NULL },
};

struct submit {
	struct cli *c;
	const struct opts *o;
	struct patch *patch;
	struct parts *parts;
	struct sendfile *files;
	size_t n_files;
	struct buf text; /* of one changed job */
};

static bool add_joins(struct patch *p, const char *option, const char *object,
		      const char *const *words, struct err *e)
{
	for (; words != NULL && *words != NULL; words++)
		if (!patch_join(p, object, *words, e))
			return err_prefix(e, "%s", option);
	return true;
}

static void add_text(struct patch *p, const char *key, const char *text)
{
	if (text != NULL)
		patch_set_text(p, key, text);
}

/* Else a wrong number is blamed on the file. */
static bool check_priority(const char *text, struct err *e)
{
	struct buf scratch = BUF_INIT;
	bool ok = body_number(&scratch, "priority", text, INT32_MIN, INT32_MAX,
			      e);

	buf_fini(&scratch);
	return ok;
}

static bool make_patch(struct submit *s, struct err *e)
{
	const struct opts *o = s->o;
	struct patch *p = s->patch;
	char number[32];

	for (size_t i = 0; o->set != NULL && o->set[i] != NULL; i++)
		if (!patch_set_word(p, o->set[i], e))
			return false;
	if (!check_priority(o->priority, e) ||
	    !add_joins(p, "--env", "env", (const char *const *)o->env, e) ||
	    !add_joins(p, "--tag", "tags", (const char *const *)o->tag, e))
		return false;
	add_text(p, "project", o->project);
	add_text(p, "priority", o->priority);
	add_text(p, "jobtype", o->jobtype);
	add_text(p, "site", o->site);
	add_text(p, "state", o->hold ? "held" : o->state);
	add_text(p, "key", o->key);
	if (o->replicas > 0) {
		snprintf(number, sizeof(number), "%" PRId64, o->replicas);
		patch_set(p, "replicas", number);
	}
	return true;
}

static bool read_files(struct submit *s, struct err *e)
{
	struct arena *a = s->c->arena;
	const char *const *words = (const char *const *)s->o->send;
	struct buf b = BUF_INIT;

	if (words == NULL)
		return true;
	while (words[s->n_files] != NULL)
		s->n_files++;
	s->files = ARENA_ARRAY(a, struct sendfile, s->n_files);
	for (size_t i = 0; i < s->n_files; i++) {
		if (!sendfile_read(a, words[i], &s->files[i], e))
			return false;
		buf_reset(&b);
		sendfile_json(&b, &s->files[i]);
		patch_send(s->patch, buf_str(&b));
	}
	buf_fini(&b);
	return true;
}

static bool add_one(struct submit *s, struct arena *a,
		    const struct jobfile_job *job, const char *input,
		    struct err *e)
{
	struct json_object *o = job->object;
	const char *text = job->text;
	size_t len = job->len;
	struct jobspec spec;

	if (input != NULL || !patch_is_empty(s->patch)) {
		buf_reset(&s->text);
		if (!patch_write(s->patch, o, input, job->where, &s->text, e))
			return false;
		text = s->text.data;
		len = s->text.len;
		if (!json_parse(a, text, len, &o, e))
			return err_prefix(e, "%s", job->where);
	}
	if (!jobspec_decode(a, o, job->where, &spec, e))
		return false;
	if (s->o->key != NULL && parts_jobs(s->parts) > 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "--key names one job, and "
			       "there are several: write \"key\" into the "
			       "file");
	return parts_add(s->parts, text, len, e);
}

static bool on_job(struct arena *a, const struct jobfile_job *job, void *arg,
		   struct err *e)
{
	struct submit *s = arg;
	const char *const *inputs = (const char *const *)s->o->input;

	if (inputs == NULL || inputs[0] == NULL)
		return add_one(s, a, job, NULL, e);
	for (; *inputs != NULL; inputs++)
		if (!add_one(s, a, job, *inputs, e))
			return false;
	return true;
}

static bool read_jobs(struct submit *s, struct err *e)
{
	if (s->o->text != NULL)
		return jobfile_read_text("-j", s->o->text, strlen(s->o->text),
					 on_job, s, e);
	for (size_t i = 0; i < s->c->n_args; i++)
		if (!jobfile_read(s->c->args[i], on_job, s, e))
			return false;
	return true;
}

static void print_ids(const struct refs *refs)
{
	for (size_t i = 0; i < refs->n; i++)
		for (int64_t n = refs->ranges[i].first;
		     n <= refs->ranges[i].last; n++)
			printf("%" PRId64 "\n", n);
}

/* Jobs whose key was taken by the same definition before. */
static int64_t n_there_before(struct json_object *answer)
{
	struct json_object *jobs = json_get(answer, "jobs");
	int64_t n = 0;

	if (jobs == NULL || json_type(jobs) != JSON_ARRAY)
		return 0;
	for (size_t i = 0; i < json_len(jobs); i++)
		n += !json_get_bool(json_at(jobs, i), "created");
	return n;
}

static void tell(struct cli *c, const struct call_answer *answer,
		 const struct refs *refs)
{
	const struct cli_settings *s = c->settings;
	struct buf b = BUF_INIT, count = BUF_INIT;
	int64_t old = n_there_before(answer->doc);

	if (s->json || s->ndjson) {
		list_raw(answer->text, answer->len);
	} else if (s->quiet) {
		print_ids(refs);
	} else {
		refs_write(&b, refs);
		human_plural(&count, refs_count(refs), "job");
		cli_say(c, "submitted %s: %s", buf_str(&count), buf_str(&b));
		if (old > 0)
			cli_say(c, "%" PRId64 " of them %s there before", old,
				old == 1 ? "was" : "were");
	}
	fflush(stdout);
	buf_fini(&b);
	buf_fini(&count);
}

static int submit(struct submit *s)
{
	struct call_answer answer;
	struct err e = ERR_INIT;
	struct refs refs;

	if (!make_patch(s, &e))
		return cli_misuse(s->c, "%s", e.text);
	if (!read_files(s, &e) || !read_jobs(s, &e))
		return cli_fail(s->c, &e);
	for (size_t i = 0; i < s->n_files; i++)
		if (!sendfile_upload(s->c, &s->files[i], &e))
			return cli_fail(s->c, &e);
	if (!submission_send(s->c, s->parts, &answer, &refs, &e))
		return cli_fail(s->c, &e);
	last_save(s->c, "job", &refs);
	tell(s->c, &answer, &refs);
	return s->o->wait ? wait_jobs(s->c, &refs, 0, false) : CLI_OK;
}

static int run(struct cli *c)
{
	struct submit s = { .c = c, .o = CLI_OPTS(c, struct opts) };
	int status;

	if (s.o->text != NULL && c->n_args > 0)
		return cli_misuse(c, "give either files or -j, not both");
	if (s.o->text == NULL && c->n_args == 0)
		return cli_misuse(c, "name a job file, or - for standard "
				     "input");
	s.patch = patch_new(c->arena);
	s.parts = parts_new(PART_LEN, PART_JOBS);
	status = submit(&s);
	parts_free(s.parts);
	buf_fini(&s.text);
	return status;
}

const struct cli_command command_job_submit = {
	.path = "job submit",
	.args = "FILE... | - | -j JSON",
	.brief = "submit the jobs of files",
	.text = "A file holds a list of jobs, one job, or one job after the "
		"other (NDJSON); sortie-job(5) tells the keys. Everything is "
		"checked first: when anything is wrong in any file, nothing "
		"is sent. All the jobs come to be, or none.",
	.opts = opts,
	.n_opts = CLI_N(opts),
	.opts_size = sizeof(struct opts),
	.choices = choices,
	.max_args = -1,
	.run = run,
};
