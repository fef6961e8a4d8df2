/* Natural batching: how requests that arrive together become one statement. */
#include "server/lane.h"

#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "server/metrics.h"
#include "server/req.h"
#include "server/server.h"

#define OWNER_SLOTS 1024
#define QUANTUM 250  /* jobs that an owner may send in its turn */
#define ROUNDS_MAX 8 /* cap of a batch over the quantum */
#define TRIES_MAX 10
#define ALONE_MS 60000
#define STATEMENT_MS 30000
/* Who would wait longer than this is refused, but for a few: one slow batch
 * tells little. */
#define WAIT_US INT64_C(10000000)
#define WAIT_ITEMS 256

struct lane_owner {
	LIST_ENTRY(lane_owner) hash;
	TAILQ_ENTRY(lane_owner) turn;
	int64_t key;
	int64_t deficit;
	int64_t alone_until_ms;
	bool in_turn;
	uint64_t batch; /* the last it stood in */
	STAILQ_HEAD(, lane_item) items;
};

enum { BATCHES, ITEMS, FAILED, REFUSED, WAITS, SECONDS, SIZES, N_METRICS };

struct lane {
	struct server *srv;
	const struct lane_kind *kind;
	struct db_conn *conn;
	struct lane_batch *flying;
	STAILQ_HEAD(, lane_batch) again; /* halves of a failed batch */
	LIST_HEAD(, lane_owner) owners[OWNER_SLOTS];
	TAILQ_HEAD(, lane_owner) turns;
	size_t n_items, n_bytes;
	uint64_t n_batches, n_put, n_done;
	int64_t item_us; /* what an item has taken lately, of a batch */
	struct metric_def defs[N_METRICS];
	struct metric_def queued;
	char *label;
	struct metric **metric;
};

static void lane_next(struct lane *l);

static struct lane_owner *owner_get(struct lane *l, int64_t key)
{
	size_t slot = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 54;
	struct lane_owner *o;

	LIST_FOREACH (o, &l->owners[slot], hash)
		if (o->key == key)
			return o;
	o = xcalloc(1, sizeof(*o));
	o->key = key;
	STAILQ_INIT(&o->items);
	LIST_INSERT_HEAD(&l->owners[slot], o, hash);
	return o;
}

/* Its queue is empty: out of the round, and forgotten unless it is marked. */
static void owner_rest(struct lane *l, struct lane_owner *o)
{
	TAILQ_REMOVE(&l->turns, o, turn);
	o->in_turn = false;
	o->deficit = 0;
	if (o->alone_until_ms > clock_mono_ms())
		return;
	LIST_REMOVE(o, hash);
	free(o);
}

static void owner_put(struct lane *l, struct lane_owner *o, struct lane_item *i)
{
	STAILQ_INSERT_TAIL(&o->items, i, link);
	if (!o->in_turn) {
		TAILQ_INSERT_TAIL(&l->turns, o, turn);
		o->in_turn = true;
	}
	l->n_items++;
	l->n_bytes += i->bytes;
}

static struct lane_item *owner_take(struct lane *l, struct lane_owner *o)
{
	struct lane_item *i = STAILQ_FIRST(&o->items);

	STAILQ_REMOVE_HEAD(&o->items, link);
	l->n_items--;
	l->n_bytes -= i->bytes;
	return i;
}

static struct lane_batch *batch_new(struct lane *l, size_t cap)
{
	struct lane_batch *b = xcalloc(1, sizeof(*b));

	b->lane = l;
	b->item = xcalloc(cap, sizeof(struct lane_item *));
	return b;
}

static void batch_free(struct lane_batch *b)
{
	arena_free(b->arena);
	free(b->item);
	free(b);
}

static void item_fail(struct lane *l, struct lane_item *i, enum db_outcome o,
		      const struct db_fault *f)
{
	metric_add(l->metric[FAILED], 1);
	l->n_done++;
	l->kind->fail(i, o, f);
}

