/*
 * Unfolds a dag into the jobs, edges and uses of files of a workflow, some at
 * a time.
 */
#include "lib/workflow.h"

#include <stdlib.h>
#include <string.h>
#include "lib/json_keys.h"
#include "lib/workflow_work.h"

static void release(void *p)
{
	struct workflow *w = p;
	struct workflow_work *k = w->work;

	free(w->nodes);
	free(w->edges);
	free(w->datasets);
	free(w->uses);
	free(k->first);
	free(k->jobinfo);
	free(k->files);
	free(k->type_names);
	free(k->type_ext);
	free(k->edge_slot);
	free(k->use_slot);
	free(k->found);
	workflow_map_fini(&k->types);
	workflow_map_fini(&k->paths);
	workflow_map_fini(&k->groups);
}

/* Where each node's jobs begin, and how many there are. */
static bool count_jobs(struct workflow *w, struct err *e)
{
	const struct dag *d = w->dag;
	struct workflow_work *k = w->work;
	struct json_cursor c;
	struct json_span v;
	uint64_t n = 0;

	k->first = xcalloc((size_t)d->n_nodes + 1, sizeof(*k->first));
	for (uint32_t i = 0; i < d->n_nodes; i++) {
		k->first[i] = (uint32_t)n;
		if (!d->nodes[i].matrix.p)
			n++;
		else
			for (c = json_cursor_open(d->nodes[i].matrix);
			     json_cursor_element(&c, &v);)
				n++;
		if (n > DAG_JOBS_MAX)
			return err_set(e, ERR_TOO_LARGE,
				       "the document unfolds to more than %d "
				       "jobs: make an open workflow and add "
				       "the jobs to it in pieces",
				       DAG_JOBS_MAX);
	}
	k->first[d->n_nodes] = (uint32_t)n;
	w->nodes = xcalloc(n + 1, sizeof(*w->nodes));
	return true;
}

static uint32_t jobs_of(const struct workflow *w, uint32_t dag_node)
{
	if (dag_node >= w->dag->n_nodes)
		return 1;
	return w->work->first[dag_node + 1] - w->work->first[dag_node];
}

/* A power of two, at least twice as many. */
static size_t slots_for(uint64_t n)
{
	size_t slots = 64;

	while (slots < n * 2)
		slots *= 2;
	return slots;
}

static bool count_edges(struct workflow *w, struct err *e)
{
	const struct dag *d = w->dag;
	struct workflow_work *k = w->work;
	uint64_t edges = 0, uses = 0;

	for (uint32_t i = 0; i < d->n_edges; i++) {
		uint64_t from = jobs_of(w, d->edges[i].from);
		uint64_t to = jobs_of(w, d->edges[i].to);

		edges += from * to;
		if (d->edges[i].data != DAG_NONE)
			uses += from * to + from;
		if (edges > DAG_EDGES_MAX)
			return err_set(e, ERR_TOO_LARGE,
				       "the document unfolds to more than %d "
				       "edges: make an open workflow and add "
				       "the jobs to it in pieces",
				       DAG_EDGES_MAX);
	}
	/* All at once: copying what is there would take a step too long. */
	w->edges = xmalloc((edges + 1) * sizeof(*w->edges));
	k->found = xmalloc((uses + 1) * sizeof(*k->found));
	k->n_edge_slots = slots_for(edges);
	k->n_use_slots = slots_for(uses);
	k->edge_slot = xcalloc(k->n_edge_slots, sizeof(*k->edge_slot));
	k->use_slot = xcalloc(k->n_use_slots, sizeof(*k->use_slot));
	return true;
}

static const char *compact(struct workflow *w, struct json_span v)
{
	struct buf b = BUF_INIT;
	const char *text;

	if (!v.p)
		return NULL;
	json_span_write(&b, v);
	text = arena_strndup(w->arena, buf_str(&b), b.len);
	buf_fini(&b);
	return text;
}

static void merge_header(struct workflow *w)
{
	const struct dag *d = w->dag;
	const struct workflow_options *o = w->work->o;

	w->name = o->name ? o->name : *d->name ? d->name : w->work->dag_name;
	w->description = o->description ? o->description : d->description;
	w->project = o->project ? o->project : d->project;
	if (!*w->project)
		w->project = "default";
	w->held = o->has_state   ? o->held
		  : d->has_state ? d->held
				 : o->dag != NULL;
	w->open = o->has_open ? o->open : d->open;
	w->close_auto = o->has_close ? o->close_auto : d->close_auto;
	w->cancel_on_failure =
		o->has_on_failure ? o->cancel_on_failure : d->cancel_on_failure;
	w->max_running = o->has_max_running ? o->max_running : d->max_running;
	w->callback = compact(w, o->callback.p ? o->callback : d->callback);
	w->names = o->names ? o->names : o->dag ? "uuid" : "sticky";
	w->work->uuid = !strcmp(w->names, "uuid");
	if (!strncmp(w->names, "inherit:", 8))
		w->work->inherit = w->names + 8;
}

