/* Reads the jobs of a body one by one. */
#include "server/submit_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/jobspec.h"
#include "lib/json.h"
#include "server/options.h"
#include "server/seal.h"

#define TOTAL_MAX ((int64_t)JOBSPEC_REPLICAS_MAX)

/* A job's text within the body. */
struct slice {
	const char *p;
	size_t len;
};

struct reading {
	struct req *r;
	struct submit *s;
	struct arena *scratch; /* of one job */
	struct err *e;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && blank(*p))
		p++;
	return p;
}

/* Behind the string that begins at p. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/* Behind one element: where its ',' or ']' stands, or end. Whether the text
 * is JSON at all is for the reader of the element to say. */
static const char *element_end(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = string_end(p, end);
			continue;
		}
		if (depth == 0 && (*p == ',' || *p == ']'))
			return p;
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	}
	return end;
}

static bool project_allowed(const struct principal *who, const char *project)
{
	if (who->n_projects == 0)
		return true;
	for (size_t i = 0; i < who->n_projects; i++)
		if (strcmp(who->project_names[i], project) == 0)
			return true;
	return false;
}

static void *grown(struct arena *a, void *old, size_t n, size_t *cap,
		   size_t size)
{
	void *made;

	if (n < *cap)
		return old;
	*cap = *cap > 0 ? 2 * *cap : 8;
	made = arena_calloc(a, *cap, size);
	if (n > 0)
		memcpy(made, old, n * size);
	return made;
}

/* Jobs in a row mostly share their requirements. */
static size_t need_index(struct reading *g, const char *requirements,
			 int64_t life_s, const char *where)
{
	struct submit *s = g->s;
	struct submit_need *n;

	for (size_t i = s->n_needs; i-- > 0;) {
		n = &s->need[i];
		if (n->life_s == life_s &&
		    strcmp(n->requirements, requirements) == 0)
			return i;
	}
	s->need = grown(g->r->arena, s->need, s->n_needs, &s->cap_needs,
			sizeof(*s->need));
	n = &s->need[s->n_needs];
	n->requirements = arena_strdup(g->r->arena, requirements);
	n->where = arena_strdup(g->r->arena, where);
	n->life_s = life_s;
	return s->n_needs++;
}

static const char *tags_text(struct reading *g, const struct jobspec *j)
{
	struct buf b = BUF_INIT;
	const char *text;

	if (j->n_tags == 0)
		return NULL;
	buf_addc(&b, '{');
	for (size_t i = 0; i < j->n_tags; i++)
		buf_json_kv_str(&b, j->tags[i].name, j->tags[i].value);
	buf_addc(&b, '}');
	text = arena_strndup(g->r->arena, b.data, b.len);
	buf_fini(&b);
	return text;
}

static const char *sends_text(struct reading *g, const struct jobspec *j)
{
	struct buf b = BUF_INIT;
	const char *text;

	if (j->n_sends == 0)
		return NULL;
	for (size_t i = 0; i < j->n_sends; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		buf_adds(&b, j->sends[i]);
	}
	text = arena_strndup(g->r->arena, b.data, b.len);
	buf_fini(&b);
	return text;
}

/* From here on secrets are sealed. */
static void keep_definition(struct reading *g, const struct jobspec *j,
			    struct submit_job *x)
{
	struct arena *a = g->r->arena;
	struct buf b = BUF_INIT;

	if (seal_definition(g->r->srv->seal, j->definition, &b)) {
		x->definition = arena_strndup(a, b.data, b.len);
		x->definition_len = b.len;
	} else {
		x->definition =
			arena_strndup(a, j->definition, j->definition_len);
		x->definition_len = j->definition_len;
	}
	buf_fini(&b);
}

static void job_keep(struct reading *g, const struct jobspec *j,
		     const char *where)
{
	struct submit *s = g->s;
	struct arena *a = g->r->arena;
	int64_t timeout_s = j->timeout_s >= 0
				    ? j->timeout_s
				    : g->r->srv->set->default_timeout_s;
	struct submit_job *x;

	s->job = grown(a, s->job, s->n, &s->cap, sizeof(*s->job));
	x = &s->job[s->n++];
	x->need =
		need_index(g, j->requirements, classes_life(timeout_s), where);
	x->priority = j->priority;
	x->replicas = (int32_t)j->replicas;
	x->held = j->held;
	x->due_ms = j->not_before_ms;
	x->name = arena_strdup(a, j->name);
	keep_definition(g, j, x);
	x->key = arena_strdup(a, j->key);
	x->tags = tags_text(g, j);
	x->sends = sends_text(g, j);
	s->total += j->replicas;
	s->keyed |= j->key != NULL;
}

