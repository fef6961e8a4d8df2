/* Natural batching, with a connection that answers when the test says so. */
#include "server/lane.h"

#include <string.h>
#include "server/metrics.h"
#include "server/req.h"
#include "server/server.h"
#include "tests/unit/unit.h"

#define ITEMS_MAX 64

/* The connection: one statement in flight, answered by answer(). */
struct db_conn {
	bool ready;
	bool failing;
	void (*on_ready)(void *arg);
	void *ready_arg;
	void (*on_failing)(void *arg);
	void *failing_arg;
	db_done_fn *done;
	void *arg;
};

static struct db_conn conn;

struct db_conn *db_conn_new(struct db *db, const char *name,
			    int64_t statement_timeout_ms)
{
	(void)db;
	(void)name;
	(void)statement_timeout_ms;
	conn = (struct db_conn){ .ready = true };
	return &conn;
}

bool db_conn_ready(const struct db_conn *c)
{
	return c->ready && c->done == NULL;
}

bool db_conn_failing(const struct db_conn *c)
{
	return c->failing;
}

void db_conn_on_ready(struct db_conn *c, void (*fn)(void *arg), void *arg)
{
	c->on_ready = fn;
	c->ready_arg = arg;
}

void db_conn_on_failing(struct db_conn *c, void (*fn)(void *arg), void *arg)
{
	c->on_failing = fn;
	c->failing_arg = arg;
}

void db_conn_run(struct db_conn *c, const char *stmt, struct db_params *p,
		 db_done_fn *done, void *arg)
{
	(void)p;
	CHECK_STR_EQ(stmt, "stmt");
	c->done = done;
	c->arg = arg;
}

struct db_params *db_params_new(struct arena *a)
{
	return arena_alloc(a, 1);
}

static int n_busy;

void req_reply_busy(struct req *r, const char *why)
{
	(void)r;
	(void)why;
	n_busy++;
}

/* The kind: items with a number; the last batch's numbers are in sent. */
struct item {
	struct lane_item base;
	struct req req;
	int id;
	int delivered, failed;
	enum db_outcome outcome;
};

static struct item items[ITEMS_MAX];
static int sent[ITEMS_MAX];
static size_t n_sent;

static const char *build(struct lane_batch *b, struct db_params *p)
{
	(void)p;
	n_sent = b->n;
	for (size_t i = 0; i < b->n; i++)
		sent[i] = ((struct item *)b->item[i])->id;
	return "stmt";
}

static void deliver(struct lane_batch *b, const struct db_result *r)
{
	(void)r;
	for (size_t i = 0; i < b->n; i++)
		((struct item *)b->item[i])->delivered++;
}

static void fail(struct lane_item *i, enum db_outcome o,
		 const struct db_fault *f)
{
	(void)f;
	((struct item *)i)->failed++;
	((struct item *)i)->outcome = o;
}

static struct lane_kind kind;
static struct server server;
static struct lane *lane;

static void start(void)
{
	kind = (struct lane_kind){ .name = "test",
				   .max_weight = 100,
				   .max_items = 10,
				   .queue_items = 50,
				   .queue_bytes = 1000,
				   .build = build,
				   .deliver = deliver,
				   .fail = fail };
	memset(items, 0, sizeof(items));
	n_busy = 0;
	server.metrics = metrics_new();
	lane = lane_new(&server, &kind);
}

static void stop(void)
{
	lane_free(lane);
	metrics_free(server.metrics);
}

static void put(int id, int64_t owner, uint32_t weight)
{
	struct item *i = &items[id];

	i->id = id;
	i->base.req = &i->req;
	i->base.owner = owner;
	i->base.weight = weight;
	i->base.bytes = 1;
	(void)lane_put(lane, &i->base);
}

static void answer(enum db_outcome o)
{
	db_done_fn *done = conn.done;
	struct db_fault fault = { .sqlstate = "" };

	REQUIRE(done != NULL);
	conn.done = NULL;
	done(o, NULL, o == DB_OK ? NULL : &fault, conn.arg);
}

