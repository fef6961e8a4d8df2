/* Files by their SHA-256: put before the jobs that send them, fetched by the
 * pilots that run these. */
#include "server/files.h"

#include <string.h>
#include "lib/id.h"
#include "server/blob.h"
#include "server/db.h"
#include "server/req.h"
#include "server/server.h"

struct file {
	struct req *req;
	uint8_t hash[32];
	bool head;
};

static struct file *file_new(struct req *r)
{
	struct file *f = ARENA_NEW(r->arena, struct file);
	struct err e;

	f->req = r;
	if (id_unhex(r->var[0], f->hash, sizeof(f->hash)))
		return f;
	(void)err_set(&e, ERR_BAD_REQUEST,
		      "\"%s\" is not a SHA-256: 64 hexadecimal digits",
		      r->var[0]);
	req_reply_err(r, &e);
	return NULL;
}

static void on_recorded(enum db_outcome o, const struct db_result *res,
			const struct db_fault *fault, void *arg)
{
	struct file *f = arg;
	char hex[65];
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(f->req, o, fault);
		return;
	}
	id_hex(f->hash, sizeof(f->hash), hex);
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "sha256", hex);
	buf_json_kv_i64(&b, "size", (int64_t)f->req->body_len);
	buf_addc(&b, '}');
	req_reply_buf(f->req, db_bool(res, 0, 0) ? 201 : 200, &b);
	buf_fini(&b);
}

static struct db_params *params_of(struct file *f)
{
	struct db_params *p = db_params_new(f->req->arena);

	db_p_bytes(p, f->hash, sizeof(f->hash));
	db_p_i64(p, (int64_t)f->req->body_len);
	db_p_i32(p, f->req->who.owner_id);
	return p;
}

/* Nothing is on the disk of what is refused. */
static void on_room(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct file *f = arg;
	struct req *r = f->req;
	struct err e = ERR_INIT;

	(void)res;
	if (o != DB_OK)
		db_reply_fault(r, o, fault);
	else if (!blob_put(r->srv->blobs, f->hash, r->body, r->body_len, &e))
		req_reply_err(r, &e);
	else
		db_run(r->srv->db, "blob_record", params_of(f), on_recorded, f);
}

void files_put(struct req *r)
{
	struct file *f = file_new(r);
	uint8_t hash[32];
	struct err e = ERR_INIT;

	if (f == NULL)
		return;
	id_sha256(r->body, r->body_len, hash);
	if (!id_equal(hash, f->hash, sizeof(hash))) {
		(void)err_set(
			&e, ERR_BAD_REQUEST,
			"the body's SHA-256 is not the one in the path: it was changed on the way");
		req_reply_err(r, &e);
		return;
	}
	db_run(r->srv->db, "blob_room", params_of(f), on_room, f);
}

static void reply_file(struct file *f, int64_t size)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (blob_read(f->req->srv->blobs, f->hash, 0, (size_t)size, &b, &e))
		req_reply_bytes(f->req, 200, "application/octet-stream",
				buf_str(&b), b.len);
	else
		req_reply_err(f->req, &e);
	buf_fini(&b);
}

static void on_found(enum db_outcome o, const struct db_result *res,
		     const struct db_fault *fault, void *arg)
{
	struct file *f = arg;
	struct err e;

	if (o != DB_OK) {
		db_reply_fault(f->req, o, fault);
	} else if (db_rows(res) == 0) {
		(void)err_set(&e, ERR_NOT_FOUND, "there is no file \"%s\"",
			      f->req->var[0]);
		req_reply_err(f->req, &e);
	} else if (f->head) {
		req_header_add(f->req, "Sortie-Size", db_text(res, 0, 0));
		req_reply_empty(f->req, 200);
	} else {
		reply_file(f, db_i64(res, 0, 0));
	}
}

static void find(struct req *r, bool head)
{
	struct file *f = file_new(r);
	struct db_params *p;

	if (f == NULL)
		return;
	f->head = head;
	p = db_params_new(r->arena);
	db_p_bytes(p, f->hash, sizeof(f->hash));
	db_run(r->srv->db, "blob_get", p, on_found, f);
}

void files_get(struct req *r)
{
	find(r, false);
}

void files_head(struct req *r)
{
	find(r, true);
}
