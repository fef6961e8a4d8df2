/* Submissions on their way to the database: many requests as one statement of
 * arrays, special ones each alone. */
#include "server/lanes_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/log.h"
#include "server/stamp.h"
#include "server/wake.h"

#define BATCH_JOBS 2000
#define TRIES_MAX 3

/* The projects of a batch, each once, with its queueable jobs so far. */
struct projects {
	struct arena *arena;
	int32_t *id;
	int64_t *queueable;
	size_t n, cap, last;
};

static size_t project_index(struct projects *p, int32_t id)
{
	if (p->n > 0 && p->id[p->last] == id)
		return p->last;
	for (p->last = 0; p->last < p->n; p->last++)
		if (p->id[p->last] == id)
			return p->last;
	if (p->n == p->cap) {
		size_t cap = p->cap > 0 ? 2 * p->cap : 8;
		int32_t *ids = ARENA_ARRAY(p->arena, int32_t, cap);
		int64_t *queueable = ARENA_ARRAY(p->arena, int64_t, cap);

		if (p->n > 0) {
			memcpy(ids, p->id, p->n * sizeof(*ids));
			memcpy(queueable, p->queueable,
			       p->n * sizeof(*queueable));
		}
		p->id = ids;
		p->queueable = queueable;
		p->cap = cap;
	}
	p->id[p->n] = id;
	p->queueable[p->n] = 0;
	p->last = p->n;
	return p->n++;
}

static void text_or_null(struct db_array *v, const char *s)
{
	if (s != NULL)
		db_a_text(v, s, strlen(s));
	else
		db_a_null(v);
}

/* Columns of items that every way of submitting has, in this order. */
struct columns {
	struct db_array *replicas, *class_id, *kind, *priority, *held, *due,
		*name, *definition, *tags, *sends, *key;
};

static void columns_new(struct columns *c, struct arena *a)
{
	c->replicas = db_array_new(a, DB_I32);
	c->class_id = db_array_new(a, DB_I32);
	c->kind = db_array_new(a, DB_I32);
	c->priority = db_array_new(a, DB_I32);
	c->held = db_array_new(a, DB_BOOL);
	c->due = db_array_new(a, DB_TEXT);
	c->name = db_array_new(a, DB_TEXT);
	c->definition = db_array_new(a, DB_TEXT);
	c->tags = db_array_new(a, DB_TEXT);
	c->sends = db_array_new(a, DB_TEXT);
	c->key = db_array_new(a, DB_TEXT);
}

static void column_due(struct db_array *v, int64_t due_ms)
{
	struct buf b = BUF_INIT;

	if (due_ms == 0) {
		db_a_null(v);
		return;
	}
	clock_format_utc(&b, due_ms);
	db_a_text(v, b.data, b.len);
	buf_fini(&b);
}

static void columns_add(struct columns *c, const struct submit *s,
			const struct submit_job *j)
{
	const struct class_ids *ids = &s->need[j->need].ids;

	db_a_i64(c->replicas, j->replicas);
	db_a_i64(c->class_id, ids->class_id);
	db_a_i64(c->kind, ids->kind_id);
	db_a_i64(c->priority, j->priority);
	db_a_i64(c->held, j->held);
	column_due(c->due, j->due_ms);
	text_or_null(c->name, j->name);
	db_a_text(c->definition, j->definition, j->definition_len);
	text_or_null(c->tags, j->tags);
	text_or_null(c->sends, j->sends);
	text_or_null(c->key, j->key);
}

static void columns_params(struct columns *c, struct db_params *p,
			   bool replicas, bool key)
{
	if (replicas)
		db_p_array(p, c->replicas);
	db_p_array(p, c->class_id);
	db_p_array(p, c->kind);
	db_p_array(p, c->priority);
	db_p_array(p, c->held);
	db_p_array(p, c->due);
	db_p_array(p, c->name);
	db_p_array(p, c->definition);
	db_p_array(p, c->tags);
	db_p_array(p, c->sends);
	if (key)
		db_p_array(p, c->key);
}

void submit_stage_params(const struct submit *s, struct arena *a,
			 struct db_params *p)
{
	struct db_array *project = db_array_new(a, DB_I32);
	struct columns c;

	columns_new(&c, a);
	for (size_t i = 0; i < s->n; i++) {
		db_a_i64(project, s->need[s->job[i].need].ids.project_id);
		columns_add(&c, s, &s->job[i]);
	}
	db_p_array(p, project);
	columns_params(&c, p, true, true);
}

