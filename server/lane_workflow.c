/*
 * A workflow as arrays of one statement, and what its commit sets going.
 * Every such statement (workflow_create, workflow_add, injection_workflow) has
 * in this order: the key and hash of a repeated request, bucket, time and salt
 * of UUIDs; its own head; items, nodes, edges, datasets, uses; its own tail.
 */
#include <string.h>
#include "lib/log.h"
#include "server/duty.h"
#include "server/stamp.h"
#include "server/wake.h"
#include "server/workflow_make.h"

static void add(struct db_array *v, const char *s)
{
	db_a_text(v, s, strlen(s));
}

static void params_nodes(const struct workflow *w, struct arena *a,
			 struct db_params *p)
{
	struct db_array *name = db_array_new(a, DB_TEXT);
	struct db_array *noop = db_array_new(a, DB_BOOL);
	struct db_array *any = db_array_new(a, DB_BOOL);
	struct db_array *allow = db_array_new(a, DB_BOOL);
	struct db_array *index = db_array_new(a, DB_I32);

	for (uint32_t i = 0; i < w->n_nodes; i++) {
		const struct workflow_node *n = &w->nodes[i];

		add(name, n->name);
		db_a_i64(noop, n->noop);
		db_a_i64(any, n->any);
		db_a_i64(allow, n->allow_failure);
		db_a_i64(index, n->index);
	}
	db_p_array(p, name);
	db_p_array(p, noop);
	db_p_array(p, any);
	db_p_array(p, allow);
	db_p_array(p, index);
}

/* Jobs outside of the document are named once each time they follow one
 * another: what is named twice does no harm. */
static void params_edges(const struct workflow *w, struct arena *a,
			 struct db_params *p)
{
	struct db_array *child = db_array_new(a, DB_I32);
	struct db_array *parent = db_array_new(a, DB_I32);
	struct db_array *cond = db_array_new(a, DB_TEXT);
	struct db_array *outside = db_array_new(a, DB_TEXT);
	const char *last = NULL;

	for (uint32_t i = 0; i < w->n_edges; i++) {
		const struct workflow_edge *e = &w->edges[i];

		db_a_i64(child, (int64_t)e->child + 1);
		db_a_text(cond, &e->cond, 1);
		if (e->parent != DAG_NONE) {
			db_a_i64(parent, (int64_t)e->parent + 1);
			continue;
		}
		if (last == NULL || strcmp(last, e->parent_name) != 0)
			add(outside, e->parent_name);
		last = e->parent_name;
		db_a_i64(parent, -(int64_t)db_a_len(outside));
	}
	db_p_array(p, child);
	db_p_array(p, parent);
	db_p_array(p, cond);
	db_p_array(p, outside);
}

static void params_datasets(const struct workflow *w, struct arena *a,
			    struct db_params *p)
{
	struct db_array *site = db_array_new(a, DB_TEXT);
	struct db_array *path = db_array_new(a, DB_TEXT);
	struct db_array *name = db_array_new(a, DB_TEXT);
	struct db_array *datatype = db_array_new(a, DB_TEXT);
	struct db_array *tag = db_array_new(a, DB_TEXT);
	struct db_array *comment = db_array_new(a, DB_TEXT);

	for (uint32_t i = 0; i < w->n_datasets; i++) {
		const struct workflow_dataset *d = &w->datasets[i];

		add(site, d->site);
		add(path, d->path);
		add(name, d->name);
		if (*d->datatype != '\0')
			add(datatype, d->datatype);
		else
			db_a_null(datatype);
		add(tag, d->tag);
		add(comment, d->comment);
	}
	db_p_array(p, site);
	db_p_array(p, path);
	db_p_array(p, name);
	db_p_array(p, datatype);
	db_p_array(p, tag);
	db_p_array(p, comment);
}

static void params_uses(const struct workflow *w, struct arena *a,
			struct db_params *p)
{
	struct db_array *item = db_array_new(a, DB_I32);
	struct db_array *dataset = db_array_new(a, DB_I32);
	struct db_array *role = db_array_new(a, DB_TEXT);
	struct db_array *tag = db_array_new(a, DB_TEXT);

	for (uint32_t i = 0; i < w->n_uses; i++) {
		const struct workflow_use *u = &w->uses[i];

		db_a_i64(item, (int64_t)u->node + 1);
		db_a_i64(dataset, (int64_t)u->dataset + 1);
		db_a_text(role, &u->role, 1);
		add(tag, u->tag);
	}
	db_p_array(p, item);
	db_p_array(p, dataset);
	db_p_array(p, role);
	db_p_array(p, tag);
}

const char *workflow_build(const struct submit *s, struct arena *a,
			   const struct stamp *stamp, int32_t bucket,
			   struct db_params *p)
{
	const struct workflow_make *m = s->make;

	db_p_text(p, s->idempotency_key);
	if (s->idempotency_key != NULL)
		db_p_bytes(p, s->body_hash, sizeof(s->body_hash));
	else
		db_p_null(p);
	db_p_i32(p, bucket);
	stamp_params(stamp, p);
	m->head(m, a, p);
	submit_item_params(s, a, p);
	params_nodes(m->made, a, p);
	params_edges(m->made, a, p);
	params_datasets(m->made, a, p);
	params_uses(m->made, a, p);
	if (m->tail != NULL)
		m->tail(m, a, p);
	return m->stmt;
}

/* How many jobs of each class run at once, as needs have them: roots, and
 * what only noops stand before. */
static int64_t *first_jobs(const struct workflow_make *m, struct arena *a)
{
	const struct workflow *w = m->made;
	int64_t *n = ARENA_ARRAY(a, int64_t, m->submit.n_needs);
	bool *waits = ARENA_ARRAY(a, bool, w->n_nodes);

	for (uint32_t i = 0; i < w->n_edges; i++) {
		const struct workflow_edge *e = &w->edges[i];

		if (e->parent == DAG_NONE || !w->nodes[e->parent].noop)
			waits[e->child] = true;
	}
	for (uint32_t i = 0; i < w->n_nodes; i++)
		if (!waits[i] && !w->nodes[i].noop)
			n[m->submit.job[i].need]++;
	return n;
}

/* The database says which classes have work; how much is our guess. */
static void wake_classes(struct workflow_make *m, struct json_object *classes)
{
	struct req *r = m->submit.item.req;
	int64_t *n = first_jobs(m, r->arena);

	for (size_t i = 0; i < json_len(classes); i++) {
		int64_t class_id = json_int(json_at(classes, i));
		int64_t jobs = 0;

		for (size_t k = 0; k < m->submit.n_needs; k++)
			if (m->submit.need[k].ids.class_id == class_id)
				jobs += n[k];
		wake_class(r->srv, (int32_t)class_id, jobs > 0 ? jobs : 1);
	}
}

void workflow_deliver(struct submit *s, const struct db_result *res)
{
	struct workflow_make *m = s->make;
	struct req *r = s->item.req;
	struct json_object *answer, *classes;
	struct err e;

	if (!json_parse(r->arena, db_text(res, 0, 0), db_len(res, 0, 0),
			&answer, &e))
		BUG("%s answered %s", m->stmt, e.text);
	classes = json_get(answer, "classes");
	if (classes != NULL && json_type(classes) == JSON_ARRAY)
		wake_classes(m, classes);
	if (json_get_bool(answer, "firing"))
		duty_poke(r->srv->duties, DUTY_FIRING);
	wake_events(r->srv);
	m->done(m, answer);
}
