/* What owners may have, and what they have: administrators set it. */
#include "server/route.h"

#include <stddef.h>
#include <string.h>
#include "lib/json.h"
#include "server/auth.h"
#include "server/h_admin.h"
#include "server/server.h"
#include "server/view.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))
#define RATE_MAX 1000000

struct wanted {
	struct json_object *max_queued, *max_rate, *max_stored;
};

static const struct json_field fields[] = {
	{ "max_queued", JK_ANY, offsetof(struct wanted, max_queued), 0, 0, 0,
	  0 },
	{ "max_rate", JK_ANY, offsetof(struct wanted, max_rate), 0, 0, 0, 0 },
	{ "max_stored", JK_ANY, offsetof(struct wanted, max_stored), 0, 0, 0,
	  0 },
};

static void show(struct req *r, const char *after, int32_t page,
		 const char *only, db_done_fn *done)
{
	struct db_params *p = db_params_new(r->arena);

	view_p_owner(p, r);
	db_p_text(p, after);
	db_p_i32(p, page);
	db_p_text(p, only == NULL ? view_between(r) : ",");
	db_p_text(p, only);
	db_run(r->srv->db, "owner_list", p, done, r);
}

static void get_owners(struct req *r)
{
	struct err e = ERR_INIT;
	const char *after;
	int32_t page;

	if (h_admin_page(r, &page, &after, &e))
		show(r, after, page, NULL, view_on_list);
	else
		req_reply_err(r, &e);
}

static void on_set(enum db_outcome o, const struct db_result *res,
		   const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	(void)res;
	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	auth_purge(r->srv->auth);
	r->data = arena_printf(r->arena, "\"%s\"", r->var[0]);
	show(r, NULL, 1, r->var[0], view_on_one);
}

/* Two parameters: the number, and whether it was there. null: as "*". */
static bool p_limit(struct db_params *p, struct json_object *doc,
		    const char *key, int64_t min, int64_t max, struct err *e)
{
	struct json_object *v = json_get(doc, key);

	if (v == NULL || json_type(v) == JSON_NULL) {
		db_p_null(p);
	} else if (json_type(v) != JSON_INT || json_int(v) < min ||
		   json_int(v) > max) {
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" must be a number from %lld to %lld, or "
			       "null",
			       key, (long long)min, (long long)max);
	} else if (max > INT32_MAX) {
		db_p_i64(p, json_int(v));
	} else {
		db_p_i32(p, (int32_t)json_int(v));
	}
	db_p_bool(p, v != NULL);
	return true;
}

static void put_owner(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct wanted known = { 0 };
	struct json_object *doc;
	struct err e = ERR_INIT;

	if (!h_admin_name(r, "owner", &e) ||
	    !view_body(r, fields, N(fields), &known, &e) ||
	    !req_json(r, &doc, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_text(p, r->var[0]);
	if (!p_limit(p, doc, "max_queued", 0, INT64_MAX, &e) ||
	    !p_limit(p, doc, "max_rate", 1, RATE_MAX, &e) ||
	    !p_limit(p, doc, "max_stored", 0, INT64_MAX, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "owner_set", p, on_set, r);
}

const struct route routes_owners[] = {
	{ "GET", "/api/v1/owners", MAY_PEOPLE, "page_size cursor", get_owners },
	{ "PUT", "/api/v1/owners/{name}", MAY(ROLE_ADMIN), NULL, put_owner },
	{ NULL, NULL, 0, NULL, NULL }
};
