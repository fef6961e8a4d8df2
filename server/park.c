/*
 * Long polls: who waits for what, and calling them when it may have come.
 * Calls are made from a turn of their own, not from inside the commit that
 * caused them; but those who wait for what a report tells go before its pilots.
 */
#include "server/park_int.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/log.h"
#include "server/metrics.h"

#define TICK_MS 100
#define RECHECK_TICKS 20
#define ENDS_MS 20
#define WORKFLOW_MS 200
#define EVENTS_MS 50

struct park_wait {
	LIST_ENTRY(park_wait) hash;
	TAILQ_ENTRY(park_wait) link; /* wide */
	TAILQ_ENTRY(park_wait) due;
	struct park *park;
	struct req *req;
	enum park_topic topic;
	int64_t first, last;
	int64_t deadline_ms;
	int64_t called_ms;
	void (*fn)(struct req *r, bool over); /* NULL: only watching */
	bool news;                            /* since the last call */
	bool over;
	bool is_due;
};

static bool by_job(const struct park_wait *w)
{
	return w->topic == PARK_JOB && w->first == w->last;
}

static size_t slot_of(int64_t number)
{
	return (uint64_t)number % WAIT_SLOTS;
}

/* Runs from the arena: the watch ends with the request. */
static void wait_release(void *arg)
{
	struct park_wait *w = arg;

	if (w->is_due)
		TAILQ_REMOVE(&w->park->due, w, due);
	if (by_job(w))
		LIST_REMOVE(w, hash);
	else
		TAILQ_REMOVE(&w->park->wide, w, link);
	w->park->n_waits--;
}

static void turn_soon(struct park *p)
{
	static const struct timeval now = { 0, 0 };

	if (!evtimer_pending(p->turn, NULL))
		evtimer_add(p->turn, &now);
}

static void wait_due(struct park_wait *w)
{
	if (w->is_due || w->fn == NULL)
		return;
	w->is_due = true;
	TAILQ_INSERT_TAIL(&w->park->due, w, due);
	turn_soon(w->park);
}

static int64_t spacing_ms(const struct park_wait *w)
{
	static const int64_t ms[] = { [PARK_ENDS] = ENDS_MS,
				      [PARK_WORKFLOW] = WORKFLOW_MS,
				      [PARK_EVENTS] = EVENTS_MS };

	return ms[w->topic];
}

/* Something may have happened; too soon after the last call it waits for the
 * next tick. */
static void wait_news(struct park_wait *w)
{
	w->news = true;
	if (clock_mono_ms() - w->called_ms >= spacing_ms(w))
		wait_due(w);
}

void park_turn(struct park *p)
{
	struct park_wait *w;
	size_t n = 0;

	/* A call may queue its watch again: only today's are served. */
	TAILQ_FOREACH (w, &p->due, due)
		n++;
	while (n-- > 0 && (w = TAILQ_FIRST(&p->due)) != NULL) {
		void (*fn)(struct req * r, bool over) = w->fn;
		bool over = w->over;

		if (w->fn == NULL)
			BUG("a call is due that waits for nothing");
		TAILQ_REMOVE(&p->due, w, due);
		w->is_due = false;
		w->fn = NULL;
		w->news = false;
		w->called_ms = clock_mono_ms();
		fn(w->req, over);
	}
	if (!TAILQ_EMPTY(&p->due))
		turn_soon(p);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	park_turn(arg);
}

void park_job_changed(struct park *p, int64_t number, bool ended)
{
	struct park_wait *w;

	LIST_FOREACH (w, &p->by_job[slot_of(number)], hash)
		if (w->first == number)
			wait_news(w);
	TAILQ_FOREACH (w, &p->wide, link) {
		/* Which workflow a job is of is not known here. */
		bool any = w->topic == PARK_EVENTS || w->topic == PARK_WORKFLOW;

		if (any ? !ended
			: number < w->first || number > w->last ||
				    (w->topic == PARK_ENDS && !ended))
			continue;
		wait_news(w);
	}
}

void park_workflow_changed(struct park *p, int64_t number)
{
	struct park_wait *w;

	TAILQ_FOREACH (w, &p->wide, link) {
		if (w->topic != PARK_WORKFLOW || w->first != number)
			continue;
		w->news = true;
		wait_due(w);
	}
}