static void item_drop(struct lane *l, struct lane_item *i)
{
	struct db_fault f;

	memset(&f, 0, sizeof(f));
	(void)err_set(&f.err, ERR_UNAVAILABLE, "the peer went away");
	l->n_done++;
	l->kind->fail(i, DB_AWAY, &f);
}

/*
 * One owner's turn: items as long as its deficit and the batch's room last.
 * False when the batch is full.
 */
static bool batch_turn(struct lane_batch *b, struct lane_owner *o,
		       uint32_t *weight)
{
	struct lane *l = b->lane;
	const struct lane_kind *k = l->kind;
	struct lane_item *i;

	o->deficit += QUANTUM;
	while ((i = STAILQ_FIRST(&o->items)) != NULL) {
		if (k->drop_gone && i->req->gone) {
			item_drop(l, owner_take(l, o));
			continue;
		}
		if (b->n > 0 && (i->solo || b->n == k->max_items ||
				 i->weight > k->max_weight - *weight))
			return false;
		if (!k->one_per_owner && b->n > 0 &&
		    (int64_t)i->weight > o->deficit)
			return true;
		(void)owner_take(l, o);
		o->deficit -= i->weight;
		b->item[b->n++] = i;
		if (i->solo || i->weight >= k->max_weight - *weight)
			return false;
		*weight += i->weight;
		o->batch = l->n_batches;
		if (k->one_per_owner)
			return true;
	}
	return true;
}

/* Owners that spoilt a batch lately are alone in theirs. */
static bool owner_waits(const struct lane_batch *b, const struct lane_owner *o,
			int64_t now_ms)
{
	return (b->n > 0 && o->alone_until_ms > now_ms) ||
	       (b->lane->kind->one_per_owner && o->batch == b->lane->n_batches);
}

static struct lane_batch *batch_make(struct lane *l)
{
	struct lane_batch *b = batch_new(l, l->kind->max_items);
	int64_t now_ms = clock_mono_ms();
	uint32_t weight = 0;
	struct lane_owner *o;
	bool room = true;
	size_t passed = 0, before;

	l->n_batches++;
	while (room && (o = TAILQ_FIRST(&l->turns)) != NULL) {
		bool alone = o->alone_until_ms > now_ms;

		before = b->n;
		if (!owner_waits(b, o, now_ms))
			room = batch_turn(b, o, &weight);
		if (STAILQ_EMPTY(&o->items)) {
			owner_rest(l, o);
		} else {
			TAILQ_REMOVE(&l->turns, o, turn);
			TAILQ_INSERT_TAIL(&l->turns, o, turn);
		}
		if (alone && b->n > before)
			break;
		/* Deficits grow with each round; then nobody can give. */
		passed = b->n > before ? 0 : passed + 1;
		if (passed > ROUNDS_MAX * (l->n_items + 1))
			break;
	}
	if (b->n > 0)
		return b;
	batch_free(b);
	return NULL;
}

static void batch_halve(struct lane *l, struct lane_batch *b)
{
	struct lane_batch *low = batch_new(l, b->n / 2);
	struct lane_batch *high = batch_new(l, b->n - b->n / 2);

	low->n = b->n / 2;
	high->n = b->n - low->n;
	memcpy(low->item, b->item, low->n * sizeof(*b->item));
	memcpy(high->item, b->item + low->n, high->n * sizeof(*b->item));
	STAILQ_INSERT_HEAD(&l->again, high, link);
	STAILQ_INSERT_HEAD(&l->again, low, link);
	batch_free(b);
}

