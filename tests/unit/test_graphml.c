/* GraphML is read as networkx and p3s write it, and written as it was. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/graphml.h"
#include "tests/unit/dag_kit.h"
#include "tests/unit/unit.h"

#define HEAD                                       \
	"<?xml version='1.0' encoding='utf-8'?>\n" \
	"<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
#define KEYS                                                              \
	"<key id='p' for='node' attr.name='payload' attr.type='string'/>" \
	"<key id='e' for='node' attr.name='env' attr.type='string'/>"     \
	"<key id='t' for='edge' attr.name='datatag' attr.type='string'/>"
#define GRAPH "<graph edgedefault='directed'>"
#define TAIL "</graph></graphml>"

static struct arena *arena;

static struct dag *read(const char *text, size_t len)
{
	struct err e = ERR_INIT;
	struct dag *d = NULL;
	bool ok = graphml_read(arena, text, len, "w.graphml", &d, &e);

	CHECK_TRUE(graphml_probe(text, len));
	CHECK_OK(ok, e);
	REQUIRE(ok);
	return d;
}

static const char *write(const struct dag *d)
{
	struct buf b = BUF_INIT;
	const char *text;

	graphml_write(&b, d);
	text = arena_strdup(arena, buf_str(&b));
	buf_fini(&b);
	return text;
}

static const char *read_and_show(const char *text)
{
	return dag_kit_text(arena, read(text, strlen(text)));
}

/* Through JSON, as a server keeps it, it comes out the same. */
static void check_stays(const struct dag *d)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct dag *again;
	const char *xml = write(d);

	dag_write_json(&b, d);
	if (CHECK_OK(dag_read(arena, b.data, b.len, "", 0, &again, &e), e))
		CHECK_STR_EQ(write(again), xml);
	CHECK_STR_EQ(write(read(xml, strlen(xml))), xml);
	buf_fini(&b);
}

static void elements_may_come_in_any_order(void)
{
	const char *text = HEAD GRAPH
		"<edge source='a' target='b'><data key='t'>X</data></edge>"
		"<!-- a comment --><node id='b'/>"
		"<node id='a'><data key='p'>x &lt; y</data></node></graph>" KEYS
		"</graphml>";

	CHECK_STR_EQ(read_and_show(text),
		     "{'jobs':{'b':{},'a':{'payload':'x < y'}},'datasets':[{"
		     "'from':'a','to':'b','tag':'X'}],'graphml':{'keys':["
		     "{'id':'p','for':'node','name':'payload','type':'string'},"
		     "{'id':'e','for':'node','name':'env','type':'string'},"
		     "{'id':'t','for':'edge','name':'datatag','type':"
		     "'string'}]}}");
	check_stays(read(text, strlen(text)));
}

static void attributes_keys_and_defaults_come_out_as_they_went_in(void)
{
	static const char text[] = HEAD
		"<key id='d9' for='graph' attr.name='owner' attr.type='string'/>"
		"<key id='d8' for='node' attr.name='priority' attr.type='int'>"
		"<default>7</default></key>"
		"<key id='d7' for='all' attr.name='weight' attr.type='double'/>"
		"<key id='d6' for='node' attr.name='weight' attr.type='string'/>"
		"<key id='d5' for='node' attr.name='cores' attr.type='long'/>"
		"<key id='d4' for='edge' attr.name='dirpath' attr.type='string'/>"
		"<key id='d3' for='edge' attr.name='name' attr.type='string'/>"
		"<graph id='G' edgedefault='directed'>"
		"<data key='d9'>me &amp; you</data>"
		"<node id='&lt;a&gt;'><data key='d7'>1.50</data><data key='d5'>2"
		"</data></node><node id='b'><data key='d6'>heavy</data>"
		"<data key='d8'>0</data></node>"
		"<edge id='0' source='&lt;a&gt;' target='b'>"
		"<data key='d4'>/d</data><data key='d3'>n</data>"
		"<data key='d7'>3</data></edge>"
		"<edge id='1' source='&lt;a&gt;' target='b'/>" TAIL;
	const char *out = write(read(text, sizeof(text) - 1));

	CHECK_CONTAINS(out, "  <key attr.name=\"priority\" attr.type=\"int\" "
			    "for=\"node\" id=\"d8\">\n"
			    "    <default>7</default>\n  </key>\n");
	CHECK_CONTAINS(out, "  <graph edgedefault=\"directed\" id=\"G\">\n"
			    "    <data key=\"d9\">me &amp; you</data>\n");
	CHECK_CONTAINS(out, "    <node id=\"&lt;a&gt;\">\n"
			    "      <data key=\"d7\">1.50</data>\n"
			    "      <data key=\"d5\">2</data>\n");
	CHECK_CONTAINS(out, "    <node id=\"b\">\n"
			    "      <data key=\"d6\">heavy</data>\n"
			    "      <data key=\"d8\">0</data>\n");
	CHECK_CONTAINS(out, "    <edge id=\"0\" source=\"&lt;a&gt;\" "
			    "target=\"b\">\n"
			    "      <data key=\"d4\">/d</data>\n"
			    "      <data key=\"d3\">n</data>\n"
			    "      <data key=\"d7\">3</data>\n");
	CHECK_CONTAINS(out, "    <edge id=\"1\" source=\"&lt;a&gt;\" "
			    "target=\"b\" />\n");
	check_stays(read(text, sizeof(text) - 1));
}

