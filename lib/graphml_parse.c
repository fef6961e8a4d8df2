/*
 * The elements of a GraphML document, by expat: which may stand where is in
 * one table, everything else is refused by name and line.
 */
#include <expat.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "lib/graphml_raw.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS_MAX 1000
/* Between namespace and name; no character of a URI. */
#define SEPARATOR '\n'

enum place { TOP, ROOT, KEY, DEFAULT, GRAPH, NODE, EDGE, DATA, DESC, N_PLACES };
#define DEPTH_MAX 8

struct parse {
	struct dag_reader *r;
	struct graphml_raw *out;
	XML_Parser xml;
	enum place stack[DEPTH_MAX];
	unsigned depth;
	bool failed, graph_seen;
	struct buf text;
	struct graphml_item *item;   /* that data belong to */
	struct graphml_datum **tail; /* where its next one goes */
	struct graphml_datum **graph_tail;
};

static const char *const place_names[N_PLACES] = {
	[TOP] = "the document", [ROOT] = "graphml", [KEY] = "key",
	[DEFAULT] = "default",  [GRAPH] = "graph",  [NODE] = "node",
	[EDGE] = "edge",        [DATA] = "data",    [DESC] = "desc",
};

static const struct element {
	const char *name;
	enum place place;
	unsigned inside; /* the places where it may stand */
} elements[] = {
	{ "graphml", ROOT, 1u << TOP },
	{ "key", KEY, 1u << ROOT },
	{ "default", DEFAULT, 1u << KEY },
	{ "graph", GRAPH, 1u << ROOT },
	{ "node", NODE, 1u << GRAPH },
	{ "edge", EDGE, 1u << GRAPH },
	{ "data", DATA, 1u << GRAPH | 1u << NODE | 1u << EDGE | 1u << ROOT },
	{ "desc", DESC,
	  1u << ROOT | 1u << KEY | 1u << GRAPH | 1u << NODE | 1u << EDGE },
};

static void stop(struct parse *p)
{
	p->failed = true;
	XML_StopParser(p->xml, XML_FALSE);
}

#define FAIL(p, ...)                                                          \
	do {                                                                  \
		(p)->r->line = XML_GetCurrentLineNumber((p)->xml);            \
		dag_fail((p)->r, (struct json_span){ NULL, 0 }, __VA_ARGS__); \
		stop(p);                                                      \
	} while (0)

static const char *attribute(const char **attrs, const char *name)
{
	for (; *attrs; attrs += 2)
		if (!strcmp(attrs[0], name))
			return attrs[1];
	return NULL;
}

static const char *dup_attribute(struct parse *p, const char **attrs,
				 const char *name)
{
	return arena_strdup(p->r->d->arena, attribute(attrs, name));
}

static void *grow(void *a, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return a;
	*cap = *cap ? *cap * 2 : 16;
	return xrealloc(a, *cap * size);
}

static void begin_key(struct parse *p, const char **attrs)
{
	struct dag *d = p->r->d;
	struct dag_key *k;
	const char *scope = attribute(attrs, "for");

	if (d->n_keys == KEYS_MAX) {
		FAIL(p, "more than %d keys", KEYS_MAX);
		return;
	}
	if (!d->keys)
		d->keys = ARENA_ARRAY(d->arena, struct dag_key, KEYS_MAX);
	k = &d->keys[d->n_keys];
	*k = (struct dag_key){
		.id = dup_attribute(p, attrs, "id"),
		.name = dup_attribute(p, attrs, "attr.name"),
		.type = dup_attribute(p, attrs, "attr.type"),
		.scope = scope ? arena_strdup(d->arena, scope) : "all",
	};
	if (!k->type)
		k->type = "string";
	if (!k->id || !k->name) {
		FAIL(p, "<key> needs an \"id\" and an \"attr.name\"");
		return;
	}
	for (uint32_t i = 0; i < d->n_keys; i++) {
		/* networkx can call keys by their names, of which there may be
		 * one for nodes and one for edges. */
		if (!strcmp(d->keys[i].id, k->id) &&
		    strcmp(d->keys[i].name, k->name) != 0) {
			FAIL(p, "there are two keys \"%.100s\"", k->id);
			return;
		}
	}
	d->n_keys++;
}

