/* Documents of jobs are read in each of their forms, or refused by name. */
#include <string.h>
#include "lib/dag_draw.h"
#include "tests/unit/dag_kit.h"
#include "tests/unit/unit.h"

static struct arena *arena;

static void check_text(const char *text, const char *want)
{
	const char *got = dag_kit_text(arena, dag_kit_read(arena, text));

	CHECK_STR_EQ(got, want);
	/* What was written is read as the same. */
	CHECK_STR_EQ(dag_kit_text(arena, dag_kit_read(arena, got)), want);
}

static void jobs_come_by_name_in_a_list_or_as_a_tree(void)
{
	const char *want = "{'jobs':{'a':{'shell':'x y'},'b':{'argv':['z'],"
			   "'after':['a']}}}";

	check_text("{'jobs':{'a':{'shell':'x y'},'b':{'argv':['z'],"
		   "'after':['a']}}}",
		   want);
	check_text("{'jobs':[ {'name':'a', 'shell':'x y'},\n{'argv':[ 'z' ],"
		   "'after':'a','name':'b'}]}",
		   want);
	check_text("[{'name':'a','shell':'x y'},{'name':'b','argv':['z'],"
		   "'after':{'job':'a'}}]",
		   want);
	check_text("{'jobs':{'a':{'children':{'b':{'argv':['z']}},"
		   "'shell':'x y'}}}",
		   want);
	check_text("{'name':'a','shell':'x y','children':[{'name':'b','argv':"
		   "['z']}]}",
		   "{'name':'a','jobs':{'a':{'shell':'x y'},'b':{'argv':['z'],"
		   "'after':['a']}}}");
}

static void a_document_comes_out_as_it_went_in(void)
{
	const char *all =
		"{'name':'n','description':'d','project':'p','priority':-3,"
		"'max_running':5,'on_failure':'cancel','join':'any',"
		"'state':'held','open':true,'close':'auto','env':{'A':'1'},"
		"'callback':['http://x'],'jobs':{"
		"'a':{'argv':['x'],'env':{'B':'2'},'cores':2},"
		"'b':{'argv':['x'],'join':'all','allow_failure':true,'after':["
		"'a',{'job':'a','on':'failure'}]},"
		"'c':{'noop':true,'matrix':[{'X':1},{'X':2}],"
		"'attributes':{'colour':'red'}}},"
		"'datasets':[{'from':'a','to':'c','tag':'T','name':'f',"
		"'directory':'/d','uri':'u://v','datatype':'TXT','comment':'c',"
		"'site':'s','on':'success','id':'e1','attributes':{'w':'7'}}]}";
	struct dag *d;

	check_text(all, all);
	d = dag_kit_read(arena, all);
	CHECK_TRUE(d->cancel_on_failure && d->join_any && d->held && d->open);
	CHECK_TRUE(d->close_auto && d->has_priority);
	CHECK_INT_EQ(d->max_running, 5);
	CHECK_TRUE(d->nodes[0].any && !d->nodes[1].any && d->nodes[2].noop);
	CHECK_TRUE(d->nodes[1].allow_failure && !d->nodes[2].allow_failure);
	REQUIRE(d->n_edges == 3);
	/* join any: what says nothing else means any end. */
	CHECK_INT_EQ(d->edges[0].cond, 'a');
	CHECK_INT_EQ(d->edges[1].cond, 'f');
	CHECK_INT_EQ(d->edges[2].cond, 's');
	CHECK_UINT_EQ(d->edges[2].data, 0);
}

static void a_tree_may_be_deep(void)
{
	struct buf b = BUF_INIT;
	struct dag *d;

	buf_adds(&b, "{'name':'0','argv':['x']");
	for (int i = 1; i < 200; i++)
		buf_addf(&b, ",'children':[{'name':'%d','argv':['x']", i);
	for (int i = 1; i < 200; i++)
		buf_adds(&b, "}]");
	buf_addc(&b, '}');
	d = dag_kit_read(arena, buf_str(&b));
	buf_fini(&b);
	CHECK_UINT_EQ(d->n_nodes, 200);
	REQUIRE(d->n_edges == 199);
	CHECK_UINT_EQ(d->edges[198].from, 198);
	CHECK_UINT_EQ(d->edges[198].to, 199);
}