void park_events_changed(struct park *p)
{
	struct park_wait *w;

	TAILQ_FOREACH (w, &p->wide, link)
		if (w->topic == PARK_EVENTS)
			wait_news(w);
}

void park_all_changed(struct park *p)
{
	struct park_wait *w;

	for (size_t i = 0; i < WAIT_SLOTS; i++)
		LIST_FOREACH (w, &p->by_job[i], hash)
			wait_news(w);
	TAILQ_FOREACH (w, &p->wide, link)
		wait_news(w);
}

static void wait_tick(struct park_wait *w, int64_t now_ms, bool recheck)
{
	if (w->fn == NULL)
		return;
	if (w->req->gone || w->park->draining || now_ms >= w->deadline_ms) {
		w->over = true;
		wait_due(w);
	} else if (w->news || recheck) {
		wait_due(w);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct park *p = arg;
	int64_t now_ms = clock_mono_ms();
	struct park_wait *w;
	size_t i = 0;

	(void)fd;
	(void)what;
	p->n_turns++;
	/* Re-checks are spread over the slots, so over the ticks. */
	for (size_t slot = 0; slot < WAIT_SLOTS; slot++)
		LIST_FOREACH (w, &p->by_job[slot], hash)
			wait_tick(w, now_ms,
				  (slot + (size_t)p->n_turns) % RECHECK_TICKS ==
					  0);
	TAILQ_FOREACH (w, &p->wide, link)
		wait_tick(w, now_ms,
			  (i++ + (size_t)p->n_turns) % RECHECK_TICKS == 0);
	parking_tick(p->parking, now_ms);
}

struct park_wait *park_watch(struct req *r, enum park_topic topic,
			     int64_t first, int64_t last)
{
	struct park *p = r->srv->park;
	struct park_wait *w = ARENA_NEW(r->arena, struct park_wait);

	w->park = p;
	w->req = r;
	w->topic = topic;
	w->first = first;
	w->last = last;
	if (by_job(w))
		LIST_INSERT_HEAD(&p->by_job[slot_of(first)], w, hash);
	else
		TAILQ_INSERT_TAIL(&p->wide, w, link);
	p->n_waits++;
	arena_defer(r->arena, wait_release, w);
	return w;
}

void park_wait(struct park_wait *w, int64_t deadline_ms,
	       void (*fn)(struct req *r, bool over))
{
	if (w->fn != NULL)
		BUG("a watch waits twice");
	w->fn = fn;
	w->deadline_ms = deadline_ms;
	if (w->park->draining || w->req->gone) {
		w->over = true;
		wait_due(w);
	} else if (w->news) {
		wait_news(w);
	}
}

static int64_t gauge_waits(void *arg)
{
	return (int64_t)((struct park *)arg)->n_waits;
}

struct park *park_new(struct server *srv)
{
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	static const struct metric_def waits = {
		"sortie_long_polls", NULL, METRIC_GAUGE,
		"Long polls that watch something."
	};
	struct park *p = xcalloc(1, sizeof(*p));

	p->srv = srv;
	for (size_t i = 0; i < WAIT_SLOTS; i++)
		LIST_INIT(&p->by_job[i]);
	TAILQ_INIT(&p->wide);
	TAILQ_INIT(&p->due);
	p->turn = evtimer_new(srv->base, on_turn, p);
	p->tick = event_new(srv->base, -1, EV_PERSIST, on_tick, p);
	event_add(p->tick, &tick);
	p->parking = parking_new(srv);
	p->waker = waker_new(srv);
	metrics_gauge_fn(srv->metrics, &waits, gauge_waits, p);
	return p;
}

void park_drain(struct park *p)
{
	p->draining = true;
	parking_drain(p->parking);
	park_all_changed(p);
	on_tick(-1, 0, p);
}

/* Requests that still wait belong to httpd, which drops them. */
void park_free(struct park *p)
{
	if (p == NULL)
		return;
	waker_free(p->waker);
	parking_free(p->parking);
	event_free(p->turn);
	event_free(p->tick);
	free(p);
}