static void begin_item(struct parse *p, struct graphml_item *item,
		       const char **attrs)
{
	*item = (struct graphml_item){
		.id = dup_attribute(p, attrs, "id"),
		.source = dup_attribute(p, attrs, "source"),
		.target = dup_attribute(p, attrs, "target"),
		.line = XML_GetCurrentLineNumber(p->xml),
	};
	if (p->item == &p->out->graph)
		p->graph_tail = p->tail;
	p->item = item;
	p->tail = &item->data;
}

static void begin_graph(struct parse *p, const char **attrs)
{
	const char *kind = attribute(attrs, "edgedefault");

	if (p->graph_seen)
		FAIL(p, "there are two graphs: a dag is one");
	else if (!kind || strcmp(kind, "directed") != 0)
		FAIL(p,
		     "the graph must be directed (edgedefault=\"directed\"), "
		     "not %.50s",
		     kind ? kind : "without a direction");
	else
		begin_item(p, &p->out->graph, attrs);
	p->graph_seen = true;
}

static void begin_node(struct parse *p, const char **attrs)
{
	struct graphml_raw *out = p->out;

	if (!attribute(attrs, "id")) {
		FAIL(p, "<node> needs an \"id\"");
		return;
	}
	if (out->n_nodes == DAG_JOBS_MAX) {
		dag_fail_large(p->r, "nodes, at most %d are allowed",
			       DAG_JOBS_MAX);
		stop(p);
		return;
	}
	out->nodes = grow(out->nodes, out->n_nodes, &out->nodes_cap,
			  sizeof(*out->nodes));
	begin_item(p, &out->nodes[out->n_nodes++], attrs);
}

static void begin_edge(struct parse *p, const char **attrs)
{
	struct graphml_raw *out = p->out;
	const char *directed = attribute(attrs, "directed");
	const char *from = attribute(attrs, "source");
	const char *to = attribute(attrs, "target");

	if (!from || !to) {
		FAIL(p, "<edge> needs a \"source\" and a \"target\"");
		return;
	}
	if (directed && strcmp(directed, "true") != 0) {
		FAIL(p,
		     "the edge from \"%.100s\" to \"%.100s\" must be "
		     "directed",
		     from, to);
		return;
	}
	if (attribute(attrs, "sourceport") || attribute(attrs, "targetport")) {
		FAIL(p,
		     "the edge from \"%.100s\" to \"%.100s\" has a port: "
		     "nodes of a dag have none",
		     from, to);
		return;
	}
	out->edges = grow(out->edges, out->n_edges, &out->edges_cap,
			  sizeof(*out->edges));
	begin_item(p, &out->edges[out->n_edges++], attrs);
}

static void begin_data(struct parse *p, const char **attrs)
{
	struct graphml_datum *datum;

	if (p->stack[p->depth - 2] == ROOT) {
		FAIL(p, "<data> outside of the graph belongs to nothing");
		return;
	}
	if (!attribute(attrs, "key")) {
		FAIL(p, "<data> needs a \"key\"");
		return;
	}
	datum = ARENA_NEW(p->r->d->arena, struct graphml_datum);
	datum->key = dup_attribute(p, attrs, "key");
	datum->line = XML_GetCurrentLineNumber(p->xml);
	*p->tail = datum;
	p->tail = &datum->next;
	buf_reset(&p->text);
}

static const struct element *find_element(const char *name)
{
	for (size_t i = 0; i < COUNT(elements); i++)
		if (!strcmp(elements[i].name, name))
			return &elements[i];
	return NULL;
}

/* GraphML's own namespaces, or none. */
static const char *local_name(const char *name, bool *ours)
{
	static const char own[] = "http://graphml.graphdrawing.org/xmlns";
	const char *sep = strrchr(name, SEPARATOR);

	*ours = !sep || !strncmp(name, own, sizeof(own) - 1);
	return sep ? sep + 1 : name;
}

static void refuse_element(struct parse *p, const char *name)
{
	static const char *const known[][2] = {
		{ "hyperedge", "an edge of a dag has two ends" },
		{ "port", "nodes of a dag have none" },
		{ "endpoint", "an edge of a dag has two ends" },
		{ "graph", "a dag has no graphs within its nodes and edges" },
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		if (!strcmp(known[i][0], name)) {
			FAIL(p, "<%s> is refused: %s", name, known[i][1]);
			return;
		}
	}
	FAIL(p, "<%.100s> cannot stand in %s here", name,
	     place_names[p->stack[p->depth - 1]]);
}

