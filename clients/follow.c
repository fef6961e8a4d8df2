/*
 * Follows one job on an event loop: a long poll for its end, one for each
 * stream of output, the person's interrupts, and the word on why it waits.
 */
#include "clients/follow.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/clock.h"

/* A job that ends sooner than this costs no calls for live output. */
#define STREAMS_AFTER_MS 100
#define EXPLAIN_AFTER_MS 3000
#define POLL_S 30
/* Between looks for a run that has not been granted yet. */
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 1000
#define PATIENCE_MS 60000

struct stream {
	struct following *owner;
	struct output out;
	struct event *timer;
	int64_t pause_ms;
	bool wanted;
};

struct following {
	struct follow *f;
	struct event_base *base;
	struct httpc *http;
	struct event *start_timer, *explain_timer, *end_timer;
	struct event *signals[3];
	struct stream streams[2];
	int64_t attempt;       /* whose output is being shown */
	int64_t away_since_ms; /* 0 = the server answers */
	bool ended, failed;
	struct err *e;
};

static void stop(struct following *w)
{
	event_base_loopbreak(w->base);
}

static bool fail(struct following *w)
{
	w->failed = true;
	stop(w);
	return false;
}

static void after_ms(struct event *timer, int64_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(timer, &tv);
}

static void get(struct following *w, const char *method, const char *path,
		const char *body, httpc_done_fn *done, void *arg)
{
	struct httpc_request q = { .method = method,
				   .base = call_url(w->f->c),
				   .token = call_token(w->f->c),
				   .path = path,
				   .body = body,
				   .body_len = body ? strlen(body) : 0,
				   .timeout_ms = (POLL_S + 30) * 1000 };

	httpc_start(w->http, &q, done, arg);
}

/* The server is away or busy: false once that lasts too long. */
static bool bear(struct following *w, const struct httpc_reply *reply)
{
	int64_t patience_ms = w->f->c->settings->patience_s * 1000;
	int64_t now_ms = clock_mono_ms();

	if (reply->ok && reply->status != 503 && reply->status != 504) {
		w->away_since_ms = 0;
		return true;
	}
	if (patience_ms == 0)
		patience_ms = PATIENCE_MS;
	if (w->away_since_ms == 0) {
		w->away_since_ms = now_ms;
		call_error(w->f->c, reply, w->e);
		cli_note("%s; job %" PRId64 " goes on, trying on for %" PRId64
			 " s",
			 w->e->text, w->f->job, patience_ms / 1000);
	}
	if (now_ms - w->away_since_ms < patience_ms)
		return true;
	call_error(w->f->c, reply, w->e);
	return fail(w);
}

/* The job's end */

static void on_job(const struct httpc_reply *reply, void *arg);

static void poll_job(struct following *w)
{
	char path[80];

	snprintf(path, sizeof(path), "/api/v1/jobs/%" PRId64 "?wait=%d",
		 w->f->job, POLL_S);
	get(w, "GET", path, NULL, on_job, w);
}

static bool has_ended(struct json_object *job)
{
	return json_get_str(job, "ended_at") != NULL;
}

static void job_answered(struct following *w, const struct httpc_reply *reply)
{
	struct json_object *doc;

	if (!bear(w, reply))
		return;
	if (w->away_since_ms != 0) {
		after_ms(w->end_timer, RETRY_MAX_MS);
		return;
	}
	if (reply->status != 200) {
		call_error(w->f->c, reply, w->e);
		fail(w);
		return;
	}
	if (!json_parse(w->f->arena, buf_str(&reply->body), reply->body.len,
			&doc, w->e)) {
		fail(w);
		return;
	}
	w->f->result = doc;
	if (!has_ended(doc)) {
		poll_job(w);
		return;
	}
	w->ended = true;
	stop(w);
}

static void on_job(const struct httpc_reply *reply, void *arg)
{
	job_answered(arg, reply);
}

static void on_end_timer(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	poll_job(arg);
}

/* Live output */

static void on_stream(const struct httpc_reply *reply, void *arg);

