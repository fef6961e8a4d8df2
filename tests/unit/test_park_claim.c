/* Whom a commit wakes, with a lane whose claims are sent when the test says. */
#include "server/park_int.h"

#include <string.h>
#include "lib/arena.h"
#include "server/lease.h"
#include "server/metrics.h"
#include "tests/unit/unit.h"

#define PILOTS 4
#define FAR_MS INT64_MAX
#define PROFILE 7

/* The lane: the pilots whose claims are queued, in order. */
static int64_t queued[16];
static size_t n_queued;

bool lane_put(struct lane *l, struct lane_item *i)
{
	(void)l;
	queued[n_queued++] = ((struct talk *)i)->pilot;
	return true;
}

static int n_replies;

void talk_reply(struct talk *t)
{
	(void)t;
	n_replies++;
}

void waker_fit_version(struct waker *w, int64_t version)
{
	(void)w;
	(void)version;
}

static bool others;

bool lease_others(const struct lease *l)
{
	(void)l;
	return others;
}

/* The database is another test's. */
struct db_params *db_params_new(struct arena *a)
{
	return arena_alloc(a, 1);
}

struct db_array *db_array_new(struct arena *a, enum db_elem elem)
{
	(void)elem;
	return arena_alloc(a, 1);
}

size_t db_a_len(const struct db_array *v)
{
	(void)v;
	return 0;
}

void db_a_i64(struct db_array *v, int64_t x)
{
	(void)v;
	(void)x;
}

void db_p_array(struct db_params *p, struct db_array *v)
{
	(void)p;
	(void)v;
}

size_t db_rows(const struct db_result *r)
{
	(void)r;
	return 0;
}

int64_t db_i64(const struct db_result *r, size_t row, int col)
{
	(void)r;
	(void)row;
	(void)col;
	return 0;
}

void db_run(struct db *db, const char *stmt, struct db_params *p,
	    db_done_fn *done, void *arg)
{
	(void)db;
	(void)stmt;
	(void)p;
	(void)done;
	(void)arg;
}

/* A server with pilots 0 to 3 of one profile, each with two slots. */
static struct server srv;
static struct lanes lanes;
static struct park park;
static struct talk talk[PILOTS];
static struct req req[PILOTS];

static void start(void)
{
	memset(&srv, 0, sizeof(srv));
	memset(talk, 0, sizeof(talk));
	memset(req, 0, sizeof(req));
	srv.lanes = &lanes;
	srv.park = &park;
	srv.lease = (struct lease *)&srv; /* never looked into */
	others = false;
	lanes.srv = &srv;
	park.srv = &srv;
	srv.metrics = metrics_new();
	park.parking = parking_new(&srv);
	for (int i = 0; i < PILOTS; i++) {
		req[i].srv = &srv;
		talk[i].item.req = &req[i];
		talk[i].pilot = i + 1;
		talk[i].profile = PROFILE;
		talk[i].slots = 2;
		talk[i].deadline_ms = FAR_MS;
		parking_ask(&srv, &talk[i]);
		parking_told(&srv, &talk[i]);
		parking_profile(&srv, &talk[i], false);
	}
	n_queued = 0;
	n_replies = 0;
}

static void stop(void)
{
	parking_free(park.parking);
	metrics_free(srv.metrics);
}

static void queue(int i)
{
	parking_expect(&srv, &talk[i]);
	parking_put(&srv, &talk[i]);
}

static void send(int i)
{
	talk[i].sent_seq = park_seq(&srv);
	parking_sent(&srv, &talk[i]);
	n_queued = 0;
}

/* As the lane's delivery does it. */
static void answer(int i, int64_t n_grants)
{
	talk[i].n_grants = n_grants;
	parking_answered(&srv, &talk[i]);
	if (n_grants > 0)
		parking_granted(&srv, &talk[i]);
	else
		parking_nothing(&talk[i]);
	parking_left(&srv, PROFILE);
}

/* It asks and finds nothing. */
static void park_it(int i)
{
	queue(i);
	send(i);
	answer(i, 0);
}

static void as_many_are_woken_as_have_room(void)
{
	start();
	for (int i = 0; i < PILOTS; i++)
		park_it(i);
	CHECK_INT_EQ(parking_wake(park.parking, PROFILE, 3), 0);
	CHECK_UINT_EQ(n_queued, 2);
	CHECK_INT_EQ(queued[0], 1);
	CHECK_INT_EQ(parking_wake(park.parking, PROFILE, 1), 0);
	CHECK_UINT_EQ(n_queued, 2);
	CHECK_INT_EQ(parking_wake(park.parking, PROFILE, 9), 5);
	CHECK_UINT_EQ(n_queued, 4);
	stop();
}

static void jobs_are_queued_claims_first(void)
{
	start();
	park_it(0);
	queue(1);
	n_queued = 0;
	CHECK_INT_EQ(parking_wake(park.parking, PROFILE, 2), 0);
	CHECK_UINT_EQ(n_queued, 0);
	send(1);
	CHECK_INT_EQ(parking_wake(park.parking, PROFILE, 1), 0);
	CHECK_UINT_EQ(n_queued, 1);
	CHECK_INT_EQ(queued[0], 1);
	stop();
}

static void what_a_claim_leaves_wakes_others(void)
{
	start();
	park_it(0);
	queue(1);
	(void)parking_wake(park.parking, PROFILE, 2);
	send(1);
	answer(1, 1);
	CHECK_UINT_EQ(n_queued, 1);
	CHECK_INT_EQ(queued[0], 1);
	send(0);
	answer(0, 0);
	CHECK_UINT_EQ(n_queued, 0);
	stop();
}

