/*
 * What happens to a run here: it is granted, fetched for, started, ended,
 * kept in the journal, and forgotten when the server has taken note.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/ending.h"
#include "pilot/talk.h"

/* A start is told this late, because most short runs end before and then one
 * message tells both. */
#define TELL_START_MS 20
/* How far the server's idea of our end may be behind ours. */
#define LIFETIME_SLACK_MS 5000
#define COMPACT_BYTES (INT64_C(4) << 20)
#define RUN_ID_LEN 16

static void room_add(struct room *room, const struct run *r, int sign)
{
	room->slots += sign;
	room->cores += sign * (int64_t)r->cores;
	room->memory += sign * r->memory;
}

static void journal_grant(struct talk *t, const struct run *r)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s %lld", r->id,
			 (long long)r->job);

	journal_add(t->journal, JOURNAL_GRANT, text, (size_t)n);
}

static void journal_end(struct journal *j, struct run *r)
{
	struct buf b = BUF_INIT;
	int64_t ago = clock_mono_ms() - r->ended_ms;

	buf_addf(&b, "%s %lld %lld ", r->id, (long long)r->job,
		 (long long)(clock_wall_ms() - ago));
	buf_add(&b, r->end, r->end_len);
	r->end_mark = journal_add(j, JOURNAL_END, b.data, b.len);
	buf_fini(&b);
}

static void payload_gone(struct run *r)
{
	if (r->payload)
		payload_free(r->payload);
	r->payload = NULL;
}

void work_forget(struct talk *t, struct run *r)
{
	if (r->state == RUN_GONE)
		return;
	fetch_drop(t, r);
	upload_drop(t, r);
	payload_gone(r);
	arena_free(r->arena);
	r->arena = NULL;
	if (r->counted)
		room_add(&t->live, r, -1);
	r->counted = false;
	journal_add(t->journal, JOURNAL_ACK, r->id, strlen(r->id));
	runs_move(t->runs, r, RUN_GONE);
}

/* Its end is in r->end: keep it and tell it. */
static void end_ready(struct talk *t, struct run *r)
{
	journal_end(t->journal, r);
	runs_move(t->runs, r, RUN_ENDED);
	talk_turn_soon(t);
}

void work_end_unstarted(struct talk *t, struct run *r, const char *state,
			const char *reason)
{
	struct ending end;

	fetch_drop(t, r);
	arena_free(r->arena);
	r->arena = NULL;
	r->ended_ms = clock_mono_ms();
	ending_unstarted(&end, state, reason);
	ending_write(r, &end);
	log_debug("run %s of job %lld: %s %s", r->id, (long long)r->job, state,
		  reason);
	end_ready(t, r);
}

void work_end_final(struct talk *t, struct run *r)
{
	struct ending end;

	ending_of_payload(&end, payload_end(r->payload), r);
	ending_write(r, &end);
	payload_gone(r);
	end_ready(t, r);
}

/* Work of one kind: same owner, project and jobtype. */
static uint64_t kind_of(const struct payload_grant *g)
{
	const char *part[] = { g->owner, g->project, g->jobtype };
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
		for (const char *c = part[i]; *c; c++)
			h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
		h *= UINT64_C(1099511628211);
	}
	return h;
}

static void note_end(struct talk *t, struct run *r, const struct ending *end)
{
	bool failed = strcmp(end->state, "failed") == 0;
	int64_t now = clock_mono_ms(), pause;

	log_debug("run %s of job %lld: %s%s%s", r->id, (long long)r->job,
		  end->state, end->reason[0] ? ": " : "", end->reason);
	if (end->own_fault)
		return;
	pause = blackhole_note(&t->blackhole, kind_of(&r->grant), failed,
			       end->wall_ms, now);
	if (!pause)
		return;
	log_warn("%d runs in a row have failed at once: taking no work for "
		 "%lld s; the last one, of job %lld: %s",
		 t->blackhole.in_a_row, (long long)(pause / 1000),
		 (long long)r->job,
		 end->reason[0] ? end->reason : "see its output");
	work_return_ready(t, -1, "pilot pauses");
	talk_turn_at(t, t->blackhole.until_ms);
}

static void on_started(struct payload *p, void *arg)
{
	struct run *r = arg;

	(void)p;
	r->started_ms = clock_mono_ms();
	r->tell_after_ms = r->started_ms + TELL_START_MS;
	talk_turn_at(r->talk, r->tell_after_ms);
}

static void on_output(struct payload *p, void *arg)
{
	struct run *r = arg;

	(void)p;
	upload_grown(r->talk, r);
}

/* The next run begins before this end is written down: a core that waits for
 * that costs more than anything else in a short run. */