static void poll_stream(struct stream *s)
{
	struct following *w = s->owner;
	struct buf path = BUF_INIT;

	output_path(&path, w->f->job, w->attempt, &s->out, POLL_S);
	get(w, "GET", buf_str(&path), NULL, on_stream, s);
	buf_fini(&path);
}

static void poll_later(struct stream *s)
{
	after_ms(s->timer, s->pause_ms);
	s->pause_ms =
		s->pause_ms * 2 < RETRY_MAX_MS ? s->pause_ms * 2 : RETRY_MAX_MS;
}

static bool all_complete(const struct following *w)
{
	for (size_t i = 0; i < 2; i++)
		if (w->streams[i].wanted && !w->streams[i].out.complete)
			return false;
	return true;
}

static void next_run(struct following *w)
{
	w->attempt++;
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = &w->streams[i];

		s->out.offset = 0;
		s->out.complete = s->out.lost = false;
		s->pause_ms = RETRY_FIRST_MS;
		if (s->wanted)
			poll_later(s);
	}
}

static void run_complete(struct following *w)
{
	if (!w->f->one_run) {
		next_run(w);
		return;
	}
	w->ended = true;
	stop(w);
}

static void stream_answered(struct stream *s, const struct httpc_reply *reply)
{
	struct following *w = s->owner;
	size_t got = 0;

	/* No run yet, or trouble that the poll for the end tells about. */
	if (!reply->ok || reply->status != 200) {
		poll_later(s);
		return;
	}
	if (!output_take(&s->out, reply, &got, w->e)) {
		fail(w);
		return;
	}
	s->pause_ms = RETRY_FIRST_MS;
	if (!s->out.complete && got > 0)
		poll_stream(s);
	else if (!s->out.complete)
		poll_later(s);
	else if (all_complete(w))
		run_complete(w);
}

static void on_stream(const struct httpc_reply *reply, void *arg)
{
	stream_answered(arg, reply);
}

static void on_stream_timer(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	poll_stream(arg);
}

static void on_start(evutil_socket_t fd, short events, void *arg)
{
	struct following *w = arg;

	(void)fd;
	(void)events;
	for (size_t i = 0; i < 2; i++)
		if (w->streams[i].wanted)
			poll_stream(&w->streams[i]);
}

/* Why it waits */

static void explain_answered(struct following *w,
			     const struct httpc_reply *reply)
{
	static const char *const queued[] = { "held", "waiting", "defined" };
	struct arena *a = arena_new();
	struct json_object *doc;
	struct err ignored = ERR_INIT;

	if (reply->status == 200 &&
	    json_parse(a, buf_str(&reply->body), reply->body.len, &doc,
		       &ignored) &&
	    json_type(doc) == JSON_OBJECT) {
		const char *state = json_get_str(doc, "state");
		const char *first = json_get_str(doc, "first");

		for (size_t i = 0; state && first && i < 3; i++)
			if (strcmp(state, queued[i]) == 0)
				cli_note("job %" PRId64 " waits: %s", w->f->job,
					 first);
	}
	arena_free(a);
}

static void on_explained(const struct httpc_reply *reply, void *arg)
{
	explain_answered(arg, reply);
}

static void on_explain_timer(evutil_socket_t fd, short events, void *arg)
{
	struct following *w = arg;
	char path[80];

	(void)fd;
	(void)events;
	snprintf(path, sizeof(path), "/api/v1/jobs/%" PRId64 "/explain",
		 w->f->job);
	get(w, "GET", path, NULL, on_explained, w);
}

/* Interrupts */

static void on_cancelled(const struct httpc_reply *reply, void *arg)
{
	struct following *w = arg;
	struct err e = ERR_INIT;

	if (!reply->ok || reply->status != 200) {
		call_error(w->f->c, reply, &e);
		cli_note("cannot cancel job %" PRId64 ": %s", w->f->job,
			 e.text);
	}
}