static bool read_jobinfo(struct workflow *w, struct err *e)
{
	struct json_span info = w->work->o->jobinfo, key, v;
	struct json_cursor c;
	const char *name;
	uint32_t node;

	if (!info.p)
		return true;
	w->work->jobinfo =
		xcalloc((size_t)w->dag->n_nodes + 1, sizeof(*w->work->jobinfo));
	for (c = json_cursor_open(info); json_cursor_member(&c, &key, &v);) {
		name = json_span_str(w->arena, key);
		node = dag_find(w->dag, name);
		if (node == DAG_NONE)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"jobinfo\" names the job \"%.256s\", "
				       "which is not there",
				       name);
		if (json_span_type(v) != JSON_OBJECT)
			return err_set(e, ERR_BAD_REQUEST,
				       "\"jobinfo\": what is said of the job "
				       "\"%.256s\" must be an object, not %s",
				       name, json_type_name(json_span_type(v)));
		w->work->jobinfo[node] = v;
	}
	return true;
}

bool workflow_new(struct arena *a, const struct dag *d,
		  const struct workflow_options *o, const char *dag_name,
		  struct workflow **out, struct err *e)
{
	struct workflow *w = ARENA_NEW(a, struct workflow);

	w->arena = a;
	w->dag = d;
	w->work = ARENA_NEW(a, struct workflow_work);
	w->work->o = o;
	w->work->dag_name = dag_name ? dag_name : "";
	arena_defer(a, release, w);
	merge_header(w);
	*out = w;
	if (!count_jobs(w, e) || !count_edges(w, e) || !read_jobinfo(w, e) ||
	    !workflow_fileinfo(w, e))
		return false;
	workflow_find_types(w);
	return true;
}

/* The job of a matrix must not be called as another node is. */
static bool make_job(struct workflow *w, uint32_t dag_node, int32_t index,
		     struct json_span env, struct err *e)
{
	const struct dag_node *n = &w->dag->nodes[dag_node];
	const char *name = n->name;

	if (index >= 0) {
		name = arena_printf(w->arena, "%s[%d]", n->name, index);
		if (strlen(name) > DAG_NAME_MAX)
			return err_set(e, ERR_BAD_REQUEST,
				       "job \"%.256s\": its name is too long "
				       "for a matrix: \"%.300s\" has more than "
				       "%d bytes",
				       n->name, name, DAG_NAME_MAX);
		if (dag_find(w->dag, name) != DAG_NONE)
			return err_set(e, ERR_BAD_REQUEST,
				       "job \"%.256s\": it is called as a job "
				       "of the matrix \"%.256s\": give one of "
				       "them another name",
				       name, n->name);
	}
	w->nodes[w->n_nodes++] =
		(struct workflow_node){ .name = name,
					.node = dag_node,
					.index = index,
					.env = env,
					.noop = n->noop,
					.any = n->any,
					.allow_failure = n->allow_failure };
	return true;
}

static bool step_node(struct workflow *w, size_t *left, struct err *e)
{
	uint32_t i = w->work->at++;
	const struct dag_node *n = &w->dag->nodes[i];
	const struct json_span none = { NULL, 0 };
	struct json_cursor c;
	struct json_span env;
	int32_t index = 0;

	if (!workflow_check_command(w, i, e))
		return false;
	if (!n->matrix.p)
		return make_job(w, i, -1, none, e);
	for (c = json_cursor_open(n->matrix); json_cursor_element(&c, &env);) {
		if (!make_job(w, i, index++, env, e))
			return false;
		*left -= *left > 0;
	}
	return true;
}

static uint32_t parent_at(const struct workflow *w, const struct dag_edge *edge)
{
	return edge->from < w->dag->n_nodes
		       ? w->work->first[edge->from] + w->work->parent
		       : DAG_NONE;
}

static void add_edge(struct workflow *w, const struct dag_edge *edge,
		     uint32_t parent, uint32_t child)
{
	struct workflow_work *k = w->work;
	const char *name = parent == DAG_NONE ? dag_parent_name(w->dag, edge)
					      : w->nodes[parent].name;
	struct workflow_edge *old;
	uint32_t key[3] = { parent, child, (uint32_t)edge->cond };
	size_t i = json_keys_hash((const char *)key, sizeof(key));

	/* Jobs outside have names only. */
	if (parent == DAG_NONE)
		i ^= json_keys_hash(name, strlen(name));
	for (i &= k->n_edge_slots - 1; k->edge_slot[i];
	     i = (i + 1) & (k->n_edge_slots - 1)) {
		old = &w->edges[k->edge_slot[i] - 1];
		if (old->child == child && old->cond == edge->cond &&
		    old->parent == parent &&
		    (parent != DAG_NONE || !strcmp(old->parent_name, name)))
			return;
	}
	w->edges[w->n_edges++] =
		(struct workflow_edge){ parent, child, name, edge->cond };
	k->edge_slot[i] = w->n_edges;
}

