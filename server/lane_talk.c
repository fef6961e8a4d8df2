/*
 * What pilots say, batched: claims become grants, reports become history.
 * Both statements answer in rows whose first column says what the row is.
 */
#include "server/lanes_int.h"

#include <stdlib.h>
#include <string.h>
#include "lib/id.h"
#include "lib/log.h"
#include "server/options.h"
#include "server/park.h"
#include "server/settled.h"
#include "server/wake.h"

#define CLAIM_PILOTS 256
/* Grants of a batch: 15 us each, up to 120 where many classes are in play, and
 * the next batch waits for this one. At 500 classes 512, 128 and 48 gave a
 * p99 of 61, 56 and 87 ms (tests/bench/NOTES). */
#define CLAIM_GRANTS 128
#define REPORT_PILOTS 256
#define REPORT_ITEMS 1000
#define QUEUE_BYTES ((size_t)64 << 20)

static struct talk *talk_of(struct lane_item *i)
{
	return (struct talk *)i;
}

void claim_weigh(struct talk *t)
{
	int64_t n = (int64_t)t->slots + t->ahead;

	t->item.weight = n < 1              ? 1
			 : n > CLAIM_GRANTS ? CLAIM_GRANTS
					    : (uint32_t)n;
}

static const char *claim_build(struct lane_batch *b, struct db_params *p)
{
	struct server *srv = lane_server(b->lane);
	struct db_array *pilot = db_array_new(b->arena, DB_I64);
	struct db_array *request = db_array_new(b->arena, DB_I64);
	struct db_array *slots = db_array_new(b->arena, DB_I32);
	struct db_array *cores = db_array_new(b->arena, DB_I32);
	struct db_array *memory = db_array_new(b->arena, DB_I64);
	struct db_array *ahead = db_array_new(b->arena, DB_I32);
	struct db_array *lease = db_array_new(b->arena, DB_I64);

	for (size_t i = 0; i < b->n; i++) {
		struct talk *t = talk_of(b->item[i]);

		t->sent_seq = park_seq(srv);
		parking_sent(srv, t);
		t->n_grants = 0;
		buf_reset(&t->grants);
		buf_reset(&t->orders);
		db_a_i64(pilot, t->pilot);
		db_a_i64(request, t->request);
		db_a_i64(slots, t->slots);
		db_a_i64(cores, t->cores);
		db_a_i64(memory, t->memory);
		db_a_i64(ahead, t->ahead);
		db_a_i64(lease, lease_until(srv));
	}
	db_p_i32(p, lanes_bucket(srv, BUCKET_CLAIM));
	db_p_i64(p, srv->server_id);
	db_p_i64(p, (int64_t)id_random_u64());
	db_p_array(p, pilot);
	db_p_array(p, request);
	db_p_array(p, slots);
	db_p_array(p, cores);
	db_p_array(p, memory);
	db_p_array(p, ahead);
	db_p_array(p, lease);
	return "claim";
}

/* The rows 'k': what grants say of their kind. */
struct kind_row {
	int64_t kind;
	size_t row;
};

struct kind_rows {
	struct kind_row *of;
	size_t n, last;
};

/* Where the columns of claim_1 and report_2 differ. */
struct layout {
	int who, run, number, id, attempt, idx, priority, kind, ahead, name,
		owner, project, definition;
};

static const struct layout claim_layout = {
	.who = 1,
	.run = 2,
	.number = 3,
	.id = 4,
	.attempt = 5,
	.idx = 6,
	.priority = 7,
	.kind = 8,
	.ahead = 9,
	.name = 10,
	.owner = 11,
	.project = 12,
	.definition = 13,
};

static const struct layout report_layout = {
	.who = 1,
	.run = 3,
	.number = 4,
	.id = 5,
	.attempt = 6,
	.idx = 7,
	.priority = 8,
	.kind = 9,
	.ahead = 10,
	.name = 11,
	.owner = 12,
	.project = 13,
	.definition = 14,
};

static void kinds_read(struct kind_rows *k, struct arena *a,
		       const struct db_result *r, const struct layout *l)
{
	memset(k, 0, sizeof(*k));
	k->of = ARENA_ARRAY(a, struct kind_row, db_rows(r));
	for (size_t row = 0; row < db_rows(r); row++) {
		if (db_text(r, row, 0)[0] != 'k')
			continue;
		k->of[k->n].kind = db_i64(r, row, l->number);
		k->of[k->n++].row = row;
	}
}

