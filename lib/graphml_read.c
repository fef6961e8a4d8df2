/*
 * Makes a dag of the elements of a GraphML document: attributes named as keys
 * of jobs and datasets become those, the others are kept as they are.
 */
#include "lib/graphml.h"

#include <stdlib.h>
#include <string.h>
#include "lib/graphml_raw.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct json_span nowhere = { NULL, 0 };

bool graphml_probe(const char *text, size_t len)
{
	const char *end = text + len;

	if (len >= 2 &&
	    (!memcmp(text, "\xfe\xff", 2) || !memcmp(text, "\xff\xfe", 2)))
		return true;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end && *text && strchr(" \t\r\n", *text))
		text++;
	return text < end && *text == '<';
}

static const struct dag_key *find_key(struct dag_reader *r,
				      const struct graphml_datum *datum,
				      const char *scope)
{
	const struct dag_key *other = NULL;
	struct dag *d = r->d;

	r->line = datum->line;
	for (uint32_t i = 0; i < d->n_keys; i++) {
		if (strcmp(d->keys[i].id, datum->key) != 0)
			continue;
		if (dag_key_is_for(&d->keys[i], scope))
			return &d->keys[i];
		other = &d->keys[i];
	}
	if (other)
		dag_fail(r, nowhere,
			 "the key \"%.100s\" is for \"%.20s\" and stands in "
			 "a %s",
			 datum->key, other->scope, scope);
	else
		dag_fail(r, nowhere, "the key \"%.100s\" is not declared",
			 datum->key);
	return NULL;
}

/* The key that is taken when only its name is known. */
static uint32_t first_key(const struct dag *d, const char *name,
			  const char *scope)
{
	for (uint32_t i = 0; i < d->n_keys; i++)
		if (!strcmp(d->keys[i].name, name) &&
		    dag_key_is_for(&d->keys[i], scope))
			return i;
	return DAG_NONE;
}

/* The data of one node or edge, sorted into its own members and attributes. */
struct sorting {
	struct dag_reader *r;
	const char *scope, *name;
	struct dag_attr *attrs, **tail;
	bool plain; /* own members in order, then attributes, first keys */
	int last;   /* the last own member's place */
};

static bool has(const struct sorting *s, const char *name)
{
	for (const struct dag_attr *a = s->attrs; a; a = a->next)
		if (!strcmp(a->name, name))
			return true;
	return false;
}

/* place: of an own member among the others, -1 = an attribute. */
static bool add(struct sorting *s, const struct dag_key *k, const char *text,
		int place)
{
	struct dag *d = s->r->d;
	struct dag_attr *attr = ARENA_NEW(d->arena, struct dag_attr);
	uint32_t index = (uint32_t)(k - d->keys);

	if (has(s, k->name))
		return dag_fail(s->r, nowhere,
				"the %s \"%.256s\" has \"%.100s\" twice",
				s->scope, s->name, k->name);
	*attr = (struct dag_attr){ k->name, place < 0 ? text : NULL, DAG_NONE,
				   NULL };
	if (first_key(d, k->name, s->scope) != index) {
		attr->key = index;
		if (place >= 0)
			s->plain = false;
	}
	if (place >= 0 && place <= s->last)
		s->plain = false;
	s->last = place < 0 ? INT32_MAX : place;
	*s->tail = attr;
	s->tail = &attr->next;
	return true;
}

/* Where the order tells nothing, only what has no other place is kept. */
static struct dag_attr *finish(struct sorting *s)
{
	struct dag_attr **p = &s->attrs;

	if (!s->plain)
		return s->attrs;
	while (*p) {
		if ((*p)->text)
			p = &(*p)->next;
		else
			*p = (*p)->next;
	}
	return s->attrs;
}

static bool check_env(struct dag_reader *r, const char *node, const char *text)
{
	struct err why = ERR_INIT;

	if (!text[strspn(text, " \t\r\n")])
		return true;
	if (!json_check(text, strlen(text), &why))
		return dag_fail(r, nowhere,
				"the env of node \"%.256s\" is not JSON: %s",
				node, why.text);
	if (json_span_type(json_span_of(text, strlen(text))) != JSON_OBJECT)
		return dag_fail(r, nowhere,
				"the env of node \"%.256s\" must be an object "
				"of text",
				node);
	return true;
}

static bool build_node(struct dag_reader *r, const struct graphml_item *item)
{
	struct sorting s = { .r = r,
			     .scope = "node",
			     .name = item->id,
			     .plain = true,
			     .last = -1 };
	struct dag *d = r->d;
	struct buf b = BUF_INIT;
	struct json_cursor c;
	struct json_span key, v;
	uint32_t node;
	bool ok = true;
	int place = 0;

	r->line = item->line;
	s.tail = &s.attrs;
	if (!dag_add_node(r, &node) ||
	    !dag_name_node(r, nowhere, node, item->id))
		return false;
	buf_addc(&b, '{');
	for (const struct graphml_datum *u = item->data; ok && u; u = u->next) {
		const struct dag_key *k = find_key(r, u, "node");
		bool own = k && dag_is_node_key(d->arena, k->name);

		ok = k && add(&s, k, u->text, own ? place++ : -1);
		if (ok && own && !strcmp(k->name, "env"))
			ok = check_env(r, item->id, u->text);
		if (ok && own) {
			buf_json_key(&b, k->name);
			json_span_write(&b,
					dag_key_value(d->arena, k, u->text));
		}
	}
	buf_addc(&b, '}');
	d->nodes[node].job =
		(struct json_span){ arena_strndup(d->arena, buf_str(&b), b.len),
				    b.len };
	buf_fini(&b);
	r->line = item->line;
	for (c = json_cursor_open(d->nodes[node].job);
	     ok && json_cursor_member(&c, &key, &v);)
		ok = dag_read_job_key(r, node, key, v);
	d->nodes[node].attrs = finish(&s);
	return ok && dag_check_values(r, node);
}