void submit_item_params(const struct submit *s, struct arena *a,
			struct db_params *p)
{
	struct columns c;

	columns_new(&c, a);
	for (size_t i = 0; i < s->n; i++)
		columns_add(&c, s, &s->job[i]);
	columns_params(&c, p, false, true);
}

static struct submit *submit_of(struct lane_item *i)
{
	return (struct submit *)i;
}

static int32_t bucket_of(struct lane_batch *b, const struct submit *s)
{
	const struct server *srv = lane_server(b->lane);

	return lanes_bucket(srv,
			    b->lane == srv->lanes->bulk || s->submission != NULL
				    ? BUCKET_BULK
				    : BUCKET_SUBMIT);
}

static const char *build_commit(struct lane_batch *b, struct db_params *p,
				const struct submit *s)
{
	db_p_text(p, s->submission);
	db_p_i32(p, s->parts);
	db_p_text(p, s->idempotency_key);
	db_p_bytes(p, s->body_hash, sizeof(s->body_hash));
	db_p_i32(p, bucket_of(b, s));
	stamp_params(b->data, p);
	db_p_i32(p, s->item.req->who.owner_id);
	return "submission_commit";
}

static void keyed_add(struct columns *c, struct db_array *project,
		      struct projects *projects, const struct submit *s,
		      const struct submit_job *j)
{
	int32_t id = s->need[j->need].ids.project_id;

	db_a_i64(project, (int64_t)project_index(projects, id) + 1);
	columns_add(c, s, j);
}

static const char *build_special(struct lane_batch *b, struct db_params *p,
				 const struct submit *s)
{
	struct projects projects = { .arena = b->arena };
	struct db_array *project_id = db_array_new(b->arena, DB_I32);
	struct db_array *project = db_array_new(b->arena, DB_I32);
	struct columns c;

	columns_new(&c, b->arena);
	for (size_t i = 0; i < s->n; i++)
		keyed_add(&c, project, &projects, s, &s->job[i]);
	for (size_t i = 0; i < projects.n; i++)
		db_a_i64(project_id, projects.id[i]);
	db_p_text(p, s->idempotency_key);
	db_p_bytes(p, s->body_hash, sizeof(s->body_hash));
	db_p_i32(p, bucket_of(b, s));
	stamp_params(b->data, p);
	db_p_i32(p, s->item.req->who.owner_id);
	db_p_array(p, project_id);
	db_p_array(p, project);
	columns_params(&c, p, true, true);
	s->special->tail(s, p);
	return s->special->stmt;
}

/* Which items are new is known only there, and with it where they lie. */
static const char *build_keyed(struct lane_batch *b, struct db_params *p)
{
	struct arena *a = b->arena;
	struct projects projects = { .arena = a };
	struct db_array *project_id = db_array_new(a, DB_I32);
	struct db_array *owner = db_array_new(a, DB_I32);
	struct db_array *key = db_array_new(a, DB_TEXT);
	struct db_array *hash = db_array_new(a, DB_BYTEA);
	struct db_array *req = db_array_new(a, DB_I32);
	struct db_array *project = db_array_new(a, DB_I32);
	struct columns c;

	columns_new(&c, a);
	for (size_t r = 0; r < b->n; r++) {
		const struct submit *s = submit_of(b->item[r]);

		db_a_i64(owner, s->item.req->who.owner_id);
		text_or_null(key, s->idempotency_key);
		db_a_text(hash, (const char *)s->body_hash,
			  sizeof(s->body_hash));
		for (size_t i = 0; i < s->n; i++) {
			db_a_i64(req, (int64_t)r + 1);
			keyed_add(&c, project, &projects, s, &s->job[i]);
		}
	}
	for (size_t i = 0; i < projects.n; i++)
		db_a_i64(project_id, projects.id[i]);
	db_p_i32(p, bucket_of(b, submit_of(b->item[0])));
	stamp_params(b->data, p);
	db_p_array(p, project_id);
	db_p_array(p, owner);
	db_p_array(p, key);
	db_p_array(p, hash);
	db_p_array(p, req);
	db_p_array(p, project);
	columns_params(&c, p, true, true);
	return "submit_keyed";
}

/* Where the items of a batch lie in it. */
struct places {
	struct db_array *req, *project, *off, *turn;
	struct projects projects;
	int64_t total;
};

static void places_add(struct places *at, size_t req, const struct submit *s,
		       const struct submit_job *j)
{
	size_t project =
		project_index(&at->projects, s->need[j->need].ids.project_id);

	db_a_i64(at->req, (int64_t)req + 1);
	db_a_i64(at->project, (int64_t)project + 1);
	db_a_i64(at->off, at->total);
	db_a_i64(at->turn, at->projects.queueable[project]);
	at->total += j->replicas;
	if (!j->held)
		at->projects.queueable[project] += j->replicas;
}

