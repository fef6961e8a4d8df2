/* Pilots' side of the server: they register, claim and leave (what they
 * report is read in talk_report.c). */
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/jobspec.h"
#include "lib/json.h"
#include "server/auth.h"
#include "server/options.h"
#include "server/route.h"
#include "server/settled.h"
#include "server/talk.h"
#include "server/wake.h"

#define PROTOCOL 1
#define CHUNK_BYTES 262144
#define INLINE_BYTES 4096
#define LIFE_MAX INT64_C(1000000000)
#define MEMORY_MAX (INT64_C(1) << 60)

/* Registration */

struct registration {
	int64_t protocol, slots, cores, memory, lifetime_s, uid;
	const char *version, *host, *site, *batch_id;
	bool one_user, run_as;
	struct json_object *pools, *labels, *jobtypes, *predecessor;
};

#define FIELD(key, kind, member, flags, min, max)                             \
	{                                                                     \
		key, kind, offsetof(struct registration, member), flags, min, \
			max, 0                                                \
	}

static const struct json_field registration_fields[] = {
	FIELD("protocol", JK_I64, protocol, JF_REQUIRED, 0, 0),
	FIELD("version", JK_STR, version, 0, 0, 64),
	FIELD("host", JK_STR, host, JF_REQUIRED, 0, 255),
	FIELD("site", JK_STR, site, 0, 0, JOBSPEC_NAME_MAX),
	FIELD("pools", JK_ARRAY, pools, 0, 0, 0),
	FIELD("labels", JK_OBJECT, labels, 0, 0, 0),
	FIELD("jobtypes", JK_OBJECT, jobtypes, 0, 0, 0),
	FIELD("slots", JK_I64, slots, JF_REQUIRED, 1, 100000),
	FIELD("cores", JK_I64, cores, JF_REQUIRED, 1, 100000),
	FIELD("memory", JK_I64, memory, 0, 0, MEMORY_MAX),
	FIELD("batch_id", JK_STR, batch_id, 0, 0, 255),
	FIELD("lifetime_s", JK_I64, lifetime_s, 0, 0, LIFE_MAX),
	FIELD("one_user", JK_BOOL, one_user, 0, 0, 0),
	FIELD("run_as", JK_BOOL, run_as, 0, 0, 0),
	FIELD("uid", JK_I64, uid, 0, 0, UINT32_MAX),
	FIELD("predecessor", JK_OBJECT, predecessor, 0, 0, 0),
};

#define N_FIELDS(a) (sizeof(a) / sizeof((a)[0]))

/* A list of names as an array of texts. list NULL: empty. */
static bool names_param(struct req *r, struct db_params *p,
			struct json_object *list, const char *what,
			struct err *e)
{
	struct db_array *v = db_array_new(r->arena, DB_TEXT);

	for (size_t i = 0; list != NULL && i < json_len(list); i++) {
		struct json_object *x = json_at(list, i);

		if (json_type(x) != JSON_STR || !jobspec_name_ok(json_str(x)))
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%s\" must be a list of names", what);
		db_a_text(v, json_str(x), json_str_len(x));
	}
	db_p_array(p, v);
	return true;
}

static bool label_check(const char *key, struct json_object *v, void *arg)
{
	return jobspec_name_ok(key) && json_type(v) == JSON_STR
		       ? true
		       : err_set(arg, ERR_BAD_REQUEST,
				 "\"labels\" must be an object of texts");
}

static bool labels_param(struct req *r, struct db_params *p,
			 struct json_object *labels, struct err *e)
{
	struct buf b = BUF_INIT;

	if (labels == NULL) {
		db_p_text(p, "{}");
		return true;
	}
	if (!json_each(labels, label_check, e))
		return false;
	json_write_sorted(&b, labels);
	db_p_text(p, buf_str(&b));
	buf_fini(&b);
	(void)r;
	return true;
}

struct jobtypes {
	struct json_object *accept, *refuse;
};

static const struct json_field jobtypes_fields[] = {
	{ "accept", JK_ARRAY, offsetof(struct jobtypes, accept), 0, 0, 0, 0 },
	{ "refuse", JK_ARRAY, offsetof(struct jobtypes, refuse), 0, 0, 0, 0 },
};

static bool jobtypes_params(struct req *r, struct db_params *p,
			    struct json_object *o, struct err *e)
{
	struct jobtypes t = { NULL, NULL };