static void XMLCALL on_start(void *arg, const char *full, const char **attrs)
{
	struct parse *p = arg;
	bool ours;
	const char *name = local_name(full, &ours);
	const struct element *el = ours ? find_element(name) : NULL;

	if (p->failed)
		return;
	if (!el || !(el->inside & 1u << p->stack[p->depth - 1])) {
		refuse_element(p, name);
		return;
	}
	p->stack[p->depth++] = el->place;
	switch (el->place) {
	case KEY:
		begin_key(p, attrs);
		break;
	case DEFAULT:
		p->r->d->keys[p->r->d->n_keys - 1].line =
			(uint32_t)XML_GetCurrentLineNumber(p->xml);
		buf_reset(&p->text);
		break;
	case GRAPH:
		begin_graph(p, attrs);
		break;
	case NODE:
		begin_node(p, attrs);
		break;
	case EDGE:
		begin_edge(p, attrs);
		break;
	case DATA:
		begin_data(p, attrs);
		break;
	default:
		break;
	}
}

static void end_data(struct parse *p)
{
	struct graphml_datum *datum =
		(struct graphml_datum *)((char *)p->tail -
					 offsetof(struct graphml_datum, next));

	datum->text =
		arena_strndup(p->r->d->arena, buf_str(&p->text), p->text.len);
}

/* Data of the graph may follow its nodes. */
static void back_to_graph(struct parse *p)
{
	p->item = &p->out->graph;
	p->tail = p->graph_tail;
}

static void XMLCALL on_end(void *arg, const char *full)
{
	struct parse *p = arg;
	struct dag *d = p->r->d;

	(void)full;
	if (p->failed)
		return;
	switch (p->stack[--p->depth]) {
	case DEFAULT:
		d->keys[d->n_keys - 1].def =
			arena_strndup(d->arena, buf_str(&p->text), p->text.len);
		break;
	case DATA:
		end_data(p);
		break;
	case NODE:
	case EDGE:
		back_to_graph(p);
		break;
	default:
		break;
	}
}

static bool is_blank(const char *s, int len)
{
	for (int i = 0; i < len; i++)
		if (!strchr(" \t\r\n", s[i]))
			return false;
	return true;
}

static void XMLCALL on_text(void *arg, const char *s, int len)
{
	struct parse *p = arg;
	enum place place = p->stack[p->depth - 1];

	if (p->failed)
		return;
	if (place == DATA || place == DEFAULT)
		buf_add(&p->text, s, (size_t)len);
	else if (place != DESC && !is_blank(s, len))
		FAIL(p, "text stands in %s, where none can be",
		     place_names[place]);
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *system,
			       const char *public, int internal)
{
	struct parse *p = arg;

	(void)name;
	(void)system;
	(void)public;
	if (internal && !p->failed)
		FAIL(p, "a document type with declarations of its own is "
			"refused: take <!DOCTYPE ...> out");
}

static void XMLCALL on_skipped(void *arg, const char *name, int parameter)
{
	struct parse *p = arg;

	if (!parameter && !p->failed)
		FAIL(p, "the entity \"&%.100s;\" is not known", name);
}

static void set_handlers(struct parse *p)
{
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	XML_SetSkippedEntityHandler(p->xml, on_skipped);
	XML_SetParamEntityParsing(p->xml, XML_PARAM_ENTITY_PARSING_NEVER);
}

bool graphml_parse(struct dag_reader *r, const char *text, size_t len,
		   struct graphml_raw *out)
{
	struct parse p = { .r = r, .out = out, .stack = { TOP }, .depth = 1 };
	enum XML_Status status;

	p.xml = XML_ParserCreateNS(NULL, SEPARATOR);
	if (!p.xml)
		return err_set(r->e, ERR_INTERNAL, "out of memory");
	p.item = &out->graph;
	p.tail = &out->graph.data;
	set_handlers(&p);
	status = XML_Parse(p.xml, text, (int)len, XML_TRUE);
	if (status != XML_STATUS_OK && !p.failed)
		FAIL(&p, "the XML is not well-formed: %s",
		     XML_ErrorString(XML_GetErrorCode(p.xml)));
	if (!p.failed && !p.graph_seen)
		FAIL(&p, "there is no <graph>");
	XML_ParserFree(p.xml);
	buf_fini(&p.text);
	return !p.failed;
}