static size_t kind_find(struct kind_rows *k, int64_t kind)
{
	if (k->last < k->n && k->of[k->last].kind == kind)
		return k->of[k->last].row;
	for (k->last = 0; k->last < k->n; k->last++)
		if (k->of[k->last].kind == kind)
			return k->of[k->last].row;
	BUG("the kind %lld of a grant is not told", (long long)kind);
}

static void add_grant(struct buf *b, const struct server *srv,
		      const struct db_result *r, size_t row,
		      const struct layout *l, struct kind_rows *kinds)
{
	size_t k = kind_find(kinds, db_i64(r, row, l->kind));
	struct grant g = {
		.run = db_i64(r, row, l->run),
		.job = db_i64(r, row, l->number),
		.id = db_text(r, row, l->id),
		.attempt = db_i64(r, row, l->attempt),
		.has_idx = !db_is_null(r, row, l->idx),
		.idx = db_i64(r, row, l->idx),
		.priority = db_i64(r, row, l->priority),
		.ahead = db_bool(r, row, l->ahead),
		.name = db_text(r, row, l->name),
		.definition = db_text(r, row, l->definition),
		.jobtype = db_text(r, k, l->name),
		.owner = db_text(r, k, l->owner),
		.project = db_text(r, k, l->project),
	};

	grant_write(b, srv, &g);
}

static void add_run(struct buf *b, int64_t run)
{
	char hex[17];

	run_hex(run, hex);
	buf_json_comma(b);
	buf_json_str(b, hex);
}

static void add_order(struct buf *b, char what, int64_t run, int64_t job)
{
	char hex[17];

	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_str(b, "order",
			what == 'c'   ? "cancel"
			: what == 'd' ? "drain"
				      : "stop");
	if (what == 'c') {
		run_hex(run, hex);
		buf_json_kv_str(b, "run", hex);
		buf_json_kv_i64(b, "job", job);
	}
	buf_addc(b, '}');
}

static void claim_row(struct lane_batch *b, const struct db_result *r,
		      size_t row, struct kind_rows *kinds)
{
	const struct layout *l = &claim_layout;
	char what = db_text(r, row, 0)[0];
	struct talk *t;

	if (what == 'k')
		return;
	t = talk_of(b->item[db_i64(r, row, l->who) - 1]);
	switch (what) {
	case 'g':
		add_grant(&t->grants, lane_server(b->lane), r, row, l, kinds);
		t->n_grants++;
		break;
	case 'c':
	case 'd':
	case 's':
		add_order(&t->orders, what, db_i64(r, row, l->run),
			  db_i64(r, row, l->number));
		break;
	case 'p':
		t->profile = (int32_t)db_i64(r, row, l->number);
		t->fit_version = db_i64(r, row, l->run);
		parking_profile(lane_server(b->lane), t,
				db_bool(r, row, l->ahead));
		break;
	case 'o':
		/* A newer call has been served: this one gets nothing. */
		t->deadline_ms = 0;
		break;
	case 'u':
		t->unknown = "the pilot has ended or never was";
		break;
	default:
		BUG("claim_1 answered a row '%c'", what);
	}
}

static void claim_deliver(struct lane_batch *b, const struct db_result *r)
{
	struct server *srv = lane_server(b->lane);
	struct kind_rows kinds;

	kinds_read(&kinds, b->arena, r, &claim_layout);
	for (size_t row = 0; row < db_rows(r); row++)
		claim_row(b, r, row, &kinds);
	for (size_t i = 0; i < b->n; i++) {
		if (talk_of(b->item[i])->unknown == NULL)
			parking_told(srv, talk_of(b->item[i]));
		parking_answered(srv, talk_of(b->item[i]));
	}
	for (size_t i = 0; i < b->n; i++) {
		struct talk *t = talk_of(b->item[i]);
		int32_t profile = t->profile;

		if (t->n_grants > 0)
			parking_granted(srv, t);
		if (t->n_grants == 0 && t->orders.len == 0 &&
		    t->unknown == NULL)
			parking_nothing(t);
		else
			talk_reply(t);
		parking_left(srv, profile);
	}
}

const struct lane_kind lane_claim_kind = {
	.name = "claim",
	.max_weight = CLAIM_GRANTS,
	.max_items = CLAIM_PILOTS,
	.queue_items = 20000,
	.queue_bytes = QUEUE_BYTES,
	.one_per_owner = true,
	.drop_gone = true,
	.build = claim_build,
	.deliver = claim_deliver,
	.fail = talk_fail,
};