static void a_default_says_what_a_node_does_not(void)
{
	static const char text[] = HEAD
		"<key id='j' for='node' attr.name='jobtype' attr.type='string'>"
		"<default>noop</default></key>"
		"<key id='t' for='edge' attr.name='datatag' attr.type='string'>"
		"<default>T</default></key>"
		"<key id='o' for='edge' attr.name='on' attr.type='string'>"
		"<default>failure</default></key>" GRAPH
		"<node id='a'/><node id='b'><data key='j'>x</data></node>"
		"<edge source='a' target='b'/><edge source='a' target='b'>"
		"<data key='o'>success</data></edge>" TAIL;
	struct dag *d = read(text, sizeof(text) - 1);

	CHECK_TRUE(d->nodes[0].noop);
	CHECK_FALSE(d->nodes[1].noop);
	CHECK_STR_EQ(d->defaults.tag, "T");
	CHECK_INT_EQ(d->edges[0].cond, DAG_FAILURE);
	CHECK_INT_EQ(d->edges[1].cond, DAG_SUCCESS);
	check_stays(d);
}

static void encodings_that_are_declared_are_read(void)
{
	static const char latin[] =
		"<?xml version='1.0' encoding='iso-8859-1'?><graphml>" GRAPH
		"<node id='\xfc'/>" TAIL;
	static const char plain[] =
		"\xef\xbb\xbf<graphml>" GRAPH "<node id='\xc3\xbc'/>" TAIL;
	char wide[2 * sizeof(plain)] = "\xff\xfe";
	size_t n = 2;

	CHECK_STR_EQ(read(latin, sizeof(latin) - 1)->nodes[0].name, "\xc3\xbc");
	CHECK_STR_EQ(read(plain, sizeof(plain) - 1)->nodes[0].name, "\xc3\xbc");
	for (const char *p = "<graphml>" GRAPH "<node id='u'/>" TAIL; *p; p++) {
		wide[n++] = *p;
		wide[n++] = '\0';
	}
	CHECK_STR_EQ(read(wide, n)->nodes[0].name, "u");
}

/* As networkx writes them with named_key_ids. */
static void keys_for_nodes_and_edges_may_share_an_id(void)
{
	static const char text[] =
		HEAD "<key id='flag' for='edge' attr.name='flag' "
		     "attr.type='boolean'/>\n"
		     "<key id='flag' for='node' attr.name='flag' "
		     "attr.type='int'/>\n" GRAPH
		     "<node id='a'><data key='flag'>1</data></node>"
		     "<node id='b'/><edge source='a' target='b'>"
		     "<data key='flag'>true</data></edge>" TAIL;
	struct dag *d = read(text, sizeof(text) - 1);

	CHECK_STR_EQ(d->nodes[0].attrs->text, "1");
	CHECK_STR_EQ(d->data[0].attrs->text, "true");
	CHECK_INT_EQ(d->n_keys, 2);
	check_stays(d);
}

