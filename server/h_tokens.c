/* Tokens that people make for themselves and others, and who one is. */
#include "server/route.h"

#include <stddef.h>
#include <string.h>
#include "lib/buf.h"
#include "lib/id.h"
#include "lib/jobspec.h"
#include "server/auth.h"
#include "server/db.h"
#include "server/server.h"

#define PAGE_MAX 1000
#define PAGE 100
#define EXPIRES_MAX_S INT64_C(1000000000)
#define PROJECTS_MAX 1000

/* NULL for admins, who see everybody's. */
static void p_owner(struct db_params *p, const struct req *r)
{
	if (r->who.role == ROLE_ADMIN)
		db_p_null(p);
	else
		db_p_i32(p, r->who.owner_id);
}

static void p_bound(struct db_params *p, struct req *r)
{
	struct db_array *ids = db_array_new(r->arena, DB_I32);

	for (size_t i = 0; i < r->who.n_projects; i++)
		db_a_i64(ids, r->who.projects[i]);
	db_p_array(p, ids);
}

/* Who one is */

static void add_projects(struct buf *b, const struct principal *who)
{
	buf_json_key(b, "projects");
	buf_addc(b, '[');
	for (size_t i = 0; i < who->n_projects; i++) {
		buf_json_comma(b);
		buf_json_str(b, who->project_names[i]);
	}
	buf_addc(b, ']');
}

static void get_whoami(struct req *r)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_str(&b, "role", auth_role_name(r->who.role));
	buf_json_kv_str(&b, "owner", r->who.owner);
	add_projects(&b, &r->who);
	if (r->who.everybody)
		buf_json_kv_bool(&b, "everybody", true);
	if (r->who.role == ROLE_PILOT)
		buf_json_kv_i64(&b, "pilot", r->who.pilot);
	if (r->who.role == ROLE_JOB)
		buf_json_kv_i64(&b, "job", r->who.job);
	buf_json_kv_str(&b, "server", "sortied");
	buf_json_kv_str(&b, "version", PACKAGE_VERSION);
	buf_json_kv_str(&b, "cluster", r->srv->cluster);
	buf_adds(&b, "}\n");
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

/* GET /api/v1/tokens */

