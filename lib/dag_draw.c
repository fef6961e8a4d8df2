/*
 * A dag as lines of a terminal: layer under layer, each job in a box with
 * what it comes after.
 */
#include "lib/dag_draw.h"

#include <string.h>
#include "lib/dag_layout.h"
#include "lib/utf8.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 20
#define BOX_MAX 40
#define LINES_MAX 6
/* Layers of more jobs, and all layers of larger graphs, are summed up. */
#define LAYER_MAX 24
#define GRAPH_MAX 400
#define STATES_MAX 16

#define PLURAL(n) ((n) == 1 ? "" : "s")

/* What stands below a job's name in its box. */
struct lines {
	const char *text[LINES_MAX];
	size_t n;
};

struct drawing {
	struct buf *b;
	const struct dag *d;
	const struct dag_layout *l;
	const struct dag_draw_options *o;
	unsigned width;
	struct lines *parents; /* of each node that is drawn as a box */
	struct arena *a;
};

/* Pieces of boxes: corners, edges, arrow. */
struct pieces {
	const char *top_left, *top_right, *bottom_left, *bottom_right;
	const char *across, *down, *arrow, *more, *mark_noop;
};

static const struct pieces utf8_pieces = {
	"\xe2\x94\x8c", "\xe2\x94\x90", "\xe2\x94\x94",
	"\xe2\x94\x98", "\xe2\x94\x80", "\xe2\x94\x82",
	"\xe2\x86\x90", "\xe2\x80\xa6", "\xc2\xb7",
};

static const struct pieces ascii_pieces = { "+", "+",  "+", "+", "-",
					    "|", "<-", "~", "." };