static void interrupted(struct following *w, int number)
{
	char body[80];

	if (w->f->interrupted != 0 || !w->f->cancel) {
		fflush(NULL);
		_exit(CLI_SIGNAL + number);
	}
	w->f->interrupted = number;
	cli_note("cancelling job %" PRId64 "; interrupt again to leave at "
		 "once",
		 w->f->job);
	snprintf(body, sizeof(body),
		 "{\"action\":\"cancel\",\"jobs\":\"%" PRId64 "\"}", w->f->job);
	get(w, "POST", "/api/v1/jobs/actions", body, on_cancelled, w);
}

static void on_signal(evutil_socket_t number, short events, void *arg)
{
	(void)events;
	interrupted(arg, (int)number);
}

static void set_up(struct following *w, struct follow *f)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const int fds[] = { f->out_fd, f->err_fd };
	static const char *const names[] = { "stdout", "stderr" };

	w->http = httpc_new(w->base, call_tls(f->c));
	w->attempt = f->attempt;
	w->start_timer = evtimer_new(w->base, on_start, w);
	w->explain_timer = evtimer_new(w->base, on_explain_timer, w);
	w->end_timer = evtimer_new(w->base, on_end_timer, w);
	for (size_t i = 0; i < 3; i++) {
		w->signals[i] = evsignal_new(w->base, numbers[i], on_signal, w);
		evsignal_add(w->signals[i], NULL);
	}
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = &w->streams[i];

		s->owner = w;
		s->out.name = names[i];
		s->out.fd = fds[i];
		s->wanted = fds[i] >= 0;
		s->pause_ms = RETRY_FIRST_MS;
		s->timer = evtimer_new(w->base, on_stream_timer, s);
	}
}

static void tear_down(struct following *w)
{
	httpc_free(w->http);
	event_free(w->start_timer);
	event_free(w->explain_timer);
	event_free(w->end_timer);
	for (size_t i = 0; i < 3; i++)
		event_free(w->signals[i]);
	for (size_t i = 0; i < 2; i++)
		event_free(w->streams[i].timer);
	event_base_free(w->base);
}

/* The size that the job's view tells of a stream; -1 = unknown. */
static int64_t size_of(struct json_object *run, const char *name)
{
	struct json_object *s = json_get(run, name);

	if (s == NULL || json_type(s) != JSON_OBJECT)
		return -1;
	return json_get_int(s, "size");
}

static bool copy_run(struct following *w, struct json_object *run,
		     int64_t attempt)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = &w->streams[i];
		int64_t size = size_of(run, s->out.name);

		if (attempt > w->attempt) {
			s->out.offset = 0;
			s->out.complete = s->out.lost = false;
		}
		if (!s->wanted || s->out.complete ||
		    (size >= 0 && size <= s->out.offset))
			continue;
		if (!output_copy(w->f->c, w->f->job, attempt, &s->out, w->e))
			return false;
	}
	return true;
}

/* What the long polls had not brought when the job ended. */
static bool copy_rest(struct following *w)
{
	struct json_object *runs =
		w->f->result ? json_get(w->f->result, "runs") : NULL;

	if (runs == NULL || json_type(runs) != JSON_ARRAY)
		return true;
	for (size_t i = 0; i < json_len(runs); i++) {
		struct json_object *run = json_at(runs, i);
		int64_t attempt = json_get_int(run, "attempt");

		if (attempt < w->attempt ||
		    (w->f->one_run && attempt != w->f->attempt))
			continue;
		if (!copy_run(w, run, attempt))
			return false;
		w->attempt = attempt;
	}
	return true;
}

bool follow_run(struct follow *f, struct err *e)
{
	struct following w = { .f = f, .e = e };
	bool ok;

	signal(SIGPIPE, SIG_IGN);
	if (!call_open(f->c, e))
		return false;
	w.base = event_base_new();
	if (w.base == NULL)
		return err_set(e, ERR_INTERNAL,
			       "no event loop can be made on this machine");
	set_up(&w, f);
	poll_job(&w);
	after_ms(w.start_timer, STREAMS_AFTER_MS);
	if (f->explain)
		after_ms(w.explain_timer, EXPLAIN_AFTER_MS);
	event_base_dispatch(w.base);
	ok = !w.failed && copy_rest(&w);
	tear_down(&w);
	return ok;
}
