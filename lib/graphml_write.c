/*
 * Writes a dag as GraphML, with the keys it came with; keys that are missing
 * are declared, first of all those that p3s knows.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/graphml.h"
#include "lib/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct dag_key p3s_keys[] = {
	{ "d101", "payload", "string", "node", NULL, 0 },
	{ "d102", "env", "string", "node", NULL, 0 },
	{ "d103", "jobtype", "string", "node", NULL, 0 },
	{ "d104", "timelimit", "int", "node", NULL, 0 },
	{ "d105", "priority", "int", "node", NULL, 0 },
	{ "d1", "name", "string", "edge", NULL, 0 },
	{ "d2", "dirpath", "string", "edge", NULL, 0 },
	{ "d3", "datatype", "string", "edge", NULL, 0 },
	{ "d4", "datatag", "string", "edge", NULL, 0 },
	{ "d5", "comment", "string", "edge", NULL, 0 },
};

/* What is written is collected first, so that its keys can be declared
 * before it. */
struct writing {
	const struct dag *d;
	struct dag_key *keys;
	uint32_t n, cap;
	struct arena *arena;
	struct buf body;
};

/* What XML cannot hold becomes U+FFFD. */
static void add_text(struct buf *b, const char *s, bool attribute)
{
	size_t left = strlen(s), n;
	bool ok;

	for (; left; s += n, left -= n) {
		unsigned char c = (unsigned char)*s;

		n = utf8_next(s, left, &ok);
		if (c == '&')
			buf_adds(b, "&amp;");
		else if (c == '<')
			buf_adds(b, "&lt;");
		else if (c == '>')
			buf_adds(b, "&gt;");
		else if (c == '"' && attribute)
			buf_adds(b, "&quot;");
		else if (c == '\r' || (attribute && (c == '\n' || c == '\t')))
			buf_addf(b, "&#%d;", c);
		else if (!ok || (c < 0x20 && c != '\n' && c != '\t') ||
			 (n == 3 && !memcmp(s, "\xef\xbf\xbe", 3)) ||
			 (n == 3 && !memcmp(s, "\xef\xbf\xbf", 3)))
			buf_adds(b, "\xef\xbf\xbd");
		else
			buf_add(b, s, n);
	}
}

static void add_attribute(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, " %s=\"", name);
	add_text(b, value, true);
	buf_addc(b, '"');
}

static bool id_taken(const struct writing *w, const char *id)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (!strcmp(w->keys[i].id, id))
			return true;
	return false;
}

static void push_key(struct writing *w, struct dag_key k)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 32;
		w->keys = xrealloc(w->keys, w->cap * sizeof(*w->keys));
	}
	w->keys[w->n++] = k;
}

static uint32_t find_key(struct writing *w, const char *name, const char *scope)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (!strcmp(w->keys[i].name, name) &&
		    dag_key_is_for(&w->keys[i], scope))
			return i;
	return DAG_NONE;
}

static uint32_t need_key(struct writing *w, const char *name, const char *scope,
			 const char *type)
{
	uint32_t i = find_key(w, name, scope);
	unsigned number = !strcmp(scope, "node")   ? 106
			  : !strcmp(scope, "edge") ? 6
						   : 201;
	const char *id;

	if (i != DAG_NONE)
		return i;
	do {
		id = arena_printf(w->arena, "d%u", number++);
	} while (id_taken(w, id));
	push_key(w, (struct dag_key){ id, arena_strdup(w->arena, name), type,
				      scope, NULL, 0 });
	return w->n - 1;
}

static void add_data(struct writing *w, const char *indent, uint32_t key,
		     const char *text)
{
	buf_addf(&w->body, "%s<data key=\"", indent);
	add_text(&w->body, w->keys[key].id, true);
	buf_adds(&w->body, "\">");
	add_text(&w->body, text, false);
	buf_adds(&w->body, "</data>\n");
}

/* An own member of a node, edge or graph, as text. */
struct own {
	const char *name, *type, *text;
};

