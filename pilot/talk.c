/* Turns, timers, signals and phases of the conversation: see talk.h. */
#include "pilot/talk.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define TICK_S 1
/* Two signals closer than that are one: a terminal's Ctrl-C reaches the keeper
 * and the pilot, and the keeper passes it on. */
#define SIGNAL_TWICE_MS 300
/* What the last report and the good-bye may take after payloads are gone. */
#define LAST_WORDS_MS 10000
#define AHEAD_MAX_MS 1000
/* What killing a payload may take. */
#define LEASE_MARGIN_MS 500

void talk_turn_soon(struct talk *t)
{
	if (t->turn_due)
		return;
	t->turn_due = true;
	event_active(t->turn_ev, 0, 0);
}

void talk_turn_at(struct talk *t, int64_t at_ms)
{
	int64_t wait = at_ms - clock_mono_ms();
	struct timeval tv;

	if (wait <= 0) {
		talk_turn_soon(t);
		return;
	}
	if (t->wake_ms && t->wake_ms <= at_ms)
		return;
	t->wake_ms = at_ms;
	tv.tv_sec = wait / 1000;
	tv.tv_usec = wait % 1000 * 1000;
	event_add(t->retry_ev, &tv);
}

void talk_done(struct talk *t, int exit_status)
{
	if (t->phase == TALK_DONE)
		return;
	t->phase = TALK_DONE;
	t->exit_status = exit_status;
	event_base_loopbreak(t->base);
}

void talk_send(struct talk *t, struct talk_call *c, const char *method,
	       const char *path, const char *token, const struct buf *body,
	       int64_t timeout_ms, httpc_done_fn *done)
{
	struct httpc_request r = {
		.method = method,
		.base = link_url(&t->link),
		.path = path,
		.token = token,
		.body = body ? body->data : NULL,
		.body_len = body ? body->len : 0,
		.timeout_ms = timeout_ms,
		.connect_timeout_ms = t->lease_ms / 3,
	};

	if (c->call)
		BUG("two calls to %s at once", path);
	c->url = r.base;
	c->sent_ms = clock_mono_ms();
	c->call = httpc_start(t->http, &r, done, t);
}

/* The server knows neither us nor our token: perhaps the next one does. */
static void note_unknown(struct talk *t, const char *url,
			 const struct answer *ans)
{
	if (ans->kind == ANSWER_OK)
		t->unknown_since_ms = 0;
	if (!answer_unknown_pilot(ans))
		return;
	link_failed(&t->link, url, &ans->err);
	if (!t->unknown_since_ms)
		t->unknown_since_ms = clock_mono_ms();
}

void talk_failed(struct talk *t, struct backoff *b, const struct answer *ans)
{
	int64_t now = clock_mono_ms();

	talk_turn_at(t, now + backoff_fail(b, now, ans->retry_after_ms));
}

bool talk_answer(struct talk *t, struct talk_call *c, struct arena *a,
		 const struct httpc_reply *r, struct answer *out)
{
	c->call = NULL;
	link_answer(&t->link, a, r, c->url, c->sent_ms, out);
	if (c != &t->join)
		note_unknown(t, c->url, out);
	if (out->kind == ANSWER_OK) {
		backoff_ok(&c->backoff);
		return true;
	}
	talk_failed(t, &c->backoff, out);
	return false;
}

static void drain_begin(struct talk *t)
{
	if (t->drain >= DRAIN_SOFT) {
		claim_cancel(t);
		work_return_ready(t, -1, "drained");
	}
	if (t->drain == DRAIN_HARD)
		work_kill_all(t, PAYLOAD_DRAIN, -1);
	if (t->drain == DRAIN_NOW)
		work_kill_all(t, PAYLOAD_STOP, 0);
	if (t->drain >= DRAIN_HARD)
		t->drained_ms =
			clock_mono_ms() + LAST_WORDS_MS +
			(t->drain == DRAIN_HARD ? t->opt.grace_s * 1000 : 0);
	if (t->drained_ms)
		talk_turn_at(t, t->drained_ms);
}

