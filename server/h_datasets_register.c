/*
 * Registering datasets: one object, a list of them, or NDJSON, all or nothing.
 * What is registered already is told and not made again.
 */
#include "server/h_datasets.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "lib/jobspec.h"
#include "lib/workflow.h"
#include "server/db.h"
#include "server/server.h"
#include "server/stamp.h"
#include "server/view.h"
#include "server/wake.h"

#define ITEMS_MAX 10000
#define TEXT_MAX_LEN 65536

#define N(table) (sizeof(table) / sizeof((table)[0]))

struct item {
	const char *name, *directory, *uri, *path, *site, *datatype, *tag,
		*comment, *state, *checksum, *project;
	int64_t size;
	bool has_size;
};

#define AT(field) offsetof(struct item, field)

static const struct json_field item_fields[] = {
	{ "name", JK_STR, AT(name), 0, 0, WORKFLOW_PATH_MAX, 0 },
	{ "directory", JK_STR, AT(directory), 0, 0, WORKFLOW_PATH_MAX, 0 },
	{ "uri", JK_STR, AT(uri), 0, 0, WORKFLOW_PATH_MAX, 0 },
	{ "path", JK_STR, AT(path), 0, 0, WORKFLOW_PATH_MAX, 0 },
	{ "site", JK_STR, AT(site), 0, 0, JOBSPEC_NAME_MAX, 0 },
	{ "datatype", JK_STR, AT(datatype), 0, 0, JOBSPEC_NAME_MAX, 0 },
	{ "tag", JK_STR, AT(tag), 0, 0, JOBSPEC_NAME_MAX, 0 },
	{ "comment", JK_STR, AT(comment), 0, 0, TEXT_MAX_LEN, 0 },
	{ "state", JK_STR, AT(state), 0, 0, 0, 0 },
	{ "checksum", JK_STR, AT(checksum), 0, 0, 0, 0 },
	{ "project", JK_STR, AT(project), 0, 0, JOBSPEC_NAME_MAX, 0 },
	{ "size", JK_I64, AT(size), JF_LOOSE, 0, INT64_MAX, AT(has_size) },
};

#undef AT

struct columns {
	struct db_array *project, *site, *path, *name, *datatype, *tag,
		*comment, *state, *size, *checksum;
};

struct reading {
	struct req *r;
	struct columns c;
	size_t n;
	bool single; /* one object, not a list of one */
	struct err *e;
};

static bool project_allowed(const struct principal *who, const char *project)
{
	if (who->n_projects == 0)
		return true;
	for (size_t i = 0; i < who->n_projects; i++)
		if (strcmp(who->project_names[i], project) == 0)
			return true;
	return false;
}

static bool is_uri(const char *s)
{
	const char *colon = strstr(s, "://");

	return colon != NULL && colon != s &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-") ==
		       (size_t)(colon - s);
}

/* Where it lies: said in one of three ways. */
static bool item_path(struct reading *g, struct item *x, const char *where)
{
	int ways =
		(x->uri != NULL) + (x->path != NULL) + (x->directory != NULL);
	const char *last;

	if (ways != 1 || (x->directory != NULL && x->name == NULL))
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%ssay where it lies: \"directory\" and "
			       "\"name\", or \"path\", or \"uri\"",
			       where);
	if (x->directory != NULL) {
		size_t len = strlen(x->directory);
		bool slash = len > 0 && x->directory[len - 1] == '/';

		x->path = arena_printf(g->r->arena, "%s%s%s", x->directory,
				       slash ? "" : "/", x->name);
	} else if (x->uri != NULL) {
		if (!is_uri(x->uri))
			return err_set(g->e, ERR_BAD_REQUEST,
				       "%s\"uri\" must look like "
				       "scheme://place",
				       where);
		x->path = x->uri;
	}
	if (*x->path != '/' && !is_uri(x->path))
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%sthe path \"%.200s\" must begin with \"/\"",
			       where, x->path);
	x->path = workflow_path(g->r->arena, x->path);
	if (strlen(x->path) > WORKFLOW_PATH_MAX)
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%sthe path has %zu bytes, at most %d are "
			       "allowed",
			       where, strlen(x->path), WORKFLOW_PATH_MAX);
	last = strrchr(x->path, '/');
	if (x->name == NULL)
		x->name = last[1] != '\0' ? last + 1 : x->path;
	return true;
}

static bool item_check(struct reading *g, struct item *x, const char *where)
{
	if (x->project == NULL)
		x->project = "default";
	if (!jobspec_name_ok(x->project))
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%s\"%.100s\" cannot be a project's name", where,
			       x->project);
	if (!project_allowed(&g->r->who, x->project))
		return err_set(g->e, ERR_FORBIDDEN,
			       "%sthis token may not use the project \"%s\"",
			       where, x->project);
	if (x->state == NULL)
		x->state = "ready";
	if (strcmp(x->state, "ready") != 0 && strcmp(x->state, "declared") != 0)
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%s\"state\" must be ready or declared, not "
			       "\"%.50s\"",
			       where, x->state);
	return h_datasets_checksum(g->r->arena, &x->checksum, where, g->e) &&
	       item_path(g, x, where);
}

static void add(struct db_array *v, const char *s)
{
	if (s == NULL)
		db_a_null(v);
	else
		db_a_text(v, s, strlen(s));
}

static const char *or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

static void item_keep(struct reading *g, const struct item *x)
{
	struct columns *c = &g->c;

	add(c->project, x->project);
	add(c->site, or_empty(x->site));
	add(c->path, x->path);
	add(c->name, x->name);
	add(c->datatype,
	    x->datatype != NULL && *x->datatype != '\0' ? x->datatype : NULL);
	add(c->tag, or_empty(x->tag));
	add(c->comment, or_empty(x->comment));
	add(c->state, x->state);
	if (x->has_size)
		db_a_i64(c->size, x->size);
	else
		db_a_null(c->size);
	add(c->checksum, x->checksum);
	g->n++;
}