static void on_list(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	buf_adds(&b, "{\"items\":");
	buf_add(&b, db_text(res, 0, 0), db_len(res, 0, 0));
	if (db_is_null(res, 0, 1))
		buf_json_kv_raw(&b, "next", "null");
	else
		buf_json_kv_str(&b, "next", db_text(res, 0, 1));
	buf_adds(&b, "}\n");
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

static void get_tokens(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	const char *cursor = req_query(r, "cursor");
	struct err e = ERR_INIT;
	int64_t n;

	if (!req_query_i64(r, "page_size", 1, PAGE_MAX, PAGE, &n, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (cursor != NULL && !id_uuid_valid(cursor)) {
		err_set(&e, ERR_BAD_REQUEST,
			"\"cursor\" is not one that a "
			"page gave");
		req_reply_err(r, &e);
		return;
	}
	p_owner(p, r);
	p_bound(p, r);
	db_p_text(p, cursor);
	db_p_i32(p, (int32_t)n);
	db_run(r->srv->db, "token_list", p, on_list, r);
}

/* POST /api/v1/tokens */

struct wanted {
	const char *name;
	const char *role;
	const char *owner;
	struct json_object *projects;
	bool everybody;
	int64_t expires_s; /* 0 = never */
};

static const struct json_field wanted_fields[] = {
	{ "name", JK_STR, offsetof(struct wanted, name), 0, 0, JOBSPEC_NAME_MAX,
	  0 },
	{ "role", JK_STR, offsetof(struct wanted, role), JF_REQUIRED, 0, 0, 0 },
	{ "owner", JK_STR, offsetof(struct wanted, owner), 0, 0,
	  JOBSPEC_NAME_MAX, 0 },
	{ "projects", JK_ARRAY, offsetof(struct wanted, projects), 0, 0, 0, 0 },
	{ "everybody", JK_BOOL, offsetof(struct wanted, everybody), 0, 0, 0,
	  0 },
	{ "expires_s", JK_SECONDS, offsetof(struct wanted, expires_s), 0, 0,
	  EXPIRES_MAX_S, 0 },
};

static bool own_project(const struct req *r, const char *name)
{
	if (r->who.n_projects == 0)
		return true;
	for (size_t i = 0; i < r->who.n_projects; i++) {
		if (strcmp(r->who.project_names[i], name) == 0)
			return true;
	}
	return false;
}

/* The names, and all of them the caller's own. */
static bool check_projects(struct req *r, const struct wanted *w,
			   struct db_array *names, struct err *e)
{
	size_t n = w->projects == NULL ? 0 : json_len(w->projects);

	if (n > PROJECTS_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"projects\" has more "
			       "than %d names",
			       PROJECTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_at(w->projects, i);

		if (json_type(o) != JSON_STR || json_str_len(o) == 0 ||
		    json_str_len(o) > JOBSPEC_NAME_MAX ||
		    strlen(json_str(o)) != json_str_len(o))
			return err_set(e, ERR_BAD_REQUEST,
				       "\"projects\" "
				       "must be a list of names");
		if (!own_project(r, json_str(o)))
			return err_set(e, ERR_FORBIDDEN,
				       "your token is not "
				       "for the project \"%s\"",
				       json_str(o));
		db_a_text(names, json_str(o), json_str_len(o));
	}
	/* A bound token makes no token that is less bound. */
	for (size_t i = 0; n == 0 && i < r->who.n_projects; i++)
		db_a_text(names, r->who.project_names[i],
			  strlen(r->who.project_names[i]));
	return true;
}

static bool check_rights(const struct req *r, const struct wanted *w,
			 enum role role, struct err *e)
{
	if (w->everybody && role != ROLE_JOIN && role != ROLE_READER)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"everybody\" is for join tokens, whose pilots "
			       "may take all jobs, and for readers, who see "
			       "all");
	if (w->owner[0] == '\0')
		return err_set(e, ERR_BAD_REQUEST, "\"owner\" is empty");
	if (r->who.role == ROLE_ADMIN &&
	    (r->who.n_projects == 0 || role != ROLE_ADMIN))
		return true;
	if (role == ROLE_ADMIN)
		return err_set(e, ERR_FORBIDDEN,
			       "only an admin makes tokens "
			       "of role admin");
	if (strcmp(w->owner, r->who.owner) != 0)
		return err_set(e, ERR_FORBIDDEN,
			       "only an admin makes tokens "
			       "for others than themselves");
	if (w->everybody)
		return err_set(e, ERR_FORBIDDEN,
			       "only an admin makes tokens for everybody's "
			       "jobs");
	return true;
}

static bool decode(struct req *r, struct wanted *w, enum role *role,
		   struct err *e)
{
	struct json_object *o;

	*w = (struct wanted){ .name = "", .owner = r->who.owner };
	if (!req_json(r, &o, e))
		return false;
	if (json_type(o) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "the body must be an object");
	if (!json_decode(o, wanted_fields,
			 sizeof(wanted_fields) / sizeof(wanted_fields[0]), w,
			 "the body", e))
		return false;
	if (!auth_role_from_name(w->role, role))
		return err_set(e, ERR_BAD_REQUEST,
			       "there is no role \"%s\": "
			       "admin, user, reader or join",
			       w->role);
	return check_rights(r, w, *role, e);
}

static void on_created(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	/* The secret goes in front of what the database shows. */
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "token", r->data);
	buf_addc(&b, ',');
	buf_add(&b, db_text(res, 0, 0) + 1, db_len(res, 0, 0) - 1);
	buf_addc(&b, '\n');
	req_reply_buf(r, 201, &b);
	buf_fini(&b);
}

static void post_tokens(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct db_array *names = db_array_new(r->arena, DB_TEXT);
	char *secret = arena_alloc(r->arena, AUTH_SECRET_LEN + 1);
	struct err e = ERR_INIT;
	struct wanted w;
	uint8_t hash[32];
	enum role role = ROLE_NONE;

	if (!decode(r, &w, &role, &e) || !check_projects(r, &w, names, &e)) {
		req_reply_err(r, &e);
		return;
	}
	auth_secret_make(role == ROLE_JOIN ? "sj_" : "st_", secret, hash);
	r->data = secret;
	db_p_bytes(p, hash, sizeof(hash));
	db_p_text(p, auth_role_name(role));
	db_p_text(p, w.owner);
	db_p_text(p, w.name);
	db_p_array(p, names);
	db_p_bool(p, w.everybody);
	if (w.expires_s > 0)
		db_p_i64(p, w.expires_s);
	else
		db_p_null(p);
	db_p_text(p, r->who.token_id);
	db_run(r->srv->db, "token_create", p, on_created, r);
}

/* DELETE /api/v1/tokens/{id} */

static void on_revoked(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct err e = ERR_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (db_rows(res) == 0) {
		err_set(&e, ERR_NOT_FOUND, "you have no token \"%s\"",
			r->var[0]);
		req_reply_err(r, &e);
		return;
	}
	auth_purge(r->srv->auth);
	req_reply_empty(r, 204);
}

static void delete_token(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	if (!id_uuid_valid(r->var[0])) {
		err_set(&e, ERR_NOT_FOUND,
			"\"%s\" is not the id of a token "
			"(see the list of tokens)",
			r->var[0]);
		req_reply_err(r, &e);
		return;
	}
	db_p_text(p, r->var[0]);
	p_owner(p, r);
	p_bound(p, r);
	db_run(r->srv->db, "token_revoke", p, on_revoked, r);
}

const struct route routes_tokens[] = {
	{ "GET", "/api/v1/whoami",
	  MAY_PEOPLE | MAY(ROLE_JOIN) | MAY(ROLE_PILOT) | MAY(ROLE_JOB), NULL,
	  get_whoami },
	{ "GET", "/api/v1/tokens", MAY_PEOPLE, "page_size cursor", get_tokens },
	{ "POST", "/api/v1/tokens", MAY_CHANGE, NULL, post_tokens },
	{ "DELETE", "/api/v1/tokens/{id}", MAY_CHANGE, NULL, delete_token },
	{ NULL, NULL, 0, NULL, NULL }
};