static void batch_fail(struct lane *l, struct lane_batch *b, enum db_outcome o,
		       const struct db_fault *f)
{
	if (o == DB_RETRY && b->tries < TRIES_MAX) {
		b->tries++;
		arena_free(b->arena);
		b->arena = NULL;
		STAILQ_INSERT_HEAD(&l->again, b, link);
		return;
	}
	if ((o == DB_DATA || o == DB_BUG) && b->n > 1) {
		batch_halve(l, b);
		return;
	}
	if (o == DB_DATA || o == DB_BUG)
		owner_get(l, b->item[0]->owner)->alone_until_ms =
			clock_mono_ms() + ALONE_MS;
	for (size_t i = 0; i < b->n; i++)
		item_fail(l, b->item[i], o, f);
	batch_free(b);
}

/* A moving mean, with an eighth for what is new. */
static void pace_note(struct lane *l, const struct lane_batch *b, int64_t us)
{
	l->item_us += (us / (int64_t)b->n - l->item_us) / 8;
}

static void on_batch(enum db_outcome o, const struct db_result *r,
		     const struct db_fault *f, void *arg)
{
	struct lane_batch *b = arg;
	struct lane *l = b->lane;

	int64_t us = clock_mono_us() - b->sent_us;

	l->flying = NULL;
	metric_observe_us(l->metric[SECONDS], us);
	pace_note(l, b, us);
	if (o == DB_OK) {
		l->n_done += b->n;
		l->kind->deliver(b, r);
		batch_free(b);
	} else {
		batch_fail(l, b, o, f);
	}
	lane_next(l);
}

static void batch_send(struct lane *l, struct lane_batch *b)
{
	struct db_params *p;

	b->arena = arena_new();
	b->sent_us = clock_mono_us();
	p = db_params_new(b->arena);
	l->flying = b;
	metric_add(l->metric[BATCHES], 1);
	metric_add(l->metric[ITEMS], (int64_t)b->n);
	metric_observe(l->metric[SIZES], (int64_t)b->n);
	if (b->tries == 0)
		for (size_t i = 0; i < b->n; i++)
			metric_observe_us(l->metric[WAITS],
					  b->sent_us - b->item[i]->put_us);
	db_conn_run(l->conn, l->kind->build(b, p), p, on_batch, b);
}

static void lane_next(struct lane *l)
{
	struct lane_batch *b;

	if (l->flying != NULL || !db_conn_ready(l->conn))
		return;
	b = STAILQ_FIRST(&l->again);
	if (b != NULL)
		STAILQ_REMOVE_HEAD(&l->again, link);
	else
		b = batch_make(l);
	if (b != NULL)
		batch_send(l, b);
}

static void on_ready(void *arg)
{
	lane_next(arg);
}

/* What waits in the queues, not what is in flight. */
static void on_failing(void *arg)
{
	struct lane *l = arg;
	struct db_fault f;
	struct lane_batch *b;
	struct lane_owner *o;

	memset(&f, 0, sizeof(f));
	(void)err_set(&f.err, ERR_UNAVAILABLE,
		      "the database is away; try again soon");
	while ((b = STAILQ_FIRST(&l->again)) != NULL) {
		STAILQ_REMOVE_HEAD(&l->again, link);
		for (size_t i = 0; i < b->n; i++)
			item_fail(l, b->item[i], DB_AWAY, &f);
		batch_free(b);
	}
	while ((o = TAILQ_FIRST(&l->turns)) != NULL) {
		while (!STAILQ_EMPTY(&o->items))
			item_fail(l, owner_take(l, o), DB_AWAY, &f);
		owner_rest(l, o);
	}
}

static bool lane_full(const struct lane *l, size_t bytes)
{
	const struct lane_kind *k = l->kind;

	return l->n_items >= k->queue_items ||
	       l->n_bytes + bytes > k->queue_bytes ||
	       (l->n_items >= WAIT_ITEMS &&
		(int64_t)l->n_items * l->item_us > WAIT_US);
}

bool lane_refuses(struct lane *l, struct req *r, size_t bytes)
{
	if (!lane_full(l, bytes))
		return false;
	metric_add(l->metric[REFUSED], 1);
	req_reply_busy(r, "too much waits already; try again soon");
	return true;
}