static const char *build_plain(struct lane_batch *b, struct db_params *p)
{
	struct arena *a = b->arena;
	struct db_array *owner = db_array_new(a, DB_I32);
	struct db_array *count = db_array_new(a, DB_I64);
	struct db_array *project_id = db_array_new(a, DB_I32);
	struct db_array *queueable = db_array_new(a, DB_I64);
	struct places at = { .req = db_array_new(a, DB_I32),
			     .project = db_array_new(a, DB_I32),
			     .off = db_array_new(a, DB_I64),
			     .turn = db_array_new(a, DB_I64),
			     .projects = { .arena = a } };
	struct columns c;

	columns_new(&c, a);
	for (size_t r = 0; r < b->n; r++) {
		const struct submit *s = submit_of(b->item[r]);

		db_a_i64(owner, s->item.req->who.owner_id);
		db_a_i64(count, s->total);
		for (size_t i = 0; i < s->n; i++) {
			places_add(&at, r, s, &s->job[i]);
			columns_add(&c, s, &s->job[i]);
		}
	}
	for (size_t i = 0; i < at.projects.n; i++) {
		db_a_i64(project_id, at.projects.id[i]);
		db_a_i64(queueable, at.projects.queueable[i]);
	}
	db_p_i32(p, bucket_of(b, submit_of(b->item[0])));
	stamp_params(b->data, p);
	db_p_i64(p, at.total);
	db_p_array(p, project_id);
	db_p_array(p, queueable);
	db_p_array(p, owner);
	db_p_array(p, count);
	db_p_array(p, at.req);
	db_p_array(p, at.project);
	db_p_array(p, at.off);
	db_p_array(p, at.turn);
	columns_params(&c, p, true, false);
	return "submit";
}

static bool any_keyed(const struct lane_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (submit_of(b->item[i])->keyed)
			return true;
	return false;
}

static const char *submit_build(struct lane_batch *b, struct db_params *p)
{
	const struct submit *s = submit_of(b->item[0]);

	b->data = ARENA_NEW(b->arena, struct stamp);
	stamp_init(b->data);
	if (s->make != NULL)
		return workflow_build(s, b->arena, b->data, bucket_of(b, s), p);
	if (s->submission != NULL)
		return build_commit(b, p, s);
	if (s->special != NULL)
		return build_special(b, p, s);
	if (any_keyed(b))
		return build_keyed(b, p);
	return build_plain(b, p);
}

static void wake_for(struct server *srv, const struct submit *s)
{
	size_t i = 0;

	wake_events(srv);
	if (s->submission != NULL) {
		wake_work(srv);
		return;
	}
	while (i < s->n) {
		size_t need = s->job[i].need;
		int64_t n = 0;

		for (; i < s->n && s->job[i].need == need; i++)
			if (!s->job[i].held && s->job[i].due_ms == 0)
				n += s->job[i].replicas;
		if (n > 0)
			wake_class(srv, s->need[need].ids.class_id, n);
	}
}

static void deliver_plain(struct lane_batch *b, const struct db_result *r)
{
	struct server *srv = lane_server(b->lane);

	for (size_t i = 0; i < b->n; i++)
		wake_for(srv, submit_of(b->item[i]));
	for (size_t row = 0; row < db_rows(r); row++) {
		size_t req = (size_t)db_i64(r, row, 0) - 1;

		submit_reply_range(b->item[req]->req, b->data,
				   db_i64(r, row, 1), db_i64(r, row, 2));
	}
}

enum { REQ, FIRST, N, ANSWER, FAULT };

/* One row of submit_keyed_2. */
static void deliver_keyed(struct lane_batch *b, struct submit *s,
			  const struct db_result *r, size_t row)
{
	struct req *req = s->item.req;
	struct db_fault f;
	enum db_outcome o;

	if (!db_is_null(r, row, FAULT)) {
		if (strcmp(db_text(r, row, FAULT), "40001") == 0) {
			lane_again(b->lane, &s->item);
			return;
		}
		o = db_fault_row(&f, r, row, FAULT);
		db_reply_fault(req, o, &f);
		return;
	}
	wake_for(lane_server(b->lane), s);
	if (!db_is_null(r, row, ANSWER))
		submit_reply_answer(req, db_text(r, row, ANSWER),
				    db_len(r, row, ANSWER));
	else
		submit_reply_range(req, b->data, db_i64(r, row, FIRST),
				   db_i64(r, row, N));
}

