/*
 * JSON from outside is read strictly: every leniency that a reader could have
 * is refused here with line and column, and what json-c does that we lean on
 * is pinned.
 */
#include <string.h>
#include "lib/json.h"
#include "tests/unit/unit.h"

static struct arena *arena;

/* The document or the end of the test; lives until reset. */
static struct json_object *parse(const char *text)
{
	struct json_object *o = NULL;
	struct err e = ERR_INIT;
	bool ok = json_parse(arena, text, strlen(text), &o, &e);

	CHECK_OK(ok, e);
	REQUIRE(ok);
	return o;
}

static const char *rewritten(const char *text, bool sorted)
{
	struct buf b = BUF_INIT;
	const char *out;

	if (sorted)
		json_write_sorted(&b, parse(text));
	else
		json_write(&b, parse(text));
	out = arena_strdup(arena, buf_str(&b));
	buf_fini(&b);
	return out;
}

struct refusal {
	const char *text;
	const char *sentence;
};

static void check_refusals(const struct refusal *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err e = ERR_INIT;
		bool ok = json_check(r[i].text, strlen(r[i].text), &e);

		CHECK_FALSE(ok);
		CHECK_STR_EQ(e.text, r[i].sentence);
		CHECK_INT_EQ(e.code, ERR_BAD_REQUEST);
	}
}

static void what_is_not_json_is_refused_with_its_place(void)
{
	static const struct refusal r[] = {
		{ "", "line 1, column 1: the text is empty" },
		{ " \n ", "line 2, column 2: the text is empty" },
		{ "[1,2", "line 1, column 5: a comma or ']' is expected, not "
			  "the end of the text" },
		{ "[1 2]", "line 1, column 4: a comma or ']' is expected, not "
			   "'2'" },
		{ "[1,]", "line 1, column 3: a comma before ']'" },
		{ "{\"a\":1,}", "line 1, column 7: a comma before '}'" },
		{ "[,]", "line 1, column 2: a value is expected, not ','" },
		{ "[", "line 1, column 2: a value is expected, not the end of "
		       "the text" },
		{ "{", "line 1, column 2: a key in double quotes is expected, "
		       "not the end of the text" },
		{ "{a:1}", "line 1, column 2: a key in double quotes is "
			   "expected, not 'a'" },
		{ "{\"a\" 1}", "line 1, column 6: a colon behind the key is "
			       "expected, not '1'" },
		{ "{\"a\":}",
		  "line 1, column 6: a value is expected, not '}'" },
		{ "[1] x", "line 1, column 5: 'x' follows the end of the "
			   "document" },
		{ "{}\n{}", "line 2, column 1: '{' follows the end of the "
			    "document" },
		{ "[1]\x01", "line 1, column 4: byte 0x01 follows the end of "
			     "the document" },
		{ "\xef\xbb\xbf[]", "line 1, column 1: a byte order mark "
				    "(U+FEFF) is not allowed in JSON" },
		{ "['a']", "line 1, column 2: a string is written in double "
			   "quotes, not single ones" },
		{ "[1 /* one */]", "line 1, column 4: a comma or ']' is "
				   "expected, not '/'" },
		{ "// no\n[]", "line 1, column 1: JSON has no comments" },
		{ "# no\n[]", "line 1, column 1: JSON has no comments" },
	};

	check_refusals(r, UNIT_N(r));
}

#define WORDS                                                           \
	" is not JSON: a text needs double quotes, and the only words " \
	"are true, false and null"

static void words_other_than_three_are_refused(void)
{
	static const struct refusal r[] = {
		{ "NaN", "line 1, column 1: \"NaN\"" WORDS },
		{ "[Infinity]", "line 1, column 2: \"Infinity\"" WORDS },
		{ "-Infinity", "line 1, column 2: a digit is expected, not "
			       "'I'" },
		{ "TRUE", "line 1, column 1: \"TRUE\"" WORDS },
		{ "truex", "line 1, column 1: \"truex\"" WORDS },
		{ "nul", "line 1, column 1: \"nul\"" WORDS },
	};

	check_refusals(r, UNIT_N(r));
}

