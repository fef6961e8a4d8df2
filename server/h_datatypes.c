/* The types of data that edges of dags name: each gives its files an extension. */
#include <stddef.h>
#include <string.h>
#include "server/h_admin.h"
#include "server/route.h"
#include "server/server.h"
#include "server/view.h"
#include "server/wake.h"

#define EXT_MAX 64
#define TEXT_MAX_LEN 65536

#define N(table) (sizeof(table) / sizeof((table)[0]))

struct datatype {
	const char *ext, *comment;
};

static const struct json_field datatype_fields[] = {
	{ "ext", JK_STR, offsetof(struct datatype, ext), 0, 0, EXT_MAX, 0 },
	{ "comment", JK_STR, offsetof(struct datatype, comment), 0, 0,
	  TEXT_MAX_LEN, 0 },
};

static void get_datatypes(struct req *r)
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
	db_run(r->srv->db, "datatype_list", p, view_on_list, r);
}

static void on_datatype(enum db_outcome o, const struct db_result *res,
			const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	const struct datatype *t = r->data;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	wake_events(r->srv);
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "name", r->var[0]);
	buf_json_kv_str(&b, "ext", t->ext);
	buf_json_kv_str(&b, "comment", t->comment);
	buf_json_kv_str(&b, "owner", db_text(res, 0, 1));
	buf_adds(&b, "}\n");
	req_reply_buf(r, db_bool(res, 0, 0) ? 201 : 200, &b);
	buf_fini(&b);
}

/* What is put behind a name must neither run into it, nor lead out of the
 * directory, nor fall apart in a shell. */
static bool ext_ok(const char *ext, struct err *e)
{
	bool ok = *ext == '\0' || (*ext == '.' && ext[1] != '\0');

	for (const char *c = ext; *c != '\0'; c++)
		ok = ok && *c != '/' && (unsigned char)*c > ' ' && *c != 0x7f;
	return ok || err_set(e, ERR_BAD_REQUEST,
			     "the key \"ext\" must begin with \".\", as "
			     "\".txt\", and have no \"/\", blanks or control "
			     "characters");
}

static void put_datatype(struct req *r)
{
	struct datatype *t = ARENA_NEW(r->arena, struct datatype);
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	t->ext = t->comment = "";
	if (!h_admin_name(r, "datatype", &e) ||
	    !view_body(r, datatype_fields, N(datatype_fields), t, &e) ||
	    !ext_ok(t->ext, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = t;
	view_p_owner(p, r);
	db_p_i32(p, r->who.owner_id);
	db_p_text(p, r->var[0]);
	db_p_text(p, t->ext);
	db_p_text(p, t->comment);
	db_run(r->srv->db, "datatype_put", p, on_datatype, r);
}

static void on_deleted(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
	} else if (!db_bool(res, 0, 0)) {
		view_reply_missing(r, r->data);
	} else {
		wake_events(r->srv);
		req_reply_empty(r, 204);
	}
}

static void delete_datatype(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);

	r->data = arena_printf(r->arena, "datatype \"%s\"", r->var[0]);
	view_p_owner(p, r);
	db_p_i32(p, r->who.owner_id);
	db_p_text(p, r->var[0]);
	db_run(r->srv->db, "datatype_delete", p, on_deleted, r);
}

const struct route routes_datatypes[] = {
	{ "GET", "/api/v1/datatypes", MAY_PEOPLE, "page_size cursor",
	  get_datatypes },
	{ "PUT", "/api/v1/datatypes/{name}", MAY_CHANGE, NULL, put_datatype },
	{ "DELETE", "/api/v1/datatypes/{name}", MAY_CHANGE, NULL,
	  delete_datatype },
	{ NULL, NULL, 0, NULL, NULL }
};