static const struct pieces *pieces_of(const struct drawing *g)
{
	return g->o->utf8 ? &utf8_pieces : &ascii_pieces;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void add_times(struct buf *b, const char *s, size_t n)
{
	while (n-- > 0)
		buf_adds(b, s);
}

/* Exactly width characters: cut, or with blanks behind. Without UTF-8 what
 * is no ASCII becomes a question mark. */
static void add_cell(const struct drawing *g, const char *s, size_t width)
{
	size_t n = characters(s), used = 0, len;
	size_t keep = n > width ? width - 1 : n;
	bool ok;

	for (; used < keep; s += len, used++) {
		len = utf8_next(s, strlen(s), &ok);
		if (len == 1 || (g->o->utf8 && ok))
			buf_add(g->b, s, len);
		else
			buf_addc(g->b, '?');
	}
	if (n > width)
		buf_adds(g->b, pieces_of(g)->more);
	else
		add_times(g->b, " ", width - n);
}

static const char *name_line(const struct drawing *g, uint32_t node)
{
	const struct dag_node *n = &g->d->nodes[node];
	const struct dag_look *look = dag_look_of(g->o, node);
	const char *mark = "";

	if (g->o->states)
		mark = g->o->utf8 ? look->mark : look->mark_ascii;
	else if (n->noop)
		mark = pieces_of(g)->mark_noop;
	return arena_printf(g->a, "%s%s%s", mark, *mark ? " " : "", n->name);
}

static size_t box_most(const struct drawing *g)
{
	return g->width - 2 < BOX_MAX ? g->width - 2 : BOX_MAX;
}

/* "gen [RAW, HITS] (failure)": a parent with what it hands over, of the edges
 * from i on; *i becomes that of the next parent. */
static const char *parent_text(const struct drawing *g, uint32_t *i,
			       uint32_t end)
{
	const struct dag_edge *e = &g->d->edges[g->l->edges[*i]];
	const char *name = dag_parent_name(g->d, e), *label, *text;
	const char *cond = e->cond != DAG_SUCCESS ? dag_cond_name(e->cond) : "";
	struct buf b = BUF_INIT;
	size_t files = 0;

	buf_adds(&b, name);
	for (; *i < end; (*i)++) {
		e = &g->d->edges[g->l->edges[*i]];
		if (strcmp(name, dag_parent_name(g->d, e)) != 0)
			break;
		label = dag_edge_label(g->d, e);
		if (label != NULL)
			buf_addf(&b, "%s%s", files++ > 0 ? ", " : " [", label);
	}
	buf_adds(&b, files > 0 ? "]" : "");
	if (*cond)
		buf_addf(&b, " (%s)", cond);
	text = arena_strndup(g->a, buf_str(&b), b.len);
	buf_fini(&b);
	return text;
}

/* "<- a [RAW], b", in as many lines as a box may have. */
static struct lines parents_of(const struct drawing *g, uint32_t node)
{
	uint32_t i = g->l->parents[node], end = g->l->parents[node + 1];
	size_t most = box_most(g) - 4;
	struct lines lines = { .n = 0 };

	while (i < end) {
		const char *text = parent_text(g, &i, end);
		const char *comma = i < end ? "," : "";
		const char **last = &lines.text[lines.n ? lines.n - 1 : 0];

		if (lines.n > 0 &&
		    characters(*last) + 1 + characters(text) + strlen(comma) <=
			    most) {
			*last = arena_printf(g->a, "%s %s%s", *last, text,
					     comma);
			continue;
		}
		if (lines.n == LINES_MAX) {
			*last = arena_printf(g->a, "%s %s", *last,
					     pieces_of(g)->more);
			break;
		}
		lines.text[lines.n] =
			arena_printf(g->a, "%s %s%s",
				     lines.n == 0 ? pieces_of(g)->arrow
				     : g->o->utf8 ? " "
						  : "  ",
				     text, comma);
		lines.n++;
	}
	return lines;
}

static size_t box_width(const struct drawing *g, uint32_t node)
{
	const struct lines *parents = &g->parents[node];
	size_t width = characters(name_line(g, node));

	for (size_t i = 0; i < parents->n; i++)
		if (characters(parents->text[i]) > width)
			width = characters(parents->text[i]);
	width += 4;
	return width > box_most(g) ? box_most(g) : width;
}

static void draw_edge_of_box(const struct drawing *g, uint32_t node, bool top)
{
	const struct pieces *p = pieces_of(g);

	buf_adds(g->b, top ? p->top_left : p->bottom_left);
	add_times(g->b, p->across, box_width(g, node) - 2);
	buf_adds(g->b, top ? p->top_right : p->bottom_right);
}

static void draw_text_of_box(const struct drawing *g, uint32_t node,
			     const char *text, const char *ansi)
{
	const struct pieces *p = pieces_of(g);

	buf_addf(g->b, "%s %s", p->down, ansi);
	add_cell(g, text, box_width(g, node) - 4);
	buf_addf(g->b, "%s %s", *ansi ? "\33[0m" : "", p->down);
}

/* Line 0 is the box's edge, line 1 the name, then come parents. */
static void draw_line_of_box(const struct drawing *g, uint32_t node,
			     size_t line, size_t n_lines)
{
	const struct lines *parents = &g->parents[node];

	if (line == 0 || line == n_lines - 1)
		draw_edge_of_box(g, node, line == 0);
	else if (line == 1)
		draw_text_of_box(g, node, name_line(g, node),
				 g->o->color ? dag_look_of(g->o, node)->ansi
					     : "");
	else
		draw_text_of_box(g, node,
				 line - 2 < parents->n ? parents->text[line - 2]
						       : "",
				 "");
}

/* The nodes of order from..to, which fit the width. */
static void draw_row(const struct drawing *g, uint32_t from, uint32_t to)
{
	size_t n_lines = 0;

	for (uint32_t i = from; i < to; i++)
		if (g->parents[g->l->order[i]].n > n_lines)
			n_lines = g->parents[g->l->order[i]].n;
	n_lines += 3;
	for (size_t line = 0; line < n_lines; line++) {
		buf_adds(g->b, "  ");
		for (uint32_t i = from; i < to; i++) {
			buf_adds(g->b, i > from ? " " : "");
			draw_line_of_box(g, g->l->order[i], line, n_lines);
		}
		buf_addc(g->b, '\n');
	}
}

static void draw_boxes(const struct drawing *g, uint32_t layer)
{
	uint32_t from = g->l->first[layer], end = g->l->first[layer + 1], to;
	size_t used;

	for (uint32_t i = from; i < end; i++)
		g->parents[g->l->order[i]] = parents_of(g, g->l->order[i]);
	for (; from < end; from = to) {
		used = 1;
		for (to = from; to < end; to++) {
			size_t w = box_width(g, g->l->order[to]) + 1;

			if (to > from && used + w > g->width)
				break;
			used += w;
		}
		draw_row(g, from, to);
	}
}

static void add_states(const struct drawing *g, uint32_t from, uint32_t to)
{
	const struct dag_look *seen[STATES_MAX];
	uint32_t count[STATES_MAX], n = 0, k;

	for (uint32_t i = from; i < to; i++) {
		const struct dag_look *look = dag_look_of(g->o, g->l->order[i]);

		for (k = 0; k < n && seen[k] != look; k++)
			;
		if (k == n) {
			seen[n] = look;
			count[n++] = 0;
		}
		count[k]++;
	}
	for (k = 0; k < n; k++)
		buf_addf(g->b, "%s%u %s", k ? ", " : ": ", count[k],
			 *seen[k]->state ? seen[k]->state : "other");
}

static void draw_summary(const struct drawing *g, uint32_t layer)
{
	uint32_t from = g->l->first[layer], to = g->l->first[layer + 1];

	buf_addf(g->b, "  %u jobs", to - from);
	if (g->o->states)
		add_states(g, from, to);
	buf_adds(g->b, "\n  ");
	add_cell(g,
		 arena_printf(g->a, "%s %s %s",
			      g->d->nodes[g->l->order[from]].name,
			      pieces_of(g)->more,
			      g->d->nodes[g->l->order[to - 1]].name),
		 g->width - 2);
	buf_addc(g->b, '\n');
}

static void draw_layer(const struct drawing *g, uint32_t layer)
{
	uint32_t n = g->l->first[layer + 1] - g->l->first[layer];

	buf_addf(g->b, "layer %u\n", layer + 1);
	if (n > LAYER_MAX || (n > 1 && g->d->n_nodes > GRAPH_MAX))
		draw_summary(g, layer);
	else
		draw_boxes(g, layer);
}

void dag_draw(struct buf *b, const struct dag *d,
	      const struct dag_draw_options *o)
{
	struct drawing g = { .b = b, .d = d, .o = o, .a = arena_new() };
	const char *title = o->title ? o->title : d->name;

	g.width = o->width ? o->width : WIDTH_DEFAULT;
	if (g.width < WIDTH_MIN)
		g.width = WIDTH_MIN;
	g.l = dag_layout_new(d, g.a);
	g.parents = ARENA_ARRAY(g.a, struct lines, d->n_nodes + 1);
	buf_addf(b, "%s%s%u job%s, %u edge%s, %u layer%s\n", title,
		 *title ? ": " : "", d->n_nodes, PLURAL(d->n_nodes), d->n_edges,
		 PLURAL(d->n_edges), g.l->n_layers, PLURAL(g.l->n_layers));
	for (uint32_t i = 0; i < g.l->n_layers; i++)
		draw_layer(&g, i);
	arena_free(g.a);
}