static void numbers_that_do_not_fit_are_refused(void)
{
	static const struct refusal r[] = {
		{ "9223372036854775808", "line 1, column 1: the number does "
					 "not fit 64 bits" },
		{ "-9223372036854775809", "line 1, column 1: the number does "
					  "not fit 64 bits" },
		{ "99999999999999999999", "line 1, column 1: the number does "
					  "not fit 64 bits" },
		{ "1e309", "line 1, column 1: the number is too large" },
		{ "-1e999", "line 1, column 1: the number is too large" },
		{ "01", "line 1, column 1: a number cannot begin with a zero" },
		{ "-01", "line 1, column 2: a number cannot begin with a "
			 "zero" },
		{ "+1", "line 1, column 1: a value is expected, not '+'" },
		{ ".5", "line 1, column 1: a value is expected, not '.'" },
		{ "1.", "line 1, column 3: a digit behind the point is "
			"expected, not the end of the text" },
		{ "1e", "line 1, column 3: a digit of the exponent is "
			"expected, not the end of the text" },
		{ "1e+x", "line 1, column 4: a digit of the exponent is "
			  "expected, not 'x'" },
		{ "0x10", "line 1, column 2: 'x' follows the end of the "
			  "document" },
		{ "-", "line 1, column 2: a digit is expected, not the end of "
		       "the text" },
	};
	char text[200];
	struct err e = ERR_INIT;

	check_refusals(r, UNIT_N(r));
	memset(text, '1', sizeof(text));
	text[1] = '.';
	CHECK_FAILS(json_check(text, 121, &e), e, ERR_BAD_REQUEST,
		    "the number has more than 120 characters");
	CHECK_OK(json_check(text, 120, &e), e);
}

static void bad_strings_are_refused(void)
{
	static const struct refusal r[] = {
		{ "[\"a", "line 1, column 2: the string that begins here has "
			  "no end" },
		{ "\"a\nb\"", "line 1, column 3: control character 0x0a in a "
			      "string must be written as an escape" },
		{ "\"12345678\t\"",
		  "line 1, column 10: control character "
		  "0x09 in a string must be written as an escape" },
		{ "\"\\x\"", "line 1, column 2: a backslash must be followed "
			     "by one of \" \\ / b f n r t u" },
		{ "\"\\", "line 1, column 2: a backslash must be followed by "
			  "one of \" \\ / b f n r t u" },
		{ "\"\\u12g4\"", "line 1, column 2: \\u needs four "
				 "hexadecimal digits" },
		{ "\"\\u12", "line 1, column 2: \\u needs four hexadecimal "
			     "digits" },
		{ "\"\\u0000\"", "line 1, column 2: \\u0000 is not allowed in "
				 "a string" },
		{ "\"\\ud800\"", "line 1, column 2: \\ud800 is half of a "
				 "surrogate pair" },
		{ "\"\\ud800\\u0041\"", "line 1, column 2: \\ud800 is half of "
					"a surrogate pair" },
		{ "\"\\udc00\"", "line 1, column 2: \\udc00 is half of a "
				 "surrogate pair" },
		{ "\"\xc0\xaf\"", "line 1, column 2: byte 0xc0 is not valid "
				  "UTF-8" },
		{ "\"\xe0\x80\xaf\"", "line 1, column 2: byte 0xe0 is not "
				      "valid UTF-8" },
		{ "\"\xed\xa0\x80\"", "line 1, column 2: byte 0xed is not "
				      "valid UTF-8" },
		{ "\"\xf4\x90\x80\x80\"", "line 1, column 2: byte 0xf4 is not "
					  "valid UTF-8" },
		{ "\"\x80\"", "line 1, column 2: byte 0x80 is not valid "
			      "UTF-8" },
		{ "\"\xff\"", "line 1, column 2: byte 0xff is not valid "
			      "UTF-8" },
		{ "\"\xc3", "line 1, column 2: byte 0xc3 is not valid "
			    "UTF-8" },
		{ "\"\xc3\xa4\xc3\xa4\x01\"",
		  "line 1, column 4: control "
		  "character 0x01 in a string must be written as an escape" },
	};
	struct err e = ERR_INIT;

	check_refusals(r, UNIT_N(r));
	CHECK_FAILS(json_check("\"\0\"", 3, &e), e, ERR_BAD_REQUEST,
		    "control character 0x00");
	CHECK_FAILS(json_check("[]\0", 3, &e), e, ERR_BAD_REQUEST,
		    "line 1, column 3: byte 0x00 follows");
}

