/* Output of runs: chunks that pilots put, and reading what is stored. */
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/log.h"
#include "lib/units.h"
#include "server/blob.h"
#include "server/park.h"
#include "server/route.h"
#include "server/talk.h"

#define CHUNK_MAX 262144
#define ROW_BYTES 65536 /* of a stream; what lies behind is a blob */
#define READ_MAX (INT64_C(1) << 20)

static bool stream_read(struct req *r, const char *name, int16_t *out,
			struct err *e)
{
	if (strcmp(name, "stdout") == 0)
		*out = 0;
	else if (strcmp(name, "stderr") == 0)
		*out = 1;
	else
		return err_set(e, ERR_NOT_FOUND,
			       "there is no stream \"%s\": stdout or stderr",
			       name);
	(void)r;
	return true;
}

/* Putting */

static bool run_read(const char *s, int64_t *out, struct err *e)
{
	char *end;

	if (strlen(s) != 16 || strspn(s, "0123456789abcdefABCDEF") != 16)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"%s\" is not a run: 16 hexadecimal digits", s);
	*out = (int64_t)strtoull(s, &end, 16);
	return true;
}

static bool chunk_read(struct req *r, struct chunk *c, struct err *e)
{
	if (r->body_len > CHUNK_MAX)
		return err_set(e, ERR_TOO_LARGE, "a chunk has at most %d bytes",
			       CHUNK_MAX);
	if (r->body_len == 0)
		return err_set(e, ERR_BAD_REQUEST, "the chunk is empty");
	return talk_pilot(r, e) && run_read(r->var[1], &c->run, e) &&
	       stream_read(r, r->var[2], &c->stream, e) &&
	       req_query_i64(r, "job", 1, ID_NUMBER_MAX, 0, &c->job, e) &&
	       (c->job > 0 ||
		err_set(e, ERR_BAD_REQUEST, "the query lacks \"job\"")) &&
	       req_query_i64(r, "offset", 0, INT64_C(1) << 60, 0, &c->at, e);
}

void chunk_reply(struct chunk *c, char what, int64_t has)
{
	struct req *r = c->item.req;
	struct buf b = BUF_INIT;
	struct err e;

	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "has", has);
	buf_addc(&b, '}');
	if (what == '+') {
		req_reply_buf(r, 200, &b);
	} else if (what == 'g') {
		(void)err_set(&e, ERR_GONE,
			      "the run is not this pilot's any more");
		req_reply_err(r, &e);
	} else {
		(void)err_set(
			&e, ERR_CONFLICT,
			"the chunk begins at %lld, but %lld bytes are here",
			(long long)c->at, (long long)has);
		req_reply_err_detail(r, &e, buf_str(&b));
	}
	buf_fini(&b);
}

static void on_put(struct req *r)
{
	struct chunk *c = ARENA_NEW(r->arena, struct chunk);
	struct err e = ERR_INIT;

	if (!chunk_read(r, c, &e)) {
		req_reply_err(r, &e);
		return;
	}
	c->is_blob = c->at + (int64_t)r->body_len > ROW_BYTES;
	if (c->is_blob) {
		id_sha256(r->body, r->body_len, c->hash);
		if (!blob_put(r->srv->blobs, c->hash, r->body, r->body_len,
			      &e)) {
			req_reply_err(r, &e);
			return;
		}
	}
	c->item.req = r;
	/* Chunks of one stream go one after another. */
	c->item.owner = c->run ^ c->stream;
	c->item.weight = (uint32_t)r->body_len;
	c->item.bytes = r->body_len;
	c->pilot = r->who.pilot;
	c->data = r->body;
	c->len = r->body_len;
	(void)lane_put(r->srv->lanes->output, &c->item);
}

/* Reading */

struct reading {
	struct req *req;
	int64_t job;
	int64_t attempt; /* 0 = the last */
	int16_t stream;
	int64_t offset;
	int64_t deadline_ms;
	bool over;
	struct park_wait *watch;
};

/* Columns of output_get. */
enum {
	COL_COMPLETE,
	COL_INCOMPLETE,
	COL_SIZE,
	COL_AT,
	COL_LEN,
	COL_DATA,
	COL_BLOB
};

static void reading_ask(struct reading *g);

static void on_woken(struct req *r, bool over)
{
	struct reading *g = r->data;

	g->over = over;
	reading_ask(g);
}

static void header_i64(struct req *r, const char *name, int64_t v)
{
	req_header_add(r, name, arena_printf(r->arena, "%lld", (long long)v));
}

/* Appends the piece's bytes from `from` on, at most max of them. */
static bool piece_add(struct reading *g, const struct db_result *res,
		      size_t row, int64_t from, size_t max, struct buf *out,
		      struct err *e)
{
	int64_t skip = from - db_i64(res, row, COL_AT);
	struct buf b = BUF_INIT;
	bool ok = true;
	size_t len;

	if (!db_is_null(res, row, COL_BLOB)) {
		if (!db_bytes(res, row, COL_BLOB, &b) || b.len != 32)
			BUG("a blob's name is not a SHA-256");
		ok = blob_read(g->req->srv->blobs, (const uint8_t *)b.data,
			       (uint64_t)skip, max, out, e);
	} else {
		if (!db_bytes(res, row, COL_DATA, &b))
			BUG("a piece of output is no bytea");
		len = b.len - (size_t)skip;
		buf_add(out, b.data + skip, len < max ? len : max);
	}
	buf_fini(&b);
	return ok;
}

