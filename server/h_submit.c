/* Submissions: jobs in one request, or in parts that become real together. */
#include <stdio.h>
#include <string.h>
#include "lib/id.h"
#include "lib/json.h"
#include "lib/units.h"
#include "server/files.h"
#include "server/idempotency.h"
#include "server/route.h"
#include "server/submit_read.h"

#define PARTS_MAX 100000

static struct submit *submit_new(struct req *r)
{
	struct submit *s = ARENA_NEW(r->arena, struct submit);

	s->item.req = r;
	s->item.owner = r->who.owner_id;
	s->item.bytes = r->body_len;
	return s;
}

static void on_submit(struct req *r)
{
	struct submit *s = submit_new(r);
	struct err e = ERR_INIT;

	if (lane_refuses(r->srv->lanes->submit, r, r->body_len))
		return;
	if (!idempotency_key(r, &s->idempotency_key, &e) ||
	    !submit_read(r, s, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (s->idempotency_key != NULL) {
		s->keyed = true;
		idempotency_hash(r, s->body_hash);
	}
	s->ready = submit_put;
	submit_resolve(s);
}

/*
 * Submissions in parts.  An Idempotency-Key makes the same submission of the
 * same owner each time: its id is made of both.
 */
static void submission_id(struct req *r, const char *key, char *out)
{
	uint8_t h[32];
	char *text;

	if (key == NULL) {
		id_uuid_random(out);
		return;
	}
	text = arena_printf(r->arena, "submission:%d:%s", r->who.owner_id, key);
	id_hmac_sha256(r->srv->cluster_key, sizeof(r->srv->cluster_key), text,
		       strlen(text), h);
	/* Version 8, whose contents are the maker's own. */
	(void)snprintf(
		out, ID_UUID_LEN + 1,
		"%02x%02x%02x%02x-%02x%02x-8%01x%02x-8%01x%02x-%02x%02x%02x%02x%02x%02x",
		h[0], h[1], h[2], h[3], h[4], h[5], h[6] & 15, h[7], h[8] & 15,
		h[9], h[10], h[11], h[12], h[13], h[14], h[15]);
}

static void on_created(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *f, void *arg)
{
	struct req *r = arg;
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, f);
		return;
	}
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "id", db_text(res, 0, 0));
	buf_addc(&b, '}');
	req_reply_buf(r, 201, &b);
	buf_fini(&b);
}

static void on_create(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	char id[ID_UUID_LEN + 1];
	struct err e = ERR_INIT;
	const char *key = NULL;

	if (!idempotency_key(r, &key, &e)) {
		req_reply_err(r, &e);
		return;
	}
	submission_id(r, key, id);
	db_p_text(p, id);
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "submission_new", p, on_created, r);
}

static bool id_read(struct req *r, struct err *e)
{
	return id_uuid_valid(r->var[0]) ||
	       err_set(e, ERR_NOT_FOUND, "there is no open submission \"%s\"",
		       r->var[0]);
}

static void on_staged(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *f, void *arg)
{
	struct submit *s = arg;
	struct req *r = s->item.req;
	struct buf b = BUF_INIT;
	struct err e;

	if (o != DB_OK) {
		db_reply_fault(r, o, f);
		return;
	}
	if (!db_bool(res, 0, 0)) {
		(void)err_set(&e, ERR_NOT_FOUND,
			      "there is no open submission \"%s\"", r->var[0]);
		req_reply_err(r, &e);
		return;
	}
	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "jobs", s->total);
	buf_addc(&b, '}');
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

static void stage(struct submit *s)
{
	struct req *r = s->item.req;
	struct db_params *p = db_params_new(r->arena);

	db_p_text(p, s->submission);
	db_p_i32(p, r->who.owner_id);
	db_p_i32(p, s->parts);
	submit_stage_params(s, r->arena, p);
	db_run(r->srv->db, "submission_part", p, on_staged, s);
}

static void on_part(struct req *r)
{
	struct submit *s = submit_new(r);
	struct err e = ERR_INIT;
	int64_t part;

	if (!id_read(r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	if (!units_parse_i64(r->var[1], 1, PARTS_MAX, &part, &e)) {
		(void)err_prefix(&e, "the number of the part");
		req_reply_err(r, &e);
		return;
	}
	if (!submit_read(r, s, &e)) {
		req_reply_err(r, &e);
		return;
	}
	s->submission = r->var[0];
	s->parts = (int32_t)part;
	s->ready = stage;
	submit_resolve(s);
}

struct commit {
	int64_t parts;
};

static const struct json_field commit_fields[] = {
	{ "parts", JK_I64, offsetof(struct commit, parts), JF_REQUIRED, 1,
	  PARTS_MAX, 0 },
};

static void on_commit(struct req *r)
{
	struct submit *s = submit_new(r);
	struct json_object *doc;
	struct commit c = { 0 };
	struct err e = ERR_INIT;

	if (!id_read(r, &e) || !idempotency_key(r, &s->idempotency_key, &e) ||
	    !req_json(r, &doc, &e) ||
	    !json_decode(doc, commit_fields, 1, &c, "the body", &e)) {
		req_reply_err(r, &e);
		return;
	}
	idempotency_hash(r, s->body_hash);
	s->submission = r->var[0];
	s->parts = (int32_t)c.parts;
	submit_put(s);
}

static void on_dropped(enum db_outcome o, const struct db_result *res,
		       const struct db_fault *f, void *arg)
{
	struct req *r = arg;
	struct err e;

	if (o != DB_OK) {
		db_reply_fault(r, o, f);
	} else if (db_rows(res) == 0) {
		(void)err_set(&e, ERR_NOT_FOUND,
			      "there is no open submission \"%s\"", r->var[0]);
		req_reply_err(r, &e);
	} else {
		req_reply_empty(r, 204);
	}
}

static void on_drop(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	if (!id_read(r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_p_text(p, r->var[0]);
	db_p_i32(p, r->who.owner_id);
	db_run(r->srv->db, "submission_drop", p, on_dropped, r);
}

#define MAY_FETCH (MAY_PEOPLE | MAY(ROLE_PILOT))

const struct route routes_submit[] = {
	{ "POST", "/api/v1/jobs", MAY_CHANGE, "", on_submit },
	{ "POST", "/api/v1/submissions", MAY_CHANGE, "", on_create },
	{ "PUT", "/api/v1/submissions/{id}/parts/{n}", MAY_CHANGE, "",
	  on_part },
	{ "POST", "/api/v1/submissions/{id}/commit", MAY_CHANGE, "",
	  on_commit },
	{ "DELETE", "/api/v1/submissions/{id}", MAY_CHANGE, "", on_drop },
	{ "PUT", "/api/v1/files/{sha256}", MAY_CHANGE, "", files_put },
	{ "GET", "/api/v1/files/{sha256}", MAY_FETCH, "", files_get },
	{ "HEAD", "/api/v1/files/{sha256}", MAY_FETCH, "", files_head },
	{ NULL, NULL, 0, NULL, NULL },
};
