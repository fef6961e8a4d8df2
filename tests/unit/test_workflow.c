/* A dag becomes the jobs, edges and files of a workflow, or is refused. */
#include <string.h>
#include "lib/jobspec.h"
#include "tests/unit/dag_kit.h"
#include "tests/unit/unit.h"

static struct arena *arena;

static struct workflow *expand(const char *document, const char *options)
{
	struct err e = ERR_INIT;
	struct workflow *w = dag_kit_expand(
		arena, dag_kit_read(arena, document), options, &e);

	CHECK_OK(w != NULL, e);
	REQUIRE(w != NULL);
	return w;
}

static const char *refused(const char *document, const char *options)
{
	struct err e = ERR_INIT;

	CHECK_NULL(dag_kit_expand(arena, dag_kit_read(arena, document), options,
				  &e));
	return arena_strdup(arena, e.text);
}

/* As datasets are: "path<producer:reader,reader ". */
static const char *files(const struct workflow *w)
{
	struct buf b = BUF_INIT;
	const char *text;

	for (uint32_t i = 0; i < w->n_datasets; i++) {
		const struct workflow_dataset *ds = &w->datasets[i];
		bool more = false;

		buf_addf(&b, "%s%s<%s:", i ? " " : "", ds->path,
			 ds->producer == DAG_NONE
				 ? ""
				 : w->nodes[ds->producer].name);
		for (uint32_t k = 0; k < w->n_uses; k++) {
			if (w->uses[k].dataset != i || w->uses[k].role != 'i')
				continue;
			buf_addf(&b, "%s%s", more ? "," : "",
				 w->nodes[w->uses[k].node].name);
			more = true;
		}
	}
	text = arena_strdup(arena, buf_str(&b));
	buf_fini(&b);
	return text;
}

#define JOBS "{'jobs':{}}"

static void a_job_gets_the_documents_environment_under_its_own(void)
{
	struct workflow *w = expand(
		"{'env':{'A':'1','B':'1','C':'1'},'priority':4,'jobs':{"
		"'a':{'argv':['x'],'env':{'B':2},'attributes':{'z':'1'}},"
		"'b':{'payload':'y','env':'{\\\"Q\\\":\\\"s\\\"}','priority':1,"
		"'after':['a']}}}",
		"{'dag':'d','env':{'C':'3'}}");

	CHECK_STR_EQ(dag_kit_job(w, "a"),
		     "{'name':'a','argv':['x'],'project':'default','priority':"
		     "4,'env':{'A':'1','B':2,'C':'3'}}");
	CHECK_STR_EQ(dag_kit_job(w, "b"),
		     "{'name':'b','payload':'y','project':'default','priority':"
		     "1,'env':{'A':'1','B':'1','C':'3','Q':'s'}}");
	CHECK_STR_EQ(dag_kit_edges(arena, w), "a>b:s");
}

static void a_matrix_is_a_job_for_each_environment(void)
{
	struct workflow *w = expand(
		"{'jobs':{'m':{'argv':['x'],'env':{'A':'job','B':'job'},"
		"'matrix':[{'A':'0'},{'A':'1','SORTIE_INDEX':'9'}]},"
		"'n':{'argv':['y'],'after':['m',{'job':'m','on':'always'}],"
		"'matrix':[{},{}]}}}",
		JOBS);

	CHECK_STR_EQ(dag_kit_job(w, "m[1]"),
		     "{'name':'m[1]','argv':['x'],'project':'default','env':{"
		     "'A':'1','B':'job','SORTIE_INDEX':'1'}}");
	CHECK_INT_EQ(w->nodes[1].index, 1);
	CHECK_STR_EQ(dag_kit_edges(arena, w),
		     "m[0]>n[0]:s m[0]>n[1]:s m[1]>n[0]:s m[1]>n[1]:s "
		     "m[0]>n[0]:a m[0]>n[1]:a m[1]>n[0]:a m[1]>n[1]:a");
	CHECK_STR_EQ(refused("{'jobs':{'m':{'argv':['x'],'matrix':[{}]},"
			     "'m[0]':{'argv':['x']}}}",
			     JOBS),
		     "job \"m[0]\": it is called as a job of the matrix \"m\": "
		     "give one of them another name");
}

#define CHAIN                                                                 \
	"{'jobs':{'in':{'jobtype':'noop','payload':''},'a':{'shell':'x'},"    \
	"'b':{'shell':'y','outputs':['log']},'out':{'noop':true}},"           \
	"'datasets':["                                                        \
	"{'from':'in','to':'a','name':'i.txt','directory':'/d','tag':'IN',"   \
	"'datatype':'TXT'},"                                                  \
	"{'from':'a','to':'b','name':'m.txt','dirpath':'/d/','datatag':'M'}," \
	"{'from':'b','to':'out','uri':'s3://b/o','tag':'OUT'}]}"

