/*
 * The edges of a document: what each job comes after, and the files that go
 * from one job to another.
 */
#include <stddef.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/nearest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool dag_read_cond(struct dag_reader *r, struct json_span v, const char *where,
		   char *out)
{
	static const char conds[] = { DAG_SUCCESS, DAG_FAILURE, DAG_ALWAYS };

	for (size_t i = 0; i < COUNT(conds); i++) {
		if (json_span_is(v, dag_cond_name(conds[i]))) {
			*out = conds[i];
			return true;
		}
	}
	return dag_fail(r, v,
			"%s\"on\" must be \"success\", \"failure\" or "
			"\"always\", not %.100s",
			where, arena_strndup(r->d->arena, v.p, v.len));
}

static char default_cond(const struct dag_reader *r)
{
	return r->d->join_any ? DAG_ALWAYS : DAG_SUCCESS;
}

/* Of many names only few are tried: it is a hint. */
#define NEAREST_TRIED 10000

static bool fail_unknown(struct dag_reader *r, struct json_span v,
			 const char *where)
{
	const char *name = json_span_str(r->d->arena, v);
	struct nearest near;

	nearest_init(&near, name);
	for (uint32_t i = 0; i < r->d->n_nodes && i < NEAREST_TRIED; i++)
		nearest_try(&near, r->d->nodes[i].name);
	if (near.name)
		return dag_fail(r, v,
				"%snames the job \"%.256s\", which is not "
				"there: did you mean \"%.256s\"?",
				where, name, near.name);
	return dag_fail(r, v, "%snames the job \"%.256s\", which is not there",
			where, name);
}

static const char *after_where(struct dag_reader *r, uint32_t node)
{
	return arena_printf(r->d->arena, "job \"%.256s\": the key \"after\" ",
			    r->d->nodes[node].name);
}

static const char *after_inside(struct dag_reader *r, uint32_t node)
{
	return arena_printf(r->d->arena, "job \"%.256s\": the key \"after\": ",
			    r->d->nodes[node].name);
}

static bool add_after(struct dag_reader *r, uint32_t node, struct json_span v,
		      char cond)
{
	uint32_t from = dag_find_span(r, v, true);

	if (from == DAG_NONE)
		return fail_unknown(r, v, after_where(r, node));
	return dag_add_edge(r, v,
			    (struct dag_edge){ from, node, DAG_NONE, cond });
}

static bool read_after_object(struct dag_reader *r, uint32_t node,
			      struct json_span v)
{
	static const char *const known[] = { "job", "on" };
	struct json_span key, value, job = { NULL, 0 };
	struct json_cursor c = json_cursor_open(v);
	char cond = default_cond(r);

	while (json_cursor_member(&c, &key, &value)) {
		if (json_span_is(key, "job"))
			job = value;
		else if (!json_span_is(key, "on"))
			return dag_fail_key(r, key, after_inside(r, node),
					    known, COUNT(known));
		else if (!dag_read_cond(r, value, after_inside(r, node), &cond))
			return false;
	}
	if (json_span_type(job) != JSON_STR)
		return dag_fail(r, v,
				"%sneeds in each object a \"job\", the name of "
				"one",
				after_where(r, node));
	return add_after(r, node, job, cond);
}

static bool read_after_entry(struct dag_reader *r, uint32_t node,
			     struct json_span v)
{
	if (json_span_type(v) == JSON_STR)
		return add_after(r, node, v, default_cond(r));
	if (json_span_type(v) == JSON_OBJECT)
		return read_after_object(r, node, v);
	return dag_fail(r, v,
			"%smust hold names of jobs or objects such as "
			"{\"job\": \"a\", \"on\": \"failure\"}, not %s",
			after_where(r, node),
			json_type_name(json_span_type(v)));
}

static bool read_node(struct dag_reader *r, uint32_t node)
{
	struct json_span after = r->after[node], v;
	struct json_cursor c;

	if (r->parent[node] != DAG_NONE &&
	    !dag_add_edge(r, (struct json_span){ NULL, 0 },
			  (struct dag_edge){ r->parent[node], node, DAG_NONE,
					     default_cond(r) }))
		return false;
	if (!after.p)
		return true;
	if (json_span_type(after) != JSON_ARRAY)
		return read_after_entry(r, node, after);
	for (c = json_cursor_open(after); json_cursor_element(&c, &v);)
		if (!read_after_entry(r, node, v))
			return false;
	return true;
}

bool dag_read_after(struct dag_reader *r)
{
	for (uint32_t i = 0; i < r->d->n_nodes; i++)
		if (!read_node(r, i))
			return false;
	return true;
}

#define FIELD(key, field)                             \
	{                                             \
		key, offsetof(struct dag_data, field) \
	}