static void what_is_wrong_is_said_with_file_line_and_name(void)
{
	static const char *const cases[][2] = {
		{ "{'jobs':\n{'a':{},\n'b':{'after':['c']}}}",
		  "w.json: line 3: job \"b\": the key \"after\" names the job "
		  "\"c\", which is not there: did you mean \"a\"?" },
		{ "[{'name':'a'},\n{'name':'a'}]",
		  "w.json: line 2: there are two jobs \"a\": the names of a "
		  "document's jobs must differ" },
		{ "{'jobs':{\n'a':{'after':['c']},\n'b':{'after':['a']},\n"
		  "'c':{'after':['b']},\n'd':{'after':['c']}}}",
		  "w.json: line 2: the jobs wait for each other in a circle: "
		  "a \xe2\x86\x92 b \xe2\x86\x92 c \xe2\x86\x92 a" },
		{ "{'jobs':{'a':{'after':'a'}}}",
		  "w.json: line 1: the jobs wait for each other in a circle: "
		  "a \xe2\x86\x92 a" },
		{ "{'jobs':{'a':{'prioriti':1}}}",
		  "w.json: line 1: job \"a\": unknown key \"prioriti\": did "
		  "you mean \"priority\"?" },
		{ "{'jobz':{}}", "w.json: line 1: unknown key \"jobz\": did "
				 "you mean \"jobs\"?" },
		{ "{'name':'x'}",
		  "w.json: line 1: the document has no \"jobs\": an object of "
		  "jobs by name, or a list of jobs with a \"name\" each" },
		{ "5", "w.json: line 1: the document must be an object with "
		       "\"jobs\", or a list of jobs, not a whole number" },
		{ "{'jobs':{'a':5}}", "w.json: line 1: job \"a\": it must be "
				      "an object, not a whole number" },
		{ "{'jobs':[{'argv':['x']}]}",
		  "w.json: line 1: job 1 has no \"name\"" },
		{ "{'jobs':{'a':{'name':'b'}}}",
		  "w.json: line 1: job \"a\": the key \"name\" says \"b\": "
		  "leave it out, for the key in \"jobs\" is the job's name" },
		{ "{'jobs':{'a':{'replicas':2}}}",
		  "w.json: line 1: job \"a\": the key \"replicas\" is not for "
		  "jobs of a workflow: use \"matrix\"" },
		{ "{'jobs':{'a':{'matrix':[]}}}",
		  "w.json: line 1: job \"a\": the key \"matrix\" has no "
		  "environment" },
		{ "{'jobs':{'a':{'join':'some'}}}",
		  "w.json: line 1: job \"a\": the key \"join\" must be \"all\" "
		  "or \"any\"" },
		{ "{'jobs':{'a':{},'b':{'after':[{'job':'a','on':'x'}]}}}",
		  "w.json: line 1: job \"b\": the key \"after\": \"on\" "
		  "must be \"success\", \"failure\" or \"always\", not "
		  "\"x\"" },
		{ "{'jobs':{'a':{}},'datasets':[{'from':'a','too':'a'}]}",
		  "w.json: line 1: dataset 1: unknown key \"too\": did you "
		  "mean \"to\"?" },
		{ "{'jobs':{'a':{}},'datasets':[{'from':'a'}]}",
		  "w.json: line 1: dataset 1: needs \"from\" and \"to\", names "
		  "of jobs" },
		{ "{'jobs':{'a':{},'b':{}},\n'datasets':[{'from':'a','to':'b',"
		  "'tag':'T','datatag':'T'}]}",
		  "w.json: line 2: dataset 1: the key \"datatag\" is given by "
		  "two names" },
		{ "{'jobs':{},\n'priority':'x'}",
		  "w.json: line 2: the key \"priority\" must be a whole number "
		  "from -2147483648 to 2147483647, not x" },
		{ "{'jobs':{},'state':'new'}",
		  "w.json: line 1: the key \"state\" must be \"running\" or "
		  "\"held\", not \"new\"" },
		{ "{'jobs':{},'env':{'A':[]}}",
		  "w.json: line 1: \"A\" in the key \"env\" must be text, not "
		  "a list" },
		{ "{'jobs':{'a':{},'a':{}}}",
		  "w.json: line 1, column 17: the key \"a\" comes twice in one "
		  "object" },
		{ "{'jobs':{'':{}}}",
		  "w.json: line 1: \"\" cannot be a job's name: 1 to 256 bytes "
		  "without control characters" },
	};

	for (size_t i = 0; i < UNIT_N(cases); i++)
		CHECK_STR_EQ(dag_kit_refused(arena, cases[i][0]), cases[i][1]);
}

