/* Takes callbacks that are due, posts them, and writes down how it went. */
#include "server/callback.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include "lib/arena.h"
#include "lib/httpc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "server/db.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/server.h"

#define LOOK_S 1
#define CALLS_MAX 8 /* under way at a time */
#define CALL_MS 30000
#define CONNECT_MS 10000
#define TAKEN_S 120 /* another server tries then, if this one has died */
#define PAUSE_FIRST_S 5
#define PAUSE_MAX_S 3600
#define GIVE_UP_S 86400
#define REPLY_MAX ((size_t)64 << 10)

enum { DONE, FAILED, GIVEN_UP, N_METRICS };

struct callbacks {
	struct server *srv;
	struct httpc *http;
	struct event *timer;
	struct arena *asking; /* while a statement takes some */
	struct metric **metric;
	LIST_HEAD(, call) calls;
	size_t n_calls;
	bool poked; /* while asking */
};

/* One of those that are under way. */
struct call {
	LIST_ENTRY(call) link;
	struct callbacks *of;
	struct arena *arena;
	int64_t number, tries;
};

static void look(struct callbacks *c);

static int64_t pause_s(int64_t tries)
{
	int64_t s = PAUSE_FIRST_S;

	while (tries-- > 0 && s < PAUSE_MAX_S)
		s *= 2;
	return s < PAUSE_MAX_S ? s : PAUSE_MAX_S;
}

static void call_free(struct call *k)
{
	LIST_REMOVE(k, link);
	k->of->n_calls--;
	arena_free(k->arena);
}

static void on_written(enum db_outcome o, const struct db_result *r,
		       const struct db_fault *f, void *arg)
{
	struct call *k = arg;
	struct callbacks *c = k->of;

	if (o != DB_OK)
		log_warn("callback %" PRId64 ": %s; it will be made again",
			 k->number, f->err.text);
	else if (db_rows(r) > 0)
		metric_add(c->metric[GIVEN_UP], 1);
	call_free(k);
	look(c);
}

/* why NULL: it is done. */
static void write_down(struct call *k, const char *why)
{
	struct db_params *p = db_params_new(k->arena);

	metric_add(k->of->metric[why == NULL ? DONE : FAILED], 1);
	db_p_i64(p, k->number);
	db_p_text(p, why);
	db_p_i32(p, (int32_t)pause_s(k->tries));
	db_p_i32(p, GIVE_UP_S);
	db_run(k->of->srv->db, "callback_done", p, on_written, k);
}

static void on_answer(const struct httpc_reply *reply, void *arg)
{
	struct call *k = arg;
	const char *why = NULL;

	if (!reply->ok)
		why = arena_strdup(k->arena, reply->err.text);
	else if (reply->status < 200 || reply->status > 299)
		why = arena_printf(k->arena, "it answered %d", reply->status);
	write_down(k, why);
}

static void make_call(struct callbacks *c, const struct db_result *r,
		      size_t row)
{
	struct arena *a = arena_new();
	struct call *k = ARENA_NEW(a, struct call);
	const char *url = db_text(r, row, 1);
	const char *host = callback_host(url);
	const struct settings *set = c->srv->set;
	struct httpc_request q = { .method = "POST",
				   .timeout_ms = CALL_MS,
				   .connect_timeout_ms = CONNECT_MS,
				   .max_reply = REPLY_MAX,
				   .away = !set->callback_local && !set->dev };
	size_t len;

	k->of = c;
	k->arena = a;
	k->number = db_i64(r, row, 0);
	k->tries = db_i64(r, row, 3);
	c->n_calls++;
	LIST_INSERT_HEAD(&c->calls, k, link);
	if (host == NULL) {
		write_down(k, "it is no address of http or https");
		return;
	}
	len = (size_t)(host - url) + strcspn(host, "/?");
	q.base = arena_strndup(a, url, len);
	q.path = arena_printf(a, "%s%s", url[len] == '/' ? "" : "/", url + len);
	q.body = db_text(r, row, 2);
	q.body_len = db_len(r, row, 2);
	(void)httpc_start(c->http, &q, on_answer, k);
}

static void on_taken(enum db_outcome o, const struct db_result *r,
		     const struct db_fault *f, void *arg)
{
	struct callbacks *c = arg;
	bool more = c->poked;

	(void)f;
	arena_free(c->asking);
	c->asking = NULL;
	c->poked = false;
	if (o != DB_OK)
		return; /* the next look comes */
	for (size_t row = 0; row < db_rows(r); row++)
		make_call(c, r, row);
	if (more)
		look(c);
}

static void look(struct callbacks *c)
{
	struct db_params *p;

	if (c->asking != NULL) {
		c->poked = true;
		return;
	}
	if (c->n_calls >= CALLS_MAX || !db_up(c->srv->db))
		return;
	c->asking = arena_new();
	p = db_params_new(c->asking);
	db_p_i32(p, (int32_t)(CALLS_MAX - c->n_calls));
	db_p_i32(p, TAKEN_S);
	db_run(c->srv->db, "callback_take", p, on_taken, c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg);
}

void callbacks_poke(struct callbacks *c)
{
	look(c);
}

static int64_t gauge_calls(void *arg)
{
	return (int64_t)((struct callbacks *)arg)->n_calls;
}

struct callbacks *callbacks_new(struct server *srv)
{
	static const struct timeval period = { LOOK_S, 0 };
	static const struct metric_def defs[N_METRICS] = {
		[DONE] = { "sortie_callbacks_done_total", NULL, METRIC_COUNTER,
			   "Callbacks that were answered with success." },
		[FAILED] = { "sortie_callback_failures_total", NULL,
			     METRIC_COUNTER,
			     "Callbacks that are to be tried again." },
		[GIVEN_UP] = { "sortie_callbacks_given_up_total", NULL,
			       METRIC_COUNTER,
			       "Callbacks that failed for a day." },
	};
	static const struct metric_def calls = { "sortie_callbacks_under_way",
						 NULL, METRIC_GAUGE,
						 "Callbacks being made." };
	struct callbacks *c = xcalloc(1, sizeof(*c));

	c->srv = srv;
	c->http = httpc_new(srv->base, NULL);
	c->metric = metrics_register(srv->metrics, defs, N_METRICS);
	metrics_gauge_fn(srv->metrics, &calls, gauge_calls, c);
	c->timer = event_new(srv->base, -1, EV_PERSIST, on_timer, c);
	event_add(c->timer, &period);
	return c;
}

void callbacks_free(struct callbacks *c)
{
	if (c == NULL)
		return;
	event_free(c->timer);
	httpc_free(c->http);
	while (!LIST_EMPTY(&c->calls))
		call_free(LIST_FIRST(&c->calls));
	arena_free(c->asking);
	free(c);
}
