/*
 * Output on its way to the server: what a running payload writes is there
 * within two seconds, and its end is told after the last byte, or marked
 * incomplete.  A small output of a short run travels inside its end instead.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pilot/talk.h"

#define UPLOADS_MAX 4 /* chunks under way at once */
#define UPLOAD_TIMEOUT_MS 20000
#define LAST_CHUNK_MS 30000 /* then the end is told without it */
#define LAST_WORDS_MS 3000  /* kept for that when draining */
#define TAIL_PACE_MS 1500   /* of a stream beyond its head */
#define CONFLICTS_MAX 5

static void enqueue(struct talk *t, struct run_stream *s)
{
	if (s->queued || s->call || s->incomplete)
		return;
	s->queued = true;
	TAILQ_INSERT_TAIL(&t->streams, s, entry);
	talk_turn_soon(t);
}

static void dequeue(struct talk *t, struct run_stream *s)
{
	if (s->queued)
		TAILQ_REMOVE(&t->streams, s, entry);
	s->queued = false;
}

static bool ended(const struct run *r)
{
	return r->ended_ms != 0;
}

static void measure(struct run_stream *s)
{
	if (!ended(s->run))
		s->size = payload_output_size(s->run->payload, s->which);
}

void upload_grown(struct talk *t, struct run *r)
{
	for (int i = 0; i < 2; i++) {
		measure(&r->out[i]);
		if (r->out[i].size > r->out[i].sent && !r->stale)
			enqueue(t, &r->out[i]);
	}
}

void upload_last(struct talk *t, struct run *r)
{
	bool more = false;

	for (int i = 0; i < 2; i++) {
		struct run_stream *s = &r->out[i];

		s->size = payload_output_size(r->payload, s->which);
		s->not_before_ms = 0;
		s->inlined =
			s->sent == 0 && !s->call && s->size <= t->inline_max;
		if (s->inlined) {
			dequeue(t, s);
			continue;
		}
		if (s->size <= s->sent || s->incomplete)
			continue;
		enqueue(t, s);
		more = true;
	}
	if (!more)
		return;
	r->upload_deadline_ms = clock_mono_ms() + LAST_CHUNK_MS;
	runs_move(t->runs, r, RUN_UPLOADING);
}

void upload_drop(struct talk *t, struct run *r)
{
	for (int i = 0; i < 2; i++) {
		dequeue(t, &r->out[i]);
		if (!r->out[i].call)
			continue;
		httpc_cancel(r->out[i].call);
		r->out[i].call = NULL;
		t->uploads--;
	}
}

static void give_up(struct run_stream *s, const char *why)
{
	if (!s->incomplete)
		log_warn("%s of job %lld is incomplete: %s",
			 s->which == PAYLOAD_STDOUT ? "stdout" : "stderr",
			 (long long)s->run->job, why);
	s->incomplete = true;
}

static bool done(const struct run_stream *s)
{
	return s->inlined || s->incomplete || s->sent >= s->size;
}

static void finish_if_done(struct talk *t, struct run *r)
{
	if (r->state != RUN_UPLOADING || !done(&r->out[0]) || !done(&r->out[1]))
		return;
	upload_drop(t, r);
	work_end_final(t, r);
}

/* The server says where it is: go there. */
static void moved(struct run_stream *s, struct json_object *detail)
{
	int64_t has = -1;

	if (detail && json_type(detail) == JSON_OBJECT &&
	    json_get(detail, "has"))
		has = json_get_int(detail, "has");
	if (has < 0 || ++s->conflicts > CONFLICTS_MAX)
		give_up(s, "the server does not take it");
	else
		s->sent = has;
}

static void advance(struct run_stream *s, struct json_object *doc)
{
	int64_t has = doc ? json_get_int(doc, "has") : 0;

	s->conflicts = 0;
	if (has > s->sent)
		s->sent = has;
	else
		give_up(s, "the server does not say what it has");
}

