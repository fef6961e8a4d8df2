/* What administrators set and everybody reads: limits, jobtypes, projects. */
#include "server/h_admin.h"

#include <stddef.h>
#include <string.h>
#include "lib/jobspec.h"
#include "server/lanes.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define JOBTYPE_LIMIT "jobtype:"

#define N(table) (sizeof(table) / sizeof((table)[0]))

bool h_admin_name(struct req *r, const char *what, struct err *e)
{
	if (jobspec_name_ok(r->var[0]))
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "\"%.100s\" cannot be the name of "
		       "a %s: names have 1 to %d bytes, no \"/\", no control "
		       "characters and no blank at an end",
		       r->var[0], what, JOBSPEC_NAME_MAX);
}

bool h_admin_page(struct req *r, int32_t *page, const char **after,
		  struct err *e)
{
	*after = req_query(r, "cursor");
	return view_page(r, page, e);
}

/* Lists: the page's name to go on from, or one name alone. */

static void p_page(struct db_params *p, struct req *r, const char *after,
		   int32_t page, const char *only)
{
	db_p_text(p, after);
	db_p_i32(p, page);
	db_p_text(p, only == NULL ? view_between(r) : ",");
	db_p_text(p, only);
}

static void list(struct req *r, const char *stmt, bool who)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *after;
	int32_t page;

	if (!h_admin_page(r, &page, &after, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (who)
		view_p_who(p, r);
	p_page(p, r, after, page, NULL);
	db_run(r->srv->db, stmt, p, view_on_list, r);
}

/* The reply to a change: the thing as it is now. */
static void one(struct req *r, const char *stmt, bool who, const char *name)
{
	struct db_params *p = db_params_new(r->arena);

	if (who)
		view_p_who(p, r);
	p_page(p, r, NULL, 1, name);
	db_run(r->srv->db, stmt, p, view_on_one, r);
}

/* Limits and jobtypes: both are capacities. */

struct setting {
	const char *list; /* the statement that shows it */
	bool who;         /* which takes who asks */
};

static const struct setting limit_setting = { "limit_list", false };
static const struct setting jobtype_setting = { "jobtype_list", true };
static const struct setting project_setting = { "project_list", true };

static void on_set(enum db_outcome o, const struct db_result *res,
		   const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	const struct setting *s = r->data;

	(void)res;
	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	/* More may fit than before. */
	wake_work(r->srv);
	wake_events(r->srv);
	r->data = arena_printf(r->arena, "\"%s\"", r->var[0]);
	one(r, s->list, s->who, r->var[0]);
}

static void set_limit(struct req *r, const char *name, bool given,
		      int32_t capacity)
{
	struct db_params *p = db_params_new(r->arena);

	db_p_text(p, name);
	if (given)
		db_p_i32(p, capacity);
	else
		db_p_null(p);
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "limit_set", p, on_set, r);
}

struct capacity {
	int32_t n;
	bool given;
};

static const struct json_field limit_fields[] = {
	{ "capacity", JK_I32, offsetof(struct capacity, n),
	  JF_LOOSE | JF_REQUIRED, 0, INT32_MAX,
	  offsetof(struct capacity, given) },
};

static const struct json_field jobtype_fields[] = {
	{ "max_running", JK_I32, offsetof(struct capacity, n), JF_LOOSE, 0,
	  INT32_MAX, offsetof(struct capacity, given) },
};

static void get_limits(struct req *r)
{
	list(r, "limit_list", false);
}