static void json_without_graphml_gets_the_keys_of_p3s(void)
{
	const char *text =
		"{'name':'n','env':{'A':1},'jobs':{'a':{'payload':'x\\ny','env'"
		":{'B':'2'},'cores':2,'pools':['p','q']},'b':{'noop':true,"
		"'after':[{'job':'a','on':'failure'}]}},'datasets':[{'from':"
		"'a','to':'b','tag':'T','directory':'/d','uri':'u:x'}]}";
	const char *out = write(dag_kit_read(arena, text));
	struct dag *d = read(out, strlen(out));

	CHECK_CONTAINS(out, "attr.name=\"payload\" attr.type=\"string\" "
			    "for=\"node\" id=\"d101\" />");
	CHECK_CONTAINS(out, "      <data key=\"d102\">{\"B\":\"2\"}</data>\n");
	CHECK_CONTAINS(out, "      <data key=\"d4\">T</data>\n");
	CHECK_STR_EQ(d->name, "n");
	CHECK_TRUE(d->nodes[1].noop);
	CHECK_CONTAINS(dag_kit_text(arena, d), "'pools':['p','q']");
	REQUIRE(d->n_edges == 2);
	CHECK_INT_EQ(d->edges[0].cond, 'f');
	CHECK_STR_EQ(d->data[1].uri, "u:x");
	check_stays(d);
}

static void what_is_wrong_is_said_with_line_and_name(void)
{
	static const char *const cases[][2] = {
		{ HEAD GRAPH
		  "<node id='a'/>\n<edge source='a' target='b'/>" TAIL,
		  "line 4: the edge from \"a\" to \"b\" needs the node \"b\", "
		  "which is not there" },
		{ HEAD KEYS GRAPH
		  "<node id='a'>\n<data key='e'>{x}</data></node>" TAIL,
		  "line 4: the env of node \"a\" is not JSON: line 1, column "
		  "2: a key in double quotes is expected, not 'x'" },
		{ HEAD KEYS GRAPH
		  "<node id='a'><data key='e'>[]</data></node>" TAIL,
		  "line 3: the env of node \"a\" must be an object of text" },
		{ HEAD KEYS GRAPH
		  "<node id='b'/>\n<node id='a'><data key='e'>{\"X\":[]}"
		  "</data></node>" TAIL,
		  "line 4: job \"a\": the key \"env\" has \"X\", which must be "
		  "text, not a list" },
		{ HEAD GRAPH "<node id='b'/>\n<node id='a&#10;'/>" TAIL,
		  "line 4: \"a\\n\" cannot be a job's name" },
		{ HEAD KEYS
		  "<key id='e' for='edge' attr.name='x'/>\n" GRAPH TAIL,
		  "there are two keys \"e\"" },
		{ HEAD GRAPH "<node id='a'/>\n<node id='a'/>" TAIL,
		  "line 4: there are two jobs \"a\"" },
		{ HEAD GRAPH
		  "<node id='a'/><node id='b'/>\n<edge source='a' target='b'/>"
		  "\n<edge source='b' target='a'/>" TAIL,
		  "line 5: the jobs wait for each other in a circle: a "
		  "\xe2\x86\x92 b \xe2\x86\x92 a" },
		{ HEAD "<key id='t' for='node' attr.name='timelimit'>\n"
		       "<default>soon</default></key>\n" GRAPH
		       "<node id='a'/>" TAIL,
		  "line 4: the default of the key \"t\": the key "
		  "\"timelimit\"" },
		{ HEAD "<key id='j' for='node' attr.name='join'>"
		       "<default>some</default></key>\n" GRAPH
		       "<node id='a'/>" TAIL,
		  "line 3: job \"a\": the key \"join\" must be" },
		{ HEAD "<key id='o' for='edge' attr.name='on'>"
		       "<default>never</default></key>\n" GRAPH TAIL,
		  "line 3: the default of the key \"o\": \"on\" must be" },
		{ HEAD "<graph edgedefault='undirected'>" TAIL,
		  "line 3: the graph must be directed "
		  "(edgedefault=\"directed\"), not undirected" },
		{ HEAD GRAPH "<node id='a'>\n<graph/></node>" TAIL,
		  "line 4: <graph> is refused: a dag has no graphs within its "
		  "nodes and edges" },
		{ HEAD GRAPH "<hyperedge/>" TAIL,
		  "line 3: <hyperedge> is refused: an edge of a dag has two "
		  "ends" },
		{ HEAD GRAPH "<node id='a'><port name='x'/></node>" TAIL,
		  "line 3: <port> is refused: nodes of a dag have none" },
		{ HEAD GRAPH
		  "<edge source='a' target='b' sourceport='x'/>" TAIL,
		  "line 3: the edge from \"a\" to \"b\" has a port: nodes of a "
		  "dag have none" },
		{ HEAD GRAPH "<node id='a'><data key='x'/></node>" TAIL,
		  "line 3: the key \"x\" is not declared" },
		{ HEAD KEYS GRAPH "<node id='a'><data key='t'/></node>" TAIL,
		  "line 3: the key \"t\" is for \"edge\" and stands in a node" },
		{ HEAD KEYS GRAPH
		  "<node id='a'><data key='p'>x</data><data key='p'>y</data>"
		  "</node>" TAIL,
		  "line 3: the node \"a\" has \"payload\" twice" },
		{ HEAD GRAPH "<node id='a'>x</node>" TAIL,
		  "line 3: text stands in node, where none can be" },
		{ HEAD "</graphml>", "there is no <graph>" },
		{ HEAD GRAPH, "the XML is not well-formed: no element found" },
		{ "<!DOCTYPE g [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b "
		  "'&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>\n<graphml>" GRAPH
		  "<node id='&b;'/>" TAIL,
		  "line 1: a document type with declarations of its own is "
		  "refused" },
		{ "<graphml>" GRAPH "<node id='a'>&x;</node>" TAIL,
		  "line 1: the XML is not well-formed: undefined entity" },
	};
	struct dag *d;

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		struct err e = ERR_INIT;

		CHECK_FAILS(graphml_read(arena, cases[i][0],
					 strlen(cases[i][0]), "w.graphml", &d,
					 &e),
			    e, ERR_BAD_REQUEST, cases[i][1]);
		CHECK_CONTAINS(e.text, "w.graphml: ");
	}
}