static bool placed(const struct dag_attr *attrs, const char *name)
{
	for (; attrs; attrs = attrs->next)
		if (!attrs->text && !strcmp(attrs->name, name))
			return true;
	return false;
}

static const struct own *find_own(const struct own *own, size_t n,
				  const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(own[i].name, name))
			return &own[i];
	return NULL;
}

/* Own members that have no place among the attributes, then those. */
static void write_data(struct writing *w, const char *scope, const char *indent,
		       const struct own *own, size_t n,
		       const struct dag_attr *attrs)
{
	const struct own *o;

	for (size_t i = 0; i < n; i++)
		if (!placed(attrs, own[i].name))
			add_data(w, indent,
				 need_key(w, own[i].name, scope, own[i].type),
				 own[i].text);
	for (const struct dag_attr *a = attrs; a; a = a->next) {
		o = a->text ? NULL : find_own(own, n, a->name);
		if (!a->text && !o)
			continue;
		add_data(w, indent,
			 a->key != DAG_NONE
				 ? a->key
				 : need_key(w, a->name, scope, "string"),
			 o ? o->text : a->text);
	}
}

static const char *value_text(struct writing *w, struct json_span v)
{
	struct buf b = BUF_INIT;
	const char *text;

	if (json_span_type(v) == JSON_STR)
		return json_span_str(w->arena, v);
	json_span_write(&b, v);
	text = arena_strndup(w->arena, buf_str(&b), b.len);
	buf_fini(&b);
	return text;
}

static const char *value_type(struct json_span v)
{
	switch (json_span_type(v)) {
	case JSON_INT:
		return "long";
	case JSON_DOUBLE:
		return "double";
	case JSON_BOOL:
		return "boolean";
	default:
		return "string";
	}
}

#define MEMBERS_MAX 64

static void write_node(struct writing *w, const struct dag_node *node)
{
	static const char *const elsewhere[] = { "name", "after", "children",
						 "attributes" };
	struct own own[MEMBERS_MAX];
	struct json_cursor c;
	struct json_span key, v;
	size_t n = 0;

	if (node->job.p)
		for (c = json_cursor_open(node->job);
		     n < MEMBERS_MAX && json_cursor_member(&c, &key, &v);) {
			bool skip = json_span_type(v) == JSON_NULL;

			for (size_t i = 0; i < COUNT(elsewhere); i++)
				skip |= json_span_is(key, elsewhere[i]);
			if (!skip)
				own[n++] = (struct own){
					json_span_str(w->arena, key),
					value_type(v), value_text(w, v)
				};
		}
	buf_adds(&w->body, "    <node");
	add_attribute(&w->body, "id", node->name);
	if (!n && !node->attrs) {
		buf_adds(&w->body, " />\n");
		return;
	}
	buf_adds(&w->body, ">\n");
	write_data(w, "node", "      ", own, n, node->attrs);
	buf_adds(&w->body, "    </node>\n");
}

static void put(struct own *own, size_t *n, const char *name, const char *text)
{
	if (text)
		own[(*n)++] = (struct own){ name, "string", text };
}

/* The spelling that the document declares; p3s's when none. */
static const char *spelling(struct writing *w, const struct dag_attr *attrs,
			    const char *ours, const char *p3s)
{
	if (placed(attrs, ours))
		return ours;
	if (placed(attrs, p3s) || find_key(w, p3s, "edge") != DAG_NONE)
		return p3s;
	return find_key(w, ours, "edge") != DAG_NONE ? ours : p3s;
}