static void a_key_that_comes_twice_is_refused(void)
{
	static const struct refusal r[] = {
		{ "{\"a\":1,\"a\":2}", "line 1, column 8: the key \"a\" comes "
				       "twice in one object" },
		{ "{\"a\":1,\n \"\\u0061\":2}",
		  "line 2, column 2: the key "
		  "\"\\u0061\" comes twice in one object" },
		{ "{\"\\n\":1,\"\\u000A\":2}",
		  "line 1, column 9: the key "
		  "\"\\u000A\" comes twice in one object" },
		{ "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}",
		  "line 1, column 19: the key \"\xf0\x9f\x98\x80\" comes "
		  "twice in one object" },
		{ "{\"\":1,\"\":2}", "line 1, column 7: the key \"\" comes "
				     "twice in one object" },
		{ "[{\"b\":{\"a\":1},\"a\":[{\"a\":1}],\"b\":3}]",
		  "line 1, column 29: the key \"b\" comes twice in one "
		  "object" },
	};
	struct err e = ERR_INIT;
	const char *fine = "[{\"a\":{\"a\":{\"a\":1}},\"A\":1},{\"a\":1}]";

	check_refusals(r, UNIT_N(r));
	CHECK_OK(json_check(fine, strlen(fine), &e), e);
}

static void big_objects(struct buf *b, int n, int twice)
{
	buf_reset(b);
	buf_addc(b, '{');
	for (int i = 0; i < n; i++)
		buf_addf(b, "%s\"key %d\":{\"a\":%d}", i ? "," : "", i, i);
	if (twice >= 0)
		buf_addf(b, ",\"k\\u0065y %d\":0", twice);
	buf_addc(b, '}');
}

static void big_objects_have_their_keys_compared_too(void)
{
	static const int sizes[] = { 15, 16, 17, 31, 32, 33, 64, 1000, 100000 };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < UNIT_N(sizes); i++) {
		big_objects(&b, sizes[i], -1);
		CHECK_OK(json_check(b.data, b.len, &e), e);
		big_objects(&b, sizes[i], 0);
		CHECK_FAILS(json_check(b.data, b.len, &e), e, ERR_BAD_REQUEST,
			    "the key \"k\\u0065y 0\" comes twice");
		big_objects(&b, sizes[i], sizes[i] - 1);
		CHECK_FALSE(json_check(b.data, b.len, &e));
	}
	buf_fini(&b);
}