/* where: "dataset 3: ", or "". */
static bool item_read(struct reading *g, struct json_object *o,
		      const char *where)
{
	struct item x = { 0 };
	char name[40];

	/* json_decode puts the colon itself. */
	(void)snprintf(name, sizeof(name), "%.*s",
		       *where != '\0' ? (int)strlen(where) - 2 : 0, where);
	if (g->n == ITEMS_MAX)
		return err_set(g->e, ERR_TOO_LARGE,
			       "more than %d datasets in one request",
			       ITEMS_MAX);
	if (json_type(o) != JSON_OBJECT)
		return err_set(g->e, ERR_BAD_REQUEST,
			       "%sa dataset must be an object, not %s", where,
			       json_type_name(json_type(o)));
	if (!json_decode(o, item_fields, N(item_fields), &x, name, g->e) ||
	    !item_check(g, &x, where))
		return false;
	item_keep(g, &x);
	return true;
}

static bool lines_read(struct reading *g)
{
	const char *p = g->r->body, *end = p + g->r->body_len;
	struct json_object *o;
	char where[32];

	for (size_t n = 1; p < end; n++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len;

		if (stop == NULL)
			stop = end;
		len = (size_t)(stop - p);
		(void)snprintf(where, sizeof(where), "line %zu: ", n);
		if (strspn(p, " \t\r") < len) {
			if (!json_parse(g->r->arena, p, len, &o, g->e))
				return err_prefix(g->e, "line %zu", n);
			if (!item_read(g, o, where))
				return false;
		}
		p = stop < end ? stop + 1 : end;
	}
	return true;
}

static bool body_read(struct reading *g)
{
	const char *type = req_header(g->r, "Content-Type");
	struct json_object *doc;
	char where[40];

	if (type != NULL && strncmp(type, "application/x-ndjson", 20) == 0)
		return lines_read(g);
	if (!req_json(g->r, &doc, g->e))
		return false;
	g->single = json_type(doc) != JSON_ARRAY;
	if (g->single)
		return item_read(g, doc, "");
	for (size_t i = 0; i < json_len(doc); i++) {
		(void)snprintf(where, sizeof(where), "dataset %zu: ", i + 1);
		if (!item_read(g, json_at(doc, i), where))
			return false;
	}
	return true;
}

static void write_row(struct buf *b, const struct db_result *res, size_t row)
{
	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_i64(b, "number", db_i64(res, row, 0));
	buf_json_kv_str(b, "id", db_text(res, row, 1));
	buf_json_kv_i64(b, "version", db_i64(res, row, 2));
	buf_json_kv_bool(b, "created", db_bool(res, row, 3));
	buf_json_kv_str(b, "state", db_text(res, row, 4));
	buf_addc(b, '}');
}

static void on_registered(enum db_outcome o, const struct db_result *res,
			  const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	bool single = r->data != NULL;
	struct buf b = BUF_INIT;
	int status = 200;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	if (!single)
		buf_adds(&b, "{\"items\":[");
	for (size_t row = 0; row < db_rows(res); row++) {
		write_row(&b, res, row);
		if (db_bool(res, row, 3))
			status = 201;
	}
	buf_adds(&b, single ? "\n" : "]}\n");
	req_reply_buf(r, status, &b);
	buf_fini(&b);
}

static void columns_new(struct columns *c, struct arena *a)
{
	c->project = db_array_new(a, DB_TEXT);
	c->site = db_array_new(a, DB_TEXT);
	c->path = db_array_new(a, DB_TEXT);
	c->name = db_array_new(a, DB_TEXT);
	c->datatype = db_array_new(a, DB_TEXT);
	c->tag = db_array_new(a, DB_TEXT);
	c->comment = db_array_new(a, DB_TEXT);
	c->state = db_array_new(a, DB_TEXT);
	c->size = db_array_new(a, DB_I64);
	c->checksum = db_array_new(a, DB_TEXT);
}

static void columns_params(const struct columns *c, struct db_params *p)
{
	db_p_array(p, c->project);
	db_p_array(p, c->site);
	db_p_array(p, c->path);
	db_p_array(p, c->name);
	db_p_array(p, c->datatype);
	db_p_array(p, c->tag);
	db_p_array(p, c->comment);
	db_p_array(p, c->state);
	db_p_array(p, c->size);
	db_p_array(p, c->checksum);
}

static bool version_new(struct req *r, bool *out, struct err *e)
{
	const char *s = req_query(r, "version");

	*out = s != NULL;
	return s == NULL || strcmp(s, "new") == 0 ||
	       err_set(e, ERR_BAD_REQUEST,
		       "\"version\" in the query must be new");
}

void h_datasets_register(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	struct reading g = { .r = r, .e = &e };
	struct stamp stamp;
	bool fresh;

	columns_new(&g.c, r->arena);
	if (!version_new(r, &fresh, &e) || !req_media_ok(r, &e) ||
	    !body_read(&g)) {
		req_reply_err(r, &e);
		return;
	}
	if (g.n == 0) {
		err_set(&e, ERR_BAD_REQUEST, "the body has no dataset");
		req_reply_err(r, &e);
		return;
	}
	r->data = g.single ? r : NULL;
	stamp_init(&stamp);
	db_p_i32(p, r->who.owner_id);
	stamp_params(&stamp, p);
	db_p_bool(p, fresh);
	columns_params(&g.c, p);
	db_run(r->srv->db, "dataset_register", p, on_registered, r);
}
