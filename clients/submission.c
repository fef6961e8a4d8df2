/*
 * Sends jobs so that a repeat after a lost answer makes nothing twice: every
 * request carries a key of its own.  Parts overlap: while the server stores
 * one, the next is under way.
 */
#include "clients/submission.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clients/progress.h"
#include "lib/id.h"

/* More than this goes in parts. */
#define ONE_BODY_MAX (512 * 1024)
#define ONE_JOBS_MAX 1000
#define AT_ONCE 3

/* What an answer says of the jobs: each, or a first one and their number. */
static void read_numbers(struct cli *c, struct json_object *doc,
			 struct refs *refs)
{
	struct json_object *jobs = json_get(doc, "jobs");
	int64_t first = json_get_int(doc, "first");
	int64_t count = json_get_int(doc, "count");

	*refs = (struct refs){ 0 };
	if (jobs == NULL || json_type(jobs) != JSON_ARRAY) {
		if (count > 0)
			refs_add(c->arena, refs, first, first + count - 1);
		return;
	}
	for (size_t i = 0; i < json_len(jobs); i++) {
		int64_t n = json_get_int(json_at(jobs, i), "number");

		refs_add(c->arena, refs, n, n);
	}
	refs_sort(refs);
}

bool submission_send_body(struct cli *c, const char *body, size_t len,
			  struct call_answer *answer, struct refs *refs,
			  struct err *e)
{
	char key[ID_UUID_LEN + 1];
	struct call_request r = { .method = "POST",
				  .path = "/api/v1/jobs",
				  .key = key,
				  .body = body,
				  .body_len = len };

	id_uuid_random(key);
	if (!call_send(c, c->arena, &r, answer, e))
		return false;
	read_numbers(c, answer->doc, refs);
	return true;
}

struct sending {
	struct cli *c;
	struct parts *parts;
	const char *id; /* of the submission */
	struct event_base *base;
	struct httpc *http;
	struct progress *bar;
	size_t next, under_way;
	int64_t sent; /* jobs acknowledged */
	bool failed;
	struct err *e;
	struct slot {
		struct sending *owner;
		size_t part;
		bool busy;
	} slots[AT_ONCE];
};

static void part_path(const struct sending *s, size_t part, char *path,
		      size_t cap)
{
	snprintf(path, cap, "/api/v1/submissions/%s/parts/%zu", s->id,
		 part + 1);
}

/* The patient way, when the quick one met trouble. */
static bool send_again(struct sending *s, size_t part)
{
	struct buf body = BUF_INIT;
	struct call_answer answer;
	struct arena *a = arena_new();
	char path[128];
	struct call_request r = { .method = "PUT", .path = path };
	bool ok;

	part_path(s, part, path, sizeof(path));
	ok = parts_read(s->parts, part, &body, s->e);
	if (ok) {
		r.body = body.data;
		r.body_len = body.len;
		ok = call_send(s->c, a, &r, &answer, s->e);
	}
	arena_free(a);
	buf_fini(&body);
	return ok;
}

static void send_more(struct sending *s);

static void part_done(struct slot *slot, const struct httpc_reply *reply)
{
	struct sending *s = slot->owner;

	slot->busy = false;
	s->under_way--;
	if (s->failed)
		return;
	if (!reply->ok || reply->status == 503 || reply->status == 504) {
		progress_hide(s->bar);
		s->failed = !send_again(s, slot->part);
	} else if (reply->status < 200 || reply->status > 299) {
		s->failed = true;
		call_error(s->c, reply, s->e);
	}
	if (s->failed)
		return;
	s->sent += parts_jobs_of(s->parts, slot->part);
	progress_set(s->bar, s->sent, NULL);
	send_more(s);
}

static void on_part(const struct httpc_reply *reply, void *arg)
{
	part_done(arg, reply);
}

static struct slot *free_slot(struct sending *s)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (!s->slots[i].busy)
			return &s->slots[i];
	return NULL;
}

