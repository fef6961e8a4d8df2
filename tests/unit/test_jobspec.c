/*
 * A job as a user writes it is accepted in every form that is promised and
 * gives one canonical text.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/jobspec.h"
#include "tests/unit/unit.h"

static struct arena *arena;
static struct jobspec job;

static struct json_object *parse(const char *text)
{
	struct json_object *o = NULL;
	struct err e = ERR_INIT;
	bool ok = json_parse(arena, text, strlen(text), &o, &e);

	CHECK_OK(ok, e);
	REQUIRE(ok);
	return o;
}

/* Members are written with single quotes, to be readable here. */
static const char *object_of(const char *members)
{
	char *text = arena_printf(arena, "{%s}", members);

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

static bool decode(const char *members, struct err *e)
{
	return jobspec_decode(arena, parse(object_of(members)), "job 2", &job,
			      e);
}

static void accept(const char *members)
{
	struct err e = ERR_INIT;

	CHECK_OK(decode(members, &e), e);
}

/* What a job of one more member looks like in its definition. */
static void check_definition(const char *members, const char *want)
{
	accept(arena_printf(arena, "'argv':['x']%s%s", *members ? "," : "",
			    members));
	CHECK_STR_EQ(job.definition, object_of(want));
	CHECK_UINT_EQ(job.definition_len, strlen(job.definition));
}

static void a_job_of_p3s_is_accepted_as_it_is(void)
{
	accept("'name':'simple p3s job','timeout':'100','jobtype':'type1',"
	       "'payload':'/opt/p3s/simplejob1.sh','env':{'P3S_TEST':'TRUE'},"
	       "'priority':'1','state':'template'");
	CHECK_STR_EQ(job.name, "simple p3s job");
	CHECK_STR_EQ(job.jobtype, "type1");
	CHECK_INT_EQ(job.timeout_s, 100);
	CHECK_INT_EQ(job.priority, 1);
	CHECK_TRUE(job.held);
	CHECK_STR_EQ(
		job.definition,
		object_of(
			"'env':{'P3S_TEST':'TRUE'},"
			"'jobtype':'type1','name':'simple p3s job','payload':"
			"'/opt/p3s/simplejob1.sh','priority':1,'timeout':100"));
}

static void what_is_absent_has_its_default(void)
{
	accept("'payload':'true','comment':null");
	CHECK_STR_EQ(job.name, "");
	CHECK_NULL(job.key);
	CHECK_STR_EQ(job.project, "default");
	CHECK_STR_EQ(job.jobtype, "");
	CHECK_STR_EQ(job.site, "");
	CHECK_INT_EQ(job.priority, 0);
	CHECK_INT_EQ(job.cores, 1);
	CHECK_INT_EQ(job.memory, 0);
	CHECK_INT_EQ(job.timeout_s, -1);
	CHECK_FALSE(job.held);
	CHECK_INT_EQ(job.retries, 0);
	CHECK_INT_EQ(job.retry_delay_s, 10);
	CHECK_INT_EQ(job.not_before_ms, 0);
	CHECK_FALSE(job.stop_on_disconnect);
	CHECK_INT_EQ(job.replicas, 1);
	CHECK_UINT_EQ(job.n_pools + job.n_labels + job.n_limits + job.n_tags +
			      job.n_sends,
		      0);
	CHECK_NULL(job.pools[0]);
	CHECK_STR_EQ(job.definition, "{\"payload\":\"true\"}");
	CHECK_STR_EQ(job.requirements,
		     "{\"cores\":1,\"jobtype\":\"\",\"labels\":{},\"limits\":"
		     "{},\"memory\":0,\"pools\":[],\"project\":\"default\","
		     "\"site\":\"\"}");
}

static void numbers_may_be_text_and_have_units(void)
{
	accept("'argv':['x'],'timelimit':'2 h','memory':'2 GiB','cores':'4',"
	       "'retries':'3','retry_delay':'5 m','replicas':'10',"
	       "'priority':'-2147483648','grace':'1 m'");
	CHECK_INT_EQ(job.timeout_s, 7200);
	CHECK_INT_EQ(job.memory, INT64_C(2) << 30);
	CHECK_INT_EQ(job.cores, 4);
	CHECK_INT_EQ(job.retries, 3);
	CHECK_INT_EQ(job.retry_delay_s, 300);
	CHECK_INT_EQ(job.replicas, 10);
	CHECK_INT_EQ(job.priority, INT32_MIN);
	CHECK_STR_EQ(
		job.definition,
		object_of(
			"'argv':['x'],'cores':4,"
			"'grace':60,'memory':2147483648,'priority':-2147483648,"
			"'retries':3,'retry_delay':300,'timeout':7200"));
	accept("'argv':['x'],'timeout':1000000000");
	CHECK_INT_EQ(job.timeout_s, JOBSPEC_TIMEOUT_MAX);
	accept("'argv':['x'],'timeout':0");
	CHECK_INT_EQ(job.timeout_s, 0);
}

static void every_value_has_one_canonical_form(void)
{
	check_definition("", "'argv':['x']");
	check_definition("'env':{'B':1,'A':true,'C':1.50,'x y':''}",
			 "'argv':['x'],'env':{'A':'true','B':'1','C':'1.5',"
			 "'x y':''}");
	check_definition("'pools':'b'", "'argv':['x'],'pools':['b']");
	check_definition("'pools':['b','a','b']",
			 "'argv':['x'],'pools':['a','b']");
	check_definition("'labels':{'os':'linux','gpu':2}",
			 "'argv':['x'],'labels':{'gpu':'2','os':'linux'}");
	check_definition("'tags':['b','a']",
			 "'argv':['x'],'tags':{'a':'true','b':'true'}");
	check_definition("'limits':['b','a','b']",
			 "'argv':['x'],'limits':{'a':1,'b':1}");
	check_definition("'limits':{'b':2,'a':1}",
			 "'argv':['x'],'limits':{'a':1,'b':2}");
	check_definition("'args':'a  b c'",
			 "'args':['a','b','c'],'argv':['x']");
	check_definition("'args':['a b','']", "'args':['a b',''],'argv':['x']");
	check_definition("'config':{'b':[1,{'z':0,'y':0}],'a':null}",
			 "'argv':['x'],'config':{'a':null,'b':[1,{'y':0,'z':0}"
			 "]}");
	check_definition("'inputs':['a',{'tag':'T','path':'/b','check':false}]",
			 "'argv':['x'],'inputs':[{'path':'a'},{'check':false,"
			 "'path':'/b','tag':'T'}]");
	check_definition("'outputs':[{'sha256':true,'path':'s3://b/c','tag':"
			 "'','optional':true},{'path':'d','sha256':false}]",
			 "'argv':['x'],'outputs':[{'optional':true,'path':"
			 "'s3://b/c','sha256':true},{'path':'d'}]");
	check_definition("'metadata':5", "'argv':['x'],'metadata':5");
	check_definition("'cwd':'/data'", "'argv':['x'],'cwd':'/data'");
	check_definition("'umask':'22'", "'argv':['x'],'umask':'0022'");
	check_definition("'on_disconnect':'stop'",
			 "'argv':['x'],'on_disconnect':'stop'");
	CHECK_TRUE(job.stop_on_disconnect);
	check_definition("'description':'d','comment':'c','site':'CERN',"
			 "'project':'p'",
			 "'argv':['x'],'comment':'c','description':'d',"
			 "'project':'p','site':'CERN'");
}

static void key_replicas_and_state_are_no_part_of_the_definition(void)
{
	check_definition("'key':'k1','replicas':5,'state':'held'",
			 "'argv':['x']");
	CHECK_STR_EQ(job.key, "k1");
	CHECK_INT_EQ(job.replicas, 5);
	CHECK_TRUE(job.held);
}

static void a_moment_may_be_a_date_or_seconds(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1795330898", INT64_C(1795330898000) },
		{ "'1795330898'", INT64_C(1795330898000) },
		{ "'2026-11-22T07:01:38Z'", INT64_C(1795330898000) },
		{ "'2026-11-22t07:01:38.1239z'", INT64_C(1795330898123) },
		{ "'2026-11-22 08:31:38+01:30'", INT64_C(1795330898000) },
		{ "'2026-11-21T23:01:38-08:00'", INT64_C(1795330898000) },
		{ "'2028-02-29T00:00:00Z'", INT64_C(1835395200000) },
	};

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		accept(arena_printf(arena, "'argv':['x'],'not_before':%s",
				    cases[i].text));
		CHECK_INT_EQ(job.not_before_ms, cases[i].ms);
	}
	check_definition("'not_before':'2026-11-22 08:31:38+01:30'",
			 "'argv':['x'],'not_before':"
			 "'2026-11-22T07:01:38.000Z'");
}

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"

