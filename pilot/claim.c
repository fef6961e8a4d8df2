/*
 * Asking for work: how much room there is, how far ahead to ask, and the
 * claim that the server holds back until it has something.  At most one call
 * that may bring grants is under way, whichever it is, and its number is used
 * again until an answer has come, so that grants whose answer was lost are
 * told again.
 */
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/talk.h"

/* While runs are shorter than that, so many are taken ahead as that time would
 * use: what is used up between two reports (PACE_MS in report.c), three times.
 * When the round trip takes longer (a busy server, a far one) twice the round
 * trip, up to a bound that still lets them begin within their second. */
#define AHEAD_RUN_US 100000
#define AHEAD_USE_US 150000
#define AHEAD_USE_MAX_US 400000
#define AHEAD_LEAST_US 500
#define AHEAD_MAX 500
/* A parked claim that names less room than there is now is renewed after a
 * while: at once would cost a connection for every run.  When it is less than
 * half, and so perhaps too little for what waits, after a twentieth of a run. */
#define RENEW_MIN_MS 50
#define RENEW_MAX_MS 1000
/* What the answer may take beyond the wait. */
#define CLAIM_MARGIN_MS 15000
/* An answer that is empty sooner than that did not wait as asked. */
#define QUICK_MS 50

void claim_note_run(struct talk *t, int64_t wall_us)
{
	if (wall_us < 1)
		wall_us = 1;
	t->run_us = t->run_us ? (t->run_us * 7 + wall_us) / 8 : wall_us;
}

void claim_note_trip(struct talk *t, int64_t trip_us)
{
	t->trip_us = t->trip_us ? (t->trip_us * 7 + trip_us) / 8 : trip_us;
}

/* Every run takes a core, so no more run at once. */
static int64_t places(const struct talk *t)
{
	return t->opt.slots < t->opt.cores ? t->opt.slots : t->opt.cores;
}

static int64_t ahead(const struct talk *t)
{
	int64_t us = t->run_us, use = AHEAD_USE_US, n;

	if (us == 0 || us >= AHEAD_RUN_US || t->opt.cycles || !t->opt.wait_s)
		return 0;
	if (us < AHEAD_LEAST_US)
		us = AHEAD_LEAST_US;
	if (use < 2 * t->trip_us)
		use = 2 * t->trip_us;
	if (use > AHEAD_USE_MAX_US)
		use = AHEAD_USE_MAX_US;
	n = places(t) * use / us;
	return n > AHEAD_MAX ? AHEAD_MAX : n;
}

static int64_t left(int64_t whole, int64_t used)
{
	return whole > used ? whole - used : 0;
}

void claim_room(const struct talk *t, const struct room *reported,
		struct room *out)
{
	int64_t slots = t->live.slots - reported->slots;

	out->slots = left(t->opt.slots, slots);
	out->cores = left(t->opt.cores, t->live.cores - reported->cores);
	/* A claim that nothing can fit would stand in the way of the next. */
	if (out->slots > out->cores)
		out->slots = out->cores;
	out->memory = left(t->opt.memory, t->live.memory - reported->memory);
	out->ahead = left(ahead(t), left(slots, places(t)));
}

bool claim_wants(const struct talk *t, const struct room *room)
{
	int64_t now = clock_mono_ms();

	if (t->phase != TALK_WORKING || blackhole_paused(&t->blackhole, now) ||
	    !backoff_ready(&t->claim.backoff, now))
		return false;
	return room->slots > 0 || room->ahead > 0;
}

void claim_room_write(struct buf *b, const struct room *room)
{
	buf_json_key(b, "free");
	buf_addc(b, '{');
	buf_json_kv_i64(b, "slots", room->slots);
	buf_json_kv_i64(b, "cores", room->cores);
	buf_json_kv_i64(b, "memory", room->memory);
	if (room->ahead)
		buf_json_kv_i64(b, "ahead", room->ahead);
	buf_addc(b, '}');
}

