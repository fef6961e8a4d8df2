/*
 * Telling the server what started, what ended and what lives, and taking its
 * word for it.  One report is under way at a time; what happens meanwhile
 * goes into the next one.  An end is told until it is acknowledged.
 */
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/ending.h"
#include "pilot/talk.h"

#define REPORT_BYTES (900 * 1024) /* the server takes 1 MiB */
#define REPORT_ITEMS 1000
#define TELL_AGAIN_MS 1000
/* While runs that were granted ahead keep the slots busy, nobody gains by more
 * reports than that, and each costs as much as a run. */
#define PACE_MS 50
#define REFUSED_END_MS 60000

typedef void run_fn(struct talk *t, struct run *r);

static void each_named(struct talk *t, struct json_object *list, run_fn *fn)
{
	if (!list || json_type(list) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(list); i++) {
		struct json_object *o = json_at(list, i);
		struct run *r = NULL;

		if (json_type(o) == JSON_STR)
			r = runs_find(t->runs, json_str(o));
		if (r)
			fn(t, r);
	}
}

/* The runs of which something was in the report, whatever they did since. */
static void each_told(struct talk *t, run_fn *fn)
{
	static const enum run_state states[] = { RUN_ACTIVE, RUN_UPLOADING,
						 RUN_ENDED };
	struct run *r, *next;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		r = TAILQ_FIRST(runs_list(t->runs, states[i]));
		for (; r; r = next) {
			next = TAILQ_NEXT(r, entry);
			if (r->start_sent || r->end_sent)
				fn(t, r);
		}
	}
}

static void start_acked(struct talk *t, struct run *r)
{
	(void)t;
	r->start_told = true;
	r->start_sent = false;
}

static void end_acked(struct talk *t, struct run *r)
{
	if (r->state == RUN_ENDED && r->end_sent)
		work_forget(t, r);
}

/* The report was lost: all of it goes again. */
static void untold(struct talk *t, struct run *r)
{
	(void)t;
	r->start_sent = r->end_sent = false;
}

/* The answer names it nowhere: again, but not at once. */
static void unanswered(struct talk *t, struct run *r)
{
	untold(t, r);
	r->tell_after_ms = clock_mono_ms() + TELL_AGAIN_MS;
	talk_turn_at(t, r->tell_after_ms);
}

/* The server cannot read this one: it must not hold up the others. */
static void refused(struct talk *t, struct run *r)
{
	log_error("the server refuses what it is told of run %s of job %lld",
		  r->id, (long long)r->job);
	untold(t, r);
	r->tell_after_ms = clock_mono_ms() + REFUSED_END_MS;
}

static void accepted(struct talk *t, struct json_object *doc)
{
	struct json_object *acked = json_get(doc, "acked");
	struct json_object *grants = json_get(doc, "grants");

	t->first_report = false;
	t->report_max = REPORT_ITEMS;
	if (t->report_live)
		t->tell_live = false;
	if (acked && json_type(acked) == JSON_OBJECT) {
		each_named(t, json_get(acked, "starts"), start_acked);
		each_named(t, json_get(acked, "ends"), end_acked);
	}
	each_named(t, json_get(doc, "stale"), work_stale);
	each_told(t, unanswered);
	/* Without it, what was granted is told when the same is asked again. */
	if (t->report_granting && grants)
		t->request++;
	work_grants(t, json_get(doc, "missing"), true);
	work_grants(t, grants, false);
	orders_obey(t, json_get(doc, "orders"));
}

/* What the server does not understand is found by halving the report. */
static void not_understood(struct talk *t, const struct answer *ans)
{
	log_warn("a report was refused: %s", ans->err.text);
	if (t->in_report > 1) {
		t->report_max = t->in_report / 2;
		each_told(t, untold);
		return;
	}
	each_told(t, refused);
	t->report_max = REPORT_ITEMS;
}

static void on_reported(const struct httpc_reply *r, void *arg)
{
	struct talk *t = arg;
	struct arena *a = arena_new();
	struct answer ans;

	if (talk_answer(t, &t->report, a, r, &ans) && ans.doc) {
		claim_note_trip(t,
				(clock_mono_ms() - t->report.sent_ms) * 1000);
		accepted(t, ans.doc);
	} else if (ans.kind == ANSWER_REFUSED &&
		   (ans.status == 400 || ans.status == 413 ||
		    ans.status == 422)) {
		not_understood(t, &ans);
	} else {
		each_told(t, untold);
		t->tell_live = true;
	}
	t->report_granting = t->report_live = false;
	arena_free(a);
	talk_turn_soon(t);
}

struct builder {
	struct buf body;
	size_t items;
	struct room reported; /* what the ends in it give back */
	size_t ends;
	int64_t now;
};

static bool full(const struct talk *t, const struct builder *b)
{
	return b->items >= t->report_max || b->body.len >= REPORT_BYTES;
}

static void add_run(struct buf *b, const struct run *r)
{
	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_str(b, "run", r->id);
	buf_json_kv_i64(b, "job", r->job);
}

static bool start_due(const struct run *r, int64_t now)
{
	return r->started_ms && !r->start_told && !r->stale &&
	       r->tell_after_ms <= now;
}

