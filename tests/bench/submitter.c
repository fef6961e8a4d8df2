/* The client that submits many jobs. */
#include "tests/bench/submitter.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <event2/event.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "tests/bench/http.h"

#define ID_CAP 64

struct lane {
	struct submitter *of;
	struct http *http;
	struct event *later; /* it was refused, and comes again */
	int64_t list;        /* the one it sends */
	int64_t since_us;
};

struct submitter {
	struct submitter_plan plan;
	struct lane *lanes;
	int64_t n_lists;
	int64_t n_sent, n_done; /* lists */
	char id[ID_CAP];        /* of the submission in parts */
	struct buf body;        /* the same for all lists but for keys */
	long long run;          /* what keys begin with: the clock */
	int64_t n_refused, slowest_us;
};

static void on_listed(int status, const char *body, size_t len, void *arg);

static void write_list(struct submitter *s, int64_t list)
{
	buf_reset(&s->body);
	for (int64_t i = 0; i < s->plan.list; i++) {
		buf_addf(&s->body,
			 "%s{\"name\":\"zero work\",\"argv\":[\"/bin/true\"],"
			 "\"env\":{\"INPUT_NUMBER\":\"%06lld\"},"
			 "\"timeout\":600",
			 i ? "," : "[", (long long)i);
		if (s->plan.keys == KEYS_OF_JOBS)
			buf_addf(&s->body, ",\"key\":\"k%lld-%lld\"", s->run,
				 (long long)list * s->plan.list + i);
		buf_addc(&s->body, '}');
	}
	buf_addc(&s->body, ']');
}

static void send_list(struct lane *l)
{
	struct submitter *s = l->of;
	char path[128];

	if (s->plan.keys == KEYS_OF_JOBS)
		write_list(s, l->list);
	if (s->plan.keys == KEYS_OF_REQUESTS)
		http_key_set(l->http, s->run, l->list);
	l->since_us = clock_mono_us();
	if (!s->plan.parts) {
		http_send(l->http, "POST", "/api/v1/jobs", s->body.data,
			  s->body.len, on_listed, l);
		return;
	}
	snprintf(path, sizeof(path), "/api/v1/submissions/%s/parts/%lld", s->id,
		 (long long)l->list);
	http_send(l->http, "PUT", path, s->body.data, s->body.len, on_listed,
		  l);
}

static void send_next(struct lane *l)
{
	struct submitter *s = l->of;

	if (s->n_sent == s->n_lists)
		return;
	l->list = ++s->n_sent;
	send_list(l);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_list(arg);
}

/* True: it comes again. */
static bool refused(struct lane *l, int status)
{
	static const struct timeval second = { 1, 0 };
	struct submitter *s = l->of;
	int64_t us = clock_mono_us() - l->since_us;

	if (us > s->slowest_us)
		s->slowest_us = us;
	if (status != 503 || !s->plan.patient)
		return false;
	s->n_refused++;
	event_add(l->later, &second);
	return true;
}

static void on_committed(int status, const char *body, size_t len, void *arg)
{
	struct submitter *s = arg;

	http_expect("committing a submission", status, body, len);
	if (http_json_int(body, len, "count") != s->n_lists * s->plan.list)
		errx(1, "the commit counts other jobs: %.*s", (int)len, body);
	s->plan.on_done(s->plan.arg);
}

static void commit(struct lane *l)
{
	struct submitter *s = l->of;
	char path[128], body[64];
	int len;

	snprintf(path, sizeof(path), "/api/v1/submissions/%s/commit", s->id);
	len = snprintf(body, sizeof(body), "{\"parts\":%lld}",
		       (long long)s->n_lists);
	http_send(l->http, "POST", path, body, (size_t)len, on_committed, s);
}

static void on_listed(int status, const char *body, size_t len, void *arg)
{
	struct lane *l = arg;
	struct submitter *s = l->of;

	if (refused(l, status))
		return;
	http_expect("submitting a list", status, body, len);
	s->n_done++;
	if (s->n_done < s->n_lists)
		send_next(l);
	else if (s->plan.parts)
		commit(l);
	else
		s->plan.on_done(s->plan.arg);
}

static void send_first(struct submitter *s)
{
	for (int64_t i = 0; i < s->plan.in_flight; i++)
		send_next(&s->lanes[i]);
}

static void on_opened(int status, const char *body, size_t len, void *arg)
{
	struct submitter *s = arg;

	http_expect("opening a submission", status, body, len);
	http_json_str(body, len, "id", s->id, sizeof(s->id));
	send_first(s);
}

struct submitter *submitter_new(struct event_base *base,
				const struct submitter_plan *plan)
{
	struct submitter *s = xcalloc(1, sizeof(*s));

	s->plan = *plan;
	if (plan->list < 1 || plan->in_flight < 1)
		errx(2, "lists and requests in flight are at least 1");
	s->n_lists = (plan->count + plan->list - 1) / plan->list;
	s->run = (long long)clock_mono_us();
	write_list(s, 0);
	s->lanes = xcalloc((size_t)plan->in_flight, sizeof(*s->lanes));
	for (int64_t i = 0; i < plan->in_flight; i++) {
		struct lane *l = &s->lanes[i];

		l->of = s;
		l->http = http_new(base, plan->url, plan->token);
		l->later = evtimer_new(base, on_later, l);
	}
	return s;
}

void submitter_go(struct submitter *s)
{
	if (s->plan.parts)
		http_send(s->lanes[0].http, "POST", "/api/v1/submissions", "{}",
			  2, on_opened, s);
	else
		send_first(s);
}

int64_t submitter_count(const struct submitter *s)
{
	return s->n_lists * s->plan.list;
}

double submitter_job_bytes(const struct submitter *s)
{
	return (double)s->body.len / (double)s->plan.list;
}

int64_t submitter_refused(const struct submitter *s)
{
	return s->n_refused;
}

int64_t submitter_slowest(const struct submitter *s)
{
	return s->slowest_us;
}

void submitter_free(struct submitter *s)
{
	for (int64_t i = 0; i < s->plan.in_flight; i++) {
		event_free(s->lanes[i].later);
		http_free(s->lanes[i].http);
	}
	free(s->lanes);
	buf_fini(&s->body);
	free(s);
}