static void start_next(struct talk *t)
{
	if (t->phase == TALK_WORKING || t->phase == TALK_DRAINING)
		work_start_ready(t);
}

static void on_ended(struct payload *p, void *arg)
{
	struct run *r = arg;
	struct talk *t = r->talk;
	struct ending end;

	r->ended_ms = clock_mono_ms();
	r->tell_after_ms = 0;
	room_add(&t->active, r, -1);
	if (t->last_granted)
		t->next_attempt_ms = 0;
	if (r->stale) {
		work_forget(t, r);
		talk_turn_soon(t);
		return;
	}
	claim_note_run(t, clock_mono_us() - r->begun_us);
	ending_of_payload(&end, payload_end(p), r);
	note_end(t, r, &end);
	start_next(t);
	upload_last(t, r);
	if (r->state == RUN_UPLOADING) {
		/* Should we die now, this is what our heir tells. */
		ending_write(r, &end);
		journal_end(t->journal, r);
		talk_turn_soon(t);
		return;
	}
	ending_write(r, &end);
	payload_gone(r);
	end_ready(t, r);
}

static bool fits(const struct talk *t, const struct run *r)
{
	const struct room *a = &t->active;

	if (a->slots == 0)
		return true;
	return a->slots < t->opt.slots && a->cores + r->cores <= t->opt.cores &&
	       (t->opt.memory == 0 || a->memory + r->memory <= t->opt.memory);
}

static void start(struct talk *t, struct run *r)
{
	struct arena *a = r->arena;

	room_add(&t->active, r, 1);
	runs_move(t->runs, r, RUN_ACTIVE);
	r->begun_us = clock_mono_us();
	r->arena = NULL;
	r->payload = payload_start(t->host, a, &r->grant, fetch_paths(r),
				   on_started, on_output, on_ended, r);
	fetch_drop(t, r);
}

void work_start_ready(struct talk *t)
{
	struct run *r;

	/* In the order of the grants: nobody overtakes one that waits. */
	while ((r = TAILQ_FIRST(runs_list(t->runs, RUN_READY))) && fits(t, r))
		start(t, r);
}

/* False when the pilot would be gone before the job's time limit. */
static bool in_time(const struct talk *t, const struct payload_grant *g)
{
	if (!t->end_ms || !g->timeout_ms)
		return true;
	return clock_mono_ms() + g->timeout_ms <= t->end_ms + LIFETIME_SLACK_MS;
}

static void take(struct talk *t, struct run *r, struct json_object *o)
{
	struct err e = ERR_INIT;
	char reason[1100];

	r->talk = t;
	r->granted_ms = clock_mono_ms();
	r->arena = arena_new();
	journal_grant(t, r);
	if (!payload_grant_read(r->arena, o, &r->grant, &e)) {
		snprintf(reason, sizeof(reason), "nonstarter: %s", e.text);
		work_end_unstarted(t, r, "failed", reason);
		return;
	}
	r->cores = r->grant.cores;
	r->memory = r->grant.memory;
	r->counted = true;
	room_add(&t->live, r, 1);
	if (t->drain >= DRAIN_SOFT) {
		work_end_unstarted(t, r, "returned", "drained");
	} else if (!in_time(t, &r->grant)) {
		backoff_fail(&t->claim.backoff, r->granted_ms, 1000);
		work_end_unstarted(t, r, "returned",
				   "the pilot's lifetime is too short");
	} else if (fetch_begin(t, r)) {
		runs_move(t->runs, r, RUN_FETCHING);
	}
}

/* A run that we have already: only if the server misses one whose end it had
 * acknowledged (it was set back) is there something to do. */
static void known(struct talk *t, struct run *r, bool missing)
{
	if (!missing || r->state != RUN_GONE)
		return;
	if (!r->end || r->stale)
		return;
	log_info("the server asks again for the end of run %s of job %lld",
		 r->id, (long long)r->job);
	end_ready(t, r);
}

static bool is_run_id(const char *s)
{
	return s && strlen(s) == RUN_ID_LEN &&
	       strspn(s, "0123456789abcdef") == RUN_ID_LEN;
}

void work_grants(struct talk *t, struct json_object *grants, bool missing)
{
	if (!grants || json_type(grants) != JSON_ARRAY)
		return;
	for (size_t i = 0; i < json_len(grants); i++) {
		struct json_object *o = json_at(grants, i);
		const char *id = NULL;
		struct run *r;

		if (json_type(o) == JSON_OBJECT)
			id = json_get_str(o, "run");
		if (!is_run_id(id)) {
			log_error("a grant without a run's id is ignored");
			continue;
		}
		r = runs_find(t->runs, id);
		if (r)
			known(t, r, missing);
		else
			take(t, runs_add(t->runs, id, json_get_int(o, "job")),
			     o);
	}
	talk_turn_soon(t);
}