/* The arrays of report_2: of reports, starts, ends, listed runs. */
struct report_arrays {
	struct db_array *pilot, *lease, *listed, *drained;
	struct db_array *s_rep, *s_number, *s_run, *s_ago;
	struct db_array *e_rep, *e_number, *e_run, *e_state, *e_reason, *e_exit,
		*e_signal, *e_ago, *e_wall, *e_started, *e_user, *e_system,
		*e_rss, *e_out_size, *e_err_size, *e_out, *e_err, *e_incomplete,
		*e_meta, *e_files;
	struct db_array *l_rep, *l_number, *l_run;
};

/* In the order of the statement's parameters. */
/* clang-format off */
#define REPORT_ARRAYS(X) \
	X(pilot, DB_I64) \
	X(lease, DB_I64) \
	X(listed, DB_BOOL) \
	X(drained, DB_BOOL) \
	X(s_rep, DB_I32) X(s_number, DB_I64) X(s_run, DB_I64) X(s_ago, DB_I64) \
	X(e_rep, DB_I32) X(e_number, DB_I64) X(e_run, DB_I64) \
	X(e_state, DB_TEXT) X(e_reason, DB_TEXT) X(e_exit, DB_I32) \
	X(e_signal, DB_I32) X(e_ago, DB_I64) X(e_wall, DB_I64) \
	X(e_started, DB_BOOL) X(e_user, DB_I64) X(e_system, DB_I64) \
	X(e_rss, DB_I64) X(e_out_size, DB_I64) X(e_err_size, DB_I64) \
	X(e_out, DB_BYTEA) X(e_err, DB_BYTEA) X(e_incomplete, DB_I16) \
	X(e_meta, DB_TEXT) X(e_files, DB_TEXT) \
	X(l_rep, DB_I32) X(l_number, DB_I64) X(l_run, DB_I64)
/* clang-format on */

static void i64_or_null(struct db_array *v, int64_t x, bool given)
{
	if (given)
		db_a_i64(v, x);
	else
		db_a_null(v);
}

static void text_or_null(struct db_array *v, const char *text)
{
	if (text != NULL)
		db_a_text(v, text, strlen(text));
	else
		db_a_null(v);
}

static void add_inline(struct db_array *v, const struct talk_stream *s)
{
	if (s->inlined)
		db_a_text(v, s->text, s->text_len);
	else
		db_a_null(v);
}

static void add_end(struct report_arrays *v, int64_t rep,
		    const struct talk_end *e)
{
	db_a_i64(v->e_rep, rep);
	db_a_i64(v->e_number, e->ref.job);
	db_a_i64(v->e_run, e->ref.run);
	db_a_text(v->e_state, e->state, strlen(e->state));
	db_a_text(v->e_reason, e->reason, strlen(e->reason));
	i64_or_null(v->e_exit, e->exit_code, e->has_exit);
	i64_or_null(v->e_signal, e->signal, e->has_signal);
	db_a_i64(v->e_ago, e->ago_ms);
	i64_or_null(v->e_wall, e->wall_ms, e->wall_ms >= 0);
	db_a_i64(v->e_started, e->started);
	i64_or_null(v->e_user, e->user_ms, e->user_ms >= 0);
	i64_or_null(v->e_system, e->system_ms, e->system_ms >= 0);
	i64_or_null(v->e_rss, e->max_rss, e->max_rss >= 0);
	db_a_i64(v->e_out_size, e->out.size);
	db_a_i64(v->e_err_size, e->err.size);
	add_inline(v->e_out, &e->out);
	add_inline(v->e_err, &e->err);
	db_a_i64(v->e_incomplete,
		 (e->out.incomplete ? 1 : 0) | (e->err.incomplete ? 2 : 0));
	text_or_null(v->e_meta, e->meta);
	text_or_null(v->e_files, e->files);
}

static void add_report(struct report_arrays *v, int64_t rep,
		       const struct talk *t, int64_t lease)
{
	db_a_i64(v->pilot, t->pilot);
	db_a_i64(v->lease, lease);
	db_a_i64(v->listed, t->listed);
	db_a_i64(v->drained, t->drained);
	for (size_t i = 0; i < t->n_starts; i++) {
		db_a_i64(v->s_rep, rep);
		db_a_i64(v->s_number, t->start[i].ref.job);
		db_a_i64(v->s_run, t->start[i].ref.run);
		db_a_i64(v->s_ago, t->start[i].ago_ms);
	}
	for (size_t i = 0; i < t->n_ends; i++)
		add_end(v, rep, &t->end[i]);
	for (size_t i = 0; i < t->n_live; i++) {
		db_a_i64(v->l_rep, rep);
		db_a_i64(v->l_number, t->live[i].job);
		db_a_i64(v->l_run, t->live[i].run);
	}
}