/* In the order that they are written in. */
static const char *const edge_keys[] = {
	"name",    "directory", "dirpath", "datatype", "tag",
	"datatag", "comment",   "uri",     "site",     "on",
};

static bool find_end(struct dag_reader *r, const struct graphml_item *item,
		     const char *name, uint32_t *out)
{
	*out = dag_find(r->d, name);
	return *out != DAG_NONE ||
	       dag_fail(r, nowhere,
			"the edge from \"%.256s\" to \"%.256s\" needs the node "
			"\"%.256s\", which is not there",
			item->source, item->target, name);
}

static bool build_edge(struct dag_reader *r, const struct graphml_item *item)
{
	struct dag *d = r->d;
	struct dag_data data = { .id = item->id };
	struct sorting s = {
		.r = r, .scope = "edge", .plain = true, .last = -1
	};
	char cond = d->join_any ? DAG_ALWAYS : DAG_SUCCESS;
	uint32_t from, to, index;

	r->line = item->line;
	s.tail = &s.attrs;
	s.name = arena_printf(d->arena, "%s:%s", item->source, item->target);
	if (!find_end(r, item, item->source, &from) ||
	    !find_end(r, item, item->target, &to))
		return false;
	for (const struct graphml_datum *u = item->data; u; u = u->next) {
		const struct dag_key *k = find_key(r, u, "edge");
		const char **field;
		int place = (int)COUNT(edge_keys) - 1;

		if (!k)
			return false;
		while (place >= 0 && strcmp(edge_keys[place], k->name) != 0)
			place--;
		if (!add(&s, k, u->text, place))
			return false;
		field = dag_data_field(&data, k->name);
		if (place >= 0 && !field) {
			data.has_on = true;
			if (!dag_read_cond(r,
					   json_span_quoted(d->arena, u->text),
					   "", &cond))
				return false;
		} else if (place >= 0 && *field) {
			return dag_fail(r, nowhere,
					"the edge \"%.500s\" has \"%s\" under "
					"two names",
					s.name, k->name);
		} else if (place >= 0) {
			*field = u->text;
		}
	}
	data.attrs = finish(&s);
	*dag_add_data(r, &index) = data;
	return dag_add_edge(r, nowhere,
			    (struct dag_edge){ from, to, index, cond });
}

/* The header, as far as a graph's data are named as its keys. */
static bool build_graph(struct dag_reader *r, const struct graphml_item *item)
{
	struct dag *d = r->d;
	struct sorting s = {
		.r = r, .scope = "graph", .name = "", .plain = true
	};
	bool known;

	s.tail = &s.attrs;
	d->graph_id = item->id;
	for (const struct graphml_datum *u = item->data; u; u = u->next) {
		const struct dag_key *k = find_key(r, u, "graph");

		if (!k ||
		    !dag_read_header(r, json_span_quoted(d->arena, k->name),
				     json_span_quoted(d->arena, u->text),
				     &known) ||
		    !add(&s, k, u->text, known ? 0 : -1))
			return false;
	}
	s.plain = true;
	d->attrs = finish(&s);
	return true;
}

static bool build(struct dag_reader *r, const struct graphml_raw *raw)
{
	r->d->graphml = true;
	if (!build_graph(r, &raw->graph))
		return false;
	for (uint32_t i = 0; i < raw->n_nodes; i++)
		if (!build_node(r, &raw->nodes[i]))
			return false;
	for (uint32_t i = 0; i < raw->n_edges; i++)
		if (!build_edge(r, &raw->edges[i]))
			return false;
	return dag_check(r);
}

bool graphml_read(struct arena *a, const char *text, size_t len,
		  const char *source, struct dag **out, struct err *e)
{
	struct dag_reader r = { .source = source, .flags = DAG_VALUES, .e = e };
	struct graphml_raw raw = { 0 };
	bool ok;

	if (len > DAG_DOCUMENT_MAX)
		return err_set(e, ERR_TOO_LARGE,
			       "%s%sthe document has %zu bytes, at most %zu "
			       "are allowed",
			       source, *source ? ": " : "", len,
			       DAG_DOCUMENT_MAX);
	r.d = dag_new(a);
	ok = graphml_parse(&r, text, len, &raw) && build(&r, &raw);
	free(raw.nodes);
	free(raw.edges);
	dag_reader_fini(&r);
	*out = r.d;
	return ok;
}