static void additions_may_name_jobs_that_are_there_already(void)
{
	const char *text = "{'jobs':{'b':{'after':['old','c']},'c':{}},"
			   "'datasets':[{'from':'old','to':'c','name':'f'}]}";
	struct err e = ERR_INIT;
	struct dag *d;

	CHECK_OK(dag_read(arena, dag_kit_json(arena, text), strlen(text), "",
			  DAG_ADDITION, &d, &e),
		 e);
	REQUIRE(d->n_edges == 3 && d->n_outside >= 1);
	CHECK_STR_EQ(dag_parent_name(d, &d->edges[0]), "old");
	CHECK_STR_EQ(dag_parent_name(d, &d->edges[1]), "c");
	CHECK_STR_EQ(dag_parent_name(d, &d->edges[2]), "old");
	text = "{'jobs':{'b':{}},'datasets':[{'from':'b','to':'old'}]}";
	CHECK_FAILS(dag_read(arena, dag_kit_json(arena, text), strlen(text), "",
			     DAG_ADDITION, &d, &e),
		    e, ERR_BAD_REQUEST, "names the job \"old\"");
	text = "{'priority':1,'join':'any','env':{},\n'jobs':{'b':{}},"
	       "\n'name':'n'}";
	CHECK_FAILS(dag_read(arena, dag_kit_json(arena, text), strlen(text), "",
			     DAG_ADDITION, &d, &e),
		    e, ERR_BAD_REQUEST,
		    "line 3: the key \"name\" is about the whole workflow");
}

static void bounds_tell_how_to_go_on(void)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct dag *d;

	buf_addc(&b, '[');
	for (int i = 0; i <= DAG_JOBS_MAX; i++)
		buf_addf(&b, "%s{\"name\":\"%d\"}", i ? "," : "", i);
	buf_addc(&b, ']');
	CHECK_FAILS(dag_read(arena, b.data, b.len, "", 0, &d, &e), e,
		    ERR_TOO_LARGE, "make an open workflow");
	buf_reserve(&b, DAG_DOCUMENT_MAX);
	memset(b.data, ' ', DAG_DOCUMENT_MAX + 1);
	CHECK_FAILS(
		dag_read(arena, b.data, DAG_DOCUMENT_MAX + 1, "", 0, &d, &e), e,
		ERR_TOO_LARGE, "make an open workflow");
	buf_fini(&b);
}

static const char *draw(const struct dag *d, struct dag_draw_options o)
{
	struct buf b = BUF_INIT;
	const char *text;

	dag_draw(&b, d, &o);
	text = arena_strdup(arena, buf_str(&b));
	buf_fini(&b);
	return text;
}

static void a_dag_is_drawn_in_layers(void)
{
	static const char *const states[] = { "finished", "running",
					      "waiting" };
	struct dag *d = dag_kit_read(
		arena, "{'name':'w','jobs':{'a':{},'b':{'after':['a']},'end':{"
		       "'after':['a',{'job':'b','on':'always'}]}}}");

	CHECK_STR_EQ(draw(d, (struct dag_draw_options){ .width = 40 }),
		     "w: 3 jobs, 3 edges, 3 layers\n"
		     "layer 1\n"
		     "  +---+\n"
		     "  | a |\n"
		     "  +---+\n"
		     "layer 2\n"
		     "  +------+\n"
		     "  | b    |\n"
		     "  | <- a |\n"
		     "  +------+\n"
		     "layer 3\n"
		     "  +------------------+\n"
		     "  | end              |\n"
		     "  | <- a, b (always) |\n"
		     "  +------------------+\n");
	CHECK_CONTAINS(draw(d, (struct dag_draw_options){ .states = states,
							  .color = true }),
		       "| \33[36m> b ");
	CHECK_CONTAINS(draw(d, (struct dag_draw_options){ .states = states,
							  .utf8 = true }),
		       "\xe2\x94\x82 \xe2\x9c\x93 a \xe2\x94\x82");
}

