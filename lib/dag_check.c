/*
 * What must hold for a document as a whole: names that can be written down,
 * bounds, and no job that waits for itself through others.
 */
#include <stdlib.h>
#include <string.h>
#include "lib/dag_reader.h"
#include "lib/utf8.h"

/* Of a cycle's jobs as many are named as a message holds. */
#define CYCLE_NAMED 12

static bool name_ok(const char *s)
{
	size_t len = strlen(s), n;
	bool ok;

	if (len < 1 || len > DAG_NAME_MAX)
		return false;
	for (const char *p = s; *p; p += n) {
		unsigned char c = (unsigned char)*p;

		n = utf8_next(p, (size_t)(s + len - p), &ok);
		if (!ok || c < 0x20 || c == 0x7f)
			return false;
		/* U+0080 to U+009F are control characters as well. */
		if (c == 0xc2 && (unsigned char)p[1] < 0xa0)
			return false;
	}
	return true;
}

bool dag_check_name(struct dag_reader *r, struct json_span at, const char *name)
{
	struct buf b = BUF_INIT;

	if (name_ok(name))
		return true;
	buf_json_str(&b, name);
	dag_fail(r, at,
		 "%.100s cannot be a job's name: 1 to %d bytes without control "
		 "characters",
		 buf_str(&b), DAG_NAME_MAX);
	buf_fini(&b);
	return false;
}

/* Outside jobs are numbered behind those of the document. */
static void number_outside(struct dag *d)
{
	for (uint32_t i = 0; i < d->n_edges; i++)
		if (d->edges[i].from >= DAG_JOBS_MAX)
			d->edges[i].from -= DAG_JOBS_MAX - d->n_nodes;
}

/* Of each node on or behind a cycle an edge from another such node. */
static uint32_t *stuck_edges(const struct dag *d, const struct dag_order *o)
{
	uint32_t *edge = xmalloc((size_t)d->n_nodes * sizeof(*edge));

	for (uint32_t i = 0; i < d->n_nodes; i++)
		edge[i] = DAG_NONE;
	for (uint32_t i = 0; i < d->n_edges; i++) {
		const struct dag_edge *e = &d->edges[i];

		if (e->from < d->n_nodes && o->open[e->from] && o->open[e->to])
			edge[e->to] = i;
	}
	return edge;
}

static void write_cycle(struct dag_reader *r, const uint32_t *chain, uint32_t n,
			struct buf *b)
{
	/* The chain goes from child to parent. */
	for (uint32_t i = n; i-- > 0;) {
		if (n - i == CYCLE_NAMED && n > CYCLE_NAMED + 1) {
			buf_addf(b, " \xe2\x86\x92 %u more", i);
			i = 0;
		}
		buf_addf(b, "%s%.60s", b->len ? " \xe2\x86\x92 " : "",
			 r->d->nodes[chain[i]].name);
	}
}

/* Of the edges between the nodes of the chain, from its end on as it is
 * written, the first whose place is known: that of a tree is not. */
static struct json_span cycle_place(struct dag_reader *r, const uint32_t *edge,
				    const uint32_t *chain, uint32_t n)
{
	size_t place = 0;

	for (uint32_t i = 0; i + 1 < n && !place; i++)
		place = r->place[edge[chain[i]]];
	if (!place || !r->text) {
		r->line = place;
		return (struct json_span){ NULL, 0 };
	}
	return (struct json_span){ r->text + place, 1 };
}

static bool fail_cycle(struct dag_reader *r, const struct dag_order *o)
{
	const struct dag *d = r->d;
	uint32_t *edge = stuck_edges(d, o), *chain, n = 0, at = 0, first;
	uint32_t *seen = xcalloc(d->n_nodes, sizeof(*seen));
	struct buf b = BUF_INIT;

	chain = xmalloc(((size_t)d->n_nodes + 1) * sizeof(*chain));
	while (!o->open[at])
		at++;
	/* Upwards until a node comes again. */
	for (; !seen[at]; at = d->edges[edge[at]].from) {
		chain[n++] = at;
		seen[at] = n;
	}
	first = seen[at] - 1;
	chain[n++] = at;
	write_cycle(r, chain + first, n - first, &b);
	dag_fail(r, cycle_place(r, edge, chain + first, n - first),
		 "the jobs wait for each other in a circle: %s", buf_str(&b));
	r->line = 0;
	buf_fini(&b);
	free(edge);
	free(seen);
	free(chain);
	return false;
}

bool dag_check(struct dag_reader *r)
{
	struct dag_order *o;
	bool ok = true;

	r->line = 0;
	number_outside(r->d);
	if (!dag_apply_defaults(r))
		return false;
	o = dag_order_new(r->d);
	if (o->n < r->d->n_nodes)
		ok = fail_cycle(r, o);
	dag_order_free(o);
	return ok;
}