static void put_limit(struct req *r)
{
	struct capacity c = { 0 };
	struct err e = ERR_INIT;

	if (!h_admin_name(r, "limit", &e) ||
	    !view_body(r, limit_fields, N(limit_fields), &c, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (strncmp(r->var[0], JOBTYPE_LIMIT, strlen(JOBTYPE_LIMIT)) == 0) {
		err_set(&e, ERR_BAD_REQUEST,
			"\"%s\" is the maximum of a "
			"jobtype: set it there",
			r->var[0]);
		req_reply_err(r, &e);
		return;
	}
	r->data = (void *)(uintptr_t)&limit_setting;
	set_limit(r, r->var[0], true, c.n);
}

static void on_limit_gone(enum db_outcome o, const struct db_result *res,
			  const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct err e = ERR_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
	} else if (db_is_null(res, 0, 0)) {
		view_reply_missing(
			r, arena_printf(r->arena, "limit \"%s\"", r->var[0]));
	} else if (!db_bool(res, 0, 0)) {
		err_set(&e, ERR_CONFLICT,
			"jobs that have not ended want the "
			"limit \"%s\": cancel them first",
			r->var[0]);
		req_reply_err(r, &e);
	} else {
		wake_events(r->srv);
		req_reply_empty(r, 204);
	}
}

static void delete_limit(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	if (!h_admin_name(r, "limit", &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_text(p, r->var[0]);
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "limit_delete", p, on_limit_gone, r);
}

static void get_jobtypes(struct req *r)
{
	list(r, "jobtype_list", true);
}

static void put_jobtype(struct req *r)
{
	struct capacity c = { 0 };
	struct err e = ERR_INIT;

	if (!h_admin_name(r, "jobtype", &e) ||
	    !view_body(r, jobtype_fields, N(jobtype_fields), &c, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = (void *)(uintptr_t)&jobtype_setting;
	set_limit(r, arena_printf(r->arena, JOBTYPE_LIMIT "%s", r->var[0]),
		  c.given, c.n);
}

/* Projects */

struct project {
	struct json_object *max_running, *keep_last;
};

static const struct json_field project_fields[] = {
	{ "max_running", JK_ANY, offsetof(struct project, max_running), 0, 0, 0,
	  0 },
	{ "keep_last", JK_ANY, offsetof(struct project, keep_last), 0, 0, 0,
	  0 },
};

/* Here null says something else than absent: there is to be none. */
static bool p_number(struct db_params *p, struct json_object *doc,
		     const char *key, int64_t max, bool wide, struct err *e)
{
	struct json_object *v = json_get(doc, key);
	enum json_type t = v == NULL ? JSON_NULL : json_type(v);

	if (t == JSON_NULL) {
		db_p_null(p);
		db_p_bool(p, v != NULL);
		return true;
	}
	if (t != JSON_INT || json_int(v) < 0 || json_int(v) > max)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" must be a number "
			       "from 0 to %lld, or null",
			       key, (long long)max);
	if (wide)
		db_p_i64(p, json_int(v));
	else
		db_p_i32(p, (int32_t)json_int(v));
	db_p_bool(p, true);
	return true;
}

static void get_projects(struct req *r)
{
	list(r, "project_list", true);
}

static bool p_project(struct db_params *p, struct req *r, struct err *e)
{
	struct json_object *doc;
	struct project known = { 0 };

	if (!h_admin_name(r, "project", e) ||
	    !view_body(r, project_fields, N(project_fields), &known, e) ||
	    !req_json(r, &doc, e))
		return false;
	db_p_i32(p, lanes_bucket(r->srv, BUCKET_POOL));
	db_p_text(p, r->var[0]);
	if (!p_number(p, doc, "max_running", INT32_MAX, false, e) ||
	    !p_number(p, doc, "keep_last", INT64_MAX, true, e))
		return false;
	db_p_i32(p, r->who.owner_id);
	return true;
}

static void put_project(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	if (!p_project(p, r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = (void *)(uintptr_t)&project_setting;
	db_run(r->srv->db, "project_set", p, on_set, r);
}

#define PAGE_QUERY "page_size cursor"

/* A pilot asks for its site before it joins. */
#define MAY_SITES (MAY_PEOPLE | MAY(ROLE_JOIN) | MAY(ROLE_PILOT))

const struct route routes_admin[] = {
	{ "GET", "/api/v1/sites", MAY_SITES, PAGE_QUERY, h_admin_sites_get },
	{ "GET", "/api/v1/sites/{name}", MAY_SITES, NULL, h_admin_site_get },
	{ "PUT", "/api/v1/sites/{name}", MAY(ROLE_ADMIN), NULL,
	  h_admin_site_put },
	{ "DELETE", "/api/v1/sites/{name}", MAY(ROLE_ADMIN), NULL,
	  h_admin_site_delete },
	{ "GET", "/api/v1/jobtypes", MAY_PEOPLE, PAGE_QUERY, get_jobtypes },
	{ "PUT", "/api/v1/jobtypes/{name}", MAY(ROLE_ADMIN), NULL,
	  put_jobtype },
	{ "GET", "/api/v1/limits", MAY_PEOPLE, PAGE_QUERY, get_limits },
	{ "PUT", "/api/v1/limits/{name}", MAY(ROLE_ADMIN), NULL, put_limit },
	{ "DELETE", "/api/v1/limits/{name}", MAY(ROLE_ADMIN), NULL,
	  delete_limit },
	{ "GET", "/api/v1/projects", MAY_PEOPLE, PAGE_QUERY, get_projects },
	{ "PUT", "/api/v1/projects/{name}", MAY(ROLE_ADMIN), NULL,
	  put_project },
	{ NULL, NULL, 0, NULL, NULL }
};
