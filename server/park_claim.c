/*
 * Claims that found nothing: they wait here, by the profile of their pilot,
 * until there is work, an order, or their time is over.  Who has waited
 * longest is woken first.
 *
 * The gap between a claim's snapshot and its parking is closed by counters:
 * each wake gets the next number of one sequence and is noted with the
 * profile; a claim that was sent before the last wake of its profile is sent
 * again instead of being parked.  A claim that is queued and not yet sent will
 * see what is told of now: jobs are its own first, and wake nobody.
 *
 * A claim says of its profile that nothing is left in the queue.  Until the
 * next wake further claims of the profile would find nothing, so they are
 * parked at once: of one job at a time, two claims of three.  With other
 * servers about that is never done, since jobs and pilots come there, too.
 */
#include "server/park_int.h"

#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "server/lease.h"
#include "server/metrics.h"

#define PILOT_SLOTS 4096
#define PROFILE_SLOTS 256
#define RECHECK_MS 2000

TAILQ_HEAD(talk_list, talk);

struct profile {
	LIST_ENTRY(profile) link;
	int32_t id;
	uint64_t woken_seq;
	int64_t checked_ms;
	int64_t coming;     /* room of queued claims, not told for yet */
	int64_t n_expected; /* such claims, until they are answered */
	int64_t owed;       /* jobs that are theirs */
	bool chain;         /* the next that gets work wakes another */
	uint64_t came_seq;  /* jobs came that fit it, for whomever */
	bool empty;         /* nothing was queued for it at empty_seq */
	uint64_t empty_seq;
	struct talk_list parked; /* longest first */
};

enum { PARKED, UNASKED, WOKEN, RECHECKED, N_METRICS };

struct parking {
	struct server *srv;
	LIST_HEAD(, talk) by_pilot[PILOT_SLOTS];
	LIST_HEAD(, profile) profiles[PROFILE_SLOTS];
	struct seen *seen;
	size_t n_profiles;
	uint64_t seq, all_seq;
	struct arena *asking; /* of a re-check in flight */
	bool draining;
	size_t n;
	struct metric **metric;
};

static struct parking *parking_of(const struct server *srv)
{
	return srv->park->parking;
}

static struct profile *profile_get(struct parking *k, int32_t id)
{
	struct profile *f;

	LIST_FOREACH (f, &k->profiles[(uint32_t)id % PROFILE_SLOTS], link)
		if (f->id == id)
			return f;
	f = xcalloc(1, sizeof(*f));
	f->id = id;
	TAILQ_INIT(&f->parked);
	LIST_INSERT_HEAD(&k->profiles[(uint32_t)id % PROFILE_SLOTS], f, link);
	k->n_profiles++;
	return f;
}

static size_t pilot_slot(int64_t pilot)
{
	return (uint64_t)pilot % PILOT_SLOTS;
}

static struct talk *parked_find(struct parking *k, int64_t pilot)
{
	struct talk *t;

	LIST_FOREACH (t, &k->by_pilot[pilot_slot(pilot)], park_hash)
		if (t->pilot == pilot)
			return t;
	return NULL;
}

static void unpark(struct parking *k, struct talk *t)
{
	TAILQ_REMOVE(&profile_get(k, t->profile)->parked, t, park_link);
	LIST_REMOVE(t, park_hash);
	t->parked = false;
	t->item.req->on_gone = NULL;
	k->n--;
}

void parking_told(struct server *srv, const struct talk *t)
{
	seen_told(parking_of(srv)->seen, t);
}

void parking_profile(struct server *srv, const struct talk *t, bool empty)
{
	struct profile *f = profile_get(parking_of(srv), t->profile);

	f->empty = empty;
	f->empty_seq = t->sent_seq;
}

static void expect(struct profile *f, struct talk *t)
{
	t->coming = (int64_t)t->slots + t->ahead;
	f->coming += t->coming;
	t->expected = f->id;
	f->n_expected++;
}

/* Jobs are those claims' that are queued; returns how many are left. */
static int64_t take_coming(struct profile *f, int64_t n)
{
	int64_t taken = n < f->coming ? n : f->coming;

	f->coming -= taken;
	return n - taken;
}

void parking_expect(struct server *srv, struct talk *t)
{
	struct parking *k = parking_of(srv);
	int32_t profile = seen_profile(k->seen, t->pilot);

	if (profile == 0)
		return;
	t->profile = profile;
	expect(profile_get(k, profile), t);
}

void parking_sent(struct server *srv, struct talk *t)
{
	if (t->coming > 0)
		(void)take_coming(profile_get(parking_of(srv), t->expected),
				  t->coming);
	t->coming = 0;
}

static void not_expected(struct profile *f, int64_t n_grants)
{
	f->n_expected--;
	f->owed -= n_grants < f->owed ? n_grants : f->owed;
}

void parking_answered(struct server *srv, struct talk *t)
{
	parking_sent(srv, t);
	if (t->expected != 0)
		not_expected(profile_get(parking_of(srv), t->expected),
			     t->n_grants);
	t->expected = 0;
}