static void a_drawing_tells_what_jobs_hand_over(void)
{
	struct dag *d = dag_kit_read(
		arena, "{'jobs':{'gen':{},'cal':{},'reco':{}},'datasets':["
		       "{'from':'gen','to':'reco','tag':'RAW'},"
		       "{'from':'cal','to':'reco','tag':'CAL'},"
		       "{'from':'cal','to':'reco','name':'map.dat'}]}");

	CHECK_CONTAINS(draw(d, (struct dag_draw_options){ .width = 60 }),
		       "  | <- gen [RAW], cal [CAL, map.dat] |\n");
	CHECK_CONTAINS(draw(d, (struct dag_draw_options){ .width = 30 }),
		       "  | reco                  |\n"
		       "  | <- gen [RAW],         |\n"
		       "  |    cal [CAL, map.dat] |\n");
}

static size_t longest_line(const char *text)
{
	size_t longest = 0, len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len > longest)
			longest = len;
	}
	return longest;
}

static void drawings_fit_and_large_layers_are_summed_up(void)
{
	struct buf b = BUF_INIT;
	const char *states[41], *text;
	struct dag *d;

	buf_adds(&b, "{'jobs':{'root':{}");
	for (int i = 0; i < 20; i++)
		buf_addf(&b,
			 ",'a job with a rather long name %d':{'after':["
			 "'root']}",
			 i);
	buf_adds(&b, "}}");
	d = dag_kit_read(arena, buf_str(&b));
	CHECK_TRUE(longest_line(draw(
			   d, (struct dag_draw_options){ .width = 50 })) <= 50);
	buf_reset(&b);
	buf_adds(&b, "{'jobs':{'root':{}");
	for (int i = 0; i < 40; i++)
		buf_addf(&b, ",'%d':{'after':['root']}", i);
	buf_adds(&b, "}}");
	d = dag_kit_read(arena, buf_str(&b));
	for (int i = 0; i < 41; i++)
		states[i] = i < 11 ? "finished" : "running";
	text = draw(d, (struct dag_draw_options){ .states = states });
	CHECK_CONTAINS(text, "  40 jobs: 10 finished, 30 running\n  0 ~ 39");
	buf_fini(&b);
}

static void pictures_hold_every_node_and_edge(void)
{
	struct dag *d = dag_kit_read(
		arena, "{'jobs':{'a<b':{},'c\\\\d':{}},'datasets':[{'from':"
		       "'a<b','to':'c\\\\d','tag':'T&U'}]}");
	struct dag_draw_options o = { .title = "t" };
	struct buf b = BUF_INIT;

	dag_write_dot(&b, d, &o);
	CHECK_CONTAINS(buf_str(&b), "\"a<b\" -> \"c\\\\d\" [label=\"T&U\"];\n");
	buf_reset(&b);
	dag_write_svg(&b, d, &o);
	CHECK_CONTAINS(buf_str(&b), "<title>a&lt;b</title>");
	CHECK_CONTAINS(buf_str(&b), ">T&amp;U</text>");
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "jobs come by name, in a list or as a tree",
	  jobs_come_by_name_in_a_list_or_as_a_tree },
	{ "a document comes out as it went in",
	  a_document_comes_out_as_it_went_in },
	{ "a tree may be deep", a_tree_may_be_deep },
	{ "what is wrong is said with file, line and name",
	  what_is_wrong_is_said_with_file_line_and_name },
	{ "additions may name jobs that are there already",
	  additions_may_name_jobs_that_are_there_already },
	{ "bounds tell how to go on", bounds_tell_how_to_go_on },
	{ "a dag is drawn in layers", a_dag_is_drawn_in_layers },
	{ "a drawing tells what jobs hand over",
	  a_drawing_tells_what_jobs_hand_over },
	{ "drawings fit, and large layers are summed up",
	  drawings_fit_and_large_layers_are_summed_up },
	{ "pictures hold every node and edge",
	  pictures_hold_every_node_and_edge },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("dag", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