static void a_path_has_one_spelling(void)
{
	static const char *const cases[][2] = {
		{ "/d/x", "/d/x" },
		{ "//d///x", "/d/x" },
		{ "/d/./x/.", "/d/x" },
		{ "/d/x/", "/d/x" },
		{ "./f", "f" },
		{ "a//b/", "a/b" },
		{ "/", "/" },
		{ "///", "/" },
		{ ".", "." },
		{ "", "" },
		{ "/d/../x", "/d/../x" },
		{ "/d/.x/..y", "/d/.x/..y" },
		{ "s3://b//o/", "s3://b//o/" },
		{ "file:///d//x", "file:///d//x" },
	};

	for (size_t i = 0; i < UNIT_N(cases); i++)
		CHECK_STR_EQ(workflow_path(arena, cases[i][0]), cases[i][1]);
	CHECK_STR_EQ(refused("{'jobs':{'a':{'argv':['x']},'b':{'argv':['x']},"
			     "'c':{'argv':['x']}},'datasets':[{'from':'a','to'"
			     ":'c','name':'f','directory':'/d/'},{'from':'b',"
			     "'to':'c','name':'f','directory':'//d/.'}]}",
			     JOBS),
		     "the jobs \"a\" and \"b\" would both write the file "
		     "\"/d/f\"");
}

static void files_reach_both_ends_of_their_edges(void)
{
	struct workflow *w = expand(CHAIN, JOBS);

	CHECK_STR_EQ(files(w), "/d/i.txt<:a /d/m.txt<a:b s3://b/o<b:out");
	CHECK_STR_EQ(dag_kit_job(w, "a"),
		     "{'name':'a','shell':'x','project':'default',"
		     "'inputs':[{'path':'/d/i.txt','tag':'IN'}],"
		     "'outputs':[{'path':'/d/m.txt','tag':'M'}]}");
	CHECK_STR_EQ(dag_kit_job(w, "b"),
		     "{'name':'b','shell':'y','project':'default',"
		     "'inputs':[{'check':false,'path':'/d/m.txt','tag':'M'}],"
		     "'outputs':['log',{'path':'s3://b/o','tag':'OUT'}]}");
	CHECK_STR_EQ(dag_kit_job(w, "in"),
		     "{'name':'in','jobtype':'noop','argv':['true'],"
		     "'project':'default'}");
	CHECK_TRUE(w->nodes[0].noop && w->nodes[3].noop);
}

static void files_are_named_by_the_policy(void)
{
	struct workflow *w;

	w = expand(CHAIN, "{'dag':'d','names':'inherit:R'}");
	CHECK_STR_EQ(files(w), "/d/R:mydag:in:IN.txt<:a "
			       "/d/R:mydag:a:M<a:b s3://b/o<b:out");
	w = expand(CHAIN, "{'dag':'d'}");
	CHECK_STR_EQ(w->names, "uuid");
	CHECK_UINT_EQ(strlen(w->datasets[0].path), 3 + 36 + 4);
	CHECK_UINT_EQ(strlen(w->datasets[1].path), 3 + 36);
	w = expand(CHAIN,
		   "{'dag':'d','fileinfo':{'in:a':{'name':'I','dirpath':'/e'},"
		   "'a:b:M':{'uri':'x://y'},'a:b':{'comment':'k'}}}");
	CHECK_STR_EQ(w->datasets[0].path, "/e/I");
	CHECK_STR_EQ(w->datasets[1].path, "x://y");
	CHECK_STR_EQ(w->datasets[1].comment, "k");
	CHECK_STR_EQ(
		refused(CHAIN, "{'jobs':{},'names':'sticki'}"),
		"line 1: the key \"names\" must be \"uuid\", \"sticky\" or "
		"\"inherit:NAME\", not \"sticki\"");
}

/* As in p3s's 3filters, where one file goes to three jobs. */
static void edges_of_one_parent_that_say_the_same_carry_one_file(void)
{
	static const char text[] =
		"{'jobs':{'in':{'noop':true},'a':{'argv':['x']},'b':{'argv':["
		"'x']}},'datasets':[{'from':'in','to':'a','name':'i','tag':'T'}"
		",{'from':'in','to':'b','name':'i','tag':'T'},"
		"{'from':'in','to':'b','name':'i','tag':'U'}]}";
	struct workflow *w = expand(text, "{'dag':'d'}");

	CHECK_UINT_EQ(w->n_datasets, 2);
	CHECK_UINT_EQ(w->n_edges, 2);
	w = expand(text, JOBS);
	CHECK_STR_EQ(files(w), "i<:a,b,b");
}

