/* What the server says before the first file: see inject_ask.h. */
#include "clients/inject_ask.h"

#include <string.h>
#include "clients/call.h"
#include "clients/query.h"
#include "lib/dag.h"
#include "lib/jobspec.h"

/* The dag */

static bool find_edges(const struct inject_wish *w, const struct dag *d,
		       struct err *e)
{
	for (size_t i = 0; w->edges[i] != NULL; i++) {
		uint32_t k = 0;

		while (k < d->n_edges &&
		       !dag_edge_is_named(d, &d->edges[k], w->edges[i]))
			k++;
		if (k == d->n_edges)
			return err_set(e, ERR_BAD_REQUEST,
				       "--edge: \"%.600s\" names no edge of "
				       "\"%s\" that has a file: write it "
				       "\"FROM:TO\" or \"FROM:TO:TAG\"",
				       w->edges[i], w->dag);
	}
	return true;
}

struct jobinfo_check {
	const struct dag *d;
	const char *unknown;
};

static bool find_node(const char *key, struct json_object *v, void *arg)
{
	struct jobinfo_check *c = arg;

	(void)v;
	if (dag_find(c->d, key) == DAG_NONE)
		c->unknown = key;
	return c->unknown == NULL;
}

static bool find_nodes(struct cli *c, const struct inject_wish *w,
		       const struct inject_order *o, const struct dag *d,
		       struct err *e)
{
	const char *order = arena_printf(c->arena, "%s}", o->dag);
	struct jobinfo_check check = { d, NULL };
	struct json_object *doc, *info;

	if (!json_parse(c->arena, order, strlen(order), &doc, e))
		return false;
	info = json_get(doc, "jobinfo");
	if (info != NULL)
		json_each(info, find_node, &check);
	return check.unknown == NULL ||
	       err_set(e, ERR_BAD_REQUEST,
		       "--jobinfo: the dag \"%s\" has no job \"%.256s\"",
		       w->dag, check.unknown);
}

/* *project: the one that its workflows get. */
static bool ask_dag(struct cli *c, const struct inject_wish *w,
		    const struct inject_order *o, const char **project,
		    struct err *e)
{
	struct call_answer answer;
	struct buf path = BUF_INIT;
	struct dag *d;
	bool ok;

	query_path(&path, "/api/v1/dags/", w->dag);
	ok = call_get(c, c->arena, buf_str(&path), &answer, e);
	buf_fini(&path);
	if (!ok || !dag_read(c->arena, answer.text, answer.len, "", 0, &d, e) ||
	    !find_edges(w, d, e) || !find_nodes(c, w, o, d, e))
		return false;
	*project = *d->project ? d->project : NULL;
	return true;
}

static bool job_project(struct cli *c, const struct inject_order *o,
			const char **project, struct err *e)
{
	struct json_object *job;

	if (!json_parse(c->arena, o->job, strlen(o->job), &job, e))
		return false;
	*project = json_get_str(job, "project");
	return true;
}

/* Who has more datatypes than a page is told with the first file. */
static bool ask_datatype(struct cli *c, const char *name, struct err *e)
{
	struct call_answer answer;
	struct json_object *items;

	if (name == NULL)
		return true;
	if (!call_get(c, c->arena, "/api/v1/datatypes?page_size=1000", &answer,
		      e))
		return false;
	items = json_get(answer.doc, "items");
	if (items == NULL || json_type(items) != JSON_ARRAY ||
	    json_get_str(answer.doc, "next") != NULL)
		return true;
	for (size_t i = 0; i < json_len(items); i++) {
		const char *known = json_get_str(json_at(items, i), "name");

		if (known != NULL && strcmp(known, name) == 0)
			return true;
	}
	return err_set(e, ERR_BAD_REQUEST,
		       "--datatype \"%s\" is not defined: `sortie datatype "
		       "define` does",
		       name);
}

/* The token */

static bool name_ok(struct cli *c, const char *project, struct err *e)
{
	struct buf b = BUF_INIT;
	struct json_object *o;
	struct jobspec spec;
	bool ok;

	buf_adds(&b, "{\"argv\":[\"true\"]");
	buf_json_kv_str(&b, "project", project);
	buf_addc(&b, '}');
	ok = json_parse(c->arena, buf_str(&b), b.len, &o, e) &&
	     jobspec_decode(c->arena, o, "--project", &spec, e);
	buf_fini(&b);
	return ok;
}

static bool is_listed(struct json_object *names, const char *name)
{
	size_t n = names != NULL && json_type(names) == JSON_ARRAY
			   ? json_len(names)
			   : 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(json_str(json_at(names, i)), name) == 0)
			return true;
	return n == 0;
}

static bool ask_token(struct cli *c, const char *project, struct err *e)
{
	struct call_answer answer;
	const char *role;

	if (!call_get(c, c->arena, "/api/v1/whoami", &answer, e))
		return false;
	role = json_get_str(answer.doc, "role");
	if (role != NULL && strcmp(role, "reader") == 0)
		return err_set(e, ERR_FORBIDDEN,
			       "this token may only read, and injecting makes "
			       "workflows or jobs");
	return is_listed(json_get(answer.doc, "projects"), project) ||
	       err_set(e, ERR_FORBIDDEN,
		       "this token may not use the project \"%s\": --project "
		       "names another",
		       project);
}

bool inject_ask(struct cli *c, const struct inject_wish *w,
		const struct inject_order *o, struct err *e)
{
	const char *project = NULL;

	if (w->project != NULL && !name_ok(c, w->project, e))
		return false;
	if (!(w->dag != NULL ? ask_dag(c, w, o, &project, e)
			     : job_project(c, o, &project, e)))
		return false;
	if (w->project != NULL)
		project = w->project;
	return ask_token(c, project != NULL ? project : "default", e) &&
	       ask_datatype(c, w->datatype, e);
}