static const char *report_build(struct lane_batch *b, struct db_params *p)
{
	struct server *srv = lane_server(b->lane);
	struct report_arrays v;

#define X(name, elem) v.name = db_array_new(b->arena, elem);
	REPORT_ARRAYS(X)
#undef X
	for (size_t i = 0; i < b->n; i++) {
		talk_of(b->item[i])->sent_seq = park_seq(srv);
		add_report(&v, (int64_t)i + 1, talk_of(b->item[i]),
			   lease_until(srv));
	}
	db_p_i32(p, lanes_bucket(srv, BUCKET_REPORT));
	db_p_i64(p, srv->server_id);
	db_p_i32(p, (int32_t)srv->set->loss_budget);
#define X(name, elem) db_p_array(p, v.name);
	REPORT_ARRAYS(X)
#undef X
	return "report";
}

static void report_row(struct lane_batch *b, const struct db_result *r,
		       size_t row, struct kind_rows *kinds)
{
	const struct layout *l = &report_layout;
	struct server *srv = lane_server(b->lane);
	char what = db_text(r, row, 0)[0];
	int64_t run = db_i64(r, row, l->run);
	int64_t number = db_i64(r, row, l->number);
	int64_t who = db_i64(r, row, l->who);
	struct talk *t;

	switch (what) {
	case 'k':
	case 'w':
		return;
	case 'W':
		wake_work(srv);
		return;
	default:
		if (settled_tell(srv, what, number))
			return;
	}
	if (who < 1 || (uint64_t)who > b->n)
		BUG("report_2 answered a row '%c' for call %lld", what,
		    (long long)who);
	t = talk_of(b->item[who - 1]);
	switch (what) {
	case 'S':
		add_run(&t->acked_starts, run);
		wake_job(srv, number);
		break;
	case 'E':
		add_run(&t->acked_ends, run);
		wake_ended(srv, number);
		break;
	case 'x':
		add_run(&t->stale, run);
		break;
	case 'm':
		add_grant(&t->missing, srv, r, row, l, kinds);
		break;
	case 'c':
	case 'd':
	case 's':
		add_order(&t->orders, what, run, number);
		break;
	case 'u':
		t->unknown = "the pilot has ended or never was";
		if (!db_is_null(r, row, l->name))
			t->unknown = arena_printf(t->item.req->arena,
						  "the pilot has ended: %s",
						  db_text(r, row, l->name));
		break;
	default:
		BUG("report_2 answered a row '%c'", what);
	}
}

static bool talk_goes_on(const struct talk *t)
{
	return t->claims && t->unknown == NULL;
}

/* What jobs got into line is for those first who have just ended some and
 * claim now; the rest wakes others. */
static void report_wake(struct lane_batch *b, const struct db_result *r)
{
	const struct layout *l = &report_layout;
	struct server *srv = lane_server(b->lane);

	for (size_t i = 0; i < b->n; i++)
		if (talk_goes_on(talk_of(b->item[i])))
			parking_expect(srv, talk_of(b->item[i]));
	for (size_t row = 0; row < db_rows(r); row++)
		if (db_text(r, row, 0)[0] == 'w')
			wake_class(srv, (int32_t)db_i64(r, row, l->kind),
				   db_i64(r, row, l->number));
}

static void report_deliver(struct lane_batch *b, const struct db_result *r)
{
	struct server *srv = lane_server(b->lane);
	struct kind_rows kinds;

	kinds_read(&kinds, b->arena, r, &report_layout);
	for (size_t row = 0; row < db_rows(r); row++)
		report_row(b, r, row, &kinds);
	report_wake(b, r);
	/* Who waits for an end needs one more statement, and is to have it begun
	 * while the pilots are answered: 0.8 ms of 3.6 (tests/bench/NOTES). */
	park_turn(srv->park);
	for (size_t i = 0; i < b->n; i++) {
		struct talk *t = talk_of(b->item[i]);

		t->reported = true;
		if (t->unknown == NULL)
			parking_told(srv, t);
		if (!talk_goes_on(t)) {
			talk_reply(t);
			continue;
		}
		claim_weigh(t);
		parking_ask(srv, t);
	}
}

const struct lane_kind lane_report_kind = {
	.name = "report",
	.max_weight = REPORT_ITEMS,
	.max_items = REPORT_PILOTS,
	.queue_items = 20000,
	.queue_bytes = QUEUE_BYTES,
	.one_per_owner = true,
	.build = report_build,
	.deliver = report_deliver,
	.fail = talk_fail,
};
