/*
 * A job that cannot be accepted is refused with a sentence that names the key
 * and says what would do.
 */
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

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"

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
	static const char *const keys[] = { "stages", "image", "collect",
					    "callback" };

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

static void keys_of_workflows_are_refused_by_name(void)
{
	static const char *const keys[] = { "after",    "allow_failure",
					    "children", "dag",
					    "join",     "matrix",
					    "noop" };

	for (size_t i = 0; i < UNIT_N(keys); i++) {
		struct refusal r = {
			arena_printf(arena, "'argv':['x'],'%s':[]", keys[i]),
			arena_printf(arena,
				     "job 2: the key \"%s\" is only for jobs "
				     "in a workflow",
				     keys[i])
		};

		check_refusals(&r, 1);
	}
}

static void files_of_jobs_are_checked(void)
{
	static const struct refusal r[] = {
		{ "'argv':['a'],'inputs':'x'",
		  "job 2: the key \"inputs\" must be a list of files, not a "
		  "string" },
		{ "'argv':['a'],'inputs':[5]",
		  "job 2: the key \"inputs\" must be a list of paths and "
		  "objects with a path: number 1 is a whole number" },
		{ "'argv':['a'],'outputs':['']",
		  "job 2: the key \"outputs\" has file 1 without a path" },
		{ "'argv':['a'],'outputs':[{'tag':'T'}]",
		  "job 2: the key \"outputs\": file 1: the key \"path\" is "
		  "missing" },
		{ "'argv':['a'],'outputs':[{'path':'a','check':true}]",
		  "job 2: the key \"outputs\": file 1: unknown key "
		  "\"check\"" },
		{ "'argv':['a'],'inputs':[{'path':'a','tag':'A=B'}]",
		  "job 2: the key \"inputs\" has the tag \"A=B\", which "
		  "cannot be the name of a variable: use letters, digits "
		  "and \"_\"" },
		{ "'argv':['a'],'outputs':[{'path':'a','tag':'1A'}]",
		  "job 2: the key \"outputs\" has the tag \"1A\", which "
		  "cannot be the name of a variable: use letters, digits "
		  "and \"_\"" },
		{ "'argv':['a'],'inputs':['a',{'path':'a'}]",
		  "job 2: the key \"inputs\" has the path \"a\" twice" },
	};

	check_refusals(r, UNIT_N(r));
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

static void nesting_leaves_room_for_answers(void)
{
	struct err e = ERR_INIT;

	accept("'shell':'x','config':[[[[[[[[[[[]]]]]]]]]]]");
	CHECK_FALSE(
		decode("'shell':'x','config':[[[[[[[[[[[[]]]]]]]]]]]]", &e));
	CHECK_STR_EQ(e.text, "job 2: the job is nested more than 12 levels "
			     "deep: put the inner part into a text or a file");
}

static const struct unit_test tests[] = {
	{ "a command is needed exactly once",
	  a_command_is_needed_exactly_once },
	{ "open quotes are left to a shell only",
	  open_quotes_are_left_to_a_shell_only },
	{ "unknown keys are refused with a suggestion",
	  unknown_keys_are_refused_with_a_suggestion },
	{ "keys of later versions are refused by name",
	  keys_of_later_versions_are_refused_by_name },
	{ "keys of workflows are refused by name",
	  keys_of_workflows_are_refused_by_name },
	{ "files of jobs are checked", files_of_jobs_are_checked },
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
	{ "nesting leaves room for answers", nesting_leaves_room_for_answers },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("jobspec_refuse", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
