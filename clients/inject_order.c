/* What is to be made of each file: see inject_order.h. */
#include "clients/inject_order.h"

#include <stdlib.h>
#include <string.h>
#include "clients/body.h"
#include "clients/jobfile.h"
#include "clients/slurp.h"
#include "lib/jobspec.h"

#define JOBINFO_MAX ((size_t)1 << 20)

const char *inject_stream(struct arena *a, const struct inject_wish *w)
{
	const char *what = NULL;
	char *file;

	if (w->name != NULL)
		return w->name;
	if (w->dag != NULL) {
		what = arena_printf(a, "dag %s", w->dag);
	} else if (w->job != NULL) {
		file = realpath(w->job, NULL);
		what = arena_printf(a, "job %s", file != NULL ? file : w->job);
		free(file);
	}
	if (what != NULL && w->site != NULL)
		what = arena_printf(a, "%s at %s", what, w->site);
	return what;
}

/* Options that workflows and jobs have in common. */
static bool add_common(struct buf *b, const struct inject_wish *w,
		       struct err *e)
{
	char *end;
	long long n;

	if (w->project != NULL)
		buf_json_kv_str(b, "project", w->project);
	if (w->state != NULL)
		buf_json_kv_str(b, "state", w->state);
	if (w->priority != NULL) {
		n = strtoll(w->priority, &end, 10);
		if (*w->priority == '\0' || *end != '\0' || n > INT32_MAX ||
		    n < INT32_MIN)
			return err_set(e, ERR_BAD_REQUEST,
				       "--priority takes a whole number of 32 "
				       "bits, not \"%s\"",
				       w->priority);
		buf_json_kv_i64(b, "priority", n);
	}
	return true;
}

static bool add_jobinfo(struct buf *b, const char *what, struct err *e)
{
	struct buf text = BUF_INIT;
	bool ok = true;

	if (what == NULL)
		return true;
	if (what[0] == '{')
		buf_adds(&text, what);
	else
		ok = slurp_file(what, JOBINFO_MAX, &text, e);
	ok = ok && json_check(buf_str(&text), text.len, e);
	if (ok)
		buf_json_kv_raw(b, "jobinfo", buf_str(&text));
	else
		err_prefix(e, "--jobinfo");
	buf_fini(&text);
	return ok;
}

static bool make_dag(struct arena *a, const struct inject_wish *w,
		     struct inject_order *out, struct err *e)
{
	struct buf *b = ARENA_NEW(a, struct buf);

	buf_init_in(b, a);
	buf_addc(b, '{');
	buf_json_kv_str(b, "dag", w->dag);
	if (!add_common(b, w, e) || !add_jobinfo(b, w->jobinfo, e))
		return false;
	if (w->env[0] != NULL) {
		buf_json_key(b, "env");
		buf_addc(b, '{');
		if (!body_env(b, (const char *const *)w->env, e))
			return false;
		buf_addc(b, '}');
	}
	out->dag = arena_strdup(a, buf_str(b));
	return true;
}

struct job_copy {
	const struct inject_wish *w;
	struct buf *b;
	struct json_object *env;
};

static bool copy_member(const char *key, struct json_object *v, void *arg)
{
	struct job_copy *c = arg;

	if ((c->w->project != NULL && strcmp(key, "project") == 0) ||
	    (c->w->state != NULL && strcmp(key, "state") == 0) ||
	    (c->w->priority != NULL && strcmp(key, "priority") == 0))
		return true;
	if (c->w->env[0] != NULL && strcmp(key, "env") == 0) {
		c->env = v;
		return true;
	}
	buf_json_key(c->b, key);
	json_write(c->b, v);
	return true;
}

/* NAME=VALUE of the command line wins over the file's. */
static bool copy_variable(const char *key, struct json_object *v, void *arg)
{
	struct job_copy *c = arg;
	size_t len = strlen(key);

	for (const char **env = c->w->env; *env != NULL; env++)
		if (strncmp(*env, key, len) == 0 && (*env)[len] == '=')
			return true;
	buf_json_key(c->b, key);
	json_write(c->b, v);
	return true;
}

struct job_reading {
	struct arena *a;
	const struct inject_wish *w;
	struct inject_order *out;
};

static bool read_job(struct arena *scratch, const struct jobfile_job *job,
		     void *arg, struct err *e)
{
	struct job_reading *r = arg;
	struct buf *b = ARENA_NEW(scratch, struct buf);
	struct job_copy c = { .w = r->w, .b = b };
	struct jobspec spec;

	if (r->out->job != NULL)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" has more than one job: one is made of "
			       "each file; for more, use a dag",
			       r->w->job);
	if (!jobspec_decode(scratch, job->object, job->where, &spec, e))
		return false;
	buf_init_in(b, scratch);
	buf_addc(b, '{');
	json_each(job->object, copy_member, &c);
	if (!add_common(b, r->w, e))
		return false;
	if (r->w->env[0] != NULL) {
		buf_json_key(b, "env");
		buf_addc(b, '{');
		if (c.env != NULL && json_type(c.env) == JSON_OBJECT)
			json_each(c.env, copy_variable, &c);
		if (!body_env(b, (const char *const *)r->w->env, e))
			return false;
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
	r->out->job = arena_strdup(r->a, buf_str(b));
	return true;
}

/* What is said of the file itself. */
static const char *members(struct arena *a, const struct inject_wish *w)
{
	struct buf *b = ARENA_NEW(a, struct buf);

	buf_init_in(b, a);
	buf_addc(b, '{');
	if (w->site != NULL)
		buf_json_kv_str(b, "site", w->site);
	if (w->datatype != NULL)
		buf_json_kv_str(b, "datatype", w->datatype);
	if (w->edges[0] != NULL) {
		buf_json_key(b, "edges");
		buf_addc(b, '[');
		for (size_t i = 0; w->edges[i] != NULL; i++) {
			buf_json_comma(b);
			buf_json_str(b, w->edges[i]);
		}
		buf_addc(b, ']');
	}
	return arena_strdup(a, buf_str(b) + 1);
}

bool inject_order_make(struct arena *a, const struct inject_wish *w,
		       struct inject_order *out, struct err *e)
{
	*out = (struct inject_order){ .stream = inject_stream(a, w),
				      .members = members(a, w) };
	if (w->dag != NULL)
		return make_dag(a, w, out, e);
	return jobfile_read(w->job, read_job,
			    &(struct job_reading){ a, w, out }, e);
}