static void send_more(struct sending *s)
{
	struct slot *slot;
	struct buf body = BUF_INIT;
	char path[128];
	struct httpc_request q = {
		.method = "PUT",
		.base = call_url(s->c),
		.path = path,
		.token = call_token(s->c),
	};

	while (!s->failed && s->next < parts_n(s->parts) &&
	       (slot = free_slot(s)) != NULL) {
		slot->owner = s;
		slot->part = s->next++;
		part_path(s, slot->part, path, sizeof(path));
		if (!parts_read(s->parts, slot->part, &body, s->e)) {
			s->failed = true;
			break;
		}
		q.body = body.data;
		q.body_len = body.len;
		slot->busy = true;
		s->under_way++;
		httpc_start(s->http, &q, on_part, slot);
	}
	buf_fini(&body);
}

static bool send_parts(struct sending *s)
{
	s->base = event_base_new();
	if (s->base == NULL)
		return err_set(s->e, ERR_INTERNAL,
			       "no event loop can be made "
			       "on this machine");
	s->http = httpc_new(s->base, call_tls(s->c));
	send_more(s);
	while (s->under_way > 0 && !s->failed)
		event_base_loop(s->base, EVLOOP_ONCE);
	httpc_free(s->http);
	event_base_free(s->base);
	return !s->failed;
}

static bool open_submission(struct sending *s)
{
	char key[ID_UUID_LEN + 1];
	struct call_request r = { .method = "POST",
				  .path = "/api/v1/submissions",
				  .key = key,
				  .body = "{}" };
	struct call_answer answer;

	id_uuid_random(key);
	if (!call_send(s->c, s->c->arena, &r, &answer, s->e))
		return false;
	s->id = json_get_str(answer.doc, "id");
	return s->id != NULL || err_set(s->e, ERR_INTERNAL,
					"the server's "
					"answer has no submission id");
}

static bool commit(struct sending *s, struct call_answer *answer)
{
	char path[128], body[64];
	struct call_request r = {
		.method = "POST",
		.path = path,
		.body = body,
		.key = s->id,
		.wait_s = 600 /* a million jobs take their time */
	};

	snprintf(path, sizeof(path), "/api/v1/submissions/%s/commit", s->id);
	snprintf(body, sizeof(body), "{\"parts\":%zu}", parts_n(s->parts));
	return call_send(s->c, s->c->arena, &r, answer, s->e);
}

static void give_up(struct sending *s)
{
	char path[128];
	struct call_request r = { .method = "DELETE",
				  .path = path,
				  .once = true };
	struct call_answer answer;
	struct err ignored = ERR_INIT;

	snprintf(path, sizeof(path), "/api/v1/submissions/%s", s->id);
	if (!call_send(s->c, s->c->arena, &r, &answer, &ignored))
		return; /* the server drops it after an hour */
}

bool submission_send(struct cli *c, struct parts *parts,
		     struct call_answer *answer, struct refs *refs,
		     struct err *e)
{
	struct sending s = { .c = c, .parts = parts, .e = e };
	struct buf body = BUF_INIT;
	bool ok;

	if (parts_n(parts) == 1 && parts_jobs(parts) <= ONE_JOBS_MAX) {
		ok = parts_read(parts, 0, &body, e);
		if (!ok || body.len <= ONE_BODY_MAX) {
			ok = ok && submission_send_body(c, body.data, body.len,
							answer, refs, e);
			buf_fini(&body);
			return ok;
		}
		buf_fini(&body);
	}
	if (!open_submission(&s))
		return false;
	s.bar = progress_new("submitting", parts_jobs(parts),
			     c->settings->quiet);
	ok = send_parts(&s);
	progress_hide(s.bar);
	progress_set(s.bar, s.sent, "being stored");
	if (!ok)
		give_up(&s);
	ok = ok && commit(&s, answer);
	progress_free(s.bar);
	if (ok)
		read_numbers(c, answer->doc, refs);
	return ok;
}