void claim_cancel(struct talk *t)
{
	if (t->claim.call)
		httpc_cancel(t->claim.call);
	t->claim.call = NULL;
}

/* When to ask next after an answer: a poll that brought nothing waits for the
 * period; one that brought work for the next end of a run, or the period. */
static void schedule(struct talk *t, bool granted)
{
	int64_t now = clock_mono_ms();

	t->attempts++;
	t->last_granted = granted;
	if (t->opt.wait_s == 0) {
		t->next_attempt_ms = now + t->opt.period_s * 1000;
		return;
	}
	if (granted || now - t->claim.sent_ms >= QUICK_MS) {
		t->quick_empty = 0;
		return;
	}
	/* Once may be a coincidence; a server that never waits is polled. */
	if (t->quick_empty < 7)
		t->quick_empty++;
	t->next_attempt_ms = now + (10 << t->quick_empty);
}

static void on_claimed(const struct httpc_reply *r, void *arg)
{
	struct talk *t = arg;
	struct arena *a = arena_new();
	struct json_object *grants;
	struct answer ans;

	if (talk_answer(t, &t->claim, a, r, &ans) && ans.doc) {
		grants = json_get(ans.doc, "grants");
		t->request++;
		schedule(t, grants && json_type(grants) == JSON_ARRAY &&
				    json_len(grants) > 0);
		work_grants(t, grants, false);
		orders_obey(t, json_get(ans.doc, "orders"));
	}
	arena_free(a);
	talk_turn_soon(t);
}

static void ask(struct talk *t, const struct room *room)
{
	struct buf b = BUF_INIT, path = BUF_INIT;

	buf_addc(&b, '{');
	buf_json_kv_i64(&b, "request", t->request);
	claim_room_write(&b, room);
	buf_json_kv_i64(&b, "wait", t->opt.wait_s);
	buf_addc(&b, '}');
	buf_addf(&path, "/api/v1/pilots/%s/claim", t->pilot_id);
	talk_send(t, &t->claim, "POST", buf_str(&path), t->token, &b,
		  t->opt.wait_s * 1000 + CLAIM_MARGIN_MS, on_claimed);
	t->claimed = *room;
	buf_fini(&path);
	buf_fini(&b);
}

/* The one under way asks for less than there is room for by now. */
static bool outdated(struct talk *t, const struct room *room)
{
	const struct room *said = &t->claimed;
	int64_t renew_ms = RENEW_MAX_MS;

	if (room->slots <= said->slots && room->cores <= said->cores)
		return false;
	if (room->cores > 2 * said->cores || room->memory > 2 * said->memory)
		renew_ms = t->run_us / 20000;
	if (renew_ms < RENEW_MIN_MS)
		renew_ms = RENEW_MIN_MS;
	if (renew_ms > RENEW_MAX_MS)
		renew_ms = RENEW_MAX_MS;
	if (clock_mono_ms() - t->claim.sent_ms >= renew_ms)
		return true;
	talk_turn_at(t, t->claim.sent_ms + renew_ms);
	return false;
}

/* Ends that can be told go first: until then the server counts their runs. */
static bool ends_wait(struct talk *t)
{
	int64_t now = clock_mono_ms();
	struct run *r;

	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ENDED), entry)
		if (r->tell_after_ms <= now)
			return true;
	return false;
}

void claim_turn(struct talk *t)
{
	static const struct room none;
	struct room room;

	if (t->opt.cycles && t->attempts >= t->opt.cycles) {
		talk_drain(t, DRAIN_USED_UP, "all attempts are used up");
		return;
	}
	if (t->first_report || t->report_granting || ends_wait(t))
		return;
	claim_room(t, &none, &room);
	if (room.slots == 0 || !claim_wants(t, &room))
		return;
	if (t->claim.call) {
		if (!outdated(t, &room))
			return;
		claim_cancel(t);
	}
	if (clock_mono_ms() < t->next_attempt_ms) {
		talk_turn_at(t, t->next_attempt_ms);
		return;
	}
	ask(t, &room);
}