void talk_drain(struct talk *t, enum talk_drain how, const char *why)
{
	if (how <= t->drain || t->phase == TALK_DONE)
		return;
	t->drain = how;
	log_info("%s: %s", why,
		 how == DRAIN_NOW    ? "ending payloads at once"
		 : how == DRAIN_HARD ? "ending payloads, then leaving"
				     : "leaving when payloads have ended");
	if (t->phase == TALK_SITE || t->phase == TALK_JOINING) {
		talk_done(t, PILOT_EXIT_OK);
		return;
	}
	if (t->phase == TALK_WORKING)
		t->phase = TALK_DRAINING;
	drain_begin(t);
	talk_turn_soon(t);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct talk *t = arg;
	int64_t now = clock_mono_ms();

	(void)what;
	if (sig == SIGHUP) {
		log_reopen();
		return;
	}
	if (sig == SIGUSR1) {
		talk_drain(t, DRAIN_SOFT, "told to drain");
		return;
	}
	if (!t->signal_ms) {
		t->signal_ms = now;
		talk_drain(t, DRAIN_HARD, strsignal((int)sig));
	} else if (now - t->signal_ms >= SIGNAL_TWICE_MS) {
		talk_drain(t, DRAIN_NOW, strsignal((int)sig));
	}
}

/* Nothing is left to run or to tell. */
static bool quiet(const struct talk *t)
{
	return runs_live(t->runs) == 0 && !t->report.call && !t->first_report;
}

static void turn_drain(struct talk *t)
{
	int64_t now = clock_mono_ms();

	if (quiet(t)) {
		claim_cancel(t);
		t->phase = TALK_LEAVING;
		/* The grace was for payloads: none is left. */
		if (!t->drained_ms || t->drained_ms > now + LAST_WORDS_MS)
			t->drained_ms = now + LAST_WORDS_MS;
		return;
	}
	if (!t->drained_ms || now < t->drained_ms)
		return;
	log_warn("leaving with %d run%s untold: what ended is in the spool "
		 "'%s' for the next pilot",
		 runs_live(t->runs), runs_live(t->runs) == 1 ? "" : "s",
		 t->spool.path);
	talk_done(t, PILOT_EXIT_UNTOLD);
}

static void turn_work(struct talk *t)
{
	fetch_turn(t);
	work_start_ready(t);
	upload_turn(t);
	if (!report_paced(t))
		journal_flush(t->journal);
	report_turn(t);
	if (t->phase == TALK_WORKING)
		claim_turn(t);
	if (t->phase == TALK_DRAINING)
		turn_drain(t);
	work_compact(t);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct talk *t = arg;

	(void)fd;
	(void)what;
	t->turn_due = false;
	if (t->phase == TALK_SITE || t->phase == TALK_JOINING)
		join_turn(t);
	if (t->phase == TALK_WORKING || t->phase == TALK_DRAINING)
		turn_work(t);
	if (t->phase == TALK_LEAVING)
		leave_turn(t);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct talk *t = arg;

	(void)fd;
	(void)what;
	t->wake_ms = 0;
	talk_turn_soon(t);
}

/* A job that must not outlive its lease is gone when the server has not been
 * heard for that long, by this host's clock: another run of it may start then.
 * Its grace lies before that, and a tick is not longer than both. */
static void check_lease(struct talk *t, int64_t now)
{
	int64_t left = t->lease_ms - LEASE_MARGIN_MS - (now - t->link.heard_ms);
	int64_t grace = t->lease_ms / 5;
	struct run *r;

	if (grace > t->opt.grace_s * 1000)
		grace = t->opt.grace_s * 1000;
	if (grace < TICK_S * 1000 - LEASE_MARGIN_MS)
		grace = TICK_S * 1000 - LEASE_MARGIN_MS;
	if (left > grace)
		return;
	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ACTIVE), entry)
		if (r->grant.stop_on_disconnect && r->payload)
			payload_kill(r->payload, PAYLOAD_DISCONNECT,
				     left > 0 ? left : 0);
}

static void check_lifetime(struct talk *t, int64_t now)
{
	int64_t margin = t->opt.grace_s * 1000 + LAST_WORDS_MS / 2;

	if (!t->end_ms || t->drain >= DRAIN_HARD)
		return;
	/* A short life is not all spent on dying. */
	if (margin > t->opt.lifetime_s * 1000 / 4)
		margin = t->opt.lifetime_s * 1000 / 4;
	if (now >= t->end_ms - margin)
		talk_drain(t, DRAIN_HARD, "the lifetime ends");
}