	if (o != NULL &&
	    !json_decode(o, jobtypes_fields, N_FIELDS(jobtypes_fields), &t,
			 "\"jobtypes\"", e))
		return false;
	return names_param(r, p, t.accept, "jobtypes.accept", e) &&
	       names_param(r, p, t.refuse, "jobtypes.refuse", e);
}

struct predecessor {
	struct json_object *pilot;
	const char *token;
};

static const struct json_field predecessor_fields[] = {
	{ "pilot", JK_ANY, offsetof(struct predecessor, pilot), 0, 0, 0, 0 },
	{ "token", JK_STR, offsetof(struct predecessor, token), JF_REQUIRED, 0,
	  200, 0 },
};

/* Its token proves who it was. A spool of another cluster's pilot is no
 * predecessor, and no reason to refuse the pilot. */
static bool predecessor_param(struct req *r, struct db_params *p,
			      struct json_object *o, struct err *e)
{
	struct predecessor x = { NULL, NULL };
	int64_t number;

	if (o == NULL) {
		db_p_null(p);
		return true;
	}
	if (!json_decode(o, predecessor_fields, N_FIELDS(predecessor_fields),
			 &x, "\"predecessor\"", e))
		return false;
	if (auth_pilot_check(r->srv, x.token, &number))
		db_p_i64(p, number);
	else
		db_p_null(p);
	return true;
}

static bool may_register(const struct req *r, const struct registration *x,
			 struct err *e)
{
	if (x->protocol != PROTOCOL)
		return err_set(
			e, ERR_BAD_REQUEST,
			"this server speaks protocol %d, the pilot %lld: take a pilot of the server's version",
			PROTOCOL, (long long)x->protocol);
	if (r->who.everybody && !x->one_user && !x->run_as)
		return err_set(
			e, ERR_FORBIDDEN,
			"this join token is for everybody's jobs: they would all run as one user; start the pilot as root with --run-as-file, or with --one-user if that is wanted");
	return true;
}

static void uuid_params(struct db_params *p)
{
	uint32_t salt;

	id_random(&salt, sizeof(salt));
	salt &= (1u << 30) - 1;
	db_p_i64(p, (int64_t)((uint64_t)clock_wall_ms() << 16 | 0x7000 |
			      salt >> 18));
	db_p_i64(p, (int64_t)(UINT64_C(1) << 63 | (salt & 0x3ffff)));
}

static bool register_params(struct req *r, struct db_params *p,
			    const struct registration *x, struct err *e)
{
	struct db_array *projects = db_array_new(r->arena, DB_I32);

	db_p_i32(p, r->srv->bucket);
	db_p_i64(p, r->srv->server_id);
	db_p_i64(p, lease_until(r->srv));
	uuid_params(p);
	db_p_i32(p, r->who.owner_id);
	db_p_bool(p, r->who.everybody);
	for (size_t i = 0; i < r->who.n_projects; i++)
		db_a_i64(projects, r->who.projects[i]);
	db_p_array(p, projects);
	db_p_text(p, x->host);
	db_p_text(p, x->site);
	if (!names_param(r, p, x->pools, "pools", e) ||
	    !labels_param(r, p, x->labels, e) ||
	    !jobtypes_params(r, p, x->jobtypes, e))
		return false;
	db_p_i32(p, (int32_t)x->slots);
	db_p_i32(p, (int32_t)x->cores);
	db_p_i64(p, x->memory);
	db_p_text(p, x->batch_id);
	db_p_text(p, x->version);
	db_p_i64(p, x->lifetime_s);
	return predecessor_param(r, p, x->predecessor, e);
}

static void write_output_rules(struct buf *b, const struct settings *set)
{
	buf_json_key(b, "output");
	buf_addc(b, '{');
	buf_json_kv_i64(b, "head", set->output_head);
	buf_json_kv_i64(b, "tail", set->output_tail);
	buf_json_kv_i64(b, "chunk", CHUNK_BYTES);
	buf_json_kv_i64(b, "inline", INLINE_BYTES);
	buf_addc(b, '}');
}