void parking_left(struct server *srv, int32_t profile)
{
	struct parking *k = parking_of(srv);
	struct profile *f;
	int64_t owed;

	if (profile == 0)
		return;
	f = profile_get(k, profile);
	owed = f->owed;
	if (f->n_expected > 0 || owed == 0)
		return;
	f->owed = 0;
	(void)parking_wake(k, profile, owed);
}

void parking_put(struct server *srv, struct talk *t)
{
	int32_t expected = t->expected;
	int64_t coming = t->coming;
	struct profile *f;

	seen_asked(parking_of(srv)->seen, t);
	/* A request that is refused is gone. */
	if (lane_put(srv->lanes->claim, &t->item) || expected == 0)
		return;
	f = profile_get(parking_of(srv), expected);
	(void)take_coming(f, coming);
	not_expected(f, 0);
}

/* The database would tell it of nothing that is not known here. */
static bool in_vain(struct parking *k, const struct talk *t)
{
	const struct lease *lease = k->srv->lease;
	const struct profile *f;

	/* Who only looks is not told what was true a moment ago. */
	if (!t->is_report && t->deadline_ms == 0)
		return false;
	if (lease == NULL || lease_others(lease) || !seen_fresh(k->seen, t))
		return false;
	f = profile_get(k, t->profile);
	return f->empty && f->owed == 0 && f->came_seq <= f->empty_seq &&
	       k->all_seq <= f->empty_seq;
}

/* Answered without the database; t may be gone then. */
static void answer_nothing(struct parking *k, struct talk *t)
{
	int32_t profile = t->profile;

	parking_answered(k->srv, t);
	parking_nothing(t);
	parking_left(k->srv, profile);
}

void parking_ask(struct server *srv, struct talk *t)
{
	struct parking *k = parking_of(srv);

	t->sent_seq = k->seq;
	if (!seen_come(k->seen, t)) {
		t->deadline_ms = 0;
		answer_nothing(k, t);
	} else if (in_vain(k, t)) {
		metric_add(k->metric[UNASKED], 1);
		answer_nothing(k, t);
	} else {
		parking_put(srv, t);
	}
}

/* The connection of a parked claim was lost. */
static void on_gone(struct req *r)
{
	struct talk *t = r->data;

	if (!t->parked)
		return;
	unpark(parking_of(r->srv), t);
	talk_reply(t);
}

static void park_claim(struct talk *t)
{
	struct parking *k = parking_of(t->item.req->srv);
	struct profile *f = profile_get(k, t->profile);

	waker_fit_version(t->item.req->srv->park->waker, t->fit_version);
	if (k->draining || t->item.req->gone ||
	    clock_mono_ms() >= t->deadline_ms) {
		talk_reply(t);
		return;
	}
	if (seen_called_since(k->seen, t) ||
	    (t->slots + t->ahead > 0 &&
	     (f->woken_seq > t->sent_seq || k->all_seq > t->sent_seq))) {
		parking_put(k->srv, t);
		return;
	}
	f->chain = false; /* there is no more */
	park_supersede(t->item.req->srv, t->pilot);
	TAILQ_INSERT_TAIL(&f->parked, t, park_link);
	LIST_INSERT_HEAD(&k->by_pilot[pilot_slot(t->pilot)], t, park_hash);
	t->parked = true;
	t->item.req->data = t;
	t->item.req->on_gone = on_gone;
	k->n++;
	metric_add(k->metric[PARKED], 1);
}

void parking_nothing(struct talk *t)
{
	if (t->deadline_ms > 0)
		park_claim(t);
	else
		talk_reply(t);
}

void park_supersede(struct server *srv, int64_t pilot)
{
	struct parking *k = parking_of(srv);
	struct talk *t = parked_find(k, pilot);

	if (t == NULL)
		return;
	unpark(k, t);
	talk_reply(t);
}

uint64_t park_seq(const struct server *srv)
{
	return parking_of(srv)->seq;
}

static void wake_one(struct parking *k, struct talk *t)
{
	unpark(k, t);
	metric_add(k->metric[WOKEN], 1);
	parking_put(k->srv, t);
}

int64_t parking_wake(struct parking *k, int32_t profile, int64_t n)
{
	struct profile *f = profile_get(k, profile);
	struct talk *t, *next;

	f->came_seq = ++k->seq;
	f->owed += n;
	n = take_coming(f, n);
	f->owed -= n;
	if (n == 0)
		return 0;
	f->woken_seq = f->came_seq;
	for (t = TAILQ_FIRST(&f->parked); t != NULL && n > 0; t = next) {
		next = TAILQ_NEXT(t, park_link);
		if (t->slots + t->ahead == 0)
			continue;
		expect(f, t);
		n = take_coming(f, n);
		wake_one(k, t);
	}
	return n;
}

static void each_profile(struct parking *k,
			 void (*fn)(struct parking *k, struct profile *f))
{
	for (size_t i = 0; i < PROFILE_SLOTS; i++) {
		struct profile *f, *next;

		for (f = LIST_FIRST(&k->profiles[i]); f != NULL; f = next) {
			next = LIST_NEXT(f, link);
			fn(k, f);
		}
	}
}