void work_stale(struct talk *t, struct run *r)
{
	if (r->state == RUN_GONE || r->stale)
		return;
	log_info("run %s of job %lld is no longer ours%s", r->id,
		 (long long)r->job,
		 r->state == RUN_ACTIVE ? ": ending its payload" : "");
	r->stale = true;
	if (r->state == RUN_ACTIVE)
		payload_kill(r->payload, PAYLOAD_STALE, -1);
	else
		work_forget(t, r);
}

static void return_list(struct talk *t, enum run_state state, int64_t older_ms,
			const char *reason)
{
	struct run_list *list = runs_list(t->runs, state);
	int64_t now = clock_mono_ms();
	struct run *r, *next;

	for (r = TAILQ_FIRST(list); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (older_ms >= 0 && now - r->granted_ms <= older_ms)
			continue;
		work_end_unstarted(t, r, "returned", reason);
		/* We took more ahead than we could start. */
		if (older_ms >= 0)
			claim_note_run(t, older_ms * 1000);
	}
}

void work_return_ready(struct talk *t, int64_t older_ms, const char *reason)
{
	return_list(t, RUN_READY, older_ms, reason);
	if (older_ms < 0)
		return_list(t, RUN_FETCHING, older_ms, reason);
}

void work_kill_all(struct talk *t, enum payload_why why, int64_t grace_ms)
{
	struct run *r;

	TAILQ_FOREACH (r, runs_list(t->runs, RUN_ACTIVE), entry)
		payload_kill(r->payload, why, grace_ms);
}

/* "RUN JOB WALL_MS JSON", the last three as far as the kind has them. */
void work_replay(enum journal_kind kind, const char *text, size_t len,
		 void *arg)
{
	struct talk *t = arg;
	char id[RUN_ID_LEN + 1];
	struct run *r;
	char *at;
	int64_t wall;

	if (len < RUN_ID_LEN)
		return;
	snprintf(id, sizeof(id), "%s", text);
	r = runs_find(t->runs, id);
	if (kind == JOURNAL_ACK) {
		if (r)
			runs_move(t->runs, r, RUN_GONE);
		return;
	}
	if (!r)
		r = runs_add(t->runs, id, strtoll(text + RUN_ID_LEN, &at, 10));
	if (kind != JOURNAL_END)
		return;
	r->job = strtoll(text + RUN_ID_LEN, &at, 10);
	wall = strtoll(at, &at, 10);
	if (*at++ != ' ')
		return;
	free(r->end);
	r->end_len = len - (size_t)(at - text);
	r->end = xstrndup(at, r->end_len);
	r->ended_ms = clock_mono_ms() - (clock_wall_ms() - wall);
	runs_move(t->runs, r, RUN_ENDED);
}

void work_replayed(struct talk *t)
{
	struct run_list *list = runs_list(t->runs, RUN_READY);
	int lost = runs_count(t->runs, RUN_READY);

	/* Their payloads died with the pilot that had started them. */
	while (!TAILQ_EMPTY(list))
		runs_move(t->runs, TAILQ_FIRST(list), RUN_GONE);
	if (lost)
		log_info("%d run%s of the pilot that was here before: lost",
			 lost, lost == 1 ? "" : "s");
}

static void compact_fill(struct journal *j, void *arg)
{
	struct talk *t = arg;
	struct run *r;

	for (int s = RUN_FETCHING; s < RUN_GONE; s++) {
		TAILQ_FOREACH (r, runs_list(t->runs, (enum run_state)s),
			       entry) {
			journal_grant(t, r);
			if (r->end)
				journal_end(j, r);
		}
	}
}

void work_compact(struct talk *t)
{
	struct err e = ERR_INIT;

	if (t->compact_at == 0)
		t->compact_at = COMPACT_BYTES;
	if (t->phase == TALK_DONE || journal_size(t->journal) < t->compact_at)
		return;
	if (!journal_rewrite(t->journal, compact_fill, t, &e)) {
		if (e.code == ERR_UNAVAILABLE)
			return;
		log_warn("%s; it grows on", e.text);
	}
	t->compact_at = journal_size(t->journal) * 2 + COMPACT_BYTES;
}

void work_free_payloads(struct talk *t)
{
	struct run *r;

	for (int s = 0; s < RUN_STATES; s++)
		TAILQ_FOREACH (r, runs_list(t->runs, (enum run_state)s), entry)
			payload_gone(r);
}