static void sixteen_levels_are_read_and_seventeen_refused(void)
{
	const char *deep = "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]";
	struct json_object *o;
	struct err e = ERR_INIT;

	CHECK_FAILS(json_check(deep, 34, &e), e, ERR_BAD_REQUEST,
		    "line 1, column 17: nested deeper than 16 levels");
	CHECK_OK(json_parse(arena, deep + 1, 32, &o, &e), e);
	o = parse("{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":["
		  "{\"a\":[1,\"x\",null,true]}]}]}]}]}]}]}]}");
	CHECK_INT_EQ(json_type(o), JSON_OBJECT);
}

static void the_text_need_not_end_in_nul(void)
{
	struct json_object *o;
	struct err e = ERR_INIT;

	CHECK_OK(json_parse(arena, "12345", 2, &o, &e), e);
	CHECK_INT_EQ(json_int(o), 12);
	CHECK_OK(json_parse(arena, "truefalse", 4, &o, &e), e);
	CHECK_TRUE(json_bool(o));
	CHECK_OK(json_parse(arena, "[1]]", 3, &o, &e), e);
	CHECK_OK(json_parse(arena, "1.5e2e", 5, &o, &e), e);
	CHECK_INT_EQ(json_type(o), JSON_DOUBLE);
}

static void values_have_their_types_and_limits(void)
{
	struct json_object *o = parse(
		"[9223372036854775807,"
		"-9223372036854775808,-0,1.0,\"a\\u00e4\\ud83d\\ude00\\/\","
		"null,false,{},[]]");
	static const enum json_type types[] = {
		JSON_INT,  JSON_INT,  JSON_INT,    JSON_DOUBLE, JSON_STR,
		JSON_NULL, JSON_BOOL, JSON_OBJECT, JSON_ARRAY
	};

	REQUIRE(json_len(o) == UNIT_N(types));
	for (size_t i = 0; i < UNIT_N(types); i++)
		CHECK_INT_EQ(json_type(json_at(o, i)), types[i]);
	CHECK_INT_EQ(json_int(json_at(o, 0)), INT64_MAX);
	CHECK_INT_EQ(json_int(json_at(o, 1)), INT64_MIN);
	CHECK_INT_EQ(json_int(json_at(o, 2)), 0);
	CHECK_STR_EQ(json_str(json_at(o, 4)), "a\u00e4\U0001f600/");
	CHECK_UINT_EQ(json_str_len(json_at(o, 4)), 8);
	CHECK_STR_EQ(json_type_name(JSON_ARRAY), "a list");
}

static void null_is_a_value_and_absent_is_not(void)
{
	struct json_object *o = parse("{\"a\":null,\"b\":[null]}");

	CHECK_NOT_NULL(json_get(o, "a"));
	CHECK_INT_EQ(json_type(json_get(o, "a")), JSON_NULL);
	CHECK_INT_EQ(json_type(json_at(json_get(o, "b"), 0)), JSON_NULL);
	CHECK_NULL(json_get(o, "c"));
	CHECK_NULL(json_get(json_get(o, "a"), "x"));
	CHECK_INT_EQ(json_type(parse("null")), JSON_NULL);
	CHECK_STR_EQ(rewritten("null", false), "null");
}

static void answers_of_others_are_read_without_trust(void)
{
	struct json_object *o = parse("{\"s\":\"x\",\"n\":5,\"b\":true}");

	CHECK_STR_EQ(json_get_str(o, "s"), "x");
	CHECK_NULL(json_get_str(o, "n"));
	CHECK_INT_EQ(json_get_int(o, "n"), 5);
	CHECK_INT_EQ(json_get_int(o, "s"), 0);
	CHECK_TRUE(json_get_bool(o, "b"));
	CHECK_FALSE(json_get_bool(o, "s"));
	CHECK_NULL(json_get_str(parse("[]"), "s"));
}

static void take_string(void *o)
{
	json_str(o);
}

static void take_int(void *o)
{
	json_int(o);
}

static void a_wrong_type_is_a_bug_not_a_guess(void)
{
	CHECK_DIES(take_string, parse("5"), 6, "is a whole number where");
	CHECK_DIES(take_int, parse("\"12\""), 6, "is a string where");
	CHECK_DIES(take_int, parse("null"), 6, "is null where");
}

static bool collect(const char *key, struct json_object *v, void *arg)
{
	struct buf *b = arg;

	(void)v;
	buf_adds(b, key);
	return strcmp(key, "stop") != 0;
}

static void members_come_in_the_order_of_the_document(void)
{
	struct buf b = BUF_INIT;

	CHECK_TRUE(json_each(parse("{\"z\":1,\"a\":2,\"m\":3}"), collect, &b));
	CHECK_STR_EQ(buf_str(&b), "zam");
	buf_reset(&b);
	CHECK_FALSE(
		json_each(parse("{\"z\":1,\"stop\":2,\"m\":3}"), collect, &b));
	CHECK_STR_EQ(buf_str(&b), "zstop");
	buf_fini(&b);
}

static void writing_is_compact_and_exact(void)
{
	CHECK_STR_EQ(rewritten(" { \"b\" : [ 1 , -2, true,false , null ] ,"
			       "\"a\":{ } , \"c\" : [ ] } ",
			       false),
		     "{\"b\":[1,-2,true,false,null],\"a\":{},\"c\":[]}");
	CHECK_STR_EQ(rewritten("\"a/b\\/\\\"\\\\\\n\\u0001\\u00e4\"", false),
		     "\"a/b/\\\"\\\\\\n\\u0001\u00e4\"");
	CHECK_STR_EQ(
		rewritten("[9223372036854775807,-9223372036854775808]", false),
		"[9223372036854775807,-9223372036854775808]");
}

static void doubles_are_written_in_their_shortest_form(void)
{
	CHECK_STR_EQ(rewritten("[0.1,1.0,1e2,1.5E-7,0.30000000000000004,"
			       "123456789012345680.0,-0.0,5e-324,"
			       "1.7976931348623157e308,1e-400]",
			       false),
		     "[0.1,1.0,100.0,1.5e-07,0.30000000000000004,"
		     "1.2345678901234568e+17,-0.0,4.94065645841247e-324,"
		     "1.7976931348623157e+308,0.0]");
}

static void sorted_writing_makes_equal_values_equal_text(void)
{
	CHECK_STR_EQ(rewritten("{\"b\":{\"z\":1,\"y\":[{\"d\":1,\"c\":2}]},"
			       "\"a\":1,\"B\":3}",
			       true),
		     "{\"B\":3,\"a\":1,\"b\":{\"y\":[{\"c\":2,\"d\":1}],"
		     "\"z\":1}}");
	CHECK_STR_EQ(rewritten("{\"a\":1,\"b\":2}", true),
		     rewritten("{\"b\":2,\"a\":1}", true));
}

struct thing {
	const char *name;
	int64_t big;
	int32_t small;
	bool flag, big_seen;
	struct json_object *object, *list, *any;
	int64_t wait_s, memory;
};

static const struct json_field fields[] = {
	{ "name", JK_STR, offsetof(struct thing, name), JF_REQUIRED, 0, 8, 0 },
	{ "big", JK_I64, offsetof(struct thing, big), JF_LOOSE, 0, 0,
	  offsetof(struct thing, big_seen) },
	{ "small", JK_I32, offsetof(struct thing, small), 0, 0, 0, 0 },
	{ "count", JK_I32, offsetof(struct thing, small), 0, 1, 9, 0 },
	{ "flag", JK_BOOL, offsetof(struct thing, flag), 0, 0, 0, 0 },
	{ "object", JK_OBJECT, offsetof(struct thing, object), 0, 0, 0, 0 },
	{ "list", JK_ARRAY, offsetof(struct thing, list), 0, 0, 0, 0 },
	{ "any", JK_ANY, offsetof(struct thing, any), 0, 0, 0, 0 },
	{ "wait", JK_SECONDS, offsetof(struct thing, wait_s), 0, 0, 3600, 0 },
	{ "memory", JK_BYTES, offsetof(struct thing, memory), 0, 0, 0, 0 },
};

static bool decode(const char *text, const char *where, struct thing *t,
		   struct err *e)
{
	memset(t, 0, sizeof(*t));
	return json_decode(parse(text), fields, UNIT_N(fields), t, where, e);
}

static void an_object_fills_a_struct(void)
{
	struct err e = ERR_INIT;
	struct thing t;

	CHECK_OK(decode("{\"name\":\"x\",\"big\":\"-5\",\"small\":-7,\"flag\":"
			"true,\"object\":{\"a\":1},\"list\":[1],\"any\":5,"
			"\"wait\":\"2 m\",\"memory\":\"2 GiB\"}",
			"", &t, &e),
		 e);
	CHECK_STR_EQ(t.name, "x");
	CHECK_INT_EQ(t.big, -5);
	CHECK_TRUE(t.big_seen);
	CHECK_INT_EQ(t.small, -7);
	CHECK_TRUE(t.flag);
	CHECK_UINT_EQ(json_len(t.object), 1);
	CHECK_UINT_EQ(json_len(t.list), 1);
	CHECK_INT_EQ(json_int(t.any), 5);
	CHECK_INT_EQ(t.wait_s, 120);
	CHECK_INT_EQ(t.memory, INT64_C(2) << 30);
}

static void null_counts_as_absent(void)
{
	struct err e = ERR_INIT;
	struct thing t;

	CHECK_OK(decode("{\"name\":\"x\",\"big\":null}", "", &t, &e), e);
	CHECK_FALSE(t.big_seen);
	CHECK_FAILS(decode("{\"name\":null}", "", &t, &e), e, ERR_BAD_REQUEST,
		    "the key \"name\" is missing");
}

static void decoding_refuses_by_name(void)
{
	static const struct refusal r[] = {
		{ "[]", "job 3 must be an object, not a list" },
		{ "{}", "job 3: the key \"name\" is missing" },
		{ "{\"nmae\":1}", "job 3: unknown key \"nmae\": did you mean "
				  "\"name\"?" },
		{ "{\"colour\":1}", "job 3: unknown key \"colour\"" },
		{ "{\"name\":1}", "job 3: the key \"name\" must be a string, "
				  "not a whole number" },
		{ "{\"name\":\"123456789\"}", "job 3: the key \"name\" has 9 "
					      "bytes, at most 8 are allowed" },
		{ "{\"big\":1.5}", "job 3: the key \"big\" must be a whole "
				   "number, not a number with a fraction" },
		{ "{\"small\":\"5\"}", "job 3: the key \"small\" must be a "
				       "whole number, not a string" },
		{ "{\"small\":2147483648}",
		  "job 3: the key \"small\" must be "
		  "from -2147483648 to 2147483647, not 2147483648" },
		{ "{\"count\":0}", "job 3: the key \"count\" must be from 1 "
				   "to 9, not 0" },
		{ "{\"flag\":\"false\"}", "job 3: the key \"flag\" must be "
					  "true or false, not a string" },
		{ "{\"object\":[]}", "job 3: the key \"object\" must be an "
				     "object, not a list" },
		{ "{\"list\":{}}", "job 3: the key \"list\" must be a list, "
				   "not an object" },
		{ "{\"wait\":3601}", "job 3: the key \"wait\" must be from 0 "
				     "to 3600, not 3601" },
		{ "{\"wait\":true}",
		  "job 3: the key \"wait\" must be a whole "
		  "number of seconds or text such as \"90 s\", not true or "
		  "false" },
		{ "{\"memory\":[]}",
		  "job 3: the key \"memory\" must be a "
		  "whole number of bytes or text such as \"2 GiB\", not a "
		  "list" },
	};
	struct thing t;

	for (size_t i = 0; i < UNIT_N(r); i++) {
		struct err e = ERR_INIT;

		CHECK_FALSE(decode(r[i].text, "job 3", &t, &e));
		CHECK_STR_EQ(e.text, r[i].sentence);
	}
}

static void text_that_is_no_number_is_refused_by_key(void)
{
	struct err e = ERR_INIT;
	struct thing t;

	CHECK_FAILS(decode("{\"big\":\"12abc\"}", "job 3", &t, &e), e,
		    ERR_BAD_REQUEST, "job 3: the key \"big\": ");
	CHECK_FAILS(decode("{\"wait\":\"soon\"}", "", &t, &e), e,
		    ERR_BAD_REQUEST, "the key \"wait\": ");
	CHECK_FAILS(decode("[]", "", &t, &e), e, ERR_BAD_REQUEST,
		    "the document must be an object, not a list");
}

static const struct unit_test tests[] = {
	{ "what is not JSON is refused with its place",
	  what_is_not_json_is_refused_with_its_place },
	{ "words other than three are refused",
	  words_other_than_three_are_refused },
	{ "numbers that do not fit are refused",
	  numbers_that_do_not_fit_are_refused },
	{ "bad strings are refused", bad_strings_are_refused },
	{ "a key that comes twice is refused",
	  a_key_that_comes_twice_is_refused },
	{ "big objects have their keys compared too",
	  big_objects_have_their_keys_compared_too },
	{ "16 levels are read and 17 refused",
	  sixteen_levels_are_read_and_seventeen_refused },
	{ "the text need not end in NUL", the_text_need_not_end_in_nul },
	{ "values have their types and limits",
	  values_have_their_types_and_limits },
	{ "null is a value and absent is not",
	  null_is_a_value_and_absent_is_not },
	{ "answers of others are read without trust",
	  answers_of_others_are_read_without_trust },
	{ "a wrong type is a bug, not a guess",
	  a_wrong_type_is_a_bug_not_a_guess },
	{ "members come in the order of the document",
	  members_come_in_the_order_of_the_document },
	{ "writing is compact and exact", writing_is_compact_and_exact },
	{ "doubles are written in their shortest form",
	  doubles_are_written_in_their_shortest_form },
	{ "sorted writing makes equal values equal text",
	  sorted_writing_makes_equal_values_equal_text },
	{ "an object fills a struct", an_object_fills_a_struct },
	{ "null counts as absent", null_counts_as_absent },
	{ "decoding refuses by name", decoding_refuses_by_name },
	{ "text that is no number is refused by key",
	  text_that_is_no_number_is_refused_by_key },
};

int main(void)
{
	int status;

	arena = arena_new();
	status = unit_main("json", tests, UNIT_N(tests));
	arena_free(arena);
	return status;
}
