/*
 * The files that edges carry: what they are called and where they are, what
 * was said of them at creation, and that no two jobs write the same one.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/id.h"
#include "lib/jobspec.h"
#include "lib/json_keys.h"
#include "lib/workflow_work.h"

void *workflow_grow(void *p, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? *cap * 2 : 16;
	return xrealloc(p, *cap * size);
}

static struct workflow_map_slot *map_slot(struct workflow_map *m,
					  const char *key)
{
	size_t i = json_keys_hash(key, strlen(key)) & (m->n_slots - 1);

	while (m->slot[i].key && strcmp(m->slot[i].key, key) != 0)
		i = (i + 1) & (m->n_slots - 1);
	return &m->slot[i];
}

static void map_grow(struct workflow_map *m)
{
	struct workflow_map old = *m;

	m->n_slots = old.n_slots ? old.n_slots * 2 : 64;
	m->slot = xcalloc(m->n_slots, sizeof(*m->slot));
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slot[i].key)
			*map_slot(m, old.slot[i].key) = old.slot[i];
	free(old.slot);
}

uint32_t *workflow_map_at(struct workflow_map *m, const char *key)
{
	struct workflow_map_slot *slot;

	if (m->n * 2 >= m->n_slots)
		map_grow(m);
	slot = map_slot(m, key);
	if (!slot->key) {
		*slot = (struct workflow_map_slot){ key, DAG_NONE };
		m->n++;
	}
	return &slot->value;
}

void workflow_map_fini(struct workflow_map *m)
{
	free(m->slot);
}

/* One text of fileinfo's. */
static bool read_field(struct workflow *w, struct workflow_file *f,
		       struct json_span key, struct json_span v, struct err *e)
{
	static const char *const known[] = { "name",     "directory", "uri",
					     "datatype", "comment",   "site" };
	struct dag_reader r = { .d = (struct dag *)(void *)w->dag,
				.source = "",
				.e = e };
	const char *where =
		arena_printf(w->arena, "\"fileinfo\": \"%.600s\": ", f->key);
	const char *name = json_span_str(w->arena, key);
	const char **field = dag_data_field(&f->data, name);

	if (!field || field == &f->data.tag)
		return dag_fail_key(&r, key, where, known,
				    sizeof(known) / sizeof(known[0]));
	if (json_span_type(v) == JSON_NULL)
		return true;
	if (json_span_type(v) != JSON_STR)
		return err_set(e, ERR_BAD_REQUEST,
			       "%sthe key \"%s\" must be a string, not %s",
			       where, name, json_type_name(json_span_type(v)));
	*field = json_span_str(w->arena, v);
	return true;
}

/* The node that the text up to end names. Longer texts are no names, and so are
 * not copied: there may be a colon at every byte of a document. */
static uint32_t node_named(struct workflow *w, const char *s, const char *end)
{
	size_t len = (size_t)(end - s);

	if (len > DAG_NAME_MAX)
		return DAG_NONE;
	return dag_find(w->dag, arena_strndup(w->arena, s, len));
}

static bool may_name(const char *s, const char *end)
{
	return end && end - s <= DAG_NAME_MAX;
}

/* Names may hold colons: the first split that gives nodes counts. */
static bool split(struct workflow *w, struct workflow_file *f)
{
	const char *end = f->key + strlen(f->key);
	const char *rest;

	for (const char *c = strchr(f->key, ':'); may_name(f->key, c);
	     c = strchr(c + 1, ':')) {
		f->from = node_named(w, f->key, c);
		if (f->from == DAG_NONE)
			continue;
		rest = c + 1;
		f->to = node_named(w, rest, end);
		if (f->to != DAG_NONE)
			return true;
		for (const char *t = strchr(rest, ':'); may_name(rest, t);
		     t = strchr(t + 1, ':')) {
			f->to = node_named(w, rest, t);
			f->tag = t + 1;
			if (f->to != DAG_NONE)
				return true;
		}
	}
	return false;
}

static bool fail_no_edge(const struct workflow_file *f, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST,
		       "\"fileinfo\" names the edge \"%.600s\", which is not "
		       "there: write it \"FROM:TO\" or \"FROM:TO:TAG\"",
		       f->key);
}

static bool read_file(struct workflow *w, struct json_span key,
		      struct json_span v, struct workflow_file *f,
		      struct err *e)
{
	struct json_cursor c;
	struct json_span name, value;