static void files_are_sent_by_hash(void)
{
	accept("'argv':['x'],'send':[{'name':'a/run.sh','sha256':'" SHA "',"
	       "'size':5,'mode':'755'},{'sha256':'" SHA "','name':'b'}]");
	REQUIRE(job.n_sends == 2);
	CHECK_STR_EQ(job.sends[0], "0123456789abcdef0123456789abcdef"
				   "0123456789abcdef0123456789abcdef");
	CHECK_NULL(job.sends[2]);
	CHECK_CONTAINS(job.definition, "{\"mode\":\"0755\",\"name\":"
				       "\"a/run.sh\",\"sha256\":\"0123");
	CHECK_CONTAINS(job.definition, "cdef\",\"size\":5},{\"mode\":\"0644\","
				       "\"name\":\"b\"");
}

static void requirements_are_equal_when_jobs_ask_the_same(void)
{
	const char *first;

	accept("'argv':['x'],'pools':['b','a'],'memory':1000000,'labels':"
	       "{'b':'1','a':'2'},'limits':['l'],'priority':5,'name':'n'");
	first = job.requirements;
	CHECK_STR_EQ(
		first,
		object_of(
			"'cores':1,'jobtype':'','labels':{'a':"
			"'2','b':'1'},'limits':{'l':1},'memory':1007616,'pools':"
			"['a','b'],'project':'default','site':''"));
	accept("'shell':'y','limits':{'l':1},'labels':{'a':'2','b':1},"
	       "'memory':1000001,'pools':['a','b','a'],'cores':1");
	CHECK_STR_EQ(job.requirements, first);
}