static bool job_check(struct reading *g, const struct jobspec *j,
		      const char *where)
{
	const char *colon = *where != '\0' ? ": " : "";

	if (!project_allowed(&g->r->who, j->project))
		return err_set(g->e, ERR_FORBIDDEN,
			       "%s%sthis token may not use the project \"%s\"",
			       where, colon, j->project);
	if (j->key != NULL && j->replicas > 1)
		return err_set(
			g->e, ERR_BAD_REQUEST,
			"%s%sa job with a \"key\" cannot have \"replicas\"",
			where, colon);
	if (g->s->total + j->replicas > TOTAL_MAX)
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%s%smore than %lld jobs in one submission",
			       where, colon, (long long)TOTAL_MAX);
	return true;
}

bool submit_add(struct req *r, struct submit *s, const struct jobspec *j,
		const char *where, struct err *e)
{
	struct reading g = { .r = r, .s = s, .e = e };

	if (!job_check(&g, j, where))
		return false;
	job_keep(&g, j, where);
	return true;
}

static bool job_read(struct reading *g, struct slice x, const char *where)
{
	struct json_object *o;
	struct jobspec j;
	bool ok;

	arena_reset(g->scratch);
	ok = json_parse(g->scratch, x.p, x.len, &o, g->e) &&
	     jobspec_decode(g->scratch, o, where, &j, g->e) &&
	     job_check(g, &j, where);
	if (ok)
		job_keep(g, &j, where);
	return ok;
}

static bool list_read(struct reading *g, const char *p, const char *end)
{
	char where[32];

	p = skip_blanks(p + 1, end);
	if (p < end && *p == ']' && skip_blanks(p + 1, end) == end)
		return err_set(g->e, ERR_BAD_REQUEST, "the list has no job");
	for (size_t n = 1; p < end; n++) {
		const char *stop = element_end(p, end);
		struct slice x = { p, (size_t)(stop - p) };

		(void)snprintf(where, sizeof(where), "job %zu", n);
		if (!job_read(g, x, where))
			return false;
		if (stop == end)
			break;
		p = skip_blanks(stop + 1, end);
		if (*stop == ']')
			return p == end ||
			       err_set(g->e, ERR_BAD_REQUEST,
				       "the list is followed by something else");
	}
	return err_set(g->e, ERR_BAD_REQUEST, "the list does not end");
}

static bool lines_read(struct reading *g, const char *p, const char *end)
{
	char where[32];

	for (size_t n = 1; p < end; n++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		struct slice x;

		if (stop == NULL)
			stop = end;
		x = (struct slice){ p, (size_t)(stop - p) };
		(void)snprintf(where, sizeof(where), "line %zu", n);
		if (skip_blanks(p, stop) < stop && !job_read(g, x, where)) {
			if (strncmp(g->e->text, where, strlen(where)) != 0)
				(void)err_prefix(g->e, "%s", where);
			return false;
		}
		p = stop < end ? stop + 1 : end;
	}
	return g->s->n > 0 ||
	       err_set(g->e, ERR_BAD_REQUEST, "the body has no job");
}

/* Not a job and not a list of jobs: the sentence is lib/jobspec's. */
static bool refuse(struct reading *g)
{
	struct json_object *doc, **jobs;
	size_t n;

	if (!json_parse(g->scratch, g->r->body, g->r->body_len, &doc, g->e))
		return false;
	if (jobspec_list(g->scratch, doc, "", &jobs, &n, g->e))
		return err_set(g->e, ERR_BAD_REQUEST, "the body has no job");
	return false;
}

static bool body_read(struct reading *g)
{
	const char *type = req_header(g->r, "Content-Type");
	const char *end = g->r->body + g->r->body_len;
	const char *p = skip_blanks(g->r->body, end);
	struct err position;

	if (!req_media_ok(g->r, g->e))
		return false;
	if (p == end)
		return err_set(g->e, ERR_BAD_REQUEST,
			       "the body is empty: it must be JSON");
	if (type != NULL && strncmp(type, "application/x-ndjson", 20) == 0)
		return lines_read(g, p, end);
	if (*p == '{')
		return job_read(g, (struct slice){ p, (size_t)(end - p) }, "");
	if (*p != '[')
		return refuse(g);
	if (list_read(g, p, end))
		return true;
	/* A fault of the JSON itself is told with its place in the body. */
	if (!json_check(g->r->body, g->r->body_len, &position))
		*g->e = position;
	return false;
}

bool submit_read(struct req *r, struct submit *s, struct err *e)
{
	struct reading g = { .r = r, .s = s, .e = e };
	bool ok;

	g.scratch = arena_new();
	ok = body_read(&g);
	arena_free(g.scratch);
	return ok;
}