bool lane_put(struct lane *l, struct lane_item *i)
{
	if (lane_refuses(l, i->req, i->bytes))
		return false;
	if (l->flying == NULL && db_conn_failing(l->conn)) {
		metric_add(l->metric[REFUSED], 1);
		req_reply_busy(i->req, "the database is away; try again soon");
		return false;
	}
	l->n_put++;
	i->put_us = clock_mono_us();
	owner_put(l, owner_get(l, i->owner), i);
	lane_next(l);
	return true;
}

void lane_again(struct lane *l, struct lane_item *i)
{
	l->n_put++;
	owner_put(l, owner_get(l, i->owner), i);
}

struct server *lane_server(const struct lane *l)
{
	return l->srv;
}

uint64_t lane_n_put(const struct lane *l)
{
	return l->n_put;
}

uint64_t lane_n_done(const struct lane *l)
{
	return l->n_done;
}

static int64_t lane_queued(void *arg)
{
	return (int64_t)((struct lane *)arg)->n_items;
}

static void lane_metrics(struct lane *l)
{
	static const struct metric_def defs[N_METRICS] = {
		[BATCHES] = { "sortie_lane_batches_total", NULL, METRIC_COUNTER,
			      "Batches that were sent." },
		[ITEMS] = { "sortie_lane_requests_total", NULL, METRIC_COUNTER,
			    "Requests in these batches." },
		[FAILED] = { "sortie_lane_failed_total", NULL, METRIC_COUNTER,
			     "Requests that failed." },
		[REFUSED] = { "sortie_lane_refused_total", NULL, METRIC_COUNTER,
			      "Requests refused: too many wait." },
		[WAITS] = { "sortie_lane_wait_seconds", NULL, METRIC_SECONDS,
			    "Time that requests waited for their batch." },
		[SECONDS] = { "sortie_lane_batch_seconds", NULL, METRIC_SECONDS,
			      "Time of a batch in the database." },
		[SIZES] = { "sortie_lane_batch_requests", NULL, METRIC_SIZES,
			    "Requests of a batch." },
	};

	l->label = xasprintf("lane=\"%s\"", l->kind->name);
	memcpy(l->defs, defs, sizeof(defs));
	for (int i = 0; i < N_METRICS; i++)
		l->defs[i].labels = l->label;
	l->metric = metrics_register(l->srv->metrics, l->defs, N_METRICS);
	l->queued =
		(struct metric_def){ "sortie_lane_queued", l->label,
				     METRIC_GAUGE,
				     "Requests that wait for their batch." };
	metrics_gauge_fn(l->srv->metrics, &l->queued, lane_queued, l);
}

struct lane *lane_new(struct server *srv, const struct lane_kind *kind)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->srv = srv;
	l->kind = kind;
	STAILQ_INIT(&l->again);
	TAILQ_INIT(&l->turns);
	lane_metrics(l);
	l->conn = db_conn_new(srv->db, kind->name,
			      kind->statement_ms > 0 ? kind->statement_ms
						     : STATEMENT_MS);
	db_conn_on_ready(l->conn, on_ready, l);
	db_conn_on_failing(l->conn, on_failing, l);
	return l;
}

void lane_free(struct lane *l)
{
	struct lane_batch *b;
	struct lane_owner *o;

	if (l == NULL)
		return;
	if (l->flying != NULL)
		batch_free(l->flying);
	while ((b = STAILQ_FIRST(&l->again)) != NULL) {
		STAILQ_REMOVE_HEAD(&l->again, link);
		batch_free(b);
	}
	for (size_t i = 0; i < OWNER_SLOTS; i++)
		while ((o = LIST_FIRST(&l->owners[i])) != NULL) {
			LIST_REMOVE(o, hash);
			free(o);
		}
	free(l->label);
	free(l);
}