static void on_chunk(const struct httpc_reply *reply, void *arg)
{
	struct run_stream *s = arg;
	struct run *r = s->run;
	struct talk *t = r->talk;
	struct arena *a = arena_new();
	struct answer ans;

	s->call = NULL;
	t->uploads--;
	link_answer(&t->link, a, reply, s->url, s->call_ms, &ans);
	if (ans.kind == ANSWER_OK) {
		backoff_ok(&t->upload_backoff);
		advance(s, ans.doc);
	} else if (ans.kind == ANSWER_AWAY || answer_unknown_pilot(&ans)) {
		if (ans.kind == ANSWER_REFUSED)
			link_failed(&t->link, s->url, &ans.err);
		talk_failed(t, &t->upload_backoff, &ans);
	} else if (ans.status == 409 && ans.code == ERR_CONFLICT) {
		moved(s, ans.doc);
	} else {
		give_up(s, ans.err.text);
	}
	arena_free(a);
	measure(s);
	if (!done(s))
		enqueue(t, s);
	finish_if_done(t, r);
	talk_turn_soon(t);
}

static void put(struct talk *t, struct run_stream *s, int64_t offset,
		size_t len)
{
	struct run *r = s->run;
	struct buf path = BUF_INIT;
	struct httpc_request q = {
		.method = "PUT",
		.base = link_url(&t->link),
		.token = t->token,
		.content_type = "application/octet-stream",
		.body = t->chunk.data,
		.body_len = len,
		.timeout_ms = UPLOAD_TIMEOUT_MS,
		.connect_timeout_ms = t->lease_ms / 3,
	};

	buf_addf(&path,
		 "/api/v1/pilots/%s/runs/%s/output/%s?job=%lld&offset=%lld",
		 t->pilot_id, r->id,
		 s->which == PAYLOAD_STDOUT ? "stdout" : "stderr",
		 (long long)r->job, (long long)offset);
	q.path = buf_str(&path);
	s->url = q.base;
	s->call_ms = clock_mono_ms();
	s->call = httpc_start(t->http, &q, on_chunk, s);
	t->uploads++;
	buf_fini(&path);
}

/* Where the next chunk begins: where the server is; beyond the head what is
 * neither head nor tail is left out. */
static int64_t next_offset(const struct talk *t, const struct run_stream *s)
{
	int64_t tail = s->size - t->tail_max;

	if (s->sent < t->head_max || tail <= s->sent)
		return s->sent;
	return tail;
}

static void send_chunk(struct talk *t, struct run_stream *s)
{
	int64_t offset, len = t->chunk_max, n;

	measure(s);
	offset = next_offset(t, s);
	if (offset < t->head_max && len > t->head_max - offset)
		len = t->head_max - offset;
	if (len > s->size - offset)
		len = s->size - offset;
	if (len <= 0)
		return;
	buf_reset(&t->chunk);
	buf_reserve(&t->chunk, (size_t)len);
	n = payload_output_read(s->run->payload, s->which, &offset,
				t->chunk.data, len);
	if (n <= 0) {
		/* Truncated by the payload itself, or a broken disk. */
		if (n < 0 || ended(s->run))
			give_up(s, "it cannot be read back");
		return;
	}
	if (!ended(s->run) && offset + n >= t->head_max)
		s->not_before_ms = clock_mono_ms() + TAIL_PACE_MS;
	put(t, s, offset, (size_t)n);
}

static void check_deadline(struct talk *t, struct run *r, int64_t now)
{
	bool last = t->drained_ms && now >= t->drained_ms - LAST_WORDS_MS;

	/* Time counts only while somebody is there to take it. */
	if (t->link.down_since_ms && !last)
		r->upload_deadline_ms = now + LAST_CHUNK_MS;
	if (now < r->upload_deadline_ms && !last)
		return;
	for (int i = 0; i < 2; i++)
		if (!done(&r->out[i]))
			give_up(&r->out[i],
				"the server did not take it in time");
	finish_if_done(t, r);
}

void upload_turn(struct talk *t)
{
	int64_t now = clock_mono_ms();
	struct run_stream *s, *next;
	struct run *r, *after;

	if (!backoff_ready(&t->upload_backoff, now)) {
		talk_turn_at(t, t->upload_backoff.until_ms);
	} else {
		for (s = TAILQ_FIRST(&t->streams);
		     s && t->uploads < UPLOADS_MAX; s = next) {
			next = TAILQ_NEXT(s, entry);
			if (s->not_before_ms > now) {
				talk_turn_at(t, s->not_before_ms);
				continue;
			}
			dequeue(t, s);
			send_chunk(t, s);
		}
	}
	for (r = TAILQ_FIRST(runs_list(t->runs, RUN_UPLOADING)); r; r = after) {
		after = TAILQ_NEXT(r, entry);
		finish_if_done(t, r);
		if (r->state == RUN_UPLOADING)
			check_deadline(t, r, now);
	}
}