static void wake_chain(struct parking *k, struct profile *f)
{
	f->chain = true;
	(void)parking_wake(k, f->id, 1);
}

void parking_wake_all(struct parking *k)
{
	k->all_seq = ++k->seq;
	each_profile(k, wake_chain);
}

void parking_granted(struct server *srv, const struct talk *t)
{
	struct parking *k = parking_of(srv);
	struct profile *f = profile_get(k, t->profile);

	/* It got something: there may be more for the next. */
	if (f->chain && !TAILQ_EMPTY(&f->parked))
		(void)parking_wake(k, f->id, 1);
	else
		f->chain = false;
}

void parking_wake_pilot(struct parking *k, int64_t pilot)
{
	struct talk *t = parked_find(k, pilot);

	if (t != NULL)
		wake_one(k, t);
	else
		seen_called(k->seen, pilot, ++k->seq);
}

static void on_recheck(enum db_outcome o, const struct db_result *r,
		       const struct db_fault *f, void *arg)
{
	struct parking *k = arg;

	(void)f;
	arena_free(k->asking);
	k->asking = NULL;
	if (o != DB_OK)
		return;
	for (size_t row = 0; row < db_rows(r); row++)
		wake_chain(k, profile_get(k, (int32_t)db_i64(r, row, 0)));
	waker_fit_version(k->srv->park->waker,
			  db_rows(r) > 0 ? db_i64(r, 0, 1) : 0);
}

/* Which profiles with parked pilots have work after all. */
static void recheck(struct parking *k, int64_t now_ms)
{
	struct db_array *v;
	struct db_params *p;
	struct profile *f;

	if (k->asking != NULL || k->n == 0 || k->draining)
		return;
	k->asking = arena_new();
	p = db_params_new(k->asking);
	v = db_array_new(k->asking, DB_I32);
	for (size_t i = 0; i < PROFILE_SLOTS; i++)
		LIST_FOREACH (f, &k->profiles[i], link) {
			if (TAILQ_EMPTY(&f->parked) ||
			    now_ms - f->checked_ms < RECHECK_MS)
				continue;
			f->checked_ms = now_ms;
			db_a_i64(v, f->id);
		}
	if (db_a_len(v) == 0) {
		arena_free(k->asking);
		k->asking = NULL;
		return;
	}
	metric_add(k->metric[RECHECKED], (int64_t)db_a_len(v));
	db_p_array(p, v);
	db_run(k->srv->db, "profiles_with_work", p, on_recheck, k);
}

/* Those whose time is over; the list is in order of parking, not of time. */
static void expire(struct parking *k, struct profile *f)
{
	int64_t now_ms = clock_mono_ms();
	struct talk *t, *next;

	for (t = TAILQ_FIRST(&f->parked); t != NULL; t = next) {
		next = TAILQ_NEXT(t, park_link);
		if (now_ms < t->deadline_ms && !k->draining)
			continue;
		unpark(k, t);
		talk_reply(t);
	}
	if (TAILQ_EMPTY(&f->parked) && f->n_expected == 0 &&
	    f->woken_seq + 100000 < k->seq) {
		LIST_REMOVE(f, link);
		k->n_profiles--;
		free(f);
	}
}

void parking_tick(struct parking *k, int64_t now_ms)
{
	each_profile(k, expire);
	recheck(k, now_ms);
}

void parking_drain(struct parking *k)
{
	k->draining = true;
	each_profile(k, expire);
}

static int64_t gauge_parked(void *arg)
{
	return (int64_t)((struct parking *)arg)->n;
}

struct parking *parking_new(struct server *srv)
{
	static const struct metric_def defs[N_METRICS] = {
		[PARKED] = { "sortie_claims_parked_total", NULL, METRIC_COUNTER,
			     "Claims that had to wait." },
		[UNASKED] = { "sortie_claims_unasked_total", NULL,
			      METRIC_COUNTER,
			      "Claims that were known to find nothing." },
		[WOKEN] = { "sortie_claims_woken_total", NULL, METRIC_COUNTER,
			    "Parked claims woken for work." },
		[RECHECKED] = { "sortie_profiles_rechecked_total", NULL,
				METRIC_COUNTER, "Profiles asked about again." },
	};
	static const struct metric_def now = { "sortie_claims_parked", NULL,
					       METRIC_GAUGE,
					       "Claims that wait now." };
	struct parking *k = xcalloc(1, sizeof(*k));

	k->srv = srv;
	k->seen = seen_new();
	k->metric = metrics_register(srv->metrics, defs, N_METRICS);
	metrics_gauge_fn(srv->metrics, &now, gauge_parked, k);
	return k;
}

static void profile_free(struct parking *k, struct profile *f)
{
	(void)k;
	LIST_REMOVE(f, link);
	free(f);
}

void parking_free(struct parking *k)
{
	each_profile(k, profile_free);
	arena_free(k->asking);
	seen_free(k->seen);
	free(k);
}
