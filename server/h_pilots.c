/* Pilots as people see them, and the orders they give them. */
#include "server/route.h"

#include <stddef.h>
#include <string.h>
#include "server/lanes.h"
#include "server/options.h"
#include "server/server.h"
#include "server/settled.h"
#include "server/view.h"
#include "server/wake.h"

#define STEP 50 /* pilots a statement: a kill ends all their runs */
#define LIVE "active,idle,busy,draining"
#define ENDED "stopped,lost,killed"

#define N(table) (sizeof(table) / sizeof((table)[0]))

static bool check_states(const char *words, struct err *e)
{
	static const char *const known[] = { "active",   "idle",    "busy",
					     "draining", "stopped", "lost",
					     "killed" };

	while (words != NULL && *words != '\0') {
		size_t len = strcspn(words, ",");
		bool found = false;

		for (size_t i = 0; i < N(known) && !found; i++)
			found = strlen(known[i]) == len &&
				memcmp(known[i], words, len) == 0;
		if (!found)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"%.*s\" is no "
				       "state of a pilot: there are " LIVE
				       "," ENDED,
				       (int)(len < 50 ? len : 50), words);
		words += len;
		words += *words == ',';
	}
	return true;
}

/* "live" and "ended" as for jobs. */
static const char *states_of(const char *words)
{
	if (words != NULL && strcmp(words, "live") == 0)
		return LIVE;
	if (words != NULL && strcmp(words, "ended") == 0)
		return ENDED;
	return words;
}

/* GET /api/v1/pilots */

static void get_pilots(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	const char *states = states_of(req_query(r, "state"));
	struct err e = ERR_INIT;
	int64_t below;
	int32_t page;

	if (!view_page(r, &page, &e) || !view_below(r, &below, &e) ||
	    !check_states(states, &e)) {
		req_reply_err(r, &e);
		return;
	}
	view_p_who(p, r);
	view_p_below(p, below);
	db_p_i32(p, page);
	view_p_words(p, r, states);
	db_p_text(p, req_query(r, "host"));
	db_p_text(p, req_query(r, "site"));
	db_p_text(p, req_query(r, "owner"));
	db_p_text(p, view_between(r));
	db_run(r->srv->db, "pilot_list", p, view_on_list, r);
}

/* GET /api/v1/pilots/{ref} */

static void get_pilot(struct req *r)
{
	struct db_params *p = db_params_new(r->arena);
	struct err e = ERR_INIT;
	const char *uuid;
	int64_t number;

	if (!refs_one("pilot", r->var[0], &number, &uuid, &e)) {
		req_reply_err(r, &e);
		return;
	}
	r->data = arena_printf(r->arena, "pilot %s", r->var[0]);
	db_p_i64(p, number);
	db_p_text(p, uuid);
	view_p_who(p, r);
	db_run(r->srv->db, "pilot_show", p, view_on_one, r);
}

/* POST /api/v1/pilots/actions */

enum order { ORDER_DRAIN, ORDER_KILL, ORDER_DELETE };

static const char *const order_names[] = {
	[ORDER_DRAIN] = "drain",
	[ORDER_KILL] = "kill",
	[ORDER_DELETE] = "delete",
};

struct act {
	enum order order;
	int64_t *pilot;
	size_t n, at, in_flight, done;
	struct buf refused;
};

enum { COL_PILOT, COL_CODE, COL_MESSAGE, COL_WHAT, COL_NUMBER };

static void step(struct req *r);

static void finish(struct req *r, struct act *a)
{
	struct buf b = BUF_INIT;

	wake_events(r->srv);
	if (a->order == ORDER_KILL && a->done > 0)
		wake_work(r->srv);
	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "done", (int64_t)a->done);
	buf_json_key(&b, "refused");
	buf_addf(&b, "[%s]}\n", buf_str(&a->refused));
	req_reply_buf(r, 200, &b);
	buf_fini(&b);
}

static void take_row(struct req *r, struct act *a, const struct db_result *res,
		     size_t row)
{
	struct buf *b = &a->refused;
	int64_t pilot = db_i64(res, row, COL_PILOT);

	if (settled_row(r->srv, res, row, COL_WHAT, COL_NUMBER))
		return;
	if (db_is_null(res, row, COL_CODE)) {
		a->done++;
		if (a->order != ORDER_DELETE)
			wake_pilot(r->srv, pilot);
		return;
	}
	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_i64(b, "pilot", pilot);
	buf_json_kv_str(b, "code", db_text(res, row, COL_CODE));
	buf_json_kv_str(b, "message", db_text(res, row, COL_MESSAGE));
	buf_addc(b, '}');
}

static void on_rows(enum db_outcome o, const struct db_result *res,
		    const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct act *a = r->data;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	for (size_t i = 0; i < db_rows(res); i++)
		take_row(r, a, res, i);
	a->at += a->in_flight;
	step(r);
}

