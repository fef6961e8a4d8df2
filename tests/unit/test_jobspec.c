/*
 * A job as a user writes it is accepted in every form that is promised, gives
 * one canonical text, and is refused with a sentence that names the key.
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

struct refusal {
	const char *members;
	const char *sentence;
};

static void check_refusals(const struct refusal *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err e = ERR_INIT;

		CHECK_FALSE(decode(r[i].members, &e));
		CHECK_STR_EQ(e.text, r[i].sentence);
		CHECK_INT_EQ(e.code, ERR_BAD_REQUEST);
	}
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
			"'2','b':'1'},'limits':{'l':1},'memory':1048576,'pools':"
			"['a','b'],'project':'default','site':''"));
	accept("'shell':'y','limits':{'l':1},'labels':{'a':'2','b':1},"
	       "'memory':1000001,'pools':['a','b','a'],'cores':1");
	CHECK_STR_EQ(job.requirements, first);
}

static void memory_is_rounded_up_to_an_eighth(void)
{
	static const int64_t cases[][2] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 7, 7 },
		{ 8, 8 },
		{ 15, 15 },
		{ 17, 18 },
		{ 1024, 1024 },
		{ 1025, 1152 },
		{ 2047, 2048 },
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

static void a_command_is_needed_exactly_once(void)
{
	static const struct refusal r[] = {
		{ "'name':'x'", "job 2: one of payload, argv, shell is "
				"needed" },
		{ "'payload':'a','argv':['a']",
		  "job 2: the keys \"payload\" and \"argv\" exclude each "
		  "other: one of payload, argv, shell is needed" },
		{ "'shell':'a','argv':['a']",
		  "job 2: the keys \"argv\" and \"shell\" exclude each other: "
		  "one of payload, argv, shell is needed" },
		{ "'payload':''", "job 2: the key \"payload\" must not be "
				  "empty" },
		{ "'payload':'  '", "job 2: the key \"payload\" holds no "
				    "program" },
		{ "'shell':''", "job 2: the key \"shell\" must not be "
				"empty" },
		{ "'argv':[]", "job 2: the key \"argv\" must begin with the "
			       "program's name" },
		{ "'argv':['']", "job 2: the key \"argv\" must begin with the "
				 "program's name" },
		{ "'argv':['a',5]", "job 2: the key \"argv\" must be a list "
				    "of strings: number 2 is a whole "
				    "number" },
		{ "'argv':'a'", "job 2: the key \"argv\" must be a list of "
				"strings, not a string" },
		{ "'payload':['a']", "job 2: the key \"payload\" must be a "
				     "string, not a list" },
		{ "'argv':['a'],'args':5", "job 2: the key \"args\" must be a "
					   "list of strings or one string, "
					   "not a whole number" },
	};

	check_refusals(r, UNIT_N(r));
}

static void open_quotes_are_left_to_a_shell_only(void)
{
	struct err e = ERR_INIT;

	CHECK_FAILS(decode("'payload':'echo \\'a'", &e), e, ERR_BAD_REQUEST,
		    "job 2: the key \"payload\": ");
	CHECK_FAILS(decode("'argv':['x'],'args':'a \\'b'", &e), e,
		    ERR_BAD_REQUEST, "job 2: the key \"args\": ");
	accept("'payload':'echo \\'a','env':{'P3S_EXECMODE':''}");
	accept("'env':{'P3S_EXECMODE':1},'payload':'echo \\'a'");
}

static void unknown_keys_are_refused_with_a_suggestion(void)
{
	static const struct refusal r[] = {
		{ "'priorty':1", "job 2: unknown key \"priorty\": did you "
				 "mean \"priority\"?" },
		{ "'Payload':'x'", "job 2: unknown key \"Payload\": did you "
				   "mean \"payload\"?" },
		{ "'xyzzy':1", "job 2: unknown key \"xyzzy\"" },
		{ "'xyzzy':null", "job 2: unknown key \"xyzzy\"" },
	};

	check_refusals(r, UNIT_N(r));
}

static void keys_of_later_versions_are_refused_by_name(void)
{
	static const char *const keys[] = { "stages",   "image",   "after",
					    "inputs",   "outputs", "collect",
					    "callback", "dag",     "matrix" };

	for (size_t i = 0; i < UNIT_N(keys); i++) {
		struct refusal r = {
			arena_printf(arena, "'argv':['x'],'%s':[]", keys[i]),
			arena_printf(arena,
				     "job 2: the key \"%s\" is known "
				     "but not available in this "
				     "version",
				     keys[i])
		};

		check_refusals(&r, 1);
	}
}

#define NAME                                                              \
	"1 to 256 bytes without control characters, \"/\" and blanks at " \
	"its ends"

static void values_of_a_wrong_kind_are_refused(void)
{
	static const struct refusal r[] = {
		{ "'name':5", "job 2: the key \"name\" must be a string, not "
			      "a whole number" },
		{ "'project':''",
		  "job 2: the key \"project\" must be a name: " NAME },
		{ "'jobtype':'a/b'", "job 2: the key \"jobtype\" must be a "
				     "name: " NAME },
		{ "'site':' a'",
		  "job 2: the key \"site\" must be a name: " NAME },
		{ "'site':[]", "job 2: the key \"site\" must be a string, not "
			       "a list" },
		{ "'key':'12-3'", "job 2: the key \"key\" must not look like "
				  "a job's number, a range or @last: put a "
				  "letter into \"12-3\"" },
		{ "'key':'@x'", "job 2: the key \"key\" must not look like a "
				"job's number, a range or @last: put a letter "
				"into \"@x\"" },
		{ "'cwd':'data'", "job 2: the key \"cwd\" must be an absolute "
				  "path, not \"data\"" },
		{ "'state':'running'", "job 2: the key \"state\" must be "
				       "\"defined\", \"held\" or "
				       "\"template\", not \"running\"" },
		{ "'state':1", "job 2: the key \"state\" must be a string, "
			       "not a whole number" },
		{ "'on_disconnect':'die'", "job 2: the key \"on_disconnect\" "
					   "must be \"continue\" or \"stop\", "
					   "not \"die\"" },
		{ "'umask':18", "job 2: the key \"umask\" must be text of "
				"octal digits such as \"022\", not a whole "
				"number" },
		{ "'umask':'1000'", "job 2: the key \"umask\" must be octal "
				    "digits from \"0\" to \"777\", not "
				    "\"1000\"" },
		{ "'timeout':1,'argv':['x'],'timelimit':1",
		  "job 2: the keys \"timeout\" and \"timelimit\" mean the "
		  "same: give one of them" },
	};

	check_refusals(r, UNIT_N(r));
}

static void numbers_out_of_range_are_refused(void)
{
	static const struct refusal r[] = {
		{ "'priority':2147483648",
		  "job 2: the key \"priority\" must "
		  "be from -2147483648 to 2147483647, not 2147483648" },
		{ "'priority':1.5",
		  "job 2: the key \"priority\" must be a "
		  "whole number, not a number with a fraction" },
		{ "'cores':0", "job 2: the key \"cores\" must be from 1 to "
			       "100000, not 0" },
		{ "'memory':-1", "job 2: the key \"memory\" must be from 0 to "
				 "1152921504606846976, not -1" },
		{ "'memory':true",
		  "job 2: the key \"memory\" must be a whole "
		  "number of bytes or text such as \"2 GiB\", not true or "
		  "false" },
		{ "'timeout':1000000001",
		  "job 2: the key \"timeout\" must be "
		  "from 0 to 1000000000, not 1000000001" },
		{ "'timelimit':-1", "job 2: the key \"timelimit\" must be "
				    "from 0 to 1000000000, not -1" },
		{ "'timeout':[]",
		  "job 2: the key \"timeout\" must be a whole "
		  "number of seconds or text such as \"90 s\", not a list" },
		{ "'retries':101", "job 2: the key \"retries\" must be from 0 "
				   "to 100, not 101" },
		{ "'retry_delay':1000001",
		  "job 2: the key \"retry_delay\" "
		  "must be from 0 to 1000000, not 1000001" },
		{ "'replicas':0", "job 2: the key \"replicas\" must be from 1 "
				  "to 10000000, not 0" },
		{ "'grace':'2 h'", "job 2: the key \"grace\" must be from 0 "
				   "to 3600, not 7200" },
	};
	struct err e = ERR_INIT;

	check_refusals(r, UNIT_N(r));
	CHECK_FAILS(decode("'timeout':'soon'", &e), e, ERR_BAD_REQUEST,
		    "job 2: the key \"timeout\": \"soon\"");
	CHECK_FAILS(decode("'cores':'4x'", &e), e, ERR_BAD_REQUEST,
		    "job 2: the key \"cores\": ");
}

#define MOMENT(was)                                                      \
	"job 2: the key \"not_before\" must be a date and time such as " \
	"\"2026-11-22T07:00:00Z\" or seconds since 1970, not \"" was "\""

static void moments_that_do_not_exist_are_refused(void)
{
	static const struct refusal r[] = {
		{ "'not_before':'tomorrow'", MOMENT("tomorrow") },
		{ "'not_before':'2026-02-29T00:00:00Z'",
		  MOMENT("2026-02-29T00:00:00Z") },
		{ "'not_before':'2026-01-01T24:00:00Z'",
		  MOMENT("2026-01-01T24:00:00Z") },
		{ "'not_before':'2026-01-01T00:00:00'",
		  MOMENT("2026-01-01T00:00:00") },
		{ "'not_before':'2026-01-01'", MOMENT("2026-01-01") },
		{ "'not_before':'2026-01-01T00:00:00.Z'",
		  MOMENT("2026-01-01T00:00:00.Z") },
		{ "'not_before':'2026-13-01T00:00:00Z'",
		  MOMENT("2026-13-01T00:00:00Z") },
		{ "'not_before':-1", "job 2: the key \"not_before\" must be "
				     "from year 1970 to 9999" },
		{ "'not_before':'1969-01-01T00:00:00Z'",
		  "job 2: the key \"not_before\" must be from year 1970 to "
		  "9999" },
		{ "'not_before':[]", "job 2: the key \"not_before\" must be a "
				     "date and time or seconds since 1970, "
				     "not a list" },
	};

	check_refusals(r, UNIT_N(r));
}

static void collections_with_a_bad_entry_are_refused(void)
{
	static const struct refusal r[] = {
		{ "'env':[]", "job 2: the key \"env\" must be an object of "
			      "text, not a list" },
		{ "'env':{'A=B':'x'}",
		  "job 2: the key \"env\" has a variable "
		  "\"A=B\": a name must not be empty or contain \"=\"" },
		{ "'env':{'':'x'}",
		  "job 2: the key \"env\" has a variable "
		  "\"\": a name must not be empty or contain \"=\"" },
		{ "'env':{'A':null}", "job 2: the key \"env\" has \"A\", "
				      "which must be text, not null" },
		{ "'env':{'A':{}}", "job 2: the key \"env\" has \"A\", which "
				    "must be text, not an object" },
		{ "'tags':'a'", "job 2: the key \"tags\" must be an object of "
				"text or a list of names, not a string" },
		{ "'tags':[5]", "job 2: the key \"tags\" must be a list of "
				"strings: number 1 is a whole number" },
		{ "'tags':{'a/b':1}", "job 2: the key \"tags\" has \"a/b\", "
				      "which is no name: " NAME },
		{ "'labels':{'a':[]}", "job 2: the key \"labels\" has \"a\", "
				       "which must be text, not a list" },
		{ "'pools':5", "job 2: the key \"pools\" must be a list of "
			       "names or one name, not a whole number" },
		{ "'pools':['']", "job 2: the key \"pools\" has \"\", which "
				  "is no name: " NAME },
		{ "'limits':'a'", "job 2: the key \"limits\" must be an "
				  "object of counts or a list of names, not a "
				  "string" },
		{ "'limits':{'a':0}",
		  "job 2: the key \"limits\" has \"a\", "
		  "which must be from 1 to 2147483647, not 0" },
		{ "'limits':{'a':'1'}",
		  "job 2: the key \"limits\" has \"a\", "
		  "which must be a whole number, not a string" },
		{ "'limits':['1','2','3','4','5','6','7','8','9']",
		  "job 2: the key \"limits\" has 9 entries, at most 8 are "
		  "allowed" },
	};

	check_refusals(r, UNIT_N(r));
}

static void files_that_leave_their_folder_are_refused(void)
{
	static const char *const names[] = { "/etc/x", "../x", "a/../x",
					     "..",     ".",    "a//b",
					     "a/",     "",     "a\\n" };
	static const struct refusal r[] = {
		{ "'send':{}", "job 2: the key \"send\" must be a list of "
			       "files, not an object" },
		{ "'send':['a']", "job 2: the key \"send\": file 1 must be an "
				  "object, not a string" },
		{ "'send':[{'name':'a'}]", "job 2: the key \"send\": file 1: "
					   "the key \"sha256\" is missing" },
		{ "'send':[{'name':'a','sha256':'00'}]",
		  "job 2: the key \"send\": file 1: the key \"sha256\" must "
		  "be 64 hexadecimal digits" },
		{ "'send':[{'name':'a','sha256':'" SHA "','mode':'x'}]",
		  "job 2: the key \"send\": file 1: the key \"mode\" must be "
		  "octal digits from \"0\" to \"777\", not \"x\"" },
		{ "'send':[{'name':'a','sha256':'" SHA "','md5':'x'}]",
		  "job 2: the key \"send\": file 1: unknown key \"md5\"" },
		{ "'send':[{'name':'a','sha256':'" SHA "'},"
		  "{'name':'a','sha256':'" SHA "'}]",
		  "job 2: the key \"send\" has the name \"a\" twice" },
	};

	check_refusals(r, UNIT_N(r));
	for (size_t i = 0; i < UNIT_N(names); i++) {
		struct err e = ERR_INIT;

		CHECK_FAILS(decode(arena_printf(arena,
						"'send':[{'name':'%s',"
						"'sha256':'" SHA "'}]",
						names[i]),
				   &e),
			    e, ERR_BAD_REQUEST,
			    "must be a relative path without \"..\"");
	}
}

static const char *long_text(size_t len)
{
	char *s = arena_alloc(arena, len + 1);

	memset(s, 'x', len);
	return s;
}

static void sizes_are_bounded(void)
{
	struct err e = ERR_INIT;

	CHECK_FAILS(
		decode(arena_printf(arena, "'name':'%s'", long_text(1025)), &e),
		e, ERR_BAD_REQUEST,
		"job 2: the key \"name\" has 1025 bytes, "
		"at most 1024 are allowed");
	CHECK_FAILS(
		decode(arena_printf(arena, "'config':'%s'", long_text(65535)),
		       &e),
		e, ERR_BAD_REQUEST,
		"job 2: the key \"config\" has 65537 "
		"bytes of JSON, at most 65536 are allowed");
	CHECK_FAILS(
		decode(arena_printf(arena, "'argv':['%s']", long_text(262144)),
		       &e),
		e, ERR_BAD_REQUEST,
		"job 2: the job has 262157 bytes, at "
		"most 262144 are allowed: send files instead");
	accept(arena_printf(arena, "'argv':['%s']", long_text(262144 - 13)));
	CHECK_FAILS(decode(arena_printf(arena, "'env':{'A':'%s'}",
					long_text(131072)),
			   &e),
		    e, ERR_BAD_REQUEST,
		    "job 2: the key \"env\" has \"A\" with "
		    "131072 bytes, at most 130048 are allowed");
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
	{ "memory is rounded up to an eighth",
	  memory_is_rounded_up_to_an_eighth },
	{ "a command is needed exactly once",
	  a_command_is_needed_exactly_once },
	{ "open quotes are left to a shell only",
	  open_quotes_are_left_to_a_shell_only },
	{ "unknown keys are refused with a suggestion",
	  unknown_keys_are_refused_with_a_suggestion },
	{ "keys of later versions are refused by name",
	  keys_of_later_versions_are_refused_by_name },
	{ "values of a wrong kind are refused",
	  values_of_a_wrong_kind_are_refused },
	{ "numbers out of range are refused",
	  numbers_out_of_range_are_refused },
	{ "moments that do not exist are refused",
	  moments_that_do_not_exist_are_refused },
	{ "collections with a bad entry are refused",
	  collections_with_a_bad_entry_are_refused },
	{ "files that leave their folder are refused",
	  files_that_leave_their_folder_are_refused },
	{ "sizes are bounded", sizes_are_bounded },
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