static void submit_deliver(struct lane_batch *b, const struct db_result *r)
{
	struct submit *s = submit_of(b->item[0]);

	if (s->make != NULL) {
		workflow_deliver(s, r);
	} else if (s->special != NULL) {
		wake_for(lane_server(b->lane), s);
		s->special->done(s, db_text(r, 0, 0), db_len(r, 0, 0));
	} else if (s->submission != NULL) {
		wake_for(lane_server(b->lane), s);
		submit_reply_answer(s->item.req, db_text(r, 0, 0),
				    db_len(r, 0, 0));
	} else if (any_keyed(b)) {
		for (size_t row = 0; row < db_rows(r); row++)
			deliver_keyed(
				b, submit_of(b->item[db_i64(r, row, REQ) - 1]),
				r, row);
	} else {
		deliver_plain(b, r);
	}
}

static void submit_fail(struct lane_item *i, enum db_outcome o,
			const struct db_fault *f)
{
	struct submit *s = submit_of(i);
	struct server *srv = i->req->srv;

	/* A class fell asleep under our memory of it: ask for it again. */
	if (o == DB_DATA && strcmp(f->sqlstate, "SO009") == 0 &&
	    s->submission == NULL && s->tries++ < TRIES_MAX) {
		classes_drop(srv->lanes->classes);
		submit_resolve(s);
		return;
	}
	db_reply_fault(i->req, o, f);
}

void submit_put(struct submit *s)
{
	struct lanes *l = s->item.req->srv->lanes;
	bool large = s->total > BATCH_JOBS || s->submission != NULL;

	s->item.weight = s->total < INT_MAX ? (uint32_t)s->total : INT_MAX;
	s->item.solo = large || s->make != NULL || s->special != NULL;
	(void)lane_put(large ? l->bulk : l->submit, &s->item);
}

/* Only when nobody else will call back: replying ends the arena. */
static void resolved(struct submit *s)
{
	if (s->outcome != DB_OK)
		db_reply_fault(s->item.req, s->outcome, &s->fault);
	else
		s->ready(s);
}

/* A limit that does not exist (SO002) is told with its place in the body. */
static void fault_keep(struct submit *s, const struct submit_need *need,
		       const struct db_fault *f)
{
	s->fault = *f;
	s->fault.detail = arena_strdup(s->item.req->arena, f->detail);
	if (strcmp(f->sqlstate, "SO002") == 0)
		(void)err_prefix(&s->fault.err, "%s%sthe key \"limits\"",
				 need->where, *need->where ? ": " : "");
}

static void on_class(const struct class_ids *ids, enum db_outcome o,
		     const struct db_fault *f, void *arg)
{
	struct submit_need *need = arg;
	struct submit *s = need->of;

	if (ids != NULL) {
		need->ids = *ids;
	} else if (s->outcome == DB_OK) {
		s->outcome = o;
		fault_keep(s, need, f);
	}
	if (--s->pending == 0)
		resolved(s);
}

void submit_resolve(struct submit *s)
{
	struct req *r = s->item.req;
	struct classes *c = r->srv->lanes->classes;
	int32_t owner = r->who.owner_id;

	/* Held until all have been asked for: an answer never comes sooner. */
	s->pending = 1;
	for (size_t i = 0; i < s->n_needs; i++) {
		struct submit_need *n = &s->need[i];

		n->of = s;
		if (classes_find(c, owner, n->requirements, n->life_s, &n->ids))
			continue;
		s->pending++;
		classes_ensure(c, owner, n->requirements, n->life_s, on_class,
			       n);
	}
	if (--s->pending == 0)
		resolved(s);
}

const struct lane_kind lane_submit_kind = {
	.name = "submit",
	.max_weight = BATCH_JOBS,
	.max_items = BATCH_JOBS,
	.queue_items = 4000,
	.queue_bytes = (size_t)32 << 20,
	.drop_gone = true,
	.build = submit_build,
	.deliver = submit_deliver,
	.fail = submit_fail,
};

/* Ten million replicas are one statement of minutes. */
const struct lane_kind lane_bulk_kind = {
	.name = "bulk",
	.max_weight = BATCH_JOBS,
	.max_items = 1,
	.queue_items = 1000,
	.queue_bytes = (size_t)32 << 20,
	.drop_gone = true,
	.statement_ms = 900000,
	.build = submit_build,
	.deliver = submit_deliver,
	.fail = submit_fail,
};