static void on_registered(enum db_outcome o, const struct db_result *res,
			  const struct db_fault *f, void *arg)
{
	struct req *r = arg;
	const struct settings *set = r->srv->set;
	char token[AUTH_PILOT_TOKEN_LEN + 1];
	struct buf b = BUF_INIT;

	if (o != DB_OK) {
		db_reply_fault(r, o, f);
		return;
	}
	auth_pilot_token(r->srv, db_i64(res, 0, 0), token);
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "pilot", db_text(res, 0, 1));
	buf_json_kv_i64(&b, "number", db_i64(res, 0, 0));
	buf_json_kv_str(&b, "token", token);
	buf_json_kv_str(&b, "cluster", r->srv->cluster);
	buf_json_kv_i64(&b, "protocol", PROTOCOL);
	buf_json_kv_i64(&b, "lease_s", set->lease_s);
	buf_json_kv_i64(&b, "heartbeat_s", set->heartbeat_s);
	write_output_rules(&b, set);
	buf_json_kv_raw(&b, "site",
			db_is_null(res, 0, 2) ? "null" : db_text(res, 0, 2));
	buf_addc(&b, '}');
	wake_events(r->srv);
	req_reply_buf(r, 201, &b);
	buf_fini(&b);
}

static void on_register(struct req *r)
{
	struct registration x = {
		.version = "", .site = "", .batch_id = "", .uid = -1
	};
	struct db_params *p = db_params_new(r->arena);
	struct json_object *doc;
	struct err e = ERR_INIT;

	if (!req_json(r, &doc, &e) ||
	    !json_decode(doc, registration_fields,
			 N_FIELDS(registration_fields), &x, "the body", &e) ||
	    !may_register(r, &x, &e) || !register_params(r, p, &x, &e)) {
		req_reply_err(r, &e);
		return;
	}
	db_run(r->srv->db, "pilot_register", p, on_registered, r);
}

/* Claims */

bool talk_pilot(struct req *r, struct err *e)
{
	int64_t number = 0;

	if (!id_uuid_number(r->var[0], &number)) {
		for (const char *s = r->var[0];
		     *s >= '0' && *s <= '9' && number < ID_NUMBER_MAX; s++)
			number = number * 10 + (*s - '0');
	}
	return number == r->who.pilot ||
	       err_set(e, ERR_FORBIDDEN,
		       "the token belongs to pilot %lld, not to \"%s\"",
		       (long long)r->who.pilot, r->var[0]);
}

struct talk *talk_new(struct req *r)
{
	struct talk *t = ARENA_NEW(r->arena, struct talk);
	struct buf *bufs[] = { &t->grants, &t->orders,       &t->missing,
			       &t->stale,  &t->acked_starts, &t->acked_ends };

	t->item.req = r;
	t->item.owner = r->who.pilot;
	t->item.weight = 1;
	t->item.bytes = r->body_len;
	t->pilot = r->who.pilot;
	for (size_t i = 0; i < N_FIELDS(bufs); i++)
		buf_init_in(bufs[i], r->arena);
	return t;
}

struct free_room {
	int64_t slots, cores, memory, ahead;
};

static const struct json_field free_fields[] = {
	{ "slots", JK_I64, offsetof(struct free_room, slots), JF_REQUIRED, 0,
	  100000, 0 },
	{ "cores", JK_I64, offsetof(struct free_room, cores), JF_REQUIRED, 0,
	  100000, 0 },
	{ "memory", JK_I64, offsetof(struct free_room, memory), 0, 0,
	  MEMORY_MAX, 0 },
	{ "ahead", JK_I64, offsetof(struct free_room, ahead), 0, 0, 10000, 0 },
};

bool talk_free(struct talk *t, struct json_object *o, struct err *e)
{
	struct free_room f = { 0 };

	if (!json_decode(o, free_fields, N_FIELDS(free_fields), &f, "\"free\"",
			 e))
		return false;
	t->slots = (int32_t)f.slots;
	t->cores = (int32_t)f.cores;
	t->memory = f.memory;
	t->ahead = (int32_t)f.ahead;
	t->claims = true;
	return true;
}

void talk_wait(struct talk *t, int64_t wait_s)
{
	t->deadline_ms = wait_s > 0 ? clock_mono_ms() + wait_s * 1000 : 0;
}

struct claim {
	int64_t request, wait_s;
	struct json_object *room;
};

static const struct json_field claim_fields[] = {
	{ "request", JK_I64, offsetof(struct claim, request), JF_REQUIRED, 1,
	  INT64_MAX, 0 },
	{ "free", JK_OBJECT, offsetof(struct claim, room), JF_REQUIRED, 0, 0,
	  0 },
	{ "wait", JK_I64, offsetof(struct claim, wait_s), 0, 0, 60, 0 },
};