static void what_cannot_run_is_refused_by_name(void)
{
	static const char *const cases[][3] = {
		{ "{'jobs':{'a':{'payload':''}}}", JOBS,
		  "job \"a\": it has none of payload, argv and shell: give it "
		  "one in the document or in \"jobinfo\"" },
		{ "{'jobs':{'a':{'argv':['x']},'b':{'argv':['x']},'c':{'argv':"
		  "['x']}},'datasets':[{'from':'a','to':'c','name':'f'},"
		  "{'from':'b','to':'c','name':'f'}]}",
		  JOBS,
		  "the jobs \"a\" and \"b\" would both write the file \"f\"" },
		{ CHAIN, "{'jobs':{},'fileinfo':{'a:c':{}}}",
		  "\"fileinfo\" names the edge \"a:c\", which is not there: "
		  "write it \"FROM:TO\" or \"FROM:TO:TAG\"" },
		{ CHAIN, "{'jobs':{},'fileinfo':{'a:b:X':{}}}",
		  "\"fileinfo\" names the edge \"a:b:X\", which is not there: "
		  "write it \"FROM:TO\" or \"FROM:TO:TAG\"" },
		{ CHAIN, "{'jobs':{},'fileinfo':{'a:b':{'nam':'x'}}}",
		  "\"fileinfo\": \"a:b\": unknown key \"nam\": did you mean "
		  "\"name\"?" },
		{ CHAIN, "{'jobs':{},'jobinfo':{'z':{}}}",
		  "\"jobinfo\" names the job \"z\", which is not there" },
		{ "{'jobs':{'a':{'argv':['x']},'b':{'argv':['x']}},'datasets':"
		  "[{'from':'a','to':'b','tag':'T','name':'f'},{'from':'a','to'"
		  ":'b','tag':'U','name':'g'}]}",
		  "{'jobs':{},'fileinfo':{'a:b':{'name':'h'}}}",
		  "\"fileinfo\": \"a:b\" gives one name to 2 edges of "
		  "different tags: name one of them with \"FROM:TO:TAG\"" },
		{ "{'jobs':{'a':{'argv':['x']},'b':{'argv':['x']}},'datasets':"
		  "[{'from':'a','to':'b','name':'f','datatype':'UNKNOWN'}]}",
		  JOBS,
		  "dag \"mydag\": the edge \"a:b\": the datatype \"UNKNOWN\" "
		  "is not defined: define it before a workflow uses it" },
		{ "{'jobs':{'a':{'argv':['x']},'b':{'argv':['x']}},'datasets':"
		  "[{'from':'a','to':'b','name':'f','tag':'MY TAG'}]}",
		  JOBS,
		  "dag \"mydag\": the edge \"a:b\": the tag \"MY TAG\" cannot "
		  "be the name of a variable, which has letters, digits and "
		  "\"_\" and no digit first" },
		{ "{'jobs':{'a':{'argv':['x']},'b':{'argv':['x']}},'datasets':"
		  "[{'from':'a','to':'b','tag':'T'}]}",
		  JOBS,
		  "the edge \"a:b\" has no name for its file: give one in the "
		  "document or in \"fileinfo\", or let \"names\" be \"uuid\"" },
		{ CHAIN, "{'dag':'x','jobs':{}}",
		  "line 1: the keys \"dag\" and \"jobs\" exclude each other" },
		{ CHAIN, "{'dag':'x','nam':'y'}",
		  "line 1: unknown key \"nam\": did you mean \"name\"?" },
	};

	for (size_t i = 0; i < UNIT_N(cases); i++)
		CHECK_STR_EQ(refused(cases[i][0], cases[i][1]), cases[i][2]);
}

/* Each could be where a name ends; none is copied that is no name. */
static void a_key_of_colons_costs_nothing(void)
{
	static const char want[] = "\"fileinfo\" names the edge \"a::::";
	struct buf b = BUF_INIT;

	buf_adds(&b, "{'jobs':{},'fileinfo':{'a");
	for (int i = 0; i < 200000; i++)
		buf_addc(&b, ':');
	buf_adds(&b, "':{}}}");
	CHECK_TRUE(strncmp(refused(CHAIN, buf_str(&b)), want,
			   sizeof(want) - 1) == 0);
	CHECK_TRUE(arena_size(arena) < (size_t)64 << 20);
	buf_fini(&b);
}

