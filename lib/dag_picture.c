/*
 * A dag for Graphviz and as an SVG picture.
 */
#include <string.h>
#include "lib/dag_layout.h"
#include "lib/utf8.h"

#define BOX_W 168
#define BOX_H 30
#define STEP_X 250
#define STEP_Y 46
#define MARGIN 20
#define LABEL_CHARS 20

static const char *title_of(const struct dag *d,
			    const struct dag_draw_options *o)
{
	return o->title ? o->title : d->name;
}

static void dot_text(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
	buf_addc(b, '"');
}

static const char *dot_style(char cond)
{
	return cond == DAG_SUCCESS   ? ""
	       : cond == DAG_FAILURE ? " color=\"red\" style=\"dashed\""
				     : " style=\"dashed\"";
}

static void dot_edge(struct buf *b, const struct dag *d,
		     const struct dag_edge *e)
{
	const char *label = dag_edge_label(d, e);

	buf_adds(b, "\t");
	dot_text(b, dag_parent_name(d, e));
	buf_adds(b, " -> ");
	dot_text(b, d->nodes[e->to].name);
	if (label || e->cond != DAG_SUCCESS) {
		buf_adds(b, " [");
		if (label) {
			buf_adds(b, "label=");
			dot_text(b, label);
		}
		buf_adds(b, dot_style(e->cond));
		buf_adds(b, "]");
	}
	buf_adds(b, ";\n");
}

void dag_write_dot(struct buf *b, const struct dag *d,
		   const struct dag_draw_options *o)
{
	buf_adds(b, "digraph ");
	dot_text(b, *title_of(d, o) ? title_of(d, o) : "dag");
	buf_adds(b, " {\n\trankdir=LR;\n\tnode [shape=box style=filled "
		    "fillcolor=\"#ffffff\"];\n");
	for (uint32_t i = 0; i < d->n_nodes; i++) {
		buf_adds(b, "\t");
		dot_text(b, d->nodes[i].name);
		if (o->states)
			buf_addf(b, " [fillcolor=\"%s\"]",
				 dag_look_of(o, i)->fill);
		else if (d->nodes[i].noop)
			buf_adds(b, " [shape=ellipse]");
		buf_adds(b, ";\n");
	}
	for (uint32_t i = 0; i < d->n_edges; i++)
		dot_edge(b, d, &d->edges[i]);
	buf_adds(b, "}\n");
}

static void xml_text(struct buf *b, const char *s, size_t chars)
{
	size_t left = strlen(s), n;
	bool ok;

	for (; left; s += n, left -= n) {
		n = utf8_next(s, left, &ok);
		if (chars-- == 0) {
			buf_adds(b, "\xe2\x80\xa6");
			return;
		}
		if (*s == '&')
			buf_adds(b, "&amp;");
		else if (*s == '<')
			buf_adds(b, "&lt;");
		else if (*s == '>')
			buf_adds(b, "&gt;");
		else if ((unsigned char)*s < 0x20 || !ok)
			buf_adds(b, "\xef\xbf\xbd");
		else
			buf_add(b, s, n);
	}
}

static uint32_t widest(const struct dag_layout *l)
{
	uint32_t most = 1;

	for (uint32_t i = 0; i < l->n_layers; i++)
		if (l->first[i + 1] - l->first[i] > most)
			most = l->first[i + 1] - l->first[i];
	return most;
}

static long left_of(const struct dag_layout *l, uint32_t node)
{
	return MARGIN + (long)l->layer[node] * STEP_X;
}

/* Layers stand in the middle of the picture's height. */
static long top_of(const struct dag_layout *l, uint32_t node, uint32_t most)
{
	uint32_t layer = l->layer[node];
	uint32_t n = l->first[layer + 1] - l->first[layer];

	return 2 * MARGIN + (long)l->place[node] * STEP_Y +
	       (long)(most - n) * STEP_Y / 2;
}