/* Answers DB_DATA to every batch with that item, DB_OK to the others, until
 * nothing flies. Returns how many batches there were. */
static int answer_all_but(int bad)
{
	int n = 0;

	for (; conn.done != NULL && n < 100; n++) {
		bool found = false;

		for (size_t i = 0; i < n_sent; i++)
			found |= sent[i] == bad;
		answer(found ? DB_DATA : DB_OK);
	}
	return n;
}

static void one_request_goes_at_once(void)
{
	start();
	put(1, 1, 1);
	CHECK_UINT_EQ(n_sent, 1);
	answer(DB_OK);
	CHECK_INT_EQ(items[1].delivered, 1);
	stop();
}

static void what_queues_meanwhile_is_the_next_batch(void)
{
	start();
	for (int i = 0; i < 5; i++)
		put(i, i, 1);
	CHECK_UINT_EQ(n_sent, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 4);
	answer(DB_OK);
	CHECK_TRUE(conn.done == NULL);
	CHECK_UINT_EQ(lane_n_put(lane), 5);
	CHECK_UINT_EQ(lane_n_done(lane), 5);
	stop();
}

static void a_batch_keeps_to_its_caps(void)
{
	start();
	for (int i = 0; i < 14; i++)
		put(i, 1, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 10);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 3);
	put(20, 1, 60);
	put(21, 1, 60);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 20);
	answer(DB_OK);
	CHECK_INT_EQ(sent[0], 21);
	answer(DB_OK);
	stop();
}

static void an_item_above_the_cap_goes_alone(void)
{
	start();
	put(0, 1, 1);
	put(1, 1, 500);
	put(2, 1, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 1);
	answer(DB_OK);
	CHECK_INT_EQ(sent[0], 2);
	answer(DB_OK);
	stop();
}

static void owners_take_turns(void)
{
	start();
	kind.max_weight = 1000;
	put(0, 1, 1);
	for (int i = 1; i < 10; i++)
		put(i, 1, 200);
	put(30, 2, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 5);
	CHECK_TRUE(sent[0] == 30 || sent[1] == 30 || sent[2] == 30);
	while (conn.done != NULL)
		answer(DB_OK);
	CHECK_INT_EQ(items[9].delivered, 1);
	stop();
}

static void solo_items_go_alone(void)
{
	start();
	put(0, 1, 1);
	put(1, 1, 1);
	items[2].base.solo = true;
	put(2, 1, 1);
	put(3, 1, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 2);
	answer(DB_OK);
	CHECK_INT_EQ(sent[0], 3);
	answer(DB_OK);
	stop();
}

static void an_owner_stands_once_in_a_batch_where_so_wanted(void)
{
	start();
	kind.one_per_owner = true;
	put(0, 9, 1);
	put(1, 1, 1);
	put(2, 1, 1);
	put(3, 2, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 2);
	CHECK_INT_EQ(sent[0], 1);
	CHECK_INT_EQ(sent[1], 3);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 2);
	answer(DB_OK);
	stop();
}

static void a_bad_item_is_found_by_halving(void)
{
	start();
	put(0, 100, 1);
	for (int i = 1; i <= 8; i++)
		put(i, i, 1);
	CHECK_INT_EQ(answer_all_but(5), 8);
	for (int i = 0; i <= 8; i++) {
		CHECK_INT_EQ(items[i].delivered, i != 5);
		CHECK_INT_EQ(items[i].failed, i == 5);
	}
	CHECK_INT_EQ(items[5].outcome, DB_DATA);
	stop();
}

static void who_spoilt_a_batch_is_alone_for_a_while(void)
{
	start();
	put(0, 7, 1);
	answer(DB_DATA);
	CHECK_INT_EQ(items[0].failed, 1);
	put(1, 8, 1);
	put(2, 8, 1);
	put(3, 7, 1);
	put(4, 8, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 2);
	CHECK_INT_EQ(sent[0], 2);
	CHECK_INT_EQ(sent[1], 4);
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 3);
	answer(DB_OK);
	stop();
}