/* What python's XML parser sees of two files: keys, nodes, edges, data. */
static const char compare[] =
	"import sys, xml.etree.ElementTree as E\n"
	"def see(path):\n"
	"    n = '{http://graphml.graphdrawing.org/xmlns}'\n"
	"    t = E.parse(path).getroot()\n"
	"    g = t.find(n + 'graph')\n"
	"    data = lambda x: [(y.get('key'), y.text or '')\n"
	"                      for y in x.findall(n + 'data')]\n"
	"    return ([sorted(k.attrib.items()) for k in t.findall(n + 'key')],\n"
	"            [(x.get('id'), data(x)) for x in g.findall(n + 'node')],\n"
	"            [(x.get('source'), x.get('target'), data(x))\n"
	"             for x in g.findall(n + 'edge')])\n"
	"a, b = see(sys.argv[1]), see(sys.argv[2])\n"
	"assert a == b, (a, b)\n"
	"assert a[1]\n";

static void check_file(const char *path, const char *script)
{
	char *text = unit_slurp(path);
	struct dag *d = read(text, strlen(text));
	const char *out = write(d);

	check_stays(d);
	CHECK_INT_EQ(system(arena_printf(arena, "python3 %s '%s' %s", script,
					 path, unit_file(out, strlen(out)))),
		     0);
	free(text);
}

/* They stand beside the checkout of a developer and are not the project's. */
static void dags_of_p3s_keep_nodes_edges_and_attributes(void)
{
	static const char *const places[] = { "*/*.graphml", "*/*/*.graphml" };
	const char *top = getenv("abs_top_srcdir");
	const char *script = unit_file(compare, sizeof(compare) - 1);
	size_t n = 0;

	for (size_t k = 0; k < UNIT_N(places); k++) {
		glob_t files;

		if (glob(arena_printf(arena, "%s/../shared/p3s-inputs/%s",
				      top ? top : ".", places[k]),
			 0, NULL, &files))
			continue;
		for (size_t i = 0; i < files.gl_pathc; i++)
			check_file(files.gl_pathv[i], script);
		n += files.gl_pathc;
		globfree(&files);
	}
	if (!n)
		puts("# skipped: no dags of p3s beside the checkout");
}

static const struct unit_test tests[] = {
	{ "elements may come in any order", elements_may_come_in_any_order },
	{ "attributes, keys and defaults come out as they went in",
	  attributes_keys_and_defaults_come_out_as_they_went_in },
	{ "a default says what a node does not",
	  a_default_says_what_a_node_does_not },
	{ "encodings that are declared are read",
	  encodings_that_are_declared_are_read },
	{ "keys for nodes and edges may share an id",
	  keys_for_nodes_and_edges_may_share_an_id },
	{ "JSON without GraphML gets the keys of p3s",
	  json_without_graphml_gets_the_keys_of_p3s },
	{ "what is wrong is said with line and name",
	  what_is_wrong_is_said_with_line_and_name },
	{ "dags of p3s keep nodes, edges and attributes",
	  dags_of_p3s_keep_nodes_edges_and_attributes },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("graphml", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
