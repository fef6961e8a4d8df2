/* What the reading handlers share: who asks, pages, replies as they come. */
#include "server/view.h"

#include <string.h>
#include "lib/clock.h"
#include "lib/units.h"

#define NDJSON "application/x-ndjson"

static bool sees_all(const struct req *r)
{
	return r->who.role == ROLE_ADMIN ||
	       (r->who.role == ROLE_READER && r->who.everybody);
}

void view_p_owner(struct db_params *p, const struct req *r)
{
	if (sees_all(r))
		db_p_null(p);
	else
		db_p_i32(p, r->who.owner_id);
}

void view_p_projects(struct db_params *p, const struct req *r)
{
	struct db_array *ids = db_array_new(r->arena, DB_I32);

	for (size_t i = 0; i < r->who.n_projects; i++)
		db_a_i64(ids, r->who.projects[i]);
	db_p_array(p, ids);
}

void view_p_who(struct db_params *p, const struct req *r)
{
	view_p_owner(p, r);
	view_p_projects(p, r);
}

void view_p_refs(struct db_params *p, struct req *r, const struct refs *refs)
{
	struct db_array *lo, *hi;

	if (refs == NULL) {
		db_p_null(p);
		db_p_null(p);
		return;
	}
	lo = db_array_new(r->arena, DB_I64);
	hi = db_array_new(r->arena, DB_I64);
	for (size_t i = 0; i < refs->n; i++) {
		db_a_i64(lo, refs->range[i].lo);
		db_a_i64(hi, refs->range[i].hi);
	}
	db_p_array(p, lo);
	db_p_array(p, hi);
}

void view_p_words(struct db_params *p, struct req *r, const char *words)
{
	struct db_array *v;

	if (words == NULL) {
		db_p_null(p);
		return;
	}
	v = db_array_new(r->arena, DB_TEXT);
	while (*words != '\0') {
		size_t len = strcspn(words, ",");

		db_a_text(v, words, len);
		words += len;
		words += *words == ',';
	}
	db_p_array(p, v);
}

bool view_page(struct req *r, int32_t *size, struct err *e)
{
	int64_t v;

	if (!req_query_i64(r, "page_size", 1, VIEW_PAGE_MAX, VIEW_PAGE, &v, e))
		return false;
	*size = (int32_t)v;
	return true;
}

bool view_below(struct req *r, int64_t *below, struct err *e)
{
	const char *s = req_query(r, "cursor");
	struct err why = ERR_INIT;

	*below = 0;
	if (s == NULL || units_parse_i64(s, 1, INT64_MAX, below, &why))
		return true;
	return err_set(e, ERR_BAD_REQUEST,
		       "\"cursor\" is not one that a page gave");
}

void view_p_below(struct db_params *p, int64_t below)
{
	if (below == 0)
		db_p_null(p);
	else
		db_p_i64(p, below);
}

static bool wants_ndjson(struct req *r)
{
	const char *accept = req_header(r, "Accept");

	return accept != NULL && strstr(accept, NDJSON) != NULL;
}

const char *view_between(struct req *r)
{
	return wants_ndjson(r) ? "\n" : ",";
}

static void reply_ndjson(struct req *r, const struct db_result *res)
{
	struct buf b = BUF_INIT;

	if (!db_is_null(res, 0, 1))
		req_header_add(r, "Sortie-Next", db_text(res, 0, 1));
	if (!db_is_null(res, 0, 0)) {
		buf_add(&b, db_text(res, 0, 0), db_len(res, 0, 0));
		buf_addc(&b, '\n');
	}
	req_reply_bytes(r, 200, NDJSON, buf_str(&b), b.len);
	buf_fini(&b);
}

void view_on_list(enum db_outcome o, const struct db_result *res,
		  const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	if (wants_ndjson(r)) {
		reply_ndjson(r, res);
		return;
	}
	buf_adds(&b, "{\"items\":[");
	if (!db_is_null(res, 0, 0))
		buf_add(&b, db_text(res, 0, 0), db_len(res, 0, 0));
	buf_adds(&b, "],\"next\":");
	if (db_is_null(res, 0, 1))
		buf_adds(&b, "null");
	else
		buf_json_str(&b, db_text(res, 0, 1));
	buf_adds(&b, "}\n");
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

void view_reply_missing(struct req *r, const char *what)
{
	struct err e = ERR_INIT;

	err_set(&e, ERR_NOT_FOUND, "there is no %s", what);
	req_reply_err(r, &e);
}

void view_reply_text(struct req *r, const struct db_result *res, int col)
{
	req_reply_json(r, 200, db_text(res, 0, col), db_len(res, 0, col));
}

void view_on_one(enum db_outcome o, const struct db_result *res,
		 const struct db_fault *fault, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK)
		db_reply_fault(r, o, fault);
	else if (db_rows(res) == 0 || db_is_null(res, 0, 0))
		view_reply_missing(r, r->data);
	else
		view_reply_text(r, res, 0);
}

bool view_deadline(struct req *r, int64_t *deadline_ms, struct err *e)
{
	int64_t wait_s;

	if (!req_query_i64(r, "wait", 0, VIEW_WAIT_MAX_S, 0, &wait_s, e))
		return false;
	*deadline_ms = wait_s == 0 ? 0 : clock_mono_ms() + wait_s * 1000;
	return true;
}

bool view_body(struct req *r, const struct json_field *fields, size_t n,
	       void *out, struct err *e)
{
	struct json_object *doc;

	if (!req_json(r, &doc, e))
		return false;
	if (json_type(doc) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "the body must be a JSON object, not %s",
			       json_type_name(json_type(doc)));
	return json_decode(doc, fields, n, out, "the body", e);
}
