/*
 * Writes a dag as one JSON object, so that what was read from a list, a tree
 * or GraphML is stored and sent in one form.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/dag.h"

static void write_header(struct buf *b, const struct dag *d)
{
	if (*d->name)
		buf_json_kv_str(b, "name", d->name);
	if (*d->description)
		buf_json_kv_str(b, "description", d->description);
	if (*d->project)
		buf_json_kv_str(b, "project", d->project);
	if (d->has_priority)
		buf_json_kv_i64(b, "priority", d->priority);
	if (d->max_running)
		buf_json_kv_i64(b, "max_running", d->max_running);
	if (d->cancel_on_failure)
		buf_json_kv_str(b, "on_failure", "cancel");
	if (d->join_any)
		buf_json_kv_str(b, "join", "any");
	if (d->has_state)
		buf_json_kv_str(b, "state", d->held ? "held" : "running");
	if (d->open)
		buf_json_kv_bool(b, "open", true);
	if (d->close_auto)
		buf_json_kv_str(b, "close", "auto");
	if (d->env.p) {
		buf_json_key(b, "env");
		json_span_write(b, d->env);
	}
	if (d->callback.p) {
		buf_json_key(b, "callback");
		json_span_write(b, d->callback);
	}
}

static void write_attrs(struct buf *b, const struct dag *d,
			const struct dag_attr *attr)
{
	if (!attr)
		return;
	buf_json_key(b, "attributes");
	buf_addc(b, '{');
	for (; attr; attr = attr->next) {
		buf_json_key(b, attr->name);
		if (attr->key == DAG_NONE) {
			buf_json_str(b, attr->text);
			continue;
		}
		buf_addc(b, '{');
		buf_json_kv_str(b, "key", d->keys[attr->key].id);
		if (attr->text)
			buf_json_kv_str(b, "value", attr->text);
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
}

static void write_after(struct buf *b, const struct dag *d,
			const struct dag_edge *e)
{
	bool plain = e->cond == (d->join_any ? DAG_ALWAYS : DAG_SUCCESS);

	buf_json_comma(b);
	if (plain) {
		buf_json_str(b, dag_parent_name(d, e));
		return;
	}
	buf_addc(b, '{');
	buf_json_kv_str(b, "job", dag_parent_name(d, e));
	buf_json_kv_str(b, "on", dag_cond_name(e->cond));
	buf_addc(b, '}');
}

/* Written anew below, or known from elsewhere. */
static bool is_rewritten(struct json_span key)
{
	static const char *const keys[] = { "name", "after", "children",
					    "attributes" };

	for (size_t i = 0; i < 4; i++)
		if (json_span_is(key, keys[i]))
			return true;
	return false;
}

/* at: the first edge not written yet; edges of `after` are in order of
 * jobs. */
static void write_job(struct buf *b, const struct dag *d, uint32_t node,
		      uint32_t *at)
{
	const struct dag_node *n = &d->nodes[node];
	struct json_cursor c;
	struct json_span key, v;

	buf_json_key(b, n->name);
	buf_addc(b, '{');
	if (n->job.p)
		for (c = json_cursor_open(n->job);
		     json_cursor_member(&c, &key, &v);) {
			if (is_rewritten(key))
				continue;
			buf_json_comma(b);
			buf_add(b, key.p, key.len);
			buf_addc(b, ':');
			json_span_write(b, v);
		}
	if (*at < d->n_edges && d->edges[*at].data == DAG_NONE &&
	    d->edges[*at].to == node) {
		buf_json_key(b, "after");
		buf_addc(b, '[');
		for (; *at < d->n_edges && d->edges[*at].data == DAG_NONE &&
		       d->edges[*at].to == node;
		     ++*at)
			write_after(b, d, &d->edges[*at]);
		buf_addc(b, ']');
	}
	write_attrs(b, d, n->attrs);
	buf_addc(b, '}');
}

static void write_text(struct buf *b, const char *key, const char *text)
{
	if (text)
		buf_json_kv_str(b, key, text);
}

static void write_dataset(struct buf *b, const struct dag *d,
			  const struct dag_edge *e)
{
	const struct dag_data *f = &d->data[e->data];

	buf_json_comma(b);
	buf_addc(b, '{');
	buf_json_kv_str(b, "from", dag_parent_name(d, e));
	buf_json_kv_str(b, "to", d->nodes[e->to].name);
	write_text(b, "tag", f->tag);
	write_text(b, "name", f->name);
	write_text(b, "directory", f->directory);
	write_text(b, "uri", f->uri);
	write_text(b, "datatype", f->datatype);
	write_text(b, "comment", f->comment);
	write_text(b, "site", f->site);
	if (f->has_on)
		buf_json_kv_str(b, "on", dag_cond_name(e->cond));
	write_text(b, "id", f->id);
	write_attrs(b, d, f->attrs);
	buf_addc(b, '}');
}

static void write_graphml(struct buf *b, const struct dag *d)
{
	buf_json_key(b, "graphml");
	buf_addc(b, '{');
	write_text(b, "id", d->graph_id);
	buf_json_key(b, "keys");
	buf_addc(b, '[');
	for (uint32_t i = 0; i < d->n_keys; i++) {
		const struct dag_key *k = &d->keys[i];

		buf_json_comma(b);
		buf_addc(b, '{');
		buf_json_kv_str(b, "id", k->id);
		buf_json_kv_str(b, "for", k->scope);
		buf_json_kv_str(b, "name", k->name);
		buf_json_kv_str(b, "type", k->type);
		write_text(b, "default", k->def);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
	write_attrs(b, d, d->attrs);
	buf_addc(b, '}');
}

void dag_write_json(struct buf *b, const struct dag *d)
{
	uint32_t at = 0;

	buf_addc(b, '{');
	write_header(b, d);
	buf_json_key(b, "jobs");
	buf_addc(b, '{');
	for (uint32_t i = 0; i < d->n_nodes; i++)
		write_job(b, d, i, &at);
	buf_addc(b, '}');
	if (at < d->n_edges) {
		buf_json_key(b, "datasets");
		buf_addc(b, '[');
		for (; at < d->n_edges; at++)
			write_dataset(b, d, &d->edges[at]);
		buf_addc(b, ']');
	}
	if (d->graphml)
		write_graphml(b, d);
	buf_addc(b, '}');
}