/* A claim that waits keeps its numbers, not the document. */
static bool claim_read(struct talk *t, struct err *e)
{
	struct req *r = t->item.req;
	struct arena *scratch = r->srv->lanes->scratch;
	struct claim c = { 0 };
	struct json_object *doc;
	bool ok;

	ok = req_json_in(r, scratch, &doc, e) &&
	     json_decode(doc, claim_fields, N_FIELDS(claim_fields), &c,
			 "the body", e) &&
	     talk_free(t, c.room, e);
	t->request = c.request;
	talk_wait(t, c.wait_s);
	arena_reset(scratch);
	return ok;
}

static void on_claim(struct req *r)
{
	struct talk *t = talk_new(r);
	struct err e = ERR_INIT;

	if (!talk_pilot(r, &e) || !claim_read(t, &e)) {
		req_reply_err(r, &e);
		return;
	}
	park_supersede(r->srv, t->pilot);
	claim_weigh(t);
	parking_expect(r->srv, t);
	parking_ask(r->srv, t);
}

/* Answers */

static void kv_list(struct buf *b, const char *key, const struct buf *items)
{
	buf_json_key(b, key);
	buf_addc(b, '[');
	buf_add(b, buf_str(items), items->len);
	buf_addc(b, ']');
}

static void write_report(struct buf *b, const struct talk *t)
{
	buf_json_key(b, "acked");
	buf_addc(b, '{');
	kv_list(b, "starts", &t->acked_starts);
	kv_list(b, "ends", &t->acked_ends);
	buf_addc(b, '}');
	kv_list(b, "stale", &t->stale);
	if (t->listed)
		kv_list(b, "missing", &t->missing);
}

void talk_reply(struct talk *t)
{
	struct req *r = t->item.req;
	struct buf b = BUF_INIT;
	struct err e;

	if (t->unknown != NULL) {
		(void)err_set(&e, ERR_GONE, "%s", t->unknown);
		req_reply_err(r, &e);
		return;
	}
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "cluster", r->srv->cluster);
	if (t->is_report)
		write_report(&b, t);
	if (!t->unheard)
		kv_list(&b, "grants", &t->grants);
	kv_list(&b, "orders", &t->orders);
	buf_addc(&b, '}');
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

static void fail_reply(struct talk *t, enum db_outcome o,
		       const struct db_fault *f)
{
	/* What it reported is recorded. Whether anything was granted is not
	 * known here: it asks again with the same number. */
	if (t->reported) {
		t->unheard = true;
		talk_reply(t);
	} else {
		db_reply_fault(t->item.req, o, f);
	}
}

void talk_fail(struct lane_item *i, enum db_outcome o, const struct db_fault *f)
{
	struct talk *t = (struct talk *)i;
	struct server *srv = i->req->srv;
	/* One whose peer has gone is dropped while the lane makes a batch:
	 * nothing may be put into it then. */
	int32_t profile = i->req->gone ? 0 : t->profile;

	parking_answered(srv, t);
	fail_reply(t, o, f);
	parking_left(srv, profile);
}

/* Leaving */

static void on_left(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *f, void *arg)
{
	struct req *r = arg;

	if (o != DB_OK) {
		db_reply_fault(r, o, f);
		return;
	}
	/* The first row says that it was there. */
	for (size_t row = 1; row < db_rows(res); row++)
		settled_row(r->srv, res, row, 0, 1);
	if (db_rows(res) > 0) {
		wake_pilot(r->srv, r->who.pilot);
		wake_work(r->srv);
		wake_events(r->srv);
	}
	req_reply_empty(r, 204);
}

static void on_leave(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;

	if (!talk_pilot(r, &e)) {
		req_reply_err(r, &e);
		return;
	}
	park_supersede(r->srv, r->who.pilot);
	db_p_i32(p, r->srv->bucket);
	db_p_i32(p, (int32_t)r->srv->set->loss_budget);
	db_p_i64(p, r->who.pilot);
	db_run(r->srv->db, "pilot_leave", p, on_left, r);
}

const struct route routes_talk[] = {
	{ "POST", "/api/v1/pilots", MAY(ROLE_JOIN), "", on_register },
	{ "POST", "/api/v1/pilots/{id}/claim", MAY(ROLE_PILOT), "", on_claim },
	{ "POST", "/api/v1/pilots/{id}/report", MAY(ROLE_PILOT), "",
	  talk_report },
	{ "DELETE", "/api/v1/pilots/{id}", MAY(ROLE_PILOT), "", on_leave },
	{ NULL, NULL, 0, NULL, NULL },
};