static void write_edge(struct writing *w, const struct dag_edge *e)
{
	static const struct dag_data none;
	const struct dag *d = w->d;
	const struct dag_data *f =
		e->data == DAG_NONE ? &none : &d->data[e->data];
	struct own own[16];
	size_t n = 0;

	put(own, &n, "name", f->name);
	put(own, &n, spelling(w, f->attrs, "directory", "dirpath"),
	    f->directory);
	put(own, &n, "datatype", f->datatype);
	put(own, &n, spelling(w, f->attrs, "tag", "datatag"), f->tag);
	put(own, &n, "comment", f->comment);
	put(own, &n, "uri", f->uri);
	put(own, &n, "site", f->site);
	if (f->has_on || e->cond != d->edge_cond)
		put(own, &n, "on", dag_cond_name(e->cond));
	buf_adds(&w->body, "    <edge");
	add_attribute(&w->body, "id", f->id);
	add_attribute(&w->body, "source", dag_parent_name(d, e));
	add_attribute(&w->body, "target", d->nodes[e->to].name);
	if (!n && !f->attrs) {
		buf_adds(&w->body, " />\n");
		return;
	}
	buf_adds(&w->body, ">\n");
	write_data(w, "edge", "      ", own, n, f->attrs);
	buf_adds(&w->body, "    </edge>\n");
}

static void put_number(struct writing *w, struct own *own, size_t *n,
		       const char *name, int64_t value)
{
	put(own, n, name, arena_printf(w->arena, "%lld", (long long)value));
}

static void write_header(struct writing *w)
{
	const struct dag *d = w->d;
	struct own own[16];
	size_t n = 0;

	put(own, &n, "name", *d->name ? d->name : NULL);
	put(own, &n, "description", *d->description ? d->description : NULL);
	put(own, &n, "project", *d->project ? d->project : NULL);
	if (d->has_priority)
		put_number(w, own, &n, "priority", d->priority);
	if (d->max_running)
		put_number(w, own, &n, "max_running", d->max_running);
	put(own, &n, "on_failure", d->cancel_on_failure ? "cancel" : NULL);
	put(own, &n, "join", d->join_any ? "any" : NULL);
	if (d->has_state)
		put(own, &n, "state", d->held ? "held" : "running");
	put(own, &n, "open", d->open ? "true" : NULL);
	put(own, &n, "close", d->close_auto ? "auto" : NULL);
	put(own, &n, "env", d->env.p ? value_text(w, d->env) : NULL);
	put(own, &n, "callback",
	    d->callback.p ? value_text(w, d->callback) : NULL);
	write_data(w, "graph", "    ", own, n, d->attrs);
}

static void write_key(struct buf *b, const struct dag_key *k)
{
	buf_adds(b, "  <key");
	add_attribute(b, "attr.name", k->name);
	add_attribute(b, "attr.type", k->type);
	add_attribute(b, "for", k->scope);
	add_attribute(b, "id", k->id);
	if (!k->def) {
		buf_adds(b, " />\n");
		return;
	}
	buf_adds(b, ">\n    <default>");
	add_text(b, k->def, false);
	buf_adds(b, "</default>\n  </key>\n");
}

void graphml_write(struct buf *b, const struct dag *d)
{
	struct writing w = { .d = d, .arena = arena_new() };
	const struct dag_key *keys = d->graphml ? d->keys : p3s_keys;
	uint32_t n = d->graphml ? d->n_keys : COUNT(p3s_keys);

	for (uint32_t i = 0; i < n; i++)
		push_key(&w, keys[i]);
	write_header(&w);
	for (uint32_t i = 0; i < d->n_nodes; i++)
		write_node(&w, &d->nodes[i]);
	for (uint32_t i = 0; i < d->n_edges; i++)
		write_edge(&w, &d->edges[i]);
	buf_adds(b, "<?xml version='1.0' encoding='utf-8'?>\n"
		    "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" "
		    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
		    "xsi:schemaLocation=\"http://graphml.graphdrawing.org/"
		    "xmlns http://graphml.graphdrawing.org/xmlns/1.0/"
		    "graphml.xsd\">\n");
	for (uint32_t i = 0; i < w.n; i++)
		write_key(b, &w.keys[i]);
	buf_adds(b, "  <graph edgedefault=\"directed\"");
	add_attribute(b, "id", d->graph_id);
	buf_adds(b, ">\n");
	buf_add(b, w.body.data, w.body.len);
	buf_adds(b, "  </graph>\n</graphml>\n");
	buf_fini(&w.body);
	free(w.keys);
	arena_free(w.arena);
}