static void the_last_of_several_claims_decides(void)
{
	start();
	park_it(0);
	queue(1);
	queue(2);
	(void)parking_wake(park.parking, PROFILE, 2);
	send(1);
	send(2);
	answer(1, 0);
	CHECK_UINT_EQ(n_queued, 0);
	answer(2, 2);
	CHECK_UINT_EQ(n_queued, 0);
	stop();
}

static void a_claim_that_fails_keeps_no_jobs(void)
{
	start();
	park_it(0);
	queue(1);
	(void)parking_wake(park.parking, PROFILE, 2);
	n_queued = 0;
	parking_answered(&srv, &talk[1]);
	parking_left(&srv, PROFILE);
	CHECK_UINT_EQ(n_queued, 1);
	CHECK_INT_EQ(queued[0], 1);
	stop();
}

static void a_claim_in_flight_asks_again(void)
{
	start();
	queue(0);
	send(0);
	CHECK_INT_EQ(parking_wake(park.parking, PROFILE, 1), 1);
	answer(0, 0);
	CHECK_UINT_EQ(n_queued, 1);
	CHECK_INT_EQ(queued[0], 1);
	stop();
}

static void a_chain_ends_where_nothing_is_found(void)
{
	start();
	for (int i = 0; i < PILOTS; i++)
		park_it(i);
	parking_wake_all(park.parking);
	CHECK_UINT_EQ(n_queued, 1);
	send(0);
	answer(0, 2);
	CHECK_UINT_EQ(n_queued, 1);
	CHECK_INT_EQ(queued[0], 2);
	send(1);
	answer(1, 0);
	CHECK_UINT_EQ(n_queued, 0);
	queue(0);
	send(0);
	answer(0, 1);
	CHECK_UINT_EQ(n_queued, 0);
	stop();
}

/* A claim of pilot 0, that takes the last job there is. */
static void take_the_last(void)
{
	start();
	talk[0].request = 1;
	queue(0);
	send(0);
	parking_told(&srv, &talk[0]);
	parking_profile(&srv, &talk[0], true);
	talk[0].n_grants = 1;
	parking_answered(&srv, &talk[0]);
	parking_left(&srv, PROFILE);
}

/* Its next call. */
static void ask(int64_t request)
{
	talk[0].request = request;
	talk[0].n_grants = 0;
	parking_expect(&srv, &talk[0]);
	parking_ask(&srv, &talk[0]);
}

static void what_is_known_is_not_asked(void)
{
	take_the_last();
	ask(2);
	CHECK_UINT_EQ(n_queued, 0);
	CHECK_TRUE(talk[0].parked);
	(void)parking_wake(park.parking, PROFILE, 1);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
	take_the_last();
	talk[0].is_report = true;
	talk[0].deadline_ms = 0;
	ask(2);
	CHECK_UINT_EQ(n_queued, 0);
	CHECK_INT_EQ(n_replies, 1);
	stop();
}

static void who_only_looks_is_asked_for(void)
{
	take_the_last();
	talk[0].deadline_ms = 0;
	ask(2);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
}

static void a_number_that_was_asked_is_asked_again(void)
{
	take_the_last();
	ask(1);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
}

static void an_older_number_gets_nothing(void)
{
	take_the_last();
	ask(3);
	park_supersede(&srv, talk[0].pilot);
	ask(2);
	CHECK_UINT_EQ(n_queued, 0);
	CHECK_INT_EQ(n_replies, 2);
	CHECK_FALSE(talk[0].parked);
	stop();
}

static void what_came_meanwhile_is_asked_for(void)
{
	take_the_last();
	(void)parking_wake(park.parking, PROFILE, 0);
	ask(2);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
	take_the_last();
	parking_wake_all(park.parking);
	ask(2);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
	take_the_last();
	others = true;
	ask(2);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
}

static void an_order_meanwhile_is_fetched(void)
{
	take_the_last();
	parking_wake_pilot(park.parking, talk[0].pilot);
	ask(2);
	CHECK_UINT_EQ(n_queued, 1);
	send(0);
	parking_wake_pilot(park.parking, talk[0].pilot);
	parking_told(&srv, &talk[0]);
	answer(0, 0);
	CHECK_UINT_EQ(n_queued, 1);
	stop();
}

static const struct unit_test tests[] = {
	{ "as many are woken as have room", as_many_are_woken_as_have_room },
	{ "jobs are queued claims' first", jobs_are_queued_claims_first },
	{ "what a claim leaves wakes others",
	  what_a_claim_leaves_wakes_others },
	{ "the last of several claims decides",
	  the_last_of_several_claims_decides },
	{ "a claim that fails keeps no jobs",
	  a_claim_that_fails_keeps_no_jobs },
	{ "a claim in flight asks again", a_claim_in_flight_asks_again },
	{ "a chain ends where nothing is found",
	  a_chain_ends_where_nothing_is_found },
	{ "what is known is not asked", what_is_known_is_not_asked },
	{ "who only looks is asked for", who_only_looks_is_asked_for },
	{ "a number that was asked is asked again",
	  a_number_that_was_asked_is_asked_again },
	{ "an older number gets nothing", an_older_number_gets_nothing },
	{ "what came meanwhile is asked for",
	  what_came_meanwhile_is_asked_for },
	{ "an order meanwhile is fetched", an_order_meanwhile_is_fetched },
};

int main(void)
{
	return unit_main("park_claim", tests, UNIT_N(tests));
}