/* The texts of an edge's data; two have a second name, p3s's. */
static const struct data_key {
	const char *key;
	size_t offset;
} data_keys[] = {
	FIELD("tag", tag),           FIELD("datatag", tag),
	FIELD("name", name),         FIELD("directory", directory),
	FIELD("dirpath", directory), FIELD("uri", uri),
	FIELD("datatype", datatype), FIELD("comment", comment),
	FIELD("site", site),
};

const char **dag_data_field(struct dag_data *f, const char *key)
{
	for (size_t i = 0; i < COUNT(data_keys); i++)
		if (!strcmp(data_keys[i].key, key))
			return (const char **)((char *)f + data_keys[i].offset);
	return NULL;
}

/* An entry of "datasets" while it is read. */
struct entry {
	uint32_t number;
	uint32_t from, to;
	struct dag_data data;
	char cond;
};

static const char *entry_where(struct dag_reader *r, const struct entry *en)
{
	return arena_printf(r->d->arena, "dataset %u: ", en->number);
}

static bool read_end(struct dag_reader *r, struct entry *en, const char *key,
		     struct json_span v, bool outside, uint32_t *out)
{
	const char *where = arena_printf(r->d->arena, "%sthe key \"%s\" ",
					 entry_where(r, en), key);

	if (json_span_type(v) != JSON_STR)
		return dag_fail(r, v, "%smust be a job's name", where);
	*out = dag_find_span(r, v, outside);
	return *out != DAG_NONE || fail_unknown(r, v, where);
}

static bool read_data_text(struct dag_reader *r, struct entry *en,
			   struct json_span key, struct json_span v)
{
	static const char *const known[] = { "from",     "to",         "tag",
					     "name",     "directory",  "uri",
					     "datatype", "comment",    "site",
					     "on",       "attributes", "id" };
	const char *name = json_span_str(r->d->arena, key);
	const char **field = dag_data_field(&en->data, name);

	if (!strcmp(name, "id"))
		field = &en->data.id;
	if (!field)
		return dag_fail_key(r, key, entry_where(r, en), known,
				    COUNT(known));
	if (json_span_type(v) == JSON_NULL)
		return true;
	if (json_span_type(v) != JSON_STR)
		return dag_fail_type(r, v,
				     arena_printf(r->d->arena,
						  "%sthe key \"%s\"",
						  entry_where(r, en), name),
				     "a string");
	if (*field)
		return dag_fail(r, key,
				"%sthe key \"%s\" is given by two names",
				entry_where(r, en), name);
	*field = json_span_str(r->d->arena, v);
	return true;
}

static bool read_entry_key(struct dag_reader *r, struct entry *en,
			   struct json_span key, struct json_span v)
{
	if (json_span_is(key, "from"))
		return read_end(r, en, "from", v, true, &en->from);
	if (json_span_is(key, "to"))
		return read_end(r, en, "to", v, false, &en->to);
	if (json_span_is(key, "attributes"))
		return dag_read_attrs(r, v, &en->data.attrs);
	if (!json_span_is(key, "on"))
		return read_data_text(r, en, key, v);
	en->data.has_on = true;
	return dag_read_cond(r, v, entry_where(r, en), &en->cond);
}

static bool read_entry(struct dag_reader *r, struct json_span v,
		       uint32_t number)
{
	struct entry en = { .number = number,
			    .from = DAG_NONE,
			    .to = DAG_NONE,
			    .cond = default_cond(r) };
	struct json_cursor c;
	struct json_span key, value;
	uint32_t data;

	if (json_span_type(v) != JSON_OBJECT)
		return dag_fail(r, v, "%sit must be an object, not %s",
				entry_where(r, &en),
				json_type_name(json_span_type(v)));
	for (c = json_cursor_open(v); json_cursor_member(&c, &key, &value);)
		if (!read_entry_key(r, &en, key, value))
			return false;
	if (en.from == DAG_NONE || en.to == DAG_NONE)
		return dag_fail(r, v,
				"%sneeds \"from\" and \"to\", names of jobs",
				entry_where(r, &en));
	*dag_add_data(r, &data) = en.data;
	return dag_add_edge(r, v,
			    (struct dag_edge){ en.from, en.to, data, en.cond });
}

bool dag_read_datasets(struct dag_reader *r, struct json_span v)
{
	struct json_cursor c;
	struct json_span entry;
	uint32_t n = 0;

	if (json_span_type(v) != JSON_ARRAY)
		return dag_fail_type(r, v, "the key \"datasets\"", "a list");
	for (c = json_cursor_open(v); json_cursor_element(&c, &entry);)
		if (!read_entry(r, entry, ++n))
			return false;
	return true;
}