/* The server has forgotten us, and we hold nothing of its: join anew. */
static void check_unknown(struct talk *t, int64_t now)
{
	if (t->phase != TALK_WORKING || !t->unknown_since_ms ||
	    now - t->unknown_since_ms < t->lease_ms || runs_live(t->runs))
		return;
	log_warn("the server does not know pilot %lld any more: joining anew",
		 (long long)t->number);
	claim_cancel(t);
	t->unknown_since_ms = 0;
	join_begin(t);
}

/* Nobody is to pay for a place in a batch system where nothing runs. */
static void check_idle(struct talk *t, int64_t now)
{
	if (t->phase != TALK_WORKING || t->link.down_since_ms ||
	    runs_live(t->runs) > 0)
		t->busy_ms = now;
	else if (t->opt.idle_s && now - t->busy_ms >= t->opt.idle_s * 1000)
		talk_drain(t, DRAIN_SOFT, "nothing to do");
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct talk *t = arg;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	check_lifetime(t, now);
	check_idle(t, now);
	if (t->phase == TALK_WORKING || t->phase == TALK_DRAINING) {
		check_lease(t, now);
		check_unknown(t, now);
		if (t->drain != DRAIN_USED_UP)
			work_return_ready(t, AHEAD_MAX_MS, "not started");
		if (t->host)
			payload_host_sweep(t->host);
	}
	talk_turn_soon(t);
}

static struct event *timer_new(struct talk *t, short flags,
			       event_callback_fn fn)
{
	struct event *ev = event_new(t->base, -1, flags, fn, t);

	if (!ev)
		log_die("cannot make a timer");
	return ev;
}

static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP };

#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void events_open(struct talk *t)
{
	struct timeval tick = { TICK_S, 0 };

	t->turn_ev = timer_new(t, 0, on_turn);
	t->retry_ev = timer_new(t, 0, on_retry);
	t->tick_ev = timer_new(t, EV_PERSIST, on_tick);
	event_add(t->tick_ev, &tick);
	for (size_t i = 0; i < N_SIGNALS; i++) {
		t->signal_ev[i] =
			evsignal_new(t->base, signals[i], on_signal, t);
		if (!t->signal_ev[i] || event_add(t->signal_ev[i], NULL) != 0)
			log_die("cannot watch signal %d", signals[i]);
	}
}

static void events_close(struct talk *t)
{
	for (size_t i = 0; i < N_SIGNALS; i++)
		event_free(t->signal_ev[i]);
	event_free(t->tick_ev);
	event_free(t->retry_ev);
	event_free(t->turn_ev);
}

static void on_synced(void *arg)
{
	talk_turn_soon(arg);
}

bool talk_journal_open(struct talk *t, struct err *e)
{
	int64_t torn = 0;

	t->journal = journal_open(t->spool.dir_fd, t->base, work_replay,
				  on_synced, t, &torn, e);
	if (!t->journal)
		return false;
	if (torn)
		log_warn("the spool's journal was torn: %lld bytes dropped",
			 (long long)torn);
	work_replayed(t);
	return true;
}

static void close_all(struct talk *t)
{
	if (t->http)
		httpc_free(t->http);
	if (t->files)
		fetch_fini(t);
	/* Payloads that still live die with this process, by its keeper. */
	if (!t->host || payload_host_live(t->host) == 0) {
		work_free_payloads(t);
		payload_host_free(t->host);
		runs_free(t->runs);
	}
	journal_close(t->journal);
	buf_fini(&t->chunk);
	events_close(t);
}

int talk_run(struct talk *t)
{
	struct httpc_tls tls = { .ca_file = t->opt.ca_file,
				 .cert_file = t->opt.cert,
				 .key_file = t->opt.key,
				 .insecure = t->opt.insecure };
	struct err e = ERR_INIT;

	t->begun_ms = clock_mono_ms();
	t->busy_ms = t->begun_ms;
	if (t->opt.lifetime_s)
		t->end_ms = t->begun_ms + t->opt.lifetime_s * 1000;
	t->runs = runs_new();
	TAILQ_INIT(&t->streams);
	events_open(t);
	spool_identity_read(t->arena, &t->spool, &t->last);
	if (!talk_journal_open(t, &e)) {
		log_error("%s", e.text);
		close_all(t);
		return PILOT_EXIT_MACHINE;
	}
	link_init(&t->link, t->opt.urls);
	t->http = httpc_new(t->base, &tls);
	fetch_init(t);
	join_begin(t);
	event_base_dispatch(t->base);
	close_all(t);
	return t->exit_status;
}