static void step(struct req *r)
{
	struct act *a = r->data;
	struct db_params *p = db_params_new(r->arena);
	struct db_array *pilots = db_array_new(r->arena, DB_I64);

	if (a->at == a->n) {
		finish(r, a);
		return;
	}
	a->in_flight = a->n - a->at < STEP ? a->n - a->at : STEP;
	for (size_t i = 0; i < a->in_flight; i++)
		db_a_i64(pilots, a->pilot[a->at + i]);
	if (a->order == ORDER_DELETE) {
		view_p_owner(p, r);
		db_p_array(p, pilots);
		db_run(r->srv->db, "pilot_delete", p, on_rows, r);
		return;
	}
	db_p_i32(p, lanes_bucket(r->srv, BUCKET_POOL));
	db_p_i32(p, (int32_t)r->srv->set->loss_budget);
	view_p_owner(p, r);
	db_p_array(p, pilots);
	db_p_bool(p, a->order == ORDER_KILL);
	db_run(r->srv->db, "pilot_order", p, on_rows, r);
}

static void on_chosen(enum db_outcome o, const struct db_result *res,
		      const struct db_fault *fault, void *arg)
{
	struct req *r = arg;
	struct act *a = r->data;

	if (o != DB_OK) {
		db_reply_fault(r, o, fault);
		return;
	}
	a->n = db_rows(res);
	a->pilot = ARENA_ARRAY(r->arena, int64_t, a->n);
	for (size_t i = 0; i < a->n; i++)
		a->pilot[i] = db_i64(res, i, 0);
	step(r);
}

struct wanted {
	const char *action, *pilots, *host, *site, *state;
};

#define AT(field) offsetof(struct wanted, field)

static const struct json_field wanted_fields[] = {
	{ "action", JK_STR, AT(action), JF_REQUIRED, 0, 0, 0 },
	{ "pilots", JK_STR, AT(pilots), 0, 0, 0, 0 },
	{ "host", JK_STR, AT(host), 0, 0, 0, 0 },
	{ "site", JK_STR, AT(site), 0, 0, 0, 0 },
	{ "state", JK_STR, AT(state), 0, 0, 0, 0 },
};

#undef AT

static bool decode_order(const char *name, enum order *out, struct err *e)
{
	for (size_t i = 0; i < N(order_names); i++) {
		if (strcmp(order_names[i], name) == 0) {
			*out = (enum order)i;
			return true;
		}
	}
	return err_set(e, ERR_BAD_REQUEST,
		       "\"action\" must be drain, kill or "
		       "delete, not \"%.50s\"",
		       name);
}

static void choose(struct req *r, const struct act *a, const struct wanted *w)
{
	struct db_params *p = db_params_new(r->arena);
	const char *states = states_of(w->state);

	if (states == NULL)
		states = a->order == ORDER_DELETE ? ENDED : LIVE;
	view_p_who(p, r);
	db_p_null(p);
	view_p_words(p, r, states);
	db_p_text(p, w->host);
	db_p_text(p, w->site);
	db_run(r->srv->db, "pilot_choose", p, on_chosen, r);
}

static bool decode(struct req *r, struct act *a, struct wanted *w,
		   struct err *e)
{
	struct refs refs;
	bool by = false;

	if (!view_body(r, wanted_fields, N(wanted_fields), w, e) ||
	    !decode_order(w->action, &a->order, e) ||
	    !check_states(states_of(w->state), e))
		return false;
	by = w->host != NULL || w->site != NULL || w->state != NULL;
	if ((w->pilots != NULL) == by)
		return err_set(e, ERR_BAD_REQUEST,
			       "say which pilots: "
			       "\"pilots\", or \"host\", \"site\" or "
			       "\"state\"");
	if (by)
		return true;
	if (!refs_parse(r->arena, "pilots", w->pilots, &refs, e))
		return false;
	a->pilot = ARENA_ARRAY(r->arena, int64_t, refs.n_numbers);
	for (size_t i = 0; i < refs.n; i++) {
		for (int64_t n = refs.range[i].lo; n <= refs.range[i].hi; n++)
			a->pilot[a->n++] = n;
	}
	return true;
}

static void act_pilots(struct req *r)
{
	struct act *a = ARENA_NEW(r->arena, struct act);
	struct wanted w = { 0 };
	struct err e = ERR_INIT;

	if (!decode(r, a, &w, &e)) {
		req_reply_err(r, &e);
		return;
	}
	buf_init_in(&a->refused, r->arena);
	r->data = a;
	if (w.pilots == NULL)
		choose(r, a, &w);
	else
		step(r);
}

const struct route routes_pilots[] = {
	{ "GET", "/api/v1/pilots", MAY_PEOPLE,
	  "state host site owner page_size cursor", get_pilots },
	{ "POST", "/api/v1/pilots/actions", MAY_CHANGE, NULL, act_pilots },
	{ "GET", "/api/v1/pilots/{ref}", MAY_PEOPLE, NULL, get_pilot },
	{ NULL, NULL, 0, NULL, NULL }
};