static void svg_edge(struct buf *b, const struct dag *d,
		     const struct dag_layout *l, const struct dag_edge *e,
		     uint32_t most)
{
	const char *label = dag_edge_label(d, e), *file;
	long x1, y1, x2, y2;

	if (e->from >= d->n_nodes)
		return;
	x1 = left_of(l, e->from) + BOX_W;
	y1 = top_of(l, e->from, most) + BOX_H / 2;
	x2 = left_of(l, e->to);
	y2 = top_of(l, e->to, most) + BOX_H / 2;
	buf_addf(
		b,
		"<path class=\"%s\" d=\"M%ld %ldC%ld %ld %ld %ld %ld %ld\"/>\n",
		dag_cond_name(e->cond), x1, y1, x1 + 40, y1, x2 - 40, y2, x2,
		y2);
	if (!label)
		return;
	buf_addf(b, "<text class=\"tag\" x=\"%ld\" y=\"%ld\">", (x1 + x2) / 2,
		 (y1 + y2) / 2 - 3);
	buf_adds(b, "<title>");
	xml_text(b, label, SIZE_MAX);
	file = d->data[e->data].name;
	if (file && *file && strcmp(file, label) != 0) {
		buf_adds(b, ": ");
		xml_text(b, file, SIZE_MAX);
	}
	buf_adds(b, "</title>");
	xml_text(b, label, 12);
	buf_adds(b, "</text>\n");
}

static void svg_node(struct buf *b, const struct dag *d,
		     const struct dag_layout *l,
		     const struct dag_draw_options *o, uint32_t node,
		     uint32_t most)
{
	long x = left_of(l, node), y = top_of(l, node, most);

	buf_adds(b, "<g><title>");
	xml_text(b, d->nodes[node].name, SIZE_MAX);
	if (o->states && o->states[node]) {
		buf_adds(b, ": ");
		xml_text(b, o->states[node], SIZE_MAX);
	}
	buf_addf(b,
		 "</title><rect x=\"%ld\" y=\"%ld\" width=\"%d\" height=\"%d\" "
		 "rx=\"%d\" fill=\"%s\"/><text x=\"%ld\" y=\"%ld\">",
		 x, y, BOX_W, BOX_H, d->nodes[node].noop ? 15 : 4,
		 dag_look_of(o, node)->fill, x + BOX_W / 2, y + BOX_H / 2 + 5);
	xml_text(b, d->nodes[node].name, LABEL_CHARS);
	buf_adds(b, "</text></g>\n");
}

void dag_write_svg(struct buf *b, const struct dag *d,
		   const struct dag_draw_options *o)
{
	struct arena *a = arena_new();
	struct dag_layout *l = dag_layout_new(d, a);
	uint32_t most = widest(l);
	long width = 2 * MARGIN +
		     (long)(l->n_layers ? l->n_layers - 1 : 0) * STEP_X + BOX_W;
	long height = 3 * MARGIN + (long)most * STEP_Y;

	buf_addf(b,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" "
		 "height=\"%ld\" viewBox=\"0 0 %ld %ld\">\n",
		 width, height, width, height);
	buf_adds(b, "<style>text{font:13px sans-serif;text-anchor:middle}"
		    ".tag{font-size:10px;fill:#555}rect{stroke:#444}"
		    "path{fill:none;stroke:#666;marker-end:url(#arrow)}"
		    ".failure{stroke:#c00;stroke-dasharray:5 3}"
		    ".always{stroke-dasharray:5 3}</style>\n"
		    "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" "
		    "refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
		    "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" "
		    "style=\"fill:#666;stroke:none;marker-end:none\"/></marker>"
		    "</defs>\n<title>");
	xml_text(b, title_of(d, o), SIZE_MAX);
	buf_adds(b, "</title>\n");
	for (uint32_t i = 0; i < d->n_edges; i++)
		svg_edge(b, d, l, &d->edges[i], most);
	for (uint32_t i = 0; i < d->n_nodes; i++)
		svg_node(b, d, l, o, i, most);
	buf_adds(b, "</svg>\n");
	arena_free(a);
}