static void add_use(struct workflow *w, uint32_t node, uint32_t dataset,
		    char role, const char *tag)
{
	struct workflow_work *k = w->work;
	uint32_t key[3] = { node, dataset, (uint32_t)role };
	size_t i = json_keys_hash((const char *)key, sizeof(key));

	for (i &= k->n_use_slots - 1; k->use_slot[i];
	     i = (i + 1) & (k->n_use_slots - 1)) {
		const struct workflow_use *u = &k->found[k->use_slot[i] - 1];

		if (u->node == node && u->dataset == dataset &&
		    u->role == role && !strcmp(u->tag, tag))
			return;
	}
	k->found[k->n_found++] =
		(struct workflow_use){ node, dataset, role, tag };
	k->use_slot[i] = k->n_found;
	w->nodes[node].n_uses++;
}

/* The file of an edge, from one of its parents to all of its children. */
static bool add_file(struct workflow *w, const struct dag_edge *edge,
		     uint32_t parent, struct err *e)
{
	struct dag_data data = workflow_edge_data(w, edge);
	uint32_t dataset, to = w->work->first[edge->to];
	const char *tag = data.tag ? data.tag : "";

	if (!dag_data_is_file(&data))
		return true;
	if (!workflow_dataset_of(w, edge, parent, &dataset, e))
		return false;
	if (parent != DAG_NONE && !w->nodes[parent].noop)
		add_use(w, parent, dataset, 'o', tag);
	for (uint32_t i = 0; i < jobs_of(w, edge->to); i++)
		add_use(w, to + i, dataset, 'i', tag);
	return true;
}

static bool step_edge(struct workflow *w, size_t *left, struct err *e)
{
	struct workflow_work *k = w->work;
	const struct dag_edge *edge = &w->dag->edges[k->at];
	uint32_t parent = parent_at(w, edge);

	if (k->child == 0 && edge->data != DAG_NONE &&
	    !add_file(w, edge, parent, e))
		return false;
	for (; *left > 0 && k->child < jobs_of(w, edge->to); --*left)
		add_edge(w, edge, parent, k->first[edge->to] + k->child++);
	if (k->child < jobs_of(w, edge->to))
		return true;
	k->child = 0;
	if (++k->parent < jobs_of(w, edge->from))
		return true;
	k->parent = 0;
	k->at++;
	return true;
}

/* Uses come in order of edges and are put in order of jobs. */
static void begin_uses(struct workflow *w)
{
	uint32_t at = 0;

	w->uses = xcalloc((size_t)w->work->n_found + 1, sizeof(*w->uses));
	for (uint32_t i = 0; i < w->n_nodes; i++) {
		w->nodes[i].first_use = at;
		at += w->nodes[i].n_uses;
		w->nodes[i].n_uses = 0;
	}
}

static void step_use(struct workflow *w)
{
	const struct workflow_use *u = &w->work->found[w->work->at++];
	struct workflow_node *n = &w->nodes[u->node];

	w->uses[n->first_use + n->n_uses++] = *u;
	w->n_uses++;
}

static uint32_t phase_end(const struct workflow *w)
{
	switch (w->work->phase) {
	case WORKFLOW_NODES:
		return w->dag->n_nodes;
	case WORKFLOW_EDGES:
		return w->dag->n_edges;
	case WORKFLOW_USES:
		return w->work->n_found;
	case WORKFLOW_DONE:
		break;
	}
	return 0;
}

static bool step_one(struct workflow *w, size_t *left, struct err *e)
{
	switch (w->work->phase) {
	case WORKFLOW_NODES:
		return step_node(w, left, e);
	case WORKFLOW_EDGES:
		return step_edge(w, left, e);
	case WORKFLOW_USES:
		step_use(w);
		break;
	case WORKFLOW_DONE:
		break;
	}
	return true;
}

bool workflow_step(struct workflow *w, size_t max, bool *done, struct err *e)
{
	struct workflow_work *k = w->work;
	size_t left = max ? max : 1;

	while (k->phase != WORKFLOW_DONE && left > 0) {
		if (k->at < phase_end(w)) {
			left--;
			if (left == 0 && k->phase == WORKFLOW_EDGES)
				left = 1;
			if (!step_one(w, &left, e))
				return false;
			continue;
		}
		k->at = 0;
		k->phase++;
		if (k->phase == WORKFLOW_USES)
			begin_uses(w);
	}
	*done = k->phase == WORKFLOW_DONE;
	return true;
}