static void a_serialization_failure_runs_the_batch_again(void)
{
	start();
	put(0, 1, 1);
	answer(DB_RETRY);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(items[0].failed, 0);
	answer(DB_OK);
	CHECK_INT_EQ(items[0].delivered, 1);
	put(1, 1, 1);
	for (int i = 0; conn.done != NULL && i < 100; i++)
		answer(DB_RETRY);
	CHECK_INT_EQ(items[1].failed, 1);
	stop();
}

static void an_unknown_outcome_is_told_to_all_of_the_batch(void)
{
	start();
	put(0, 1, 1);
	put(1, 1, 1);
	put(2, 2, 1);
	answer(DB_OK);
	conn.ready = false;
	answer(DB_UNKNOWN);
	CHECK_INT_EQ(items[1].outcome, DB_UNKNOWN);
	CHECK_INT_EQ(items[2].outcome, DB_UNKNOWN);
	put(3, 1, 1);
	CHECK_INT_EQ(items[3].failed, 0);
	conn.ready = true;
	conn.on_ready(conn.ready_arg);
	answer(DB_OK);
	CHECK_INT_EQ(items[3].delivered, 1);
	stop();
}

static void without_a_database_nobody_waits(void)
{
	start();
	conn.ready = false;
	put(0, 1, 1);
	conn.failing = true;
	conn.on_failing(conn.failing_arg);
	CHECK_INT_EQ(items[0].failed, 1);
	CHECK_INT_EQ(items[0].outcome, DB_AWAY);
	put(1, 1, 1);
	CHECK_INT_EQ(n_busy, 1);
	stop();
}

static void a_full_queue_is_busy(void)
{
	start();
	kind.queue_items = 2;
	for (int i = 0; i < 5; i++)
		put(i, 1, 1);
	CHECK_INT_EQ(n_busy, 2);
	answer(DB_OK);
	answer(DB_OK);
	CHECK_INT_EQ(items[2].delivered, 1);
	kind.queue_bytes = 0;
	put(6, 1, 1);
	CHECK_INT_EQ(n_busy, 3);
	stop();
}

static void who_went_away_is_dropped_before_it_costs_anything(void)
{
	start();
	kind.drop_gone = true;
	put(0, 1, 1);
	put(1, 1, 1);
	put(2, 2, 1);
	items[1].req.gone = true;
	answer(DB_OK);
	CHECK_UINT_EQ(n_sent, 1);
	CHECK_INT_EQ(sent[0], 2);
	CHECK_INT_EQ(items[1].failed, 1);
	answer(DB_OK);
	CHECK_UINT_EQ(lane_n_done(lane), 3);
	stop();
}

static const struct unit_test tests[] = {
	{ "one request goes at once", one_request_goes_at_once },
	{ "what queues meanwhile is the next batch",
	  what_queues_meanwhile_is_the_next_batch },
	{ "a batch keeps to its caps", a_batch_keeps_to_its_caps },
	{ "an item above the cap goes alone",
	  an_item_above_the_cap_goes_alone },
	{ "owners take turns", owners_take_turns },
	{ "solo items go alone", solo_items_go_alone },
	{ "an owner stands once in a batch where so wanted",
	  an_owner_stands_once_in_a_batch_where_so_wanted },
	{ "a bad item is found by halving", a_bad_item_is_found_by_halving },
	{ "who spoilt a batch is alone for a while",
	  who_spoilt_a_batch_is_alone_for_a_while },
	{ "a serialization failure runs the batch again",
	  a_serialization_failure_runs_the_batch_again },
	{ "an unknown outcome is told to all of the batch",
	  an_unknown_outcome_is_told_to_all_of_the_batch },
	{ "without a database nobody waits", without_a_database_nobody_waits },
	{ "a full queue is busy", a_full_queue_is_busy },
	{ "who went away is dropped before it costs anything",
	  who_went_away_is_dropped_before_it_costs_anything },
};

int main(void)
{
	return unit_main("lane", tests, UNIT_N(tests));
}