static void memory_is_rounded_up_to_a_64th(void)
{
	static const int64_t cases[][2] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 63, 63 },
		{ 64, 64 },
		{ 127, 127 },
		{ 129, 130 },
		{ 1024, 1024 },
		{ 1025, 1040 },
		{ 2047, 2048 },
		{ INT64_C(23) << 30, INT64_C(23) << 30 },
		{ INT64_C(900) << 30, INT64_C(904) << 30 },
		{ INT64_C(1) << 60, INT64_C(1) << 60 },
		{ (INT64_C(1) << 60) - 1, INT64_C(1) << 60 },
	};
	char part[64];

	for (size_t i = 0; i < UNIT_N(cases); i++) {
		accept(arena_printf(arena, "'argv':['x'],'memory':%lld",
				    (long long)cases[i][0]));
		snprintf(part, sizeof(part), "\"memory\":%lld,",
			 (long long)cases[i][1]);
		CHECK_CONTAINS(job.requirements, part);
		CHECK_INT_EQ(job.memory, cases[i][0]);
	}
}

static const char *long_text(size_t len)
{
	char *s = arena_alloc(arena, len + 1);

	memset(s, 'x', len);
	return s;
}

static void names_are_checked(void)
{
	CHECK_TRUE(jobspec_name_ok("a"));
	CHECK_TRUE(jobspec_name_ok("muon g-2 (\u00fc) #1"));
	CHECK_TRUE(jobspec_name_ok(long_text(256)));
	CHECK_FALSE(jobspec_name_ok(long_text(257)));
	CHECK_FALSE(jobspec_name_ok(""));
	CHECK_FALSE(jobspec_name_ok(" a"));
	CHECK_FALSE(jobspec_name_ok("a "));
	CHECK_FALSE(jobspec_name_ok("a/b"));
	CHECK_FALSE(jobspec_name_ok("a\tb"));
	CHECK_FALSE(jobspec_name_ok("a\x7f"));
	CHECK_FALSE(jobspec_name_ok("a\xc2\x85"));
	CHECK_FALSE(jobspec_name_ok("a\xff"));
	CHECK_TRUE(jobspec_name_ok("a\xc2\xa0z"));
}