static bool add_start(struct talk *t, struct builder *b, struct run *r)
{
	if (!start_due(r, b->now) || full(t, b))
		return false;
	if (!b->items) {
		buf_json_key(&b->body, "starts");
		buf_addc(&b->body, '[');
	}
	b->items++;
	add_run(&b->body, r);
	buf_json_kv_i64(&b->body, "ago_ms", b->now - r->started_ms);
	buf_json_kv_i64(&b->body, "host_pid", payload_pid(r->payload));
	buf_addc(&b->body, '}');
	r->start_sent = true;
	return true;
}

static void add_starts(struct talk *t, struct builder *b)
{
	struct run *r;

	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ACTIVE), entry)
		add_start(t, b, r);
	TAILQ_FOREACH (r, runs_list(t->runs, RUN_UPLOADING), entry)
		add_start(t, b, r);
	if (b->items)
		buf_addc(&b->body, ']');
}

static bool end_due(const struct talk *t, const struct run *r, int64_t now)
{
	return r->tell_after_ms <= now &&
	       r->end_mark <= journal_synced(t->journal);
}

static void add_ends(struct talk *t, struct builder *b)
{
	struct run *r;

	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ENDED), entry) {
		if (full(t, b))
			break;
		if (!end_due(t, r, b->now))
			continue;
		if (!b->ends++) {
			buf_json_key(&b->body, "ends");
			buf_addc(&b->body, '[');
		}
		b->items++;
		ending_report(&b->body, r, b->now);
		r->end_sent = true;
		if (!r->counted)
			continue;
		b->reported.slots++;
		b->reported.cores += r->cores;
		b->reported.memory += r->memory;
	}
	if (b->ends)
		buf_addc(&b->body, ']');
}

static void add_live(struct talk *t, struct builder *b)
{
	struct run *r;

	buf_json_key(&b->body, "live");
	buf_addc(&b->body, '[');
	for (int s = RUN_FETCHING; s < RUN_GONE; s++) {
		TAILQ_FOREACH (r, runs_list(t->runs, (enum run_state)s),
			       entry) {
			if (r->stale || r->end_sent)
				continue;
			add_run(&b->body, r);
			buf_addc(&b->body, '}');
		}
	}
	buf_addc(&b->body, ']');
	t->live_told_ms = b->now;
	t->report_live = true;
}

/* The ends make room, so that the answer can fill it. */
static void add_request(struct talk *t, struct builder *b)
{
	struct room room;

	if (!b->ends || t->claim.call || t->first_report || t->opt.cycles ||
	    !t->opt.wait_s)
		return;
	claim_room(t, &b->reported, &room);
	if (!claim_wants(t, &room))
		return;
	buf_json_kv_i64(&b->body, "request", t->request);
	claim_room_write(&b->body, &room);
	t->report_granting = true;
}

/* Live runs are listed every heartbeat; a pilot without a parked claim says
 * that it is there, too. */
static bool heartbeat_due(struct talk *t, int64_t now)
{
	int64_t every = t->heartbeat_ms;

	if (t->tell_live)
		return true;
	if (!runs_live(t->runs)) {
		if (t->claim.call)
			return false;
		every = t->lease_ms / 3;
	}
	if (now - t->live_told_ms >= every)
		return true;
	talk_turn_at(t, t->live_told_ms + every);
	return false;
}

static bool anything_due(struct talk *t, int64_t now)
{
	struct run *r;

	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ENDED), entry)
		if (end_due(t, r, now))
			return true;
	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ACTIVE), entry)
		if (start_due(r, now))
			return true;
	TAILQ_FOREACH (r, runs_list(t->runs, RUN_UPLOADING), entry)
		if (start_due(r, now))
			return true;
	return t->first_report || (t->drain && !t->drain_told);
}

static int64_t timeout_ms(const struct talk *t)
{
	return t->lease_ms / 2 < 5000 ? 5000 : t->lease_ms / 2;
}

static void send_report(struct talk *t, bool live, int64_t now)
{
	struct builder b = { .now = now };
	struct buf path = BUF_INIT;

	buf_addc(&b.body, '{');
	add_starts(t, &b);
	add_ends(t, &b);
	if (live)
		add_live(t, &b);
	add_request(t, &b);
	if (t->drain) {
		buf_json_kv_bool(&b.body, "drained", true);
		t->drain_told = true;
	}
	buf_addc(&b.body, '}');
	t->in_report = b.items;
	buf_addf(&path, "/api/v1/pilots/%s/report", t->pilot_id);
	talk_send(t, &t->report, "POST", buf_str(&path), t->token, &b.body,
		  timeout_ms(t), on_reported);
	buf_fini(&path);
	buf_fini(&b.body);
}

bool report_paced(struct talk *t)
{
	int64_t next = t->report.sent_ms + PACE_MS;

	if (runs_count(t->runs, RUN_READY) <= 2 * t->opt.slots ||
	    clock_mono_ms() >= next)
		return false;
	talk_turn_at(t, next);
	return true;
}

void report_turn(struct talk *t)
{
	int64_t now = clock_mono_ms();
	bool live;

	if (t->report.call || report_paced(t))
		return;
	if (!backoff_ready(&t->report.backoff, now)) {
		talk_turn_at(t, t->report.backoff.until_ms);
		return;
	}
	live = heartbeat_due(t, now) || t->first_report;
	if (live || anything_due(t, now))
		send_report(t, live, now);
}
