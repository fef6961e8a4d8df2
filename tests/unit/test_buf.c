/* Bytes that grow, and the JSON text that is written into them. */
#include "lib/buf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/unit.h"

static void an_empty_buf_is_an_empty_string(void)
{
	struct buf b = BUF_INIT;

	CHECK_STR_EQ(buf_str(&b), "");
	buf_add(&b, NULL, 0);
	CHECK_STR_EQ(b.data, "");
	buf_reset(&b);
	buf_consume(&b, 0);
	CHECK_UINT_EQ(b.len, 0);
	buf_fini(&b);
	buf_fini(&b);
	buf_reset(&b);
	CHECK_NULL(b.data);
}

static void text_stays_terminated_while_it_grows(void)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < 5000; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		if (b.data[b.len] != '\0' || b.len != i + 1 || b.cap <= b.len) {
			CHECK_UINT_EQ(i, SIZE_MAX);
			break;
		}
	}
	CHECK_UINT_EQ(strlen(b.data), 5000);
	CHECK_MEM_EQ(b.data + 4992, "abcdefgh", 8);
	buf_fini(&b);
}

static void reserve_holds_what_it_promises(void)
{
	struct buf b = BUF_INIT;
	const char *before;

	buf_adds(&b, "x");
	buf_reserve(&b, 10000);
	before = b.data;
	for (int i = 0; i < 10000; i++)
		buf_addc(&b, 'y');
	CHECK_TRUE(b.data == before);
	buf_fini(&b);
}

static void printing_fits_any_length(void)
{
	struct buf b = BUF_INIT;

	for (int len = 0; len < 300; len++) {
		buf_reset(&b);
		buf_addf(&b, "<%*s>", len, "");
		if (b.len != (size_t)len + 2 || strlen(b.data) != b.len)
			CHECK_INT_EQ(len, -1);
	}
	buf_reset(&b);
	buf_adds(&b, "a");
	buf_addf(&b, "%s", "");
	buf_addf(&b, "%0100000d", 1);
	CHECK_UINT_EQ(b.len, 100001);
	buf_fini(&b);
}

static void numbers_are_written_to_their_ends(void)
{
	static const struct {
		int64_t v;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ -1, "-1" },
		{ 9, "9" },
		{ 10, "10" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < UNIT_N(rows); i++) {
		buf_reset(&b);
		buf_add_i64(&b, rows[i].v);
		CHECK_STR_EQ(buf_str(&b), rows[i].text);
	}
	buf_fini(&b);
}

static void consuming_keeps_the_rest(void)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "abcdef");
	buf_consume(&b, 2);
	CHECK_STR_EQ(buf_str(&b), "cdef");
	buf_consume(&b, 4);
	CHECK_STR_EQ(buf_str(&b), "");
	CHECK_UINT_EQ(b.len, 0);
	buf_fini(&b);
}

static void consume_too_much(void *arg)
{
	buf_consume(arg, 4);
}

static void reserve_too_much(void *arg)
{
	buf_reserve(arg, SIZE_MAX);
}

static void misuse_and_excess_end_the_program(void)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "abc");
	CHECK_DIES(consume_too_much, &b, 6, "BUG: ");
	CHECK_DIES(reserve_too_much, &b, UNIT_EXIT(1), "out of memory");
	buf_fini(&b);
}

static void taking_leaves_an_empty_buf(void)
{
	struct buf b = BUF_INIT;
	char *s = buf_take(&b), *t;

	CHECK_STR_EQ(s, "");
	buf_adds(&b, "x");
	t = buf_take(&b);
	CHECK_STR_EQ(t, "x");
	CHECK_NULL(b.data);
	free(s);
	free(t);
}

#define FFFD "\xef\xbf\xbd"

static void json_strings_are_escaped(void)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "plain /text", 11, "\"plain /text\"" },
		{ "\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
		{ "\0\1\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\x80z", 3, "\"a" FFFD "z\"" },
		/* cut short, at the end and before other text */
		{ "\xe2\x82", 2, "\"" FFFD "\"" },
		{ "\xe2\x82z", 3, "\"" FFFD "z\"" },
		{ "\xf0\x9f\x98", 3, "\"" FFFD "\"" },
		/* overlong, surrogate, beyond the last character */
		{ "\xc0\xaf", 2, "\"" FFFD FFFD "\"" },
		{ "\xed\xa0\x80", 3, "\"" FFFD FFFD FFFD "\"" },
		{ "\xf4\x90\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\"" },
		{ "\xf5\xff", 2, "\"" FFFD FFFD "\"" },
		{ "\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < UNIT_N(rows); i++) {
		buf_reset(&b);
		buf_json_strn(&b, rows[i].in, rows[i].len);
		CHECK_STR_EQ(buf_str(&b), rows[i].out);
	}
	buf_reset(&b);
	buf_json_str(&b, NULL);
	CHECK_STR_EQ(buf_str(&b), "null");
	buf_fini(&b);
}

static void commas_stand_where_they_belong(void)
{
	struct buf b = BUF_INIT;

	buf_json_comma(&b);
	buf_addc(&b, '{');
	buf_json_kv_str(&b, "s", "a\"b");
	buf_json_kv_str(&b, "none", NULL);
	buf_json_kv_i64(&b, "i", -5);
	buf_json_kv_bool(&b, "yes", true);
	buf_json_kv_bool(&b, "no", false);
	buf_json_kv_raw(&b, "raw", "[1]");
	buf_json_key(&b, "list");
	buf_addc(&b, '[');
	for (int i = 0; i < 3; i++) {
		buf_json_comma(&b);
		buf_add_i64(&b, i);
	}
	buf_json_comma(&b);
	buf_json_comma(&b);
	buf_adds(&b, "3]}");
	CHECK_STR_EQ(buf_str(&b),
		     "{\"s\":\"a\\\"b\",\"none\":null,\"i\":-5,\"yes\":true,"
		     "\"no\":false,\"raw\":[1],\"list\":[0,1,2,3]}");
	buf_fini(&b);
}

static const struct unit_test tests[] = {
	{ "an empty buf is an empty string", an_empty_buf_is_an_empty_string },
	{ "text stays terminated while it grows",
	  text_stays_terminated_while_it_grows },
	{ "reserve holds what it promises", reserve_holds_what_it_promises },
	{ "printing fits any length", printing_fits_any_length },
	{ "numbers are written to their ends",
	  numbers_are_written_to_their_ends },
	{ "consuming keeps the rest", consuming_keeps_the_rest },
	{ "misuse and excess end the program",
	  misuse_and_excess_end_the_program },
	{ "taking leaves an empty buf", taking_leaves_an_empty_buf },
	{ "json strings are escaped", json_strings_are_escaped },
	{ "commas stand where they belong", commas_stand_where_they_belong },
};

int main(void)
{
	return unit_main("buf", tests, UNIT_N(tests));
}
