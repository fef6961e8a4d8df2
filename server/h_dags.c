/* Stored dags: documents under a name, in versions. */
#include <inttypes.h>
#include <string.h>
#include "lib/dag.h"
#include "server/h_admin.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define WARNINGS_MAX 100

struct put {
	struct dag *dag;
	struct buf warnings; /* elements of a list */
};

static bool version_of(struct req *r, int32_t *version, struct err *e)
{
	int64_t v;

	if (!req_query_i64(r, "version", 1, INT32_MAX, 0, &v, e))
		return false;
	*version = (int32_t)v;
	return true;
}

/* For view_reply_missing. */
static char *wanted(struct req *r, int32_t version)
{
	if (version == 0)
		return arena_printf(r->arena, "dag \"%s\"", r->var[0]);
	return arena_printf(r->arena, "version %" PRId32 " of the dag \"%s\"",
			    version, r->var[0]);
}

static void p_version(struct db_params *p, int32_t version)
{
	if (version == 0)
		db_p_null(p);
	else
		db_p_i32(p, version);
}

static void get_dags(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *after;
	int32_t page;

	if (!h_admin_page(r, &page, &after, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_text(p, after);
	db_p_i32(p, page);
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "dag_list", p, view_on_list, r);
}

static void get_dag(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	int32_t version;

	if (!version_of(r, &version, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = wanted(r, version);
	db_p_text(p, r->var[0]);
	p_version(p, version);
	db_run(r->srv->db, "dag_get", p, view_on_one, r);
}

static void on_deleted(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
	} else if (db_i64(res, 0, 0) == 0) {
		view_reply_missing(r, r->data);
	} else {
		wake_events(r->srv);
		req_reply_empty(r, 204);
	}
}

static void on_stored(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	const struct put *put = r->data;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "name", r->var[0]);
	buf_json_kv_i64(&b, "version", db_i64(res, 0, 0));
	buf_json_kv_i64(&b, "jobs", put->dag->n_nodes);
	buf_json_kv_i64(&b, "edges", put->dag->n_edges);
	buf_json_key(&b, "warnings");
	buf_addf(&b, "[%s]}\n", buf_str(&put->warnings));
	req_reply_buf(r, db_bool(res, 0, 1) ? 201 : 200, &b);
	buf_fini(&b);
}

static void store(struct req *r)
{
	const struct put *put = r->data;
	struct db_params *p = db_params_new(r->arena);
	const char *description = req_query(r, "description");

	if (description == NULL && *put->dag->description != '\0')
		description = put->dag->description;
	view_p_owner(p, r);
	db_p_i32(p, r->who.owner_id);
	db_p_text(p, r->var[0]);
	db_p_text(p, description);
	db_p_text(p, r->body);
	db_p_i32(p, (int32_t)put->dag->n_nodes);
	db_p_i32(p, (int32_t)put->dag->n_edges);
	db_run(r->srv->db, "dag_put", p, on_stored, r);
}

static bool is_known(const struct db_result *res, const char *datatype)
{
	for (size_t row = 0; row < db_rows(res); row++)
		if (strcmp(db_text(res, row, 0), datatype) == 0)
			return true;
	return false;
}

/* The names of the datatypes that its edges have, each once. */
static size_t datatypes(struct req *r, const struct dag *d, const char ***out)
{
	const char **names = ARENA_ARRAY(r->arena, const char *, WARNINGS_MAX);
	size_t n = 0, i;

	for (uint32_t k = 0; k < d->n_data && n < WARNINGS_MAX; k++) {
		const char *name = d->data[k].datatype;

		if (name == NULL || *name == '\0')
			continue;
		for (i = 0; i < n && strcmp(names[i], name) != 0; i++)
			;
		if (i == n)
			names[n++] = name;
	}
	*out = names;
	return n;
}

/* Beyond WARNINGS_MAX nobody reads them. */
static void on_known(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct put *put = r->data;
	const char **names;
	size_t n;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	n = datatypes(r, put->dag, &names);
	for (size_t i = 0; i < n; i++) {
		if (is_known(res, names[i]))
			continue;
		buf_json_comma(&put->warnings);
		buf_json_str(
			&put->warnings,
			arena_printf(r->arena,
				     "the datatype \"%s\" is not defined: "
				     "no workflow can be made before it is",
				     names[i]));
	}
	store(r);
}

/* A dag is for everybody to read. */
static bool has_secrets(const char *text)
{
	static const char key[] = "\"secrets\"";

	while ((text = strstr(text, key)) != NULL) {
		text += strlen(key);
		if (text[strspn(text, " \t\r\n")] == ':')
			return true;
	}
	return false;
}

static bool check_dag(struct req *r, struct err *e)
{
	if (!has_secrets(r->body))
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "a dag is for everybody to read, so it has no "
		       "\"secrets\": give them to the workflows");
}

static void put_dag(struct req *r)
{
	struct put *put = ARENA_NEW(r->arena, struct put);
	struct db_params *p = db_params_new(r->arena);
	struct db_array *v = db_array_new(r->arena, DB_TEXT);
	struct err e = ERR_INIT;
	const char **names;
	size_t n;

	if (!h_admin_name(r, "dag", &e) || !req_media_ok(r, &e) ||
	    !check_dag(r, &e) ||
	    !dag_read(r->arena, r->body, r->body_len, "", 0, &put->dag, &e)) {
		req_reply_err(r, &e);
		return;
	}
	buf_init_in(&put->warnings, r->arena);
	r->data = put;
	n = datatypes(r, put->dag, &names);
	if (n == 0) {
		store(r);
		return;
	}
	for (size_t i = 0; i < n; i++)
		db_a_text(v, names[i], strlen(names[i]));
	db_p_array(p, v);
	db_run(r->srv->db, "datatype_find", p, on_known, r);
}

static void delete_dag(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	int32_t version;

	if (!version_of(r, &version, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = wanted(r, version);
	view_p_owner(p, r);
	db_p_i32(p, r->who.owner_id);
	db_p_text(p, r->var[0]);
	p_version(p, version);
	db_run(r->srv->db, "dag_delete", p, on_deleted, r);
}

const struct route routes_dags[] = {
	{ "GET", "/api/v1/dags", MAY_PEOPLE, "page_size cursor", get_dags },
	{ "GET", "/api/v1/dags/{name}", MAY_PEOPLE, "version", get_dag },
	{ "PUT", "/api/v1/dags/{name}", MAY_CHANGE | LARGE_BODY, "description",
	  put_dag },
	{ "DELETE", "/api/v1/dags/{name}", MAY_CHANGE, "version", delete_dag },
	{ NULL, NULL, 0, NULL, NULL }
};