	*f = (struct workflow_file){ .key = json_span_str(w->arena, key) };
	if (!split(w, f))
		return fail_no_edge(f, e);
	if (json_span_type(v) != JSON_OBJECT)
		return err_set(e, ERR_BAD_REQUEST,
			       "\"fileinfo\": \"%.600s\" must be an object, "
			       "not %s",
			       f->key, json_type_name(json_span_type(v)));
	for (c = json_cursor_open(v); json_cursor_member(&c, &name, &value);)
		if (!read_field(w, f, name, value, e))
			return false;
	return true;
}

static int compare_files(const void *a, const void *b)
{
	const struct workflow_file *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

/* The first that is about the two nodes of the edge; n of them follow. */
static struct workflow_file *find_files(const struct workflow *w,
					const struct dag_edge *edge)
{
	struct workflow_work *k = w->work;
	struct workflow_file key = { .from = edge->from, .to = edge->to };
	struct workflow_file *f;

	if (!k->n_files)
		return NULL;
	f = bsearch(&key, k->files, k->n_files, sizeof(*f), compare_files);
	while (f && f > k->files && !compare_files(f - 1, &key))
		f--;
	return f;
}

#define EACH_FILE(w, f, edge)                                      \
	for ((f) = find_files(w, edge);                            \
	     (f) && (f) < (w)->work->files + (w)->work->n_files && \
	     (f)->from == (edge)->from && (f)->to == (edge)->to;   \
	     (f)++)

static const char *tag_of(const struct workflow *w, const struct dag_edge *edge)
{
	const struct dag_data *data = &w->dag->data[edge->data];
	const char *tag = data->tag ? data->tag : w->dag->defaults.tag;

	return tag ? tag : "";
}

/* Which edges are meant, and whether it is clear which. */
static bool match_files(struct workflow *w, struct err *e)
{
	struct workflow_work *k = w->work;
	struct workflow_file *f;
	const char *tag;

	for (uint32_t i = 0; i < w->dag->n_edges; i++) {
		const struct dag_edge *edge = &w->dag->edges[i];

		if (edge->data == DAG_NONE)
			continue;
		tag = tag_of(w, edge);
		EACH_FILE(w, f, edge)
		{
			if (f->tag && strcmp(f->tag, tag) != 0)
				continue;
			if (!f->n_matched++)
				f->matched_tag = tag;
			else if (strcmp(f->matched_tag, tag) != 0)
				f->tags_differ = true;
		}
	}
	for (size_t i = 0; i < k->n_files; i++) {
		f = &k->files[i];
		if (!f->n_matched)
			return fail_no_edge(f, e);
		if (f->tags_differ && (f->data.name || f->data.uri))
			return err_set(e, ERR_BAD_REQUEST,
				       "\"fileinfo\": \"%.600s\" gives one "
				       "name to %u edges of different tags: "
				       "name one of them with \"FROM:TO:TAG\"",
				       f->key, f->n_matched);
	}
	return true;
}

bool workflow_fileinfo(struct workflow *w, struct err *e)
{
	struct workflow_work *k = w->work;
	struct json_span info = k->o->fileinfo, key, v;
	struct json_cursor c;
	size_t n = 0;

	if (!info.p)
		return true;
	for (c = json_cursor_open(info); json_cursor_member(&c, &key, &v);)
		n++;
	k->files = xcalloc(n + 1, sizeof(*k->files));
	for (c = json_cursor_open(info); json_cursor_member(&c, &key, &v);)
		if (!read_file(w, key, v, &k->files[k->n_files++], e))
			return false;
	qsort(k->files, k->n_files, sizeof(*k->files), compare_files);
	return match_files(w, e);
}

/* The second over the first, where it says something. */
static void lay_over(struct dag_data *d, const struct dag_data *over)
{
	if (over->tag)
		d->tag = over->tag;
	if (over->name)
		d->name = over->name;
	if (over->directory)
		d->directory = over->directory;
	if (over->uri)
		d->uri = over->uri;
	if (over->datatype)
		d->datatype = over->datatype;
	if (over->comment)
		d->comment = over->comment;
	if (over->site)
		d->site = over->site;
}

/* What fileinfo says; of a tag over what it says of all. A name there is
 * taken as it is. */
static void lay_fileinfo(const struct workflow *w, const struct dag_edge *edge,
			 struct dag_data *out)
{
	const char *tag = tag_of(w, edge);
	struct workflow_file *f;

	EACH_FILE(w, f, edge)
	if (!f->tag)
		lay_over(out, &f->data);
	EACH_FILE(w, f, edge)
	if (f->tag && !strcmp(f->tag, tag))
		lay_over(out, &f->data);
}

struct dag_data workflow_edge_data(const struct workflow *w,
				   const struct dag_edge *edge)
{
	struct dag_data d = w->dag->defaults;

	lay_over(&d, &w->dag->data[edge->data]);
	lay_fileinfo(w, edge, &d);
	return d;
}

void workflow_find_types(struct workflow *w)
{
	struct workflow_work *k = w->work;
	uint32_t cap = 0, n = 0, *index;

	for (uint32_t i = 0; i < w->dag->n_edges; i++) {
		struct dag_data data;

		if (w->dag->edges[i].data == DAG_NONE)
			continue;
		data = workflow_edge_data(w, &w->dag->edges[i]);
		if (!data.datatype || !*data.datatype)
			continue;
		index = workflow_map_at(&k->types, data.datatype);
		if (*index != DAG_NONE)
			continue;
		k->type_names = workflow_grow(k->type_names, n, &cap,
					      sizeof(*k->type_names));
		k->type_names[n] = data.datatype;
		*index = n++;
	}
	k->type_ext = xcalloc((size_t)n + 1, sizeof(*k->type_ext));
}

const char *const *workflow_datatypes(struct workflow *w, size_t *n)
{
	*n = w->work->types.n;
	return w->work->type_names;
}

void workflow_datatype(struct workflow *w, const char *name, const char *ext)
{
	uint32_t *index;

	if (!w->work->types.n)
		return;
	index = &map_slot(&w->work->types, name)->value;
	if (map_slot(&w->work->types, name)->key)
		w->work->type_ext[*index] = arena_strdup(w->arena, ext);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* An edge being given its file. */
struct naming {
	const struct dag_edge *edge;
	uint32_t parent;
	struct dag_data data;
	const char *parent_name;
	const char *ext;
	bool fixed; /* fileinfo gave the name */
};

static const char *edge_name(struct workflow *w, const struct naming *n)
{
	return arena_printf(w->arena, "%.256s:%.256s", n->parent_name,
			    w->dag->nodes[n->edge->to].name);
}

/* The edge, and the dag that it is of when that has a name. */
static const char *edge_where(struct workflow *w, const struct naming *n)
{
	const char *dag = w->work->dag_name;

	return arena_printf(w->arena, "%s%.256s%sthe edge \"%s\"",
			    *dag ? "dag \"" : "", dag, *dag ? "\": " : "",
			    edge_name(w, n));
}

static bool find_ext(struct workflow *w, struct naming *n, struct err *e)
{
	const char *type = n->data.datatype;

	n->ext = "";
	if (!type || !*type)
		return true;
	n->ext = w->work->type_ext[*workflow_map_at(&w->work->types, type)];
	return n->ext ||
	       err_set(e, ERR_BAD_REQUEST,
		       "%s: the datatype \"%.256s\" is not defined: define it "
		       "before a workflow uses it",
		       edge_where(w, n), type);
}

/* Jobs find the file's path in a variable called so. */
static bool tag_ok(struct workflow *w, const struct naming *n, struct err *e)
{
	const char *tag = or_empty(n->data.tag);

	return !*tag || jobspec_variable_ok(tag) ||
	       err_set(e, ERR_BAD_REQUEST,
		       "%s: the tag \"%.256s\" cannot be the name of a "
		       "variable, which has letters, digits and \"_\" and no "
		       "digit first",
		       edge_where(w, n), tag);
}

static bool make_name(struct workflow *w, const struct naming *n,
		      const char **out, struct err *e)
{
	char uuid[ID_UUID_LEN + 1];

	if (!n->fixed && w->work->uuid) {
		id_uuid_random(uuid);
		*out = arena_printf(w->arena, "%s%s", uuid, n->ext);
	} else if (!n->fixed && w->work->inherit) {
		*out = arena_printf(w->arena, "%s:%s:%s:%s%s", w->work->inherit,
				    w->work->dag_name, n->parent_name,
				    or_empty(n->data.tag), n->ext);
	} else {
		*out = n->data.name;
	}
	return (*out && **out) ||
	       err_set(e, ERR_BAD_REQUEST,
		       "the edge \"%.520s\" has no name for its file: give "
		       "one in the document or in \"fileinfo\", or let "
		       "\"names\" be \"uuid\"",
		       edge_name(w, n));
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool make_path(struct workflow *w, const struct naming *n,
		      const char **name, const char **path, struct err *e)
{
	const char *dir = or_empty(n->data.directory);
	size_t len = strlen(dir);

	if (n->data.uri && *n->data.uri) {
		*path = workflow_path(w->arena, n->data.uri);
		*name = n->data.name ? n->data.name : last_part(*path);
		return true;
	}
	if (!make_name(w, n, name, e))
		return false;
	*path = workflow_path(
		w->arena,
		arena_printf(w->arena, "%s%s%s", dir,
			     len && dir[len - 1] != '/' ? "/" : "", *name));
	return true;
}

/* Edges of one parent that say the same of their file carry one, also when
 * its name is made up. NULL: they say too little. */
static const char *group_key(struct workflow *w, const struct naming *n)
{
	const struct dag_data *f = &n->data;

	if (n->fixed || !w->work->uuid || (f->uri && *f->uri) ||
	    (!f->tag && !f->name))
		return NULL;
	return arena_printf(w->arena, "%u\n%s\n%s\n%s\n%s\n%s", n->parent,
			    or_empty(f->tag), or_empty(f->name),
			    or_empty(f->directory), or_empty(f->site),
			    or_empty(f->datatype));
}

/* Whether the parent makes the file, and nobody else does. */
static bool set_producer(struct workflow *w, struct workflow_dataset *ds,
			 const struct naming *n, struct err *e)
{
	if (n->parent == DAG_NONE || w->nodes[n->parent].noop)
		return true;
	if (ds->producer != DAG_NONE && ds->producer != n->parent)
		return err_set(e, ERR_BAD_REQUEST,
			       "the jobs \"%.256s\" and \"%.256s\" would both "
			       "write the file \"%.300s\"",
			       w->nodes[ds->producer].name, n->parent_name,
			       ds->path);
	ds->producer = n->parent;
	return true;
}

static uint32_t add_dataset(struct workflow *w, const struct naming *n,
			    const char *name, const char *path)
{
	const struct dag_data *f = &n->data;

	w->datasets =
		workflow_grow(w->datasets, w->n_datasets,
			      &w->work->datasets_cap, sizeof(*w->datasets));
	w->datasets[w->n_datasets] = (struct workflow_dataset){
		.site = or_empty(f->site),
		.path = path,
		.name = name,
		.directory = or_empty(f->directory),
		.datatype = or_empty(f->datatype),
		.tag = or_empty(f->tag),
		.comment = or_empty(f->comment),
		.producer = DAG_NONE,
	};
	return w->n_datasets++;
}

bool workflow_dataset_of(struct workflow *w, const struct dag_edge *edge,
			 uint32_t parent, uint32_t *out, struct err *e)
{
	struct naming n = { .edge = edge,
			    .parent = parent,
			    .parent_name =
				    parent == DAG_NONE
					    ? dag_parent_name(w->dag, edge)
					    : w->nodes[parent].name };
	struct dag_data info = { 0 };
	const char *group, *name, *path;
	uint32_t *known = NULL, *by_path;

	n.data = workflow_edge_data(w, edge);
	lay_fileinfo(w, edge, &info);
	n.fixed = info.name && *info.name;
	if (!find_ext(w, &n, e) || !tag_ok(w, &n, e))
		return false;
	group = group_key(w, &n);
	if (group)
		known = workflow_map_at(&w->work->groups, group);
	if (known && *known != DAG_NONE) {
		*out = *known;
		return true;
	}
	if (!make_path(w, &n, &name, &path, e))
		return false;
	if (strlen(path) > WORKFLOW_PATH_MAX)
		return err_set(e, ERR_BAD_REQUEST,
			       "the edge \"%.520s\": the path of its file has "
			       "%zu bytes, at most %d are allowed",
			       edge_name(w, &n), strlen(path),
			       WORKFLOW_PATH_MAX);
	by_path = workflow_map_at(
		&w->work->paths,
		arena_printf(w->arena, "%s\n%s", or_empty(n.data.site), path));
	if (*by_path == DAG_NONE)
		*by_path = add_dataset(w, &n, name, path);
	*out = *by_path;
	if (known)
		*known = *out;
	return set_producer(w, &w->datasets[*out], &n, e);
}