static void a_document_is_one_job_or_a_list(void)
{
	struct json_object **jobs;
	struct err e = ERR_INIT;
	size_t n;

	CHECK_OK(jobspec_list(arena, parse("{}"), "f", &jobs, &n, &e), e);
	CHECK_UINT_EQ(n, 1);
	CHECK_OK(jobspec_list(arena, parse("[{},{}]"), "f", &jobs, &n, &e), e);
	CHECK_UINT_EQ(n, 2);
	CHECK_FALSE(jobspec_list(arena, parse("5"), "f.json", &jobs, &n, &e));
	CHECK_STR_EQ(e.text, "f.json: a job file holds one job (an object) or "
			     "a list of jobs, not a whole number");
	CHECK_FALSE(jobspec_list(arena, parse("[]"), "", &jobs, &n, &e));
	CHECK_STR_EQ(e.text, "the list has no job");
	CHECK_FALSE(jobspec_list(arena, parse("[{},[]]"), "f", &jobs, &n, &e));
	CHECK_STR_EQ(e.text, "f: job 2 must be an object, not a list");
}

static void every_key_has_its_place_in_the_manual(void)
{
	for (size_t i = 0; i < jobspec_n_keys; i++) {
		CHECK_TRUE(*jobspec_keys[i].name && *jobspec_keys[i].type &&
			   *jobspec_keys[i].text && jobspec_keys[i].def);
		for (size_t k = 0; k < i; k++)
			CHECK_TRUE(strcmp(jobspec_keys[i].name,
					  jobspec_keys[k].name) != 0);
	}
}

/* Decodes all jobs of a file; the number of jobs. */
static size_t decode_file(const char *path)
{
	struct json_object *doc, **jobs;
	struct err e = ERR_INIT;
	char *text = unit_slurp(path);
	size_t n = 0;

	if (CHECK_OK(json_parse(arena, text, strlen(text), &doc, &e), e) &&
	    CHECK_OK(jobspec_list(arena, doc, path, &jobs, &n, &e), e))
		for (size_t i = 0; i < n; i++)
			CHECK_OK(jobspec_decode(arena, jobs[i], path, &job, &e),
				 e);
	free(text);
	return n;
}

static void the_examples_are_accepted(void)
{
	const char *top = getenv("abs_top_srcdir");
	glob_t files;

	if (glob(arena_printf(arena, "%s/examples/*.json", top ? top : "."), 0,
		 NULL, &files) == 0)
		for (size_t i = 0; i < files.gl_pathc; i++)
			CHECK_TRUE(decode_file(files.gl_pathv[i]) > 0);
	CHECK_TRUE(files.gl_pathc >= 3);
	globfree(&files);
}

/* They stand beside the checkout of a developer and are not the project's. */
static void job_files_of_p3s_are_accepted_unchanged(void)
{
	static const char *const places[] = { "jobs/*.json", "larsoft/*/*.json",
					      "larsoft/*/archive/*.json" };
	const char *top = getenv("abs_top_srcdir");
	size_t n = 0;

	for (size_t k = 0; k < UNIT_N(places); k++) {
		glob_t files;

		if (glob(arena_printf(arena, "%s/../shared/p3s-inputs/%s",
				      top ? top : ".", places[k]),
			 0, NULL, &files))
			continue;
		for (size_t i = 0; i < files.gl_pathc; i++)
			CHECK_TRUE(decode_file(files.gl_pathv[i]) > 0);
		n += files.gl_pathc;
		globfree(&files);
	}
	if (!n)
		puts("# skipped: no job files of p3s beside the checkout");
}

static const struct unit_test tests[] = {
	{ "a job of p3s is accepted as it is",
	  a_job_of_p3s_is_accepted_as_it_is },
	{ "what is absent has its default", what_is_absent_has_its_default },
	{ "numbers may be text and have units",
	  numbers_may_be_text_and_have_units },
	{ "every value has one canonical form",
	  every_value_has_one_canonical_form },
	{ "key, replicas and state are no part of the definition",
	  key_replicas_and_state_are_no_part_of_the_definition },
	{ "a moment may be a date or seconds",
	  a_moment_may_be_a_date_or_seconds },
	{ "files are sent by hash", files_are_sent_by_hash },
	{ "requirements are equal when jobs ask the same",
	  requirements_are_equal_when_jobs_ask_the_same },
	{ "memory is rounded up to a 64th", memory_is_rounded_up_to_a_64th },
	{ "names are checked", names_are_checked },
	{ "a document is one job or a list", a_document_is_one_job_or_a_list },
	{ "every key has its place in the manual",
	  every_key_has_its_place_in_the_manual },
	{ "the examples are accepted", the_examples_are_accepted },
	{ "job files of p3s are accepted unchanged",
	  job_files_of_p3s_are_accepted_unchanged },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("jobspec", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