/* What follows without a gap from the first byte at or behind the offset. */
static bool pieces_add(struct reading *g, const struct db_result *res,
		       int64_t *begin, struct buf *out, struct err *e)
{
	int64_t next = -1;

	*begin = g->offset;
	for (size_t row = 0; row < db_rows(res); row++) {
		int64_t at, end;

		if (db_is_null(res, row, COL_AT))
			continue;
		at = db_i64(res, row, COL_AT);
		end = at + db_i64(res, row, COL_LEN);
		if (next < 0)
			next = *begin = at > g->offset ? at : g->offset;
		if (at > next || end <= next || (int64_t)out->len >= READ_MAX)
			break;
		if (!piece_add(g, res, row, next, (size_t)READ_MAX - out->len,
			       out, e))
			return false;
		next = *begin + (int64_t)out->len;
	}
	return true;
}

static void reading_reply(struct reading *g, const struct db_result *res)
{
	struct req *r = g->req;
	int64_t size = db_i64(res, 0, COL_SIZE), begin;
	bool complete = db_bool(res, 0, COL_COMPLETE);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (!pieces_add(g, res, &begin, &b, &e)) {
		req_reply_err(r, &e);
		buf_fini(&b);
		return;
	}
	header_i64(r, "Sortie-Offset", begin);
	header_i64(r, "Sortie-Next", begin + (int64_t)b.len);
	header_i64(r, "Sortie-Size", size);
	header_i64(r, "Sortie-Left-Out", begin - g->offset);
	req_header_add(r, "Sortie-Complete", complete ? "true" : "false");
	if (db_bool(res, 0, COL_INCOMPLETE))
		req_header_add(r, "Sortie-Incomplete", "true");
	req_reply_bytes(r, 200, "application/octet-stream", buf_str(&b), b.len);
	buf_fini(&b);
}

static void on_pieces(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *f, void *arg)
{
	struct reading *g = arg;
	struct req *r = g->req;
	struct err e;

	if (o != DB_OK) {
		db_reply_fault(r, o, f);
		return;
	}
	if (db_rows(res) == 0) {
		(void)err_set(&e, ERR_NOT_FOUND,
			      "there is no run %s of a job %s%s", r->var[1],
			      r->var[0],
			      r->who.everybody ? " of your own: a reader of "
						 "everybody's jobs does not "
						 "see what they print"
					       : "");
		req_reply_err(r, &e);
		return;
	}
	if (db_is_null(res, 0, COL_AT) && !db_bool(res, 0, COL_COMPLETE) &&
	    !g->over && g->watch != NULL && clock_mono_ms() < g->deadline_ms) {
		park_wait(g->watch, g->deadline_ms, on_woken);
		return;
	}
	reading_reply(g, res);
}

static void reading_ask(struct reading *g)
{
	struct req *r = g->req;
	struct db_params *p = db_params_new(r->arena);
	struct db_array *projects = db_array_new(r->arena, DB_I32);

	db_p_i64(p, g->job);
	if (id_uuid_valid(r->var[0]))
		db_p_text(p, r->var[0]);
	else
		db_p_null(p);
	if (r->who.role == ROLE_ADMIN)
		db_p_null(p);
	else
		db_p_i32(p, r->who.owner_id);
	for (size_t i = 0; i < r->who.n_projects; i++)
		db_a_i64(projects, r->who.projects[i]);
	db_p_array(p, projects);
	db_p_i32(p, (int32_t)g->attempt);
	db_p_i32(p, g->stream);
	db_p_i64(p, g->offset);
	db_p_i64(p, READ_MAX);
	db_run(r->srv->db, "output_get", p, on_pieces, g);
}

static bool reading_read(struct req *r, struct reading *g, struct err *e)
{
	int64_t wait_s = 0;
	struct err why;

	if (!id_uuid_number(r->var[0], &g->job) &&
	    !units_parse_i64(r->var[0], 1, ID_NUMBER_MAX, &g->job, &why))
		return err_set(e, ERR_NOT_FOUND, "there is no job \"%s\"",
			       r->var[0]);
	if (strcmp(r->var[1], "last") != 0 &&
	    !units_parse_i64(r->var[1], 1, 32767, &g->attempt, &why))
		return err_set(e, ERR_NOT_FOUND,
			       "there is no run \"%s\": a number or \"last\"",
			       r->var[1]);
	if (!stream_read(r, r->var[2], &g->stream, e) ||
	    !req_query_i64(r, "offset", 0, INT64_C(1) << 60, 0, &g->offset,
			   e) ||
	    !req_query_i64(r, "wait", 0, 60, 0, &wait_s, e))
		return false;
	g->deadline_ms = clock_mono_ms() + wait_s * 1000;
	if (wait_s > 0)
		g->watch = park_watch(r, PARK_JOB, g->job, g->job);
	return true;
}

static void on_get(struct req *r)
{
	struct reading *g = ARENA_NEW(r->arena, struct reading);
	struct err e = ERR_INIT;

	g->req = r;
	r->data = g;
	if (!reading_read(r, g, &e)) {
		req_reply_err(r, &e);
		return;
	}
	reading_ask(g);
}

const struct route routes_output[] = {
	{ "PUT", "/api/v1/pilots/{id}/runs/{run}/output/{stream}",
	  MAY(ROLE_PILOT), "job offset", on_put },
	{ "GET", "/api/v1/jobs/{ref}/runs/{attempt}/output/{stream}",
	  MAY_PEOPLE, "offset wait", on_get },
	{ NULL, NULL, 0, NULL, NULL },
};