static void a_job_of_another_project_is_refused(void)
{
	struct workflow *w = expand("{'jobs':{'a':{'argv':['x'],'project':"
				    "'p'}}}",
				    "{'jobs':{},'project':'q'}");
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	CHECK_FAILS(workflow_job(w, 0, &b, &e), e, ERR_BAD_REQUEST,
		    "job \"a\": the key \"project\" must be that of the "
		    "workflow, \"q\"");
	buf_fini(&b);
}

static void jobinfo_replaces(void)
{
	struct workflow *w = expand(
		"{'env':{'D':'1'},'jobs':{'a':{'shell':'x','env':{'A':'1'},"
		"'cores':2}}}",
		"{'jobs':{},'jobinfo':{'a':{'payload':'y z','env':{'B':'2'},"
		"'cores':3,'memory':5}}}");

	CHECK_STR_EQ(dag_kit_job(w, "a"),
		     "{'name':'a','payload':'y z','cores':3,'memory':5,"
		     "'project':'default','env':{'B':'2','D':'1'}}");
}

static void options_stand_over_the_header(void)
{
	static const char text[] = "{'name':'n','state':'held','open':true,"
				   "'max_running':3,'on_failure':'cancel',"
				   "'jobs':{'a':{'argv':['x'],'priority':1}}}";
	struct workflow *w = expand(text, JOBS);

	CHECK_STR_EQ(w->name, "n");
	CHECK_TRUE(w->held && w->open && w->cancel_on_failure);
	CHECK_INT_EQ(w->max_running, 3);
	w = expand(text, "{'jobs':{},'name':'o','state':'defined','open':false,"
			 "'max_running':0,'on_failure':'continue','priority':9,"
			 "'callback':['http://x'],'close':'auto'}");
	CHECK_STR_EQ(w->name, "o");
	CHECK_FALSE(w->held || w->open || w->cancel_on_failure);
	CHECK_TRUE(w->close_auto);
	CHECK_INT_EQ(w->max_running, 0);
	CHECK_STR_EQ(w->callback, "[\"http://x\"]");
	CHECK_CONTAINS(dag_kit_job(w, "a"), "'priority':9");
	/* As p3s does: a dag's workflow is held unless it is said otherwise. */
	CHECK_TRUE(expand("{'jobs':{}}", "{'dag':'d'}")->held);
	CHECK_FALSE(expand("{'jobs':{}}", JOBS)->held);
}

static void the_legacy_rule_of_p3s_is_join_any(void)
{
	struct workflow *w = expand(
		"{'join':'any','jobs':{'a':{'argv':['x']},'b':{'argv':['x'],"
		"'after':['a']},'c':{'argv':['x'],'join':'all'}},'datasets':["
		"{'from':'a','to':'c'},{'from':'b','to':'c','on':'success'}]}",
		JOBS);

	CHECK_STR_EQ(dag_kit_edges(arena, w), "a>b:a a>c:a b>c:s");
	CHECK_TRUE(w->nodes[1].any);
	CHECK_FALSE(w->nodes[2].any);
}

static void every_job_is_one_that_a_server_accepts(void)
{
	struct workflow *w = expand(CHAIN, "{'dag':'d'}");
	struct json_object *o;
	struct jobspec job;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	for (uint32_t i = 0; i < w->n_nodes; i++) {
		buf_reset(&b);
		CHECK_OK(workflow_job(w, i, &b, &e), e);
		CHECK_OK(json_parse(arena, b.data, b.len, &o, &e) &&
				 jobspec_decode(arena, o, "", &job, &e),
			 e);
	}
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "a job gets the document's environment under its own",
	  a_job_gets_the_documents_environment_under_its_own },
	{ "a matrix is a job for each environment",
	  a_matrix_is_a_job_for_each_environment },
	{ "a path has one spelling", a_path_has_one_spelling },
	{ "files reach both ends of their edges",
	  files_reach_both_ends_of_their_edges },
	{ "files are named by the policy", files_are_named_by_the_policy },
	{ "edges of one parent that say the same carry one file",
	  edges_of_one_parent_that_say_the_same_carry_one_file },
	{ "what cannot run is refused by name",
	  what_cannot_run_is_refused_by_name },
	{ "a key of colons costs nothing", a_key_of_colons_costs_nothing },
	{ "a job of another project is refused",
	  a_job_of_another_project_is_refused },
	{ "jobinfo replaces", jobinfo_replaces },
	{ "options stand over the header", options_stand_over_the_header },
	{ "the legacy rule of p3s is join any",
	  the_legacy_rule_of_p3s_is_join_any },
	{ "every job is one that a server accepts",
	  every_job_is_one_that_a_server_accepts },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("workflow", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
